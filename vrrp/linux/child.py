"""Scripts as processes of this one: begun without a shell, each in its own process group, never left behind."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vrrp.config.language.words import split_command
from vrrp.config.script_security import ROOT, Identity
from vrrp.linux.machine import find_program

log = logging.getLogger("vrrp.notify")

UMASK = 0o177
"""What scripts inherit from keepalived 2.2.7 (measured): what they make, nobody but its owner may read."""
KILL_DELAY_S = 2.0
"""From SIGTERM to SIGKILL (keepalived, measured)."""
MOST_CHILDREN = 1024
"""A machine whose scripts all hang is not to be filled up with them."""
_SHELL = ("/bin/sh", "-c")
_REDIRECTION = "</"
_SETPRIV = "setpriv"
"""Begins scripts so that they get SIGTERM when the daemon dies, as keepalived's do (measured), and as other users: to
fork a Python process and change who it is takes 8 ms, in which nothing else is done; to begin another program 0.3 ms
(measured). Without it they live on, and other users' take that time."""
_SYSTEMD = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})

Ended: TypeAlias = Callable[[int], None]
"""Called with how a child ended: its exit status, or the negative number of the signal that ended it."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, word for word, and as whom."""

    words: tuple[str, ...]
    identity: Identity = ROOT

    @classmethod
    def of(cls, text: str, identity: Identity = ROOT) -> Command:
        """A command as keepalived.conf has it; a program without a path is looked for.

        keepalived gives only a redirection, such as one that tries a TCP port ("</dev/tcp/HOST/PORT"), to a shell
        (measured); whoever wants one elsewhere names it.
        """
        if text.startswith(_REDIRECTION):
            return cls((*_SHELL, text), identity)
        words = split_command(text)[0]
        found = find_program(words[0]) if "/" not in words[0] else None
        return cls((str(found), *words[1:]) if found else words, identity)

    @property
    def executable(self) -> bool:
        """Whether whoever is to run it may."""
        try:
            found = Path(self.words[0]).stat()
        except (OSError, ValueError):
            return True  # there is nothing of which that can be said
        identity, mode = self.identity, found.st_mode
        if not identity.user:
            return bool(mode & 0o111)
        bit = (
            stat.S_IXUSR
            if identity.user == found.st_uid
            else (stat.S_IXGRP if identity.group == found.st_gid else stat.S_IXOTH)
        )
        return bool(mode & bit)

    def with_arguments(self, *more: str) -> Command:
        """The same with these words behind it."""
        return Command((*self.words, *more), self.identity)


class Child:
    """A running script; `kill` ends it and whatever it has started."""

    __slots__ = ("_descriptor", "_ended", "_forced", "_group", "_process")

    def __init__(self, group: Children, process: subprocess.Popen[bytes], ended: Ended | None) -> None:
        self._group = group
        self._process = process
        self._ended = ended
        self._forced: asyncio.TimerHandle | None = None
        self._descriptor = os.pidfd_open(process.pid)
        group.loop.add_reader(self._descriptor, self._exited)

    @property
    def pid(self) -> int:
        """Its process number, which is its group's too."""
        return self._process.pid

    def kill(self) -> None:
        """SIGTERM now, SIGKILL `KILL_DELAY_S` later if it is still there; its end is not told."""
        self._ended = None
        if self._forced is None:
            self._forced = self._group.loop.call_later(KILL_DELAY_S, self.signal, signal.SIGKILL)
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process group, which keeps its number as long as the child has not been waited for."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):  # nobody left, or nobody whom we may signal
            return

    def _exited(self) -> None:
        if self._forced is not None:
            self._forced.cancel()
            self.signal(signal.SIGKILL)  # the rest of its group, while the number is still its
        self._group.loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        status = self._process.wait()
        self._group.forget(self)
        if self._ended is not None:
            self._ended(status)


class Children:
    """All scripts that run for one daemon.

    Args:
        loop: the event loop in which their ends are told.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._running: dict[Child, None] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._running)

    def run(self, command: Command, ended: Ended | None = None) -> Child:
        """Begin a script: no input, its output goes nowhere. OSError for one that cannot be begun.

        Another user's script runs with that user's number and group and no other groups (keepalived, measured); of a
        daemon that is not root's, all scripts are its own user's.
        """
        if len(self._running) >= MOST_CHILDREN:
            raise OSError(f"{MOST_CHILDREN} scripts are running already")
        child = Child(self, _begin(command), ended)
        self._running[child] = None
        self._empty.clear()
        return child

    def begin(self, command: Command, ended: Ended | None = None) -> Child | None:
        """As `run`; that one cannot be begun is logged."""
        try:
            return self.run(command, ended)
        except OSError as error:
            log.error("Script %s cannot be run: %s", command.words[0], (error.strerror or str(error)).lower())
            return None

    def forget(self, child: Child) -> None:
        """It has ended and was waited for."""
        del self._running[child]
        if not self._running:
            self._empty.set()

    async def close(self, patience_s: float) -> None:
        """Give those that still run so long to end, then end them."""
        if await self._end_within(patience_s):
            return
        for child in list(self._running):
            child.kill()
        await self._end_within(KILL_DELAY_S + 1)

    async def _end_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True


def _begin(command: Command) -> subprocess.Popen[bytes]:
    identity = command.identity
    # Who is not root can run scripts as nobody else.
    other = os.geteuid() == 0 and not identity.is_root
    setpriv = find_program(_SETPRIV)
    words: Sequence[str] = command.words
    if setpriv is not None:
        _check_runnable(command)
        user, group = identity.user, identity.group
        who = (f"--reuid={user}", f"--regid={group}", f"--groups={group}") if other else ()
        words = (str(setpriv), "--pdeathsig=TERM", *who, "--", *words)
        other = False
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            umask=UMASK,
            user=identity.user if other else None,
            group=identity.group if other else None,
            extra_groups=[identity.group] if other else None,
            env={name: value for name, value in os.environ.items() if name not in _SYSTEMD},
        )
    except (ValueError, subprocess.SubprocessError) as error:  # a NUL in a word; who it is to run as
        raise OSError(str(error)) from error


def _check_runnable(command: Command) -> None:
    """Say what setpriv(1) would otherwise find out, and tell nobody but by its exit status."""
    path = command.words[0]
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if not command.executable:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
