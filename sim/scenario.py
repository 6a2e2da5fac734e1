"""The scenario file: who is on which segment, what goes wrong and when. TOML, checked before anything runs.

Unknown keys, unknown names and impossible values are errors with file, line and the nearest thing that exists.
"""

from __future__ import annotations

import ipaddress
import reprlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from sim.delay import Constant, Delay, Lognormal, Uniform
from sim.scenario_file import Lines, ScenarioError, path_text
from vrrp.durations import parse_duration
from vrrp.protocol.profile import profile_named
from vrrp.words import nearest

InterfaceAddress: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface
DEFAULT_DELAY_NS = 100_000
MAX_FILE_SIZE = 4 << 20


def parse_delay(value: object) -> Delay:
    """A transit time: "100us", or a table with `distribution` "lognormal" (median, sigma) or "uniform" (low, high)."""
    if not isinstance(value, dict):
        return Constant(parse_duration(value))
    kind, rest = value.get("distribution"), {k: v for k, v in value.items() if k != "distribution"}
    if kind == "lognormal" and rest.keys() == {"median", "sigma"} and isinstance(rest["sigma"], int | float):
        if not 0 <= rest["sigma"] <= 5:
            raise ValueError("sigma is 0 to 5")
        return Lognormal(parse_duration(rest["median"]), float(rest["sigma"]))
    if kind == "uniform" and rest.keys() == {"low", "high"}:
        low_ns, high_ns = parse_duration(rest["low"]), parse_duration(rest["high"])
        if low_ns > high_ns:
            raise ValueError("low is above high")
        return Uniform(low_ns, high_ns)
    raise ValueError(
        'a delay is "100us", { distribution = "lognormal", median = "100us", sigma = 0.3 } or '
        '{ distribution = "uniform", low = "50us", high = "1ms" }'
    )


def _parse_address(value: object) -> InterfaceAddress:
    if not isinstance(value, str) or "/" not in value:
        raise ValueError(f"{value!r} is no address with prefix length; write 10.0.0.11/24")
    return ipaddress.ip_interface(value)


def _parse_target(value: object) -> tuple[bytes, int]:
    address, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{value!r} is no target; write an IPv4 address and a port: 10.0.0.100:443")
    return ipaddress.IPv4Address(address).packed, int(port)


def _parse_ipv4(value: object) -> ipaddress.IPv4Address:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no IPv4 address")
    return ipaddress.IPv4Address(value)


def _parse_tls(value: object) -> str | None:
    known = {True: "1.2", False: None, "1.2": "1.2", "1.3": "1.3"}
    if not isinstance(value, bool | str) or value not in known:
        raise ValueError(f'{value!r} is no TLS version; write true, false, "1.2" or "1.3"')
    return known[value]


def _parse_start(value: object) -> int | None:
    return None if value == "never" else parse_duration(value)


def _parse_profile(value: object) -> str:
    return profile_named(str(value)).name


Duration: TypeAlias = Annotated[int, PlainValidator(parse_duration)]
DelayValue: TypeAlias = Annotated[Delay, PlainValidator(parse_delay)]
ProfileName: TypeAlias = Annotated[str, BeforeValidator(_parse_profile)]


class _Strict(BaseModel):
    """Frozen, and no key but the declared ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class SegmentSpec(_Strict):
    """A LAN: transit time and the chance that a receiver misses a frame."""

    delay: DelayValue = Field(default=Constant(DEFAULT_DELAY_NS))
    loss: float = Field(default=0.0, ge=0.0, le=1.0, strict=True)


class InterfaceSpec(_Strict):
    """An interface: its segment and its own addresses."""

    segment: str
    addresses: tuple[Annotated[InterfaceAddress, PlainValidator(_parse_address)], ...]


class StepSpec(_Strict):
    """One step: get a URL, connect to an address and port, or see whether a process runs.

    It is taken only `when_holding` an address, where that is given. `fails_on_status`: whether a status of 400 and
    more is a failure (curl -f).
    """

    get: str | None = None
    connect: str | None = None
    process: str | None = None
    timeout: Duration | None = None
    when_holding: Annotated[ipaddress.IPv4Address, PlainValidator(_parse_ipv4)] | None = None
    fails_on_status: bool = Field(default=False, strict=True)


class ScriptSpec(_Strict):
    """What a check script of a node does: `steps` one after the other; the first that fails is how it ends."""

    steps: tuple[StepSpec, ...]


class NodeSpec(_Strict):
    """A router or load balancer. `start` None: only when an event says so. `config_id` None: the node's name."""

    keepalived: str
    haproxy: str | None = None
    environment: dict[str, str] = {}  # pydantic copies it for each object
    config_id: str | None = None
    interfaces: dict[str, InterfaceSpec]
    start: Annotated[int | None, PlainValidator(_parse_start)] = 0
    profile: ProfileName | None = None
    forwarding: bool = Field(default=False, strict=True)
    nonlocal_bind: bool = Field(default=False, strict=True)
    scripts: dict[str, ScriptSpec] = {}  # as above


class ServerSpec(_Strict):
    """What a load balancer balances to: a host of its own, or a program on a `node`.

    `tls` is false, "1.2", "1.3" or true (1.2 or better). `plain_on_tls`: what plain HTTP on a TLS port meets.
    """

    interfaces: dict[str, InterfaceSpec] = {}  # as above
    node: str | None = None
    listen: tuple[Annotated[int, Field(gt=0, lt=65536)], ...]
    latency: DelayValue = Field(default=Constant(0))
    status: int = Field(default=200, ge=100, le=599, strict=True)
    tls: Annotated[str | None, PlainValidator(_parse_tls)] = None
    plain_on_tls: Literal["400", "reset"] = "reset"
    accepts_only: bool = Field(default=False, strict=True)
    silent: bool = Field(default=False, strict=True)
    running: bool = Field(default=True, strict=True)
    start_delay: Duration = 0
    warm_up: Duration = 0
    warm_up_latency: DelayValue = Field(default=Constant(0))
    headers: dict[str, str] = {}  # as above


class ClientSpec(_Strict):
    """Somebody who connects to an address every so often."""

    interfaces: dict[str, InterfaceSpec]
    target: Annotated[tuple[bytes, int], PlainValidator(_parse_target)]
    start: Duration = 0
    every: Duration = 100_000_000
    timeout: Duration = 1_000_000_000
    tls: bool = Field(default=False, strict=True)
    keep_alive: bool = Field(default=False, strict=True)
    cookies: bool = Field(default=False, strict=True)
    retries: int = Field(default=0, ge=0, le=1000, strict=True)
    path: str = "/"


class EventSpec(_Strict):
    """Something that happens. Which of the optional keys an action takes, `sim.faults` says."""

    at: Duration
    action: str
    node: str | None = None
    interface: str | None = None
    script: str | None = None
    segment: str | None = None
    groups: tuple[tuple[str, ...], ...] | None = None
    rate: float | None = Field(default=None, ge=0.0, le=1.0, strict=True)
    delay: DelayValue | None = None
    server: str | None = None
    file: str | None = None
    value: int | None = Field(default=None, strict=True)
    process: str | None = None
    count: int | None = Field(default=None, ge=0, strict=True)
    keepalived: str | None = None
    environment: dict[str, str] | None = None
    status: int | None = Field(default=None, ge=100, le=599, strict=True)


class Scenario(_Strict):
    """A whole scenario. `folder` is where its paths start."""

    title: str = ""
    duration: Duration
    seed: int = Field(default=1, ge=-(1 << 63), lt=1 << 63, strict=True)
    profile: ProfileName = "keepalived"
    segments: dict[str, SegmentSpec]
    nodes: dict[str, NodeSpec]
    servers: dict[str, ServerSpec] = {}  # pydantic copies it for each object
    clients: dict[str, ClientSpec] = {}  # as above
    events: tuple[EventSpec, ...] = ()


_MODELS: dict[str, type[_Strict]] = {
    "segments": SegmentSpec,
    "nodes": NodeSpec,
    "servers": ServerSpec,
    "clients": ClientSpec,
    "events": EventSpec,
}


class ScenarioSource:
    """A scenario with the text it came from, for errors that name the line. `file` is as the user gave it."""

    def __init__(self, file: str, text: str, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self._lines = Lines(text)

    def error(self, path: tuple[str | int, ...], message: str) -> ScenarioError:
        """An error at a place of the file."""
        return ScenarioError(self.file, self._lines.of(path), message)


def load_scenario(path: str | Path) -> tuple[Scenario, ScenarioSource]:
    """Read a scenario file. ScenarioError for whatever is wrong with it, OSError when it cannot be read."""
    file = Path(path)
    raw = file.read_bytes()
    if len(raw) > MAX_FILE_SIZE:
        raise ScenarioError(str(path), None, f"larger than {MAX_FILE_SIZE >> 20} MiB: no scenario")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ScenarioError(str(path), line, "not UTF-8; save the file as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(path), text, error) from error
    except ValueError as error:
        raise ScenarioError(str(path), None, "a number in it is too long") from error
    except RecursionError as error:
        raise ScenarioError(str(path), None, "nested too deeply") from error
    source = ScenarioSource(str(path), text, file.parent)
    return read_scenario(data, source), source


def read_scenario(data: dict[str, Any], source: ScenarioSource) -> Scenario:
    """The scenario in plain data (as TOML gives it). ScenarioError for the first thing wrong with it."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        complaints = error.errors()
        # A misspelt key is also a missing one; the first says more.
        first = next((one for one in complaints if one["type"] == "extra_forbidden"), complaints[0])
        path = tuple(first["loc"])
        raise source.error(path, _phrase(first["type"], path, first["msg"], first["input"])) from error


def _syntax_error(file: str, text: str, error: tomllib.TOMLDecodeError) -> ScenarioError:
    message = str(error)
    what, _, where = message.rpartition(" (at ")
    digits = "".join(c for c in where.split(",")[0] if c.isdigit())
    line = int(digits) if digits else text.count("\n") + 1
    return ScenarioError(file, line, f"not valid TOML: {what or message}")


def _phrase(kind: str, path: tuple[str | int, ...], message: str, given: object) -> str:
    where = path_text(path[:-1])
    if kind == "extra_forbidden":
        known = _model_at(path[:-1]).model_fields
        inside = f" in {where}" if where else ""
        return f"unknown key {str(path[-1])!r}{inside}; {nearest(str(path[-1]), known)}"
    if kind == "missing":
        return f"{where or 'the scenario'} needs {str(path[-1])!r}"
    if kind == "value_error":
        return f"{path_text(path)}: {message.removeprefix('Value error, ')}"
    return f"{path_text(path)}: {message[:1].lower()}{message[1:]}, not {_shown(given)}"


def _shown(given: object) -> str:
    try:
        return f"{reprlib.repr(given):.60}"
    except ValueError:  # Python does not write out integers of more than 4300 digits
        return "a number this long"


def _model_at(path: tuple[str | int, ...]) -> type[_Strict]:
    if path[2:3] == ("interfaces",):
        return InterfaceSpec
    if path[2:3] == ("scripts",):
        return StepSpec if path[4:5] == ("steps",) else ScriptSpec
    return _MODELS[str(path[0])] if path else Scenario
