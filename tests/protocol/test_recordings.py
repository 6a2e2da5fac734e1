"""keepalived itself as the judge: packets injected before a real one, played to ours at the same times.

Each recording holds r1's configuration, a capture of the LAN, and what r1's log said it became. Two of them are
kept in `data`; all four are read where the recordings are.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dpkt
import pytest

from protocol.routers import MS_NS, S_NS, Timeline, settings
from vrrp.protocol.effects import Announce, Effect, SendAdvertisement, StateChanged
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig, SyncGroupConfig
from vrrp.protocol.state import State
from vrrp.protocol.validation import Discard
from vrrp.wire.arp import ArpPacket
from vrrp.wire.frame import Datagram, Frame, parse_frame

DATA = Path(__file__).parent / "data"
R1_MAC = bytes.fromhex("020000000001")
TOLERANCE_NS = 30 * MS_NS

# r1.conf of each, by hand: what is not the default of keepalived 2.2.7.
CONFIGS: dict[str, dict[str, Any]] = {
    "inject_backup_v2": {},
    "inject_master_v2": {},
    "inject_nopreempt": {"preempt": False},
    "inject_v3": {"version": 3},
}

# What each injected packet is there to show (keepalived.md sections 5 to 7); None: it is taken.
INTENTS: dict[str, dict[str, Discard | None]] = {
    "inject_backup_v2": {
        "inject ttl 254": Discard.TTL,
        "inject version 3": Discard.VERSION,
        "inject version 1": Discard.LENGTH,  # counts as version 3: "too long, length 40 and expect 32"
        "inject auth type 1": Discard.AUTH_TYPE,
        "inject auth type 3": Discard.AUTH_TYPE,
        "inject auth type 0 but auth data set": None,
        "inject adv 2": Discard.INTERVAL,
        "inject adv 0": Discard.INTERVAL,
        "inject type 2": Discard.TYPE,
        "inject count 2, two ips": Discard.ADDRESS_COUNT,
        "inject count 0": Discard.ADDRESS_COUNT,
        "inject one other ip": Discard.ADDRESS_LIST,
        "inject bad checksum": Discard.CHECKSUM,
        "inject 4 bytes too long": Discard.LENGTH,
        "inject 4 bytes too short": Discard.LENGTH,
        "inject 20 bytes cut": Discard.TOO_SHORT,
        "inject count 2, one ip present": Discard.LENGTH,
        "inject vrid 52": Discard.UNKNOWN_VRID,
        "inject unicast to us": Discard.DESTINATION,
        "inject lower prio 50 from .9": None,
        "inject equal prio 100 from .9": None,
        "inject our own source ip": Discard.OWN_ADDRESS,
        "inject off-subnet source": None,
        "inject prio 255": None,
        "inject prio 0 from .9 (not the master)": None,
    },
    "inject_master_v2": {
        "inject prio 0": None,
        "inject lower prio 50": None,
        "inject bad checksum": Discard.CHECKSUM,
        "inject vrid 52": Discard.UNKNOWN_VRID,
        "inject ttl 254": Discard.TTL,
        "inject equal prio, our own ip": Discard.OWN_ADDRESS,
        "inject equal prio, lower ip 9.0.0.1": None,
        "bad checksum every 0.5 s for 5 s": Discard.CHECKSUM,
        "inject equal prio 100, higher ip .2": None,
        "inject prio 200 once": None,
        "inject prio 101 once": None,
    },
    "inject_nopreempt": {
        "inject lower prio 50": None,
        "inject last lower prio 50": None,
        "inject prio 50 to nopreempt MASTER": None,
    },
    "inject_v3": {
        "inject v3 ok": None,
        "inject checksum without pseudo header": Discard.CHECKSUM,
        "inject reserved bits 0xf": None,
        "inject v2 packet": Discard.VERSION,
        "inject ttl 1": Discard.TTL,
        "inject one other ip": Discard.ADDRESS_LIST,
        "inject count 0": Discard.ADDRESS_COUNT,
        "inject lower prio 50 with adv 5 s": None,
        "inject higher with adv 0.5 s": None,
        "inject adv 5 s once: down timer 3*5+0.609*5": None,
        "inject prio 0 to master": None,
        "inject hold": None,
        "inject prio 0 with adv 5 s to backup": None,
        "inject adv 0": None,
    },
}


@dataclass
class Playback:
    """A recording, and what our router made of its injected packets: times from the recording's zero."""

    name: str
    recording: dict[str, Any]
    recorded: list[tuple[int, Frame]]
    timeline: Timeline
    verdicts: list[tuple[int, Discard | None]]

    def own(self) -> list[tuple[int, Frame]]:
        return [(at, frame) for at, frame in self.recorded if frame.source == R1_MAC]


def ns(seconds: float) -> int:
    return round(seconds * 1e6) * 1000


def read(folder: Path, capture: str = "lan0.pcap") -> tuple[dict[str, Any], list[tuple[int, Frame]]]:
    recording = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    with (folder / capture).open("rb") as file:
        frames = [(ns(float(at) - recording["t0_unix"]), parse_frame(raw)) for at, raw in dpkt.pcap.Reader(file)]
    return recording, frames


def verdict(before: Counter[Discard], after: Counter[Discard]) -> Discard | None:
    return next(iter(after - before), None)


def play(folder: Path) -> Playback:
    recording, frames = read(folder)
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", **CONFIGS[folder.name])
    addresses = [address.partition("/")[0] for address in recording["routers"]["r1"]["interfaces"]["eth0"]]
    router = Router(RouterConfig(virtual_routers=(config,)), profile=KEEPALIVED, interfaces={"eth0": addresses})
    (started,) = [moved for moved in recording["transitions"] if moved["init"]]
    timeline: Timeline = []
    verdicts: list[tuple[int, Discard | None]] = []

    def note(now_ns: int, effects: list[Effect]) -> None:
        timeline.extend((now_ns, effect) for effect in effects)

    def wait(until_ns: int) -> None:
        while router.deadline_ns is not None and router.deadline_ns <= until_ns:
            now_ns = router.deadline_ns
            note(now_ns, [effect for _, effect in router.expire(now_ns)])

    router.start(ns(started["t"]))
    for at_ns, frame in frames:
        wait(at_ns)
        if frame.source != R1_MAC and isinstance(frame.content, Datagram):
            before = router.strangers + router.counters("VI_1").discarded
            note(at_ns, [effect for _, effect in router.receive(at_ns, "eth0", frame.content)])
            verdicts.append((at_ns, verdict(before, router.strangers + router.counters("VI_1").discarded)))
    return Playback(folder.name, recording, frames, timeline, verdicts)


KEPT = ("inject_backup_v2", "inject_master_v2")


@pytest.fixture(params=[("data", name) for name in KEPT] + [("shared", name) for name in CONFIGS], ids="-".join)
def playback(request: pytest.FixtureRequest) -> Playback:
    where, name = request.param
    if where == "data":
        return play(DATA / name)
    shared: Path = request.getfixturevalue("shared")
    return play(shared / "recordings" / "keepalived" / name)


def assert_near(ours_ns: list[int], theirs_ns: list[int]) -> None:
    assert len(ours_ns) == len(theirs_ns), (ours_ns, theirs_ns)
    for ours, theirs in zip(ours_ns, theirs_ns, strict=True):
        assert abs(ours - theirs) < TOLERANCE_NS, f"{ours / S_NS:.3f} instead of {theirs / S_NS:.3f}"


def test_becomes_what_keepalived_became(playback: Playback) -> None:
    recorded = [moved for moved in playback.recording["transitions"] if not moved["init"]]
    ours = [(at, effect.new) for at, effect in playback.timeline if isinstance(effect, StateChanged)]
    assert [state for _, state in ours] == [State(moved["to"]) for moved in recorded]
    assert_near([at for at, _ in ours], [ns(moved["t"]) for moved in recorded])


def test_advertises_when_keepalived_did(playback: Playback) -> None:
    theirs = [at for at, frame in playback.own() if isinstance(frame.content, Datagram)]
    assert theirs
    assert_near([at for at, effect in playback.timeline if isinstance(effect, SendAdvertisement)], theirs)


def test_announces_when_keepalived_did(playback: Playback) -> None:
    theirs = [at for at, frame in playback.own() if isinstance(frame.content, ArpPacket)]
    assert theirs
    ours = [at for at, effect in playback.timeline if isinstance(effect, Announce) for _ in range(effect.repeat)]
    assert_near(ours, theirs)


def test_discards_for_the_reason_that_was_meant(playback: Playback) -> None:
    intents = INTENTS[playback.name]
    injected = [event for event in playback.recording["events"] if event["action"] in {"inject", "other"}]
    assert {event["what"] for event in injected} == intents.keys()
    for event in injected:
        # The event is stamped before the packet leaves; the next packet of the injector is it.
        at_ns, reason = next((at, reason) for at, reason in playback.verdicts if at >= ns(event["t"]))
        assert at_ns - ns(event["t"]) < 10 * MS_NS
        assert reason is intents[event["what"]], event["what"]


def test_packets_between_the_injected_ones_are_taken(playback: Playback) -> None:
    bad = sum(reason is not None for _, reason in playback.verdicts)
    intents = INTENTS[playback.name]
    injected = [event["what"] for event in playback.recording["events"] if event["action"] == "inject"]
    series = 10 if "bad checksum every 0.5 s for 5 s" in intents else 0
    assert bad == sum(intents[what] is not None for what in injected) + series


def test_kept_recordings_are_the_shared_ones(shared: Path) -> None:
    kept = sorted(path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())
    assert len(kept) == 6
    for path in kept:
        assert (DATA / path).read_bytes() == (shared / "recordings" / "keepalived" / path).read_bytes()


@pytest.mark.parametrize(("name", "priority"), [("r1", 101), ("r2", 100)])
def test_both_sides_of_a_sync_group(shared: Path, name: str, priority: int) -> None:
    """Each router of the recording sync_group hears the other; r1 loses eth1 for a while and is stopped."""
    folder = shared / "recordings" / "keepalived" / "sync_group"
    recording = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    mine = int(name[1])
    configs = (
        settings(KEEPALIVED, name="VI_1", interface="eth0", priority=priority),
        settings(KEEPALIVED, name="VI_2", interface="eth1", priority=priority, vrid=52, addresses=["10.1.0.100"]),
    )
    router = Router(
        RouterConfig(virtual_routers=configs, sync_groups=(SyncGroupConfig("G1", ("VI_1", "VI_2")),)),
        profile=KEEPALIVED,
        interfaces={f"eth{n}": [f"10.{n}.0.{mine}"] for n in (0, 1)},
    )
    happenings: list[tuple[int, str, Datagram | str]] = [
        (ns(event["t"]), event.get("interface", ""), event["action"])
        for event in recording["events"]
        if event["router"] == name and event["action"] in {"link-down", "link-up", "stop"}
    ]
    for number in (0, 1):
        for at_ns, frame in read(folder, f"lan{number}.pcap")[1]:
            if frame.source[5] != mine and isinstance(frame.content, Datagram):
                happenings += [(at_ns, f"eth{number}", frame.content)]
    moved: list[tuple[int, str, State]] = []

    def note(now_ns: int, effects: KeyedEffects) -> None:
        for owner, effect in effects:
            if owner is not None and isinstance(effect, StateChanged):
                moved.append((now_ns, owner.config.name, effect.new))

    recorded = [m for m in recording["transitions"] if m["router"] == name]
    router.start(ns(recorded[0]["t"]))
    for at_ns, interface, happening in sorted(happenings, key=lambda item: item[0]):
        while router.deadline_ns is not None and router.deadline_ns <= at_ns:
            note(router.deadline_ns, router.expire(router.deadline_ns))
        if isinstance(happening, Datagram):
            note(at_ns, router.receive(at_ns, interface, happening))
        elif happening == "stop":
            router.stop(at_ns)
        else:
            note(at_ns, router.set_interface(at_ns, interface, happening == "link-up"))
    while router.deadline_ns is not None and router.deadline_ns < 23 * S_NS:
        note(router.deadline_ns, router.expire(router.deadline_ns))
    for member in ("VI_1", "VI_2"):
        theirs = [m for m in recorded if m["instance"] == member and not m["init"]]
        ours = [(at, state) for at, owner, state in moved if owner == member]
        assert [state for _, state in ours] == [State(m["to"]) for m in theirs]
        assert_near([at for at, _ in ours], [ns(m["t"]) for m in theirs])
