"""Why something happened, in the words that people read."""

from __future__ import annotations

from vrrp.protocol.timers import seconds_text
from vrrp.wire.address import text


def end_of_wait(cause: tuple[bytes, int] | None, master: bytes | None, silent_ns: int, ours: str) -> str:
    """Why a backup's wait for its master ended.

    `cause` is who (packed) said with what priority that the wait is short or cannot be put off, None for silence,
    which has lasted for `silent_ns`; `master` is None where none was heard before; `ours` tells our own priority.
    """
    if cause is None:
        yet = " yet," if master is None else ""
        return f"no advertisement{yet} for {seconds_text(silent_ns)}"
    source, priority = cause
    if not priority:
        return f"priority 0 from {text(source)}"
    return f"preempts {text(source)}: its priority {priority} is below our {ours}"
