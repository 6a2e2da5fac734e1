"""The global_defs block. A file may have several; later ones go on where earlier ones ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vrrp.config.diagnostics import Report
from vrrp.config.model import GlobalDefs, Option
from vrrp.config.settings import COUNTERS, argument, count, duration_us, options_of
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, SECOND_NS, address, decimal_us, switch, whole

_LONGEST_US = 2**32 - 1

# keyword -> field, the shortest time in microseconds, keepalived's complaint
_TIMES = {
    "vrrp_startup_delay": ("startup_delay_ns", 1000),
    "vrrp_garp_interval": ("garp_interval_ns", 1),
    "vrrp_gna_interval": ("gna_interval_ns", 1),
}
_SWITCHES = {
    "vrrp_lower_prio_no_advert": "lower_prio_no_advert",
    "vrrp_higher_prio_send_advert": "higher_prio_send_advert",
    "vrrp_min_garp": "min_garp",
}
# Their argument, if they have one, is not looked at.
_PRESENCE = {
    "dynamic_interfaces": "dynamic_interfaces",
    "enable_script_security": "enable_script_security",
    "v3_checksum_as_v2": "v3_checksum_as_v2",
    "vrrp_check_unicast_src": "check_unicast_src",
    "vrrp_owner_ignore_adverts": "owner_ignore_adverts",
    "vrrp_skip_check_adv_addr": "skip_check_adv_addr",
    "vrrp_strict": "strict",
}


@dataclass(slots=True)
class GlobalDraft:
    """What the blocks said so far. `counters` has the numbers that were given, by keyword without vrrp_."""

    line: int = 0
    router_id: str | None = None
    version: Literal[2, 3] = 2
    multicast_group_v4: IPv4Address = field(default_factory=lambda: IPv4Address("224.0.0.18"))
    multicast_group_v6: IPv6Address = field(default_factory=lambda: IPv6Address("ff02::12"))
    counters: dict[str, int] = field(default_factory=dict)
    times_ns: dict[str, int] = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)
    script_user: str | None = None
    options: list[Option] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def read(self, block: Block, report: Report) -> None:
        """Take one global_defs block in."""
        self.line = self.line or block.line
        for entry in block.body:
            self.lines[entry.keyword] = entry.line
            if isinstance(entry, Block):
                self.options.extend(options_of(entry))
            else:
                self._statement(entry, report)

    def resolve(self) -> GlobalDefs:
        """All of it, with defaults: the lower-priority GARPs take after those of a new master."""
        least = self.switches.get("min_garp", False)
        delay_s = self.counters.get("garp_master_delay", 0 if least else 5)
        repeat = self.counters.get("garp_master_repeat", 1 if least else 5)
        return GlobalDefs(
            router_id=self.router_id,
            version=self.version,
            multicast_group_v4=self.multicast_group_v4,
            multicast_group_v6=self.multicast_group_v6,
            startup_delay_ns=self.times_ns.get("startup_delay_ns", 0),
            lower_prio_no_advert=self.switches.get("lower_prio_no_advert", False),
            higher_prio_send_advert=self.switches.get("higher_prio_send_advert", False),
            down_timer_adverts=self.counters.get("down_timer_adverts", 3),
            skip_check_adv_addr="skip_check_adv_addr" in self.switches,
            check_unicast_src="check_unicast_src" in self.switches,
            garp_master_delay_ns=delay_s * SECOND_NS,
            garp_master_repeat=repeat,
            garp_master_refresh_ns=self.counters.get("garp_master_refresh", 0) * SECOND_NS,
            garp_master_refresh_repeat=self.counters.get("garp_master_refresh_repeat", 1),
            garp_lower_prio_delay_ns=self.counters.get("garp_lower_prio_delay", delay_s) * SECOND_NS,
            garp_lower_prio_repeat=self.counters.get("garp_lower_prio_repeat", repeat),
            garp_interval_ns=self.times_ns.get("garp_interval_ns", 0),
            gna_interval_ns=self.times_ns.get("gna_interval_ns", 0),
            v3_checksum_as_v2="v3_checksum_as_v2" in self.switches,
            owner_ignore_adverts="owner_ignore_adverts" in self.switches,
            script_user=self.script_user,
            enable_script_security="enable_script_security" in self.switches,
            strict="strict" in self.switches,
            dynamic_interfaces="dynamic_interfaces" in self.switches,
            options=tuple(self.options),
            line=self.line,
            lines=self.lines,
        )

    def _statement(self, entry: Statement, report: Report) -> None:
        keyword = entry.keyword
        counter = keyword.removeprefix("vrrp_")
        if keyword in _PRESENCE:
            self.switches[_PRESENCE[keyword]] = True
        elif keyword in _SWITCHES:
            value = switch(entry.arguments)
            if value is None:
                report.warning(entry.line, f"Invalid value for {keyword} specified", "keepalived ignores the line")
            else:
                self.switches[_SWITCHES[keyword]] = value
        elif keyword.startswith("vrrp_") and counter in COUNTERS:
            number = count(entry, COUNTERS[counter], report)
            if number is not None:
                self.counters[counter] = number
        elif keyword == "router_id":
            if entry.arguments:
                self.router_id = entry.arguments[0]
            else:
                report.warning(entry.line, "routerid name missing - ignoring", "keepalived uses the host's name")
        elif keyword in _TIMES:
            self._time(entry, report)
        elif keyword == "vrrp_version":
            self._version(entry, report)
        elif keyword in {"vrrp_mcast_group4", "vrrp_mcast_group6"}:
            self._multicast_group(entry, report)
        elif keyword == "script_user":
            self.script_user = " ".join(entry.arguments) or None
        else:
            self.options.extend(options_of(entry))

    def _time(self, entry: Statement, report: Report) -> None:
        text = argument(entry, report)
        if text is None:
            return
        name, shortest_us = _TIMES[entry.keyword]
        value_us = duration_us(
            entry,
            decimal_us(text, shortest_us, _LONGEST_US),
            f"{entry.keyword} '{text}' is invalid",
            "keepalived ignores the line",
            report,
        )
        if value_us is not None:
            self.times_ns[name] = value_us * MICROSECOND_NS

    def _version(self, entry: Statement, report: Report) -> None:
        text = argument(entry, report)
        if text is None:
            return
        number = whole(text, 2, 3)
        if number.complaint:
            report.warning(
                entry.line,
                f"{number.complaint}: VRRP Error: Version must be either 2 or 3",
                f"keepalived uses version {self.version}",
            )
        else:
            self.version = 3 if number.value == 3 else 2

    def _multicast_group(self, entry: Statement, report: Report) -> None:
        text = argument(entry, report)
        if text is None:
            return
        # A prefix is read over.
        group = address(text.partition("/")[0])
        version = 4 if entry.keyword == "vrrp_mcast_group4" else 6
        if group is None:
            complaint = f"Can't parse {entry.keyword} [{text}]. Skipping"
        elif group.version != version:
            complaint = f"{entry.keyword} [{text}] is not IPv{version}. Skipping"
        elif not group.is_multicast:
            complaint = f"{entry.keyword} [{text}] is not multicast. Skipping"
        elif isinstance(group, IPv4Address):
            self.multicast_group_v4 = group
            return
        else:
            self.multicast_group_v6 = group
            if group.packed[1] & 0xF != 2:
                report.warning(
                    entry.line,
                    f"{entry.keyword} [{text}] should be link-local multicast.",
                    "keepalived uses it all the same",
                )
            return
        report.warning(entry.line, complaint, "keepalived ignores the line")
