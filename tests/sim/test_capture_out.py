"""The capture of a run, judged by the real programs."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from networks import MS, S, client, event, network, router, scenario_data

from conftest import PROGRAM_PATH
from sim.network import Network
from sim.result import Result
from vrrp.capture.pcap import open_pcap
from vrrp.protocol.settings import RouterConfig


def ran(net: Network, file: Path, until_ns: int) -> Result:
    with open_pcap(file) as capture:
        for segment in net.segments.values():
            segment.taps.append(capture.write)
        return net.run(until_ns)


def everything(file: Path) -> Result:
    """IPv4 in versions 2 and 3, IPv6, unicast, a client's ARP and TCP, neighbor advertisements."""
    configs = {}
    for n, name in enumerate(("r1", "r2"), 1):
        configs[name] = RouterConfig(
            virtual_routers=(
                router(100 + n, auth_type=1, auth_data=b"secret"),
                router(100 + n, vrid=52, name="VI_2", version=3, addresses=["10.0.0.101"], virtual_mac=True),
                router(100 + n, vrid=53, name="VI_3", version=3, addresses=["fe80::100", "2001:db8::1"]),
                router(100 + n, vrid=54, name="VI_4", addresses=["10.0.0.102"], unicast_peers=[f"10.0.0.{3 - n}"]),
            )
        )
    data = scenario_data(["r1", "r2"], clients={"c": client(every="1s")})
    data["events"] = [event("8s", "stop", "r2")]
    return ran(network(configs, data=data), file, 12 * S)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    file = tmp_path_factory.mktemp("capture") / "all.pcap"
    return file, everything(file)


def run(program: str, *arguments: str | Path) -> str:
    path = shutil.which(program, path=PROGRAM_PATH)
    assert path is not None
    command = [path, *map(str, arguments)]
    env = os.environ | {"TZ": "UTC", "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout


def records(file: Path) -> list[tuple[int, bytes]]:
    """(time_ns, frame), read by hand."""
    raw = file.read_bytes()
    found = []
    at = 24
    while at < len(raw):
        seconds, fraction_ns, captured, size = struct.unpack_from("<IIII", raw, at)
        assert captured == size
        found.append((seconds * S + fraction_ns, raw[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return found


def test_nanosecond_magic_little_endian_ethernet(capture: tuple[Path, Result]) -> None:
    header = capture[0].read_bytes()[:24]
    assert header[:4] == bytes.fromhex("4d3cb2a1")
    assert struct.unpack("<IHHiIII", header) == (0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)


def test_a_frame_stands_there_for_each_advertisement_at_its_time(tmp_path: Path) -> None:
    net = network({"r1": router(101), "r2": router(100)}, events=[event("8s", "stop", "r1")], ideal=False)
    result = ran(net, tmp_path / "x.pcap", 20 * S)
    adverts = [(at, raw) for at, raw in records(tmp_path / "x.pcap") if raw[12:14] == b"\x08\x00" and raw[23] == 112]
    assert [(at, raw[36]) for at, raw in adverts] == [(s.at_ns, s.priority) for s in result.sent]
    assert [int.from_bytes(raw[18:20], "big") for _, raw in adverts if raw[29] == 1] == [1, 2, 3, 4, 5, 6]


def test_frames_stand_in_the_order_of_their_times(capture: tuple[Path, Result]) -> None:
    times = [at for at, _ in records(capture[0])]
    assert times == sorted(times)
    assert len(times) > 100


@pytest.mark.program("tcpdump")
def test_tcpdump_finds_nothing_wrong(capture: tuple[Path, Result]) -> None:
    file, result = capture
    text = run("tcpdump", "-nn", "-vv", "-tt", "--nano", "-r", file)
    assert not re.search(r"bad|incorrect|invalid|malformed|truncated|wrong|\[\|", text, re.IGNORECASE)
    assert text.count("VRRPv2, Advertisement") == sum(s.instance in {"VI_1", "VI_4"} for s in result.sent)
    assert text.count("VRRPv3, Advertisement") == sum(s.instance in {"VI_2", "VI_3"} for s in result.sent)
    assert "prio 0" in text
    assert "authtype simple" in text
    assert 'auth "secret' in text
    first = min(s.at_ns for s in result.sent)
    assert f"{first // S}.{first % S:09d} IP" in text


TSHARK = [
    argument
    for option in ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "vrrp.v3_checksum_as_in_v2:FALSE")
    for argument in ("-o", option)
]
WRONG = (
    "_ws.malformed or _ws.short or ip.checksum.status == 0 or tcp.checksum.status == 0 "
    "or icmpv6.checksum.status == 0 or vrrp.checksum.status == 0"
)


@pytest.mark.program("tshark")
def test_tshark_finds_nothing_wrong(capture: tuple[Path, Result]) -> None:
    file, _ = capture
    assert run("tshark", *TSHARK, "-r", file, "-Y", WRONG) == ""
    kinds = run("tshark", *TSHARK, "-r", file, "-T", "fields", "-e", "_ws.col.Protocol").split()
    assert set(kinds) == {"VRRP", "ARP", "TCP", "ICMPv6"}


@pytest.mark.program("tshark", "tcpdump")
def test_both_would_tell(capture: tuple[Path, Result], tmp_path: Path) -> None:
    """Of each kind of frame one, with a bit of its last byte turned over."""
    damaged = tmp_path / "damaged.pcap"
    kinds: dict[object, tuple[int, bytes]] = {}
    for at, raw in records(capture[0]):
        if raw[12:14] != b"\x08\x06":
            kinds.setdefault((raw[12:14], raw[14 + 9], raw[14 + 6], len(raw)), (at, raw))
    with open_pcap(damaged) as writer:
        for at, raw in kinds.values():
            writer.write(at, raw[:-1] + bytes((raw[-1] ^ 1,)))
    assert len(run("tshark", *TSHARK, "-r", damaged, "-Y", WRONG).splitlines()) == len(kinds) > 4
    assert re.search(r"bad|incorrect", run("tcpdump", "-nn", "-vv", "-r", damaged))


@pytest.mark.program("capinfos")
def test_capinfos_sees_nanoseconds_and_strict_order(capture: tuple[Path, Result]) -> None:
    file, _ = capture
    text = run("capinfos", file)
    assert re.search(r"File type: +Wireshark/tcpdump/... - nanosecond pcap", text)
    assert re.search(r"File encapsulation: +Ethernet", text)
    assert re.search(r"File timestamp precision: +nanoseconds \(9\)", text)
    assert re.search(r"Strict time order: +True", text)
    assert re.search(rf"Number of packets: +{len(records(file))}\n", text)


def test_every_segment_is_captured_once(tmp_path: Path) -> None:
    data = scenario_data(["r1"], segments={"lan": {}, "back": {}})
    data["nodes"]["r1"]["interfaces"]["eth1"] = {"segment": "back", "addresses": ["10.1.0.1/24"]}
    both = RouterConfig(
        virtual_routers=(router(100), router(100, vrid=60, name="B", interface="eth1", addresses=["10.1.0.9"]))
    )
    ran(network({"r1": both}, data=data), tmp_path / "x.pcap", 3_609_375_000 + MS // 10)
    assert [raw[15 + 14 + 1 - 4 :][:4].hex() for _, raw in records(tmp_path / "x.pcap")] == ["0a000001", "0a010001"]
