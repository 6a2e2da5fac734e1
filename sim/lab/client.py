"""A client for real: a program that asks as the scenario says, and the rows that it wrote of each request."""

from __future__ import annotations

import csv
import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sim.lab.namespace import Namespace, send
from sim.lab.web_client import Orders
from sim.requests import Requests
from sim.result import SECOND_NS, ClientStory
from sim.scenario import ClientSpec
from vrrp.whole_file import write_text

_START = "from sim.lab.web_client import main; main()"


class Client:
    """A client in a namespace, from `prepare` to `end`."""

    def __init__(self, name: str, namespace: Namespace, spec: ClientSpec, folder: Path) -> None:
        self.name = name
        self._namespace = namespace
        self._spec = spec
        self.rows = folder / "requests.csv"
        self._orders = folder / "orders.json"
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start its program, which needs some time until it can ask."""
        self.rows.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-c", _START, str(self._orders), str(self.rows)]
        with (self.rows.parent / "client.log").open("wb") as said:
            self._process = self._namespace.start(words, stdout=said, stderr=said)

    def start(self, zero_ns: int, end_ns: int) -> None:
        """Begin when the scenario says, counted from `zero_ns` (since 1970), and ask no more `end_ns` after that."""
        spec = self._spec
        orders = Orders(
            zero_ns=zero_ns,
            start_ns=spec.start,
            end_ns=end_ns,
            host=socket.inet_ntoa(spec.target[0]),
            port=spec.target[1],
            every_ns=spec.every,
            timeout_ns=spec.timeout,
            tls=spec.tls,
            keep_alive=spec.keep_alive,
            cookies=spec.cookies,
            retries=spec.retries,
            path=spec.path,
        )
        write_text(self._orders, json.dumps(asdict(orders)))

    def end(self) -> None:
        """Ask no more, whatever is under way."""
        if self._process is not None and self._process.poll() is None:
            send(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def requests(self, end_ns: int) -> Requests:
        """Its requests, as many as were over by then; times from the beginning of the run."""
        found = Requests()
        with suppress(FileNotFoundError), self.rows.open(encoding="utf-8", newline="") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: float(row["t_start"]))
            for row in (row for row in rows if _ns(row["t_end"]) <= end_ns):
                number = found.begin(_ns(row["t_start"]))
                found.end(number, _ns(row["t_end"]), _ns(row["tcp_connect_s"] or "-1e-9"), row["result"], row["node"])
        return found

    def story(self, end_ns: int) -> ClientStory:
        """What it saw until `end_ns`; requests that may still be answered then are left out."""
        target = f"{socket.inet_ntoa(self._spec.target[0])}:{self._spec.target[1]}"
        return self.requests(end_ns).story(target, end_ns, self._spec.timeout)


def _ns(seconds: str) -> int:
    return round(float(seconds) * SECOND_NS)
