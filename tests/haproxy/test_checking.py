"""What a check finds, as the real HAProxy found it: every method against every kind of server."""

from __future__ import annotations

from typing import Any

import pytest

from haproxy.program import recorded
from sim.haproxy.checking import check
from sim.haproxy.service import Service
from sim.haproxy.status import CheckResult
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend

PATHS = {"/": 403}
SAYS: dict[str, Any] = {"statuses": PATHS, "headers": (("X-Kind", "fake"),), "body": "all is well\n"}
KINDS: dict[str, Service | None] = {
    "https": Service(tls="1.2", **SAYS),
    "https13": Service(tls="1.3", **SAYS),
    "http": Service(**SAYS),
    "http503": Service(status=503, **SAYS),
    "https503": Service(tls="1.2", status=503, **SAYS),
    "tcponly": Service(accepts_only=True),
    "refused": None,
    "gohttps": Service(tls="1.2", plain_on_tls="400", **SAYS),
    "leaves": Service(leaves="at once"),
    "hangup": Service(leaves="asked"),
    "banner": Service(banner=b"220 fake ESMTP\r\n", reply=b"250 fake\r\n"),
    "echo": Service(reply=b"+PONG\r\n"),
    "synlost": None,
}
MATRIX = {
    "none(tcp)": ("", ""),
    "httpchk": ("option httpchk GET /healthz", ""),
    "httpchk+expect200": ("option httpchk GET /healthz\n  http-check expect status 200", ""),
    "ssl-hello": ("option ssl-hello-chk", ""),
    "SEED httpchk+expect+ssl-hello": (
        "option httpchk GET /healthz\n  http-check expect status 200\n  option ssl-hello-chk",
        "",
    ),
    "ssl-hello THEN httpchk+expect": (
        "option ssl-hello-chk\n  option httpchk GET /healthz\n  http-check expect status 200",
        "",
    ),
    "httpchk+expect, server check-ssl verify none": (
        "option httpchk GET /healthz\n  http-check expect status 200",
        "check-ssl verify none",
    ),
    "kubeadm-new http-check connect ssl": (
        "option httpchk\n  http-check connect ssl\n  http-check send meth GET uri /healthz\n"
        "  http-check expect status 200",
        "verify none",
    ),
    "SEED + check-ssl verify none": (
        "option httpchk GET /healthz\n  http-check expect status 200\n  option ssl-hello-chk",
        "check-ssl verify none",
    ),
    "tcp-check": ("option tcp-check", ""),
    "httpchk no uri": ("option httpchk", ""),
    "mode http httpchk+expect": ("mode http\n  option httpchk GET /healthz\n  http-check expect status 200", ""),
}


def backend_of(text: str, options: str) -> Backend:
    words = f"backend b\n  timeout connect 1s\n  timeout server 5s\n  {text}\n  server s 127.0.0.1:1 check {options}\n"
    parsed = read_haproxy(words)
    return parsed.model.backends[0]


def found(text: str, options: str, kind: str) -> CheckResult:
    backend = backend_of(text, options)
    silent = kind == "synlost"
    return check(backend.check, backend.servers[0], backend.timeouts, KINDS[kind], silent=silent)


@pytest.mark.parametrize("kind", recorded("check_matrix")["matrix"]["none(tcp)"])
@pytest.mark.parametrize("row", MATRIX)
def test_the_recorded_matrix(row: str, kind: str) -> None:
    # "UP L7OK/200 ", "DOWN L4CON Connection refused"; with "* " a check is running, and the text of the last is gone.
    state, _, rest = recorded("check_matrix")["matrix"][row][kind].partition(" ")
    running = rest.startswith("* ")
    result = found(*MATRIX[row], kind)
    code = f"/{result.code}" if result.code is not None else ""
    expected = rest.removeprefix("* ")
    assert f"{result.status.name}{code} {'' if running else result.text}" == expected
    assert result.status.verdict.value.startswith("passed") is (state == "UP")


CHECKS = recorded("checks")


@pytest.mark.parametrize(("row", "kind"), [(row, kind) for row in CHECKS for kind in CHECKS[row]["answers"]])
def test_many_more_combinations(row: str, kind: str) -> None:
    recorded_row: dict[str, Any] = CHECKS[row]
    state, status, code, text = recorded_row["answers"][kind]
    result = found(recorded_row["backend"], recorded_row["server"], kind)
    running = status.startswith("* ")
    if (kind == "leaves" and result.text.startswith("TCPCHK got an empty")) or (
        kind == "leaves" and status == "SOCKERR"
    ):
        # A matter of luck: whether what HAProxy sends still meets an open door.
        assert {result.status.name, status} <= {"L6RSP", "L7RSP", "L7STS", "SOCKERR"}
        return
    assert result.status.name == status.removeprefix("* ")
    assert result.status.verdict.value.startswith("passed") is state.startswith("UP")
    if not running:
        assert ("" if result.code is None else str(result.code), result.text) == (
            code,
            text.replace(" (Connection refused)", ""),
        )
