"""static_ipaddress, static_routes, static_rules and track_group: what the kernel gets whoever is master."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.instance.address_lines import virtual_address
from vrrp.config.model import StaticAddress
from vrrp.config.routing.model import Route, Rule, TrackGroup
from vrrp.config.routing.routes import routes
from vrrp.config.routing.rules import RuleReader
from vrrp.config.tree import Block, Statement


@dataclass(slots=True)
class Statics:
    """Those of one file.

    Args:
        report: takes the diagnostics.
        interfaces: says which there are.
        rule_reader: reads the rules of the instances as well.
    """

    report: Report
    interfaces: Interfaces
    rule_reader: RuleReader
    track_groups: dict[str, TrackGroup] = field(default_factory=dict)
    addresses: list[StaticAddress] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    @property
    def blocks(self) -> Mapping[str, Callable[[Block], None]]:
        """What reads which block."""
        return {
            "static_ipaddress": self._addresses,
            "static_routes": lambda block: self.routes.extend(
                routes(block, self.interfaces, self.report, self.track_groups)
            ),
            "static_rules": lambda block: self.rules.extend(self.rule_reader.read(block, self.track_groups)),
            "track_group": self._track_group,
        }

    def _addresses(self, block: Block) -> None:
        for entry in block.entries():
            if entry.words[-1] == "track_group" and len(entry.words) > 1:
                told = f"No track_group parameter specified for {entry.words[0]}"
                self.report.error(entry.line, told, "keepalived leaves the address out")
                continue
            line, group = self._without_group(entry)
            found = virtual_address(line, self.interfaces, self.report)
            if found is None or (group is not None and self._is_strange(group, entry.line)):
                continue
            self.addresses.append(StaticAddress(found, group))

    def _without_group(self, entry: Statement) -> tuple[Statement, str | None]:
        """The line without its track_group."""
        words = entry.words
        at = next((at for at, word in enumerate(words[1:], 1) if word == "track_group"), None)
        if at is None:
            return entry, None
        return replace(entry, words=(*words[:at], *words[at + 2 :])), words[at + 1]

    def _is_strange(self, group: str, line: int) -> bool:
        if group in self.track_groups:
            return False
        self.report.error(line, f"track_group {group} not found", "it must stand before this block")
        return True

    def _track_group(self, block: Block) -> None:
        name = block.arguments[0]
        members: tuple[str, ...] = ()
        given = False
        for group in block.body:
            if isinstance(group, Block) and given:
                message = f"Group list already specified for sync group {name}"
                self.report.error(group.line, message, "keepalived ignores this list")
            elif isinstance(group, Block):
                given = bool(group.body)
                members = tuple(word for entry in group.entries() for word in entry.words)
                if not given:
                    message = f"Warning - track group {name} has empty group block"
                    self.report.warning(group.end, message, "keepalived ignores the block")
        self.track_groups[name] = TrackGroup(name, members, block.line)
