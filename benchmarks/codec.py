"""Races between codecs: from bytes to meaning, verified; from meaning to bytes; and with the frame around."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

from benchmarks import peer_ours
from benchmarks.measure import Absent, Contestant, Race
from benchmarks.messages import Message, framed, random_messages, steady, strangers
from benchmarks.peer_dpkt import AS_IT_IS, Dpkt
from benchmarks.peer_osken import load_osken
from benchmarks.peer_scapy import load_scapy
from benchmarks.peers import Codec, Job

MESSAGES = 2000
COMPARED = 50
"""Messages on which all have to give the same answer."""
COUNTED = "messages"
FLOORS = {"dpkt": 2.5, "scapy": 20.0}
"""How many times as fast as these we decode IPv4, verification included."""

_KINDS = ((2, 4, 1), (3, 4, 1), (3, 4, 3), (3, 16, 2))
"""Version, bytes of an address, addresses listed."""


def codec_races(messages: int = MESSAGES) -> Iterator[Race]:
    """All races, over so many different messages of each kind. One at a time: what they prepare is large."""
    peers: list[Codec | Absent] = [
        Dpkt(),
        load_osken() or Absent("os-ken", "not installed"),
        load_scapy() or Absent("scapy", "not installed"),
    ]
    for kind in _KINDS:
        yield _decoding(kind, random_messages(*kind, messages), peers)
    for kind in _KINDS:
        yield _encoding(kind, random_messages(*kind, messages), peers)
    of_both = zip(*(random_messages(*kind, messages // 2) for kind in _KINDS[:2]), strict=True)
    travelling = [framed(message) for pair in of_both for message in pair]
    yield _framing("frame, each one new", peer_ours.framing(), lambda: strangers(travelling), peers)
    yield _framing("frame, a steady master's", peer_ours.remembering(), lambda: steady(travelling[0]), peers)


def _title(what: str, kind: tuple[int, int, int]) -> str:
    version, width, addresses = kind
    family = "" if version == 2 else "/IPv4" if width == 4 else "/IPv6"
    return f"{what} v{version}{family}, {addresses} address{'es' if addresses > 1 else ''}"


def _decoding(kind: tuple[int, int, int], messages: Sequence[Message], peers: Iterable[Codec | Absent]) -> Race:
    version, width, _ = kind
    floors = FLOORS if width == 4 else {}
    entries = [
        _entered(peer, lambda codec: codec.decoding(version, width), messages, floors.get(peer.name)) for peer in peers
    ]
    if version == 2:
        entries.insert(0, _entry("dpkt", AS_IT_IS, messages))
    return Race(
        _title("decode", kind), COUNTED, _entry(peer_ours.NAME, peer_ours.decoding(), messages), tuple(entries)
    )


def _encoding(kind: tuple[int, int, int], messages: Sequence[Message], peers: Iterable[Codec | Absent]) -> Race:
    version, width, _ = kind
    entries = [_entered(peer, lambda codec: codec.encoding(version, width), messages) for peer in peers]
    return Race(
        _title("encode", kind), COUNTED, _entry(peer_ours.NAME, peer_ours.encoding(), messages), tuple(entries)
    )


def _framing(title: str, ours: Job, frames: Callable[[], Iterator[bytes]], peers: Iterable[Codec | Absent]) -> Race:
    """`frames` begins an endless series of them."""

    def enter(name: str, job: Job) -> Contestant:
        return _contestant(name, job, lambda count: list(islice(frames(), count)))

    entries = [peer if isinstance(peer, Absent) else enter(peer.name, peer.framing()) for peer in peers]
    return Race(title, COUNTED, enter(peer_ours.NAME, ours), tuple(entries))


def _entered(
    peer: Codec | Absent,
    ask: Callable[[Codec], Job | str],
    messages: Sequence[Message],
    floor: float | None = None,
) -> Contestant | Absent:
    if isinstance(peer, Absent):
        return peer
    job = ask(peer)
    return Absent(peer.name, job) if isinstance(job, str) else _entry(peer.name, job, messages, floor)


def _entry(name: str, job: Job, messages: Sequence[Message], floor: float | None = None) -> Contestant:
    """A contestant that works through the messages as often as it takes."""
    ready = [job.prepare(message) for message in messages]
    return _contestant(name, job, lambda count: list(islice(cycle(ready), count)), floor)


def _contestant(name: str, job: Job, inputs: Callable[[int], list[Any]], floor: float | None = None) -> Contestant:
    call = job.call

    def begin(count: int) -> Callable[[], None]:
        given = inputs(count)

        def work() -> None:
            for each in given:
                call(each)

        return work

    def answers() -> object:
        return [job.answer(call(each)) for each in inputs(COMPARED)]

    return Contestant(f"{name} {job.how}".strip(), begin, answers, floor, job.note)
