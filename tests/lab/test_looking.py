"""The steps of check scripts as shell: run by a real shell, against sockets on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.lab.looking import gets_urls, looking
from sim.script import Step, connect_step, get_step

HELD = bytes((127, 0, 0, 1))
ELSEWHERE = bytes((192, 0, 2, 1))


@pytest.fixture
def port() -> Iterator[int]:
    """Where every request is answered 503."""

    def answer() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            with accepted:
                if accepted.recv(4096):
                    accepted.sendall(b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def passes(folder: Path, *steps: Step) -> bool:
    return subprocess.run(["sh", "-c", looking(steps, folder)], check=False, timeout=20).returncode == 0


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port: int = gone.getsockname()[1]
        return port


@pytest.mark.program("curl")
def test_an_answer_is_good_whatever_its_status_unless_that_is_asked_for(tmp_path: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}/healthz"
    assert passes(tmp_path, get_step(url, timeout_ns=5_000_000_000))
    assert not passes(tmp_path, get_step(url, fails_on_status=True))
    assert not passes(tmp_path, get_step(f"http://127.0.0.1:{closed_port()}/"))


def test_a_connection_that_is_accepted_is_good(tmp_path: Path, port: int) -> None:
    assert passes(tmp_path, connect_step(f"127.0.0.1:{port}", timeout_ns=5_000_000_000))
    assert not passes(tmp_path, connect_step(f"127.0.0.1:{closed_port()}"))


def test_a_process_runs_that_has_the_id_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "haproxy.pid").write_text(f"{os.getpid()}\n")
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "api1.pid").write_text(f"{ended.pid}\n")
    assert passes(tmp_path, Step(process="haproxy"))
    assert not passes(tmp_path, Step(process="api1"))
    assert not passes(tmp_path, Step(process="nobody"))


@pytest.mark.program("ip")
def test_a_step_is_taken_only_by_who_holds_the_address(tmp_path: Path) -> None:
    fails = Step(process="nobody", when_holding=HELD)
    assert not passes(tmp_path, fails)
    assert passes(tmp_path, Step(process="nobody", when_holding=ELSEWHERE))


def test_the_first_step_that_fails_ends_it(tmp_path: Path) -> None:
    (tmp_path / "haproxy.pid").write_text(f"{os.getpid()}\n")
    assert not passes(tmp_path, Step(process="nobody"), Step(process="haproxy"))


def test_who_needs_curl() -> None:
    assert gets_urls({"a": [Step(process="x")], "b": [get_step("http://127.0.0.1/")]})
    assert not gets_urls({"a": [connect_step("127.0.0.1:80")]})
