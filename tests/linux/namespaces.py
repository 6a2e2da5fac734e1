"""Two ends of a cable, each in a network namespace of its own, for tests that put packets on a wire."""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conftest import PROGRAM_PATH

_NEW_NETWORK = 0x4000_0000
_CABLES = itertools.count(1)
ENVIRONMENT = os.environ | {"PATH": PROGRAM_PATH, "PYTHONDONTWRITEBYTECODE": "1"}


def sh(*command: object) -> str:
    """Run a command; its output."""
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


@dataclass(frozen=True)
class Cable:
    """The names of two namespaces; in each the interface is called eth0."""

    one: str
    other: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, side: str, *command: object) -> subprocess.Popen[str]:
        """Start a command on a side."""
        words = ["ip", "netns", "exec", side, *(str(word) for word in command)]
        started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.processes.append(started)
        return started

    def vrrp(self, side: str, *arguments: object) -> subprocess.Popen[str]:
        """Start `vrrp` on a side."""
        return self.run(side, sys.executable, "-c", "from vrrp.cli.main import main; main()", *arguments)


@contextmanager
def cable() -> Iterator[Cable]:
    """Both ends up and without IPv6, so that nothing but what a test sends is on the wire."""
    number = f"{os.getpid()}-{next(_CABLES)}"
    ends = Cable(f"vrrp{number}a", f"vrrp{number}b")
    try:
        for name in (ends.one, ends.other):
            sh("ip", "netns", "add", name)
            off = "for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done"
            sh("ip", "netns", "exec", name, "sh", "-c", off)
        sh("ip", "link", "add", "eth0", "netns", ends.one, "type", "veth", "peer", "name", "eth0", "netns", ends.other)
        for name in (ends.one, ends.other):
            sh("ip", "-n", name, "link", "set", "eth0", "up")
        yield ends
    finally:
        for process in ends.processes:
            process.kill()
            process.communicate()
        for name in (ends.one, ends.other):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True, env=ENVIRONMENT)


@contextmanager
def alone() -> Iterator[None]:
    """This thread, and the processes that it starts, in a network namespace of their own, without IPv6's delays."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        assert libc.unshare(_NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        settings = ("net.ipv6.conf.default.accept_dad=0", "net.ipv4.conf.default.rp_filter=0")
        sh("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv4.conf.all.rp_filter=0", *settings)
        sh("ip", "link", "set", "lo", "up")
        yield
    finally:
        assert libc.setns(before, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        os.close(before)


@contextmanager
def small_disk(folder: Path, options: str = "size=256k") -> Iterator[Path]:
    """A file system of its own that is soon full, or has other options of mount(8)."""
    disk = folder / f"disk-{options}"
    disk.mkdir()
    sh("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk)
    try:
        yield disk
    finally:
        sh("umount", "-l", disk)


def wait_for(file: Path, size: int, seconds: float = 20) -> None:
    """Until a file has at least so many bytes."""
    until = time.monotonic() + seconds
    while not file.exists() or file.stat().st_size < size:
        assert time.monotonic() < until, f"{file} stays short"
        time.sleep(0.02)
