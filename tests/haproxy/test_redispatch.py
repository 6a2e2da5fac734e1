"""Retries and redispatches take the time that the real HAProxy took."""

from __future__ import annotations

import pytest

from haproxy.program import recorded
from sim.haproxy.redispatch import Retry, retry
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend
from vrrp.protocol.timers import SECOND_NS

RESULTS = dict(recorded("cookie")["results"])


def backend_of(text: str, balance: str = "roundrobin") -> Backend:
    words = f"backend b\n  timeout connect 1s\n  balance {balance}\n  {text}\n"
    return read_haproxy(words).model.backends[0]


def outcome(backend: Backend, active: int = 3) -> tuple[int, bool]:
    """A pinned server refuses every connection, the others take it: after how long, and whether it came about."""
    waited_ns = 0
    for tried in range(backend.retries + 1):
        what = retry(backend, tried=tried, pinned=True, active=active)
        if what is None:
            break
        waited_ns += what.pause_ns
        if what.elsewhere:
            return waited_ns, True
    return waited_ns, False


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("option redispatch\n  retries 3", "s2 killed +0.0s: cookie c2 via redisp"),
        ("no option redispatch\n  retries 3", "s2 killed +2.0s: cookie c2 via noredisp"),
        ("option redispatch 1\n  retries 3", "s2 killed +5.0s: cookie c2 via redisp1"),
        ("option redispatch\n  retries 1", "s2 killed +5.1s: cookie c2 via nochk"),
    ],
)
def test_a_pinned_server_that_has_just_died(text: str, name: str) -> None:
    result = RESULTS[name][0]
    waited_ns, ok = outcome(backend_of(text))
    assert ok is (result["code"] == "200")
    # The recorded times hold the start of a curl as well.
    assert abs(waited_ns / SECOND_NS - result["ms"] / 1000) < 0.05


def test_who_belongs_to_no_server_goes_elsewhere_at_once() -> None:
    backend = backend_of("option redispatch\n  retries 3")
    assert retry(backend, tried=0, pinned=False, active=2) == Retry(0, elsewhere=True)
    assert retry(backend, tried=0, pinned=False, active=1) == Retry(SECOND_NS, elsewhere=False)
    assert retry(backend, tried=2, pinned=False, active=1) == Retry(SECOND_NS, elsewhere=True)
    assert retry(backend_of("option redispatch", "source"), tried=0, pinned=False, active=2) == Retry(SECOND_NS, False)
    assert retry(backend_of("retries 2"), tried=0, pinned=False, active=2) == Retry(SECOND_NS, elsewhere=False)


def test_a_connection_that_took_its_whole_time_is_tried_again_without_a_pause() -> None:
    backend = backend_of("option redispatch\n  retries 2")
    assert retry(backend, tried=0, pinned=True, active=3, timed_out=True) == Retry(0, elsewhere=False)
    assert retry(backend, tried=1, pinned=True, active=3, timed_out=True) == Retry(0, elsewhere=True)
    assert retry(backend, tried=2, pinned=True, active=3, timed_out=True) is None


def test_counted_from_the_last_retry() -> None:
    backend = backend_of("option redispatch -2\n  retries 3")
    turns = [retry(backend, tried=tried, pinned=True, active=3) for tried in range(3)]
    assert [turn is not None and turn.elsewhere for turn in turns] == [False, True, False]
    never = backend_of("option redispatch -4\n  retries 3")
    assert retry(never, tried=0, pinned=True, active=3) == Retry(SECOND_NS, elsewhere=False)


def test_the_pause_is_no_longer_than_a_connection_may_take() -> None:
    backend = read_haproxy("backend b\n  timeout connect 300ms\n").model.backends[0]
    assert retry(backend, tried=0, pinned=True, active=3) == Retry(300_000_000, elsewhere=False)
