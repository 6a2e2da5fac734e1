"""Who runs the scripts, and whether others could change them: what keepalived looks at before it starts (measured)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import DEFAULT_SCRIPT_USER, Host, Program

# A shell's way to try a TCP port; keepalived passes such a command on without looking for a file.
_REDIRECTION = "</"


@dataclass(frozen=True, slots=True)
class Identity:
    """The numbers of the user and the group as whom a script runs."""

    user: int
    group: int

    @property
    def is_root(self) -> bool:
        """Whether both are root's."""
        return not self.user and not self.group


ROOT = Identity(0, 0)


class ScriptUsers:
    """As whom scripts run, as far as the lines go that were read so far.

    Whom keepalived has found once, or not found, it does not look for again: all its processes have what the first
    found that needed it.

    Args:
        host: where they are to run.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._default: Identity | None = None
        self._unknown = False
        self.secure = False

    def named(self, words: tuple[str, ...]) -> Identity | None:
        """USER [GROUP], and what follows is not looked at; None when there is no such user or group."""
        user = self._host.user_id(words[0])
        group = self._host.own_group_id(words[0]) if len(words) == 1 else self._host.group_id(words[1])
        return None if user is None or group is None else Identity(user, group)

    def set_default(self, words: tuple[str, ...]) -> bool:
        """Take global_defs' script_user; whether there are such a user and group, and always were so far."""
        self._default = None if self._unknown else self.named(words)
        self._unknown = self._default is None
        return not self._unknown

    def default(self, line: int, report: Report) -> Identity | None:
        """As whom a script runs that names no user; None when keepalived has nobody, which is reported once."""
        if self._default is not None or self._unknown:
            return self._default
        identity = self.named((DEFAULT_SCRIPT_USER,))
        if identity is not None or not self.secure:
            self._default = identity or ROOT
            return self._default
        self._unknown = True
        report.error(
            line,
            f"Unable to set default user {DEFAULT_SCRIPT_USER} for script",
            "keepalived does not run it; give script_user in global_defs",
        )
        return None


@dataclass(frozen=True, slots=True)
class Runnable:
    """Something to run: the `command` with its arguments, the name of a vrrp_script or "", its line, and as whom."""

    command: str
    script: str
    line: int
    identity: Identity = ROOT

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
    executed: list[Runnable] = []
    insecure = False
    for one in runnables:
        if one.program.startswith(_REDIRECTION):
            continue
        # For another user than root keepalived -t finds nothing on the search path.
        sought = one.identity.is_root or "/" in one.program
        if sought and not one.identity.is_root:
            report.kill(one.line, "keepalived -t 2.2.7 kills itself when it looks at a script that root does not run")
        state = host.program(one.program) if sought else Program.MISSING
        if not one.identity.is_root and state in {Program.UNSAFE, Program.NO_FILE}:
            state = Program.FOUND  # whoever changes it gains nothing (measured)
        if one.script and (reason := _reason(state, secure)):
            disabled.add(one.script)
            report.error(
                one.line,
                f"Disabling track script {one.script} {reason}",
                "keepalived does not run it, and nothing follows it",
                Voice.PLAIN,
            )
        insecure = insecure or state is Program.UNSAFE
        if state is not Program.MISSING:
            executed.append(one)
    if executed and not secure:
        report.unsafe(
            executed[0].line,
            f"SECURITY VIOLATION - {kind} are being executed but script_security not enabled."
            + (" There are insecure scripts." if insecure else ""),
            "keepalived runs them all the same; enable_script_security and script_user in global_defs would be right",
        )
    return frozenset(disabled)


def _reason(state: Program, secure: bool) -> str:
    """Why keepalived does not run a vrrp_script, or ""."""
    if state is Program.MISSING:
        return "since not found/accessible"
    return "due to insecure" if state is Program.NO_FILE or (state is Program.UNSAFE and secure) else ""
