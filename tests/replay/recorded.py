"""A recording with its captures, as the setup of a replay: what befell each router, and what it became when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrrp.capture.replay.happening import Happening
from vrrp.capture.replay.hearing import HeardCapture, Hearing
from vrrp.capture.replay.replay import Replay, Setup
from vrrp.capture.replay.survey import survey
from vrrp.config import load
from vrrp.config.router_config import convert
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.settings import OWNER_PRIORITY, RouterConfig
from vrrp.wire.address import pack

MS_NS = 1_000_000
S_NS = 1_000_000_000
EXEC_NS = 20 * MS_NS
"""From starting keepalived to its first state, where its log does not tell: 10 to 30 ms measured."""
FORGET = {"stopped", "remove-addresses", "inject", "other"}
WORDS = {"script-unhang": "script-pass", "crash-parent": "stop"}
READY = {("weight_zero_fault", "r1", 33.704736): 33.785}
"""Where neither "(init)" nor an owner tells: this one's check script ran each second from 33.785 on (BACKUP at 40.790
after two results), 80 ms after it was started."""
SIDES = {"lan0.pcap": "eth0", "lan1.pcap": "eth1", "lanx.pcap": "eth0"}


@dataclass(frozen=True)
class Entry:
    """A virtual router entered a state, at nanoseconds after the recording's zero."""

    at_ns: int
    instance: str
    state: str


def ns(seconds: float) -> int:
    return round(seconds * 1e6) * 1000


class Recording:
    """One folder with `recording.json`, `rN.conf` and captures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data: dict[str, Any] = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
        self.zero_ns = ns(self.data["t0_unix"])

    @property
    def routers(self) -> list[str]:
        """Those that were ever started."""
        return sorted({event["router"] for event in self.data["events"] if event["action"] == "start"})

    def entries(self, router: str) -> list[Entry]:
        """What its log told that it became; the first BACKUP of each life left out."""
        return [
            Entry(ns(t["t"]), t["instance"], t["to"])
            for t in self.data["transitions"]
            if t["router"] == router and not t["init"]
        ]

    def happenings(self, router: str) -> list[Happening]:
        """What was done to it, at its own times."""
        found = []
        for event in self.data["events"]:
            at_ns, action = self.zero_ns + ns(event["t"]), event["action"]
            if action in FORGET:
                continue
            if action in {"partition", "heal"}:
                if router in [*event.get("away", ()), *event.get("back", ())]:
                    aside = str(self.folder / "lanx.pcap") if action == "partition" else None
                    found.append(Happening(at_ns, action, aside))
            elif event.get("router") == router:
                if action == "start":
                    at_ns = self.zero_ns + self._ready_ns(router, event["t"])
                subject = event.get("interface") or event.get("script")
                found.append(Happening(at_ns, WORDS.get(action, action), subject))
        return found

    def _ready_ns(self, router: str, begun: float) -> int:
        """When it was ready, which its log tells: how long a program takes to be loaded is the machine's affair.

        An owner's log has no (init): it becomes master as soon as it is ready.
        """
        owner = all(one.priority == OWNER_PRIORITY for one in self.config(router).virtual_routers)
        for t in self.data["transitions"]:
            if t["router"] == router and (t["init"] or owner) and begun <= t["t"] < begun + 2:
                return ns(t["t"])
        return ns(READY.get((self.data["name"], router, begun), begun + EXEC_NS / S_NS))

    def config(self, router: str) -> RouterConfig:
        file = self.folder / self.data["routers"][router]["config"]
        return convert(load(file, environment={}).config, KEEPALIVED).router

    def setup(self, router: str) -> Setup:
        info = self.data["routers"][router]
        given = {name: [pack(a.partition("/")[0]) for a in own] for name, own in info["interfaces"].items()}
        captures = [
            HeardCapture(self.folder / name, SIDES[name], aside=name == "lanx.pcap")
            for name in self.data["captures"]
            if SIDES[name] in given
        ]
        return Setup(
            config=self.config(router),
            profile=KEEPALIVED,
            interfaces=given,
            captures=captures,
            happenings=self.happenings(router),
            end_ns=survey(Hearing(captures, list(given))).last_ns,
            latency_ns=KEEPALIVED.timer_latency_ns,
            macs=[bytes((2, 0, 0, 0, number, int(router[1:]))) for number in (0, 1)],
        )

    def advertised_ns(self, result: Replay, entry: Entry) -> int:
        """When a new master's first advertisement was captured, where that is just before its log's stamp.

        The log is stamped when it comes out of a pipe, which on a busy machine takes its time.
        """
        stamp_ns = self.zero_ns + entry.at_ns
        stints = result.recorded[entry.instance].stints if entry.state == "MASTER" else []
        sent = [one.first_ns - self.zero_ns for one in stints if 0 <= stamp_ns - one.first_ns < 100 * MS_NS]
        return max(sent, default=entry.at_ns)


def became(result: Replay, zero_ns: int) -> list[Entry]:
    """What the replayed router became, as `Recording.entries` tells it."""
    return [
        Entry(t.at_ns - zero_ns, t.instance, t.new)
        for t in result.transitions
        if t.new != "INITIALIZE" and (t.old != "INITIALIZE" or t.new == "MASTER")
    ]


def lasting(entries: list[Entry], least_ns: int) -> list[Entry]:
    """By virtual router, and without masterships that are over in less than this: two timers that ended together."""
    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: (entry.instance, entry.at_ns)):
        last = kept[-1] if kept else None
        race = last and (last.instance, last.state, entry.state) == (entry.instance, "MASTER", "BACKUP")
        if last and race and entry.at_ns - last.at_ns < least_ns:
            del kept[-1]
        else:
            kept.append(entry)
    return kept
