"""Our checkers beside keepalived's, which ask the same servers at the same time: the same lines at the same times."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import pytest

from linux.check_servers import BLACK_HOLE, REFUSED, CheckServers
from linux.namespaces import ENVIRONMENT, alone, sh
from vrrp.config import load
from vrrp.linux.checks.runner import CheckRunner
from vrrp.linux.machine import ThisMachine
from vrrp.lvs.target import CheckKey, CheckPlan

pytestmark = [pytest.mark.root, pytest.mark.program("keepalived"), pytest.mark.program("openssl")]

GOOD_S, BAD_S = 1.7, 2.2
TOLERANCE_S = 0.7
"""One check more or less, and what a busy machine takes; on an idle one they are 0.1 s apart."""
TIMING = "delay_loop 0.5\n retry 1\n delay_before_retry 0.2\n warmup 0\n log_all_failures\n"
HELLO = md5(b"hello", usedforsecurity=False).hexdigest()
CHECKERS = (
    ("TCP_CHECK", "connect_port {flips}"),
    ("TCP_CHECK", "connect_port {flips}\n alpha"),
    ("TCP_CHECK", f"connect_port {REFUSED}"),
    ("TCP_CHECK", f"connect_port {BLACK_HOLE}\n connect_timeout 0.3"),
    ("PING_CHECK", "connect_timeout 0.3"),
    ("PING_CHECK", "connect_timeout 0.3\n connect_ip 192.0.2.1"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /flips\n }}"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /\n }}\n url {{\n path /flips\n }}\n fast_recovery"),
    ("HTTP_GET", f"connect_port {{web}}\n url {{{{\n path /hello\n digest {HELLO}\n }}}}"),
    ("HTTP_GET", f"connect_port {{web}}\n url {{{{\n path /other\n digest {HELLO}\n }}}}"),
    ("HTTP_GET", 'connect_port {web}\n url {{\n path /hello\n regex "hel+o"\n }}'),
    ("HTTP_GET", 'connect_port {web}\n url {{\n path /hello\n regex "xyz"\n }}'),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /hangs\n }}\n connect_timeout 0.3"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /stays\n }}\n connect_timeout 0.3"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /closes\n }}"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /404\n status_code 404\n }}"),
    ("HTTP_GET", "connect_port {web}\n url {{\n path /302\n }}"),
    ("HTTP_GET", f"connect_port {REFUSED}\n url {{{{\n path /\n }}}}"),
    ("SSL_GET", "connect_port {tls}\n url {{\n path /flips\n }}\n enable_sni\n virtualhost www.example"),
    ("SSL_GET", "connect_port {web}\n url {{\n path /\n }}\n connect_timeout 0.3"),
    ("MISC_CHECK", 'misc_path "{script} flips"'),
    ("MISC_CHECK", 'misc_path "{script} weighs"\n misc_dynamic'),
    ("MISC_CHECK", 'misc_path "{script} hangs"\n misc_timeout 1'),
    ("MISC_CHECK", 'misc_path "{script} dies"'),
    ("SMTP_CHECK", "connect_port {smtp}"),
    ("DNS_CHECK", "connect_port {dns}\n type A\n name example.com\n connect_timeout 0.3"),
    ("UDP_CHECK", "connect_port {udp}\n payload 01\n require_reply\n connect_timeout 0.3"),
    ("UDP_CHECK", "connect_port {udp}\n payload 01\n require_reply 77\n connect_timeout 0.3"),
    ("UDP_CHECK", f"connect_port {REFUSED}\n payload 01"),
)
OF_CHECKS = ("TCP", "ICMP", "HTTP", "Remote", "MD5", "Regex", "Misc", "SMTP", "DNS", "UDP", "Read", "Timeout", "Conn")


def configuration(servers: CheckServers) -> str:
    blocks = ["global_defs {\n script_user root\n }\n"]
    for number, (kind, lines) in enumerate(CHECKERS, 1):
        inner = lines.format(**servers.places)
        blocks.append(
            f"virtual_server 10.0.0.{number} 80 {{\n lvs_sched rr\n lvs_method NAT\n protocol TCP\n"
            f" real_server 127.0.0.1 {7000 + number} {{\n {kind} {{\n {TIMING}{inner}\n }}\n }}\n}}\n"
        )
    return "".join(blocks)


Lines = list[tuple[float, str]]


class Keepalived:
    """keepalived's checkers at work, and what they say and when."""

    def __init__(self, conf: Path, folder: Path) -> None:
        no_ipvs = Path(__file__).with_name("no_ipvs.py")
        files = ("-p", folder / "pid", "-c", folder / "checkers.pid")
        words = [sys.executable, no_ipvs, "keepalived", "-C", "-n", "-l", "-D", "-f", conf, *files]
        self.lines: Lines = []
        self.ready = threading.Event()
        self.process = subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = line.decode("utf-8", "replace").rstrip("\n").partition(": ")[2]
            self.lines.append((time.monotonic(), said))
            if said == "Startup complete":
                self.ready.set()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._reader.join(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Listening(logging.Handler):
    """What our checkers say and when."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((time.monotonic(), record.getMessage()))


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Lines, Lines, dict[str, list[tuple[bool, int | None]]]]]:
    folder = tmp_path_factory.mktemp("checks")
    listening, logger = Listening(), logging.getLogger("vrrp.checks")
    before = logger.level
    logger.addHandler(listening)
    logger.setLevel(logging.INFO)
    verdicts: dict[str, list[tuple[bool, int | None]]] = {}
    try:
        with alone(), CheckServers(folder) as servers:
            sh("ip", "route", "add", "192.0.2.0/24", "dev", "lo")
            conf = folder / "keepalived.conf"
            conf.write_text(configuration(servers), encoding="ascii")
            keepalived = Keepalived(conf, folder)
            try:
                assert keepalived.ready.wait(20), keepalived.lines
                asyncio.run(run_ours(conf, servers, verdicts))
            finally:
                keepalived.stop()
        yield keepalived.lines, listening.lines, verdicts
    finally:
        logger.removeHandler(listening)
        logger.setLevel(before)


async def run_ours(conf: Path, servers: CheckServers, verdicts: dict[str, list[tuple[bool, int | None]]]) -> None:
    def report(now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        verdicts.setdefault(key.real_server, []).append((up, weight))

    runner = CheckRunner(CheckPlan.of(load(conf, host=ThisMachine()).config), report)
    runner.start()
    try:
        await asyncio.sleep(GOOD_S)
        servers.flip(bad=True)
        await asyncio.sleep(BAD_S)
        servers.flip(bad=False)
        await asyncio.sleep(GOOD_S)
    finally:
        await runner.stop()


def of_checks(lines: Lines) -> dict[str, list[float]]:
    """The lines that checkers say, and when each of them."""
    found: dict[str, list[float]] = {}
    for at, said in lines:
        if said.startswith(OF_CHECKS):
            found.setdefault(said, []).append(at)
    return found


def test_both_say_the_same_at_the_same_times(runs: tuple[Lines, Lines, object]) -> None:
    theirs, ours = of_checks(runs[0]), of_checks(runs[1])
    assert sorted(theirs) == sorted(ours)
    late = {}
    for said, times in theirs.items():
        apart = [abs(one - other) for one, other in zip(times, ours[said], strict=False)]
        if abs(len(times) - len(ours[said])) > 1 or max(apart) > TOLERANCE_S:
            late[said] = [round(one - times[0], 3) for one in (*times, *ours[said])]
    assert late == {}


def test_weights_are_asked_for(runs: tuple[object, object, dict[str, list[tuple[bool, int | None]]]]) -> None:
    number = next(at for at, (_, lines) in enumerate(CHECKERS, 7001) if "weighs" in lines)
    assert runs[2][f"[127.0.0.1]:tcp:{number}"] == [(True, None), (True, 49), (True, None)]
