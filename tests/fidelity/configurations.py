"""The keepalived.conf of the recordings that `lab.py` makes, put together from a few words."""

from __future__ import annotations

from collections.abc import Sequence


def head(*lines: str) -> str:
    """The global_defs of all."""
    return block("global_defs", "router_id LVS_DEVEL", "script_user root", "enable_script_security", *lines)


def block(name: str, *lines: str) -> str:
    """A block of keepalived.conf; a line may be a block of its own."""
    inner = "\n".join(lines).rstrip("\n").replace("\n", "\n  ")
    return f"{name} {{\n  {inner}\n}}\n"


def check(*lines: str) -> str:
    """A check script `chk`, each second unless the lines say otherwise."""
    interval = () if any(line.startswith("interval") for line in lines) else ("interval 1",)
    return block("vrrp_script chk", 'script "@CHECK@"', *interval, *lines)


def instance(
    priority: int, *lines: str, number: int = 1, vips: Sequence[str] = (), script: bool = False, state: str = "BACKUP"
) -> str:
    """VI_1 on eth0 with VRID 51, or VI_2 on eth1 with VRID 52."""
    return block(
        f"vrrp_instance VI_{number}",
        f"state {state}",
        f"interface eth{number - 1}",
        f"virtual_router_id {50 + number}",
        f"priority {priority}",
        *lines,
        block("virtual_ipaddress", *(vips or (f"10.{number - 1}.0.100/24",))),
        *((block("track_script", "chk"),) if script else ()),
    )


def plain(*priorities: int, lines: Sequence[str] = (), defs: Sequence[str] = ()) -> list[str]:
    """One instance a router, alike but for the priority."""
    return [head(*defs) + instance(priority, *lines) for priority in priorities]


def checked(*priorities: int, lines: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """The same with a check script."""
    return [head() + check(*lines) + instance(priority, *options, script=True) for priority in priorities]
