"""What the model says of a haproxy.cfg. Numbers and check rules: as HAProxy 2.6.12 did with the same lines."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import REDISPATCH_LAST, Backend, Condition, Frontend, Server, Timeouts

S = 1_000_000_000


def backend(text: str, name: str = "b") -> Backend:
    found = read_haproxy(text).model.backend(name)
    assert found is not None
    return found


def frontend(text: str, name: str = "f") -> Frontend:
    found = read_haproxy(text).model.frontend(name)
    assert found is not None
    return found


def server(line: str, before: str = "") -> Server:
    (found,) = backend(f"backend b\n mode http\n {before}\n server s {line}\n").servers
    return found


def test_defaults() -> None:
    one = backend("backend b\n server s 10.0.0.1:80 check\n")
    assert (one.mode, one.balance.algorithm, one.retries, one.redispatch) == ("tcp", "roundrobin", 3, None)
    assert (one.retry_on, one.cookie, one.check.kind) == (frozenset({"conn-failure"}), None, "tcp")
    (only,) = one.servers
    assert (only.address, only.port, only.weight, only.error_limit) == (IPv4Address("10.0.0.1"), 80, 1, 10)
    assert only.check is not None
    check = only.check
    assert (check.inter_ns, check.fastinter_ns, check.downinter_ns, check.rise, check.fall) == (
        2 * S,
        2 * S,
        2 * S,
        2,
        3,
    )


def test_what_falls_back() -> None:
    text = "defaults\n timeout connect 5s\n timeout http-request 7s\n timeout client 1m\nlisten b\n timeout check 0\n"
    assert backend(text).timeouts == Timeouts(
        connect_ns=5 * S,
        client_ns=60 * S,
        queue_ns=5 * S,
        tarpit_ns=5 * S,
        http_request_ns=7 * S,
        http_keep_alive_ns=7 * S,
    )


def test_named_defaults() -> None:
    text = (
        "defaults base\n mode http\n retries 5\ndefaults more from base\n balance leastconn\n"
        "backend b from more\n retries 1\nbackend c\nbackend d from base\ndefaults\nbackend e\n"
    )
    found = {one.name: (one.mode, one.balance.algorithm, one.retries) for one in read_haproxy(text).model.backends}
    assert found == {
        "b": ("http", "leastconn", 1),
        "c": ("http", "leastconn", 5),
        "d": ("http", "roundrobin", 5),
        "e": ("tcp", "roundrobin", 3),
    }


def test_binds() -> None:
    text = (
        "frontend f\n bind 10.0.0.1:80,[::1]:81 transparent name n\n bind :90-92 id 7 maxconn 3\n"
        " bind /run/x.sock accept-proxy\n bind ipv6@:443 ssl crt a.pem v4v6 interface eth0\n bind *:5 v6only\n"
    )
    binds = frontend(text).binds
    assert [(str(one.address), one.port, one.family, one.id) for one in binds] == [
        ("10.0.0.1", 80, "ipv4", 1),
        ("::1", 81, "ipv6", 2),
        ("None", 90, "ipv4", 7),
        ("None", 91, "ipv4", 4),
        ("None", 92, "ipv4", 5),
        ("None", 0, "unix", 6),
        ("None", 443, "ipv6", 8),
        ("None", 5, "ipv4", 9),
    ]
    assert [one.transparent for one in binds] == [True, True, *[False] * 6]
    assert (binds[0].name, binds[2].maxconn, binds[5].path, binds[5].accept_proxy) == ("n", 3, "/run/x.sock", True)
    assert (binds[6].ssl, binds[6].v4v6, binds[6].interface) == (True, True, "eth0")
    assert binds[6].options == ("ssl", "crt", "a.pem", "v4v6", "interface", "eth0")


def test_a_frontend() -> None:
    text = (
        "frontend f\n mode http\n bind :80\n maxconn 10\n backlog 20\n rate-limit sessions 30\n acl a path /x\n"
        " use_backend b if a !{ src 10.0.0.0/8 }\n use_backend c unless a\n default_backend d\n option httplog\n"
        " option dontlognull\n no option http-ignore-probes\n option http-server-close\n monitor-uri /up\n"
        "backend b\n mode http\nbackend c\n mode http\nbackend d\n mode http\n"
    )
    one = frontend(text)
    assert (one.maxconn, one.backlog, one.rate_limit_sessions, one.default_backend) == (10, 20, 30, "d")
    assert [(rule.name, rule.condition, rule.line) for rule in one.rules] == [
        ("b", Condition(False, ("a", "!{", "src", "10.0.0.0/8", "}")), 8),
        ("c", Condition(True, ("a",)), 9),
    ]
    assert [(acl.name, acl.words) for acl in one.acls] == [("a", ("path", "/x"))]
    assert one.options == {"httplog", "dontlognull"}
    assert (one.http_connection, one.monitor_uri, one.listen) == ("server-close", "/up", False)


def test_a_listen_is_both() -> None:
    model = read_haproxy("listen web\n bind :80\n server s 10.0.0.1:80\n").model
    assert (model.frontends[0].name, model.backends[0].name) == ("web", "web")
    assert (model.frontends[0].listen, model.backends[0].listen) == (True, True)
    assert (model.frontend("x"), model.backend("x")) == (None, None)


def test_options_of_http_are_off_in_tcp() -> None:
    text = "defaults\n option httplog\n option prefer-last-server\n option forwardfor\nlisten b\n bind :80\n"
    assert backend(text).options == {"tcplog", "forwardfor"}


def test_the_stats_page() -> None:
    text = (
        "defaults\n stats uri /all\n stats scope x\nlisten b\n mode http\n bind :80\n stats enable\n stats uri /s\n"
        " stats realm A\\ b\n stats refresh 30\n stats auth u:p\n stats scope .\n stats scope c\n"
        " stats admin if TRUE\n stats hide-version\n stats show-legends\n stats show-node n\n stats show-desc a b\n"
        "listen c\n mode http\n bind :81\nlisten d\n bind :82\n"
    )
    page = frontend(text, "b").stats
    assert page is not None
    assert (page.uri, page.realm, page.refresh_ns, page.auth, page.scopes) == (
        "/s",
        "A b",
        30 * S,
        ("u:p",),
        (".", "c"),
    )
    assert page.admin == (Condition(False, ("TRUE",)),)
    assert (page.hide_version, page.show_legends, page.show_node, page.show_desc) == (True, True, "n", "a b")
    other = frontend(text, "c").stats
    assert other is not None
    assert (other.uri, other.scopes) == ("/all", ("x",))
    assert frontend(text, "d").stats is None


def test_a_server() -> None:
    one = server(
        "10.0.0.1:80 weight 5 backup maxconn 10 minconn 2 maxqueue 7 cookie c1 slowstart 1m observe layer7"
        " error-limit 3 on-error mark-down on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions"
        " disabled id 9 ssl verify none sni str(x) alpn h2 send-proxy source 10.0.0.9 non-stick"
    )
    assert (one.weight, one.backup, one.maxconn, one.minconn, one.maxqueue, one.cookie) == (5, True, 10, 2, 7, "c1")
    assert (one.slowstart_ns, one.observe, one.error_limit, one.on_error) == (60 * S, "layer7", 3, "mark-down")
    assert (one.on_marked_down, one.on_marked_up) == ("shutdown-sessions", "shutdown-backup-sessions")
    assert (one.disabled, one.id, one.ssl, one.verify, one.sni, one.alpn) == (True, 9, True, "none", "str(x)", "h2")
    assert (one.send_proxy, one.source, one.stick) == (True, IPv4Address("10.0.0.9"), False)


@pytest.mark.parametrize(
    ("written", "host", "address", "port", "offset"),
    [
        ("10.0.0.1", "10.0.0.1", IPv4Address("10.0.0.1"), 0, 0),
        ("10.0.0.1:+5", "10.0.0.1", IPv4Address("10.0.0.1"), 0, 5),
        ("10.0.0.1:-5", "10.0.0.1", IPv4Address("10.0.0.1"), 0, -5),
        ("10.1:80", "10.1", IPv4Address("10.0.0.1"), 80, 0),
        ("[::1]:80", "[::1]", IPv6Address("::1"), 80, 0),
        ("ipv6@::1:80", "::1", IPv6Address("::1"), 80, 0),
        ("localhost:80", "localhost", IPv4Address("127.0.0.1"), 80, 0),
        ("web.example:80", "web.example", None, 80, 0),
        ("/run/x.sock", "/run/x.sock", None, 0, 0),
        ("abns@x", "x", None, 0, 0),
        (":80", "*", None, 80, 0),
    ],
)
def test_addresses(written: str, host: str, address: object, port: int, offset: int) -> None:
    one = server(written)
    assert (one.host, one.address, one.port, one.port_offset) == (host, address, port, offset)


@pytest.mark.parametrize(
    ("words", "ssl", "proxy"),
    [
        ("ssl verify none send-proxy check", True, True),
        # Measured: to another port or address a check speaks neither.
        ("ssl verify none send-proxy check port 81", False, False),
        ("ssl verify none send-proxy check addr 10.0.0.2", False, False),
        ("ssl verify none send-proxy check port 81 check-ssl check-send-proxy", True, True),
        ("ssl verify none check no-check-ssl", False, False),
        ("check check-ssl verify none", True, False),
    ],
)
def test_what_a_check_speaks(words: str, ssl: bool, proxy: bool) -> None:
    check = server(f"10.0.0.1:80 {words}").check
    assert check is not None
    assert (check.ssl, check.send_proxy) == (ssl, proxy)


def test_what_a_check_is() -> None:
    check = server("10.0.0.1:80", "default-server check inter 1s fastinter 500 rise 1 fall 5 addr 10.0.0.2:81").check
    assert check is not None
    assert (check.inter_ns, check.fastinter_ns, check.downinter_ns) == (S, S // 2, S)
    assert (check.rise, check.fall, check.address, check.port) == (1, 5, IPv4Address("10.0.0.2"), 81)
    assert server("10.0.0.1:80 no-check", "default-server check").check is None
    assert server("10.0.0.1:80").check is None


def test_an_agent() -> None:
    agent = server("10.0.0.1:80 agent-check agent-port 5 agent-inter 3s agent-addr 10.0.0.3 agent-send hi\\n").agent
    assert agent is not None
    assert (agent.port, agent.inter_ns, agent.address, agent.send) == (5, 3 * S, IPv4Address("10.0.0.3"), "hi\n")


def test_tracking() -> None:
    text = "backend a\n server s 10.0.0.1:80 check\n"
    text += "backend b\n server t 10.0.0.1:80 track a/s\n server u ::1 track t\n"
    assert [one.track for one in backend(text).servers] == [("a", "s"), ("b", "t")]


def test_templates_and_numbers() -> None:
    text = "backend b\n server-template w 2-4 10.0.0.1:80\n server s 10.0.0.1:80 id 7\n server t 10.0.0.1:80\n"
    assert [(one.name, one.id) for one in backend(text).servers] == [
        ("w2", 1),
        ("w3", 2),
        ("w4", 3),
        ("s", 7),
        ("t", 5),
    ]


def test_numbers_of_proxies() -> None:
    text = "listen x\n bind :1\nbackend a\n id 44\nbackend b\nbackend c\n id 2\nbackend d\n"
    assert [one.id for one in read_haproxy(text).model.backends] == [1, 44, 3, 2, 5]
    # Measured: with a socket for statistics all are one more.
    with_socket = read_haproxy("global\n stats socket /run/x\n" + text).model.backends
    assert [one.id for one in with_socket] == [3, 44, 4, 2, 6]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("option redispatch", REDISPATCH_LAST),
        ("option redispatch 1", 1),
        ("option redispatch -2", -2),
        ("option redispatch 0", None),
        ("no option redispatch", None),
    ],
)
def test_redispatch(line: str, expected: int | None) -> None:
    assert backend(f"defaults\n option redispatch 9\nbackend b\n {line}\n").redispatch == expected


def test_a_cookie() -> None:
    text = (
        "backend b\n mode http\n cookie SRV insert indirect nocache preserve httponly secure maxidle 30m maxlife 8h"
        " domain .example.com attr SameSite=Lax\n"
    )
    cookie = backend(text).cookie
    assert cookie is not None
    assert (cookie.name, cookie.mode, cookie.indirect, cookie.nocache, cookie.preserve) == (
        "SRV",
        "insert",
        True,
        True,
        True,
    )
    assert (cookie.httponly, cookie.secure, cookie.postonly, cookie.dynamic) == (True, True, False, False)
    assert (cookie.maxidle_ns, cookie.maxlife_ns) == (1800 * S, 8 * 3600 * S)
    assert (cookie.domains, cookie.attributes) == ((".example.com",), ("SameSite=Lax",))
    assert backend("backend b\n cookie SRV insert\n").cookie is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("balance random(3)", {"algorithm": "random", "draws": 3}),
        ("balance uri len 5 depth 2 whole path-only", {"length": 5, "depth": 2, "whole": True, "path_only": True}),
        ("balance url_param q check_post 5", {"algorithm": "url_param", "argument": "q"}),
        ("balance hdr(Host) use_domain_only", {"algorithm": "hdr", "argument": "Host", "use_domain_only": True}),
        ("balance rdp-cookie", {"algorithm": "rdp-cookie", "argument": "msts"}),
        ("hash-type consistent", {"hash_type": "consistent", "hash_function": "sdbm", "hash_modifier": "avalanche"}),
        ("hash-type consistent djb2", {"hash_function": "djb2", "hash_modifier": ""}),
        ("hash-type map-based wt6 avalanche\n balance source", {"hash_function": "wt6", "hash_modifier": "avalanche"}),
        ("hash-balance-factor 150", {"hash_balance_factor": 150}),
    ],
)
def test_balance(lines: str, expected: dict[str, object]) -> None:
    balance = backend(f"backend b\n mode http\n {lines}\n").balance
    assert {name: getattr(balance, name) for name in expected} == expected


def test_balance_in_tcp() -> None:
    assert backend("backend b\n balance uri\n server s 10.0.0.1:80\n").balance.algorithm == "roundrobin"


def test_other_settings_of_a_backend() -> None:
    text = (
        "backend b\n fullconn 9\n http-reuse always\n retry-on 503 all-retryable-errors\n dispatch 10.0.0.1:80\n"
        " max-keep-alive-queue 4\n use-server s if TRUE\n server s 10.0.0.1:80\n disabled\n"
    )
    one = backend(text)
    assert (one.fullconn, one.http_reuse, one.dispatch) == (9, "always", (IPv4Address("10.0.0.1"), 80))
    assert one.retry_on == {
        *("conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected"),
        *("500", "502", "503", "504"),
    }
    assert (one.max_keep_alive_queue, one.use_server[0].name, one.disabled) == (4, "s", True)
    assert backend("backend b\n retry-on none\n").retry_on == frozenset()


def test_global() -> None:
    text = (
        "global\n maxconn 100\n nbthread 2\n daemon\n node n1\n description a b\n spread-checks 5\n"
        " max-spread-checks 3s\n log 127.0.0.1 local0 notice\n tune.bufsize 20000\n busy-polling\n no busy-polling\n"
    )
    one = read_haproxy(text).model.global_
    assert (one.maxconn, one.nbthread, one.daemon, one.node, one.description) == (100, 2, True, "n1", "a b")
    assert (one.spread_checks, one.max_spread_checks_ns, dict(one.settings)) == (
        5,
        3 * S,
        {"tune.bufsize": ("20000",)},
    )
    assert [(log.address, log.facility, log.level) for log in one.logs] == [("127.0.0.1", "local0", "notice")]


def test_what_is_not_modelled_is_kept_and_told() -> None:
    parsed = read_haproxy("listen b\n bind :80\n http-request deny\npeers p\n peer a 10.0.0.1:80\n")
    assert [(one.section, one.words, one.line) for one in parsed.model.unmodelled] == [
        ("listen b", ("http-request", "deny"), 3),
        ("peers p", ("peer", "a", "10.0.0.1:80"), 5),
    ]
    assert [one.line for one in parsed.diagnostics if one.code == "not-modelled"] == [3, 5]
