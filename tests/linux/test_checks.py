"""Checkers at work against real servers: what those beside keepalived do not show."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from linux.check_servers import BLACK_HOLE, REFUSED, CheckServers
from linux.namespaces import alone, sh
from vrrp.config import parse
from vrrp.config.lvs.model import Checker
from vrrp.config.script_security import ROOT
from vrrp.linux.checks.ping import answers
from vrrp.linux.checks.runner import CheckRunner
from vrrp.linux.checks.web import MOST_TIMEOUTS
from vrrp.lvs.checking import FIRST_CHECK_NS
from vrrp.lvs.target import CheckKey, CheckPlan

pytestmark = [pytest.mark.root, pytest.mark.program("openssl")]

Reports = list[tuple[str, bool, int | None, str]]
TIMING = "delay_loop 0.1\n retry 0\n warmup 0\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckServers]:
    with alone(), CheckServers(tmp_path_factory.mktemp("servers")) as found:
        sh("ip", "addr", "add", "127.0.0.9/8", "dev", "lo")
        yield found


def conf(*checkers: str, top: str = "", virtual: str = "10.0.0.", address: str = "127.0.0.1 7001") -> str:
    servers = "".join(
        f"virtual_server {virtual}{number} 80 {{\n protocol TCP\n"
        f" real_server {address} {{\n weight 10\n {one}\n }}\n}}\n"
        for number, one in enumerate(checkers, 1)
    )
    return f"global_defs {{\n script_user root\n}}\n{top}{servers}"


def plan_of(text: str) -> CheckPlan:
    return CheckPlan.of(parse(text).config)


def run(
    plan: CheckPlan, seconds: float = 0.4, then: Callable[[CheckRunner], None] | None = None
) -> tuple[Reports, list[dict[str, Any]]]:
    """What is reported of the checkers, by virtual server, and the table in the end; the first check is at once."""
    reports: Reports = []

    def report(now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        reports.append((key.virtual_server, up, weight, reason))

    async def go() -> list[dict[str, Any]]:
        runner = CheckRunner(plan, report, lambda: 0)
        runner.start()
        await asyncio.sleep(seconds)
        if then is not None:
            then(runner)
            await asyncio.sleep(seconds)
        rows = runner.rows()
        await runner.stop()
        return rows

    return reports, asyncio.run(go())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FIRST_CHECK_NS == 1_000_000_000
    monkeypatch.setattr("vrrp.lvs.checking.FIRST_CHECK_NS", 0)


def last(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["state"], row["last"]) for row in rows]


def test_where_connections_come_from(servers: CheckServers) -> None:
    with socket.create_server(("127.0.0.1", 6500)) as listening:
        text = conf(
            f"TCP_CHECK {{\n{TIMING} connect_port 6500\n bindto 127.0.0.9\n bind_port 6501\n"
            " bind_if lo\n fwmark 7\n }"
        )
        _, rows = run(plan_of(text), 0.15)
        accepted, sender = listening.accept()
        accepted.close()
        assert sender == ("127.0.0.9", 6501)
        assert rows[0]["state"] == "up"
        assert rows[0]["check"] == "TCP_CHECK"
        assert rows[0]["latency_ms"] > 0


def test_what_cannot_be_asked_says_nothing_of_the_server(
    servers: CheckServers, caplog: pytest.LogCaptureFixture
) -> None:
    text = conf(
        f"TCP_CHECK {{\n{TIMING} connect_port {REFUSED}\n bindto 192.0.2.1\n }}",
        f"HTTP_GET {{\n{TIMING} connect_port {REFUSED}\n bindto 192.0.2.1\n url {{\n path /\n }}\n }}",
        f'MISC_CHECK {{\n{TIMING} misc_path "/proc/self/status"\n }}',
    )
    reports, rows = run(plan_of(text))
    assert reports == []
    assert last(rows) == [("up", "no check yet")] * 2
    assert [record.getMessage() for record in caplog.records if "cannot be made" in record.getMessage()] == [
        "[127.0.0.1]:tcp:7001: the TCP_CHECK cannot be made: cannot assign requested address",
        "[127.0.0.1]:tcp:7001: the HTTP_GET cannot be made: cannot assign requested address",
    ]
    assert "is not executable" in caplog.text


def test_ipv6(servers: CheckServers) -> None:
    with socket.create_server(("::1", 6502), family=socket.AF_INET6):
        text = conf(
            f"TCP_CHECK {{\n{TIMING} connect_port 6502\n bind_port 6503\n }}",
            f"PING_CHECK {{\n{TIMING} }}",
            f"PING_CHECK {{\n{TIMING} connect_ip ::2\n connect_timeout 0.1\n }}",
            virtual="2001:db8::",
            address="::1 80",
        )
        assert [state for state, _ in last(run(plan_of(text))[1])] == ["up", "up", "down"]


def test_an_answer_that_never_ends_is_cut_off(servers: CheckServers) -> None:
    text = conf(
        f"HTTP_GET {{\n{TIMING} connect_port {servers.places['web']}\n connect_timeout 0.1\n"
        " url {\n path /drops\n }\n }"
    )
    began = time.monotonic()
    reports, _ = run(plan_of(text), 0.1 * MOST_TIMEOUTS + 0.2)
    assert [up for _, up, *_ in reports] == [False]
    assert time.monotonic() - began < 2


def test_what_is_asked_of_whom(servers: CheckServers) -> None:
    tls, web = servers.places["tls"], servers.places["web"]
    url = "url {\n path /hello\n virtualhost url.example\n }"
    text = conf(
        f"SSL_GET {{\n{TIMING} connect_port {tls}\n enable_sni\n http_protocol 1.1\n {url}\n }}",
        f'HTTP_GET {{\n{TIMING} connect_port {web}\n url {{\n path /hello\n regex "("\n }}\n }}',
        f"SSL_GET {{\n{TIMING} connect_port {tls}\n enable_sni\n virtualhost {'a' * 300}.example\n"
        " url {\n path /x\n }\n }",
    )
    _, rows = run(plan_of(text))
    assert b"GET /hello HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: url.example\r\n\r\n" in (
        servers.requests
    )
    assert "url.example" in servers.names
    assert [row["check"] for row in rows] == ["SSL_GET", "HTTP_GET", "SSL_GET"]
    assert rows[0]["state"] == "up"
    assert rows[1]["last"].startswith("regex")
    assert rows[2]["last"] == "Connection failed server [127.0.0.1]:tcp:7001."


def test_a_regex_that_backtracks_without_end_holds_nothing_up(
    servers: CheckServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vrrp.linux.checks.searcher.LIMIT_S", 0.3)
    asked = (("/backtracks", "(a+)+b"), ("/hello", "(l+)+o"))
    get = f'HTTP_GET {{\n{TIMING} connect_port {servers.places["web"]}\n url {{\n path PATH\n regex "REGEX"\n }}\n }}'
    text = conf(*(get.replace("PATH", path).replace("REGEX", regex) for path, regex in asked))
    beats: list[float] = []

    async def go() -> list[dict[str, Any]]:
        runner = CheckRunner(plan_of(text), lambda *told: None, lambda: 0)
        runner.start()
        async with asyncio.timeout(20):
            while not all(one.checks for one in runner.checkings):
                beats.append(time.monotonic())
                await asyncio.sleep(0.005)
        rows = runner.rows()
        await runner.stop()
        return rows

    rows = asyncio.run(go())
    why = "regex: the search was given up, it takes more than 0.3 s of the processor's time"
    assert last(rows) == [
        ("down", f"{why} (server [127.0.0.1]:tcp:7001)"),
        ("up", "Regex match success to [127.0.0.1]:tcp:7001 url(/hello)"),
    ]
    assert beats[-1] - beats[0] > 0.3
    assert max(after - before for before, after in pairwise(beats)) < 0.2


def talk(listening: socket.socket, *said: bytes) -> None:
    """Say one thing after the other, each when the last was answered."""
    connection, _ = listening.accept()
    with connection:
        for one in said:
            connection.sendall(one)
            connection.recv(4096)


def test_mail_servers_that_do_not_behave(servers: CheckServers) -> None:
    web, hole = servers.places["web"], BLACK_HOLE
    text = conf(
        "SMTP_CHECK {\n retry 0\n delay_loop 9\n warmup 0\n connect_port 6505\n }",
        "SMTP_CHECK {\n retry 0\n delay_loop 9\n warmup 0\n connect_port 6506\n }",
        f"SMTP_CHECK {{\n{TIMING} connect_port {web}\n connect_timeout 0.2\n }}",
        f"SMTP_CHECK {{\n{TIMING} connect_port {REFUSED}\n }}",
        f"SMTP_CHECK {{\n{TIMING} connect_port {hole}\n connect_timeout 0.2\n }}",
        f"SMTP_CHECK {{\n{TIMING} host {{\n connect_port {servers.places['smtp']}\n }}\n"
        f" host {{\n connect_port {REFUSED}\n }}\n }}",
    )
    with socket.create_server(("127.0.0.1", 6505)) as odd, socket.create_server(("127.0.0.1", 6506)) as wordy:
        talking = [
            threading.Thread(target=talk, args=args)
            for args in ((odd, b"220 a\r\n", b"500 b\r\n"), (wordy, b"220 " + b"x" * 600))
        ]
        for thread in talking:
            thread.start()
        found = last(run(plan_of(text))[1])
        for thread in talking:
            thread.join(10)
    assert [said for _, said in found] == [
        "SMTP_CHECK Bad HELO response from server [127.0.0.1]:6505",
        "SMTP_CHECK Bad greeting banner from server [127.0.0.1]:6506",
        f"SMTP_CHECK Read timeout from server [127.0.0.1]:{web}",
        f"SMTP_CHECK Network I/O error with server [127.0.0.1]:{REFUSED}",
        f"SMTP_CHECK Read timeout from server [127.0.0.1]:{hole}",
        f"SMTP_CHECK Network I/O error with server [127.0.0.1]:{REFUSED}",
    ]


def test_words_that_are_no_text(servers: CheckServers) -> None:
    """A file may hold any octets."""
    odd = "\udcff"
    text = conf(
        f"SMTP_CHECK {{\n{TIMING} connect_port {servers.places['smtp']}\n helo_name {odd}\n }}",
        f"HTTP_GET {{\n{TIMING} connect_port {servers.places['web']}\n virtualhost {odd}\n"
        f" url {{\n path /{odd}\n }}\n }}",
        f"DNS_CHECK {{\n{TIMING} connect_port {servers.places['dns']}\n name {odd}\n }}",
        f"SSL_GET {{\n{TIMING} connect_port {servers.places['tls']}\n virtualhost {odd}\n enable_sni\n"
        " url {\n path /\n }\n }",
        f"TCP_CHECK {{\n{TIMING} bind_if {odd}\n }}",
    )
    found = [(row["state"], row["checks"] > 1) for row in run(plan_of(text))[1]]
    assert found == [("up", True), ("up", True), ("up", True), ("down", True), ("up", False)]


def test_connections_that_end_badly(servers: CheckServers) -> None:
    get = "{}_GET {{\n" + TIMING + " connect_port {}\n url {{\n path {}\n }}\n }}"
    text = conf(
        get.format("HTTP", servers.places["web"], "/resets"), get.format("SSL", servers.places["tls"], "/rude")
    )
    server = "[127.0.0.1]:tcp:7001"
    assert last(run(plan_of(text))[1]) == [
        ("down", f"Read error with server {server}."),
        ("up", f"HTTP status code success to {server} url(/rude)"),
    ]


def test_a_script_that_goes(servers: CheckServers, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
    script.chmod(0o755)
    reports, rows = run(
        plan_of(conf(f'MISC_CHECK {{\n{TIMING} misc_path "{script}"\n }}')), then=lambda _: script.unlink()
    )
    assert ([up for _, up, *_ in reports], rows[0]["state"]) == ([True], "up")
    assert "[127.0.0.1]:tcp:7001: the MISC_CHECK cannot be made: no such file or directory" in caplog.text


def test_addresses_that_do_not_answer(servers: CheckServers) -> None:
    ping = f"PING_CHECK {{\n{TIMING} connect_timeout 0.1\n connect_ip ADDRESS\n }}"
    sh("ip", "route", "add", "192.0.2.0/24", "dev", "lo")
    text = conf(*(ping.replace("ADDRESS", address) for address in ("192.0.2.1", "198.51.100.1")))
    assert [said for _, said in last(run(plan_of(text))[1])] == [
        "ICMP connection to address [127.0.0.1]:tcp:7001 timeout.",
        "send ICMP packet fail",
    ]


def test_datagrams(servers: CheckServers) -> None:
    udp = servers.places["udp"]
    text = conf(
        f"DNS_CHECK {{\n{TIMING} connect_port {REFUSED}\n }}",
        f"DNS_CHECK {{\n{TIMING} connect_port {udp}\n connect_timeout 0.1\n name {'a' * 64}.x\n }}",
        f"DNS_CHECK {{\n{TIMING} connect_port {servers.places['dns']}\n }}",
        f"UDP_CHECK {{\n{TIMING} connect_port {udp}\n payload 01\n require_reply\n min_reply_length 2\n }}",
        f"UDP_CHECK {{\n{TIMING} connect_port {servers.places['web']}\n payload 01\n }}",
        f"UDP_CHECK {{\n{TIMING} connect_port 6504\n payload 01\n connect_timeout 0.1\n }}",
    )
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 6504))
    found = last(run(plan_of(text))[1])
    server = "[127.0.0.1]:tcp:7001"
    assert found == [
        ("down", f"DNS_CHECK ({server}) failed to read socket; errno 111 (Connection refused)"),
        ("down", f"DNS_CHECK ({server}) {'a' * 64}.x: a label has at most 63 letters"),
        ("up", f"DNS_CHECK ({server}) success."),
        ("down", f"UDP check to {server} reply data mismatch."),
        ("down", f"UDP connection to {server} failed."),
        ("up", f"UDP connection to {server} success."),
    ]
    silent.close()


def test_files(servers: CheckServers, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("added", "taken", "held", "odd")}
    for name, number in (("added", "5"), ("taken", "-300"), ("held", "1"), ("odd", "99999999999")):
        files[name].write_text(number, encoding="ascii")
    top = "".join(f"track_file {name} {{\n file {path}\n weight 1\n }}\n" for name, path in files.items())
    text = conf(
        "FILE_CHECK {\n track_file added\n }",
        "FILE_CHECK {\n track_file added\n weight 2 reverse\n }",
        "FILE_CHECK {\n track_file taken\n }",
        "FILE_CHECK {\n track_file held\n weight 0\n }",
        "FILE_CHECK {\n track_file odd\n }",
        top=top,
    )
    plan = plan_of(text)
    assert {(one.checker.interval_ns, one.checker.warmup_ns) for one in plan.targets} == {(1_000_000_000, 0)}
    reports, rows = run(plan, 0.2)
    assert [(up, weight) for _, up, weight, _ in reports] == [(True, 15), (True, 0), (False, None), (False, None)]
    assert last(rows)[-1] == ("up", "no check yet")


def test_a_reload_leaves_what_is_the_same(servers: CheckServers, tmp_path: Path) -> None:
    script = servers.places["script"]
    kept = f"TCP_CHECK {{\n{TIMING} connect_port {servers.places['web']}\n }}"
    changed = "TCP_CHECK {{\n" + TIMING + " connect_port {}\n }}"
    gone = f'MISC_CHECK {{\n delay_loop 1\n warmup 0\n misc_path "{script} hangs"\n }}'
    before = plan_of(conf(kept, changed.format(REFUSED), gone))
    after = plan_of("! another first line\n" + conf(kept, changed.format(servers.places["web"])))
    seen: list[list[dict[str, Any]]] = []

    def reload(runner: CheckRunner) -> None:
        seen.append(runner.rows())
        runner.reload(after)
        seen.append(runner.rows())

    reports, rows = run(before, 0.3, reload)
    assert [row["state"] for row in seen[0]] == ["up", "down", "up"]
    assert [row["state"] for row in seen[1]] == ["up", "down"]
    assert seen[1][0]["checks"] > 0
    assert seen[1][1]["checks"] == 0
    assert [row["state"] for row in rows] == ["up", "up"]
    assert [(server, up) for server, up, *_ in reports] == [
        ("[10.0.0.1]:tcp:80", True),
        ("[10.0.0.2]:tcp:80", False),
        ("[10.0.0.2]:tcp:80", True),
    ]


def test_what_is_not_run_is_told(servers: CheckServers, caplog: pytest.LogCaptureFixture) -> None:
    top = "bfd_instance peer {\n neighbor_ip 192.0.2.1\n}\n"
    _, rows = run(
        plan_of(conf("BFD_CHECK {\n name peer\n }", 'MISC_CHECK {\n misc_path "/no/such"\n }', top=top)), 0.05
    )
    assert rows == []
    get = 'HTTP_GET {\n url {\n path /\n regex "a"\n regex_options caseless utf\n }\n }'
    run(plan_of(conf(get)), 0)
    assert [record.getMessage() for record in caplog.records] == [
        "BFD_CHECK peer is not followed; the session is taken to be up",
        "Script /no/such cannot be accessed - No such file or directory",
        "[127.0.0.1]:tcp:7001: regex_options utf is not followed",
    ]


def test_an_ssl_block(servers: CheckServers, tmp_path: Path) -> None:
    certificate = Path(str(servers.places["script"])).with_name("certificate.pem")
    key = certificate.with_name("key.pem")
    get = f"SSL_GET {{\n{TIMING} connect_port {servers.places['tls']}\n url {{\n path /hello\n }}\n }}"
    good = conf(get, top=f"SSL {{\n certificate {certificate}\n key {key}\n }}\n")
    assert run(plan_of(good))[1][0]["state"] == "up"
    with pytest.raises(OSError, match="No such file"):
        run(plan_of(conf(get, top="SSL {\n certificate /no/such\n key /no/such\n }\n")))


def test_everything_is_logged_where_that_is_asked_for_everywhere() -> None:
    def of(line: str) -> list[bool]:
        text = f"global_defs {{\n {line}\n }}\n" + conf("TCP_CHECK {\n }", "TCP_CHECK {\n log_all_failures\n }")
        return [one.log_all_failures for one in plan_of(text).targets]

    assert of("checker_log_all_failures") == [True, True]
    assert of("checker_log_all_failures off") == [False, True]
    assert of("") == [False, True]


def test_targets() -> None:
    text = conf("virtualhost www.example\n TCP_CHECK {\n }\n MISC_CHECK {\n misc_path /bin/true\n }")
    config = parse(text).config
    tcp, script = CheckPlan.of(config).targets
    assert tcp.key == CheckKey("[10.0.0.1]:tcp:80", "[127.0.0.1]:tcp:7001", 0)
    assert (str(tcp.address), tcp.port, tcp.weight, tcp.virtual_host) == ("127.0.0.1", 7001, 10, "www.example")
    checker: Checker = script.checker
    assert (script.key.index, checker.line, getattr(checker, "runs_as", None)) == (1, 0, ROOT)
    assert CheckPlan.of(config, ()).targets == ()


def test_packets_that_are_no_answers() -> None:
    for six in (False, True):
        assert not answers(six, b"", 1, b"")
        assert not answers(six, bytes(24), 1, b"")
