"""What a check does, step by step. Each was run against a server that told what it was asked."""

from __future__ import annotations

import pytest

from config.haproxy.test_model import backend
from vrrp.config.haproxy.checks import CheckStep, Connect, Expect, SendData, SendRequest

CONNECT = Connect(default=True)
SUCCESS = Expect(kind="status", pattern="200-399", statuses=((200, 399),))
DEFAULTS = "defaults\n mode http\n option httpchk GET /d\n http-check expect status 404\n"
E404 = Expect(kind="status", pattern="404", statuses=((404, 404),))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("backend b\n option httpchk\n", [CONNECT, SendRequest(), SUCCESS]),
        ("backend b\n option httpchk /x\n", [CONNECT, SendRequest(uri="/x"), SUCCESS]),
        (DEFAULTS + "backend b\n", [CONNECT, SendRequest(method="GET", uri="/d"), E404]),
        # Neither goes without the other into the section.
        (DEFAULTS + "backend b\n option httpchk GET /b\n", [CONNECT, SendRequest(method="GET", uri="/b"), SUCCESS]),
        (DEFAULTS + "backend b\n http-check expect status 404\n", [CONNECT, E404]),
        (
            DEFAULTS + "backend b\n http-check send hdr X y\n",
            [CONNECT, SendRequest(headers=(("X", "y"),)), SUCCESS],
        ),
        (
            "backend b\n http-check expect status 404\n option httpchk GET /b\n",
            [CONNECT, SendRequest(method="GET", uri="/b"), E404],
        ),
        (
            "backend b\n option httpchk GET /a HTTP/1.1\n http-check connect ssl\n http-check send uri /b hdr X y\n"
            " http-check expect status 404\n http-check connect port 8\n http-check send uri /c\n"
            " http-check expect status 404\n",
            [
                Connect(ssl=True),
                SendRequest(method="GET", uri="/b", version="HTTP/1.1", headers=(("X", "y"),)),
                E404,
                Connect(port=8),
                SendRequest(uri="/c"),
                E404,
            ],
        ),
        ("backend b\n option tcp-check\n", [CONNECT]),
        (
            "backend b\n option tcp-check\n tcp-check send a\\r\\n\n tcp-check send-binary 0aff\n"
            " tcp-check send-lf %b\n tcp-check expect min-recv 3 ! rstring x\n",
            [
                CONNECT,
                SendData(data=b"a\r\n"),
                SendData(data=b"\n\xff"),
                SendData(template="%b"),
                Expect(kind="rstring", pattern="x", negated=True, min_recv=3),
            ],
        ),
        ("backend b\n option httpchk\n option ssl-hello-chk\n http-check expect status 404\n", []),
        ("backend b\n", [CONNECT]),
    ],
)
def test_check_rules(text: str, steps: list[CheckStep]) -> None:
    def without_line(step: CheckStep) -> CheckStep:
        return type(step)(**{name: getattr(step, name) for name in step.__slots__ if name != "line"})

    assert [without_line(step) for step in backend(text).check.steps] == steps


def test_the_last_check_option_wins() -> None:
    method = backend("backend b\n option httpchk\n option mysql-check user u\n http-check disable-on-404\n").check
    assert (method.kind, method.user, method.steps, method.disable_on_404) == ("mysql", "u", (), True)
