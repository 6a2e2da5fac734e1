"""How soon HAProxy was measured to find a dead server, and how long its clients waited, is within what is told."""

from __future__ import annotations

import pytest

from haproxy.program import recorded
from vrrp.check.detecting import wait, when_refused, when_silent
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend
from vrrp.protocol.timers import SECOND_NS

TIMING = recorded("check_timing")
TUNED = "timeout check 1s; timeout connect 500ms"
LATE_NS = 20_000_000  # a check and the loop around it take their time


def backend_of(text: str) -> Backend:
    lines = "".join(f"  {line}\n" for line in text.split("; "))
    return read_haproxy(f"defaults\n  mode http\n  timeout connect 1s\nbackend b\n{lines}").model.backends[0]


# The one that never was up was DOWN before it died.
@pytest.mark.parametrize("name", [name for name in TIMING if not name.startswith("never")])
def test_recorded_deaths_were_noticed_in_time(name: str) -> None:
    one = backend_of(f"server s 10.0.0.1:80 {TIMING[name]['opts']}").servers[0].check
    assert one is not None
    told = when_refused(one)
    taken_ns = int(TIMING[name]["declared_down_after"] * SECOND_NS)
    assert told.soonest_ns <= taken_ns <= told.latest_ns + LATE_NS


@pytest.mark.parametrize(
    ("text", "soonest_s", "latest_s"),
    [
        # Measured with a host that is gone: 10 to 12 s at the defaults; a check's connecting is limited to inter.
        ("server s 10.0.0.1:80 check", 10, 12),
        ("timeout check 10s; timeout connect 5s; server s 10.0.0.1:80 check", 10, 12),
        (
            "timeout check 1s; timeout connect 500ms; server s 10.0.0.1:80 check inter 1s fastinter 250ms fall 2",
            1.25,
            2.25,
        ),
        ("server s 10.0.0.1:80 check fall 1", 2, 4),
    ],
)
def test_a_host_that_is_gone(text: str, soonest_s: float, latest_s: float) -> None:
    backend = backend_of(text)
    one = backend.servers[0].check
    assert one is not None
    told = when_silent(one, backend.timeouts)
    assert (told.soonest_ns, told.latest_ns) == (soonest_s * SECOND_NS, latest_s * SECOND_NS)


COOKIE = "cookie S insert"


@pytest.mark.parametrize(
    ("text", "seconds", "served"),
    [
        # HAProxy 2.6.12, measured with one silent server of two, timeout connect 1 s and retries 3.
        ("balance roundrobin", 4.0, False),
        ("balance first", 4.0, False),
        ("balance leastconn", 4.0, False),
        ("balance roundrobin; option redispatch", 1.0, True),
        ("balance static-rr; option redispatch", 1.0, True),
        ("balance leastconn; option redispatch", 1.0, True),
        ("balance first; option redispatch", 1.0, True),
        ("balance random; option redispatch", 1.0, True),
        ("balance source; option redispatch", 4.0, False),
        ("balance uri; option redispatch 1", 4.0, False),
        (f"{COOKIE}; option redispatch", 3.0, True),
        (f"{COOKIE}; option redispatch 1", 1.0, True),
        (f"{COOKIE}", 4.0, False),
        ("retries 0; option redispatch", 1.0, False),
    ],
)
def test_what_a_client_of_a_silent_server_waits(text: str, seconds: float, served: bool) -> None:
    told = wait(backend_of(text))
    assert told is not None
    assert (told.ns / SECOND_NS, told.served) == (seconds, served)


def test_without_a_connect_timeout_it_is_for_ever() -> None:
    assert wait(read_haproxy("backend b\n  server s 10.0.0.1:80\n").model.backends[0]) is None
