"""The configuration that a daemon runs, what it may do, and its directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vrrp.config.host import KnownHost
from vrrp.linux.configuration import Configuration, ConfigurationError, interfaces_of, read_configuration
from vrrp.linux.plan import plan
from vrrp.linux.rights import missing_rights
from vrrp.linux.state_directory import InUseError, state_directory
from vrrp.protocol.settings import TrackedInterface

HOST = KnownHost(frozenset({"eth0", "eth1"}))
CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    TRACK
    virtual_ipaddress {
        10.0.0.100/24
        10.0.0.101/24 dev DEVICE OPTION
    }
}
"""
GROUP = """
vrrp_sync_group G {
    group {
        VI_1
    }
    track_interface {
        eth8
    }
}
"""
LATER = "; if it comes later, global_defs needs dynamic_interfaces"


def read(folder: Path, text: str) -> Configuration:
    (folder / "k.conf").write_text(text)
    return read_configuration(folder / "k.conf", HOST)


def conf(device: str = "eth1", option: str = "", track: str = "") -> str:
    return CONF.replace("DEVICE", device).replace("OPTION", option).replace("TRACK", track)


def followed(configuration: Configuration) -> tuple[TrackedInterface, ...]:
    return configuration.router.virtual_routers[0].track_interfaces


def test_the_interfaces_of_addresses_are_followed(tmp_path: Path) -> None:
    assert followed(read(tmp_path, conf())) == (TrackedInterface("eth1"),)
    assert followed(read(tmp_path, conf(option="no_track"))) == ()
    assert followed(read(tmp_path, conf("eth0"))) == ()
    weighed = conf(track="track_interface {\n eth1 weight 10\n }")
    assert followed(read(tmp_path, weighed)) == (TrackedInterface("eth1", 10),)


STATICS = """
track_group T {
    group {
        VI_1
    }
}
static_ipaddress {
    10.1.0.1/16 dev eth1 track_group T
}
static_routes {
    10.2.0.0/16 dev eth0 track_group T
}
static_rules {
    from 10.2.0.0/16 iif eth1 priority 7 table 7
}
"""


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("virtual_routes {\n10.1.0.0/16 dev eth1\n}", ["eth1"]),
        ("virtual_routes {\n10.1.0.0/16 dev eth1 no_track\n}", []),
        ("virtual_routes {\n10.1.0.0/16 nexthop dev eth1 nexthop dev eth0\n}", []),
        ("virtual_rules {\nfrom 10.1.0.0/16 iif eth1 table 5 priority 5\n}", ["eth1"]),
        ("virtual_rules {\nfrom 10.1.0.0/16 oif eth1 table 5 priority 5\n}", ["eth1"]),
        ("virtual_rules {\nfrom 10.1.0.0/16 oif eth1 table 5 priority 5 no_track\n}", []),
        ("virtual_routes {\n10.1.0.0/16 dev eth0\n}", []),
        ("dont_track_primary\nvirtual_routes {\n10.1.0.0/16 dev eth0\n}", ["eth0"]),
    ],
)
def test_the_interfaces_of_routes_and_rules_are_followed(lines: str, names: list[str], tmp_path: Path) -> None:
    parsed = read(tmp_path, conf("eth0", track=lines))
    assert [one.name for one in followed(parsed)] == names
    assert set(interfaces_of(parsed.parsed.config)) >= {"eth0", *names}


def test_the_interfaces_of_what_a_track_group_follows(tmp_path: Path) -> None:
    parsed = read(tmp_path, STATICS + conf("eth0"))
    assert followed(parsed) == (TrackedInterface("eth1"),)
    assert set(interfaces_of(parsed.parsed.config)) == {"eth0", "eth1"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (conf(track="track_interface {\n  eth9\n }"), f":5: (VI_1) tracked interface eth9 doesn't exist{LATER}"),
        (conf() + GROUP, f":16: (G) tracked interface eth8 doesn't exist{LATER}"),
        (conf().replace("virtual_router_id 51", ""), ":1: (VI_1) the virtual router id must be set"),
        ("global_defs {\n}\n", ": there is no vrrp_instance and no virtual_server in it"),
        (
            "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 5\n}\n",
            ":1: VI_1: a virtual router needs an address",
        ),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/k.conf{complaint}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keyword", "option", "complaint"),
    [
        ("use_ipvlan", "", "4: (VI_1) use_ipvlan is not possible; use_vmac is"),
        (
            "use_vmac_addr",
            "",
            "4: (VI_1) use_vmac_addr is not possible; use_vmac gives all addresses of the instance one MAC address",
        ),
        ("nopreempt", "use_vmac", "7: (VI_1) use_vmac of one address is not possible; use_vmac of the instance is"),
    ],
)
def test_devices_that_are_not_made(keyword: str, option: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text(CONF.replace("TRACK", keyword).replace("DEVICE", "eth0").replace("OPTION", option))
    with pytest.raises(ConfigurationError) as raised:
        read_configuration(file, HOST)
    assert str(raised.value) == f"{file}:{complaint}"


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("10.1.0.0/16 dev eth0 encap mpls 100", "encap mpls is not possible; encap ip and encap ip6 are"),
        (
            "10.1.0.0/16 nexthop via 10.0.0.2 encap ip id 5",
            "encap of a nexthop is not possible; keepalived 2.2.7 leaves it out",
        ),
        ("10.1.0.0/16 dev eth0 encap ip dst x", "encap ip dst x is not right"),
        ("10.1.0.0/16 dev eth0 encap ip flags 5", "encap ip flags is not possible"),
    ],
)
def test_routes_that_the_kernel_is_not_told(route: str, why: str, tmp_path: Path) -> None:
    instance = conf().replace("    TRACK\n", "")
    for text, line, whose in (
        (f"static_routes {{\n {route}\n}}\n{instance}", 2, "static"),
        (instance.replace("    virtual_ip", f"virtual_routes {{\n{route}\n}}\n    virtual_ip"), 6, "(VI_1)"),
    ):
        with pytest.raises(ConfigurationError) as raised:
            read(tmp_path, text)
        assert str(raised.value) == f"{tmp_path}/k.conf:{line}: {whose} route {route}: {why}"


def test_a_rule_that_the_kernel_is_not_told(tmp_path: Path) -> None:
    rule = "from all dport 5-70000 table 7 priority 8"
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, f"static_rules {{\n {rule}\n}}\n{conf()}")
    said = f"{tmp_path}/k.conf:2: static rule {rule}: 5-70000 is no range of what the kernel knows"
    assert str(raised.value) == said


def test_an_interface_that_may_come_later(tmp_path: Path) -> None:
    later = "global_defs {\n dynamic_interfaces\n}\n" + conf().replace("interface eth0", "interface eth8")
    lines = list(plan(read(tmp_path, later), {"eth0": ["10.0.0.1"]}))
    assert lines[0] == (
        "VI_1: VRID 51 version 2 priority 100 on eth8 (not there yet), from no address yet to 224.0.0.18 every 1s;"
        " takes over after 3.60938 s of silence"
    )


@pytest.mark.parametrize(
    ("keyword", "where"),
    [
        ("use_vmac", "an interface with MAC 00:00:5e:00:01:33 on top of eth0"),
        ("use_vmac mine 02:00:00:00:00:07", "mine with MAC 02:00:00:00:00:07 on top of eth0"),
    ],
)
def test_the_plan_for_a_virtual_mac(keyword: str, where: str, tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text(CONF.replace("TRACK", keyword).replace("DEVICE", "eth1").replace("OPTION", ""))
    lines = list(plan(read_configuration(file, HOST), {"eth0": ["10.0.0.1"], "eth1": []}))
    assert lines[1:3] == [
        f"VI_1: as master, 10.0.0.100/24 on {where}",
        "VI_1: as master, 10.0.0.101/24 on eth1",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"k\.conf: no such file or directory"):
        read_configuration(tmp_path / "k.conf", HOST)


def test_the_rights_that_are_missing(tmp_path: Path) -> None:
    status = tmp_path / "status"
    for bits, missing in (
        (0, ("CAP_NET_ADMIN", "CAP_NET_RAW")),
        (1 << 12, ("CAP_NET_RAW",)),
        (1 << 12 | 1 << 13, ()),
    ):
        status.write_text(f"Name:\tvrrp\nCapInh:\t0\nCapEff:\t{bits:016x}\n")
        assert missing_rights(status) == missing


def test_a_directory_is_held_by_one_and_kept_from_others_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "vrrp"
    with state_directory(folder) as held:
        assert held == folder
        assert (folder / "vrrp.pid").read_text() == f"{os.getpid()}\n"
        assert folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(InUseError, match=f"vrrp runs already, as process {os.getpid()}"), state_directory(folder):
            pass
    assert not (folder / "vrrp.pid").exists()
    (folder / "vrrp.pid").write_text("99999999 and more of what an earlier one left")
    with state_directory(folder):
        assert (folder / "vrrp.pid").read_text() == f"{os.getpid()}\n"


def test_a_pid_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "vrrp.pid").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), state_directory(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_the_plan_has_routes_and_what_is_static(tmp_path: Path) -> None:
    routes = "virtual_routes {\n10.3.0.0/16 dev eth0\n}\nvirtual_rules {\nfrom 10.3.0.0/16 priority 8 table 7\n}"
    text = STATICS.replace(" dev eth1 track_group", " track_group") + conf(track=routes)
    for settings, device in (("", "eth0"), ("global_defs {\ndefault_interface eth1\n}\n", "eth1")):
        lines = list(plan(read(tmp_path, settings + text), {"eth0": ["10.0.0.1"], "eth1": []}))
        assert lines[3:] == [
            "VI_1: as master, route 10.3.0.0/16 dev eth0",
            "VI_1: as master, rule from 10.3.0.0/16 priority 8 table 7",
            f"always, 10.1.0.1/16 on {device}",
            "always, route 10.2.0.0/16 dev eth0 track_group T",
            "always, rule from 10.2.0.0/16 iif eth1 priority 7 table 7",
        ]
