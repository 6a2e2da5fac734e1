"""What happens to the replayed router itself and no capture shows: its process, its links, its check scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vrrp.durations import parse_duration
from vrrp.words import nearest

_NEEDS = {
    "start": None,
    "stop": None,
    "crash": None,
    "pause": None,
    "resume": None,
    "link-down": "interface",
    "link-up": "interface",
    "script-fail": "script",
    "script-pass": "script",
    "script-hang": "script",
    "partition": "capture",
    "heal": None,
}
"""The words, with what may follow each."""
_MUST = {"interface"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to the router at `at_ns` (nanoseconds since 1970).

    `subject` is the interface of a link; the script of a check, None for all of them; or the capture that it hears
    while it is cut off from the others, None for nothing.
    """

    at_ns: int
    action: str
    subject: str | None = None

    def __str__(self) -> str:
        return f"{self.action} {self.subject}" if self.subject is not None else self.action


def parse_moment(text: str, origin_ns: int) -> int:
    """Nanoseconds since 1970 of "10s" or "-10s" (from `origin_ns` on) or "2026-03-01T02:14:07.25", UTC unless it says.

    ValueError says what would be right.
    """
    if text[4:5] == "-":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no date and time; write 2026-03-01T02:14:07.25") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
    if text.startswith("-"):
        return origin_ns - parse_duration(text[1:])
    return origin_ns + parse_duration(text)


def parse_happening(
    text: str, origin_ns: int, *, interfaces: Sequence[str], scripts: Sequence[str], captures: Sequence[str]
) -> Happening:
    """An event of the command line: "10s stop", "10s link-down eth0", "10s script-fail chk", "6s partition b.pcap".

    ValueError says what would be right.
    """
    at, action, subject = [*text.split(maxsplit=2), "", "", ""][:3]
    if not action:
        raise ValueError(f'{text!r}: write time and action, like "10s crash"')
    at_ns = parse_moment(at, origin_ns)
    if action not in _NEEDS:
        raise ValueError(f"there is no action {action!r}; {nearest(action, _NEEDS)}")
    kind = _NEEDS[action]
    subject = subject.strip()
    if not subject:
        if kind in _MUST:
            raise ValueError(f'{text!r}: which {kind}? Write "{at} {action} {next(iter(interfaces), "eth0")}"')
        return Happening(at_ns, action)
    if kind is None:
        raise ValueError(f"{text!r}: {action} takes no {subject!r}")
    known = {"interface": interfaces, "script": scripts, "capture": captures}[kind]
    if subject not in known:
        raise ValueError(f"{text!r}: there is no {kind} {subject!r}; {nearest(subject, known)}")
    return Happening(at_ns, action, subject)
