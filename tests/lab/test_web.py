"""Servers and clients of the laboratory as the programs they are, on loopback: what a client sees of each server."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from sim.delay import Constant, Lognormal, Uniform
from sim.lab.certificate import PEM
from sim.lab.web import PLAIN
from sim.lab.web_client import Orders
from sim.lab.web_server import LISTENING, Conduct, read_behavior, write_behavior

MS = 1_000_000
TLS = replace(PLAIN, tls="1.2")


def run(what: str, *words: str) -> subprocess.Popen[str]:
    start = f"from sim.lab.{what} import main; main()"
    return subprocess.Popen([sys.executable, "-c", start, *words], stdout=subprocess.PIPE, text=True)


@contextmanager
def serving(folder: Path, conduct: Conduct) -> Iterator[int]:
    """A server of this conduct; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    behavior, certificate = folder / "behavior.json", folder / "server.pem"
    write_behavior(behavior, conduct)
    certificate.write_text(PEM)
    server = run("web_server", "api1", str(behavior), str(certificate), "0", str(port))
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == f"{LISTENING}\n"
        yield port
    finally:
        server.kill()
        server.communicate()


def asked(folder: Path, port: int, **changes: object) -> list[dict[str, str]]:
    """What becomes of some requests, as a client writes it down."""
    orders = Orders(
        zero_ns=time.time_ns(),
        start_ns=0,
        end_ns=300 * MS,
        host="127.0.0.1",
        port=port,
        every_ns=50 * MS,
        timeout_ns=5000 * MS,
        tls=False,
        keep_alive=False,
        cookies=False,
        retries=0,
        path="/",
    )
    (folder / "orders.json").write_text(json.dumps(asdict(orders) | changes))
    client = run("web_client", str(folder / "orders.json"), str(folder / "rows.csv"))
    assert client.wait(30) == 0
    client.communicate()
    with (folder / "rows.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def results(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(row["result"] for row in rows)


@pytest.mark.parametrize(
    ("conduct", "tls", "result"),
    [
        (PLAIN, False, "ok"),
        (TLS, True, "ok"),
        (replace(PLAIN, tls="1.3"), True, "ok"),
        (replace(PLAIN, status=503), False, "http503"),
        (replace(TLS, plain_on_tls="400"), False, "http400"),
        (PLAIN, True, "tls:not TLS"),
        (replace(PLAIN, accepts_only=True), False, "http:timeout"),
        (replace(PLAIN, accepts_only=True), True, "tls:timeout"),
        (replace(PLAIN, latency=Constant(2000 * MS)), False, "http:timeout"),
    ],
)
def test_what_a_client_sees_of_a_server(tmp_path: Path, conduct: Conduct, tls: bool, result: str) -> None:
    patience_ns = 400 * MS if result.endswith("timeout") else 5000 * MS
    with serving(tmp_path, conduct) as port:
        rows = asked(tmp_path, port, tls=tls, timeout_ns=patience_ns)
    assert set(results(rows)) == {result}
    assert {row["node"] for row in rows} == {"api1" if result == "ok" else ""}
    assert all(row["tcp_connect_s"] for row in rows)
    assert [row["kind"] for row in rows] == ["new"] * len(rows)


def test_plain_http_on_a_tls_port_is_ended(tmp_path: Path) -> None:
    with serving(tmp_path, TLS) as port:
        assert set(results(asked(tmp_path, port))) <= {"http:reset", "http:closed"}


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    rows = asked(tmp_path, port, retries=2)
    assert set(results(rows)) == {"tcp:refused"}
    assert {row["tcp_connect_s"] for row in rows} == {""}


def test_a_connection_that_is_kept_asks_again_and_again(tmp_path: Path) -> None:
    with serving(tmp_path, TLS) as port:
        rows = asked(tmp_path, port, tls=True, keep_alive=True)
    assert results(rows)["ok"] == len(rows) > 2
    assert [bool(row["tcp_connect_s"]) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert {row["kind"] for row in rows} == {"ka"}


def test_a_server_behaves_otherwise_from_the_next_request_on(tmp_path: Path) -> None:
    with serving(tmp_path, replace(PLAIN, warm_up_ns=60_000 * MS, warm_up_latency=Constant(300 * MS))) as port:
        [first] = asked(tmp_path, port, end_ns=1)
        write_behavior(tmp_path / "behavior.json", replace(PLAIN, status=404))
        [second] = asked(tmp_path, port, end_ns=1)
    assert (first["result"], second["result"]) == ("ok", "http404")
    assert float(first["t_end"]) - float(first["t_start"]) > 0.3


@pytest.mark.parametrize("latency", [Constant(5), Uniform(1, 7), Lognormal(100, 0.3)])
def test_a_behavior_is_read_as_it_was_written(tmp_path: Path, latency: Constant | Uniform | Lognormal) -> None:
    conduct = replace(PLAIN, latency=latency, warm_up_latency=latency, tls="1.3")
    write_behavior(tmp_path / "behavior.json", conduct)
    assert read_behavior(tmp_path / "behavior.json") == conduct
