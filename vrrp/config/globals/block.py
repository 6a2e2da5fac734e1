"""The global_defs block. A file may have several; later ones go on where earlier ones ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vrrp.config.diagnostics import Report
from vrrp.config.globals.keywords import GLOBAL_KEYWORDS
from vrrp.config.globals.scripts import GlobalScripts
from vrrp.config.globals.specials import SPECIAL_KEYWORDS
from vrrp.config.host import Host
from vrrp.config.kinds import Value, take
from vrrp.config.model import GlobalDefs, Option
from vrrp.config.script_security import ScriptUsers, disabled_scripts
from vrrp.config.settings import argument, options_of
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, SECOND_NS, address


@dataclass(slots=True)
class GlobalDraft:
    """What the blocks said so far: `values` by keyword."""

    host: Host
    report: Report
    line: int = 0
    values: dict[str, Value] = field(default_factory=dict)
    multicast_group_v4: IPv4Address = field(default_factory=lambda: IPv4Address("224.0.0.18"))
    multicast_group_v6: IPv6Address = field(default_factory=lambda: IPv6Address("ff02::12"))
    script_user: str | None = None
    options: list[Option] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    scripts: GlobalScripts = field(init=False)

    def __post_init__(self) -> None:
        self.scripts = GlobalScripts(ScriptUsers(self.host), self.report)

    def read(self, block: Block) -> None:
        """Take one global_defs block in."""
        self.line = self.line or block.line
        for entry in block.body:
            self.lines[entry.keyword] = entry.line
            if isinstance(entry, Block):
                self.options.extend(options_of(entry))
                if not entry.body:
                    self.report.warning(
                        entry.end, f"Warning - empty {entry.keyword} block", "keepalived sends mail to nobody"
                    )
            else:
                self._statement(entry)

    def resolve(self) -> GlobalDefs:
        """All of it, with defaults: the lower-priority GARPs take after those of a new master."""
        values = self.values
        least = values.get("vrrp_min_garp", False)
        delay_s = self._number("vrrp_garp_master_delay", 0 if least else 5)
        repeat = self._number("vrrp_garp_master_repeat", 1 if least else 5)
        secure = "enable_script_security" in values
        disabled_scripts(self.scripts.start_and_end(), secure, self.host, self.report, "start/shutdown scripts")
        router_id = values.get("router_id")
        return GlobalDefs(
            router_id=None if router_id is None else str(router_id),
            version=self._version(),
            multicast_group_v4=self.multicast_group_v4,
            multicast_group_v6=self.multicast_group_v6,
            startup_delay_ns=self._number("vrrp_startup_delay", 0) * MICROSECOND_NS,
            delay_after_boot_ns=self._number("vrrp_delay_after_boot", 0) * MICROSECOND_NS,
            lower_prio_no_advert=bool(values.get("vrrp_lower_prio_no_advert")),
            higher_prio_send_advert=bool(values.get("vrrp_higher_prio_send_advert")),
            down_timer_adverts=self._number("vrrp_down_timer_adverts", 3),
            skip_check_adv_addr="vrrp_skip_check_adv_addr" in values,
            check_unicast_src="vrrp_check_unicast_src" in values,
            garp_master_delay_ns=delay_s * SECOND_NS,
            garp_master_repeat=repeat,
            garp_master_refresh_ns=self._number("vrrp_garp_master_refresh", 0) * SECOND_NS,
            garp_master_refresh_repeat=self._number("vrrp_garp_master_refresh_repeat", 1),
            garp_lower_prio_delay_ns=self._number("vrrp_garp_lower_prio_delay", delay_s) * SECOND_NS,
            garp_lower_prio_repeat=self._number("vrrp_garp_lower_prio_repeat", repeat),
            garp_interval_ns=self._number("vrrp_garp_interval", 0) * MICROSECOND_NS,
            gna_interval_ns=self._number("vrrp_gna_interval", 0) * MICROSECOND_NS,
            v3_checksum_as_v2="v3_checksum_as_v2" in values,
            owner_ignore_adverts="vrrp_owner_ignore_adverts" in values,
            script_user=self.script_user,
            enable_script_security=secure,
            strict="vrrp_strict" in values,
            dynamic_interfaces="dynamic_interfaces" in values,
            options=tuple(self.options),
            line=self.line,
            lines=self.lines,
            runnables=self.scripts.found,
        )

    def _number(self, keyword: str, otherwise: int) -> int:
        return int(self.values.get(keyword, otherwise))

    def _version(self) -> Literal[2, 3]:
        return 3 if self.values.get("vrrp_version") == 3 else 2

    def _statement(self, entry: Statement) -> None:
        keyword = entry.keyword
        if keyword in GLOBAL_KEYWORDS:
            # Nothing behind it, and keepalived takes its default.
            if keyword != "max_auto_priority" or entry.arguments:
                take(entry, GLOBAL_KEYWORDS[keyword], self.values, self.report)
            self.scripts.users.secure = "enable_script_security" in self.values
        elif keyword in SPECIAL_KEYWORDS:
            SPECIAL_KEYWORDS[keyword](entry, self.values, self.report, self.host)
        elif keyword in {"vrrp_mcast_group4", "vrrp_mcast_group6"}:
            self._multicast_group(entry, self.report)
        else:
            self.scripts.read(entry)
        if keyword == "script_user":
            self.script_user = " ".join(entry.arguments) or None
        elif keyword not in _MODELLED:
            self.options.extend(options_of(entry))

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


# Keywords that have a field of their own in the model; the others are kept as text.
_MODELLED = frozenset(
    {
        "dynamic_interfaces",
        "enable_script_security",
        "router_id",
        "v3_checksum_as_v2",
        "vrrp_check_unicast_src",
        "vrrp_delay_after_boot",
        "vrrp_down_timer_adverts",
        "vrrp_garp_interval",
        "vrrp_garp_lower_prio_delay",
        "vrrp_garp_lower_prio_repeat",
        "vrrp_garp_master_delay",
        "vrrp_garp_master_refresh",
        "vrrp_garp_master_refresh_repeat",
        "vrrp_garp_master_repeat",
        "vrrp_gna_interval",
        "vrrp_higher_prio_send_advert",
        "vrrp_lower_prio_no_advert",
        "vrrp_mcast_group4",
        "vrrp_mcast_group6",
        "vrrp_min_garp",
        "vrrp_owner_ignore_adverts",
        "vrrp_skip_check_adv_addr",
        "vrrp_startup_delay",
        "vrrp_strict",
        "vrrp_version",
    }
)
