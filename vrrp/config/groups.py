"""vrrp_sync_group blocks, and what they and a priority of 255 do to what instances follow: checks across blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.following import Follower
from vrrp.config.instance.completion import OWNER_PRIORITY
from vrrp.config.model import (
    Option,
    SyncGroup,
    Tracked,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VrrpInstance,
)
from vrrp.config.notify import NOTIFY_KEYWORDS, Notifications
from vrrp.config.settings import options_of
from vrrp.config.tree import Block, Statement
from vrrp.config.values import switch

AnyTracked = TypeVar("AnyTracked", bound=Tracked)


@dataclass(slots=True)
class GroupDraft:
    """A vrrp_sync_group as far as its lines say: `members` in their order, each with its line."""

    name: str
    line: int
    follower: Follower
    notifications: Notifications
    report: Report
    members: list[tuple[str, int]] = field(default_factory=list)
    tracking_weight: bool = False
    options: list[Option] = field(default_factory=list)

    def read(self, block: Block) -> None:
        """Take the block in."""
        for entry in block.body:
            keyword = entry.keyword
            if isinstance(entry, Block):
                if keyword == "group":
                    self._group(entry)
                else:
                    self.follower.read(entry)
            elif keyword in NOTIFY_KEYWORDS:
                self.notifications.read(entry)
            else:
                self._statement(entry)

    def _statement(self, entry: Statement) -> None:
        keyword = entry.keyword
        if keyword == "sync_group_tracking_weight":
            self.tracking_weight = True
        elif keyword == "global_tracking":
            self.tracking_weight = True
            self.report.warning(
                entry.line,
                f"({self.name}) global_tracking is deprecated. Use track_interface/script/file on the sync group",
                "keepalived takes it for sync_group_tracking_weight",
            )
        elif switch(entry.arguments) is None:
            told = (
                f"Invalid vrrp_group smtp_alert parameter {entry.arguments[0]}"
                if keyword == "smtp_alert"
                else f"({self.name}) Invalid value '{entry.arguments[0]}' for sync group {keyword} specified"
            )
            self.report.warning(entry.line, told, "keepalived ignores the line")
        else:
            self.options.extend(options_of(entry))

    def _group(self, block: Block) -> None:
        if self.members:
            self.report.error(
                block.line,
                f"Group list already specified for sync group {self.name}",
                "keepalived ignores this list",
            )
            return
        self.members = [(word, entry.line) for entry in block.entries() for word in entry.words]
        if not self.members:
            self.report.warning(
                block.end,
                f"Warning - sync group {self.name} has empty group block",
                "keepalived ignores the block",
            )

    def followed(self, keyword: str, kind: type[AnyTracked]) -> tuple[AnyTracked, ...]:
        """What it follows with the blocks of a keyword."""
        return tuple(one for one in self.follower.followed[keyword].values() if isinstance(one, kind))


class Groups:
    """The groups of a file, settled in their order against its instances.

    Args:
        names: of the instances.
        report: takes the diagnostics.
    """

    def __init__(self, names: frozenset[str], report: Report) -> None:
        self._names = names
        self._report = report
        self._group_of: dict[str, GroupDraft] = {}
        self._members: list[tuple[GroupDraft, tuple[str, ...]]] = []

    def join(self, draft: GroupDraft) -> None:
        """Look for its members; a group without any is dropped."""
        members: dict[str, None] = {}
        for name, line in draft.members:
            if name not in self._names:
                message = f"Virtual router {name} specified in sync group {draft.name} doesn't exist - ignoring"
                self._report.error(line, message, "keepalived goes on without it", Voice.PLAIN)
            elif name in self._group_of or name in members:
                message = f"Virtual router {name} cannot exist in more than one sync group; ignoring {draft.name}"
                self._report.error(line, message, "keepalived keeps it where it was named first", Voice.PLAIN)
            else:
                members[name] = None
        if not members:
            reason = (
                ", no matching virtual router found in group declaration - removing"
                if draft.members
                else " has no virtual router(s). removing"
            )
            message = f"Sync group {draft.name}{reason}"
            self._report.error(draft.line, message, "keepalived drops the group", Voice.PLAIN)
            return
        if len(members) == 1:
            message = f"Sync group {draft.name} has only 1 virtual router(s) - this probably isn't what you want"
            self._report.warning(draft.line, message, "keepalived keeps the group", Voice.PLAIN)
        self._group_of.update(dict.fromkeys(members, draft))
        self._members.append((draft, tuple(members)))

    def settle(self, instances: Mapping[str, VrrpInstance]) -> tuple[SyncGroup, ...]:
        """The groups as keepalived runs them, of the instances that it runs."""
        settled = []
        for draft, names in self._members:
            members = tuple(name for name in names if name in instances)
            if not members:
                continue
            owned = any(instances[name].priority == OWNER_PRIORITY for name in members)
            scripts = draft.followed("track_script", TrackedScript)
            files = draft.followed("track_file", TrackedFile)
            processes = draft.followed("track_process", TrackedProcess)
            bfd = draft.followed("track_bfd", TrackedBfd)
            interfaces = draft.followed("track_interface", TrackedInterface)
            settled.append(
                SyncGroup(
                    draft.name,
                    members,
                    draft.tracking_weight,
                    self._unweighted(draft, scripts, "script", owned),
                    self._unweighted(draft, interfaces, "interface", owned),
                    draft.notifications.commands,
                    tuple(draft.options),
                    draft.line,
                    self._unweighted(draft, files, "file", owned),
                    self._unweighted(draft, processes, "process", owned),
                    self._unweighted(draft, bfd, "bfd", owned),
                    draft.notifications.named,
                    draft.notifications.runs_as,
                )
            )
            self._followed_twice(settled[-1], instances)
        return tuple(settled)

    def _followed_twice(self, group: SyncGroup, instances: Mapping[str, VrrpInstance]) -> None:
        for entry in group.track_interfaces:
            for name in group.members:
                member = instances[name]
                own = member.interface == entry.name and not member.dont_track_primary
                if own or any(one.name == entry.name for one in member.track_interfaces):
                    self._report.warning(
                        entry.line,
                        f"({name}) track_interface {entry.name} is configured on VRRP instance and sync group."
                        " Remove vrrp instance or sync group config",
                        "keepalived follows it twice",
                        Voice.PLAIN,
                    )

    def _unweighted(
        self, draft: GroupDraft, entries: tuple[AnyTracked, ...], kind: str, owned: bool
    ) -> tuple[AnyTracked, ...]:
        if not owned:
            return entries
        done = "clearing weight" if kind in {"script", "interface"} else "setting weight 0"
        for entry in entries:
            if entry.weight:
                self._report.warning(
                    entry.line,
                    f"({draft.name}) Cannot have weighted track {kind} '{entry.name}' with member having priority 255"
                    f" - {done}",
                    "its failure means FAULT for the whole group",
                    Voice.PLAIN,
                )
        return tuple(replace(entry, weight=0) for entry in entries)

    def tracking(self, instance: VrrpInstance) -> VrrpInstance:
        """The instance without what its group, its priority or its own interface keep it from following."""
        group = self._group_of.get(instance.name)
        grouped = group is not None and not group.tracking_weight
        owner = instance.priority == OWNER_PRIORITY
        return replace(
            instance,
            track_interfaces=self._interfaces(instance, grouped, owner),
            track_scripts=self._scripts(instance, grouped, owner),
            track_files=self._weighted(instance, instance.track_files, "file", grouped, owner),
            track_bfd=self._weighted(instance, instance.track_bfd, "bfd", grouped, owner),
            ignored_scripts=tuple(entry for entry in instance.track_scripts if entry.weight and (grouped or owner)),
        )

    def _weighted(
        self, instance: VrrpInstance, entries: tuple[AnyTracked, ...], what: str, grouped: bool, owner: bool
    ) -> tuple[AnyTracked, ...]:
        reason = "SYNC group" if grouped else "address_owner"
        kept = []
        for entry in entries:
            if not entry.weight or not (grouped or owner):
                kept.append(entry)
                continue
            message = (
                f"({instance.name}) ignoring tracked {what} {entry.name} with weight {entry.weight} due to {reason}"
            )
            if what == "file" and entry.weight == 1:
                # That of every track_file that says nothing of it.
                message = f"ignoring weight from tracked file {entry.name} due to {reason}. specify weight 0"
                kept.append(replace(entry, weight=0))
            told = f"({instance.name}) {message}"
            self._report.warning(entry.line, told, "it does not move the priority", Voice.PLAIN)
        return tuple(kept)

    def _interfaces(self, instance: VrrpInstance, grouped: bool, owner: bool) -> tuple[TrackedInterface, ...]:
        kept = []
        for entry in instance.track_interfaces:
            if entry.name == instance.interface:
                self._report.warning(
                    entry.line,
                    f"({instance.name}) Ignoring track_interface {entry.name} since own interface",
                    "an instance follows its own interface anyway",
                    Voice.PLAIN,
                )
            elif entry.weight and grouped:
                self._report.warning(
                    entry.line,
                    f"({instance.name}) ignoring {entry.name} tracked interface weight due to SYNC group",
                    "its failure means FAULT",
                    Voice.PLAIN,
                )
                kept.append(replace(entry, weight=0))
            elif entry.weight and owner:
                self._report.warning(
                    entry.line,
                    f"({instance.name}) ignoring {entry.name} tracked interface due to address owner",
                    "its failure changes nothing",
                    Voice.PLAIN,
                )
            else:
                kept.append(entry)
        return tuple(kept)

    def _scripts(self, instance: VrrpInstance, grouped: bool, owner: bool) -> tuple[TrackedScript, ...]:
        kept = []
        for entry in instance.track_scripts:
            if entry.weight and (grouped or owner):
                self._report.warning(
                    entry.line,
                    f"({instance.name}) ignoring tracked script {entry.name} with weights due to "
                    + ("SYNC group" if grouped else "address_owner"),
                    "its failure changes nothing for this instance",
                    Voice.PLAIN,
                )
            else:
                kept.append(entry)
        return tuple(kept)
