"""keepalived.conf, as keepalived 2.2.7 reads it: text in, model and diagnostics out.

Not read by this version, and noted where they stand: include, @conditions, $definitions, ~SEQ and ~LST.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from vrrp.config.completion import complete
from vrrp.config.diagnostics import Report, Voice
from vrrp.config.global_defs import GlobalDraft
from vrrp.config.groups import GroupDraft, Groups
from vrrp.config.host import Host, Interfaces
from vrrp.config.instance import read_instance
from vrrp.config.instance_draft import InstanceDraft
from vrrp.config.lexer import Lexer
from vrrp.config.model import (
    Address,
    KeepalivedConfig,
    Option,
    OtherBlock,
    ParsedConfig,
    SyncGroup,
    VrrpInstance,
    VrrpScript,
)
from vrrp.config.script_security import Runnable, disabled_scripts
from vrrp.config.settings import options_of
from vrrp.config.tracking import vrrp_script
from vrrp.config.tree import Block, Statement, TreeReader

LARGEST_FILE = 16 * 1024 * 1024


def parse(
    text: str,
    *,
    filename: str = "<string>",
    environment: Mapping[str, str] | None = None,
    host: Host | None = None,
) -> ParsedConfig:
    """Read a configuration. No text makes it raise.

    Args:
        text: what stands in the file.
        filename: the name that diagnostics carry.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.

    Returns:
        What keepalived 2.2.7 would make of it, and what there is to say about it.
    """
    report = Report(filename)
    config = _File(report, host or Host()).read(text, filename, environment or {})
    return ParsedConfig(config, report.diagnostics())


def load(
    path: str | os.PathLike[str], *, environment: Mapping[str, str] | None = None, host: Host | None = None
) -> ParsedConfig:
    """Read a configuration file of at most 16 MiB; a larger one is diagnosed and not read.

    Args:
        path: the file; diagnostics carry this name.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.

    Raises:
        OSError: the file cannot be read.
    """
    filename = os.fspath(path)
    with Path(path).open("rb") as handle:
        raw = handle.read(LARGEST_FILE + 1)
    report = Report(filename)
    if len(raw) > LARGEST_FILE:
        report.error(0, "the file is larger than 16 MiB", "it is not read", Voice.OURS)
        return ParsedConfig(KeepalivedConfig(filename), report.diagnostics())
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        report.warning(
            raw.count(b"\n", 0, fault.start) + 1,
            f"byte 0x{raw[fault.start]:02x} is not UTF-8",
            "keepalived reads the bytes as they are",
            Voice.OURS,
        )
        text = raw.decode("utf-8", "surrogateescape")
    config = _File(report, host or Host()).read(text, filename, environment or {})
    return ParsedConfig(config, report.diagnostics())


class _File:
    """One file's blocks, gathered as they stand and settled at the end."""

    def __init__(self, report: Report, host: Host) -> None:
        self._report = report
        self._host = host
        self._interfaces = Interfaces(host, dynamic=False)
        self._globals = GlobalDraft()
        self._scripts: dict[str, VrrpScript] = {}
        self._defined_scripts: list[VrrpScript] = []
        self._instances: list[InstanceDraft] = []
        self._groups: list[GroupDraft] = []
        self._options: list[Option] = []
        self._others: list[OtherBlock] = []

    def read(self, text: str, filename: str, environment: Mapping[str, str]) -> KeepalivedConfig:
        fragments = Lexer(text, self._report, environment).fragments()
        entries = TreeReader(fragments, self._report).read()
        for entry in entries:
            if isinstance(entry, Block) and entry.keyword == "global_defs":
                self._globals.read(entry, self._report)
        defaults = self._globals.resolve()
        self._interfaces = Interfaces(self._host, defaults.dynamic_interfaces)
        for entry in entries:
            self._entry(entry)
        if self._interfaces.missing:
            self._report.error(
                0,
                "Non-existent interface specified in configuration",
                "keepalived does not start",
                Voice.PLAIN,
            )
            self._report.done()
        self._disable_scripts(defaults.enable_script_security)
        completed = [complete(draft, defaults) for draft in self._instances]
        instances = self._without_duplicates([one for one in completed if one is not None])
        running = {one.name: one for one in instances}
        refused = frozenset(draft.name for draft in self._instances) - running.keys()
        groups = Groups(running, refused, self._report)
        settled = [groups.settle(draft) for draft in self._groups]
        config = KeepalivedConfig(
            filename,
            defaults,
            self._scripts,
            tuple(groups.tracking(one) for one in instances),
            tuple(group for group in settled if group is not None),
            tuple(self._options),
            tuple(self._others),
        )
        # Of an instance that keepalived refuses, nothing says whether it would have used its scripts.
        unsettled = {name for draft in self._instances if draft.name in refused for name in draft.track_scripts}
        self._unused_scripts(config.instances, config.sync_groups, unsettled)
        return config

    def _disable_scripts(self, secure: bool) -> None:
        """Without what keepalived does not run, nothing follows it."""
        disabled = disabled_scripts(self._runnables(), secure, self._host, self._report)
        trackers: list[InstanceDraft | GroupDraft] = [*self._instances, *self._groups]
        for tracker in trackers:
            for name in disabled & tracker.track_scripts.keys():
                del tracker.track_scripts[name]
        for name in disabled:
            del self._scripts[name]

    def _runnables(self) -> Iterator[Runnable]:
        for script in self._defined_scripts:
            yield Runnable(script.command, script.name, script.line)
        notifiers: list[InstanceDraft | GroupDraft] = [*self._instances, *self._groups]
        for notifier in notifiers:
            for command in notifier.notify.values():
                yield Runnable(command, "", notifier.line)

    def _entry(self, entry: Statement | Block) -> None:
        if isinstance(entry, Statement):
            self._options.extend(options_of(entry))
        elif entry.keyword == "vrrp_script":
            self._script(entry)
        elif entry.keyword == "vrrp_sync_group":
            group = GroupDraft(entry.arguments[0], entry.line)
            group.read(entry, self._scripts, self._interfaces, self._report)
            self._groups.append(group)
        elif entry.keyword == "vrrp_instance":
            instance = InstanceDraft(entry.arguments[0], entry.line, self._report, self._scripts, self._interfaces)
            read_instance(instance, entry)
            self._instances.append(instance)
        elif entry.keyword != "global_defs":
            self._others.append(OtherBlock(entry.keyword, entry.arguments, entry.line))

    def _script(self, block: Block) -> None:
        script = vrrp_script(block, self._report)
        if script is None:
            return
        self._defined_scripts.append(script)
        known = self._scripts.setdefault(script.name, script)
        if known is not script:
            self._report.note(
                script.line,
                f"vrrp_script {script.name} is defined on line {known.line} already",
                "keepalived uses the first",
            )

    def _without_duplicates(self, instances: list[VrrpInstance]) -> list[VrrpInstance]:
        """Two virtual routers may share interface, VRID and family only when they never hear each other."""
        kept: list[VrrpInstance] = []
        taken: dict[tuple[str, int, bool, Address], str] = {}
        for one in instances:
            unicast = bool(one.unicast_peers)
            family = one.multicast_group.version
            addresses = one.unicast_peers or (one.multicast_group,)
            keys = [(one.interface, one.vrid, unicast, address) for address in addresses]
            other = next((taken[key] for key in keys if key in taken), None)
            if other is None:
                kept.append(one)
                taken.update(dict.fromkeys(keys, one.name))
                continue
            self._report.refuse(
                one.line,
                f"({other}) duplicate VRID conflict with {one.name} VRID {one.vrid}"
                if unicast
                else f"{other} and {one.name} both use VRID {one.vrid} with IPv{family} on interface {one.interface}",
            )
        return kept

    def _unused_scripts(
        self, instances: tuple[VrrpInstance, ...], groups: tuple[SyncGroup, ...], unsettled: set[str]
    ) -> None:
        used = {entry.name for one in instances for entry in one.track_scripts}
        used.update(entry.name for group in groups for entry in group.track_scripts)
        for script in self._scripts.values():
            if script.name not in used and script.name not in unsettled:
                self._report.warning(
                    script.line, f"script {script.name} is not used", "keepalived never runs it", Voice.OURS
                )
