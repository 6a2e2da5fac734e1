"""What a replay takes from the captures, and what it asks back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replay.lan import CONF, S_NS, ZERO_NS, Sent, capture, conf, pcapng, steady
from vrrp.capture.replay.hearing import HeardCapture, Hearing
from vrrp.capture.replay.prepare import Prepared, Request, RequestError, prepare
from vrrp.capture.replay.replay import Replay, replay
from vrrp.capture.replay.survey import MOST_TALKERS, survey
from vrrp.config import load
from vrrp.config.router_config import convert
from vrrp.protocol.profile import FRR, KEEPALIVED, RFC3768, Profile
from vrrp.protocol.router import Router
from vrrp.protocol.settings import RouterConfig
from vrrp.wire.address import pack

OWN = "10.0.0.1"
DOWN_NS = 3 * S_NS + 156 * S_NS // 256
LATE_NS = KEEPALIVED.timer_latency_ns
TWO = CONF + CONF.replace("VI_1", "VI_2").replace("eth0", "eth1").replace("10.0.0", "10.1.0")


def config(folder: Path, text: str = CONF, profile: Profile = KEEPALIVED) -> RouterConfig:
    return convert(load(conf(folder / "r.conf", text), environment={}).config, profile).router


def ready(
    folder: Path, sent: Sequence[Sent], text: str = CONF, profile: Profile = KEEPALIVED, **options: Any
) -> Prepared:
    files = options.pop("files", None) or [capture(folder / "a.pcap", sent)]
    return prepare(Request(files=files, config=config(folder, text, profile), profile=profile, **options))


def refused(folder: Path, sent: Sequence[Sent], text: str = CONF, **options: Any) -> str:
    with pytest.raises(RequestError) as error:
        ready(folder, sent, text, **options)
    return str(error.value)


# Whose address ----------------------------------------------------------------------------------------------


def test_the_address_is_whose_priority_it_is(tmp_path: Path) -> None:
    made = ready(tmp_path, [*steady(0, 5), Sent(7, OWN, 100)])
    assert made.setup.interfaces == {"eth0": (pack(OWN),)}
    assert made.notes[0] == "eth0 is 10.0.0.1: it alone advertises VRID 51 with priority 100"


def test_a_configured_source_is_the_address(tmp_path: Path) -> None:
    text = CONF.replace("priority", "mcast_src_ip 10.0.0.7\n priority")
    made = ready(tmp_path, steady(0, 5), text)
    assert made.setup.interfaces == {"eth0": (pack("10.0.0.7"),)}
    assert made.notes == ()
    again = ready(tmp_path, steady(0, 5), text, addresses=["10.0.0.7"])
    assert again.setup.interfaces == {"eth0": (pack("10.0.0.7"),)}


def test_two_of_one_priority_are_ambiguous(tmp_path: Path) -> None:
    sent = [Sent(0, "10.0.0.3", 100), Sent(1, OWN, 100)]
    assert refused(tmp_path, sent) == (
        "10.0.0.1, 10.0.0.3 advertise VRID 51 with priority 100; which is this router? Give --address"
    )
    assert ready(tmp_path, sent, addresses=["10.0.0.3/24"]).setup.interfaces == {"eth0": (pack("10.0.0.3"),)}


def test_a_unicast_peer_is_not_the_router_itself(tmp_path: Path) -> None:
    sent = [Sent(0, "10.0.0.3", 100, to=OWN), Sent(1, OWN, 100, to="10.0.0.3")]
    text = CONF.replace("priority", "unicast_peer {\n 10.0.0.3\n }\n priority")
    assert ready(tmp_path, sent, text).setup.interfaces == {"eth0": (pack(OWN),)}


def test_nobody_with_that_priority(tmp_path: Path) -> None:
    others = [Sent(number, f"10.0.0.{number + 2}", 101) for number in range(10)]
    assert refused(tmp_path, others) == (
        "nobody on eth0 advertises VRID 51 with the configured priority 100; 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, "
        "10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9 and 2 more advertise it otherwise; give this router's --address"
    )
    assert "with the configured priority 100; give" in refused(tmp_path, [Sent(0, vrid=9)])


def test_two_virtual_routers_narrow_it_down(tmp_path: Path) -> None:
    text = CONF + CONF.replace("VI_1", "VI_2").replace("51", "52").replace("priority 100", "priority 101")
    sent = [Sent(0, OWN, 100), Sent(1, "10.0.0.2", 100), Sent(2, OWN, 101, vrid=52), Sent(3, "10.0.0.3", 101, vrid=52)]
    made = ready(tmp_path, sent, text)
    assert made.notes[0] == (
        "eth0 is 10.0.0.1: it alone advertises VRID 51 with priority 100 and VRID 52 with priority 101"
    )


def test_an_interface_that_is_only_watched_needs_no_address(tmp_path: Path) -> None:
    text = CONF.replace("priority", "track_interface {\n eth9\n }\n priority")
    made = ready(tmp_path, [Sent(0, OWN, 100)], text, events=["1s link-down eth9"])
    assert made.setup.interfaces == {"eth0": (pack(OWN),), "eth9": ()}


def test_a_router_that_was_nothing_yet_is_nothing_less_when_killed(tmp_path: Path) -> None:
    made = ready(tmp_path, [Sent(0, OWN, 100)])
    result = Replay(made.setup)
    result.ended(0, Router(made.setup.config, profile=KEEPALIVED, interfaces=made.setup.interfaces), "killed")
    assert result.transitions == []


def test_ipv6(tmp_path: Path) -> None:
    text = CONF.replace("10.0.0.100", "fe80::100").replace("priority", "version 3\n priority")
    sent = [Sent(0, "fe80::1", 100, to="ff02::12", addresses=["fe80::100"], version=3)]
    assert ready(tmp_path, sent, text).setup.interfaces == {"eth0": (pack("fe80::1"),)}
    assert ready(tmp_path, sent, text, addresses=["2001:db8::1"]).setup.interfaces == {
        "eth0": (pack("2001:db8::1"), pack("fe80::1"))
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"addresses": ["10.0.0"]}, "--address: '10.0.0' is no address; write 10.0.0.1 or eth1=10.1.0.1"),
        ({"addresses": ["eth9=10.0.0.1"]}, "--address: the configuration has no interface 'eth9'; did you mean "),
        ({"macs": ["02:00"]}, "--mac: '02:00' is no MAC address; write 02:00:00:00:00:01"),
        ({"macs": ["red"]}, "--mac: 'red' is no MAC address; write 02:00:00:00:00:01"),
        ({"start": "soon"}, "--start: 'soon' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h"),
        ({"events": ["1s explode"]}, "--event: there is no action 'explode'; known: start, stop, crash, pause, "),
        ({"events": ["1s partition A"]}, "--event: '1s partition A': there is no capture 'A'; known: "),
        ({"interfaces": ["eth1"]}, "--interface: the configuration has no 'eth1'; did you mean 'eth0'?"),
        ({"interfaces": ["eth0", "eth0"]}, "--interface: 2 for 1 captures; one for each, or one for all"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    assert refused(tmp_path, [Sent(0, OWN, 100)], **options).startswith(message)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path, []) == f"no VRRP packet in {tmp_path / 'a.pcap'}"
    assert refused(tmp_path, [Sent(0)], "global_defs {\n}\n") == "the configuration has no vrrp_instance"
    (one,) = config(tmp_path).virtual_routers
    twice = RouterConfig(virtual_routers=(one, replace(one, name="VI_2")))
    file = capture(tmp_path / "a.pcap", [Sent(0, OWN, 100)])
    with pytest.raises(RequestError, match="VI_2: VRID 51 is taken on eth0"):
        prepare(Request(files=[file], config=twice, profile=KEEPALIVED))


# When it started --------------------------------------------------------------------------------------------


def start_ns(made: Prepared) -> int:
    assert made.setup.happenings[0].action == "start"
    assert made.setup.happenings[0].at_ns == made.start_ns
    return made.start_ns - ZERO_NS


def test_it_starts_with_the_first_packet(tmp_path: Path) -> None:
    made = ready(tmp_path, [*steady(0, 5), Sent(7, OWN, 100)])
    assert start_ns(made) == 0
    assert len(made.notes) == 1


def test_it_started_in_time_for_its_own_first_advertisement(tmp_path: Path) -> None:
    made = ready(tmp_path, [Sent(0, priority=99), Sent(2, OWN, 100)])
    assert start_ns(made) == 2 * S_NS - DOWN_NS - LATE_NS
    assert made.notes[1] == (
        "taken to have started 1.610 s before the first packet: it advertises VRID 51 2.000 s after that "
        "(--start says otherwise)"
    )
    result = replay(made.setup)
    assert [(s.first_ns - ZERO_NS, s.priority) for s in result.sent["VI_1"].stints] == [(2 * S_NS, 100)]
    assert start_ns(ready(tmp_path, [Sent(0), Sent(2, OWN, 100)], ideal=True)) == 2 * S_NS - DOWN_NS


def test_a_good_bye_tells_nothing_of_its_start(tmp_path: Path) -> None:
    assert start_ns(ready(tmp_path, [Sent(0, OWN, 0), Sent(1, OWN, 100)])) == 0


@pytest.mark.parametrize("profile", [KEEPALIVED, RFC3768, FRR], ids=lambda profile: profile.name)
def test_an_owner_starts_as_master_where_it_may(tmp_path: Path, profile: Profile) -> None:
    text = CONF.replace("priority 100", "priority 255\n state MASTER")
    made = ready(tmp_path, [Sent(1, OWN, 255, version=profile.versions[0])], text, profile)
    assert (start_ns(made) < -2 * S_NS) is (profile is FRR)
    if profile is KEEPALIVED:
        waiting = text.replace("state MASTER", "state BACKUP")
        assert start_ns(ready(tmp_path, [Sent(1, OWN, 255)], waiting)) < -2 * S_NS


def test_the_start_can_be_told(tmp_path: Path) -> None:
    sent = [Sent(0), Sent(2, OWN, 100)]
    assert start_ns(ready(tmp_path, sent, start="1.5s")) == 1_500_000_000
    assert start_ns(ready(tmp_path, sent, start="-4s")) == -4 * S_NS
    assert start_ns(ready(tmp_path, sent, start="2023-11-14T22:13:20")) == 0
    told = ready(tmp_path, sent, events=["1s start"])
    assert start_ns(told) == S_NS
    assert len(told.setup.happenings) == 1
    assert [h.action for h in ready(tmp_path, sent, events=["5s start", "1s stop"]).setup.happenings] == [
        "start",
        "stop",
        "start",
    ]


# Which capture where ----------------------------------------------------------------------------------------


def where(made: Prepared) -> list[tuple[str, str, bool]]:
    return [(c.path.name, c.interface, c.aside) for c in made.setup.captures]


def test_captures_and_interfaces_in_their_order(tmp_path: Path) -> None:
    files = [
        capture(tmp_path / "x.pcap", [Sent(1, OWN, 100)]),
        capture(tmp_path / "y.pcap", [Sent(0, "10.1.0.1", 100)]),
        capture(tmp_path / "z.pcap", [Sent(0.5)]),
    ]
    made = ready(tmp_path, [], TWO, files=files[:2])
    assert where(made) == [("x.pcap", "eth0", False), ("y.pcap", "eth1", False)]
    assert made.notes[0] == (
        f"taken to be captured: {files[0]} on eth0, {files[1]} on eth1 (--interface says otherwise)"
    )
    assert made.setup.interfaces == {"eth0": (pack(OWN),), "eth1": (pack("10.1.0.1"),)}
    assert made.found.first_ns == ZERO_NS
    assert refused(tmp_path, [], TWO, files=files) == (
        "3 captures and 2 interfaces (eth0, eth1); give --interface for each"
    )
    addresses = ["10.0.0.1", "eth1=10.1.0.1"]
    one = ready(tmp_path, [], TWO, files=files[:1], addresses=addresses)
    assert one.notes[0].endswith("on eth0; nothing on eth1 (--interface says otherwise)")
    told = ready(tmp_path, [], TWO, files=files, addresses=addresses, interfaces=["eth1", "eth0", "eth0"])
    assert [interface for _, interface, _ in where(told)] == ["eth1", "eth0", "eth0"]
    assert told.notes == ()


def test_the_other_side_of_a_partition(tmp_path: Path) -> None:
    home = capture(tmp_path / "home.pcap", [*steady(0, 20), Sent(0.5, OWN, 100)])
    away = capture(tmp_path / "away.pcap", [Sent(12, "10.0.0.3", 99), Sent(12.5, "10.0.0.4", 150)])
    events = [f"5.5s partition {away}", "13s heal"]
    made = ready(tmp_path, [], files=[home, away], events=events, start="0s")
    assert where(made) == [("home.pcap", "eth0", False), ("away.pcap", "eth0", True)]
    result = replay(made.setup)
    assert [t.new for t in result.transitions] == ["BACKUP", "MASTER", "BACKUP"]
    assert [round((t.at_ns - ZERO_NS) / S_NS, 1) for t in result.transitions] == [0, 8.6, 12.5]
    assert result.elsewhere == 7
    only = ready(tmp_path, [], files=[home], events=["5.5s partition", "13s heal"], start="0s")
    alone = replay(only.setup)
    assert [round((t.at_ns - ZERO_NS) / S_NS, 1) for t in alone.transitions] == [0, 8.6, 13]
    assert alone.sent["VI_1"].stints == []  # what it said there no capture shows
    assert refused(tmp_path, [], files=[away], events=events[:1]) == (
        "--event: the other side of a partition is one capture, the LAN itself another; name both"
    )


def test_interfaces_of_a_pcapng_file_by_their_names(tmp_path: Path) -> None:
    sent = [(0, Sent(0, "10.1.0.1", 100)), (1, Sent(1, OWN, 100)), (2, Sent(2, "10.0.0.9", 100))]
    file = pcapng(tmp_path / "all.pcapng", ["eth1", "eth0", "docker0"], sent)
    made = ready(tmp_path, [], TWO, files=[file])
    assert made.setup.interfaces == {"eth0": (pack(OWN),), "eth1": (pack("10.1.0.1"),)}
    bridge = pcapng(tmp_path / "bridge.pcapng", ["br0"], [(0, Sent(0, OWN, 100))])
    assert ready(tmp_path, [], files=[bridge]).setup.interfaces == {"eth0": (pack(OWN),)}


def test_tagged_packets_are_for_the_interface_of_that_name(tmp_path: Path) -> None:
    sent = [Sent(0, OWN, 100, vlans=(7,)), Sent(1, "10.0.0.3", 100, vlans=(8,))]
    text = CONF.replace("eth0", "eth0.7")
    assert ready(tmp_path, sent, text).setup.interfaces == {"eth0.7": (pack(OWN),)}
    assert refused(tmp_path, sent).startswith("no VRRP packet in")


# The first look itself --------------------------------------------------------------------------------------


def test_there_is_an_end_to_senders(tmp_path: Path) -> None:
    sent = [Sent(number / 1000, f"10.{number >> 8}.{number & 255}.1") for number in range(MOST_TALKERS + 3)]
    file = capture(tmp_path / "many.pcap", [*sent, Sent(20, priority=77, source="10.0.0.1")])
    found = survey(Hearing([HeardCapture(file, "eth0")], ["eth0"]))
    assert found.heard == MOST_TALKERS + 4
    ((place, talkers),) = found.talkers.items()
    assert place == ("eth0", 4 << 8 | 51)
    assert len(talkers) == MOST_TALKERS
    assert talkers[pack("10.0.0.1")].priorities == {101, 77}


def test_damage_is_counted_and_told(tmp_path: Path) -> None:
    file = capture(tmp_path / "cut.pcap", [Sent(0), Sent(1)])
    whole = file.read_bytes()
    frame = bytearray(whole)
    frame[24 + 16 + 16 + 8] ^= 1  # TTL, so that the header's checksum is wrong
    file.write_bytes(bytes(frame) + whole[24:50])
    hearing = Hearing([HeardCapture(file, "eth0")], ["eth0"])
    assert [heard.number for heard in hearing] == [2]
    assert (hearing.packets, hearing.damaged) == (2, 1)
    assert len(hearing.damage) == 1
    assert hearing.damage[0].startswith(f"{file}: ")
