"""HAProxy as a process of the simulator: what its clients see when servers die, and when it does itself."""

from __future__ import annotations

import pytest

from haproxy.balanced import MS, VIP, S, balanced, client, config, event, haproxy, process

REDISPATCH = "option redispatch\n  retries 1"


def test_a_dead_server_is_passed_over_at_once_and_then_known_to_be_down() -> None:
    """`option redispatch` and a balanced server: refused connections go elsewhere without a pause (as measured)."""
    network = balanced(config(options=REDISPATCH, check="check"), event("3s", "server-down", server="s2"))
    result = network.run()
    story = result.clients["c"]
    assert (story.failed, story.longest_gap_ns) == (0, 0)
    assert story.latency is not None
    assert story.latency.max_ns < 2 * MS
    first, second, third = process(network).backends["app"].servers
    assert first.wredis == third.wredis == 0
    assert second.wredis == second.stot - 33 > 60  # 33 of the first 100 are its own
    assert [one.health.status_text for one in (first, second, third)] == ["UP", "DOWN", "UP"]
    assert (second.health.chkfail, second.health.chkdown) == (3, 1)
    [said] = result.said
    assert (said.node, said.what) == ("lb", "server app/s2 is DOWN")
    assert said.why.startswith("Layer4 connection problem")
    assert 7 * S < said.at_ns < 9 * S


def test_a_server_that_is_silent_costs_its_share_until_three_checks_have_failed() -> None:
    network = balanced(
        config(options=REDISPATCH, check="check"),
        event("3s", "link-down", node="s2", interface="eth0"),
        duration="16s",
    )
    story = network.run().clients["c"]
    [said] = haproxy(network).said
    assert 13 * S < said.at_ns < 15 * S
    assert story.errors == {"http:timeout": story.failed}
    per_second = [failed / sent for sent, failed in story.seconds[4:12]]
    assert per_second == pytest.approx([1 / 3] * 8, abs=0.02)


def test_killed_it_refuses_until_it_is_back() -> None:
    network = balanced(config(), event("3s", "haproxy-kill", node="lb"), event("5s", "haproxy-start", node="lb"))
    story = network.run().clients["c"]
    assert story.errors == {"tcp:refused": story.failed}
    assert 2.04 * S < story.longest_gap_ns < 2.13 * S


def test_an_address_that_the_node_has_not_cannot_be_bound() -> None:
    text = config().replace("bind :80", f"bind {VIP}:80")
    network = balanced(text, clients={"c": client(target=f"{VIP}:80", start="6s")}, duration="8s")
    result = network.run()
    assert result.clients["c"].ok == 0
    assert [(said.what, said.why) for said in result.said] == [
        (
            "haproxy does not start",
            f"haproxy.cfg:8: cannot bind socket (Cannot assign requested address) for [{VIP}:80]",
        )
    ]
    assert not haproxy(network).running


@pytest.mark.parametrize("how", ["nonlocal_bind", "transparent"])
def test_unless_it_may_bind_what_is_not_there(how: str) -> None:
    transparent = how == "transparent"
    text = config().replace("bind :80", f"bind {VIP}:80" + " transparent" * transparent)
    network = balanced(
        text,
        clients={"c": client(target=f"{VIP}:80", start="6s")},
        node={"nonlocal_bind": not transparent},
        duration="8s",
    )
    assert network.run().clients["c"].failed == 0


def test_servers_that_are_full_make_others_wait() -> None:
    network = balanced(
        config(check="maxconn 1", options="timeout queue 90ms", count=1),
        clients={f"c{n}": client(n, every="200ms") for n in range(4)},
        servers={"s1": {"latency": "40ms"}},
        count=1,
    )
    result = network.run()
    backend = process(network).backends["app"]
    assert (backend.servers[0].smax, backend.qmax) == (1, 3)
    assert {name: dict(one.errors) for name, one in result.clients.items()} == {
        "c0": {},
        "c1": {},
        "c2": {},
        "c3": {"http:closed": 45},
    }


def test_a_reload_interrupts_nobody() -> None:
    network = balanced(
        config(check="check"),
        event("3s", "haproxy-reload", node="lb"),
        servers={name: {"latency": "300ms"} for name in ("s1", "s2", "s3")},
    )
    first = []
    network.kernel.at(2 * S, lambda: first.append(process(network)))
    assert network.run().clients["c"].failed == 0
    assert not first[0].alive
    assert process(network).born_ns > 3 * S
