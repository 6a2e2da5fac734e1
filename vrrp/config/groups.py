"""vrrp_sync_group blocks, and what they and a priority of 255 do to what instances track: checks across blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from vrrp.config.completion import OWNER_PRIORITY
from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import Interfaces
from vrrp.config.model import Option, SyncGroup, TrackedInterface, TrackedScript, VrrpInstance, VrrpScript
from vrrp.config.settings import NOTIFY_KEYWORDS, add_notify, options_of
from vrrp.config.tracking import tracked_interfaces, tracked_scripts
from vrrp.config.tree import Block
from vrrp.config.values import switch

Tracked = TypeVar("Tracked", TrackedScript, TrackedInterface)


@dataclass(slots=True)
class GroupDraft:
    """A vrrp_sync_group as far as its lines say: `members` in their order, each with its line."""

    name: str
    line: int
    members: list[tuple[str, int]] = field(default_factory=list)
    tracking_weight: bool = False
    track_scripts: dict[str, TrackedScript] = field(default_factory=dict)
    track_interfaces: dict[str, TrackedInterface] = field(default_factory=dict)
    notify: dict[str, str] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)

    def read(self, block: Block, scripts: Mapping[str, VrrpScript], interfaces: Interfaces, report: Report) -> None:
        """Take the block in; `scripts` are those that stand before it in the file."""
        for entry in block.body:
            keyword = entry.keyword
            if isinstance(entry, Block):
                if keyword == "group":
                    self._group(entry, report)
                elif keyword == "track_script":
                    tracked_scripts(entry, self.track_scripts, scripts, self.name, report)
                elif keyword == "track_interface":
                    tracked_interfaces(entry, self.track_interfaces, interfaces, self.name, report)
                else:
                    self.options.extend(options_of(entry))
            elif keyword in NOTIFY_KEYWORDS:
                add_notify(self.notify, entry, report, f"vrrp group {self.name}: ")
            elif keyword == "sync_group_tracking_weight":
                self.tracking_weight = True
            elif keyword == "global_tracking":
                self.tracking_weight = True
                report.warning(
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
                report.warning(entry.line, told, "keepalived ignores the line")
            else:
                self.options.extend(options_of(entry))

    def _group(self, block: Block, report: Report) -> None:
        if self.members:
            report.error(
                block.line,
                f"Group list already specified for sync group {self.name}",
                "keepalived ignores this list",
            )
            return
        self.members = [(word, entry.line) for entry in block.entries() for word in entry.words]
        if not self.members:
            report.warning(
                block.line,
                f"Warning - sync group {self.name} has empty group block",
                "keepalived ignores the block",
            )


class Groups:
    """Settles the groups of a file, in their order, against its instances.

    Args:
        instances: those that keepalived runs, by name.
        refused: the names of those because of which it does not start.
        report: takes the diagnostics.
    """

    def __init__(self, instances: Mapping[str, VrrpInstance], refused: frozenset[str], report: Report) -> None:
        self._instances = instances
        self._refused = refused
        self._report = report
        self._group_of: dict[str, SyncGroup] = {}

    def settle(self, draft: GroupDraft) -> SyncGroup | None:
        """The group as keepalived runs it, or None when nothing is left of it."""
        members = self._members(draft)
        refused = any(name in self._refused for name, _ in draft.members)
        if not members:
            if refused:
                return None
            reason = (
                ", no matching virtual router found in group declaration - removing"
                if draft.members
                else " has no virtual router(s). removing"
            )
            self._report.error(
                draft.line, f"Sync group {draft.name}{reason}", "keepalived drops the group", Voice.PLAIN
            )
            return None
        if len(members) == 1 and not refused:
            self._report.warning(
                draft.line,
                f"Sync group {draft.name} has only 1 virtual router(s) - this probably isn't what you want",
                "keepalived keeps the group",
                Voice.PLAIN,
            )
        owned = any(self._instances[name].priority == OWNER_PRIORITY for name in members)
        group = SyncGroup(
            draft.name,
            members,
            draft.tracking_weight,
            tuple(self._unweighted(draft, entry, "script", owned) for entry in draft.track_scripts.values()),
            tuple(self._unweighted(draft, entry, "interface", owned) for entry in draft.track_interfaces.values()),
            draft.notify,
            tuple(draft.options),
            draft.line,
        )
        self._group_of.update(dict.fromkeys(members, group))
        return group

    def _members(self, draft: GroupDraft) -> tuple[str, ...]:
        members: dict[str, None] = {}
        for name, line in draft.members:
            if name in self._refused:
                continue
            if name not in self._instances:
                self._report.error(
                    line,
                    f"Virtual router {name} specified in sync group {draft.name} doesn't exist - ignoring",
                    "keepalived goes on without it",
                    Voice.PLAIN,
                )
            elif name in self._group_of or name in members:
                self._report.error(
                    line,
                    f"Virtual router {name} cannot exist in more than one sync group; ignoring {draft.name}",
                    "keepalived keeps it where it was named first",
                    Voice.PLAIN,
                )
            else:
                members[name] = None
        return tuple(members)

    def _unweighted(self, draft: GroupDraft, entry: Tracked, kind: str, owned: bool) -> Tracked:
        if not (owned and entry.weight):
            return entry
        self._report.warning(
            entry.line,
            f"({draft.name}) Cannot have weighted track {kind} '{entry.name}' with member having priority 255"
            " - clearing weight",
            "its failure means FAULT for the whole group",
            Voice.PLAIN,
        )
        return replace(entry, weight=0)

    def tracking(self, instance: VrrpInstance) -> VrrpInstance:
        """The instance without what its group, its priority or its own interface keep it from tracking."""
        group = self._group_of.get(instance.name)
        grouped = group is not None and not group.tracking_weight
        owner = instance.priority == OWNER_PRIORITY
        return replace(
            instance,
            track_interfaces=self._interfaces(instance, grouped, owner),
            track_scripts=self._scripts(instance, grouped, owner),
            ignored_scripts=tuple(entry for entry in instance.track_scripts if entry.weight and (grouped or owner)),
        )

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
