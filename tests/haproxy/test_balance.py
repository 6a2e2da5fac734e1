"""Which server is taken, connection by connection, as the real HAProxy took them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from haproxy.program import recorded
from sim.haproxy.balance import Asked, Balancer
from sim.haproxy.contender import Contender
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Backend, Balance
from vrrp.wire.address import pack

SCENES = recorded("balance")
RETRIES = 3


def balance_of(scene: dict[str, Any]) -> Balance:
    """`balance` and `hash-type` of a scene, as the configuration's reader makes them."""
    how, *function = scene.get("hash_type", "map-based").split()
    mixed = how == "consistent" or "avalanche" in function
    return Balance(algorithm=scene["balance"], hash_type=how, hash_modifier="avalanche" if mixed else "")


class Replay:
    """The inputs of a scene, into our balancer."""

    def __init__(self, scene: dict[str, Any]) -> None:
        options = frozenset({"allbackups"} if scene.get("allbackups") else ())
        backend = Backend(name="b", mode="tcp", line=1, balance=balance_of(scene), options=options)
        self._servers = [
            Contender(
                number,
                weight_16ths=16 * server["weight"],
                backup=bool(server.get("backup")),
                limit=server.get("maxconn", 0),
            )
            for number, server in enumerate(scene["servers"], 1)
        ]
        self._up = [True] * len(self._servers)
        self._dead: set[int] = set()
        self._held: dict[int, Contender] = {}
        self._balancer = Balancer(backend, self._servers, random.Random(1))
        self._opened = 0
        self.chosen: list[int | None] = []

    def open(self, source: str = "127.0.0.1") -> None:
        asked = Asked(source=pack(source))
        server = self._balancer.choose(asked)
        for _ in range(RETRIES):
            if server is not None and server.id - 1 in self._dead:
                server = self._balancer.choose(asked, server)
        if server is not None and server.id - 1 in self._dead:
            server = None
        self.chosen.append(None if server is None else server.id - 1)
        if server is not None:
            self._held[self._opened] = server
            server.served += 1
            self._balancer.loaded(server)
        self._opened += 1

    def close(self, which: int) -> None:
        server = self._held.pop(which, None)
        if server is not None:
            server.served -= 1
            self._balancer.loaded(server)

    def weight(self, number: int, weight: int) -> None:
        self._servers[number].weight_16ths = 16 * weight
        self._changed(number)

    def state(self, number: int, state: str) -> None:
        self._up[number] = state == "ready"
        self._changed(number)

    def _changed(self, number: int) -> None:
        server = self._servers[number]
        server.usable = self._up[number] and server.weight_16ths > 0
        self._balancer.changed(server)

    def die(self, number: int) -> None:
        self._dead.add(number)

    def rise(self, number: int) -> None:
        self._dead.discard(number)


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_the_same_servers_in_the_same_order(number: int) -> None:
    scene = SCENES[number]
    replay = Replay(scene)
    for name, *arguments in scene["inputs"]:
        getattr(replay, name)(*arguments)
    assert replay.chosen == scene["chosen"]


HASHES = recorded("hashes")


@pytest.mark.parametrize("number", range(len(HASHES)))
def test_hashes_find_the_same_servers(number: int) -> None:
    scene = HASHES[number]
    backend = read_haproxy(f"backend b\n  mode http\n{scene['backend']}").model.backends[0]
    servers = [Contender(server.id, weight_16ths=16 * server.weight) for server in backend.servers]
    balancer = Balancer(backend, servers, random.Random(1))
    found = []
    for uri, headers in scene["requests"]:
        asked = Asked(uri=uri, headers={name.lower(): value for name, value in headers.items()})
        server = balancer.choose(asked)
        assert server is not None
        found.append(server.id - 1)
    assert found == scene["chosen"]
