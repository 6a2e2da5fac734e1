"""What a journal's lines hold, as JSON values: configurations, datagrams and effects, readable by people.

Addresses stand as text, other bytes as hexadecimal digits, enumerations by their names, times in nanoseconds. What
is read is checked value by value: a journal may come from anybody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    PriorityChanged,
    ReleaseAddresses,
    RunScript,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.router import KeyedEffects
from vrrp.protocol.settings import (
    Announcements,
    FileConfig,
    LinkDelays,
    PeerTtl,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.wire.address import pack, text
from vrrp.wire.authentication_header import AuthenticationHeader
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.frame import Datagram

Json: TypeAlias = Any
"""What json.loads gives."""
T = TypeVar("T")

MOST = 1 << 62
"""Times and counts reach no further; a timer set from there still ends before `timers.NEVER`."""
_MOST_PAYLOAD = 65_535
_LONGEST_SHOWN = 40


# Reading ----------------------------------------------------------------------------------------------------


def integer(value: Json) -> int:
    """A whole number of at most 62 bits; ValueError for anything else, true and false among it."""
    if type(value) is not int or not -MOST <= value <= MOST:
        raise ValueError(f"{shown(value)} is no whole number of at most 62 bits")
    return value


def word(value: Json) -> str:
    """Text; ValueError for anything else."""
    if type(value) is not str:
        raise ValueError(f"{shown(value)} is no text")
    return value


def truth(value: Json) -> bool:
    """True or false; ValueError for anything else."""
    if type(value) is not bool:
        raise ValueError(f"{shown(value)} is neither true nor false")
    return value


def address(value: Json) -> bytes:
    """A packed address, given as text; ValueError for anything else."""
    try:
        return pack(word(value))
    except ValueError as error:
        raise ValueError(f"{shown(value)} is no address") from error


def octets(value: Json) -> bytes:
    """Bytes, given as hexadecimal digits; ValueError for anything else, and for more than an IP packet holds."""
    try:
        data = bytes.fromhex(word(value))
    except ValueError as error:
        raise ValueError(f"{shown(value)} is no row of hexadecimal digits") from error
    if len(data) > _MOST_PAYLOAD:
        raise ValueError(f"{len(data)} bytes are more than an IP packet holds")
    return data


def mapping(value: Json) -> dict[str, Json]:
    """An object; ValueError for anything else."""
    if type(value) is not dict:
        raise ValueError(f"{shown(value)} is no object")
    return value


def listed(read: Callable[[Json], T]) -> Callable[[Json], tuple[T, ...]]:
    """The reader of a list of what `read` reads."""

    def read_all(value: Json) -> tuple[T, ...]:
        if type(value) is not list:
            raise ValueError(f"{shown(value)} is no list")
        return tuple(map(read, value))

    return read_all


def _or_none(read: Callable[[Json], T]) -> Callable[[Json], T | None]:
    return lambda value: None if value is None else read(value)


def _checksum(value: Json) -> ChecksumPolicy:
    try:
        return ChecksumPolicy[word(value)]
    except KeyError as error:
        known = ", ".join(policy.name for policy in ChecksumPolicy)
        raise ValueError(f"{shown(value)} is no checksum policy; known: {known}") from error


def record(kind: type[T]) -> Callable[[Json], T]:
    """The reader of a settings class: an object with a member for each field; what is left out has its default.

    The reader raises ValueError for an unknown member, a missing one that has no default, a wrong value, and
    for what the class itself refuses.
    """
    # mypy knows no bound for "is a dataclass".
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # see above

    def read(value: Json) -> T:
        given = {}
        for name, part in mapping(value).items():
            if name not in fields:
                raise ValueError(f"{kind.__name__} has no {shown(name)}")
            try:
                given[name] = _READERS[str(fields[name].type)](part)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        for name, field in fields.items():
            if name not in given and field.default is dataclasses.MISSING:
                raise ValueError(f"{kind.__name__} needs {name!r}")
        return kind(**given)

    return read


_READERS: dict[str, Callable[[Json], object]] = {
    "int": integer,
    "int | None": _or_none(integer),
    "bool": truth,
    "str": word,
    "bytes": octets,
    "bytes | None": _or_none(address),
    "tuple[bytes, ...]": listed(address),
    "tuple[str, ...]": listed(word),
    "ChecksumPolicy | None": _or_none(_checksum),
}
"""By the type as it is written in `settings`: `bytes` alone are data, all others are addresses."""
_READERS |= {
    "Announcements | None": _or_none(record(Announcements)),
    "tuple[TrackedScript, ...]": listed(record(TrackedScript)),
    "tuple[TrackedInterface, ...]": listed(record(TrackedInterface)),
    "tuple[PeerTtl, ...]": listed(record(PeerTtl)),
    "tuple[TrackedFile, ...]": listed(record(TrackedFile)),
    "tuple[TrackedProcess, ...]": listed(record(TrackedProcess)),
    "tuple[FileConfig, ...]": listed(record(FileConfig)),
    "tuple[LinkDelays, ...]": listed(record(LinkDelays)),
    "tuple[ProcessConfig, ...]": listed(record(ProcessConfig)),
    "tuple[ScriptConfig, ...]": listed(record(ScriptConfig)),
    "tuple[SyncGroupConfig, ...]": listed(record(SyncGroupConfig)),
    "tuple[VirtualRouterConfig, ...]": listed(record(VirtualRouterConfig)),
}
read_config = record(RouterConfig)
"""A RouterConfig from its JSON form; ValueError says what is wrong where."""


def read_datagram(value: Json) -> Datagram:
    """A datagram from its JSON form; ValueError says what is wrong."""
    given = mapping(value)
    source, destination = address(given.get("source")), address(given.get("destination"))
    if len(source) != len(destination):
        raise ValueError("source and destination are not of one family")
    ttl = integer(given.get("ttl"))
    if not 0 <= ttl <= 255:
        raise ValueError(f"a TTL of {ttl}")
    protected = given.get("authentication")
    return Datagram(
        source,
        destination,
        ttl,
        octets(given.get("payload")),
        None if protected is None else _read_authentication(mapping(protected)),
    )


def _read_authentication(given: Mapping[str, Json]) -> AuthenticationHeader:
    return AuthenticationHeader(
        integer(given.get("spi")),
        integer(given.get("sequence")),
        octets(given.get("icv")),
        octets(given.get("covered")),
    )


# Writing ----------------------------------------------------------------------------------------------------


def settings_json(value: object) -> Json:
    """The JSON form of a settings object, with every field."""
    assert dataclasses.is_dataclass(value)  # who calls it has one
    form = {}
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        form[field.name] = part.hex() if field.type == "bytes" else _plain(part)
    return form


def _plain(value: object) -> Json:
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, ChecksumPolicy):
        return value.name
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return settings_json(value)


def datagram_json(datagram: Datagram) -> Json:
    """The JSON form of a datagram."""
    form: dict[str, Json] = {
        "source": text(datagram.source),
        "destination": text(datagram.destination),
        "ttl": datagram.ttl,
        "payload": datagram.payload.hex(),
    }
    protected = datagram.authentication
    if protected is not None:
        form["authentication"] = {
            "spi": protected.spi,
            "sequence": protected.sequence,
            "icv": protected.icv.hex(),
            "covered": protected.covered.hex(),
        }
    return form


def effects_json(effects: KeyedEffects) -> Json:
    """Effects as lists: virtual router (null for a track script's), what, and its values."""
    forms: list[Json] = []
    for virtual_router, effect in effects:
        name = None if virtual_router is None else virtual_router.config.name
        match effect:
            case SendAdvertisement(sent):
                rest: list[Json] = ["send", sent.version, sent.priority, sent.interval_cs]
                rest.append([text(part) for part in sent.addresses])
                if sent.auth_type:
                    rest += [sent.auth_type, sent.auth_data.hex()]
            case AcquireAddresses(addresses):
                rest = ["acquire", [text(part) for part in addresses]]
            case ReleaseAddresses(addresses):
                rest = ["release", [text(part) for part in addresses]]
            case Announce(addresses, repeat):
                rest = ["announce", [text(part) for part in addresses], repeat]
            case StateChanged(old, new, reason):
                rest = ["state", old.value, new.value, reason]
            case PriorityChanged(before, after, reason):
                rest = ["priority", before, after, reason]
            case RunScript(script):
                rest = ["run", script]
            case _:
                rest = ["kill", effect.name]
        forms.append([name, *rest])
    return forms


def shown(value: Json) -> str:
    """A value in an error: short, and on one line."""
    said = repr(value)
    return said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}..."
