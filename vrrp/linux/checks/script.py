"""MISC_CHECK: whether a command ends well."""

from __future__ import annotations

import asyncio

from vrrp.config.lvs.model import MiscCheck
from vrrp.linux.checks.connection import UnaskedError
from vrrp.linux.child import Children, Command
from vrrp.lvs.phrases import TIMED_OUT, Outcome

_SECOND_NS = 1_000_000_000
_WEIGHT_BASE = 2
"""With misc_dynamic an exit status of so much more than the weight asks for it (keepalived)."""


async def check_misc(checker: MiscCheck, children: Children) -> Outcome:
    """Run the command once; UnaskedError where it cannot be begun."""
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    try:
        # Once nobody waits any more, how it ended is of no interest.
        child = children.run(
            Command.of(checker.command, checker.runs_as),
            lambda status: None if ended.done() else ended.set_result(status),
        )
    except OSError as error:
        raise UnaskedError(error.errno, (error.strerror or str(error)).lower()) from error
    try:
        async with asyncio.timeout(checker.timeout_ns / _SECOND_NS or None):
            status = await ended
    except TimeoutError:
        return Outcome(False, TIMED_OUT)
    finally:
        if not ended.done() or ended.cancelled():
            child.kill()
    if status < 0:
        return Outcome(False, f"due to signal {-status}")
    said = f"exited with status {status}"
    if checker.dynamic and status >= _WEIGHT_BASE:
        return Outcome(True, said, status - _WEIGHT_BASE)
    return Outcome(not status, said)
