"""The page, its CSV, the metrics and the health check, over HTTP as over a function call."""

from __future__ import annotations

import asyncio
import base64
import csv
import http.client
import io
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import pytest
from matplotlib.image import imread
from prometheus_client.parser import text_string_to_metric_families

from conftest import PROGRAM_PATH
from linux.kernels import FakeKernel, make_daemon, until
from linux.test_log import datagram
from vrrp.cli.errors import BadInput
from vrrp.cli.http_option import web_server
from vrrp.cli.main import run
from vrrp.linux.daemon import Daemon
from vrrp.linux.status import web
from vrrp.linux.status.columns import COLUMNS
from vrrp.linux.status.document import Status
from vrrp.linux.status.metrics import metrics
from vrrp.linux.status.page import page, table
from vrrp.linux.status.web import Reply, WebServer, loopback

# A name may hold what HTML and Prometheus must escape.
CONF = """\
vrrp_instance "a<b>&'c" {
    interface eth0
    virtual_router_id 51
    version 3
    priority 200
    advert_int 0.02
    virtual_ipaddress {
        10.0.0.100/24
    }
}
vrrp_instance VI_2 {
    interface eth1
    virtual_router_id 52
    version 3
    priority 120
    virtual_ipaddress {
        fe80::52
        2001:db8::52/64
    }
}
"""
NAME = "a<b>&'c"


def serving(
    folder: Path,
    act: Callable[[Daemon, WebServer, Status], Awaitable[None]],
    user: tuple[str, str] | None = None,
    down: str = "",
) -> None:
    """Run a daemon that serves, and `act` once its first virtual router is master."""
    kernel = FakeKernel(eth0=["10.0.0.1"], eth1=["fe80::1"])
    if down:
        kernel.down.add(down)
    status = Status()
    server = WebServer(status, "127.0.0.1", 0, user)
    daemon = make_daemon(folder / "k.conf", kernel, status, server, text=CONF)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, f"send {NAME} 200")
        try:
            await act(daemon, server, status)
        finally:
            daemon.stop()
            await running

    asyncio.run(live())


def get(port: int, target: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


async def ask(server: WebServer, target: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    return await asyncio.to_thread(get, server.port, target, method, **headers)


def test_what_is_served(tmp_path: Path) -> None:
    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        found, headers, body = await ask(server, "/")
        assert (found, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "a&lt;b&gt;&amp;&#x27;c" in body
        assert NAME not in body
        assert "http-equiv" not in body
        for target, seconds in (("/;refresh", 5), ("/;refresh=7", 7), ("/?refresh=0", 1)):
            assert f'http-equiv="refresh" content="{seconds}"' in (await ask(server, target))[2]
        assert (await ask(server, "/healthz"))[::2] == (200, "ok\n")
        assert (await ask(server, "/;csv"))[1]["content-type"] == "text/csv; charset=utf-8"
        assert (await ask(server, "/metrics"))[1]["content-type"].startswith("text/plain; version=0.0.4")
        assert '"vrrp": [' in (await ask(server, "/;json"))[2]
        found, headers, body = await ask(server, "/", "HEAD")
        assert (found, body) == (200, "")
        assert int(headers["content-length"]) > 1000
        assert (await ask(server, "/", "POST"))[0] == 405
        assert (await ask(server, "/../etc/passwd"))[0] == 404
        assert (await ask(server, "/", Host="evil.example"))[0] == 421
        assert (await ask(server, "/", Host="[::1]:8405"))[0] == (await ask(server, "/", Host="localhost"))[0] == 200
        assert isinstance(daemon.kernel, FakeKernel)
        daemon.kernel.down.add("eth1")
        daemon.interface_changed("eth1")
        assert (await ask(server, "/healthz"))[0] == 503

    serving(tmp_path, act)


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        found, headers, _ = await ask(server, "/")
        assert found == 401
        assert headers["www-authenticate"].startswith("Basic ")
        for given in ("admin:wrong", "other:s:cret", ""):
            words = {"Authorization": "Basic " + base64.b64encode(given.encode()).decode()}
            assert (await ask(server, "/metrics", **words))[0] == 401
        assert (await ask(server, "/", Authorization="Bearer x"))[0] == 401
        words = {"Authorization": "basic " + base64.b64encode(b"admin:s:cret").decode()}
        assert (await ask(server, "/", **words, Host="vip.example"))[0] == 200
        assert (await ask(server, "/healthz"))[0] == 200

    serving(tmp_path, act, ("admin", "s:cret"))


def test_hostile_requests_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_REQUEST_WITHIN_S", 0.3)

    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        async def say(said: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(said)
            try:
                return (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n")[0]
            except ConnectionResetError:
                return b"reset"
            finally:
                writer.close()

        assert await say(b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n") in {
            b"HTTP/1.1 431 Request Header Fields Too Large",
            b"reset",  # the rest of the request meets a closed socket
        }
        for nonsense in (
            b"\x16\x03\x01\r\n\r\n",
            b"GET /\r\n\r\n",
            b"get / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2\r\n\r\n",
        ):
            assert await say(nonsense) == b"HTTP/1.1 400 Bad Request"
        assert await say(b"GET / HTTP/1.1\r\n") in {b"", b"reset"}  # too slow
        crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(32)]
        assert await say(b"GET / HTTP/1.1\r\n\r\n") == b"HTTP/1.1 503 Service Unavailable"
        more = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(40)]
        assert await say(b"GET / HTTP/1.1\r\n\r\n") in {b"", b"reset"}
        for _, writer in (*crowd, *more):
            writer.close()
        await asyncio.sleep(0.4)
        assert await say(b"GET /healthz HTTP/1.0\r\n\r\n") == b"HTTP/1.1 200 OK"

    serving(tmp_path, act)


def test_a_taken_port_is_told_in_a_line(tmp_path: Path) -> None:
    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        with pytest.raises(OSError, match="Address already in use") as told:
            await WebServer(status, "127.0.0.1", server.port).start(daemon)
        assert told.value.filename == f"--http 127.0.0.1:{server.port}"

    serving(tmp_path, act)


def document_of(tmp_path: Path) -> dict[str, Any]:
    seen: list[dict[str, Any]] = []

    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        daemon.hear("eth0", datagram(10, ttl=1))
        seen.append(status.document)

    serving(tmp_path, act)
    return seen[0]


def test_checkers_are_measured(tmp_path: Path) -> None:
    row = {"check": "TCP_CHECK", "state": "down", "checks": 7, "failures": 2, "latency_ms": 1.5}
    never = {"virtual_server": "v", "real_server": "r", "check": "X", "index": 1, "state": "up"}
    none = {"checks": 0, "failures": 0, "latency_ms": None}
    tables = {"tracked_checks": [{"name": "web"} | row], "checks": [never | none]}
    text = metrics(document_of(tmp_path) | tables)
    lines = [line for line in text.splitlines() if line.startswith("vrrp_check")]
    assert lines == [
        'vrrp_check_up{virtual_server="v",real_server="r",check="X",index="1"} 1',
        'vrrp_check_up{name="web",check="TCP_CHECK"} 0',
        'vrrp_check_runs_total{virtual_server="v",real_server="r",check="X",index="1"} 0',
        'vrrp_check_runs_total{name="web",check="TCP_CHECK"} 7',
        'vrrp_check_failures_total{virtual_server="v",real_server="r",check="X",index="1"} 0',
        'vrrp_check_failures_total{name="web",check="TCP_CHECK"} 2',
        'vrrp_check_latency_seconds{name="web",check="TCP_CHECK"} 0.0015',
    ]


def test_prometheus_understands_the_metrics(tmp_path: Path) -> None:
    document = document_of(tmp_path)
    document["track_scripts"] = [{"name": "x", "state": "unknown"}, {"name": 'y"\\\n', "state": "down"}]
    document["daemon"]["strangers"] = {"unknown_vrid": 3}
    families = {family.name: family for family in text_string_to_metric_families(metrics(document))}
    assert all(family.documentation and family.type in {"gauge", "counter"} for family in families.values())
    states = families["vrrp_instance_state"].samples
    assert [one.labels["state"] for one in states if one.labels["instance"] == NAME and one.value] == ["MASTER"]
    assert states[0].labels.keys() == {"instance", "interface", "vrid", "family", "state"}
    assert {one.labels["family"] for one in states} == {"ipv4", "ipv6"}
    discarded = families["vrrp_instance_discarded"].samples
    assert [(one.name, one.labels["reason"], one.value) for one in discarded] == [
        ("vrrp_instance_discarded_total", "ttl", 1)
    ]
    assert [(one.labels, one.value) for one in families["vrrp_script_up"].samples] == [({"script": 'y"\\\n'}, 0)]
    assert families["vrrp_strangers"].samples[0].value == 3
    interval = [one.value for one in families["vrrp_instance_advert_interval_seconds"].samples]
    assert interval == [0.02, 1]
    # Names that dashboards are built on: change by adding.
    assert set(families) == {
        "vrrp_build_info",
        "vrrp_start_time_seconds",
        "vrrp_healthy",
        "vrrp_instance_state",
        "vrrp_instance_last_transition_seconds",
        "vrrp_instance_priority",
        "vrrp_instance_base_priority",
        "vrrp_instance_advert_interval_seconds",
        "vrrp_instance_addresses",
        "vrrp_instance_adverts_sent",
        "vrrp_instance_adverts_received",
        "vrrp_instance_priority_zero_sent",
        "vrrp_instance_priority_zero_received",
        "vrrp_instance_discarded",
        "vrrp_instance_became_master",
        "vrrp_instance_released_master",
        "vrrp_strangers",
        "vrrp_check_up",
        "vrrp_check_runs",
        "vrrp_check_failures",
        "vrrp_check_latency_seconds",
        "vrrp_script_up",
        "vrrp_interface_up",
        "vrrp_virtual_server_up",
        "vrrp_virtual_server_weight",
        "vrrp_real_server_up",
        "vrrp_real_server_weight",
    }


def test_the_csv_is_one(tmp_path: Path) -> None:
    document = document_of(tmp_path)
    document["vrrp"][1]["data"]["iname"] = "=1+1"
    rows = list(csv.reader(io.StringIO(table(document).removeprefix("# "))))
    assert rows[0] == [column.name for column in COLUMNS]
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["iname"], first["state"], first["effective_priority"], first["discarded"]) == (
        NAME,
        "MASTER",
        "200",
        "1",
    )
    assert rows[2][0] == "'=1+1"  # a spreadsheet must not reckon with it


def test_a_page_with_nothing_to_tell(tmp_path: Path) -> None:
    document = document_of(tmp_path)
    for row in document["vrrp"]:
        row["now"] |= {"moves": [], "reason": "", "state": "INITIALIZE", "scripts": ["<i>"]}
    shown = page(document)
    assert "None yet." in shown
    assert "(idle)" in shown
    assert "follows &lt;i&gt;" in shown


@pytest.mark.parametrize(
    ("where", "auth", "message"),
    [
        ("8405", None, "is no ADDRESS:PORT"),
        ("localhost:8405", None, "is no ADDRESS:PORT"),
        ("127.0.0.1:http", None, "is no ADDRESS:PORT"),
        ("127.0.0.1:70000", None, "is no ADDRESS:PORT"),
        ("0.0.0.0:8405", None, "can be reached from outside"),
        ("[2001:db8::1]:8405", None, "can be reached from outside"),
        ("127.0.0.1:8405", "admin", "is no USER:FILE"),
        ("127.0.0.1:8405", "admin:/nowhere/at/all", "no such file"),
        ("127.0.0.1:8405", "admin:{open}", "others than its owner may read"),
        ("127.0.0.1:8405", "admin:{empty}", "there is no password"),
    ],
)
def test_wrong_options(tmp_path: Path, where: str, auth: str | None, message: str) -> None:
    for name, mode in (("open", 0o644), ("empty", 0o600)):
        (tmp_path / name).write_text("s\n" if name == "open" else "\n")
        (tmp_path / name).chmod(mode)
    if auth is not None:
        auth = auth.format(open=tmp_path / "open", empty=tmp_path / "empty")
    with pytest.raises((click.UsageError, BadInput), match=message):
        web_server(Status(), where, auth, False)


def test_options_that_go_with_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--http-auth", "admin:file"]) == 2
    assert "--http-auth and --http-beyond-loopback go with --http" in capsys.readouterr().err


def test_right_options(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s:cret\nmore\n")
    file.chmod(0o600)
    assert web_server(Status(), "127.0.0.1:8405", f"admin:{file}", False).port == 8405
    assert web_server(Status(), "[::]:0", None, True).port == 0
    assert loopback("::1")


def browser(home: Path, address: str, *how: str) -> list[str]:
    """The command of a browser without a window."""
    return [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home / 'chrome'}",
        "--enable-logging=stderr", "--window-size=1500,1000", *how, address,
    ]  # fmt: skip


def surroundings(home: Path) -> dict[str, str]:
    return {"PATH": PROGRAM_PATH, "HOME": str(home)}


def browse(home: Path, address: str, *how: str) -> subprocess.CompletedProcess[str]:
    """Look at a page once."""
    words = browser(home, address, *how)
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120, env=surroundings(home))


@pytest.mark.program("chromium")
def test_a_browser_shows_it(tmp_path: Path) -> None:
    """With its style, which the security policy allows, and its colors; nothing is complained of."""
    picture = tmp_path / "page.png"

    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        address = f"http://127.0.0.1:{server.port}/"
        seen = await asyncio.to_thread(browse, tmp_path, address, "--dump-dom")
        assert re.search(r'<tr class="MASTER"><td><span class="tip"', seen.stdout)
        assert '<tr class="FAULT">' in seen.stdout
        assert "CONSOLE" not in seen.stderr  # where it says what a security policy forbade
        await asyncio.to_thread(browse, tmp_path, address, f"--screenshot={picture}")

    serving(tmp_path, act, down="eth1")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    # matplotlib reads it: the header's dark blue, a master's green and a fault's red are there, as the style has them.
    pixels = (imread(picture)[:, :, :3] * 255).round().astype(int)
    for color in ((0x20, 0x42, 0x5F), (0xC4, 0xF0, 0xCD), (0xFF, 0xC2, 0xC2)):
        assert (abs(pixels - color).max(axis=2) <= 2).sum() > 2000


@pytest.mark.program("chromium")
def test_a_browser_needs_the_password_and_loads_the_page_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = WebServer.reply

    def reply(server: WebServer, head: str) -> Reply:
        found = answer(server, head)
        if "favicon" not in head:
            asked.append(f"{found.status.value} {head.split()[1]}")
        return found

    monkeypatch.setattr(WebServer, "reply", reply)

    async def act(daemon: Daemon, server: WebServer, status: Status) -> None:
        place = f"127.0.0.1:{server.port}/;refresh=1"
        seen = await asyncio.to_thread(browse, tmp_path, f"http://{place}", "--dump-dom")
        assert "MASTER" not in seen.stdout
        words = browser(tmp_path, f"http://admin:s3cret@{place}", "--remote-debugging-port=0")
        quiet = asyncio.subprocess.DEVNULL
        running = await asyncio.create_subprocess_exec(*words, stdout=quiet, stderr=quiet, env=surroundings(tmp_path))
        try:
            async with asyncio.timeout(60):
                while asked.count("200 /;refresh=1") < 3:
                    await asyncio.sleep(0.1)
        finally:
            running.terminate()
            await running.wait()

    serving(tmp_path, act, ("admin", "s3cret"))
    assert asked[0] == "401 /;refresh=1"
