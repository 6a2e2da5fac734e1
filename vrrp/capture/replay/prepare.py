"""From what a person asks for - files, a configuration, options as text - to the setup of a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vrrp.capture.replay.happening import Happening, parse_happening, parse_moment
from vrrp.capture.replay.hearing import HeardCapture, Hearing
from vrrp.capture.replay.process import MOST_WAKES
from vrrp.capture.replay.replay import Setup
from vrrp.capture.replay.survey import Survey, own_addresses, started_ns, survey
from vrrp.protocol.profile import Profile
from vrrp.protocol.router import Router
from vrrp.protocol.settings import RouterConfig
from vrrp.wire.address import pack
from vrrp.words import nearest

_MAC_SIZE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for, in the words of the command line."""

    files: Sequence[Path]
    config: RouterConfig
    profile: Profile
    interfaces: Sequence[str] = ()
    """Where each file was captured, or all of them; none: as the configuration has them, in its order."""
    addresses: Sequence[str] = ()
    """The router's addresses, each as "10.0.0.1" (of the first interface) or "eth1=10.1.0.1"."""
    macs: Sequence[str] = ()
    start: str | None = None
    events: Sequence[str] = ()
    ideal: bool = False
    """Wake exactly on time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A replay ready to go; `notes` tell what was inferred, a line for each."""

    setup: Setup
    found: Survey
    start_ns: int
    notes: tuple[str, ...]


class RequestError(ValueError):
    """What was asked for cannot be done; the message names the option and says what would be right."""


def prepare(request: Request) -> Prepared:
    """Look through the files and settle everything. Raises RequestError, OSError and CaptureError."""
    config, profile = request.config, request.profile
    known = list(dict.fromkeys(one.interface for one in config.virtual_routers))
    if not known:
        raise RequestError("the configuration has no vrrp_instance")
    captures = _captures(request, known)
    notes = _where(request, captures, known)
    found = survey(Hearing(captures, known))
    if not found.heard:
        raise RequestError(f"no VRRP packet in {', '.join(str(file) for file in request.files)}")
    try:
        interfaces, inferred = own_addresses(config, _given(request, known), found)
        Router(config, profile=profile, interfaces=interfaces)
    except ValueError as error:
        raise RequestError(str(error)) from error
    notes += inferred
    latency_ns = 0 if request.ideal else profile.timer_latency_ns
    scripts = [script.name for script in config.scripts]
    events = []
    for text in request.events:
        try:
            events.append(
                parse_happening(
                    text,
                    found.first_ns,
                    interfaces=list(interfaces),
                    scripts=scripts,
                    captures=[str(file) for file in request.files],
                )
            )
        except ValueError as error:
            raise RequestError(f"--event: {error}") from error
    start_ns, why = started_ns(config, profile, interfaces, found, latency_ns)
    events.sort(key=lambda event: event.at_ns)
    lives = [event for event in events if event.action in {"start", "stop", "crash"}]
    if request.start is not None:
        try:
            start_ns = parse_moment(request.start, found.first_ns)
        except ValueError as error:
            raise RequestError(f"--start: {error}") from error
        events.insert(0, Happening(start_ns, "start"))
    elif lives and lives[0].action == "start":
        start_ns = lives[0].at_ns
    else:
        events.insert(0, Happening(start_ns, "start"))
        if start_ns != found.first_ns:
            before = (found.first_ns - start_ns) / 1e9
            notes += (f"taken to have started {before:.3f} s before the first packet: {why} (--start says otherwise)",)
    setup = Setup(
        config=config,
        profile=profile,
        interfaces=interfaces,
        captures=captures,
        happenings=events,
        end_ns=found.last_ns,
        latency_ns=latency_ns,
        macs=[_mac(text) for text in request.macs],
        most_wakes=MOST_WAKES,
    )
    return Prepared(setup, found, start_ns, notes)


def _captures(request: Request, known: Sequence[str]) -> list[HeardCapture]:
    for name in request.interfaces:
        if name not in known:
            raise RequestError(f"--interface: the configuration has no {name!r}; {nearest(name, known)}")
    asides = {
        words[2].strip()
        for event in request.events
        if len(words := event.split(maxsplit=2)) == 3 and words[1] == "partition"
    }
    at_home = [file for file in request.files if str(file) not in asides]
    if not at_home:
        raise RequestError("--event: the other side of a partition is one capture, the LAN itself another; name both")
    names = list(request.interfaces or known)
    if len(names) == 1:
        names = names * len(request.files)
    elif request.interfaces and len(names) != len(request.files):
        raise RequestError(
            f"--interface: {len(names)} for {len(request.files)} captures; one for each, or one for all"
        )
    elif not request.interfaces:
        if len(at_home) > len(known):
            raise RequestError(
                f"{len(at_home)} captures and {len(known)} interfaces ({', '.join(known)}); give --interface for each"
            )
        home = iter(known)
        names = [known[0] if str(file) in asides else next(home) for file in request.files]
    return [
        HeardCapture(file, name, aside=str(file) in asides) for file, name in zip(request.files, names, strict=True)
    ]


def _where(request: Request, captures: Sequence[HeardCapture], known: Sequence[str]) -> tuple[str, ...]:
    if request.interfaces or len(known) == 1:
        return ()
    said = ", ".join(f"{capture.name} on {capture.interface}" for capture in captures)
    deaf = [name for name in known if name not in {capture.interface for capture in captures}]
    more = f"; nothing on {', '.join(deaf)}" if deaf else ""
    return (f"taken to be captured: {said}{more} (--interface says otherwise)",)


def _given(request: Request, known: Sequence[str]) -> dict[str, list[bytes]]:
    given: dict[str, list[bytes]] = {}
    for text in request.addresses:
        name, equals, address = text.rpartition("=")
        if equals and name not in known:
            raise RequestError(f"--address: the configuration has no interface {name!r}; {nearest(name, known)}")
        try:
            given.setdefault(name or known[0], []).append(pack(address.partition("/")[0]))
        except ValueError as error:
            raise RequestError(f"--address: {address!r} is no address; write 10.0.0.1 or eth1=10.1.0.1") from error
    return given


def _mac(text: str) -> bytes:
    try:
        mac = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        mac = b""
    if len(mac) != _MAC_SIZE:
        raise RequestError(f"--mac: {text!r} is no MAC address; write 02:00:00:00:00:01")
    return mac
