"""What becomes of routes, rules and static addresses while `vrrp run` runs, and when it is killed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from linux.lan import VRRP, Lan, lan
from linux.namespaces import ENVIRONMENT, sh

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump")]

STATIC = """\
static_ipaddress {
 10.7.0.1/24 dev eth0
 10.7.1.1/24 dev eth0 no_track
}
static_routes {
 10.50.0.0/16 via 10.7.0.2 dev eth0
 10.51.0.0/16 via 10.7.0.2 dev eth0 no_track
}
static_rules {
 from 10.50.0.0/16 table 50 priority 500
 from 10.51.0.0/16 table 50 priority 501 no_track
}
"""
ROUTES = ("10.60.0.0/24 via 10.0.0.9 dev eth0", "10.60.1.0/24 dev eth0 src 10.0.0.100 no_track")
RULES = ("from 10.60.0.0/24 table 60 priority 600", "to 10.60.0.0/24 table 60 priority 601 no_track")


def conf(
    static: str = STATIC, routes: tuple[str, ...] = ROUTES, rules: tuple[str, ...] = RULES, more: str = ""
) -> str:
    return (
        f"{static}vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n version 3\n priority 200\n"
        f" advert_int 0.05\n {more}\n virtual_ipaddress {{\n  10.0.0.100/24\n }}\n virtual_routes {{\n"
        + "\n".join(routes)
        + "\n }\n virtual_rules {\n"
        + "\n".join(rules)
        + "\n }\n}\n"
    )


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Lan]:
    with lan(tmp_path, "a") as made:
        yield made


def routes(net: Lan) -> set[str]:
    return {one["dst"] for one in json.loads(net.ip("a", "-j", "route")) if one.get("protocol") != "kernel"}


def rules(net: Lan) -> set[int]:
    return {one["priority"] for one in json.loads(net.ip("a", "-j", "rule"))} - {0, 32766, 32767}


def told(net: Lan) -> str:
    return net.log("a").read_text()


def all_there(net: Lan) -> bool:
    return routes(net) == {"10.50.0.0/16", "10.51.0.0/16", "10.60.0.0/24", "10.60.1.0/24"} and rules(net) == {
        500,
        501,
        600,
        601,
    }


def test_who_is_master_has_them_and_what_somebody_takes_away_returns(net: Lan) -> None:
    net.vrrp("a", conf())
    net.until(lambda: all_there(net))
    assert {"10.7.0.1/24", "10.7.1.1/24"} < net.addresses("a")
    status = sh(*net.inside("a"), *VRRP, "status", "--state-dir", net.folder / "a.state", "--json", "-")
    data = json.loads(status)["vrrp"][0]["data"]
    assert (data["vroutes"], data["vrules"]) == (list(ROUTES), list(RULES))
    for words in (
        "route del 10.50.0.0/16",
        "route del 10.60.0.0/24",
        "rule del priority 500",
        "rule del priority 600",
        "addr del 10.7.0.1/24 dev eth0",
    ):
        net.ip("a", *words.split())
    for said in (
        "Restoring deleted static route 10.50.0.0/16 via 10.7.0.2 dev eth0",
        "Restoring deleted static rule from 10.50.0.0/16 table 50 priority 500",
        "(VI_1) Restoring deleted route 10.60.0.0/24 via 10.0.0.9 dev eth0",
        "(VI_1) Restoring deleted rule from 10.60.0.0/24 table 60 priority 600",
    ):
        net.until(lambda said=said: said in told(net))  # type: ignore[misc]  # mypy cannot type a default
    net.until(lambda: all_there(net))
    assert net.holds("a", "10.7.0.1")
    untracked = ("route del 10.51.0.0/16", "route del 10.60.1.0/24", "rule del priority 501", "rule del priority 601")
    for words in (*untracked, "addr del 10.7.1.1/24 dev eth0", "route del 10.60.0.0/24"):
        net.ip("a", *words.split())
    net.until(lambda: routes(net) == {"10.50.0.0/16", "10.60.0.0/24"})
    assert rules(net) == {500, 600}
    assert not net.holds("a", "10.7.1.1")

    net.plug("a", "down")
    net.until(lambda: rules(net) == {500})
    assert "10.60.0.0/24" not in routes(net)
    net.ip("a", "link", "set", "eth0", "down")  # with which the kernel drops the routes, and tells nobody
    net.plug("a", "up")
    net.ip("a", "link", "set", "eth0", "up")
    net.until(lambda: routes(net) == {"10.50.0.0/16", "10.60.0.0/24", "10.60.1.0/24"})
    assert rules(net) == {500, 600, 601}
    assert net.stop("a") == 0
    assert (routes(net), rules(net)) == (set(), set())
    assert net.addresses("a") == {"10.0.0.1/24"}
    phrases = ("setting Virtual Routes", "setting Virtual Rules", "removing Virtual Rules", "removing Virtual Routes")
    assert [told(net).count(f"(VI_1) {one}\n") for one in phrases] == [2, 2, 2, 2]


def test_a_reload_changes_what_changed_and_a_crash_leaves_nothing_to_the_next(net: Lan) -> None:
    net.ip("a", "route", "add", "10.60.2.0/24", "via", "10.0.0.8")  # somebody's, and the same as one below
    net.vrrp("a", conf(routes=(*ROUTES, "10.60.2.0/24 via 10.0.0.8 dev eth0 protocol boot no_track")))
    net.until(lambda: rules(net) == {500, 501, 600, 601})
    monitor = net.folder / "monitor"
    with monitor.open("w") as out:
        words = [*net.inside("a"), "ip", "monitor", "route", "rule", "address"]
        net.every.append(subprocess.Popen(words, stdout=out, text=True, env=ENVIRONMENT))

    def listens() -> bool:
        # Anew each time: of a route that is there already the kernel tells nobody.
        for do in ("add", "del"):
            net.ip("a", "route", do, "10.99.0.0/24", "dev", "eth0", "table", "99")
        return "10.99.0.0/24" in monitor.read_text()

    net.until(listens)
    static = STATIC.replace("10.51.0.0/16 via 10.7.0.2", "10.52.0.0/16 via 10.7.0.3").replace(
        " 10.7.1.1/24", " 10.7.2.1/24"
    )
    (net.folder / "a.conf").write_text(conf(static, (ROUTES[1], "10.60.3.0/24 dev eth0"), RULES[:1]))
    net.hang_up("a")
    net.until(lambda: routes(net) == {"10.50.0.0/16", "10.52.0.0/16", "10.60.1.0/24", "10.60.2.0/24", "10.60.3.0/24"})
    net.until(lambda: rules(net) == {500, 501, 600})
    assert net.holds("a", "10.7.2.1")
    assert not net.holds("a", "10.7.1.1")
    net.until(lambda: "10.52.0.0/16" in monitor.read_text())
    changed = monitor.read_text()
    assert "10.60.0.0/24" in changed
    assert "10.50.0.0/16" not in changed
    assert "10.7.0.1" not in changed

    net.crash("a")
    assert rules(net) == {500, 501, 600}
    net.vrrp("a", conf("", (), (), "advert_int 5"))
    assert (routes(net), rules(net)) == ({"10.60.2.0/24"}, set())
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}
    assert "removing the rule which is described no more: an earlier run left it" in told(net)
    assert net.stop("a") == 0
    assert routes(net) == {"10.60.2.0/24"}
    assert list((net.folder / "a.state").iterdir()) == []


def test_what_keepalived_left_goes_but_not_what_is_another_s(net: Lan) -> None:
    for words in (
        "route add 10.60.0.0/24 via 10.0.0.9 dev eth0 proto keepalived",
        "route add 10.50.0.0/16 via 10.0.0.9",
    ):
        net.ip("a", *words.split())
    net.ip("a", "rule", "add", "from", "10.60.0.0/24", "table", "60", "priority", "600")
    net.vrrp("a", conf("", more="advert_int 5"))
    assert (routes(net), rules(net)) == ({"10.50.0.0/16"}, {600})
