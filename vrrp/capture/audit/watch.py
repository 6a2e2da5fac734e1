"""One virtual router as a capture shows it: who claimed it when, each takeover and its cause, and rival masters.

What is known of a router on the wire is only that it spoke. A master speaks every interval; a backup is silent.
So a *span* of mastership begins with a router's first advertisement and lasts while the next comes before a
backup would have noticed its absence. One router following another is a takeover, and its cause shows in what
the old one did last: priority 0 (it resigned), nothing for three intervals (it fell silent), or neither, when
the new one has the higher priority (it preempted).

Two masters show in a router that speaks although another, which spoke before it, has the right to: it did not
hear that one, or does not believe it. Where the two reject each other's advertisements only one is heard at a
time (see `silent-second-master`), and the other betrays itself by what a backup never sends: a gratuitous ARP,
or priority 0 when it stops.
"""

from __future__ import annotations

import enum
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.audit.findings import Findings
from vrrp.capture.audit.meaning import Place, Said
from vrrp.capture.audit.sender import Sender, Span
from vrrp.protocol.profile import PROFILES, Profile
from vrrp.protocol.timers import SECOND_NS, master_down_ns, seconds_text, skew_ns
from vrrp.wire.address import text

_CROSSING_NS = 30_000_000
"""Two advertisements closer than this crossed each other on their way; neither answers the other."""
_SETTLED_NS = 300_000_000
"""What a router still sends this long after another's claim, it sends as a master."""
_MOST_TAKEOVERS = 10_000
_FLAPPING = 10
_SILENT_SHARE = 0.9
"""A master that was silent for this part of three intervals has been missed, not overtaken."""


class Cause(enum.Enum):
    """Why mastership moved. The value is the phrase shown to people."""

    FIRST = "the first heard in this capture"
    RESIGNED = "the old master resigned (priority 0)"
    SILENCE = "the old master fell silent"
    PREEMPTED = "it beats the old master"
    UNDUE = "although the better master was alive"
    ALREADY = "it had been master beside the old one all along"
    RETURNED = "back, with nobody in between"


@dataclass(frozen=True, slots=True)
class Takeover:
    """One router became master after another."""

    time_ns: int
    number: int
    """The packet with its first advertisement."""
    new: bytes
    old: bytes | None
    cause: Cause
    priority: int
    measured_ns: int | None = None
    """From the old master's last word to the new one's first; None where the formula says nothing."""
    formula_ns: Mapping[str, int] | None = None
    """What it should be, by profile."""


@dataclass(slots=True)
class Conflict:
    """Two routers that both act as master."""

    first: Sender
    second: Sender
    first_ns: int
    last_ns: int
    first_number: int
    contradictions: int = 0
    """How often one spoke while the other had the right to."""
    announcements: int = 0
    """Gratuitous announcements of the one that was not speaking."""
    goodbyes: int = 0
    adverts_before: int = 0
    """Advertisements of the virtual router before it began."""
    adverts_then: int = 0
    """And up to its last sign."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A router that had sent packets which this capture does not hold, to judge by their identifications."""

    sender: Sender
    time_ns: int
    number: int
    missed: int


class Watch:
    """Follows one virtual router through a capture, in the order of its packets."""

    def __init__(self, place: Place, where: str, findings: Findings) -> None:
        self.place = place
        self.where = where
        self.senders: dict[bytes, Sender] = {}
        self.speaker: Sender | None = None
        """Who sent the last advertisement with a priority other than 0."""
        self.takeovers: list[Takeover] = []
        self.takeovers_dropped = 0
        self.conflicts: dict[frozenset[bytes], Conflict] = {}
        self.absences: list[Absence] = []
        self.adverts = 0
        self.sequence: int | None = None
        """The last AH sequence number."""
        self._herald_ns = 0
        """When the virtual MAC was announced last: nobody knows by whom until the next advertisement."""
        self._findings = findings
        self._recent: deque[int] = deque(maxlen=_FLAPPING)

    MOST_SENDERS = 256

    @property
    def addresses(self) -> dict[bytes, None]:
        """Every address that a sender listed, in the order heard."""
        return {
            address: None
            for sender in self.senders.values()
            for listed in sender.values.get("addresses", {})
            if isinstance(listed, tuple)
            for address in listed
        }

    def sender(self, said: Said) -> Sender | None:
        """Who sent it; None for one more than a virtual router can have."""
        sender = self.senders.get(said.source)
        if sender is None and len(self.senders) < self.MOST_SENDERS:
            sender = self.senders[said.source] = Sender(said.source, said)
        return sender

    # What arrives -----------------------------------------------------------------------------------------

    def heard(
        self, said: Said, times_ns: NDArray[np.int64], numbers: NDArray[np.int64], identifications: tuple[int, int]
    ) -> None:
        """One advertisement, repeated at these times (N,) in packets of these numbers (N,), with nothing between.

        `identifications` are the IPv4 ones of the first and the last packet; 0 where there is none.
        """
        sender = self.sender(said)
        if sender is None:
            return
        sender.adverts += len(times_ns)
        self.adverts += len(times_ns)
        if len(times_ns) > 1:
            sender.counting = (identifications[1] - identifications[0]) & 0xFFFF == len(times_ns) - 1
        if said.advertisement.priority:
            sender.said = said
            first, last = identifications
            for start, end in _pieces(times_ns, sender.down_ns):
                whole = start == 0
                self._claim(sender, times_ns[start:end], numbers[start:end], first if whole else 0)
                first = 0
            sender.identification = last
        else:
            self._goodbye(sender, int(times_ns[0]), int(numbers[0]))
            sender.identification = identifications[1]
        sender.last_ns = int(times_ns[-1])
        sender.last_number = int(numbers[-1])

    def announced(self, mac: bytes, virtual: bool, time_ns: int, number: int) -> None:
        """Somebody sent a gratuitous announcement for one of the addresses."""
        speaker = self.speaker
        if virtual:
            self._herald_ns = time_ns
            return
        who = self.owner(mac)
        if who is None or who is speaker:
            return
        span = who.span
        if speaker is None or not speaker.alive(time_ns) or speaker.span is None:
            return
        if time_ns - speaker.span.first_ns > _SETTLED_NS and time_ns - who.last_ns > _CROSSING_NS:
            conflict = self._conflict(speaker, who, time_ns, number)
            if conflict is not None:
                conflict.announcements += 1
                if span is not None:
                    span.last_ns = time_ns

    def owner(self, mac: bytes) -> Sender | None:
        """The sender whose own MAC this is."""
        for sender in self.senders.values():
            if mac in sender.macs:
                return sender
        return None

    # Spans and takeovers ----------------------------------------------------------------------------------

    def _claim(
        self, sender: Sender, times_ns: NDArray[np.int64], numbers: NDArray[np.int64], identification: int
    ) -> None:
        now_ns, number = int(times_ns[0]), int(numbers[0])
        rival = self.speaker if self.speaker is not sender else None
        gaps_ns = np.diff(times_ns)
        span = sender.span
        if span is None or not self._continues(sender, span, rival, now_ns):
            span = self._open(sender, now_ns, number, identification)
        elif rival is None:
            gaps_ns = np.concatenate(([now_ns - sender.last_ns], gaps_ns))
            numbers = np.concatenate(([sender.last_number], numbers))
        elif rival.alive(now_ns):
            if not self._crossed(sender, rival, now_ns):
                self._contradiction(sender, rival, now_ns, number)
            elif rival.precedence > sender.precedence:
                return
        else:
            # The rival came and went without a goodbye, and this one never stopped.
            self._took_over(sender, rival, now_ns, number)
        span.adverts += len(times_ns)
        span.last_ns = int(times_ns[-1])
        span.last_number = int(numbers[-1])
        span.superseded_ns = None
        sender.resigned = False
        self.speaker = sender
        if len(gaps_ns):
            self._regularity(sender, gaps_ns, numbers, span.last_ns)

    def _continues(self, sender: Sender, span: Span, rival: Sender | None, now_ns: int) -> bool:
        if sender.resigned:
            return False
        if now_ns - span.last_ns <= sender.down_ns:
            # It gave way to the rival and comes back after it, or it never stopped.
            return span.superseded_ns is None or (rival is not None and rival.alive(now_ns))
        return self._quarrel(sender, rival, now_ns)

    def _quarrel(self, sender: Sender, rival: Sender | None, now_ns: int) -> bool:
        """Whether it is known to act as master beside the one that spoke last: then its silence means nothing."""
        return rival is not None and frozenset((sender.source, rival.source)) in self.conflicts and rival.alive(now_ns)

    def _open(self, sender: Sender, now_ns: int, number: int, identification: int) -> Span:
        old = self.speaker
        if old is not None and old is not sender:
            self._took_over(sender, old, now_ns, number, identification)
        elif old is not None:
            silent_ns = now_ns - old.last_ns
            self._findings.add(
                "no-master",
                self.where,
                ("gap", number),
                now_ns,
                number,
                f"no advertisement for {seconds_text(silent_ns)}, from packet {old.last_number} on; "
                f"then {text(sender.source)} again",
            )
            self._record(Takeover(now_ns, number, sender.source, old.source, Cause.RETURNED, _priority(sender)))
        else:
            self._record(Takeover(now_ns, number, sender.source, None, Cause.FIRST, _priority(sender)))
        span = sender.begin(now_ns, number)
        span.adverts_before = self.adverts
        return span

    def _took_over(self, new: Sender, old: Sender, now_ns: int, number: int, identification: int = 0) -> None:
        advertisement = old.said.advertisement
        arguments = (_priority(new), max(advertisement.interval_cs, 1), advertisement.version)
        age_ns = now_ns - old.last_ns
        # FRR 8.4.4 over IPv6 announces the address at once, but its first advertisement gets lost: measured.
        heralded = old.last_ns < self._herald_ns and now_ns - self._herald_ns <= new.interval_ns * 1.1
        measured_ns: int | None = (self._herald_ns if heralded else now_ns) - old.last_ns
        formula_ns = None
        if frozenset((new.source, old.source)) in self.conflicts and not new.resigned:
            measured_ns = None
            cause = Cause.ALREADY
        elif old.resigned:
            cause = Cause.RESIGNED
            formula_ns = {name: skew_ns(*arguments, profile.skew) for name, profile in _speaking(old).items()}
        elif age_ns >= _SILENT_SHARE * 3 * old.interval_ns:
            cause = Cause.SILENCE
            old.missed = True
            formula_ns = {name: master_down_ns(*arguments, profile.skew) for name, profile in _speaking(old).items()}
            finding = self._findings.add(
                "takeover-without-goodbye",
                self.where,
                number,
                now_ns,
                old.last_number,
                f"{text(old.source)} was last heard in packet {old.last_number}; {text(new.source)} speaks from "
                f"packet {number} on, {seconds_text(age_ns)} later",
            )
            if finding is not None:
                finding.add(number, now_ns, 0)
        else:
            measured_ns = None
            cause = Cause.PREEMPTED if new.precedence > old.precedence else Cause.UNDUE
        if formula_ns and measured_ns is not None:
            self._punctuality(new, formula_ns, measured_ns, now_ns, number)
        if old.span is not None and cause is Cause.PREEMPTED:
            old.span.superseded_ns = now_ns
        self._return(new, old, now_ns, number, identification, cause)
        self._record(Takeover(now_ns, number, new.source, old.source, cause, _priority(new), measured_ns, formula_ns))

    def _record(self, takeover: Takeover) -> None:
        if len(self.takeovers) >= _MOST_TAKEOVERS:
            self.takeovers_dropped += 1
        else:
            self.takeovers.append(takeover)
        self._recent.append(takeover.time_ns)
        if len(self._recent) == _FLAPPING and takeover.time_ns - self._recent[0] < 60 * SECOND_NS:
            self._findings.add(
                "flapping", self.where, None, takeover.time_ns, takeover.number, f"{_FLAPPING} takeovers in a minute"
            )

    def _punctuality(
        self, new: Sender, formula_ns: Mapping[str, int], measured_ns: int, now_ns: int, number: int
    ) -> None:
        due_ns = max(formula_ns.values())
        if measured_ns > due_ns + max(SECOND_NS // 4, new.interval_ns // 2):
            self._findings.add(
                "slow-takeover",
                self.where,
                number,
                now_ns,
                number,
                f"{text(new.source)} took {seconds_text(measured_ns)}, the formula says {seconds_text(due_ns)}",
            )

    def _return(self, new: Sender, old: Sender, now_ns: int, number: int, identification: int, cause: Cause) -> None:
        """What the count of its packets says of a router that comes back (keepalived counts from 1 at each start)."""
        if not identification:
            return
        if new.span is None:
            if cause is Cause.UNDUE and identification > 1:
                self.absences.append(Absence(new, now_ns, number, identification - 1))
            return
        away_ns = now_ns - new.last_ns
        ahead = (identification - new.identification) & 0xFFFF
        if new.counting is False or not (cause is Cause.UNDUE or (new.missed and cause is Cause.PREEMPTED)):
            return
        if ahead == 1 and new.counting:
            self._findings.add(
                "frozen",
                self.where,
                number,
                now_ns,
                number,
                f"{text(new.source)} was silent for {seconds_text(away_ns)} after packet {new.last_number}; its "
                f"packets count on as if nothing had happened, and {text(old.source)} was master meanwhile",
            )
        elif ahead > 1 and (cause is Cause.UNDUE or away_ns < 2 * ahead * new.interval_ns):
            self.absences.append(Absence(new, now_ns, number, ahead - 1))

    # Rivals -----------------------------------------------------------------------------------------------

    def _crossed(self, sender: Sender, rival: Sender, now_ns: int) -> bool:
        """Whether the two spoke at once, before either could hear the other."""
        span = rival.span
        if span is None or span.adverts > 1:
            return False
        better_spoke_ns = now_ns if rival.precedence > sender.precedence else sender.last_ns
        return abs(better_spoke_ns - span.first_ns) <= _CROSSING_NS

    def _contradiction(self, sender: Sender, rival: Sender, now_ns: int, number: int) -> None:
        conflict = self._conflict(sender, rival, now_ns, number)
        if conflict is not None:
            conflict.contradictions += 1

    def _conflict(self, one: Sender, other: Sender, now_ns: int, number: int) -> Conflict | None:
        """The conflict of two routers, new or not; None where they share no address."""
        if not set(one.said.advertisement.addresses) & set(other.said.advertisement.addresses):
            return None
        pair = frozenset((one.source, other.source))
        conflict = self.conflicts.get(pair)
        if conflict is None:
            spans = [sender.span for sender in (one, other)]
            later = max((span for span in spans if span is not None), key=lambda span: span.first_ns, default=None)
            begun_ns = later.first_ns if later is not None else now_ns
            conflict = self.conflicts[pair] = Conflict(
                one, other, begun_ns, now_ns, later.first_number if later is not None else number
            )
            conflict.adverts_before = later.adverts_before if later is not None else self.adverts
        conflict.last_ns = now_ns
        conflict.adverts_then = self.adverts
        return conflict

    def _goodbye(self, sender: Sender, now_ns: int, number: int) -> None:
        speaker = self.speaker
        if speaker is None:
            self.speaker = sender
        elif speaker is not sender:
            settled = speaker.span is not None and now_ns - speaker.span.first_ns > _SETTLED_NS
            if not sender.resigned and settled and speaker.alive(now_ns):
                conflict = self._conflict(speaker, sender, now_ns, number)
                if conflict is not None:
                    conflict.goodbyes += 1
        if sender.span is not None and not sender.resigned:
            sender.span.goodbye_ns = now_ns
            sender.span.last_number = number
        sender.resigned = True

    # Regularity -------------------------------------------------------------------------------------------

    def _regularity(
        self, sender: Sender, gaps_ns: NDArray[np.int64], numbers: NDArray[np.int64], last_ns: int
    ) -> None:
        interval_ns = sender.interval_ns
        if not interval_ns:
            return
        backwards = np.flatnonzero(gaps_ns < 0)
        if len(backwards):
            number = int(numbers[backwards[0] + 1])
            self._findings.add("time-backwards", "capture", None, last_ns, number, count=len(backwards))
            gaps_ns = np.maximum(gaps_ns, 0)
        sender.jitter.add(gaps_ns, interval_ns)
        if int(gaps_ns.max()) * 2 <= interval_ns * 3:
            return
        for index in np.flatnonzero(gaps_ns * 2 > interval_ns * 3).tolist():
            gap_ns, number = int(gaps_ns[index]), int(numbers[index + 1])
            missing = round(gap_ns / interval_ns) - 1
            if missing >= 1 and abs(gap_ns - (missing + 1) * interval_ns) <= interval_ns // 4:
                code, said = "lost-advertisements", f"{missing} missing"
            else:
                code, said = "late-advertisements", f"{seconds_text(gap_ns)} instead of {seconds_text(interval_ns)}"
            self._findings.add(
                code,
                self.where,
                sender.source,
                last_ns,
                number,
                f"{text(sender.source)}: {said} before packet {number}",
            )


def _priority(sender: Sender) -> int:
    return sender.said.advertisement.priority


def _speaking(sender: Sender) -> dict[str, Profile]:
    version = sender.said.advertisement.version
    return {name: profile for name, profile in PROFILES.items() if version in profile.versions}


def _pieces(times_ns: NDArray[np.int64], longest_ns: int) -> list[tuple[int, int]]:
    """Where a run is in one piece: [start, end) between gaps that are longer."""
    if len(times_ns) < 2:
        return [(0, len(times_ns))]
    breaks = np.flatnonzero(np.diff(times_ns) > longest_ns) + 1
    edges = [0, *breaks.tolist(), len(times_ns)]
    return list(itertools.pairwise(edges))
