"""global_defs' startup_script and shutdown_script: one before anything else is done, one after all.

As keepalived 2.2.7 was measured to: each is waited for until its timeout, then it is killed; how it ends changes
nothing. The file must be one that can be run before the script is: an interface that it makes must not be missed then.
"""

from __future__ import annotations

import asyncio
import logging

from vrrp.config.model import GlobalDefs
from vrrp.config.values import whole
from vrrp.linux.child import Children, Command
from vrrp.linux.vetting import vet

log = logging.getLogger("vrrp.scripts")

STARTUP, SHUTDOWN = "startup_script", "shutdown_script"
_TIMEOUT_S = 10


async def run_script(settings: GlobalDefs, keyword: str) -> None:
    """Run STARTUP or SHUTDOWN, if these settings have one, until it ends or its time is over."""
    named = settings.runnables.get(keyword)
    if named is None:
        return
    command = Command.of(named.command, named.identity)
    vetted = vet(command, settings.enable_script_security)
    if vetted.message:
        log.warning(vetted.message)
    if not vetted.runs:
        return
    about = keyword.replace("_", " ")
    log.info("Running %s %s", about, command.words[0])
    children = Children(asyncio.get_running_loop())
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    try:
        children.run(command, ended.set_result)
        async with asyncio.timeout(timeout_s(settings, keyword)):
            status = await asyncio.shield(ended)
    except TimeoutError:
        log.warning("%s timed out", about)
    except OSError as error:
        log.error("%s cannot be run: %s", about, (error.strerror or str(error)).lower())
    else:
        log.log(logging.WARNING if status else logging.INFO, "%s script %s", about, _outcome(status))
    finally:
        await children.close(0)


def timeout_s(settings: GlobalDefs, keyword: str) -> int:
    """How long it may run."""
    said = {one.keyword: one.text for one in settings.options}
    given = whole(said.get(f"{keyword}_timeout", ""), 1, 1000)
    return _TIMEOUT_S if given.complaint else given.read


def _outcome(status: int) -> str:
    if not status:
        return "succeeded"
    return f"failed, status {status}" if status > 0 else f"failed, due to signal {-status}"
