"""`vrrp dump` as people use it; the text itself is compared with tcpdump in tests/dump."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from cli.command import Vrrp, finished, spawn
from conftest import ROOT, SHARED
from dump.compare import ours, tcpdump
from vrrp.capture.reader import open_capture
from vrrp.capture.text.selection import FILTER, selected
from vrrp.capture.tshark import fields

PASSWORD = ROOT / "tests" / "audit" / "data" / "password_mismatch.pcap"
AH = ROOT / "tests" / "wire" / "data" / "keepalived_ah.pcap"
V6 = ROOT / "tests" / "wire" / "data" / "keepalived_ipv6.pcap"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def shown(*arguments: object) -> str:
    """What the command prints, as a process: it writes bytes."""
    done = finished(spawn("dump", *map(str, arguments)))
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["-n", PASSWORD], "-n"),
        (["-nr", PASSWORD], "-n"),
        (["-nevr", PASSWORD], "-nev"),
        (["-ttttnnve", "-r", AH], "-ttttnve"),
        (["-n", "-v", "-XX", V6], "-nvXX"),
        (["-#", "-n", V6], "-n#"),
        (["--number", "-n", "-tt", V6], "-n#tt"),
    ],
)
def test_options_combine_as_tcpdumps_do(arguments: list[object], options: str) -> None:
    path = Path(str(arguments[-1]))
    assert shown(*arguments) == ours(path, options)


def test_the_first_packets_only() -> None:
    assert shown("-n", "-c", "3", PASSWORD) == "".join(ours(PASSWORD, "-n").splitlines(keepends=True)[:3])
    assert len(shown("-c2", "--json", PASSWORD).splitlines()) == 2


def test_follow_one_virtual_router() -> None:
    lines = shown("-n", "--follow", "51", PASSWORD).splitlines()
    assert any("VRRPv2" in line for line in lines)
    assert any("ARP" in line for line in lines)
    assert shown("-n", "--follow", "52", PASSWORD) == ""
    assert shown("-n", "--follow", "51/ipv6", PASSWORD) == ""
    assert shown("-n", "--follow", "51/ipv4", PASSWORD) == shown("-n", "--follow", "51", PASSWORD)
    assert "neighbor advertisement" in shown("-n", "--follow", "51/ipv6", V6)


def test_nanoseconds(tmp_path: Path) -> None:
    from vrrp.capture.pcap import open_pcap  # noqa: PLC0415  # for this test alone

    with open_capture(PASSWORD) as capture, open_pcap(tmp_path / "x.pcap") as writer:
        for packet in capture:
            writer.write(packet.time_ns + 789, packet.data)
    assert shown("-n", "--nano", tmp_path / "x.pcap").split()[0].endswith("789")


def test_colour_only_when_asked_for_or_on_a_terminal() -> None:
    plain = shown("-n", PASSWORD)
    assert "\x1b" not in plain
    colored = shown("-n", "--color", "always", PASSWORD)
    assert "\x1b[33m" in colored
    assert re.sub("\x1b\\[\\d+m", "", colored) == plain


@pytest.mark.program("tcpdump")
def test_write_what_tcpdump_writes(tmp_path: Path) -> None:
    # The last has nanoseconds, which are kept.
    for path, precision in ((PASSWORD, "micro"), (AH, "micro"), (V6, "nano")):
        assert shown("-n", "-w", tmp_path / "ours.pcap", path) == ""
        theirs = tmp_path / "theirs.pcap"
        command: list[str | Path] = [
            "tcpdump",
            f"--time-stamp-precision={precision}",
            "-r",
            path,
            "-w",
            theirs,
            FILTER,
        ]
        subprocess.run(command, check=True, capture_output=True)
        assert (tmp_path / "ours.pcap").read_bytes() == theirs.read_bytes()
    assert shown("-c", "2", "-w", tmp_path / "two.pcap", PASSWORD) == ""
    assert len(shown("-n", tmp_path / "two.pcap").splitlines()) == 2


@pytest.mark.program("tshark")
@pytest.mark.parametrize("path", [PASSWORD, AH, V6], ids=lambda path: path.stem)
def test_json_has_tsharks_names_and_values(path: Path) -> None:
    told = [json.loads(line) for line in shown("--json", path).splitlines()]
    keys = sorted({key for row in told for key in row})
    command = ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:FALSE", "-T", "fields", "-E", "separator=|"]
    done = subprocess.run(
        [*command, *(part for key in keys for part in ("-e", key))], capture_output=True, text=True, check=True
    )
    rows = {}
    for line in done.stdout.splitlines():
        row = dict(zip(keys, line.split("|"), strict=True))
        rows[int(row["frame.number"])] = row
    for mine in told:
        assert {key: text_of(mine.get(key, "")) for key in keys} == rows[mine["frame.number"]]


def text_of(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def test_json_names_what_is_damaged() -> None:
    with open_capture(ROOT / "tests" / "wire" / "data" / "frr_inject_v3.pcap") as capture:
        told = [fields(packet) for packet in capture if selected(packet.link_type, packet.data)]
    assert any(row.get("vrrp.checksum.status") == 0 for row in told)
    assert {"vrrp.version", "vrrp.prio", "vrrp.ip_addr"} <= told[0].keys()


def test_hsrp_is_not_vrrp(shared: Path) -> None:
    done = finished(spawn("dump", "-n", shared / "captures/the-tcpdump-group/tcpdump/tests/HSRP_coup.pcap"))
    assert done.code == 0
    assert done.err == "51 packets of HSRP, which is not VRRP\n"
    assert len(done.out.splitlines()) == 51


def test_a_damaged_capture_is_printed_as_far_as_it_goes(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(PASSWORD.read_bytes()[:-3])
    done = finished(spawn("dump", "-n", file))
    assert done.code == 1
    assert done.out == ours(file, "-n")
    assert done.err.startswith(f"vrrp: {file}: ends at byte ")
    written = finished(spawn("dump", "-w", tmp_path / "y.pcap", file))
    assert (written.code, written.err) == (1, done.err)


def test_bad_input(vrrp: Vrrp, tmp_path: Path) -> None:
    assert "no such file" in vrrp("dump", tmp_path / "none.pcap").complaint
    assert "name one capture FILE" in vrrp("dump").complaint
    assert "name one capture FILE" in vrrp("dump", PASSWORD, "-r", PASSWORD).complaint
    assert "'300' is no virtual router; 51, 51/ipv4" in vrrp("dump", PASSWORD, "--follow", "300").complaint
    assert "up to five times" in vrrp("dump", "-tttttt", PASSWORD).complaint
    file = tmp_path / "x"
    file.write_bytes(b"\xfd7zX")
    assert "compressed with xz" in vrrp("dump", file).complaint


@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("options", ["-n", "-nv", "-nev", "-nXX"])
def test_a_capture_of_others_through_the_command(options: str) -> None:
    path = SHARED / "captures/the-tcpdump-group/tcpdump/tests/vrrp.pcap"
    if not path.exists():
        pytest.skip("no recordings: there is no ../shared beside the project")
    assert shown(options, path) == tcpdump(path, options)
