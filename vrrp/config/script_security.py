"""Who runs the scripts, and whether others could change them: what keepalived looks at before it starts (measured)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import Host, Program

# A shell's way to try a TCP port; keepalived passes such a command on without looking for a file.
_REDIRECTION = "</"
_VIOLATION = "SECURITY VIOLATION - {} are being executed but script_security not enabled."


@dataclass(frozen=True, slots=True)
class Runnable:
    """Something to run: the `command` with its arguments, the name of a vrrp_script or "", and its line."""

    command: str
    script: str
    line: int

    @property
    def program(self) -> str:
        """The word that names the file."""
        return self.command.split(maxsplit=1)[0]


def disabled_scripts(
    runnables: Iterable[Runnable], secure: bool, host: Host, report: Report, kind: str = "scripts"
) -> frozenset[str]:
    """The names of the vrrp_scripts that keepalived does not run, all of which is reported.

    Args:
        runnables: the scripts and notify commands, as they stand in the file.
        secure: whether enable_script_security is given.
        host: where they are to run.
        report: takes the diagnostics.
        kind: what keepalived calls them all.
    """
    disabled = set()
    executed = []
    insecure = False
    for one in runnables:
        if one.program.startswith(_REDIRECTION):
            continue
        state = host.program(one.program)
        unsafe = state is Program.UNSAFE
        if state is Program.MISSING or (unsafe and secure):
            if one.script:
                disabled.add(one.script)
                reason = "due to insecure" if unsafe else "since not found/accessible"
                report.error(
                    one.line,
                    f"Disabling track script {one.script} {reason}",
                    "keepalived does not run it, and nothing follows it",
                    Voice.PLAIN,
                )
            continue
        executed.append(one)
        insecure = insecure or unsafe
    if executed and not secure:
        report.unsafe(
            executed[0].line,
            _VIOLATION.format(kind) + (" There are insecure scripts." if insecure else ""),
            "keepalived runs them all the same; enable_script_security and script_user in global_defs would be right",
        )
    return frozenset(disabled)
