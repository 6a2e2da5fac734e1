"""A scenario written as a scenario file: what `sim.scenario` reads, made from its objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from sim.delay import Constant
from sim.result import SECOND_NS
from sim.scenario import EventSpec, InterfaceSpec, Scenario
from vrrp.durations import duration_text

_BARE = re.compile("[A-Za-z0-9_-]+")


def scenario_text(
    scenario: Scenario, *, title: str, duration_ns: int, events: Iterable[EventSpec], comment: str = ""
) -> str:
    """The TOML text of a scenario with other events; delays are constant or the default, and it has no clients.

    Args:
        scenario: has the segments and nodes; paths in it are written as they are.
        title: one line.
        duration_ns: how long it lasts.
        events: what happens.
        comment: one line for the top.
    """
    lines = [f"# {comment}"] if comment else []
    lines += [
        f"title = {_quoted(title)}",
        f"duration = {_duration(duration_ns)}",
        f"seed = {scenario.seed}",
        f"profile = {_quoted(scenario.profile)}",
    ]
    for name, segment in scenario.segments.items():
        lines += ["", f"[segments.{_key(name)}]"]
        if segment.delay.constant_ns is not None:
            lines.append(f"delay = {_quoted(duration_text(segment.delay.constant_ns))}")
        if segment.loss:
            lines.append(f"loss = {segment.loss}")
    for name, node in scenario.nodes.items():
        lines += ["", f"[nodes.{_key(name)}]", f"keepalived = {_quoted(node.keepalived)}"]
        if node.environment:
            pairs = ", ".join(f"{_key(key)} = {_quoted(value)}" for key, value in node.environment.items())
            lines.append(f"environment = {{ {pairs} }}")
        if node.config_id is not None:
            lines.append(f"config_id = {_quoted(node.config_id)}")
        if node.profile is not None:
            lines.append(f"profile = {_quoted(node.profile)}")
        lines += _interfaces(node.interfaces.items())
    for event in events:
        lines += ["", "[[events]]", *_event(event)]
    return "\n".join(lines) + "\n"


def _interfaces(interfaces: Iterable[tuple[str, InterfaceSpec]]) -> Iterator[str]:
    for name, part in interfaces:
        addresses = ", ".join(_quoted(str(address)) for address in part.addresses)
        yield f"interfaces.{_key(name)} = {{ segment = {_quoted(part.segment)}, addresses = [{addresses}] }}"


def _event(event: EventSpec) -> Iterator[str]:
    yield f"at = {_duration(event.at)}"
    yield f"action = {_quoted(event.action)}"
    for key in EventSpec.model_fields:
        value = getattr(event, key)
        if key not in {"at", "action"} and value is not None:
            yield f"{key} = {_value(value)}"


def _value(value: object) -> str:
    """An event's value: text, a number, a constant delay, or groups of names."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Constant):
        return _duration(value.delay_ns)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)


def _duration(duration_ns: int) -> str:
    """In seconds, however many: moments of one run are compared with each other."""
    if duration_ns < SECOND_NS:
        return _quoted(duration_text(duration_ns))
    return _quoted(f"{(Decimal(duration_ns) / SECOND_NS).normalize():f}s")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for surrogates, which it does not know."""
    shown = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    return shown.replace("\x7f", "\\u007f")
