"""How long a client of a silent server waits, asked of the real HAProxy, beside what the rules tell of it."""

from __future__ import annotations

import http.client
import http.server
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from check.test_detecting import COOKIE
from haproxy.program import haproxy, listeners
from linux.namespaces import alone
from vrrp.check.detecting import wait
from vrrp.config.haproxy import read_haproxy
from vrrp.protocol.timers import SECOND_NS

pytestmark = [pytest.mark.root, pytest.mark.program("haproxy", "ip")]

WORDS = (
    "balance roundrobin",
    "balance leastconn",
    "balance first",
    "balance source",
    "balance roundrobin; option redispatch",
    "balance leastconn; option redispatch",
    "balance first; option redispatch",
    "balance static-rr; option redispatch",
    "balance source; option redispatch 1",
    "balance uri; option redispatch",
    f"{COOKIE}; option redispatch",
    f"{COOKIE}; option redispatch 1",
    f"{COOKIE}; option redispatch; retries 1",
    "option redispatch; retries 0",
)
FIRST_PORT, SERVES, SILENT = 18100, 18001, 18002


class Answer(http.server.BaseHTTPRequestHandler):
    """200 to everybody."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def silent_port() -> Iterator[None]:
    """A port whose SYNs get no answer: its queue is full."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", SILENT))
        listening.listen(0)
        for _ in range(4):
            one = opened.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", SILENT))
        yield


def backend(words: str, ports: tuple[int, int]) -> str:
    """A listen's lines: the server that is named "quiet" by its cookie is the silent one."""
    names = {SERVES: "loud", SILENT: "quiet"}
    servers = "".join(f"  server {names[port]} 127.0.0.1:{port} cookie {names[port]}\n" for port in ports)
    lines = "".join(f"  {line}\n" for line in words.split("; "))
    return f"  mode http\n  timeout connect 300ms\n{lines}{servers}"


def ask(port: int) -> tuple[float, int]:
    """How long a request takes, and the status that it gets."""
    begun = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("GET", "/", headers={"Cookie": "S=quiet"})
    status = client.getresponse().status
    client.close()
    return time.monotonic() - begun, status


def test_real_clients_wait_as_long_as_is_told() -> None:
    # Each twice, with the servers in either order: one of the two meets the silent one, whatever chooses.
    cases = [(words, ports) for words in WORDS for ports in ((SERVES, SILENT), (SILENT, SERVES))]
    configuration = "".join(
        f"listen l{number}\n  bind 127.0.0.1:{FIRST_PORT + number}\n{backend(*case)}"
        for number, case in enumerate(cases)
    )
    with ExitStack() as open_:
        for one in (alone(), silent_port(), listeners([SERVES], Answer), haproxy(configuration)):
            open_.enter_context(one)
        pool = open_.enter_context(ThreadPoolExecutor(len(cases)))
        answers = list(pool.map(ask, range(FIRST_PORT, FIRST_PORT + len(cases))))
    for number, words in enumerate(WORDS):
        told = wait(read_haproxy(f"backend b\n{backend(words, (SERVES, SILENT))}").model.backends[0])
        assert told is not None
        seconds, status = max(answers[2 * number : 2 * number + 2])
        assert told.ns / SECOND_NS - 0.01 < seconds < told.ns / SECOND_NS + 0.25, words
        assert (status == 200) is told.served, words
