"""A recorded run of the stack: its phases as a stack to simulate, and what its clients saw."""

from __future__ import annotations

import csv
import gzip
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from haproxy.stack import HAPROXY, NO_REDISPATCH, SEED, THREE_RETRIES, TUNED, TUNED_SERVER, Stack

RUNS = Path(__file__).parent / "data" / "runs"
ADVERT_S = 1.0
SKEW_S = {"n1": 155 / 256, "n2": 156 / 256, "n3": 156 / 256}
KEEPALIVED_S = 0.12
"""From the start of keepalived until it says that it is a backup (measured where starts were noted: 0.1 to 0.2 s)."""
HAPROXY_S = 0.4
"""The same of HAProxy, which on the machine of the recordings started beside three Pythons and two others: 0.2 to 0.6
s, by how many connections it redispatched before it took a dead server for dead."""
API_S = 0.25
"""From the start of an API server until it listens."""
_KINDS = {
    "Connection refused": "refused",
    "Connection reset by peer": "reset",
    "ConnectionError": "closed",
    "ConnectionResetError": "reset",
    "ConnectionRefusedError": "refused",
    "TimeoutError": "timeout",
    "No route to host": "unreachable",
}
_ACTIONS: Mapping[str, Mapping[str, str]] = {
    "kill -9 haproxy on n1 (VIP holder)": {"action": "haproxy-kill", "node": "n1"},
    "haproxy n1 started again": {"action": "haproxy-start", "node": "n1"},
    "n1 switch port down": {"action": "link-down", "node": "n1", "interface": "eth0"},
    "n1 switch port up (node returns)": {"action": "link-up", "node": "n1", "interface": "eth0"},
    "SIGTERM keepalived on n1": {"action": "stop", "node": "n1"},
    "keepalived n1 started again": {"action": "start", "node": "n1"},
    "kill -9 keepalived (parent and vrrp child) on n1": {"action": "crash", "node": "n1"},
    "kill -9 apiserver on n2 (not VIP holder)": {"action": "server-down", "server": "api2"},
    "apiserver n2 started again": {"action": "server-up", "server": "api2"},
    "kill -9 apiserver on n1 (VIP holder itself)": {"action": "server-down", "server": "api1"},
    "apiserver n1 started again": {"action": "server-up", "server": "api1"},
    "n2 switch port down (backend blackholed, VIP stays on n1)": {
        "action": "link-down", "node": "n2", "interface": "eth0",
    },
    "n2 switch port up": {"action": "link-up", "node": "n2", "interface": "eth0"},
}  # fmt: skip
_LATER_S = {"keepalived n1 started again": KEEPALIVED_S, "apiserver n2 started again": API_S,
            "apiserver n1 started again": API_S}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a client; times in seconds since the first event."""

    start_s: float
    end_s: float
    result: str

    @property
    def ok(self) -> bool:
        """Whether it was answered."""
        return self.result == "ok"


@dataclass(frozen=True)
class Seen:
    """What the clients saw, and who held the address: of a recorded run or a simulated one."""

    new: Sequence[Request]
    kept: Sequence[Request]
    holders: Sequence[tuple[float, tuple[str, ...]]]

    def outage_s(self, from_s: float, to_s: float) -> float:
        """The longest time without a completed connection of those that overlap with a window."""
        done = sorted(one.end_s for one in self.new if one.ok)
        gaps = [y - x for x, y in pairwise(done) if y > from_s and x < to_s]
        return max(gaps, default=to_s - from_s)

    def failed(self, from_s: float, to_s: float) -> list[float]:
        """The share that failed of the new connections begun in each second of a window."""
        shares = []
        second = from_s
        while second + 1 <= to_s:
            begun = [one for one in self.new if second <= one.start_s < second + 1]
            shares.append(sum(not one.ok for one in begun) / len(begun) if begun else 0.0)
            second += 1
        return shares

    def errors(self, from_s: float, to_s: float) -> Counter[str]:
        """How many of the new connections of a window failed in which way."""
        return Counter(one.result for one in self.new if from_s <= one.start_s < to_s and not one.ok)


@dataclass(frozen=True)
class Recording:
    """One run as recorded."""

    name: str
    told: Mapping[str, Any]

    @property
    def marks(self) -> Sequence[tuple[float, str]]:
        """What was done, and when."""
        return [(at_s, what) for at_s, what in self.told["marks"]]

    @cached_property
    def seen(self) -> Seen:
        """What its clients saw."""
        requests: dict[str, list[Request]] = {"new": [], "ka": []}
        with gzip.open(RUNS / f"{self.name}.csv.gz", "rt", newline="") as file:
            for row in csv.DictReader(file):
                one = Request(float(row["t_start"]), float(row["t_end"]), kind_of(row["result"]))
                requests[row["kind"]].append(one)
        holders = [(at_s, tuple(nodes)) for at_s, nodes in self.told["holders"]]
        return Seen(requests["new"], requests["ka"], holders)

    @property
    def end_s(self) -> float:
        """When its clients asked no more."""
        return max(one.start_s for one in self.seen.new)

    def phase_s(self) -> float:
        """How long after the master's last advertisement the first event came."""
        sent: list[float] = [at_s for at_s, node, _ in self.told["adverts"] if node == "n1"]
        return -sent[bisect_left(sent, 0.0) - 1]

    def keepalived_s(self) -> list[float]:
        """When each node's keepalived began as a backup: a master-down interval before its first advertisement."""
        first: dict[str, float] = {}
        for at_s, node, _ in self.told["adverts"]:
            first.setdefault(node, at_s)
        begun = {node: at_s - 3 * ADVERT_S - SKEW_S[node] for node, at_s in first.items() if at_s < 0}
        return [begun.get(node, begun["n1"]) for node in SKEW_S]

    def haproxies_s(self) -> list[float]:
        """When each HAProxy was started; where that was not noted, as long before keepalived as it always was."""
        noted = {node: at_s for at_s, node, what in reversed(self.told["starts"]) if what == "haproxy"}
        guess = self.keepalived_s()[0] - KEEPALIVED_S - 1.5
        return [noted.get(node, guess - 0.01 * (2 - place)) for place, node in enumerate(SKEW_S)]

    def stack(self, *, check_phase_s: float = HAPROXY_S, client_phase_s: float = 0.0) -> Stack:
        """The same to simulate: it begins with the first HAProxy.

        `check_phase_s` is how much later than it was started each HAProxy began to check, and `client_phase_s` how
        much later the clients begin: which of three servers gets which connection of a check script is a matter of
        milliseconds that no log tells.
        """
        haproxies = [at_s + check_phase_s for at_s in self.haproxies_s()]
        zero = min(haproxies) - 0.01
        haproxy, server = HAPROXY, "check"
        if "tuned" in self.name:
            haproxy, server = TUNED, TUNED_SERVER
        elif "noredisp" in self.name:
            haproxy = NO_REDISPATCH
        elif "retr3" in self.name:
            haproxy = THREE_RETRIES
        timeout_s = (
            5.0 if haproxy in {NO_REDISPATCH, THREE_RETRIES} else 8.0 if self.name == "backend_blackhole" else 0.5
        )
        return Stack(
            duration_s=round(self.end_s - zero + timeout_s, 3),
            events=[
                {"at": round(at_s + _LATER_S.get(what, 0.0) - zero, 4), **_ACTIONS[what]}
                for at_s, what in self.marks
                if what in _ACTIONS
            ],
            haproxy=haproxy,
            server=server,
            script={key: self.told["config"][key] for key in SEED},
            timeout_s=timeout_s,
            forwarding="fwd" in self.name,
            haproxies_s=[round(at_s - zero, 4) for at_s in haproxies],
            keepalived_s=[round(at_s - zero, 4) for at_s in self.keepalived_s()],
            apis_s=[round(at_s - zero + API_S, 4) for at_s in haproxies],
            client_s=round(min(one.start_s for one in self.seen.new) - zero + client_phase_s, 4),
        )


def kind_of(result: str) -> str:
    """A recorded result in the simulator's words."""
    phase, colon, what = result.partition(":")
    if "EOF" in what or what == "eof":
        what = "closed"
    return f"{phase}:{_KINDS.get(what, what)}" if colon else result


def recording(name: str) -> Recording:
    """One of the runs."""
    return Recording(name, json.loads((RUNS / f"{name}.json").read_text()))


def names() -> Iterable[str]:
    """All of them."""
    return sorted(path.name.removesuffix(".json") for path in RUNS.glob("*.json"))
