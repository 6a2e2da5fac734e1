"""What a check finds, as the real HAProxy found it: every method against every kind of server."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from haproxy.program import recorded
from sim.haproxy.checking import CheckRun, OpenConnection, Send, check
from sim.haproxy.dialogue import matches, place
from sim.haproxy.exchange import Closed, Octets, TlsReady
from sim.haproxy.service import Service
from sim.haproxy.status import CheckResult, Status, Verdict
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend
from vrrp.protocol.timers import SECOND_NS

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


def run_of(text: str, options: str = "") -> CheckRun:
    backend = backend_of(text, options)
    run = CheckRun(backend.check, backend.servers[0], backend.timeouts)
    run.begin(0)
    return run


def test_who_is_not_checked_has_no_check() -> None:
    backend = read_haproxy("backend b\n  server s 127.0.0.1:1\n").model.backends[0]
    with pytest.raises(ValueError, match="server s is not checked"):
        CheckRun(backend.check, backend.servers[0], backend.timeouts)


def test_what_comes_too_early_or_too_late_changes_nothing() -> None:
    run = run_of("option httpchk")
    assert run.received(1, Closed()) == ()
    assert run.expire(1) == ()
    assert run.result is None
    run.refused(2)
    result = run.result
    assert run.deadline_ns is None
    assert run.connected(3) == run.received(3, Closed()) == run.refused(3) == run.expire(SECOND_NS * 9) == ()
    assert run.result is result
    assert result == CheckResult(Status.L4CON, None, "Connection refused", 2)


@pytest.mark.parametrize(
    ("text", "options", "connect_s", "answer_s"),
    [
        ("", "", 2, 2),
        ("", "inter 5s", 5, 5),
        ("timeout check 3s", "", 1, 1.5 + 3),
        ("timeout check 10s\n  timeout connect 60s", "", 2, 1.5 + 10),
    ],
)
def test_how_long_a_check_waits(text: str, options: str, connect_s: float, answer_s: float) -> None:
    # "With `timeout check 10s` set, connecting is still limited to inter" (2000 to 2001 ms, measured).
    run = run_of("option httpchk\n  " + text, options)
    assert run.deadline_ns == connect_s * SECOND_NS
    run.connected(SECOND_NS * 3 // 2)
    assert run.deadline_ns == answer_s * SECOND_NS
    run.expire(run.deadline_ns or 0)
    assert run.result is not None
    assert run.result.status is Status.L7TOUT


def test_a_server_that_answers_404_is_left_alone() -> None:
    backend = backend_of("option httpchk GET /healthz\n  http-check disable-on-404", "")
    result = check(backend.check, backend.servers[0], backend.timeouts, Service(status=404))
    assert (result.status, result.code, result.text) == (Status.L7OKC, 404, "Not Found")
    assert result.status.verdict is Verdict.CONDITIONAL


def test_a_check_takes_the_time_that_connection_and_answers_take() -> None:
    backend = backend_of("option httpchk GET /healthz", "check-ssl verify none")
    arguments = (backend.check, backend.servers[0], backend.timeouts, Service(tls="1.2"))
    assert check(*arguments, connect_ns=3, answer_ns=5).duration_ns == 3 + 5 + 5
    late = check(*arguments, connect_ns=3 * SECOND_NS)
    assert (late.status, late.duration_ns) == (Status.L4TOUT, 2 * SECOND_NS)
    slow = check(*arguments, answer_ns=3 * SECOND_NS)
    assert (slow.status, slow.duration_ns) == (Status.L6TOUT, 2 * SECOND_NS)


def test_a_greeting_inside_tls_is_read_too() -> None:
    backend = backend_of("option tcp-check\n  tcp-check connect ssl\n  tcp-check expect string 220", "verify none")
    service = Service(tls="1.3", banner=b"220 fake")
    assert check(backend.check, backend.servers[0], backend.timeouts, service).status is Status.L7OK


def test_steps_may_ask_for_other_statuses() -> None:
    text = "option tcp-check\n  tcp-check expect string x {} L4TOUT"
    run = run_of(text.format("tout-status"))
    run.connected(1)
    run.expire(9 * SECOND_NS)
    assert run.result is not None
    assert run.result.status is Status.L4TOUT


def test_a_pattern_that_is_no_regular_expression_is_not_in_anything() -> None:
    assert matches("(", "(") is False


def test_a_connection_that_a_send_meets_no_more() -> None:
    backend = backend_of("option tcp-check\n  tcp-check connect\n  tcp-check send x\n  tcp-check connect port 9", "")
    run = CheckRun(backend.check, backend.servers[0], backend.timeouts)
    assert run.begin(0) == (OpenConnection(IPv4Address("127.0.0.1"), 1),)
    assert run.connected(1) == (Send(Octets(b"x")), OpenConnection(IPv4Address("127.0.0.1"), 9))
    run.refused(2)
    assert run.result is not None
    assert run.result.text == "Connection refused at step 3 of tcp-check (connect)"
    assert place(backend.check, 1) == " at step 2 of tcp-check (send)"
    assert place(backend_of("", "").check, 0) == ""


def test_mysql_greets_first() -> None:
    backend = backend_of("option mysql-check", "")
    service = Service(banner=b"\x4a\x00\x00\x00\x0a5.5.5\x00")
    result = check(backend.check, backend.servers[0], backend.timeouts, service)
    assert (result.status, result.code) == (Status.L7OK, 0)


@pytest.mark.parametrize("text", ["option httpchk", "option ssl-hello-chk"])
def test_a_handshake_that_nobody_began_says_nothing(text: str) -> None:
    run = run_of(text)
    run.connected(1)
    assert run.received(2, TlsReady()) == ()
    assert run.result is None
