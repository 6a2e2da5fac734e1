"""The blocks of a keepalived.conf, read by each of keepalived's processes, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vrrp.config.completion import complete
from vrrp.config.diagnostics import Report, Voice
from vrrp.config.global_defs import GlobalDraft
from vrrp.config.grammar import BFD, CHECKER, PARENT, VRRP, Process
from vrrp.config.groups import GroupDraft, Groups
from vrrp.config.host import Host, Interfaces
from vrrp.config.instance import read_instance
from vrrp.config.instance_draft import InstanceDraft
from vrrp.config.lexer import Fragment
from vrrp.config.lvs import Balancing
from vrrp.config.model import (
    Address,
    GlobalDefs,
    KeepalivedConfig,
    Option,
    OtherBlock,
    SyncGroup,
    VrrpInstance,
    VrrpScript,
)
from vrrp.config.script_security import Runnable, disabled_scripts
from vrrp.config.settings import options_of
from vrrp.config.tracking import vrrp_script
from vrrp.config.tree import Block, Statement, TreeReader


class Reader:
    """One configuration's blocks, gathered by each of keepalived's processes and settled at the end.

    Args:
        report: takes the diagnostics.
        host: the machine that is to run it.
    """

    def __init__(self, report: Report, host: Host) -> None:
        self._report = report
        self._host = host
        self._interfaces = Interfaces(host, dynamic=False)
        self._globals = GlobalDraft()
        self._balancing = Balancing(host, report)
        self._scripts: dict[str, VrrpScript] = {}
        self._defined_scripts: list[VrrpScript] = []
        self._instances: list[InstanceDraft] = []
        self._groups: list[GroupDraft] = []
        self._options: list[Option] = []
        self._others: list[OtherBlock] = []
        self._keywords: dict[tuple[int, str], None] = {}

    def keywords(self) -> tuple[tuple[int, str], ...]:
        """The keywords that were read, each with its line, in the order of the lines."""
        return tuple(sorted(self._keywords, key=lambda use: use[0]))

    def read(self, fragments: tuple[Fragment, ...], filename: str) -> KeepalivedConfig:
        """What the processes make of it, one after the other."""
        self._process(fragments, PARENT, {"global_defs": self._global_defs})
        defaults = self._globals.resolve()
        self._process(fragments, CHECKER, self._balancing.blocks)
        self._balancing.settle(defaults.enable_script_security)
        self._interfaces = Interfaces(self._host, defaults.dynamic_interfaces)
        self._process(
            fragments,
            VRRP,
            {
                "vrrp_instance": self._instance,
                "vrrp_script": self._script,
                "vrrp_sync_group": self._sync_group,
            },
        )
        config = self._settle(defaults, filename)
        self._report.end_of_process()
        self._process(fragments, BFD, {})
        return config

    def _process(
        self, fragments: tuple[Fragment, ...], process: Process, blocks: Mapping[str, Callable[[Block], None]]
    ) -> None:
        self._report.end_of_process()
        tree = TreeReader(fragments, process, self._report)
        entries = tree.read()
        self._keywords.update(dict.fromkeys(tree.keywords))
        for entry in entries:
            if isinstance(entry, Statement):
                if process is PARENT:
                    self._options.extend(options_of(entry))
            elif entry.keyword in blocks:
                blocks[entry.keyword](entry)
            elif process is VRRP:
                self._others.append(OtherBlock(entry.keyword, entry.arguments, entry.line))

    def _settle(self, defaults: GlobalDefs, filename: str) -> KeepalivedConfig:
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
            self._balancing.servers,
            tuple(self._balancing.groups.values()),
            self._balancing.ssl,
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

    def _global_defs(self, block: Block) -> None:
        self._globals.read(block, self._report)

    def _sync_group(self, block: Block) -> None:
        group = GroupDraft(block.arguments[0], block.line)
        group.read(block, self._scripts, self._interfaces, self._report)
        self._groups.append(group)

    def _instance(self, block: Block) -> None:
        instance = InstanceDraft(block.arguments[0], block.line, self._report, self._scripts, self._interfaces)
        read_instance(instance, block)
        self._instances.append(instance)

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
