"""`vrrp replay`: what it prints, what it gives to machines, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.command import Outcome, Vrrp, spawn
from conftest import ROOT
from replay.lan import CONF, Sent, capture, conf, steady
from vrrp.capture.reader import Capture, CaptureError
from vrrp.capture.replay import replay as replay_module
from vrrp.capture.replay import report
from vrrp.linux.transmit import SentReport

DATA = ROOT / "tests" / "replay" / "data"
SPLIT = DATA / "split_brain2"
PARTITION = ("--event", f"2.378s partition {SPLIT / 'lanx.pcap'}", "--event", "10.394s heal")
SPLIT_CAPTURES = (SPLIT / "lan0.pcap", SPLIT / "lanx.pcap", "--as", SPLIT / "r1.conf")


def replayed(vrrp: Vrrp, folder: Path, sent: list[Sent], *options: object) -> Outcome:
    return vrrp("replay", capture(folder / "a.pcap", sent), "--as", conf(folder / "r.conf"), *options)


# A capture --------------------------------------------------------------------------------------------------


def test_a_router_that_did_what_it_does(vrrp: Vrrp) -> None:
    outcome = vrrp("replay", *SPLIT_CAPTURES, *PARTITION)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    # The recording's log: MASTER at 9.241967, BACKUP at 14.246608; its first packet was captured at 3.629.
    assert [" ".join(line.split()[2:]) for line in lines if " → " in line] == [
        "VI_1 INITIALIZE → BACKUP start",
        "VI_1 BACKUP → MASTER no advertisement for 3.609 s",
        "VI_1 MASTER → BACKUP 10.0.0.2 has higher priority 101, our priority is 100",
    ]
    assert lines[0].endswith("14.618 s from 2026-11-23 00:08:20.380 UTC, heard by a keepalived router")
    assert lines[1] == "57 packets, 8 VRRP heard, 6 its own, 8 not for it"
    assert lines[2] == "eth0 is 10.0.0.1: it alone advertises VRID 51 with priority 100"
    assert lines[-1] == "It did what it was recorded to do."


def test_a_file_that_is_read_for_a_configuration_id(tmp_path: Path, vrrp: Vrrp) -> None:
    lines = (SPLIT / "r1.conf").read_text().splitlines()
    router = tmp_path / "r1.conf"
    router.write_text("".join(f"@r1 {line}\n" for line in lines if line))
    arguments = ("replay", SPLIT / "lan0.pcap", SPLIT / "lanx.pcap", "--as", router, *PARTITION)
    outcome = vrrp(*arguments, "--config-id", "r1")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "It did what it was recorded to do.")
    assert vrrp(*arguments, "--config-id", "r2").complaint.endswith("no vrrp_instance in it; nothing to be")


def test_what_no_capture_shows_is_a_difference_with_a_hint(vrrp: Vrrp) -> None:
    folder = DATA / "basic3_v2"
    outcome = vrrp("replay", folder / "lan0.pcap", "--as", folder / "r2.conf")
    assert outcome.code == 1
    *_, count, difference, hint = outcome.out.splitlines()
    assert count == "1 difference from what it was recorded to do"
    assert difference.strip().startswith(
        "4.885  VI_1: recorded priority 101 3 times (2.884 to 4.885); replayed priority"
    )
    assert hint.strip() == "it fell silent: was it stopped, killed or cut off? Tell with --event"
    healed = vrrp(
        "replay", folder / "lan0.pcap", "--as", folder / "r2.conf", "--event", "5.7s crash", "--event", "15.9s start"
    )
    assert healed.code == 0
    assert ", 8 while it did not run" in healed.out


def test_for_machines(vrrp: Vrrp) -> None:
    outcome = vrrp("replay", *SPLIT_CAPTURES, *PARTITION, "--json", "-")
    told = json.loads(outcome.out)
    assert list(told) == [
        "captures",
        "profile",
        "first_packet",
        "duration_s",
        "start",
        "interfaces",
        "transitions",
        "priorities",
        "advertised",
        "differences",
        "discarded",
        "packets",
        "notes",
    ]
    assert [(round(t["t"], 2), t["to"]) for t in told["transitions"]] == [
        (0, "BACKUP"),
        (5.61, "MASTER"),
        (10.62, "BACKUP"),
    ]
    assert told["packets"] == {"read": 57, "heard": 8, "own": 6, "missed": 0, "elsewhere": 8}
    assert told["interfaces"] == {"eth0": ["10.0.0.1"]}
    recorded = told["advertised"]["VI_1"]["recorded"]
    assert [(one["priority"], one["count"]) for one in recorded] == [(100, 6)]
    assert told["differences"] == []


def test_differences_for_machines(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "out.json"
    outcome = replayed(vrrp, tmp_path, [*steady(0, 9), Sent(5, "10.0.0.1", 100)], "--json", file)
    assert outcome.code == 1
    assert outcome.out
    (difference,) = json.loads(file.read_text())["differences"]
    assert difference == {
        "t": 5.0,
        "instance": "VI_1",
        "recorded": {"priority": 100, "from": 5.0, "to": 5.0, "count": 1},
        "replayed": None,
        "hint": "one advertisement alone is mostly a race: two timers ended within milliseconds",
    }


def test_scripts_and_priorities(tmp_path: Path, vrrp: Vrrp) -> None:
    text = "vrrp_script chk {\n script /bin/true\n weight -5\n}\n" + CONF.replace(
        "priority", "track_script {\n chk\n }\n priority"
    )
    file = capture(tmp_path / "a.pcap", steady(0, 9, priority=99, source="10.0.0.3"))
    arguments = (file, "--as", conf(tmp_path / "r.conf", text), "--address", "10.0.0.1", "--event", "5.5s script-fail")
    outcome = vrrp("replay", *arguments, "--ideal")
    assert outcome.code == 0
    assert "100 → 95" in outcome.out
    assert "10.0.0.3 has higher priority 99, our priority is 95 (chk failed once: 100 → 95)" in outcome.out
    assert outcome.out.splitlines()[-1] == (
        "The router itself sent nothing in this capture: there is nothing to compare with."
    )
    told = json.loads(vrrp("replay", *arguments, "--json", "-").out)
    assert [(p["from"], p["to"]) for p in told["priorities"]] == [(100, 95)]


def test_discarded_packets(tmp_path: Path, vrrp: Vrrp) -> None:
    sent = [
        *steady(0, 5, version=3),
        Sent(2.5, vrid=7),
        Sent(2.6, "10.0.0.1", vrid=7, mac=b"\2\0\0\0\0\1"),
        Sent(3.5, "10.0.0.1", 100, mac=b"\2\0\0\0\0\1"),
        Sent(4.5, "10.0.0.1", 200),
    ]
    outcome = replayed(vrrp, tmp_path, sent, "--mac", "02:00:00:00:00:01", "--address", "10.0.0.1", "--start", "-60s")
    lines = outcome.out.splitlines()
    begin = lines.index("Discarded")
    assert lines[begin + 1 : begin + 4] == [
        "  no instance: 1 x virtual router not configured here",
        "  VI_1: 6 x other version",
        "  VI_1: 1 x sent by this router itself",
    ]
    assert json.loads(replayed(vrrp, tmp_path, sent, "--json", "-", "--address", "10.0.0.1").out)["discarded"] == {
        "VI_1": {"VERSION": 6},
        "": {"UNKNOWN_VRID": 1},
    }


def test_what_is_unicast_to_others_is_not_heard(tmp_path: Path, vrrp: Vrrp) -> None:
    sent = [*steady(0, 5, to="10.0.0.9"), Sent(0.5, "10.0.0.1", 100), Sent(6, to="10.0.0.1")]
    told = json.loads(replayed(vrrp, tmp_path, sent, "--json", "-").out)
    assert told["packets"] == {"read": 8, "heard": 1, "own": 1, "missed": 0, "elsewhere": 6}
    assert told["discarded"] == {"VI_1": {"DESTINATION": 1}}


def test_long_stories_are_cut(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "MOST_TRANSITIONS", 4)
    monkeypatch.setattr(report, "MOST_ROWS", 3)
    sent = [Sent(5 * second, priority=200) for second in range(1, 5)]
    outcome = replayed(vrrp, tmp_path, sent, "--address", "10.0.0.1")
    assert "\nand 5 more\n" in outcome.out  # of one start and seven transitions, three are shown


def test_a_capture_whose_clock_jumps(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [Sent(0, "10.0.0.1", 100), Sent(10**8)]
    file, router = capture(tmp_path / "a.pcap", sent), conf(tmp_path / "r.conf")
    monkeypatch.setattr("vrrp.capture.replay.prepare.MOST_WAKES", 100)
    outcome = vrrp("replay", file, "--as", router)
    assert "given up after 142 s, most of them without a packet: does the clock jump?" in outcome.out


def test_a_damaged_capture(tmp_path: Path, vrrp: Vrrp) -> None:
    file = capture(tmp_path / "a.pcap", [Sent(0), Sent(1)])
    file.write_bytes(file.read_bytes()[:-1])
    outcome = vrrp("replay", file, "--as", conf(tmp_path / "r.conf"), "--address", "10.0.0.1")
    assert outcome.code == 0
    assert len([line for line in outcome.out.splitlines() if line.startswith(f"{file}: ")]) == 2


def test_a_bar_on_a_terminal(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda console: console.stderr))
    monkeypatch.setattr(replay_module, "_PROGRESS_EACH", 1)
    monkeypatch.setenv("COLUMNS", "300")  # the folder's name is long where several processes run the tests
    assert "a.pcap: 11 packets" in replayed(vrrp, tmp_path, steady(0, 10), "--address", "10.0.0.1").err


def test_without_unicode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    file = capture(tmp_path / "a.pcap", steady(0, 3))
    process = spawn("replay", file, "--as", conf(tmp_path / "r.conf"), "--address", "10.0.0.1")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "INITIALIZE -> BACKUP" in out


# Its input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "r.conf: no vrrp_instance in it; nothing to be"),
        (CONF.replace("51", "300"), "r.conf:1: (VI_1) the virtual router id must be set"),
        (CONF.replace("10.0.0.100", ""), "r.conf:"),
    ],
)
def test_a_configuration_that_nobody_can_be(tmp_path: Path, vrrp: Vrrp, text: str, complaint: str) -> None:
    file = capture(tmp_path / "a.pcap", [Sent(0)])
    assert complaint in vrrp("replay", file, "--as", conf(tmp_path / "r.conf", text)).complaint


def test_files_that_are_not_there(tmp_path: Path, vrrp: Vrrp) -> None:
    file, router = capture(tmp_path / "a.pcap", [Sent(0)]), conf(tmp_path / "r.conf")
    nothing = tmp_path / "nothing"
    assert vrrp("replay", nothing, "--as", router).complaint == f"vrrp: {nothing}: no such file or directory"
    assert vrrp("replay", nothing).complaint == f"vrrp: {nothing}: no such file or directory"
    assert vrrp("replay", file, "--as", nothing).complaint == f"vrrp: {nothing}: no such file or directory"
    assert vrrp("replay", router, "--as", router).complaint.startswith(f"vrrp: {router}: not a capture")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-"], "vrrp: standard input cannot be read twice; give a file"),
        (["a.pcap", "-i", "eth0", "--as", "r.conf"], "--as hears the capture, -i sends it; one of them"),
        (["a.pcap", "--as", "r.conf", "--speed", "2"], "--speed and --rewrite go with -i"),
        (["a.pcap", "b.pcap"], "--as CONF to be a router, or -i IFACE to send; neither is given"),
    ],
)
def test_options_that_do_not_go_together(vrrp: Vrrp, arguments: list[str], complaint: str) -> None:
    assert complaint in vrrp("replay", *arguments).complaint


def test_an_event_that_cannot_be(tmp_path: Path, vrrp: Vrrp) -> None:
    outcome = replayed(vrrp, tmp_path, [Sent(0, "10.0.0.1", 100)], "--event", "1s link-down")
    assert "--event: '1s link-down': which interface? Write \"1s link-down eth0\"" in outcome.complaint


# Journals ---------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path, vrrp: Vrrp) -> Path:
    file = tmp_path / "a.journal"
    folder = DATA / "basic3_v2"
    events = ("--event", "5.7s crash", "--event", "15.9s start")
    assert vrrp("replay", folder / "lan0.pcap", "--as", folder / "r2.conf", "--journal", file, *events).code == 0
    return file


def test_a_journal_is_replayed_to_the_same_effects(journal: Path, vrrp: Vrrp) -> None:
    inputs = sum('"in":' in line for line in journal.read_text().splitlines())
    assert vrrp("replay", journal) == Outcome(0, f"{journal}: same effects: {inputs} inputs\n", "")
    assert json.loads(vrrp("replay", journal, "--json", "-").out) == {"inputs": inputs, "differing": 0, "first": None}


def test_the_first_difference_is_shown(journal: Path, vrrp: Vrrp) -> None:
    lines = journal.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if '"announce"' in line)
    lines[number - 1] = lines[number - 1].replace("], 5]", "], 4]")
    journal.write_text("".join(lines))
    outcome = vrrp("replay", journal)
    assert outcome.code == 1
    head, where, recorded, now = outcome.out.splitlines()
    assert head.startswith(f"{journal}: 1 of ")
    assert where.startswith(f"{journal}:{number}: expire at 1795392370")
    assert '["10.0.0.100"], 4]' in recorded
    assert '["10.0.0.100"], 5]' in now
    told = json.loads(vrrp("replay", journal, "--json", "-").out)
    assert (told["differing"], told["first"]["line"], told["first"]["input"]) == (1, number, "expire")


def test_a_damaged_journal(journal: Path, vrrp: Vrrp) -> None:
    journal.write_bytes(journal.read_bytes()[:-30])
    last = len(journal.read_text().splitlines())
    assert vrrp("replay", journal).complaint.startswith(f"vrrp: {journal}:{last}: no JSON: ")
    journal.write_bytes(b'{"journal": 1, "profile": "\xff"}')
    assert vrrp("replay", journal).complaint.startswith(f"vrrp: {journal}:1: there is no profile ")


def test_a_journal_that_cannot_be_written(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "nowhere" / "a.journal"
    outcome = replayed(vrrp, tmp_path, [Sent(0, "10.0.0.1", 100)], "--journal", file)
    assert outcome.complaint == f"vrrp: {file}: no such file or directory"


# Sending ----------------------------------------------------------------------------------------------------


class Transmitter:
    """Stands where packets leave, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float, dict[bytes, bytes], int]] = []

    def send_capture(self, given: Capture, interface: str, *, speed: float, rewrite: dict[bytes, bytes]) -> SentReport:
        if interface == "eth9":
            raise CaptureError("eth9: there is no such interface")
        self.asked.append((given.name, interface, speed, rewrite, len(list(given))))
        return SentReport(sent=self.asked[-1][4], cut=1)


@pytest.fixture
def transmitter(monkeypatch: pytest.MonkeyPatch) -> Transmitter:
    stand_in = Transmitter()
    monkeypatch.setattr("vrrp.linux.transmit.send_capture", stand_in.send_capture)
    return stand_in


def test_captures_are_sent_one_after_the_other(tmp_path: Path, vrrp: Vrrp, transmitter: Transmitter) -> None:
    one, two = capture(tmp_path / "a.pcap", steady(0, 2)), capture(tmp_path / "b.pcap", steady(0, 4))
    rewrites = ("10.0.0.2=10.9.0.2", "fe80::1=fe80::2", "02:00:00:00:00:01=02-00-00-00-00-09")
    assert (
        vrrp(
            "replay", one, two, "-i", "veth0", "--speed", "2.5", *(w for r in rewrites for w in ("--rewrite", r))
        ).code
        == 0
    )
    expected = {
        b"\x0a\0\0\2": b"\x0a\x09\0\2",
        bytes.fromhex("fe80000000000000" + "0000000000000001"): bytes.fromhex("fe80000000000000" + "0000000000000002"),
        b"\2\0\0\0\0\1": b"\2\0\0\0\0\x09",
    }
    assert transmitter.asked == [(str(one), "veth0", 2.5, expected, 3), (str(two), "veth0", 2.5, expected, 5)]
    outcome = vrrp("replay", one, "-i", "veth0")
    said = "3 packets sent, the latest 0.000 ms late; 1 not sent, of which the capture holds only the beginning"
    assert outcome == Outcome(0, f"{one}: {said}\n", "")
    (told,) = json.loads(vrrp("replay", one, "-i", "veth0", "--json", "-").out)["captures"]
    assert told == {"capture": str(one), "sent": 3, "cut": 1, "too_long": 0, "jumps": 0, "worst_late_ns": 0}
    assert transmitter.asked[2] == (str(one), "veth0", 1.0, {}, 3)


@pytest.mark.parametrize(
    ("rewrite", "complaint"),
    [
        ("10.0.0.1", "--rewrite: '10.0.0.1'; write OLD=NEW, two addresses of one kind"),
        ("10.0.0.1=fe80::1", "--rewrite: '10.0.0.1=fe80::1'; write OLD=NEW"),
        ("10.0.0.1=red", "--rewrite: 'red' is no MAC, IPv4 or IPv6 address"),
        ("0g:00:00:00:00:01=02:00:00:00:00:01", "--rewrite: '0g:00:00:00:00:01' is no MAC, IPv4 or IPv6 address"),
    ],
)
def test_what_cannot_be_rewritten(vrrp: Vrrp, transmitter: Transmitter, rewrite: str, complaint: str) -> None:
    assert complaint in vrrp("replay", "a.pcap", "-i", "veth0", "--rewrite", rewrite).complaint


def test_what_cannot_be_sent(tmp_path: Path, vrrp: Vrrp, transmitter: Transmitter) -> None:
    file = capture(tmp_path / "a.pcap", [Sent(0)])
    assert vrrp("replay", file, "-i", "eth9").complaint == f"vrrp: {file}: eth9: there is no such interface"
    assert vrrp("replay", tmp_path / "x", "-i", "eth0").complaint.endswith("/x: no such file or directory")
    assert vrrp("replay", conf(tmp_path / "r.conf"), "-i", "eth0").complaint.startswith(
        f"vrrp: {tmp_path}/r.conf: not a"
    )
