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


def test_minconn_lets_servers_have_more_when_there_is_more() -> None:
    network = balanced(
        config(check="minconn 1 maxconn 4", backend="fullconn 8", count=1),
        clients={f"c{n}": client(n, every="200ms", timeout="2s") for n in range(4)},
        servers={"s1": {"latency": "60ms"}},
        count=1,
        duration="3s",
    )
    assert sum(story.failed for story in network.run().clients.values()) == 0
    server = process(network).backends["app"].servers[0]
    assert server.smax == 2  # 4 sessions are half of fullconn
    assert process(network).backends["app"].qmax > 0


def test_a_server_that_follows_another_goes_with_it() -> None:
    text = config(check="check", count=1) + "backend other\n  server t 10.0.0.11:80 track app/s1\n"
    network = balanced(text, event("2s", "server-down", server="s1"), count=1, duration="9s")
    network.run()
    assert [server.health.status_text for server in process(network).backends["other"].servers] == ["DOWN"]


def test_an_agent_that_cannot_be_asked_says_nothing() -> None:
    network = balanced(config(check="check agent-check agent-port 9000", count=1), count=1)
    assert network.run().clients["c"].failed == 0
    agent = process(network).backends["app"].servers[0].health.agent
    assert agent is not None
    assert agent.last is not None
    assert agent.last.status.name == "L4CON"


def test_sessions_are_cut_when_their_server_is_marked_down() -> None:
    text = config(check="check inter 200ms fall 1 on-marked-down shutdown-sessions", count=1, backend="option httpchk")
    network = balanced(
        text,
        event("2s", "server-status", server="s1", status=503),
        servers={"s1": {"latency": "900ms"}},
        clients={"c": client(timeout="5s", start="1.8s", every="10s")},
        count=1,
        duration="4s",
    )
    assert network.run().clients["c"].errors == {"http:closed": 1}


def test_a_full_frontend_lets_clients_wait_outside() -> None:
    text = config(count=1).replace("bind :80", "bind :80\n  maxconn 1")
    network = balanced(
        text,
        clients={f"c{n}": client(n, every="200ms") for n in range(3)}
        | {"d": client(4, every="200ms", timeout="50ms")},
        servers={"s1": {"latency": "40ms"}},
        count=1,
        duration="2.9s",
    )
    stories = network.run().clients
    assert [stories[name].failed for name in ("c0", "c1", "c2")] == [0, 0, 0]
    assert stories["d"].ok == 0
    assert process(network).frontends["web"].smax == 1


@pytest.mark.parametrize("rule", ["use-server s3 if { src 10.0.0.200 }", "use-server s3 if TRUE"])
def test_use_server_goes_before_balancing(rule: str) -> None:
    network = balanced(config(backend=rule))
    assert network.run().clients["c"].failed == 0
    assert [server.stot > 0 for server in process(network).backends["app"].servers] == [False, False, True]


def test_nothing_to_say_is_ended_by_the_timeout() -> None:
    """A client that keeps a connection and asks too seldom finds it closed, and opens another."""
    text = config(options="timeout client 300ms\n  timeout connect 100ms")
    network = balanced(text, clients={"c": client(every="500ms", keep_alive=True)}, duration="9.9s")
    story = network.run().clients["c"]
    assert (story.sent, story.failed) == (18, 0)
    assert process(network).frontends["web"].stot == 18
    assert max(process(network).frontends["web"].smax, 1) == 1


def test_who_belongs_to_a_server_goes_elsewhere_when_its_queue_is_full() -> None:
    network = balanced(
        config(check="maxconn 1 maxqueue 1", backend="use-server s1 if TRUE", count=2),
        clients={f"c{n}": client(n, every="500ms") for n in range(4)},
        servers={"s1": {"latency": "40ms"}},
        count=2,
        duration="2.9s",
    )
    stories = network.run().clients
    assert sum(story.failed for story in stories.values()) == 0
    first, second = process(network).backends["app"].servers
    assert (first.stot, first.qmax, second.stot) == (8, 1, 8)
