"""What no recording can show of balancing: what is drawn by chance, and how readers are told."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sim.haproxy.balance import Balancer, follows_weights
from sim.haproxy.contender import Contender
from vrrp.config.haproxy import read_haproxy


def balancer(balance: str, weights: list[int], limit: int = 0) -> tuple[Balancer[Contender], list[Contender]]:
    servers = "".join(f"  server s{n} 127.0.0.1:1 weight {weight}\n" for n, weight in enumerate(weights))
    backend = read_haproxy(f"backend b\n  {balance}\n{servers}").model.backends[0]
    contenders = [Contender(one.id, weight_16ths=16 * one.weight, limit=limit) for one in backend.servers]
    return Balancer(backend, contenders, random.Random(3)), contenders


def test_random_goes_by_the_weights() -> None:
    chooser, _ = balancer("balance random(1)", [1, 3])
    counts = Counter(server.id for _ in range(4000) if (server := chooser.choose()) is not None)
    assert sum(counts.values()) == 4000
    assert counts[2] / 4000 == pytest.approx(0.75, abs=0.05)


def test_random_takes_the_less_loaded_of_two_and_never_one_that_is_full() -> None:
    chooser, (busy, idle) = balancer("balance random", [1, 1])
    busy.served = 9
    counts = Counter(server.id for _ in range(2000) if (server := chooser.choose()) is not None)
    # The busy one is taken when both draws meet it: about a quarter of the time.
    assert counts[busy.id] / 2000 == pytest.approx(0.25, abs=0.1)
    chooser, (busy, idle) = balancer("balance random(8)", [1, 1], limit=1)
    busy.served = 1
    found = Counter(server.id if server is not None else None for server in (chooser.choose() for _ in range(300)))
    assert busy.id not in found
    assert found[idle.id] > 280


def test_random_avoids_the_server_that_failed_unless_it_is_alone() -> None:
    chooser, (one, other) = balancer("balance random", [1, 1])
    assert {chooser.choose(avoid=one) for _ in range(20)} == {other}
    drawn = [chooser.choose(stream=random.Random(seed)) for seed in range(20)]
    assert drawn == [chooser.choose(stream=random.Random(seed)) for seed in range(20)]
    assert set(drawn) == {one, other}
    other.usable = False
    chooser.changed(other)
    assert chooser.choose(avoid=one) is one
    one.usable = False
    chooser.changed(one)
    assert chooser.choose() is None
    assert (chooser.active, chooser.alive) == (0, 0)


def test_a_ring_without_what_is_hashed_goes_round_and_skips_the_full() -> None:
    chooser, (one, other) = balancer("balance url_param id\n  hash-type consistent", [1, 1], limit=1)
    one.served = 1
    assert chooser.choose() is other
    assert chooser.choose(avoid=other) is other
    other.served = 1
    assert chooser.choose() is None


@pytest.mark.parametrize(
    ("balance", "follows"),
    [
        ("balance roundrobin", True),
        ("balance leastconn", True),
        ("balance static-rr", False),
        ("balance source", False),
        ("balance source\n  hash-type consistent", True),
    ],
)
def test_who_follows_weights(balance: str, follows: bool) -> None:
    backend = read_haproxy(f"backend b\n  {balance}\n").model.backends[0]
    assert follows_weights(backend.balance) is follows


def test_room_ends_where_a_queue_begins() -> None:
    server = Contender(1, limit=3)
    assert server.has_room
    server.queued = 1
    assert not server.has_room


def test_a_ring_of_backups_that_are_all_down() -> None:
    text = "backend b\n  balance random\n  option allbackups\n  server s 127.0.0.1:1 backup\n"
    backend = read_haproxy(text).model.backends[0]
    server = Contender(1, backup=True)
    chooser = Balancer(backend, [server], random.Random(1))
    assert chooser.choose() is server
    server.usable = False
    chooser.changed(server)
    assert chooser.choose() is None
