"""What a run showed, told alike for a recording of real processes and for its simulation: states, and the wire."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import dpkt

from conftest import ROOT
from fidelity.recording import MS_NS, Entry, Recording
from sim.inputs import from_scenario
from sim.network import Network
from sim.result import Result
from vrrp.protocol.lateness import Lateness
from vrrp.protocol.profile import profile_named
from vrrp.wire.address import text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.arp import REQUEST, ArpPacket
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.errors import DecodeError
from vrrp.wire.frame import Datagram, Frame, decode_datagram, parse_frame
from vrrp.wire.neighbor import NeighborAdvertisement

FOLDERS = [ROOT / "tests" / part / "data" for part in ("fidelity", "replay", "protocol")]
S_NS = 1_000 * MS_NS


@dataclass(frozen=True, slots=True)
class Advert:
    """An advertisement on the wire."""

    at_ns: int
    router: str
    advertisement: Advertisement
    frame: Frame

    @property
    def priority(self) -> int:
        return self.advertisement.priority

    @property
    def identification(self) -> int:
        """The IPv4 header's."""
        return int.from_bytes(self.frame.raw[18:20], "big")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A gratuitous ARP or an unsolicited neighbor advertisement on the wire."""

    at_ns: int
    router: str
    address: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Story:
    """One run. `result` is the simulator's, None for a recording."""

    entries: tuple[Entry, ...]
    adverts: tuple[Advert, ...]
    announcements: tuple[Announcement, ...]
    result: Result | None = None

    @property
    def last_ns(self) -> int:
        """When somebody was last heard of on the wire."""
        times = [a.at_ns for a in self.adverts] + [a.at_ns for a in self.announcements]
        return max(times, default=0)

    def became(self, router: str, state: str, instance: str = "VI_1", after_ns: int = 0) -> list[int]:
        """When the router became that."""
        return [
            e.at_ns
            for e in self.entries
            if (e.node, e.state, e.instance) == (router, state, instance) and e.at_ns >= after_ns
        ]

    def from_router(
        self, router: str, after_ns: int = 0, before_ns: int = 1 << 62, *, vrid: int | None = None
    ) -> list[Advert]:
        """Its advertisements in that time."""
        return [
            a
            for a in self.adverts
            if a.router == router and after_ns <= a.at_ns < before_ns and vrid in (None, a.advertisement.vrid)
        ]

    def announced(self, router: str, after_ns: int = 0, before_ns: int = 1 << 62) -> list[Announcement]:
        """Its announcements in that time."""
        return [a for a in self.announcements if a.router == router and after_ns <= a.at_ns < before_ns]

    def batches(self, router: str, after_ns: int = 0, before_ns: int = 1 << 62) -> list[list[Announcement]]:
        """Its announcements, those within 50 ms of each other together."""
        found: list[list[Announcement]] = []
        for one in self.announced(router, after_ns, before_ns):
            if found and one.at_ns - found[-1][-1].at_ns < 50 * MS_NS:
                found[-1].append(one)
            else:
                found.append([one])
        return found

    def handovers(self, old: str, new: str) -> list[tuple[Advert, Advert]]:
        """The last advertisement of one router and the first of the other that followed it, each time."""
        return [(one, two) for one, two in pairwise(self.adverts) if (one.router, two.router) == (old, new)]

    def gaps_ns(self, router: str, after_ns: int = 0, before_ns: int = 1 << 62) -> list[int]:
        """Between each two of its advertisements in that time."""
        return [two.at_ns - one.at_ns for one, two in pairwise(self.from_router(router, after_ns, before_ns))]


def open_pcap(capture: Path) -> BinaryIO:
    """The capture, or the one kept in its place because it is large."""
    return capture.open("rb") if capture.exists() else gzip.open(f"{capture}.gz", "rb")  # type: ignore[return-value]  # it reads as any file


def folder_of(name: str) -> Path:
    """Where the recording of this name is kept."""
    return next(folder / name for folder in FOLDERS if (folder / name).is_dir())


@cache
def recorded(name: str) -> Story:
    """What keepalived did."""
    recording = Recording(folder_of(name))

    def router_of(frame: Frame) -> str:
        # A virtual MAC does not tell who sent it; the address in the packet does.
        if frame.source.startswith(b"\x02\0"):
            return f"r{frame.source[5]}"
        return f"r{frame.content.source[-1]}" if isinstance(frame.content, Datagram) else "virtual"

    return _told(recording.entries, _frames(recording), router_of)


def _frames(recording: Recording) -> Iterator[tuple[int, bytes]]:
    """What was captured: nanoseconds from the recording's zero, and the bytes."""
    for capture in recording.captures:
        with open_pcap(capture) as file:
            yield from ((round((float(at) - recording.zero) * S_NS), raw) for at, raw in dpkt.pcap.Reader(file))


@cache
def simulated(name: str, *, ideal: bool = False) -> Story:
    """What the simulator predicts for the same, for as long as the capture lasts."""
    recording = Recording(folder_of(name))
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.toml"
        file.write_text(recording.scenario(), encoding="utf-8")
        inputs = from_scenario(file)
        network = Network(inputs.scenario, inputs.source, dict(inputs.configs), ideal=ideal, reloads=inputs.reloads)
    if not ideal:
        never_surprised(network)
    wire: list[tuple[int, bytes]] = []
    for segment in network.segments.values():
        segment.taps.append(lambda now_ns, raw: wire.append((now_ns, raw)))
    if "inject" in recording.foreign:
        _inject(recording, network)
    result = network.run(max(recording.end_ns, recorded(name).last_ns + MS_NS))
    owners = {i.mac: node.name for node in network.nodes.values() for i in node.interfaces.values()}
    addresses = {a: node.name for node in network.nodes.values() for i in node.interfaces.values() for a in i.own}

    def router_of(frame: Frame) -> str:
        source = frame.content.source if isinstance(frame.content, Datagram) else b""
        return owners.get(frame.source) or addresses.get(source, "virtual")

    entries = [Entry(t.at_ns, t.node, t.instance, t.new) for t in result.transitions]
    return _told(entries, iter(wire), router_of, result)


def never_surprised(network: Network) -> None:
    """Make every process as late as it usually is, each time: what was recorded was a matter of chance, too."""
    for node in network.nodes.values():
        profile = profile_named(network.scenario.nodes[node.name].profile or network.scenario.profile)
        node.lateness = Lateness.always(profile.timer_latency_ns)


class _Injector:
    """A station that only sends."""

    def hear(self, now_ns: int, frame: Frame) -> None:
        """It does not listen."""


def _inject(recording: Recording, network: Network) -> None:
    """Put on the simulated wire what the capture has from somebody who is no router."""
    port = network.segments["lan0"].attach("injector", _Injector())
    routers = {bytes((2, 0, 0, 0, 0, int(name[1:]))) for name in network.nodes}
    for at_ns, raw in _frames(recording):
        if raw[6:12] not in routers:
            network.kernel.at(at_ns, lambda raw=raw: port.transmit(raw))  # type: ignore[misc]  # mypy cannot type a default


def both(name: str) -> tuple[Story, Story]:
    """The recording, and its simulation."""
    return recorded(name), simulated(name)


def _told(
    entries: list[Entry],
    frames: Iterator[tuple[int, bytes]],
    router_of: Callable[[Frame], str],
    result: Result | None = None,
) -> Story:
    adverts, announcements = [], []
    for at_ns, raw in sorted(frames, key=lambda one: one[0]):
        frame = parse_frame(raw)
        content = frame.content
        if isinstance(content, Datagram):
            decoded = decode_datagram(content, ChecksumPolicy.EITHER)
            if not isinstance(decoded, DecodeError):
                adverts.append(Advert(at_ns, router_of(frame), decoded, frame))
        elif isinstance(content, ArpPacket) and content.gratuitous and content.operation == REQUEST:
            announcements.append(Announcement(at_ns, router_of(frame), text(content.sender), frame))
        elif isinstance(content, NeighborAdvertisement):
            announcements.append(Announcement(at_ns, router_of(frame), text(content.target), frame))
    return Story(tuple(entries), tuple(adverts), tuple(announcements), result)


def assert_agree(name: str, times: Callable[[Story], Sequence[int]], within_ms: float = 30) -> None:
    """What `times` finds (nanoseconds) in the simulation is as much as in the recording, and each as near as that."""
    real, ours = (times(story) for story in both(name))
    assert real
    assert len(ours) == len(real), (ours, real)
    for mine, theirs in zip(ours, real, strict=True):
        assert abs(mine - theirs) <= within_ms * MS_NS, f"{mine / S_NS:.4f} s instead of {theirs / S_NS:.4f} s"
