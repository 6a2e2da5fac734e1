"""What is said of checkers: keepalived's phrases (2.2.7, measured), for people's log rules to go on working."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vrrp.config.language.words import split_command
from vrrp.config.lvs.model import (
    Checker,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
    WebCheck,
)
from vrrp.lvs.target import Target


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check, and how that is said; of a script: "exited with status 1", "timed out" and so on.

    `weight` is what it asks for, None where it asks for nothing.
    """

    ok: bool
    said: str
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """How one kind of checker says that it is up and down; {rs} and {vs} are the servers', {said} the outcome's.

    `first` is for a failure that was not retried; "" where it is `down` without its tail. `tail` is whether
    "after N retries" is said always, or only when there were some; None: never. `silent`: that it is up is not said.
    """

    up: str
    down: str
    tail: bool | None = False
    first: str = ""
    silent: bool = False


_WORDS: Mapping[type[Checker], Words] = {
    TcpCheck: Words("TCP connection to {rs} success.", "TCP_CHECK on service {rs} failed{tail}."),
    PingCheck: Words(
        "ICMP connection to {rs} success.",
        "ICMP CHECK on service {rs} of {vs} failed{tail}.",
        first="ICMP CHECK on service {rs} failed.",
    ),
    WebCheck: Words(
        "Remote Web server {rs} succeed on service.", "HTTP_CHECK on service {rs} failed{tail}.", tail=True
    ),
    SmtpCheck: Words("Remote SMTP server {rs} succeed on service.", "{said}", tail=None),
    DnsCheck: Words("DNS_CHECK ({rs}) success.", "{said}{tail}", silent=True),
    UdpCheck: Words("UDP connection to {rs} success.", "UDP_CHECK on service {rs} failed{tail}."),
    MiscCheck: Words("", ""),
    FileCheck: Words("File check for {rs}: up.", "File check for {rs}: {said}", tail=None),
}


class Phrases:
    """What is said of one checker."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._words = _WORDS[type(target.checker)]

    @property
    def silent(self) -> bool:
        """Whether that it is up is not logged."""
        return self._words.silent

    def success(self) -> str:
        """It is up."""
        return self._say(self._words.up)

    def each(self, outcome: Outcome, tries: int) -> str:
        """A single failure, for those who want to read of each; `tries` retries went before. "": nothing."""
        told_after = self._words.down.startswith("{said}") and tries >= self._target.checker.retries
        return "" if told_after else outcome.said

    def failure(self, outcome: Outcome, *, retried: bool) -> str:
        """It is down; `retried`: not at the very first check."""
        words, retries = self._words, self._target.checker.retries
        told = retries and (words.tail or (words.tail is False and retried))
        pattern = words.down if told or not words.first else words.first
        return self._say(pattern, outcome.said, f" after {retries} retries" if told else "")

    def _say(self, pattern: str, said: str = "", tail: str = "") -> str:
        key = self._target.key
        return pattern.format(rs=key.real_server, vs=key.virtual_server, said=said, tail=tail)


class MiscPhrases(Phrases):
    """What is said of a script: how it ended stands behind what it means, unless it timed out."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        assert isinstance(target.checker, MiscCheck)
        script = split_command(target.checker.command)[0][0]
        self._script = f"Misc check for [{target.key.real_server} VS {target.key.virtual_server}] by [{script}]"

    def success(self) -> str:
        """It is up."""
        return f"{self._script} succeeded."

    def each(self, outcome: Outcome, tries: int) -> str:
        """A single failure."""
        retries = self._target.checker.retries
        if tries >= retries:
            return ""
        return self._ended(outcome, f" on retry {tries}/{retries}" if tries else f", will do {self._retries}")

    def failure(self, outcome: Outcome, *, retried: bool) -> str:
        """It is down."""
        return self._ended(outcome, f" after {self._retries}" if self._target.checker.retries else "")

    @property
    def _retries(self) -> str:
        """Only of scripts is there one "retry"; of the others there are "1 retries"."""
        retries = self._target.checker.retries
        return "1 retry" if retries == 1 else f"{retries} retries"

    def _ended(self, outcome: Outcome, when: str) -> str:
        if outcome.said == TIMED_OUT:
            return f"{self._script} {outcome.said}{when}."
        return f"{self._script} failed{when} ({outcome.said})."


TIMED_OUT = "timed out"


def phrases_of(target: Target) -> Phrases:
    """What is said of a checker."""
    return (MiscPhrases if isinstance(target.checker, MiscCheck) else Phrases)(target)
