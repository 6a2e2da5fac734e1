"""How the kernel is to treat this process: vrrp_rt_priority, vrrp_priority, vrrp_no_swap, vrrp_cpu_affinity.

A real-time priority is SCHED_RR, and goes before a nice value, which is then left as it is (keepalived 2.2.7,
measured). What is started later, such as a script, inherits neither. Unlike keepalived, a real-time process has no
limit of time by default, since an interpreter that reads a configuration again needs more than its 10 ms.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.scheduling")

_libc = ctypes.CDLL(None, use_errno=True)
_CURRENT_AND_FUTURE = 3
"""MCL_CURRENT | MCL_FUTURE of mlockall(2)."""


def _real_time(text: str) -> None:
    priority = min(max(int(text), 1), 99)
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))


def _nice(text: str) -> None:
    nice = int(text)
    if not -20 <= nice <= 19:
        raise ValueError(text)
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _no_swap(text: str) -> None:
    if _libc.mlockall(_CURRENT_AND_FUTURE):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _processors(text: str) -> None:
    os.sched_setaffinity(0, [int(word) for word in text.split()])


# ValueError for what keepalived does not take either; that was told when the file was read.
_SETTINGS: Mapping[str, Callable[[str], None]] = {
    "vrrp_cpu_affinity": _processors,
    "vrrp_no_swap": _no_swap,
    "vrrp_rt_priority": _real_time,
    "vrrp_priority": _nice,
}


def _ask(keyword: str, text: str, ask: Callable[[str], None]) -> None:
    try:
        ask(text)
    except OSError as error:
        log.warning("%s is not possible: %s", f"{keyword} {text}".strip(), (error.strerror or str(error)).lower())
    except (ValueError, OverflowError):
        log.debug("%s %r is left out", keyword, text)


class Scheduling:
    """The service that asks for it, when the daemon starts. What is not permitted is told, and done without."""

    async def start(self, daemon: Daemon) -> None:
        """Ask for what the global_defs say."""
        options = {one.keyword: one.text for one in daemon.config.config.globals.options}
        if "vrrp_rt_priority" in options:
            options.pop("vrrp_priority", None)
        for keyword, ask in _SETTINGS.items():
            if keyword in options:
                _ask(keyword, options[keyword], ask)

    async def stop(self) -> None:
        """The process ends; there is nothing to take back."""
