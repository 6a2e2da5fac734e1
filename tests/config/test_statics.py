"""What static blocks depend on: interfaces that there are, and track_groups that stand before them."""

from __future__ import annotations

import pytest

from config.confs import instance
from vrrp.config import Verdict, parse
from vrrp.config.diagnostics import missing_parameter
from vrrp.config.host import KnownHost

HOST = KnownHost(interfaces=frozenset({"eth0"}))


@pytest.mark.parametrize(
    ("block", "line", "told"),
    [
        ("static_ipaddress", "10.0.0.5 dev eth9", "WARNING - interface eth9 for ip address 10.0.0.5 doesn't exist"),
        ("static_routes", "10.1.0.0/24 dev eth9", "WARNING - interface eth9 for VROUTE nexthop doesn't exist"),
        ("static_routes", "default dev eth0 nexthop dev eth9", "WARNING - interface eth9 for VROUTE nexthop"),
        ("static_rules", "from all iif eth9 table 5", "WARNING - interface eth9 for rule doesn't exist"),
    ],
)
def test_an_interface_that_is_not_there(block: str, line: str, told: str) -> None:
    parsed = parse(f"{block} {{\n{line}\n}}\n" + instance(), host=HOST)
    assert any(one.line == 2 and told in one.message for one in parsed.diagnostics)
    config = parsed.config
    assert (config.static_addresses, config.static_routes, config.static_rules) == ((), (), ())


def test_groups_of_static_blocks() -> None:
    text = (
        "track_group G {\ngroup {\nVI_1\nVI_2\n}\n}\ntrack_group E {\ngroup {\n}\n}\n"
        "static_ipaddress {\n10.0.0.5 dev eth0 track_group G\n10.0.0.6 dev eth0 track_group X\n}\n"
    )
    parsed = parse(text)
    assert {name: group.members for name, group in parsed.config.track_groups.items()} == {
        "G": ("VI_1", "VI_2"),
        "E": (),
    }
    assert [(one.address.line, one.track_group) for one in parsed.config.static_addresses] == [(12, "G")]
    told = {(one.line, one.message) for one in parsed.diagnostics}
    assert (13, "track_group X not found") in told
    assert (9, "Warning - track group E has empty group block") in told


@pytest.mark.parametrize(
    "line", ["10.1.0.0/24 via", "10.1.0.0/24 dev eth0 table", "from 10.0.0.0/8", "blackhole", "default mtu lock"]
)
def test_a_word_without_its_value_ends_all(line: str) -> None:
    block = "static_rules" if line.startswith("from") else "static_routes"
    line = f"{line} iif" if line.startswith("from") else line
    parsed = parse(f"{block} {{\n{line}\n}}\n")
    words = line.split()
    assert parsed.verdict is Verdict.FATAL
    assert [one.message for one in parsed.diagnostics if one.line == 2] == [
        f"*** Configuration line starting `{words[0]}` is missing a parameter after keyword `{words[-1]}`"
        f" at word position {len(words) + 1}"
    ]


SERVER = "virtual_server 10.0.0.1 80 {"
REAL = f"{SERVER}\nreal_server 10.0.0.2 80 {{"
MISSING = {
    SERVER: "ip_family retry lb_algo lb_kind persistence_granularity persistence_engine protocol quorum quorum_up"
    " sorry_server weight delay_loop",
    REAL: "weight lvs_method uthreshold notify_up connect_timeout",
    f"{REAL}\nDNS_CHECK {{": "name type connect_ip bind_if",
    f"{REAL}\nHTTP_GET {{\nurl {{": "path digest",
    "virtual_server_group G {": "fwmark",
    "": "virtual_server virtual_server_group",
}


@pytest.mark.parametrize(
    ("opening", "keyword"), [(opening, keyword) for opening, words in MISSING.items() for keyword in words.split()]
)
def test_a_keyword_without_its_value_ends_all(opening: str, keyword: str) -> None:
    text = f"{opening}\n{keyword}\n" + "}\n" * opening.count("{")
    parsed = parse(text if keyword not in {"virtual_server", "virtual_server_group"} else f"\n{keyword} {{\n}}\n")
    assert parsed.verdict is Verdict.FATAL
    line = opening.count("\n") + 2
    told = missing_parameter(keyword)
    assert told in [one.message for one in parsed.diagnostics if one.line == line]
