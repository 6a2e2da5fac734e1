"""The benchmarks measure what they say: all contestants do the same work, verify, and are timed in turn."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import __main__ as program
from benchmarks import captures, daemon, measure, peer_ours, report
from benchmarks.codec import codec_races
from benchmarks.measure import Absent, Contestant, DisagreementError, Race, Standing, agree, run
from benchmarks.messages import Message, framed, random_messages, steady, strangers
from benchmarks.peer_dpkt import Dpkt
from benchmarks.peer_osken import load_osken
from benchmarks.peer_scapy import load_scapy
from benchmarks.peers import Job
from benchmarks.report import document, table
from benchmarks.requests import request_races
from benchmarks.simulator import OurNetwork, priorities, simulator_races
from conftest import ROOT
from vrrp import master_down_ns
from vrrp.wire.frame import parse_frame

MESSAGES = 60
CODEC_TITLES = [
    *(
        f"{what} {kind}"
        for what in ("decode", "encode")
        for kind in ("v2, 1 address", "v3/IPv4, 1 address", "v3/IPv4, 3 addresses", "v3/IPv6, 2 addresses")
    ),
    "frame, each one new",
    "frame, a steady master's",
]
SIMULATION_TITLES = (
    "simulate 3 backups",
    "simulate 20 backups",
    "100 clients ask",
    "100 clients ask inside TLS",
    "100 by HAProxy tcp, kept",
    "100 by HAProxy tcp",
    "100 by HAProxy http, kept",
)
Results = list[tuple[Race, tuple[Standing | Absent, ...]]]


@pytest.fixture(scope="module")
def results() -> Results:
    """Every race, run as shortly as can be."""
    races = (*codec_races(MESSAGES), *simulator_races((3, 20)), *request_races())
    return [(race, run(race, 2, 1e-4)) for race in races]


def names(standings: tuple[Standing | Absent, ...]) -> list[str]:
    return [each.name if isinstance(each, Absent) else each.contestant.name for each in standings]


def test_every_race_is_run_and_its_contestants_agree(results: Results) -> None:
    assert [race.title for race, _ in results] == [*CODEC_TITLES, *SIMULATION_TITLES]
    for race, standings in results:
        assert len(standings) == 1 + len(race.peers)


def test_who_takes_part(results: Results) -> None:
    by_title = {race.title: names(standings) for race, standings in results}
    scapy, osken = (importlib.util.find_spec(name) for name in ("scapy", "os_ken"))
    verified = ["vrrp", "dpkt + verification", "os-ken", "scapy + verification" if scapy else "scapy"]
    assert by_title["decode v2, 1 address"] == ["vrrp", "dpkt as it is", *verified[1:]]
    assert by_title["decode v3/IPv4, 3 addresses"] == verified
    assert by_title["encode v2, 1 address"] == ["vrrp", "dpkt", "os-ken", "scapy"]
    assert by_title["frame, each one new"] == verified
    assert len(by_title["simulate 20 backups"]) == 4
    absent = {(each.name, each.why) for _, row in results for each in row if isinstance(each, Absent)}
    expected = {("dpkt", "reads no IPv6 addresses"), ("dpkt", "sums no pseudo-header")}
    expected |= {(name, "not installed") for name, spec in (("scapy", scapy), ("os-ken", osken)) if spec is None}
    assert absent == expected


def test_what_is_promised() -> None:
    promised = {
        (race.title, peer.name.split()[0]): peer.floor
        for race in (*codec_races(MESSAGES), *simulator_races())
        for peer in race.peers
        if isinstance(peer, Contestant) and peer.floor is not None and "scapy" not in peer.name
    }
    assert promised == {
        ("decode v2, 1 address", "dpkt"): 2.5,
        ("decode v3/IPv4, 1 address", "dpkt"): 2.5,
        ("decode v3/IPv4, 3 addresses", "dpkt"): 2.5,
        ("simulate 100 backups", "simpy,"): 5.0,
    }


def test_the_table_has_a_row_for_everybody_and_fits_a_terminal(results: Results) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table(results))
    lines = console.export_text().splitlines()
    for race, standings in results:
        at = lines.index(next(line for line in lines if line.startswith(f"{race.title} ({race.counted})")))
        for offset, each in enumerate(standings, 1):
            name = each.name if isinstance(each, Absent) else each.contestant.name
            assert lines[at + offset].startswith(f"  {name} ")
            assert (" x" in lines[at + offset]) is isinstance(each, Standing)


def test_the_document_has_every_round(results: Results) -> None:
    written = json.loads(json.dumps(document(results)))
    assert written["peers"]["dpkt"]
    for entry, (race, standings) in zip(written["races"], results, strict=True):
        assert entry["title"] == race.title
        assert [each["name"] for each in entry["contestants"]] == names(standings)
        for each in entry["contestants"]:
            assert "absent" in each or len(each["rates"]) == len(each["ratios"]) == 2


# Measuring ----------------------------------------------------------------------------------------------


class Clock:
    """CPU time by decree, and who worked when."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.log: list[tuple[str, int]] = []

    def contestant(self, name: str, seconds_each: Callable[[], float], **more: Any) -> Contestant:
        def begin(count: int) -> Callable[[], None]:
            def work() -> None:
                self.now_s += seconds_each() * count
                self.log.append((name, count))

            return work

        return Contestant(name, begin, lambda: "same", **more)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(measure, "time", SimpleNamespace(thread_time=lambda: clock.now_s))
    return clock


def test_contestants_take_turns_of_equal_time_in_alternating_order(clock: Clock) -> None:
    slow = clock.contestant("slow", lambda: 0.002)
    race = Race("r", "things", clock.contestant("ours", lambda: 0.001), (Absent("gone", "why"), slow), worth=3)
    ours, gone, other = run(race, 3, 0.4)
    assert clock.log[-6:] == [("ours", 400), ("slow", 200), ("slow", 200), ("ours", 400), ("ours", 400), ("slow", 200)]
    assert gone == Absent("gone", "why")
    assert isinstance(ours, Standing)
    assert isinstance(other, Standing)
    assert (ours.rate, ours.ratio) == pytest.approx((3000, 1))
    assert (other.rate, other.ratio) == pytest.approx((1500, 2))


def test_a_machine_that_slows_down_between_rounds_changes_no_ratio(clock: Clock) -> None:
    def slowness() -> float:
        return 1.0 + len(clock.log) // 2

    race = Race("r", "things", clock.contestant("ours", slowness), (clock.contestant("slow", lambda: 4 * slowness()),))
    ours, slow = run(race, 5, 1.0)
    assert isinstance(ours, Standing)
    assert isinstance(slow, Standing)
    assert len(set(ours.rates)) == 5
    assert slow.ratios == pytest.approx((4,) * 5)


@pytest.mark.parametrize(("floor", "held"), [(None, True), (1.9, True), (2.1, False)])
def test_a_missed_floor_is_told_and_fails(
    floor: float | None, held: bool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = clock.contestant("slow", lambda: 0.002, floor=floor)
    race = Race("some race", "things", clock.contestant("ours", lambda: 0.001), (slow, Absent("gone", "why")))
    monkeypatch.setattr(program, "FIELDS", {"codec": lambda: iter([race]), "simulator": lambda: iter([])})
    monkeypatch.setattr(captures, "measure", lambda rounds: [])
    monkeypatch.setattr(daemon, "hindrance", lambda: "no daemon here")
    outcome = CliRunner().invoke(program.command, ["--rounds", "2"])
    assert outcome.exit_code == (0 if held else 1)
    assert outcome.stderr.endswith("some race: 2.00 times as fast as slow, 2.1 promised\n") is not held
    assert ("missed" in outcome.stdout) is not held
    assert ("held" in outcome.stdout) is (held and floor is not None)


@pytest.mark.parametrize(("only", "titles"), [([], ["one", "two"]), (["--only", "simulator"], ["two"])])
def test_json_goes_to_a_file_beside_the_table_or_alone_to_standard_output(
    only: list[str], titles: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    race = Race("one", "things", clock.contestant("ours", lambda: 0.001), ())
    fields = {"codec": lambda: iter([race]), "simulator": lambda: iter([replace(race, title="two")])}
    monkeypatch.setattr(program, "FIELDS", fields)
    monkeypatch.setattr(captures, "measure", lambda rounds: [])
    monkeypatch.setattr(daemon, "hindrance", lambda: "no daemon here")
    alone = CliRunner().invoke(program.command, ["--json", "-", *only])
    file = tmp_path / "result.json"
    beside = CliRunner().invoke(program.command, ["--json", str(file), *only])
    assert [each["title"] for each in json.loads(alone.stdout)["races"]] == titles
    assert [each["title"] for each in json.loads(file.read_text(encoding="utf-8"))["races"]] == titles
    assert all(f"{title} (things)" in beside.stdout for title in titles)


@pytest.mark.program("tcpdump")
def test_captures_are_measured_beside_tcpdump() -> None:
    standings = captures.measure(2, 5000)
    assert [standing.name for standing in standings] == ["dump", "audit"]
    for standing in standings:
        assert len(standing.ratios) == 2
        assert 10 < standing.peak_mb < 200
    assert [line.split(":")[0] for line in captures.lines(standings)] == [
        "vrrp dump of 1000000 packets",
        "vrrp audit of 1000000 packets",
    ]
    assert [entry["ratio"] for entry in captures.entries(standings)] == [standing.ratio for standing in standings]


def test_what_captures_promise_and_do_not_hold() -> None:
    slow = captures.ProcessStanding("audit", (1.0,), (4.9,), 50.0, 5.0)
    large = captures.ProcessStanding("dump", (1.0,), (2.0,), 201.0, 1.0)
    assert slow.complaints == ["vrrp audit: 4.90 x tcpdump, 5 x promised"]
    assert large.complaints == ["vrrp dump: 201 MB, 200 MB promised"]
    assert captures.lines([]) == ["tcpdump is not installed: captures were not measured"]


def test_without_tcpdump_captures_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *arguments, **named: None)
    assert captures.measure(1) == []


def test_it_is_a_program() -> None:
    command = [sys.executable, "-m", "benchmarks", "--help"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.startswith("Usage: python -m benchmarks [OPTIONS]")


def test_only_installed_peers_have_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PACKAGES", ("dpkt", "no-such-package"))
    assert report.versions().keys() == {"dpkt"}


def test_who_disagrees_is_not_measured() -> None:
    def begin(count: int) -> Callable[[], None]:
        raise AssertionError("measured")

    wrong = Contestant("wrong", begin, lambda: 2)
    with pytest.raises(DisagreementError, match=r"^r: wrong says 2, ours 1$"):
        run(Race("r", "things", Contestant("ours", begin, lambda: 1), (wrong,)), 1, 1.0)


# The work ------------------------------------------------------------------------------------------------


def decoders() -> Iterator[tuple[str, Callable[[int, int], Job | str], Job]]:
    yield "vrrp", lambda version, width: peer_ours.decoding(), peer_ours.framing()
    yield "steady", lambda version, width: peer_ours.decoding(), peer_ours.remembering()
    for codec in (Dpkt(), load_osken(), load_scapy()):
        if codec is not None:
            yield codec.name, codec.decoding, codec.framing()


def broken(message: Message, at: int) -> Message:
    """One bit of the message wrong."""
    raw = bytearray(message.raw)
    raw[at] ^= 1
    return framed(replace(message, raw=bytes(raw)))


@pytest.mark.parametrize(("version", "addresses"), [(2, 1), (3, 1), (3, 3)])
@pytest.mark.parametrize("decoder", list(decoders()), ids=lambda decoder: decoder[0])
def test_everybody_verifies(
    decoder: tuple[str, Callable[[int, int], Job | str], Job], version: int, addresses: int
) -> None:
    _, decoding, framing = decoder
    decode = decoding(version, 4)
    assert isinstance(decode, Job)
    good = framed(random_messages(version, 4, addresses, 1)[0])
    expected = (
        good.advertisement.vrid,
        good.advertisement.priority,
        good.advertisement.interval_cs,
        good.advertisement.addresses,
    )
    assert decode.answer(decode.call(decode.prepare(good))) == expected
    assert framing.answer(framing.call(good.frame)) == expected
    bad = broken(good, 9)
    with pytest.raises(ValueError, match="checksum"):
        decode.call(decode.prepare(bad))
    with pytest.raises(ValueError, match="checksum"):
        framing.call(bad.frame)
    with pytest.raises(ValueError, match="IPv4 header"):
        framing.call(good.frame[:24] + b"\0\0" + good.frame[26:])


def test_frames_of_strangers_are_new_each_time_and_a_steady_masters_known() -> None:
    message = framed(random_messages(2, 4, 1, 1)[0])
    new = [parse_frame(raw).content for raw in islice(strangers([message]), 5)]
    known = [parse_frame(raw).content for raw in islice(steady(message), 5)]
    assert len({id(content) for content in new}) == 5
    assert len({id(content) for content in known}) == 1
    assert len(set(islice(steady(message), 5))) == 5
    assert set(new) == set(known)


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scapy.layers.l2", None)
    monkeypatch.setitem(sys.modules, "os_ken.lib.packet.vrrp", None)
    for race in codec_races(MESSAGES):
        agree(race)
        assert {Absent("os-ken", "not installed"), Absent("scapy", "not installed")} <= set(race.peers)


def test_our_network_does_what_the_formula_says() -> None:
    network = OurNetwork(3)
    before = network.heard()
    network.run(7)
    assert network.heard() - before == 3 * 7
    assert network.fail_over() == (0, master_down_ns(priorities(3)[0], 100, 2) / 1e9)
