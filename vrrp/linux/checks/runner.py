"""Runs checkers and tells of their verdicts."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from vrrp.config.lvs.model import (
    BfdCheck,
    Checker,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
    WebCheck,
)
from vrrp.linux.checks.connection import UnaskedError
from vrrp.linux.checks.datagrams import check_dns, check_udp
from vrrp.linux.checks.file import check_file
from vrrp.linux.checks.ping import check_ping
from vrrp.linux.checks.script import check_misc
from vrrp.linux.checks.searcher import Searcher
from vrrp.linux.checks.smtp import check_smtp
from vrrp.linux.checks.tcp import check_tcp
from vrrp.linux.checks.web import check_web, tls_context
from vrrp.linux.child import Children, Command
from vrrp.linux.vetting import vet
from vrrp.lvs.checking import Checking, WebChecking, checking_of
from vrrp.lvs.http_answer import unknown_options
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import CheckKey, CheckPlan, Target

log = logging.getLogger("vrrp.checks")

_SECOND_NS = 1_000_000_000
_KINDS: Mapping[type[Checker], str] = {
    TcpCheck: "TCP_CHECK",
    PingCheck: "PING_CHECK",
    WebCheck: "HTTP_GET",
    MiscCheck: "MISC_CHECK",
    SmtpCheck: "SMTP_CHECK",
    DnsCheck: "DNS_CHECK",
    UdpCheck: "UDP_CHECK",
    FileCheck: "FILE_CHECK",
    BfdCheck: "BFD_CHECK",
}


class Report(Protocol):
    """What is told of a checker's first verdict, and when its verdict or the weight that it asks for changes.

    `weight` is what the real server is to weigh, where a checker asks for that (MISC_CHECK with misc_dynamic,
    FILE_CHECK); None: what it weighs in the file. `reason` is the line that was logged. The time is CLOCK_MONOTONIC
    in nanoseconds.
    """

    def __call__(self, now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        """A verdict. Before the first a checker counts as up, unless it has `alpha`."""


class CheckRunner:
    """Runs the checkers of a configuration, from `start` to `stop`, inside an event loop.

    Args:
        plan: what to check.
        report: told of each change.
        draw: draws the part of a warm-up that passes before a first check, from 0 to 1.
    """

    def __init__(self, plan: CheckPlan, report: Report, draw: Callable[[], float] = random.random) -> None:
        self._plan = plan
        self._report = report
        self._draw = draw
        self._running: dict[CheckKey, _Run] = {}

    def start(self) -> None:
        """Begin; the loop runs. ValueError or OSError for an SSL block that cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._children = Children(self._loop)
        self._searcher = Searcher()
        self._tls: ssl.SSLContext | None = None
        self._take(self._plan)

    def reload(self, plan: CheckPlan) -> None:
        """Another configuration: checkers that are the same go on as they are. Errors as `start` has them."""
        self._take(plan)

    async def stop(self) -> None:
        """End; nothing is told any more."""
        tasks = [run.end() for run in self._running.values()]
        self._running.clear()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await self._searcher.close()
        await self._children.close(0)

    @property
    def checkings(self) -> tuple[Checking, ...]:
        """The checkers, in the order of the configuration."""
        return tuple(run.checking for run in self._running.values())

    def rows(self) -> list[dict[str, Any]]:
        """The table of checkers for `vrrp status`."""
        return [
            {
                "virtual_server": one.target.key.virtual_server,
                "real_server": one.target.key.real_server,
                "check": kind_of(one.target.checker),
                "index": one.target.key.index,
                "state": "up" if one.up else "down",
                "last": one.last.said if one.last is not None else "no check yet",
                "checks": one.checks,
                "failures": one.failures,
                "latency_ms": round(one.duration_ns / 1e6, 3) if one.checks else None,
            }
            for one in self.checkings
        ]

    def _take(self, plan: CheckPlan) -> None:
        """What can go wrong comes first: then the running checkers are as they were."""
        if any(isinstance(one.checker, WebCheck) and one.checker.protocol == "SSL_GET" for one in plan.targets):
            self._tls = tls_context(plan.ssl)
        before, self._running, self._plan = self._running, {}, plan
        for target in plan.targets:
            run = before.get(target.key)
            if run is not None and run.checking.target == target:
                self._running[target.key] = before.pop(target.key)
            elif self._runnable(target):
                self._begin(target, run.checking if run is not None else None)
        for gone in before.values():
            gone.end()

    def _begin(self, target: Target, before: Checking | None) -> None:
        """Another checker in the place of one is as up or down as that was, until it knows better (keepalived)."""
        checking = checking_of(target, self._draw())
        if before is not None:
            checking.up = before.up
        checking.start(time.monotonic_ns())
        self._running[target.key] = run = _Run(checking, self)
        run.arm()

    def _runnable(self, target: Target) -> bool:
        checker = target.checker
        if isinstance(checker, BfdCheck):
            log.warning("BFD_CHECK %s is not followed; the session is taken to be up", checker.name)
            return False
        if isinstance(checker, WebCheck):
            for url in checker.urls:
                for word in unknown_options(url):
                    log.warning("%s: regex_options %s is not followed", target.key.real_server, word)
        if isinstance(checker, MiscCheck):
            vetted = vet(Command.of(checker.command, checker.runs_as), self._plan.secure)
            if vetted.message:
                log.warning("%s", vetted.message)
            return vetted.runs
        return True

    def ask(self, checking: Checking) -> Coroutine[Any, Any, Outcome]:
        """One check of one checker."""
        target = checking.target
        match target.checker:
            case TcpCheck() as checker:
                return check_tcp(target, checker)
            case PingCheck() as checker:
                return check_ping(target, checker)
            case WebCheck() as checker:
                assert isinstance(checking, WebChecking)
                tls = self._tls if checker.protocol == "SSL_GET" else None
                return check_web(target, checker, checking.url, tls, self._searcher)
            case MiscCheck() as checker:
                return check_misc(checker, self._children)
            case SmtpCheck() as checker:
                return check_smtp(target, checker)
            case DnsCheck() as checker:
                return check_dns(target, checker)
            case UdpCheck() as checker:
                return check_udp(target, checker)
            case FileCheck() as checker:
                return check_file(target, checker)
            case _:  # pragma: no cover (what is not run is not begun)
                raise AssertionError(target.checker)

    def judge(self, checking: Checking, outcome: Outcome) -> None:
        """Take in what became of a check, and tell of it."""
        now_ns = time.monotonic_ns()
        first = not checking.known
        judgement = checking.finish(now_ns, outcome)
        for line in judgement.lines:
            log.info("%s", line)
        if judgement.changed or (first and checking.known):
            self._report(now_ns, checking.target.key, checking.up, checking.weight, checking.reason)


class _Run:
    """One checker at work: waiting for its time, or asking."""

    __slots__ = ("_handle", "_runner", "_task", "_unasked", "checking")

    def __init__(self, checking: Checking, runner: CheckRunner) -> None:
        self.checking = checking
        self._runner = runner
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._unasked = ""

    def arm(self) -> None:
        """Ask when it is time."""
        after_s = (self.checking.deadline_ns - time.monotonic_ns()) / _SECOND_NS
        self._handle = asyncio.get_running_loop().call_later(max(0.0, after_s), self._ring)

    def end(self) -> asyncio.Task[None] | None:
        """Ask no more; the task that is still to end, if there is one."""
        if self._handle is not None:
            self._handle.cancel()
        if self._task is not None:
            self._task.cancel()
        return self._task

    def _ring(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        self.checking.begin(time.monotonic_ns())
        try:
            outcome = await self._runner.ask(self.checking)
        except UnaskedError as error:
            key = self.checking.target.key
            told = f"{key.real_server}: the {kind_of(self.checking.target.checker)} cannot be made: {error.strerror}"
            if told != self._unasked:
                log.warning("%s", told)
            self._unasked = told
            self.checking.skip(time.monotonic_ns())
        else:
            self._runner.judge(self.checking, outcome)
        self._task = None
        self.arm()


def kind_of(checker: Checker) -> str:
    """What keepalived.conf calls a checker."""
    return checker.protocol if isinstance(checker, WebCheck) else _KINDS[type(checker)]
