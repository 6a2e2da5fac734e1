"""keepalived.conf, as keepalived 2.2.7 reads it: text in, model and diagnostics out.

Not read by this version, and noted where they stand: include, @conditions, $definitions, ~SEQ and ~LST.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vrrp.config.completion import complete
from vrrp.config.diagnostics import Report
from vrrp.config.global_defs import GlobalDraft
from vrrp.config.groups import GroupDraft, Groups
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
from vrrp.config.settings import options_of
from vrrp.config.tracking import vrrp_script
from vrrp.config.tree import Block, Statement, TreeReader

LARGEST_FILE = 16 * 1024 * 1024


def parse(text: str, *, filename: str = "<string>", environment: Mapping[str, str] | None = None) -> ParsedConfig:
    """Read a configuration. No text makes it raise.

    Args:
        text: what stands in the file.
        filename: the name that diagnostics carry.
        environment: values for ${NAME} placeholders; none when None.

    Returns:
        What keepalived 2.2.7 would make of it, and what there is to say about it.
    """
    report = Report(filename)
    config = _File(report).read(text, filename, environment or {})
    return ParsedConfig(config, report.diagnostics())


def load(path: str | os.PathLike[str], *, environment: Mapping[str, str] | None = None) -> ParsedConfig:
    """Read a configuration file of at most 16 MiB; a larger one is diagnosed and not read.

    Args:
        path: the file; diagnostics carry this name.
        environment: values for ${NAME} placeholders; none when None.

    Raises:
        OSError: the file cannot be read.
    """
    filename = os.fspath(path)
    with Path(path).open("rb") as handle:
        raw = handle.read(LARGEST_FILE + 1)
    report = Report(filename)
    if len(raw) > LARGEST_FILE:
        report.error(0, "the file is larger than 16 MiB", "it is not read")
        return ParsedConfig(KeepalivedConfig(filename), report.diagnostics())
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        report.warning(
            raw.count(b"\n", 0, fault.start) + 1,
            f"byte 0x{raw[fault.start]:02x} is not UTF-8",
            "keepalived reads the bytes as they are",
        )
        text = raw.decode("utf-8", "surrogateescape")
    config = _File(report).read(text, filename, environment or {})
    return ParsedConfig(config, report.diagnostics())


class _File:
    """One file's blocks, gathered as they stand and settled at the end."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._globals = GlobalDraft()
        self._scripts: dict[str, VrrpScript] = {}
        self._instances: list[InstanceDraft] = []
        self._groups: list[GroupDraft] = []
        self._options: list[Option] = []
        self._others: list[OtherBlock] = []

    def read(self, text: str, filename: str, environment: Mapping[str, str]) -> KeepalivedConfig:
        fragments = Lexer(text, self._report, environment).fragments()
        for entry in TreeReader(fragments, self._report).read():
            self._entry(entry)
        defaults = self._globals.resolve()
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

    def _entry(self, entry: Statement | Block) -> None:
        if isinstance(entry, Statement):
            self._options.extend(options_of(entry))
        elif entry.keyword == "global_defs":
            self._globals.read(entry, self._report)
        elif entry.keyword == "vrrp_script":
            self._script(entry)
        elif entry.keyword == "vrrp_sync_group":
            group = GroupDraft(entry.arguments[0], entry.line)
            group.read(entry, self._scripts, self._report)
            self._groups.append(group)
        elif entry.keyword == "vrrp_instance":
            instance = InstanceDraft(entry.arguments[0], entry.line, self._report, self._scripts)
            read_instance(instance, entry)
            self._instances.append(instance)
        else:
            self._others.append(OtherBlock(entry.keyword, entry.arguments, entry.line))

    def _script(self, block: Block) -> None:
        script = vrrp_script(block, self._report)
        if script is None:
            return
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
                self._report.warning(script.line, f"script {script.name} is not used", "keepalived never runs it")
