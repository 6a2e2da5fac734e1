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
        text: `last_agt`.
    """

    status: Status = Status.CHECKED
    admin: Admin | None = None
    percent: int | None = None
    maxconn: int | None = None
    text: str = ""


_STATES = {"up": Status.L7OK, "down": Status.L7STS, "stopped": Status.L7STS, "fail": Status.L7STS}
_LONGEST_NUMBER = 6
_ADMIN = {admin.value: admin for admin in Admin}


def read_agent(line: str) -> AgentAnswer:
    """The words of the first line, parted by blanks and commas; a word that is not known changes nothing."""
    said, _, comment = line.partition("\n")[0].partition("#")
    status, admin, percent, maxconn, text = Status.CHECKED, None, None, None, ""
    for word in said.replace(",", " ").split():
        low = word.lower()
        if low in _ADMIN:
            admin = _ADMIN[low]
        elif low in _STATES:
            status = _STATES[low]
            text = f"via agent : {word}" + (f" ({comment.strip()})" if comment.strip() else "")
        elif (number := _number(word, "", "%")) is not None:
            percent = number
        elif (number := _number(word, "maxconn:", "")) is not None:
            maxconn = number
        else:
            text = f"agent reports an error : {word}"
    return AgentAnswer(status, admin, percent, maxconn, text)


def _number(word: str, prefix: str, suffix: str) -> int | None:
    """The number in such a word, bounded; None if it is none."""
    digits = word.removeprefix(prefix).removesuffix(suffix)
    if len(digits) + len(prefix) + len(suffix) != len(word) or not digits.isascii() or not digits.isdecimal():
        return None
    return int(digits[:_LONGEST_NUMBER])
