"""The real HAProxy, here and now, and what we say of it."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest

from haproxy.kinds import PORTS, every_kind
from haproxy.program import haproxy
from haproxy.record_balance import draw, play
from haproxy.test_balance import Replay
from haproxy.test_checking import found
from linux.namespaces import alone

pytestmark = [pytest.mark.root, pytest.mark.program("haproxy", "ip", "openssl")]

CHECKS = (
    ("option httpchk GET /healthz\n  http-check expect status 200\n  option ssl-hello-chk", ""),
    ("option httpchk GET /healthz\n  http-check expect status 200", "check-ssl verify none"),
    ("option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG", ""),
)


@pytest.mark.parametrize("balance", ["roundrobin", "leastconn", "static-rr"])
def test_a_scene_that_nobody_recorded(balance: str) -> None:
    scene = draw(random.Random(f"beside {balance}"), balance, 60)
    with alone():
        chosen = play(scene)
    replay = Replay(scene)
    for name, *arguments in scene["inputs"]:
        getattr(replay, name)(*arguments)
    assert replay.chosen == chosen


def test_what_checks_find() -> None:
    # A server that leaves at once is a matter of luck.
    kinds = {kind: port for kind, port in PORTS.items() if kind != "leaves"}
    backends = "".join(
        f"backend b{number}\n  timeout check 200ms\n  {text}\n"
        + "".join(f"  server {kind} 127.0.0.1:{port} check inter 250ms {options}\n" for kind, port in kinds.items())
        for number, (text, options) in enumerate(CHECKS)
    )
    with alone(), tempfile.TemporaryDirectory() as folder, every_kind(Path(folder)), haproxy(backends) as program:
        names = [(f"b{number}", kind) for number in range(len(CHECKS)) for kind in kinds]
        program.until(lambda: all("INI" not in program.rows()[name]["check_status"] for name in names))
        rows = program.rows()
    ours = {
        (f"b{number}", kind): found(text, options, kind).status.name
        for number, (text, options) in enumerate(CHECKS)
        for kind in kinds
    }
    assert {name: rows[name]["check_status"].removeprefix("* ") for name in names} == ours
