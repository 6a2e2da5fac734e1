"""A recording of real keepalived processes: who became what and when, and the scenario that predicts it.

`recording.json` stands beside the routers' configurations. It holds the routers with their interfaces' addresses, the
events (what was done to which router), and the transitions that the routers' logs told of, in seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrrp.protocol.tracking import SCRIPT_RUN_NS

MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
EXEC_NS = 20 * MS_NS
"""From starting keepalived to its first state, where its log does not tell: 10 to 30 ms measured."""
ENDS = {"crash", "crash-child", "crash-parent", "stop"}
SEGMENTS = {"eth0": "lan0", "eth1": "lan1"}
PREDICTED = {
    "crash",
    "crash-child",
    "crash-parent",
    "heal",
    "link-down",
    "link-up",
    "partition",
    "pause",
    "reload",
    "resume",
    "script-fail",
    "script-hang",
    "script-pass",
    "script-unhang",
    "start",
    "stop",
}
WORDS = {"script-unhang": "script-pass"}
"""What a scenario calls it."""
CONSEQUENCES = {"remove-addresses", "stopped"}
"""What a scenario needs no event for: a start clears leftover addresses, and a stop ends."""
COMMENTS = {"other"}
"""A remark made while recording: "return r3", with the event itself beside it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A virtual router entered a state. `state` is BACKUP, MASTER, FAULT or INITIALIZE (its process ended)."""

    at_ns: int
    node: str
    instance: str
    state: str


class Recording:
    """One folder with `recording.json` and `rN.conf`. KeyError for a file that is no recording."""

    def __init__(self, folder: Path) -> None:
        data: dict[str, Any] = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
        self.folder = folder
        self.routers: dict[str, dict[str, Any]] = data["routers"]
        self.events: list[dict[str, Any]] = data["events"]
        self._transitions: list[dict[str, Any]] = data["transitions"]
        self.entries = [
            Entry(_ns(entry["t"]), entry["router"], entry["instance"], entry["to"]) for entry in self._transitions
        ]
        last = max(entry["t"] for entry in [*self.events, *self._transitions])
        self.end_ns = _ns(data.get("end", last + 0.5))
        self.zero: float = data.get("t0_unix", 0.0)
        """The time of day at its zero, for captures; 0 where none are kept."""
        self.captures = [folder / name for name in data.get("captures", ())]

    @property
    def foreign(self) -> set[str]:
        """The events that a scenario has no word for, such as packets injected from outside."""
        return {event["action"] for event in self.events} - PREDICTED - CONSEQUENCES - COMMENTS

    @property
    def ends(self) -> list[tuple[int, str]]:
        """When which router's process ended, in nanoseconds."""
        return [(_ns(e["t"]), e["router"]) for e in self.events if e["action"] in ENDS]

    def scenario(self, profile: str = "keepalived") -> str:
        """The same as a scenario file (TOML), with the configurations' absolute paths."""
        segments = sorted({SEGMENTS[name] for router in self.routers.values() for name in router["interfaces"]})
        first: dict[str, float] = {}
        again: list[str] = []
        for router, start in self._starts():
            if router in first:
                again += _event(start, "start", node=router)
            else:
                first[router] = start
        lines = [f"duration = {_duration(self.end_ns / SECOND_NS)}", f'profile = "{profile}"']
        lines += [f'[segments.{name}]\ndelay = "50us"' for name in segments]
        for name, start in first.items():
            config = str(self.folder.resolve() / self.routers[name]["config"])
            lines += [f"[nodes.{name}]", f"keepalived = {json.dumps(config)}", f"start = {_duration(start)}"]
            for interface, addresses in self.routers[name]["interfaces"].items():
                part = f'segment = "{SEGMENTS[interface]}", addresses = {json.dumps(addresses)}'
                lines.append(f"interfaces.{interface} = {{ {part} }}")
        lines += again
        away: set[str] = set()
        for event in self.events:
            # Each says who goes to or comes from the other side; the first segment is the one that is cut.
            away = (away | set(event.get("away", ()))) - set(event.get("back", ()))
            lines += self._as_event(event, segments[0], away)
        return "\n".join(lines) + "\n"

    def _starts(self) -> list[tuple[str, float]]:
        """Each start, with the time at which the router was ready.

        How long a program takes to be loaded is the machine's affair, not the protocol's. A backup's log tells with
        "(init)"; an owner is master as soon as it is ready; who waits for a check script is BACKUP with its result.
        """
        starts: list[tuple[str, float]] = []
        for event in self.events:
            if event["action"] != "start":
                continue
            router, begun = event["router"], event["t"]
            told = [t for t in self._transitions if t["router"] == router and t["t"] >= begun]
            ready = begun + EXEC_NS / SECOND_NS
            if told and told[0]["t"] < begun + (2 if told[0]["init"] else 0.3):
                checked = told[0]["to"] == "BACKUP" and not told[0]["init"]
                ready = max(told[0]["t"] - checked * SCRIPT_RUN_NS / SECOND_NS, begun)
            starts.append((router, ready))
        return starts

    def _as_event(self, event: dict[str, Any], segment: str, away: set[str]) -> list[str]:
        at, action = event["t"], event["action"]
        if action not in PREDICTED or action == "start":
            return []
        if action in ("partition", "heal"):
            if not away:
                return _event(at, "heal", segment=segment)
            groups = [sorted(away), [name for name in self.routers if name not in away]]
            return _event(at, "partition", segment=segment, groups=groups)
        known: dict[str, str] = {key: event[key] for key in ("interface", "script") if key in event}
        if "config" in event:
            known["keepalived"] = str(self.folder.resolve() / event["config"])
        return _event(at, WORDS.get(action, action), node=event["router"], **known)


def _ns(time: float) -> int:
    return round(time * SECOND_NS)


def _duration(time: float) -> str:
    return f'"{time:.6f}s"'


def _event(time: float, action: str, **keys: object) -> list[str]:
    return [
        "[[events]]",
        f"at = {_duration(time)}",
        f'action = "{action}"',
        *(f"{key} = {json.dumps(value)}" for key, value in keys.items()),
    ]
