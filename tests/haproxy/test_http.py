"""HAProxy in mode http, beside what the real one answered: cookies, retries, and how long clients waited."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from haproxy.balanced import MS, S, balanced, client, config, event, haproxy, process
from haproxy.program import DATA, recorded
from sim.flow.connection import Connection
from sim.flow.endpoint import OPENER, Reaction
from sim.flow.flow import Flow
from sim.flow.message import Ending, Message, Request, Response
from sim.flow.program import Program
from sim.haproxy.columns import COLUMNS
from sim.haproxy.statistics import csv as statistics_csv
from sim.network import Network
from vrrp.wire.address import pack

CURL_MS = (8, 65)
"""What starting and ending curl took in the recording, at least and at most."""


class Curl(Flow):
    """One request to the balancer over a connection of its own, with a cookie SRV or without; what came of it."""

    careless = False

    def __init__(self, network: Network, port: int, cookie: str | None = None) -> None:
        super().__init__(network.flows.rank())
        self.begun_at_ns = network.kernel.now_ns
        self.took_ms = -1.0
        self.response: Response | None = None
        self.ending: Ending | None = None
        cookies = {"SRV": cookie} if cookie is not None else {}
        asks = Request(self.rank, keep_alive=True, cookies=cookies, path="/healthz")
        program = Program(network.clients["c"].node, "curl")
        network.flows.open(self, program, pack("10.0.0.1"), port, self, asks)

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        return None

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        raise AssertionError("it foresees nothing")

    def connected(self, now_ns: int, connection: Connection) -> None:
        raise AssertionError("it has a first message")

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        assert isinstance(message, Response)
        self.response = message
        self.took_ms = (now_ns - self.begun_at_ns) / MS
        connection.close(OPENER)

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        self.ending = ending
        connection.close(OPENER)

    def told(self) -> dict[str, Any]:
        """As the recording has it."""
        response = self.response
        assert response is not None
        return {
            "code": str(response.status),
            "body": response.server if response.status == 200 else None,
            "set_cookie": response.headers.get("Set-Cookie"),
            "cache": response.headers.get("Cache-Control"),
        }


COOKIE_BACKENDS = {
    "redisp": (8001, "insert indirect nocache", "option redispatch\n  retries 3", "check inter 2s fall 3 rise 2"),
    "noredisp": (8002, "insert indirect nocache", "no option redispatch\n  retries 3", "check inter 2s fall 3 rise 2"),
    "redisp1": (8003, "insert indirect nocache", "option redispatch 1\n  retries 3", "check inter 2s fall 3 rise 2"),
    "nochk": (8004, "insert indirect nocache", "option redispatch\n  retries 1", ""),
    "retryon": (
        8005,
        "insert indirect nocache",
        "option redispatch\n  retries 3\n  retry-on all-retryable-errors",
        "",
    ),
    "preserve": (8006, "insert", "option redispatch", "check"),
}


def cookie_config() -> str:
    """The configuration of the recording."""
    text = "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n"
    for name, (port, cookie, options, check) in COOKIE_BACKENDS.items():
        text += f"frontend f{name}\n  bind :{port}\n  default_backend {name}\nbackend {name}\n  balance roundrobin\n"
        text += f"  cookie SRV {cookie}\n  {options}\n"
        text += "".join(f"  server s{n} 10.0.0.{10 + n}:80 cookie c{n} {check}\n" for n in (1, 2, 3))
    return text


COOKIE_RUN: list[tuple[str, str, str | None, int, float]] = [
    ("no cookie x4 (redisp)", "redisp", None, 4, 4.0),
    ("cookie c2 x3", "redisp", "c2", 3, 4.2),
    ("unknown cookie zz x2", "redisp", "zz", 2, 4.4),
    ("cookie insert (no indirect/nocache) with valid c2", "preserve", "c2", 1, 4.5),
    ("insert w/o cookie", "preserve", None, 1, 4.6),
    ("s2 killed +0.0s: cookie c2 via redisp", "redisp", "c2", 1, 5.3),
    ("s2 killed +2.0s: cookie c2 via noredisp", "noredisp", "c2", 1, 7.32),
    ("s2 killed +5.0s: cookie c2 via redisp1", "redisp1", "c2", 1, 10.34),
    ("s2 killed +5.1s: cookie c2 via nochk", "nochk", "c2", 1, 10.36),
    ("s2 killed +5.1s: cookie c2 via retryon", "retryon", "c2", 1, 10.38),
    ("s2 DOWN +9.0s: cookie c2 via redisp", "redisp", "c2", 2, 14.3),
    ("s2 DOWN +9.0s: cookie c2 via noredisp", "noredisp", "c2", 2, 14.33),
    ("s2 DOWN +9.1s: cookie c2 via redisp1", "redisp1", "c2", 2, 14.36),
    ("s2 DOWN +9.1s: cookie c2 via nochk", "nochk", "c2", 2, 14.39),
    ("s2 back: cookie c2 via redisp", "redisp", "c2", 2, 20.5),
    ("s2 back: cookie c1 (set by redispatch) via redisp", "redisp", "c1", 1, 20.6),
]
"""What was asked in the recording: its name there, of which backend, with which cookie, how often, and when (s)."""


@pytest.mark.parametrize("quick", [True, False])
def test_cookies_as_recorded(quick: bool) -> None:
    """Codes, servers, headers as the real HAProxy's, and as long as it took, but for the time that curl takes."""
    network = balanced(
        cookie_config(),
        event("5.29s", "server-down", server="s2"),
        event("14.5s", "server-up", server="s2"),
        clients={"c": client(start="21s")},
        servers={f"s{n}": {"headers": {"ETag": '"x"'}} for n in (1, 2, 3)},
        duration="21s",
        quick=quick,
    )
    asked: dict[str, list[Curl]] = {}

    def ask(name: str, backend: str, cookie: str | None) -> None:
        asked.setdefault(name, []).append(Curl(network, COOKIE_BACKENDS[backend][0], cookie))

    for name, backend, cookie, times, at_s in COOKIE_RUN:
        for number in range(times):
            network.kernel.at(round((at_s + 0.014 * number) * S), partial(ask, name, backend, cookie))
    network.run()
    for name, answers in recorded("cookie")["results"]:
        told = [one.told() for one in asked[name]]
        assert (name, told) == (name, [{key: one[key] for key in told[0]} for one in answers])
        for curl, answer in zip(asked[name], answers, strict=True):
            assert CURL_MS[0] < answer["ms"] - curl.took_ms < CURL_MS[1], (name, answer["ms"], curl.took_ms)
    compare_statistics(haproxy(network).statistics(network.kernel.now_ns))


BY_CHANCE = frozenset(
    {
        *("slim", "iid", "addr", "lastchg", "downtime", "lastsess", "check_duration", "rate", "rate_max"),
        *("req_rate", "req_rate_max", "conn_rate", "conn_rate_max", "qtime", "ctime", "rtime", "ttime"),
        *("qtime_max", "ctime_max", "rtime_max", "ttime_max", "bin", "bout", "h1_bytes_in", "h1_bytes_out"),
        *("srv_icur", "idle_conn_cur", "need_conn_est", "h1_open_connections"),
    }
)
"""Columns that depend on the moment, on curl's headers, on the machine, or on idle connections that were purged."""


def compare_statistics(table: Sequence[Mapping[str, str]]) -> None:
    """All other columns are as the real HAProxy had them in the end."""
    text = (DATA / "cookie_stat.csv").read_text(encoding="utf-8")
    assert statistics_csv(table).splitlines()[0] == text.splitlines()[0]
    real = list(csv.DictReader(io.StringIO(text.removeprefix("# "))))
    compared = [name for name in COLUMNS if name not in BY_CHANCE]
    for expected, row in zip(real, table, strict=True):
        assert {name: row[name] for name in compared} == {name: expected[name] for name in compared}


def http(*lines: str, mode: str = "http", **keys: Any) -> str:
    """A haproxy.cfg in mode http; `lines` go to its defaults."""
    return config(mode, options="\n  ".join(lines), **keys)


def outcome(network: Network) -> tuple[int, dict[str, int]]:
    """How many of the client's requests were answered well, and what became of the others."""
    story = network.run().clients["c"]
    return story.ok, dict(story.errors)


def test_no_server_is_a_503_and_the_client_may_stay() -> None:
    down = [event("0s", "server-down", server=server) for server in ("s1", "s2")]
    network = balanced(http("retries 0"), *down, clients={"c": client(keep_alive=True)})
    ok, errors = outcome(network)
    assert errors == {"http503": 2 * ok}
    assert process(network).frontends["web"].stot == 1


def test_a_server_that_does_not_answer_is_a_504() -> None:
    network = balanced(
        http("timeout server 200ms"),
        servers={"s2": {"accepts_only": True}},
        clients={"c": client(every="100ms")},
        duration="9.95s",
    )
    ok, errors = outcome(network)
    assert (ok, errors) == (60, {"http504": 29})
    backend = process(network).backends["app"]
    assert [one.eresp for one in backend.servers] == [0, backend.eresp, 0]


def test_a_server_that_dies_over_a_request_is_a_502() -> None:
    network = balanced(
        http(),
        event("3s", "server-down", server="s1"),
        servers={"s1": {"latency": "300ms"}},
        clients={"c": client(every="100ms", start="2.95s")},
        duration="3.2s",
    )
    assert outcome(network) == (2, {"http502": 1})


def test_keep_alive_keeps_both_sides_and_server_close_one() -> None:
    for option, connects in (("http-keep-alive", 3), ("http-server-close", 100)):
        network = balanced(
            http(f"option {option}"),
            clients={"c": client(every="80ms", keep_alive=True)},
            duration="9s",
        )
        assert outcome(network) == (100, {})
        frontend, backend = process(network).frontends["web"], process(network).backends["app"]
        assert (frontend.stot, frontend.req_tot, backend.stot) == (1, 100, 100)
        assert backend.connect == connects


@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize(("front", "back"), [(True, False), (True, True), (False, True)])
def test_tls_of_its_own(mode: str, front: bool, back: bool) -> None:
    text = http(mode=mode, check="ssl verify none" * back)
    text = text.replace("bind :80", "bind :80 ssl crt a.pem") if front else text
    servers = {f"s{n}": {"tls": back} for n in (1, 2, 3)}
    network = balanced(text, clients={"c": client(tls=front)}, servers=servers, duration="1.99s")
    assert outcome(network) == (50, {})


def test_a_server_without_tls_where_it_is_wanted_cannot_be_had() -> None:
    network = balanced(http("retries 0", check="ssl verify none"), duration="1.99s")
    assert outcome(network) == (0, {"http503": 50})
    assert process(network).backends["app"].econ >= 50


def test_rules_choose_among_backends() -> None:
    text = http().replace("default_backend app", "use_backend other if { path_beg /api }\n  default_backend app")
    text += "backend other\n  server s3 10.0.0.13:80\n"
    network = balanced(text, clients={"c": client(path="/api/x"), "d": client(1)})
    network.run()
    assert {row[-1] for row in network.clients["c"].requests.rows("new")} == {"s3"}
    assert len({row[-1] for row in network.clients["d"].requests.rows("new")}) == 3


def test_the_statistics_page_answers_itself() -> None:
    text = http() + "listen stats\n  bind :8404\n  stats enable\n  stats uri /stats\n"
    network = balanced(text, clients={"c": client(target="10.0.0.1:8404", path="/stats")})
    assert outcome(network)[1] == {}
    frontend = process(network).frontends["stats"]
    assert frontend.intercepted == frontend.req_tot > 400


@pytest.mark.parametrize(
    ("option", "retries", "redispatches", "answers"),
    [("option redispatch", 0, 33, {}), ("no option redispatch", 99, 0, {"http503": 33})],
)
def test_requests_are_sent_again_as_retry_on_says(
    option: str, retries: int, redispatches: int, answers: dict[str, int]
) -> None:
    """A 503 again: elsewhere with redispatch, else at the same server, each time without a pause (measured)."""
    network = balanced(
        http("retries 3", option, "retry-on 503"),
        event("0.5s", "server-status", server="s1", status=503),
        clients={"c": client(every="20ms")},
        duration="2.979s",
    )
    ok, errors = outcome(network)
    assert (ok + sum(errors.values()), errors) == (99, answers)
    server = process(network).backends["app"].servers[0]
    assert server.wretr == retries
    assert server.wredis >= redispatches


def test_a_server_that_closes_instead_of_answering_is_a_502_at_last() -> None:
    network = balanced(
        http("retries 3", "no option redispatch", "retry-on empty-response", count=1),
        servers={"s1": {"tls": True}},
        count=1,
        duration="1.1s",
    )
    ok, errors = outcome(network)
    assert (ok, set(errors)) == (0, {"http502"})
    server = process(network).backends["app"].servers[0]
    assert (server.stot, server.wretr, server.eresp) == (4 * errors["http502"], 3 * errors["http502"], 5)


def test_a_client_that_says_nothing_is_told_so() -> None:
    network = balanced(http("timeout http-request 500ms"), clients={"c": client(start="9s")})
    silent: list[Silent] = []
    network.kernel.at(2 * S, lambda: silent.append(Silent(network)))
    network.run()
    assert silent[0].seen == [(2_500, 408), (2_500, Ending.FIN)]


class Silent:
    """Connects, and says nothing; `seen`: when (ms) what came, a status or an end."""

    careless = False

    def __init__(self, network: Network) -> None:
        self.seen: list[tuple[int, object]] = []
        program = Program(network.clients["c"].node, "silent")
        network.flows.open(network.flows.flow(), program, pack("10.0.0.1"), 80, self)

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        return None

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        raise AssertionError("it foresees nothing")

    def connected(self, now_ns: int, connection: Connection) -> None:
        pass

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        assert isinstance(message, Response)
        self.seen.append((now_ns // MS, message.status))

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        self.seen.append((now_ns // MS, ending))
        connection.close(OPENER)


def test_forwardfor_names_the_client() -> None:
    network = balanced(http("option forwardfor"), duration="2s")
    plain = balanced(http(), duration="2s")
    assert outcome(network) == outcome(plain)


def test_kept_connections_are_closed_after_http_keep_alive() -> None:
    network = balanced(
        http("timeout http-keep-alive 200ms"),
        clients={"c": client(every="300ms", keep_alive=True)},
        duration="3.9s",
    )
    ok, errors = outcome(network)
    assert (ok, errors) == (10, {})
    assert process(network).frontends["web"].stot == 10


def test_own_connections_where_reuse_is_forbidden() -> None:
    network = balanced(
        http("http-reuse never", count=1), clients={"c": client(every="80ms", keep_alive=True)}, duration="9s", count=1
    )
    assert outcome(network) == (100, {})
    backend = process(network).backends["app"]
    assert (backend.connect, backend.reuse, len(backend.servers[0].idle)) == (1, 99, 0)


def test_a_reload_lets_idle_clients_go() -> None:
    network = balanced(
        http(), event("3s", "haproxy-reload", node="lb"), clients={"c": client(every="200ms", keep_alive=True)}
    )
    ok, errors = outcome(network)
    assert (ok, errors) == (45, {})
    assert process(network).frontends["web"].stot == 1
    assert process(network).born_ns > 3 * S
