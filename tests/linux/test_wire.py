"""On a real (virtual) wire, in network namespaces: what is captured live, and what is sent."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from capture.builders import pcap
from conftest import ROOT
from linux.namespaces import ENVIRONMENT, cable, sh, wait_for
from vrrp.capture.reader import open_capture
from vrrp.capture.text.selection import FILTER, selected
from vrrp.cli.main import run

CAPTURE = ROOT / "tests" / "audit" / "data" / "crash.pcap"

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump")]


def frames(path: Path) -> list[bytes]:
    with open_capture(path) as capture:
        return [packet.data for packet in capture]


def size_of(packets: list[bytes]) -> int:
    """The bytes of a pcap file with these packets."""
    return 24 + sum(16 + len(data) for data in packets)


WHOLE = size_of(frames(CAPTURE))
PRINTED = [data for data in frames(CAPTURE) if selected(1, data)]


def listening(process: subprocess.Popen[str]) -> None:
    """Until tcpdump says that it listens."""
    assert process.stderr is not None
    while "listening on" not in process.stderr.readline():
        assert process.poll() is None


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=30)


def test_live_and_tcpdump_see_the_same(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pcap"
    with cable() as ends:
        tcpdump = ends.run(ends.other, "tcpdump", "-U", "-i", "eth0", "-w", theirs, FILTER)
        listening(tcpdump)
        live = ends.vrrp(ends.other, "dump", "-n", "-i", "eth0", "-t")
        time.sleep(3)
        sent = ends.vrrp(ends.one, "replay", CAPTURE, "-i", "eth0", "--speed", "100")
        _, complaint = sent.communicate(timeout=60)
        assert sent.returncode == 0, complaint
        wait_for(theirs, size_of(PRINTED))
        time.sleep(0.5)
        ended(tcpdump)
        out, _ = ended(live)
    expected = subprocess.run(["tcpdump", "-n", "-t", "-r", theirs], capture_output=True, text=True, check=True).stdout
    assert out == expected
    assert len(out.splitlines()) == len(PRINTED) > 15
    assert frames(theirs) == PRINTED


def test_addresses_are_rewritten_and_checksums_stay_right(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pcap"
    with cable() as ends:
        tcpdump = ends.run(ends.other, "tcpdump", "-U", "-i", "eth0", "-w", theirs)
        listening(tcpdump)
        pairs = ("10.99.0.11=192.0.2.11", "10.99.0.100=192.0.2.100", "9e:f8:07:c1:75:d5=02:00:00:00:00:77")
        options = [word for pair in pairs for word in ("--rewrite", pair)]
        sent = ends.vrrp(ends.one, "replay", CAPTURE, "-i", "eth0", "--speed", "1000", *options)
        _, complaint = sent.communicate(timeout=60)
        assert sent.returncode == 0, complaint
        wait_for(theirs, WHOLE)
        time.sleep(0.5)
        ended(tcpdump)
    text = subprocess.run(["tcpdump", "-nevr", theirs], capture_output=True, text=True, check=True).stdout
    assert "192.0.2.11 > 224.0.0.18: VRRPv2" in text
    assert "addrs: 192.0.2.100" in text
    assert "who-has 192.0.2.100" in text
    assert "02:00:00:00:00:77 > " in text
    assert "bad" not in text
    assert "10.99.0.11 >" not in text
    assert len(frames(theirs)) == len(frames(CAPTURE))


def test_gaps_are_kept(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pcap"
    with cable() as ends:
        tcpdump = ends.run(ends.other, "tcpdump", "-U", "-i", "eth0", "-w", theirs)
        listening(tcpdump)
        sent = ends.vrrp(ends.one, "replay", CAPTURE, "-i", "eth0", "--speed", "4")
        assert sent.wait(timeout=60) == 0
        wait_for(theirs, WHOLE)
        time.sleep(0.5)
        ended(tcpdump)
    with open_capture(CAPTURE) as one, open_capture(theirs) as other:
        given = [packet.time_ns for packet in one]
        seen = [packet.time_ns for packet in other]
    length_ns = (given[-1] - given[0]) / 4
    # Loosely: a busy machine may be late, but neither early nor without any gaps.
    assert length_ns * 0.95 < seen[-1] - seen[0] < length_ns + 5_000_000_000


@pytest.mark.program("keepalived")
def test_a_real_backup_follows_a_replayed_master(tmp_path: Path) -> None:
    conf, log = tmp_path / "k.conf", tmp_path / "k.log"
    conf.write_text(
        "global_defs {\n vrrp_garp_master_repeat 1\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n"
        " priority 50\n advert_int 1\n virtual_ipaddress {\n  10.99.0.100/24\n }\n}\n"
    )
    steady = tmp_path / "steady.pcap"
    master = next(data for data in frames(CAPTURE) if data[23:24] == b"\x70")
    steady.write_bytes(pcap([(second * 10**9, master, len(master)) for second in range(7)]))
    with cable() as ends:
        sh("ip", "-n", ends.other, "addr", "add", "10.99.0.13/24", "dev", "eth0")
        with log.open("w") as out:
            files = ["-f", conf, "-p", tmp_path / "k.pid", "-r", tmp_path / "r.pid"]
            command = ["ip", "netns", "exec", ends.other, "keepalived", "-n", "-l", "-D", "-P", *map(str, files)]
            backup = subprocess.Popen(command, stdout=out, stderr=out, env=ENVIRONMENT)
        try:
            wait_for(log, 300)
            sent = ends.vrrp(ends.one, "replay", steady, "-i", "eth0")
            assert sent.wait(timeout=60) == 0
            ended_at = time.monotonic()
            assert "Entering MASTER" not in log.read_text()
            while "Entering MASTER STATE" not in log.read_text():
                assert time.monotonic() < ended_at + 30
                time.sleep(0.05)
            took_s = time.monotonic() - ended_at
        finally:
            backup.send_signal(signal.SIGTERM)
            backup.wait(timeout=20)
    assert 2.5 < took_s < 15


def test_json_live(tmp_path: Path) -> None:
    with cable() as ends:
        live = ends.vrrp(ends.other, "dump", "-i", "eth0", "--json", "-c", "5")
        time.sleep(3)
        assert ends.vrrp(ends.one, "replay", CAPTURE, "-i", "eth0", "--speed", "1000").wait(timeout=60) == 0
        out, _ = live.communicate(timeout=30)
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 5
    assert abs(float(rows[0]["frame.time_epoch"]) - time.time()) < 300


def test_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["dump", "-i", "no-such0"], ["replay", str(CAPTURE), "-i", "no-such0"]):
        assert run(arguments) == 2
        out, complaint = capsys.readouterr()
        assert out == ""
        assert complaint.endswith("no-such0: there is no such interface\n")
