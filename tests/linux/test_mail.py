"""Mail of changed states: of what it is written, and a post office that is slow, rude or away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from linux.kernels import FakeKernel, make_daemon, until
from vrrp.config import parse
from vrrp.linux import mail
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.mail import Mailer, Post, alerted
from vrrp.linux.notify import Notifier

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def config(settings: str = "", own: str = "", group: str = "", port: int = 25) -> str:
    return f"""\
global_defs {{
 notification_email {{
  it@example.org
 }}
 smtp_server 127.0.0.1 {port}
 smtp_connect_timeout 1
 {settings}
}}
vrrp_sync_group G {{
 group {{
  V
 }}
 {group}
}}
vrrp_instance V {{
 interface eth0
 virtual_router_id 5
 version 3
 advert_int 0.02
 {own}
 virtual_ipaddress {{
  10.0.0.100
 }}
}}
"""


@pytest.mark.parametrize(
    ("settings", "own", "group", "of"),
    [
        ("", "", "", set()),
        ("smtp_alert", "", "", {"V", "G"}),
        ("smtp_alert\nsmtp_alert_vrrp no", "", "", set()),
        ("smtp_alert_vrrp yes", "", "", {"V", "G"}),
        ("smtp_alert off", "smtp_alert", "", {"V"}),
        ("smtp_alert", "smtp_alert no", "smtp_alert on", {"G"}),
        ("smtp_alert perhaps", "smtp_alert\nsmtp_alert maybe", "", {"V"}),
    ],
)
def test_of_what_mail_is_written(settings: str, own: str, group: str, of: set[str]) -> None:
    assert {name for _, name in alerted(parse(config(settings, own, group)).config)} == of


def test_who_writes_to_whom() -> None:
    post = Post.of(parse(config("no_email_faults\nrouter_id LB", port=2525)).config)
    assert post is not None
    here = os.uname().nodename
    assert (post.port, post.timeout_s, post.helo, post.router_id, post.faults) == (2525, 1, here, "LB", False)
    assert post.sender.endswith(f"@{here}")
    named = Post.of(parse(config("notification_email_from me@x\nsmtp_helo_name mine\nsmtp_connect_timeout 0")).config)
    assert named is not None
    assert (named.sender, named.helo, named.timeout_s, named.router_id) == ("me@x", "mine", 1, here)
    for without in ("notification_email", "smtp_server"):
        text = config().replace("127.0.0.1", "").replace(" smtp_server  25\n", "") if without == "smtp_server" else ""
        assert Post.of(parse(text).config) is None
    assert Post.of(parse(config().replace(" 25\n", " 99999\n")).config) is None


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987_654_321)
    post = Post.of(parse(config()).config)
    assert post is not None
    assert post.sender.startswith("987654321@")


async def _run(folder: Path, settings: str, talk: Talk | None, enough: Callable[[], bool]) -> float:
    """Run a daemon that becomes master beside a post office that talks so; how long its end took."""
    office = await asyncio.start_server(talk or _well, "127.0.0.1", 0)
    port = office.sockets[0].getsockname()[1]
    if talk is None:
        office.close()
    notifier = Notifier(MadeFifos(folder))
    kernel = FakeKernel()
    daemon = make_daemon(folder / "k.conf", kernel, notifier, Mailer(notifier), text=config(settings, port=port))
    running = asyncio.create_task(daemon.run())
    await until(kernel, "acquire 10.0.0.100")
    async with asyncio.timeout(5):
        while not enough():
            await asyncio.sleep(0.01)
    daemon.reload()
    began = time.monotonic()
    daemon.stop()
    await running
    office.close()
    return time.monotonic() - began


async def _well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says yes to everything."""
    writer.write(b"220 here\r\n")
    letter = False
    while line := await reader.readline():
        letter = line == b"DATA\r\n" or (letter and line != b".\r\n")
        if not letter or line == b"DATA\r\n":
            writer.write(b"354 go on\r\n" if letter else b"250-well\r\n250 well\r\n")
    writer.close()


async def _rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"554 not you\x1b\r\n")
    writer.close()


async def _away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220-and\r\n" * 200)
    writer.close()


async def _longwinded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 " + b"x" * 200_000)
    writer.close()


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (_well, "SMTP alert successfully sent."),
        (_rude, "it says '554 not you"),
        (_away, "it hangs up"),
        (_talkative, "it does not stop talking"),
        (_longwinded, "SMTP alert was not sent"),
        (_silent, "it does not answer"),
        (None, "SMTP alert was not sent"),
    ],
)
def test_a_post_office_is_what_it_is(
    talk: Talk | None, says: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    took = asyncio.run(_run(tmp_path, "smtp_alert", talk, lambda: says in caplog.text))
    assert took < 2


def test_a_queue_that_is_full_loses_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mail, "MOST_WAITING", 1)
    says = "1 messages wait for 127.0.0.1; the oldest is dropped"
    assert asyncio.run(_run(tmp_path, "smtp_alert", _silent, lambda: says in caplog.text)) < 2


def test_without_a_post_office_it_says_so_and_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        kernel = FakeKernel()
        notifier = Notifier(MadeFifos(tmp_path))
        text = config("smtp_alert").replace(" smtp_server 127.0.0.1 25\n", "")
        daemon = make_daemon(tmp_path / "k.conf", kernel, notifier, Mailer(notifier), text=text)
        running = asyncio.create_task(daemon.run())
        await until(kernel, "acquire 10.0.0.100")
        daemon.stop()
        await running

    asyncio.run(run())
    assert "smtp_alert writes to nobody without smtp_server and notification_email in global_defs" in caplog.text


def test_no_mail_of_faults_where_nobody_wants_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        kernel = FakeKernel()
        kernel.down.add("eth0")
        notifier = Notifier(MadeFifos(tmp_path))
        text = config("smtp_alert\nno_email_faults")
        daemon = make_daemon(tmp_path / "k.conf", kernel, notifier, Mailer(notifier), text=text)
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(0.1)
        daemon.stop()
        await running

    asyncio.run(run())
    assert "SMTP" not in caplog.text
