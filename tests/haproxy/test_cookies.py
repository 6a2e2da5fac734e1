"""Cookies as the real HAProxy read, passed on and set them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from haproxy.program import recorded
from sim.haproxy.balance import Balancer
from sim.haproxy.contender import Contender
from sim.haproxy.cookies import Found, Persistence
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend

COOKIES = recorded("cookies")


def backend_of(text: str) -> Backend:
    servers = "".join(f"  server s{n} 127.0.0.1:1{f' cookie c{n}' if n < 4 else ''}\n" for n in (1, 2, 3, 4))
    return read_haproxy(f"backend b\n  mode http\n  {text}\n{servers}").model.backends[0]


@pytest.mark.parametrize("name", COOKIES)
def test_the_recorded_servers_and_headers(name: str) -> None:
    backend = backend_of(COOKIES[name]["cookie"])
    assert backend.cookie is not None
    persistence = Persistence(backend.cookie, backend.servers)
    contenders = [Contender(number) for number in (1, 2, 3, 4)]
    balancer = Balancer(backend, contenders, random.Random(1))
    for row in COOKIES[name]["rows"]:
        second: str = row.get("second", "")
        if second and contenders[1].usable:
            contenders[1].usable = False
            balancer.changed(contenders[1])
        pinning = persistence.pin(row.get("cookie"), [True, second != "maint", True, True])
        chosen = contenders[pinning.server] if pinning.server is not None else balancer.choose()
        assert chosen is not None
        assert chosen.id == row["server"], row
        assert [pinning.cookies] * (pinning.cookies is not None) == row["seen"]
        answer = [tuple(line.split(": ", 1)) for line in row.get("answer", [])]
        method, status = row.get("method", "GET"), row.get("status", 200)
        given: list[tuple[str, str]] = [(key, value) for key, value in answer]
        headers = persistence.answer(pinning, chosen.id - 1, given, method=method, status=status)
        assert sorted([key.lower(), value] for key, value in headers) == sorted(row["headers"])


def test_what_was_found() -> None:
    backend = backend_of("cookie SRV insert")
    assert backend.cookie is not None
    persistence = Persistence(backend.cookie, backend.servers)
    up: list[Any] = [True, False, True, True]
    found = [persistence.pin(text, up).found for text in (None, "a=1", "SRV=zz", "SRV=c2", "SRV=c3")]
    assert found == [Found.NONE, Found.NONE, Found.INVALID, Found.DOWN, Found.VALID]
