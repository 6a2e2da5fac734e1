"""What an agent says of its server: one line of words, such as "up 50%", "drain", "down # why"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sim.haproxy.status import Status


class Admin(Enum):
    """What an operator, or the agent, wants of a server; the value is the word of `set server … state`."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """Its line as HAProxy 2.6.12 takes it.

    Attributes:
        status: L7OK or L7STS where a word says how the server is, CHECKED where none does.
        admin: the last such word, or None.
        percent: of the configured weight, or None.
        maxconn: or None.
        text: what follows a word that says it is down.
    """

    status: Status = Status.CHECKED
    admin: Admin | None = None
    percent: int | None = None
    maxconn: int | None = None
    text: str = ""


_UP = frozenset({"up"})
_DOWN = frozenset({"down", "stopped", "fail"})
_ADMIN = {admin.value: admin for admin in Admin}


def read_agent(line: str) -> AgentAnswer:
    """The words of the first line, parted by blanks and commas; what is not understood is passed over."""
    said, _, comment = line.partition("\n")[0].partition("#")
    status, admin, percent, maxconn = Status.CHECKED, None, None, None
    for word in said.replace(",", " ").split():
        if word.lower() in _ADMIN:
            admin = _ADMIN[word.lower()]
        elif word.lower() in _UP:
            status = Status.L7OK
        elif word.lower() in _DOWN:
            status = Status.L7STS
        elif word.endswith("%") and word[:-1].isdecimal():
            percent = int(word[:-1])
        elif word.startswith("maxconn:") and word[8:].isdecimal():
            maxconn = int(word[8:])
    return AgentAnswer(status, admin, percent, maxconn, comment.strip())
