"""Records how the real HAProxy judges servers over time: data/health.json, data/spread.json.

As root: `python -m haproxy.record_health` in tests/. Each scene is the text of a backend with its servers and a script
of (seconds, input); kept are the columns of `show stat` whenever one changes, and the log's lines, with their times.
"""

from __future__ import annotations

import http.client
import socketserver
import time
from typing import Any, ClassVar

from haproxy.program import haproxy, keep, listeners
from linux.namespaces import alone

_COLUMNS = (
    "status", "weight", "chkfail", "chkdown", "check_health", "agent_health", "hanafail", "throttle", "check_status",
    "check_code", "last_chk", "agent_status", "agent_code", "last_agt", "downtime",
)  # fmt: skip


class Agent(socketserver.BaseRequestHandler):
    """Says what it is told to say."""

    line: ClassVar[bytes] = b"up\n"

    def handle(self) -> None:
        """One connection."""
        self.request.sendall(self.line)


class Failing(socketserver.BaseRequestHandler):
    """HTTP that answers checks well and everything else with what it is told."""

    status: ClassVar[bytes] = b"200 OK"

    def handle(self) -> None:
        """One connection."""
        request = self.request.recv(4096)
        status = b"200 OK" if b"/healthz" in request else self.status
        self.request.sendall(b"HTTP/1.0 " + status + b"\r\nContent-Length: 0\r\n\r\n")


SCENES: dict[str, dict[str, Any]] = {
    "fast": {
        "servers": "  server s 127.0.0.1:7001 check inter 400ms fastinter 100ms downinter 700ms rise 3 fall 3\n",
        "script": [[0.9, "close", 7001], [2.2, "open", 7001]],
        "seconds": 4.5,
    },
    "admin": {
        "servers": "  server s 127.0.0.1:7001 check inter 300ms\n  server t 127.0.0.1:7002 track b/s\n",
        "script": [
            [0.8, "say", "set server b/s state drain"],
            [1.2, "say", "set server b/s state ready"],
            [1.6, "say", "set server b/s state maint"],
            [2.4, "say", "set server b/s state ready"],
            [3.0, "close", 7001],
            [4.2, "say", "set server b/s state maint"],
            [4.6, "say", "set server b/s state ready"],
            [5.6, "open", 7001],
        ],
        "seconds": 7.0,
    },
    "slow start": {
        "servers": "  server s 127.0.0.1:7001 check inter 200ms weight 10 slowstart 5s\n"
        "  server t 127.0.0.1:7001 weight 7 slowstart 3500ms\n",
        "script": [
            [0.6, "close", 7001],
            [1.4, "open", 7001],
            [1.5, "say", "set server b/t state maint"],
            [1.8, "say", "set server b/t state ready"],
        ],
        "seconds": 8.5,
    },
    "agent": {
        "servers": "  server s 127.0.0.1:7001 check inter 300ms weight 40"
        " agent-check agent-port 7101 agent-inter 200ms\n",
        "script": [
            [0.7, "agent", "50%\n"],
            [1.2, "agent", "down # too hot\n"],
            [1.7, "agent", "up 200%\n"],
            [2.2, "agent", "drain\n"],
            [2.7, "agent", "ready\n"],
            [3.2, "agent", "maint\n"],
            [3.7, "agent", "ready up\n"],
            [4.2, "close", 7101],
            [4.9, "open", 7101],
            [5.2, "agent", "stopped\n"],
            [5.6, "agent", "fail\n"],
            [6.0, "agent", "running\n"],
            [6.4, "agent", "nonsense\n"],
            [6.8, "agent", "up,100%\n"],
        ],
        "seconds": 7.4,
    },
    "observe fail-check": {
        "servers": "  option httpchk GET /healthz\n"
        "  server s 127.0.0.1:7001 check inter 2s observe layer7 error-limit 3 on-error fail-check\n",
        "script": [[0.5, "answer", "500 Bad"], [1.0, "ask", 3], [1.2, "ask", 3], [1.4, "ask", 3]],
        "seconds": 3.5,
    },
    "observe fastinter": {
        "servers": "  option httpchk GET /healthz\n"
        "  server s 127.0.0.1:7001 check inter 2s fastinter 200ms observe layer7 error-limit 2 on-error fastinter\n",
        "script": [[0.6, "answer", "500 Bad"], [1.0, "ask", 2]],
        "seconds": 3.0,
    },
    "observe sudden-death": {
        "servers": "  option httpchk GET /healthz\n"
        "  server s 127.0.0.1:7001 check inter 1s fall 5 observe layer7 error-limit 2 on-error sudden-death\n",
        "script": [[1.2, "answer", "500 Bad"], [1.4, "ask", 2], [1.6, "ask", 2]],
        "seconds": 3.5,
    },
    "observe mark-down": {
        "servers": "  option httpchk GET /healthz\n"
        "  server s 127.0.0.1:7001 check inter 1s observe layer7 error-limit 2 on-error mark-down\n",
        "script": [[1.2, "answer", "500 Bad"], [1.4, "ask", 1], [1.5, "answer", "404 No"], [1.6, "ask", 1],
                   [1.7, "answer", "500 Bad"], [1.8, "ask", 1], [1.9, "ask", 1]],
        "seconds": 4.5,
    },
}  # fmt: skip


class _Stage:
    """One scene being played."""

    def __init__(self, program: Any, servers: Any) -> None:
        self._program, self._servers = program, servers

    def close(self, port: int) -> None:
        self._servers.close(port)

    def open(self, port: int) -> None:
        self._servers.open(port, Agent if port > 7100 else Failing)

    def say(self, command: str) -> None:
        assert not self._program.command(command).strip(), command

    def agent(self, line: str) -> None:
        Agent.line = line.encode()

    def answer(self, status: str) -> None:
        Failing.status = status.encode()

    def ask(self, times: int) -> None:
        for _ in range(times):
            client = http.client.HTTPConnection("127.0.0.1", 8001, timeout=2)
            client.request("GET", "/")
            client.getresponse().read()
            client.close()


def play(scene: dict[str, Any]) -> dict[str, Any]:
    """What HAProxy shows while a scene is played; times in seconds from its first answer."""
    Agent.line, Failing.status = b"up\n", b"200 OK"
    text = "listen b\n  mode http\n  bind 127.0.0.1:8001\n" + scene["servers"]
    with listeners([]) as servers:
        for port in (7001, 7002, 7101):
            servers.open(port, Agent if port > 7100 else Failing)
        with haproxy(text) as program:
            stage = _Stage(program, servers)
            script = [list(one) for one in scene["script"]]
            shown: list[Any] = []
            done: list[Any] = []
            before: dict[str, list[str]] = {}
            begun = time.monotonic()
            while (now := time.monotonic() - begun) < scene["seconds"]:
                if script and script[0][0] <= now:
                    _, name, *arguments = script.pop(0)
                    getattr(stage, name)(*arguments)
                    done.append([round(time.monotonic() - begun, 4), name, *arguments])
                    continue
                for (_, name), row in program.rows().items():
                    columns = [row[column].removeprefix("* ") for column in _COLUMNS]
                    if name not in {"FRONTEND", "BACKEND"} and before.get(name) != columns:
                        shown.append(
                            [round(time.monotonic() - begun, 4), name, dict(zip(_COLUMNS, columns, strict=True))]
                        )
                        before[name] = columns
                time.sleep(0.004)
            log = [[round(at - begun, 4), line] for at, line in program.log]
    return scene | {"done": done, "shown": shown, "log": log}


# A check that only connects is over before the server knows of it, so these ask something.
SPREAD = """
backend a
  option httpchk
  server s 127.0.0.1:7001 check inter 1200ms
  server idle 127.0.0.1:7009
backend b
  option httpchk
  server t 127.0.0.1:7002 check inter 3s fastinter 1s agent-check agent-port 7101 agent-inter 2s
backend c
  option httpchk
  server u 127.0.0.1:7003 check inter 900ms
  server v 127.0.0.1:7004 check inter 2s
"""


class Noting(socketserver.BaseRequestHandler):
    """Notes when the first connection to each port came."""

    first: ClassVar[dict[int, float]] = {}

    def handle(self) -> None:
        """One connection."""
        address = self.server.server_address
        assert isinstance(address, tuple)
        self.first.setdefault(int(address[1]), time.monotonic())


def spread() -> dict[str, Any]:
    """When each check came first, in seconds after the first of all."""
    Noting.first = {}
    with listeners((7001, 7002, 7101, 7003, 7004), Noting), haproxy(SPREAD):
        time.sleep(2.5)
    begun = min(Noting.first.values())
    return {"configuration": SPREAD, "first": {port: round(at - begun, 4) for port, at in Noting.first.items()}}


def main() -> None:
    """Record all scenes."""
    with alone():
        keep("spread", spread())
        keep("health", {name: play(scene) for name, scene in SCENES.items()})


if __name__ == "__main__":
    main()
