"""What became of a client's requests: millions of them, in columns."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from typing import TextIO

import numpy as np

from sim.result import SECOND_NS, ClientStory, Latency

COLUMNS = ("kind", "seq", "t_start", "t_end", "tcp_connect_s", "result", "node")
OK = "ok"
_PENDING = "timeout"
"""What a request is called whose time is up when the run ends, before anybody looks."""


class Requests:
    """The requests of one client by number; times in nanoseconds, -1 where there is none.

    A result is "ok", "http503", or a phase and what went wrong in it: "tcp:timeout", "tls:reset".
    """

    def __init__(self) -> None:
        self.started_ns = array("q")
        self.ended_ns = array("q")
        self.connect_ns = array("q")
        self._result = array("H")
        self._node = array("H")
        self._results = [_PENDING, OK]
        self._nodes = [""]
        self._result_numbers = {name: number for number, name in enumerate(self._results)}
        self._node_numbers = {"": 0}

    def __len__(self) -> int:
        return len(self.started_ns)

    def begin(self, now_ns: int) -> int:
        """A request begins; its number."""
        number = len(self.started_ns)
        self.started_ns.append(now_ns)
        self.ended_ns.append(-1)
        self.connect_ns.append(-1)
        self._result.append(0)
        self._node.append(0)
        return number

    def end(self, number: int, now_ns: int, connect_ns: int, result: str, node: str) -> None:
        """It ended so; `connect_ns` is how long connecting took, `node` who answered."""
        self.ended_ns[number] = now_ns
        self.connect_ns[number] = connect_ns
        if (code := self._result_numbers.get(result)) is None:
            code = self._result_numbers[result] = len(self._results)
            self._results.append(result)
        self._result[number] = code
        if (code := self._node_numbers.get(node)) is None:
            code = self._node_numbers[node] = len(self._nodes)
            self._nodes.append(node)
        self._node[number] = code

    def rows(self, kind: str) -> Iterator[tuple[str, int, str, str, str, str, str]]:
        """Those that ended, as text in the order of `COLUMNS`; times in seconds."""
        for number, ended_ns in enumerate(self.ended_ns):
            if ended_ns >= 0:
                connect_ns = self.connect_ns[number]
                yield (
                    kind,
                    number,
                    f"{self.started_ns[number] / SECOND_NS:.6f}",
                    f"{ended_ns / SECOND_NS:.6f}",
                    f"{connect_ns / SECOND_NS:.6f}" if connect_ns >= 0 else "",
                    self._results[self._result[number]],
                    self._nodes[self._node[number]],
                )

    def story(self, target: str, end_ns: int, timeout_ns: int) -> ClientStory:
        """All of it in short; requests that may still be answered after `end_ns` are left out."""
        started = np.array(self.started_ns, dtype=np.int64)
        ended = np.array(self.ended_ns, dtype=np.int64)
        settled = (ended >= 0) | (started + timeout_ns <= end_ns)
        started, ended = started[settled], ended[settled]
        codes = np.array(self._result, dtype=np.int64)[settled]
        ok = codes == 1
        counts = np.bincount(codes, minlength=len(self._results))
        errors = {name: int(counts[code]) for code, name in enumerate(self._results) if code != 1 and counts[code]}
        second = started // SECOND_NS
        sent = np.bincount(second) if len(second) else np.zeros(0, dtype=np.int64)
        failed = np.bincount(second[~ok], minlength=len(sent)) if len(second) else sent
        return ClientStory(
            target,
            len(started),
            int(ok.sum()),
            int((~ok).sum()),
            _gaps(started, ok, end_ns),
            dict(sorted(errors.items(), key=lambda one: -one[1])),
            _latency(ended[ok] - started[ok]),
            tuple((int(a), int(b)) for a, b in zip(sent, failed, strict=True)),
        )


def _gaps(started: np.ndarray, ok: np.ndarray, end_ns: int) -> tuple[tuple[int, int], ...]:
    """From the first failed request to the next that succeeded, or the end."""
    turns = np.flatnonzero(np.diff(np.concatenate(([True], ok)).astype(np.int8)))
    moments = [int(started[turn]) for turn in turns]
    if len(moments) % 2:
        moments.append(end_ns)
    return tuple(zip(moments[::2], moments[1::2], strict=True))


def _latency(taken_ns: np.ndarray) -> Latency | None:
    if not len(taken_ns):
        return None
    in_order = np.sort(taken_ns)

    def at(part: float) -> int:
        return int(in_order[min(len(in_order) - 1, int(part * len(in_order)))])

    return Latency(at(0.5), at(0.99), int(in_order[-1]))


def write_requests(file: TextIO, requests: dict[str, tuple[str, Requests]]) -> None:
    """All clients' requests as CSV ; where there are several a last column names the client.

    `requests` are by client, each with its kind: "new" (a connection for each) or "ka" (one kept alive).
    """
    writer = csv.writer(file, lineterminator="\n")
    several = len(requests) > 1
    writer.writerow((*COLUMNS, "client") if several else COLUMNS)
    for name, (kind, one) in requests.items():
        writer.writerows((*row, name) if several else row for row in one.rows(kind))
