"""A network namespace as iproute2 names it, and what is done inside one.

Opening sockets inside needs no other program: a thread enters the namespace, opens them, and goes home; they stay
where they were opened (setns(2), network_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMED = Path("/run/netns")
CLONE_NEWNET = 0x4000_0000
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
ENVIRONMENT: Mapping[str, str] = os.environ | {"PATH": PROGRAM_PATH, "LC_ALL": "C", "TZ": "UTC"}
"""For every program: where Debian keeps those that only root needs, and logs in one language."""


class LabError(RuntimeError):
    """The laboratory cannot do it; one line says what, and why."""


class Namespace:
    """One namespace by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create(self, settings: Mapping[str, int]) -> None:
        """Make it, with its loopback up; `settings` are of sysctl, by their names."""
        ip("netns", "add", self.name)
        with self.entered():
            for key, value in settings.items():
                Path("/proc/sys", *key.split(".")).write_text(str(value), encoding="ascii")
        ip("-n", self.name, "link", "set", "lo", "up")

    def configure(self, commands: Iterable[str]) -> None:
        """Commands of ip(8), one after the other; nothing for none. LabError for the first that fails."""
        text = "".join(f"{command}\n" for command in commands)
        if text:
            ip("-n", self.name, "-batch", "-", stdin=text)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is inside meanwhile."""
        with Path("/proc/thread-self/ns/net").open("rb") as home, (NAMED / self.name).open("rb") as there:
            _set_namespace(there.fileno())
            try:
                yield
            finally:
                _set_namespace(home.fileno())

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a program inside, in a session of its own: a Ctrl-C at the terminal is not for it."""
        words = ["ip", "netns", "exec", self.name, *command]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, env=ENVIRONMENT, **options)

    def filter(self, rules: str) -> None:
        """Rules of nft(8), in a batch. LabError for what it does not take."""
        words = ["ip", "netns", "exec", self.name, "nft", "-f", "-"]
        done = subprocess.run(words, input=rules, text=True, capture_output=True, check=False, env=ENVIRONMENT)
        if done.returncode:
            raise LabError(f"nft: {' '.join(done.stderr.split())}")

    def processes(self) -> list[int]:
        """The processes that are inside, by their ids."""
        try:
            wanted = (NAMED / self.name).stat().st_ino
        except OSError:
            return []
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "ns/net").stat().st_ino == wanted:
                    found.append(int(process.name))
        return [pid for pid in found if pid != os.getpid()]

    def destroy(self) -> None:
        """End whatever runs inside, then remove it; nothing where there is none."""
        for _ in range(3):  # one that starts another while it is looked for is found the next time
            pids = self.processes()
            for pid in pids:
                send(pid, signal.SIGKILL)
            if not pids:
                break
        if (NAMED / self.name).exists():
            ip("netns", "del", self.name)


def ip(*words: str, stdin: str | None = None) -> str:
    """Run iproute2; its output. LabError with what it says when it fails."""
    done = subprocess.run(
        ["ip", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        start_new_session=True,  # a Ctrl-C at the terminal is not for it
    )
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise LabError(f"ip {' '.join(words)}: {said}")
    return done.stdout


def send(pid: int, what: signal.Signals) -> None:
    """A signal to a process; one that has ended needs none."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)


def _set_namespace(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on only.
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
