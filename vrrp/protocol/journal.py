"""The journal: what went into a router and what came out, a line for each input, so that a bug report is a file.

Each line is a JSON object. The first describes the router; the same again begins a new life of it (a restart)::

    {"journal": 1, "profile": "keepalived", "interfaces": {"eth0": ["10.0.0.1"]}, "config": {...}}
    {"t": 0, "in": "start", "out": [["VI_1", "state", "INITIALIZE", "BACKUP", "start"]]}
    {"t": 3609375000, "in": "expire", "out": [["VI_1", "send", 2, 100, 100, ["10.0.0.100"], ...], ...]}

`t` is the time in nanoseconds that the input was given, on whatever scale its driver uses. The core has no clock and
no chance: the same inputs give the same effects, or the code has changed, which is what `replay_journal` finds.
A journal holds the whole configuration, passwords included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vrrp.protocol.journal_values import (
    Json,
    address,
    datagram_json,
    effects_json,
    integer,
    listed,
    mapping,
    read_config,
    read_datagram,
    settings_json,
    shown,
    truth,
    word,
)
from vrrp.protocol.profile import Profile, profile_named
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig
from vrrp.wire.address import AnyAddress, pack, text
from vrrp.wire.frame import Datagram
from vrrp.words import nearest

FORMAT = 1
MOST_CHARACTERS = 16_000_000
"""A longer line is refused. The longest that is written describes a router of thousands of addresses."""


class Journal:
    """A router all of whose inputs are written down: to be used in its place, with the same methods.

    `write` gets each line, its newline included. ValueError as `Router` raises it, and for a profile that
    `profile_named` does not give by its name: a journal names its profile.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        profile: Profile,
        interfaces: Mapping[str, Sequence[AnyAddress]],
        write: Callable[[str], object],
    ) -> None:
        if profile_named(profile.name) != profile:
            raise ValueError(f"a journal cannot name the profile {profile.name!r}: that is another one")
        self.router = Router(config, profile=profile, interfaces=interfaces)
        self.profile = profile
        self._write = write
        self._put(
            {
                "journal": FORMAT,
                "profile": profile.name,
                "interfaces": {name: [text(pack(one)) for one in given] for name, given in interfaces.items()},
                "config": settings_json(config),
            }
        )

    def settle(self) -> int:
        """See `Router.settle`; not an input."""
        return self.router.settle()

    def start(self, now_ns: int) -> KeyedEffects:
        """See `Router.start`."""
        return self._note(now_ns, "start", {}, self.router.start(now_ns))

    def stop(self, now_ns: int, reason: str = "stopped") -> KeyedEffects:
        """See `Router.stop`."""
        return self._note(now_ns, "stop", {"reason": reason}, self.router.stop(now_ns, reason))

    def advertise(self, now_ns: int) -> KeyedEffects:
        """See `Router.advertise`."""
        return self._note(now_ns, "advertise", {}, self.router.advertise(now_ns))

    def reload(self, now_ns: int, config: RouterConfig) -> KeyedEffects:
        """See `Router.reload`."""
        given = {"config": settings_json(config)}
        return self._note(now_ns, "reload", given, self.router.reload(now_ns, config))

    def receive(self, now_ns: int, interface: str, datagram: Datagram) -> KeyedEffects:
        """See `Router.receive`."""
        given = {"interface": interface, **datagram_json(datagram)}
        return self._note(now_ns, "receive", given, self.router.receive(now_ns, interface, datagram))

    def expire(self, now_ns: int) -> KeyedEffects:
        """See `Router.expire`."""
        return self._note(now_ns, "expire", {}, self.router.expire(now_ns))

    def script_finished(self, now_ns: int, name: str, ok: bool) -> KeyedEffects:
        """See `Router.script_finished`."""
        given = {"script": name, "ok": ok}
        return self._note(now_ns, "script_finished", given, self.router.script_finished(now_ns, name, ok))

    def set_interface(self, now_ns: int, name: str, up: bool) -> KeyedEffects:
        """See `Router.set_interface`."""
        given = {"interface": name, "up": up}
        return self._note(now_ns, "set_interface", given, self.router.set_interface(now_ns, name, up))

    def set_file(self, now_ns: int, name: str, value: int) -> KeyedEffects:
        """See `Router.set_file`."""
        given = {"file": name, "value": value}
        return self._note(now_ns, "set_file", given, self.router.set_file(now_ns, name, value))

    def set_process_count(self, now_ns: int, name: str, count: int) -> KeyedEffects:
        """See `Router.set_process_count`."""
        given = {"process": name, "count": count}
        return self._note(now_ns, "set_process_count", given, self.router.set_process_count(now_ns, name, count))

    def _note(self, now_ns: int, what: str, given: dict[str, Json], effects: KeyedEffects) -> KeyedEffects:
        line: dict[str, Json] = {"t": now_ns, "in": what, **given}
        if effects:
            line["out"] = effects_json(effects)
        self._put(line)
        return effects

    def _put(self, line: dict[str, Json]) -> None:
        self._write(json.dumps(line) + "\n")


class JournalError(ValueError):
    """A line that is none of a journal; the message says what is wrong, `line` where (the first is 1)."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Step:
    """One input of a journal, and what came of it, then and now: effects as in the journal (`effects_json`)."""

    line: int
    """Where it stands, the first line is 1."""
    now_ns: int
    what: str
    recorded: Json
    replayed: Json

    @property
    def same(self) -> bool:
        """Whether the effects are the recorded ones."""
        return bool(self.recorded == self.replayed)


def is_journal(beginning: bytes) -> bool:
    """Whether a file that begins like this may be a journal; no capture does."""
    return beginning.lstrip()[:1] == b"{"


def replay_journal(lines: Iterable[str]) -> Iterator[Step]:
    """Give each input of a journal to a router made from it. JournalError where the journal makes no sense."""
    router: Router | None = None
    number = 0
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_CHARACTERS:
            raise JournalError(number, f"longer than {MOST_CHARACTERS} characters")
        if not line.strip():
            continue
        try:
            given = mapping(json.loads(line))
            if "journal" in given:
                router = _read_router(given)
                continue
            if router is None:
                raise ValueError('a journal begins with its router: {"journal": 1, ...}')
            yield _step(number, router, given)
        except RecursionError as error:
            raise JournalError(number, "brackets in brackets without end") from error
        except ValueError as error:
            what = (
                f"no JSON: {error.msg}, column {error.colno}"
                if isinstance(error, json.JSONDecodeError)
                else str(error)
            )
            raise JournalError(number, what) from error
    if router is None:
        raise JournalError(max(number, 1), 'no router in it; a journal begins with {"journal": 1, ...}')


def _read_router(given: Mapping[str, Json]) -> Router:
    if given["journal"] != FORMAT or type(given["journal"]) is not int:
        raise ValueError(f"format {shown(given['journal'])}; this version reads {FORMAT}")
    profile = profile_named(word(given.get("profile")))
    interfaces = {name: listed(address)(given) for name, given in mapping(given.get("interfaces")).items()}
    config = read_config(given.get("config"))
    return Router(config, profile=profile, interfaces=interfaces)


def _step(line: int, router: Router, given: Mapping[str, Json]) -> Step:
    now_ns, what = integer(given.get("t")), word(given.get("in"))
    if what not in _INPUTS:
        raise ValueError(f"there is no input {shown(what)}; {nearest(what, _INPUTS)}")
    try:
        effects = _INPUTS[what](router, now_ns, given)
    except KeyError as error:
        raise ValueError(f"{what}: the router has no {error}") from error
    return Step(line, now_ns, what, given.get("out", []), effects_json(effects))


_INPUTS: dict[str, Callable[[Router, int, Mapping[str, Json]], KeyedEffects]] = {
    "start": lambda router, now_ns, given: router.start(now_ns),
    "stop": lambda router, now_ns, given: router.stop(now_ns, word(given.get("reason"))),
    "receive": lambda router, now_ns, given: router.receive(
        now_ns, word(given.get("interface")), read_datagram(given)
    ),
    "expire": lambda router, now_ns, given: router.expire(now_ns),
    "advertise": lambda router, now_ns, given: router.advertise(now_ns),
    "reload": lambda router, now_ns, given: router.reload(now_ns, read_config(given.get("config"))),
    "script_finished": lambda router, now_ns, given: router.script_finished(
        now_ns, word(given.get("script")), truth(given.get("ok"))
    ),
    "set_interface": lambda router, now_ns, given: router.set_interface(
        now_ns, word(given.get("interface")), truth(given.get("up"))
    ),
    "set_file": lambda router, now_ns, given: router.set_file(
        now_ns, word(given.get("file")), integer(given.get("value"))
    ),
    "set_process_count": lambda router, now_ns, given: router.set_process_count(
        now_ns, word(given.get("process")), integer(given.get("count"))
    ),
}
