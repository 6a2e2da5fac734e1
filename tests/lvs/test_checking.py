"""When checkers ask and what their answers mean; the expected times and lines are keepalived 2.2.7's, recorded."""

from __future__ import annotations

from typing import Any

import pytest

from vrrp.config.lvs.model import (
    Checker,
    Connection,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
    Url,
    WebCheck,
)
from vrrp.lvs.checking import NEVER, Checking, WebChecking, checking_of
from vrrp.lvs.phrases import TIMED_OUT, Outcome
from vrrp.lvs.target import CheckKey, Target

SECOND_NS = 1_000_000_000
KEY = CheckKey("[10.0.0.100]:tcp:80", "[127.0.0.1]:tcp:7000", 0)
TIMING: dict[str, Any] = {"retries": 2, "retry_delay_ns": SECOND_NS // 2, "warmup_ns": 0, "interval_ns": SECOND_NS}
GOOD, BAD = Outcome(True, "fine"), Outcome(False, "TCP connection to [127.0.0.1]:tcp:7000 failed.")
TCP = TcpCheck(connection=Connection(), **TIMING)


def started(checker: Checker, *, log_all: bool = False) -> Checking:
    checking = checking_of(Target(key=KEY, checker=checker, log_all_failures=log_all))
    checking.start(0)
    return checking


def answers(checking: Checking, *outcomes: Outcome, took_ns: int = 0) -> list[tuple[float, bool, tuple[str, ...]]]:
    """When each check was asked, in seconds, and what came of it: the verdict and the lines."""
    found = []
    for outcome in outcomes:
        at_ns = checking.deadline_ns
        checking.begin(at_ns)
        assert checking.asking
        assert checking.deadline_ns == NEVER
        judgement = checking.finish(at_ns + took_ns, outcome)
        found.append((at_ns / SECOND_NS, checking.up, judgement.lines))
    return found


def test_a_checker_that_goes_down_and_comes_back() -> None:
    checking = started(TCP)
    assert answers(checking, GOOD, GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD) == [
        (1, True, ("TCP connection to [127.0.0.1]:tcp:7000 success.",)),
        (2, True, ()),
        (3, True, ()),
        (3.5, True, ()),
        (4, False, ("TCP_CHECK on service [127.0.0.1]:tcp:7000 failed after 2 retries.",)),
        (5, False, ()),
        (6, True, ("TCP connection to [127.0.0.1]:tcp:7000 success.",)),
        (7, True, ()),
    ]
    assert (checking.checks, checking.failures, checking.last) == (8, 4, GOOD)


def test_the_first_check_counts_at_once() -> None:
    checking = started(TCP, log_all=True)
    checking.begin(SECOND_NS)
    judgement = checking.finish(SECOND_NS, BAD)
    assert judgement.changed
    assert judgement.lines == (BAD.said, "TCP_CHECK on service [127.0.0.1]:tcp:7000 failed.")
    assert checking.reason == "TCP_CHECK on service [127.0.0.1]:tcp:7000 failed."


def test_mail_servers_are_asked_again_even_at_first() -> None:
    bad = Outcome(False, "SMTP_CHECK Bad greeting banner from server [127.0.0.1]:8061")
    checking = started(SmtpCheck(connection=Connection(), **TIMING), log_all=True)
    assert answers(checking, bad, bad, bad) == [
        (1, True, (bad.said,)),
        (1.5, True, (bad.said,)),
        (2, False, (bad.said,)),
    ]


def test_one_that_hangs_is_asked_again_an_interval_after_its_end() -> None:
    timeout = Outcome(False, "TCP connection to [127.0.0.1]:tcp:7000 timeout.")
    checking = started(TCP, log_all=True)
    answers(checking, GOOD)
    found = answers(checking, timeout, timeout, timeout, timeout, took_ns=SECOND_NS)
    assert [at for at, *_ in found] == [2, 3.5, 5, 7]
    assert [lines for *_, lines in found[:2]] == [(timeout.said,)] * 2
    assert checking.duration_ns == SECOND_NS


def test_scripts_begin_an_interval_after_they_began() -> None:
    checking = started(MiscCheck(command="/bin/check a", **TIMING))
    fast = answers(checking, *[Outcome(True, "")] * 2, took_ns=SECOND_NS // 4)
    slow = answers(checking, *[Outcome(True, "")] * 2, took_ns=SECOND_NS * 3 // 2)
    assert [at for at, *_ in (*fast, *slow)] == [1, 2, 3, 4.5]


SCRIPT = f"Misc check for [{KEY.real_server} VS {KEY.virtual_server}] by [/bin/check]"


def test_what_is_said_of_scripts() -> None:
    status, timeout = Outcome(False, "exited with status 3"), Outcome(False, TIMED_OUT)
    checking = started(MiscCheck(command="/bin/check a", **TIMING), log_all=True)
    lines = [said for *_, lines in answers(checking, GOOD, status, status, status, GOOD) for said in lines]
    assert lines == [
        f"{SCRIPT} succeeded.",
        f"{SCRIPT} failed, will do 2 retries (exited with status 3).",
        f"{SCRIPT} failed on retry 1/2 (exited with status 3).",
        f"{SCRIPT} failed after 2 retries (exited with status 3).",
        f"{SCRIPT} succeeded.",
    ]
    assert answers(checking, timeout)[-1][2] == (f"{SCRIPT} timed out, will do 2 retries.",)


def test_a_script_without_retries() -> None:
    checking = started(MiscCheck(command="/bin/check", **TIMING | {"retries": 0}))
    assert answers(checking, Outcome(False, TIMED_OUT))[0][2] == (f"{SCRIPT} timed out.",)


def test_a_script_with_one_retry() -> None:
    status = Outcome(False, "exited with status 3")
    checking = started(MiscCheck(command="/bin/check", **TIMING | {"retries": 1}), log_all=True)
    assert [lines[0] for *_, lines in answers(checking, GOOD, status, status)[1:]] == [
        f"{SCRIPT} failed, will do 1 retry (exited with status 3).",
        f"{SCRIPT} failed after 1 retry (exited with status 3).",
    ]


def test_weights() -> None:
    checking = started(MiscCheck(command="/bin/check", dynamic=True, **TIMING))
    changes = []
    for outcome in (GOOD, Outcome(True, "", 49), Outcome(True, "", 49), Outcome(False, ""), GOOD):
        checking.begin(checking.deadline_ns)
        changes.append((checking.finish(0, outcome).changed, checking.weight))
    assert changes == [(False, None), (True, 49), (False, 49), (False, 49), (True, None)]


def test_alpha_is_down_until_it_is_known_to_be_up() -> None:
    checking = started(TcpCheck(connection=Connection(), alpha=True, **TIMING))
    assert not checking.up
    checking.begin(0)
    assert checking.finish(0, GOOD).changed
    other = started(TcpCheck(connection=Connection(), alpha=True, **TIMING))
    other.begin(0)
    judgement = other.finish(0, BAD)
    assert (judgement.changed, judgement.lines) == (False, (f"TCP_CHECK on service {KEY.real_server} failed.",))


def test_the_warm_up_is_drawn() -> None:
    checking = checking_of(Target(key=KEY, checker=TcpCheck(connection=Connection(), warmup_ns=SECOND_NS)), 0.25)
    checking.start(0)
    assert checking.deadline_ns == SECOND_NS * 5 // 4


def test_one_that_could_not_be_asked_is_asked_an_interval_later() -> None:
    checking = started(TCP)
    checking.begin(SECOND_NS)
    checking.skip(SECOND_NS)
    assert (checking.deadline_ns, checking.checks, checking.up) == (2 * SECOND_NS, 0, True)


def web(*paths: str, fast: bool = False) -> WebCheck:
    urls = tuple(Url(path=path) for path in paths)
    return WebCheck(protocol="HTTP_GET", connection=Connection(), urls=urls, fast_recovery=fast, **TIMING)


UP, DOWN = (
    f"Remote Web server {KEY.real_server} succeed on service.",
    "HTTP_CHECK on service {} failed after 2 retries.",
)
DOWN = DOWN.format(KEY.real_server)


def asked(checking: Checking, *results: bool) -> list[tuple[float, str, bool, tuple[str, ...]]]:
    """When which url was asked, and the verdict and the lines after it."""
    found = []
    for ok in results:
        checker = checking.target.checker
        assert isinstance(checking, WebChecking)
        assert isinstance(checker, WebCheck)
        path = checker.urls[checking.url].path
        said = f"ok {path}" if ok else f"no {path}"
        at, up, lines = answers(checking, Outcome(ok, said))[0]
        found.append((at, path, up, lines))
    return found


def test_urls_one_after_the_other() -> None:
    checking = started(web("/a", "/b", "/c"))
    assert asked(checking, *[True] * 4, False, False, False, False, True, True, True, True, True) == [
        (1, "/a", True, ()),
        (2, "/b", True, ()),
        (3, "/c", True, (UP,)),
        (4, "/a", True, ()),
        (5, "/b", True, ()),
        (5.5, "/b", True, ()),
        (6, "/b", False, (DOWN,)),
        (7, "/b", False, ()),
        (8, "/b", False, ("ok /b",)),
        (9, "/a", False, ("ok /a",)),
        (10, "/b", False, ("ok /b",)),
        (11, "/c", True, ("ok /c", UP)),
        (12, "/a", True, ()),
    ]


def test_fast_recovery_waits_between_no_urls() -> None:
    checking = started(web("/d", "/e", fast=True))
    assert asked(checking, True, True, True, False, False, False, True, True, True, True) == [
        (1, "/d", True, ()),
        (1, "/e", True, (UP,)),
        (2, "/d", True, ()),
        (3, "/e", True, ()),
        (3.5, "/e", True, ()),
        (4, "/e", False, (DOWN,)),
        (5, "/e", False, ("ok /e",)),
        (5, "/d", False, ("ok /d",)),
        (5, "/e", True, ("ok /e", UP)),
        (6, "/d", True, ()),
    ]


def test_a_single_url_has_to_succeed_twice() -> None:
    checking = started(web("/a"))
    assert asked(checking, False, True, True) == [
        (1, "/a", False, (DOWN,)),
        (2, "/a", False, ("ok /a",)),
        (3, "/a", True, ("ok /a", UP)),
    ]


def test_the_second_url_may_bring_it_down_at_once_in_the_first_round() -> None:
    assert asked(started(web("/a", "/b")), True, False)[-1] == (2, "/b", False, (DOWN,))


FOUND: tuple[tuple[Checker, str, str], ...] = (
    (
        PingCheck(connection=Connection(), **TIMING),
        f"ICMP connection to {KEY.real_server} success.",
        f"ICMP CHECK on service {KEY.real_server} of {KEY.virtual_server} failed after 2 retries.",
    ),
    (DnsCheck(connection=Connection(), **TIMING), "", "what after 2 retries"),
    (
        UdpCheck(connection=Connection(), **TIMING),
        f"UDP connection to {KEY.real_server} success.",
        f"UDP_CHECK on service {KEY.real_server} failed after 2 retries.",
    ),
    (
        SmtpCheck(connection=Connection(), **TIMING),
        f"Remote SMTP server {KEY.real_server} succeed on service.",
        "what",
    ),
    (
        FileCheck(track_file="a", **TIMING),
        f"File check for {KEY.real_server}: up.",
        f"File check for {KEY.real_server}: what",
    ),
)


@pytest.mark.parametrize(("checker", "up", "down"), FOUND, ids=lambda one: type(one).__name__)
def test_what_is_said(checker: Checker, up: str, down: str) -> None:
    bad = Outcome(False, "what")
    lines = [lines for *_, lines in answers(started(checker), GOOD, bad, bad, bad)]
    assert lines == [(up,) if up else (), (), (), (down,)]


def test_a_first_failure_is_told_of_without_a_tail() -> None:
    ping, dns = PingCheck(connection=Connection(), **TIMING), DnsCheck(connection=Connection(), **TIMING)
    assert answers(started(ping), BAD)[0][2] == (f"ICMP CHECK on service {KEY.real_server} failed.",)
    assert answers(started(dns, log_all=True), Outcome(False, "what"))[0][2] == ("what",)
