"""Whether a script may be run: what keepalived 2.2.7 looks at before it does, and what it says (measured)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from vrrp.config.host import Program
from vrrp.linux.child import Command
from vrrp.linux.machine import ThisMachine, open_to_others

log = logging.getLogger("vrrp.notify")


class Vetted(NamedTuple):
    """Whether it runs, and what is to be logged of it ("": nothing)."""

    runs: bool
    message: str = ""


def vet(command: Command, secure: bool) -> Vetted:
    """Look at a command's file; `secure`: enable_script_security is given.

    Who else could change a script matters where root runs it; whoever changes another's gains nothing.
    """
    path, identity = command.words[0], command.identity
    state = ThisMachine().program(path)
    if state is Program.MISSING:
        return Vetted(False, f"Script {path} cannot be accessed - No such file or directory")
    if state is Program.NO_FILE and identity.is_root:
        return Vetted(False, f"Wrong file type found in script path '{path}'.")
    if not command.executable:
        who = f"{identity.user}:{identity.group}"
        return Vetted(False, f"WARNING - script '{path}' is not executable for uid:gid {who} - disabling.")
    if state is Program.UNSAFE and identity.is_root:
        tail = " - disabling." if secure else "."
        return Vetted(not secure, f"Unsafe permissions found for script '{open_to_others(Path(path))}'{tail}")
    return Vetted(True)


def allowed(command: Command, secure: bool) -> bool:
    """Whether it may be run; what is to be said of it is logged."""
    vetted = vet(command, secure)
    if vetted.message:
        log.warning("%s", vetted.message)
    return vetted.runs
