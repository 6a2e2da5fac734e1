"""What `vrrp run` says to whoever starts it where it cannot run: one clear line, and exit status 2."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from linux.lan import VRRP, Lan, lan
from linux.namespaces import ENVIRONMENT, small_disk
from sim.lab.namespace import Namespace

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump", "mount", "setpriv")]

CONF = """\
vrrp_instance VI_1 {
 interface eth0
 virtual_router_id 51
 version 3
 priority 200
 advert_int 0.05
 virtual_ipaddress {
  10.0.0.100/24
 }
}
"""
CAPABLE_OF_NOTHING = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
FULL = "size=4k,nr_inodes=8"
LONG = "d" * 120
HELP = "(see vrrp run --help)"

# What is started (after `vrrp run`; {} is the folder), and the one line that it says.
ERRORS = {
    "no such file": ("-f {}/none.conf", "vrrp: {}/none.conf: no such file or directory"),
    "a directory": ("-f {}", f"vrrp run: invalid value for '-f' / '--file': File '{{}}' is a directory {HELP}"),
    "unreadable": (
        "-f {}/unreadable.conf",
        f"vrrp run: invalid value for '-f' / '--file': File '{{}}/unreadable.conf' is not readable {HELP}",
    ),
    "a FIFO": ("-f {}/fifo", "vrrp: {}/fifo: this is no regular file; a reload could not read it again"),
    "empty": ("-f {}/empty.conf", "vrrp: {}/empty.conf: there is no vrrp_instance and no virtual_server in it"),
    "not root": ("-f {}/ok.conf", "vrrp: vrrp run needs root, or the capabilities CAP_NET_ADMIN and CAP_NET_RAW"),
    "no such interface": (
        "-f {}/eth9.conf",
        "vrrp: {}/eth9.conf:2: interface eth9 for vrrp_instance VI_1 doesn't exist;"
        " if it comes later, global_defs needs dynamic_interfaces",
    ),
    "port in use": (
        "-f {}/ok.conf --state-dir {}/port --http 127.0.0.1:8405",
        "vrrp: --http 127.0.0.1:8405: address already in use",
    ),
    "the state directory is a file": (
        "-f {}/ok.conf --state-dir {}/ok.conf",
        f"vrrp run: invalid value for '--state-dir': Directory '{{}}/ok.conf' is a file {HELP}",
    ),
    "the state directory is below a file": (
        "-f {}/ok.conf --state-dir {}/ok.conf/state",
        "vrrp: {}/ok.conf/state: not a directory",
    ),
    "the path of the socket is too long": (
        f"-f {{}}/ok.conf --state-dir {{}}/{LONG}",
        f"vrrp: {{}}/{LONG}/control: af_unix path too long",
    ),
    "another's file is where the socket goes": (
        "-f {}/ok.conf --state-dir {}/foreign",
        "vrrp: {}/foreign/control: this is no socket of an earlier run; remove it",
    ),
    "full disk": (
        f"-f {{}}/ok.conf --state-dir {{}}/disk-{FULL}",
        f"vrrp: {{}}/disk-{FULL}/vrrp.pid: no space left on device",
    ),
    "read-only": (
        "-f {}/ok.conf --state-dir {}/disk-ro/state",
        "vrrp: {}/disk-ro/state: read-only file system",
    ),
    "no syslog": ("-f {}/ok.conf --log syslog", "vrrp: /dev/log: there is no syslog to log to"),
}
POWERLESS = {"unreadable", "not root"}


def prepare(folder: Path) -> None:
    (folder / "ok.conf").write_text(CONF)
    (folder / "eth9.conf").write_text(CONF.replace("eth0", "eth9"))
    (folder / "unreadable.conf").write_text(CONF)
    (folder / "unreadable.conf").chmod(0)
    (folder / "empty.conf").touch()
    (folder / "foreign").mkdir()
    (folder / "foreign/control").write_text("mine")
    (folder / f"disk-{FULL}/filler").write_bytes(bytes(4096))
    os.mkfifo(folder / "fifo")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, tuple[Path, int, str]]]:
    """Of each, the folder, the exit status and what it said; they run at the same time."""
    folder = tmp_path_factory.mktemp("errors")
    with ExitStack() as stack:
        for options in (FULL, "ro"):
            stack.enter_context(small_disk(folder, options))
        net = stack.enter_context(lan(folder, "a"))
        prepare(folder)
        with Namespace(net.space("a")).entered():
            listening = stack.enter_context(socket.socket())
            listening.bind(("127.0.0.1", 8405))
            listening.listen()
        words = {name: words.format(folder, folder).split() for name, (words, _) in ERRORS.items()}
        powerless = {name: run(net, *words.pop(name), under=CAPABLE_OF_NOTHING) for name in POWERLESS}
        found = at_once(net, {name: ("run", *those) for name, those in words.items()})
        found |= {name: ended(process) for name, process in powerless.items()}
        yield {name: (folder, *one) for name, one in found.items()}
        assert (folder / "foreign/control").read_text() == "mine"


def at_once(net: Lan, words: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, str]]:
    """Of each that runs with these words, the exit status and what it said."""
    command = [*net.inside("a"), sys.executable, str(Path(__file__).with_name("many_runs.py"))]
    done = subprocess.run(
        command, input=json.dumps(words), stdout=subprocess.PIPE, text=True, check=True, env=ENVIRONMENT
    )
    return {name: (status, output) for name, (status, output) in json.loads(done.stdout).items()}


def run(net: Lan, *words: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*net.inside("a"), *under, *VRRP, "run", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.mark.parametrize("name", ERRORS)
def test_one_clear_line(name: str, said: Mapping[str, tuple[Path, int, str]]) -> None:
    if name == "no syslog" and Path("/dev/log").exists():
        pytest.skip("this machine has a syslog")
    folder, status, output = said[name]
    logged = re.compile(r"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: (Starting|Stopped) vrrp ")
    lines = [line for line in output.splitlines() if not logged.match(line)]
    assert (status, lines) == (2, [ERRORS[name][1].format(*[folder] * 2)])


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Lan]:
    with lan(tmp_path, "a") as made:
        yield made


def test_a_log_that_nobody_reads_and_streams_that_are_closed_hold_nothing_up(net: Lan) -> None:
    file = net.folder / "a.conf"
    other = net.folder / "b.conf"
    file.write_text(CONF)
    other.write_text(CONF.replace("_id 51", "_id 52").replace(".100", ".101"))
    process = run(net, "-f", str(file), "--state-dir", str(net.folder / "one"))
    assert process.stdout is not None  # a pipe, as asked for
    process.stdout.close()
    words = " ".join((*VRRP[:2], "'from vrrp.cli.main import main; main()'"))
    line = f"exec {words} run -f {other} --state-dir {net.folder / 'two'} <&- >&- 2>&-"
    closed = net.program("a", "sh", "-c", line)
    for address in ("10.0.0.100", "10.0.0.101"):
        net.until_holder(address, "a")
    descriptors = Path(f"/proc/{closed.pid}/fd")
    assert {str((descriptors / name).readlink()) for name in "012"} == {"/dev/null"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert net.stop("a") == 0
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}


def test_a_full_disk_holds_nothing_up(net: Lan) -> None:
    net.folder.joinpath("a.conf").write_text(CONF)
    with small_disk(net.folder) as disk:
        process = net.start("a", "run", "-f", net.folder / "a.conf", "--state-dir", disk)
        net.until_holder("10.0.0.100", "a")
        free = os.statvfs(disk)
        (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_bsize))
        more = "\n".join(f"  10.0.1.{number}" for number in range(1, 250))
        (net.folder / "a.conf").write_text(CONF.replace("  10.0.0.100/24", f"  10.0.0.100/24\n{more}"))
        process.send_signal(signal.SIGHUP)
        net.until_holder("10.0.1.249", "a")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}
    assert net.log("a").read_text().count("no space left on device; a crash now would leave more behind") == 1


def test_a_hundred_reloads_at_once_and_two_interrupts(net: Lan) -> None:
    process = net.vrrp("a", CONF)
    net.until_holder("10.0.0.100", "a")
    for _ in range(100):
        net.hang_up("a")
    time.sleep(0.5)
    assert {one.advertisement.priority for one in net.adverts()} == {200}
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    net.running.pop("a")
    assert "Traceback" not in net.log("a").read_text()
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}
    assert list((net.folder / "a.state").iterdir()) == []


SCRIPTS = {
    "a": (0o777, "/run.conf:5: error: Disabling track script check due to insecure; keepalived does not run it"),
    "b": (0o600, "/check' is not executable for uid:gid 0:0 - disabling."),
    "c": (
        None,
        "/run.conf:5: error: Disabling track script check since not found/accessible; keepalived does not run",
    ),
}


def test_scripts_that_are_not_run_are_told_in_one_line(tmp_path: Path) -> None:
    if any(step.stat().st_mode & 0o022 and not step.stat().st_mode & 0o1000 for step in tmp_path.parents):
        pytest.skip("others may write on the way to the temporary folder")
    checked = CONF.replace("advert_int 0.05", "advert_int 0.05\n track_script {\n  check\n }")
    top = "global_defs {\n enable_script_security\n script_user root\n}\nvrrp_script check {\n"
    with lan(tmp_path, *SCRIPTS) as net:
        for name, (mode, _) in SCRIPTS.items():
            folder = tmp_path / name
            folder.mkdir()
            if mode is not None:
                (folder / "check").write_text("#!/bin/sh\n")
                (folder / "check").chmod(mode)
            (folder / "run.conf").write_text(f'{top} script "{folder}/check"\n}}\n{checked}')
            words = ("run", "-f", folder / "run.conf", "--state-dir", folder / "state")
            net.running[name] = net.start(name, *words)
        for name, (_, says) in SCRIPTS.items():
            net.until(lambda name=name: "Startup complete" in net.log(name).read_text())  # type: ignore[misc]  # mypy cannot type a default
            assert net.stop(name) == 0
            assert sum(says in line for line in net.log(name).read_text().splitlines()) == 1
