"""The blocks of a keepalived.conf, read by each of keepalived's processes, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from vrrp.config.additions import Cutting, read_additions, take_out
from vrrp.config.diagnostics import Report, Voice
from vrrp.config.following import Follower
from vrrp.config.globals.block import GlobalDraft
from vrrp.config.grammar import BFD, CHECKER, PARENT, VRRP, Process
from vrrp.config.groups import GroupDraft, Groups
from vrrp.config.host import Host, Interfaces
from vrrp.config.instance.block import read_instance
from vrrp.config.instance.completion import complete, identified
from vrrp.config.instance.draft import InstanceDraft
from vrrp.config.language.lexer import Fragment
from vrrp.config.language.source import Source
from vrrp.config.links import GarpGroups, link_delays, read_linkbeat, shortened
from vrrp.config.lvs.blocks import Balancing
from vrrp.config.model import (
    Address,
    GlobalDefs,
    KeepalivedConfig,
    LinkDelays,
    Option,
    OtherBlock,
    SyncGroup,
    VrrpInstance,
)
from vrrp.config.notify import Notifications
from vrrp.config.routing.rules import RuleReader
from vrrp.config.routing.statics import Statics
from vrrp.config.script_security import disabled_scripts
from vrrp.config.settings import options_of
from vrrp.config.top_level import TopLevel
from vrrp.config.trackables import Definitions
from vrrp.config.tree import Block, Statement, TreeReader

NO_SUCH_INTERFACE = "Non-existent interface specified in configuration"
"""Said at the end, of those that the lines before named one by one."""


class Reader:
    """One configuration's blocks, gathered by each of keepalived's processes and settled at the end.

    Args:
        report: takes the diagnostics.
        host: the machine that is to run it.
        additions: whether what only `vrrp run` knows is read, too.
    """

    def __init__(self, report: Report, host: Host, *, additions: bool = False) -> None:
        self._additions = additions
        self._report = report
        self._host = host
        self._interfaces = Interfaces(host, dynamic=False)
        self._statics = Statics(report, self._interfaces, RuleReader(self._interfaces, report))
        self._top = TopLevel(host, report)
        self._globals = GlobalDraft(host, report)
        self._balancing = Balancing(host, self._globals.scripts.users, report)
        self._definitions = Definitions(self._globals.scripts.users, report)
        self._garp_groups = GarpGroups(report)
        self._delays: list[LinkDelays] = []
        self._instances: list[InstanceDraft] = []
        self._groups: list[GroupDraft] = []
        self._options: list[Option] = []
        self._others: list[OtherBlock] = []
        self._keywords: dict[tuple[int, str], None] = {}

    def keywords(self) -> tuple[tuple[int, str], ...]:
        """The keywords that were read, each with its line, in the order of the lines."""
        return tuple(sorted(self._keywords, key=lambda use: use[0]))

    def read(self, source: Source, filename: str) -> KeepalivedConfig:
        """What the processes make of it, one after the other."""
        self._process(
            self._without(source.for_the_first(self._report))[0], PARENT, {"global_defs": self._globals.read}
        )
        self._top.enter_namespace()
        defaults = self._globals.resolve()
        self._report.end_of_process()
        fragments, added = self._without(source.for_the_others(self._report))
        self._process(
            fragments,
            CHECKER,
            {
                **self._balancing.blocks,
                "track_file": self._checker_file,
                "vrrp_track_file": self._checker_file,
            },
        )
        self._balancing.settle(defaults.enable_script_security)
        self._report.end_of_process()
        self._interfaces = Interfaces(self._host, defaults.dynamic_interfaces)
        self._statics = Statics(self._report, self._interfaces, RuleReader(self._interfaces, self._report))
        self._process(
            fragments,
            VRRP,
            {
                **self._definitions.blocks,
                "garp_group": self._garp_group,
                "interface_up_down_delays": self._link_delays,
                "linkbeat_interfaces": self._linkbeat,
                **self._statics.blocks,
                "vrrp_instance": self._instance,
                "vrrp_sync_group": self._sync_group,
            },
        )
        additions = read_additions(added, self._balancing.preceding)
        config = self._settle(defaults, filename)
        self._report.end_of_process()
        self._process(fragments, BFD, {"bfd_instance": self._definitions.bfd_session})
        return replace(
            config,
            bfd_sessions=self._definitions.bfd_sessions,
            checks=additions.checks,
            tracked_checks=additions.tracked,
        )

    def _without(self, fragments: tuple[Fragment, ...]) -> tuple[tuple[Fragment, ...], tuple[Cutting, ...]]:
        """What keepalived's processes read, and what is ours."""
        return take_out(fragments) if self._additions else (fragments, ())

    def _process(
        self, fragments: tuple[Fragment, ...], process: Process, blocks: Mapping[str, Callable[[Block], None]]
    ) -> None:
        tree = TreeReader(fragments, process, self._report)
        entries = tree.read()
        self._keywords.update(dict.fromkeys(tree.keywords))
        for entry in entries:
            if isinstance(entry, Statement):
                if process is PARENT:
                    self._top.read(entry)
                    self._options.extend(options_of(entry))
            elif entry.keyword in blocks:
                blocks[entry.keyword](entry)

    def _settle(self, defaults: GlobalDefs, filename: str) -> KeepalivedConfig:
        """What the VRRP process does when it has read the file, in its order; where it gives up, the rest is ours."""
        if self._interfaces.missing:
            self._report.error(0, NO_SUCH_INTERFACE, "keepalived does not start", Voice.PLAIN)
            self._report.done()
        if self._instances:
            self._disable_scripts(defaults.enable_script_security)
        named = [draft for draft in self._instances if self._still(identified(draft))]
        groups = Groups(frozenset(draft.name for draft in self._instances), self._report)
        for draft in self._groups:
            groups.join(draft)
        completed: list[VrrpInstance] = []
        for instance in named:
            found = complete(instance, defaults)
            if self._still(found is not None) and found is not None:
                completed.append(groups.tracking(found))
        instances = self._without_duplicates(completed)
        running = {one.name: one for one in instances}
        config = KeepalivedConfig(
            filename,
            defaults,
            self._definitions.scripts,
            tuple(instances),
            groups.settle(running),
            tuple(self._options),
            tuple(self._others),
            self._balancing.servers,
            tuple(self._balancing.groups.values()),
            self._balancing.ssl,
            self._definitions.files,
            self._definitions.processes,
            (),
            tuple(shortened(one, instances, self._report) for one in self._delays),
            self._statics.track_groups,
            tuple(self._statics.addresses),
            tuple(self._statics.routes),
            tuple(self._statics.rules),
        )
        # Of an instance that keepalived refuses, nothing says whether it would have used its scripts.
        unsettled = {
            name
            for draft in self._instances
            if draft.name not in running
            for name in draft.follower.followed["track_script"]
        }
        self._unused_scripts(config.instances, config.sync_groups, unsettled)
        return config

    def _still(self, good: bool) -> bool:
        """Whether all is well so far; where it is not, keepalived gives up."""
        if not good:
            self._report.done()
        return good

    def _disable_scripts(self, secure: bool) -> None:
        """Without what keepalived does not run, nothing follows it."""
        followers: list[InstanceDraft | GroupDraft] = [*self._instances, *self._groups]
        runnables = [
            *self._definitions.runnables,
            *(one for follower in followers for one in follower.notifications.runnables),
            *self._globals.scripts.vrrp_fifo_scripts(),
        ]
        disabled = disabled_scripts(runnables, secure, self._host, self._report)
        for follower in followers:
            for name in disabled & follower.follower.followed["track_script"].keys():
                del follower.follower.followed["track_script"][name]
        self._definitions.drop(disabled)

    def _checker_file(self, block: Block) -> None:
        self._definitions.look_at_file(block)
        self._balancing.blocks["track_file"](block)

    def _follower(self, name: str) -> Follower:
        return Follower(name, self._definitions.weights, self._interfaces, self._report)

    def _sync_group(self, block: Block) -> None:
        name = block.arguments[0]
        notifications = Notifications(f"vrrp group {name}: ", self._globals.scripts.users, self._report)
        group = GroupDraft(name, block.line, self._follower(name), notifications, self._report)
        group.read(block)
        self._groups.append(group)

    def _instance(self, block: Block) -> None:
        name = block.arguments[0]
        notifications = Notifications(f"({name}) ", self._globals.scripts.users, self._report)
        follower = self._follower(name)
        instance = InstanceDraft(
            name, block.line, self._report, follower, self._interfaces, notifications, self._statics.rule_reader
        )
        read_instance(instance, block)
        self._instances.append(instance)

    def _link_delays(self, block: Block) -> None:
        self._delays.extend(link_delays(block, self._interfaces, self._report))

    def _garp_group(self, block: Block) -> None:
        self._garp_groups.read(block, self._interfaces)
        kept = tuple(option for entry in block.body for option in options_of(entry))
        self._others.append(OtherBlock(block.keyword, block.arguments, block.line, kept))

    def _linkbeat(self, block: Block) -> None:
        read_linkbeat(block, self._interfaces, self._report)
        self._options.extend(options_of(block))

    def _without_duplicates(self, instances: list[VrrpInstance]) -> list[VrrpInstance]:
        """Two virtual routers may share interface, VRID and family only when they never hear each other."""
        kept: list[VrrpInstance] = []
        taken: dict[tuple[str, int, bool, Address], VrrpInstance] = {}
        for one in instances:
            unicast = bool(one.unicast_peers)
            family = one.multicast_group.version
            addresses = one.unicast_peers or (one.multicast_group,)
            keys = [(one.interface, one.vrid, unicast, address) for address in addresses]
            other = next(
                (taken[key].name for key in keys if key in taken and not _apart(taken[key], one)),
                None,
            )
            if other is None:
                kept.append(one)
                taken.update(dict.fromkeys(keys, one))
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
        for script in self._definitions.scripts.values():
            if script.name not in used and script.name not in unsettled:
                self._report.warning(
                    script.line, f"script {script.name} is not used", "keepalived never runs it", Voice.OURS
                )


def _apart(one: VrrpInstance, other: VrrpInstance) -> bool:
    """Whether two with the same peers are told apart by where their adverts come from."""
    sources = (one.unicast_source, other.unicast_source)
    return None not in sources and sources[0] != sources[1]
