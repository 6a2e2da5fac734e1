"""The lines that begin with a dot: `.if` to `.endif`, which choose lines, and `.notice` to `.alert`, which speak."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from vrrp.config.haproxy.diagnostics import Complaints, RefusedError
from vrrp.config.haproxy.predicates import holds
from vrrp.config.haproxy.statement import Statement

_SAYING = frozenset({".alert", ".diag", ".notice", ".warning"})
_CHOOSING = frozenset({".elif", ".else", ".endif", ".if"})


class _Branch(enum.Enum):
    """Where an `.if` stands."""

    TAKEN = "these lines are read"
    WAITING = "these are not; others may be"
    DONE = "these are not, and no others"


class Directives:
    """Which lines are read."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        # Of each open `.if`: where it stands, and whether its `.else` is behind.
        self._open: list[tuple[_Branch, bool]] = []
        # How deep it is in lines that are not read.
        self._skipped = 0

    @property
    def reading(self) -> bool:
        """Whether the lines here are read."""
        return not self._skipped and (not self._open or self._open[-1][0] is _Branch.TAKEN)

    @property
    def unfinished(self) -> bool:
        """Whether an `.if` has no end."""
        return bool(self._open)

    def take(self, statement: Statement, environment: Mapping[str, str]) -> bool:
        """Heed a line.

        Returns:
            Whether it is not to be read as any other: it is a directive, or chosen not to be.

        Raises:
            RefusedError: HAProxy does not take it.
        """
        keyword = statement.keyword
        if keyword in _CHOOSING:
            self._choose(statement, environment)
            return True
        if not self.reading:
            return True
        if keyword in _SAYING:
            self._say(statement)
            return True
        if keyword.startswith("."):
            raise RefusedError("unknown-keyword", f"there is no directive {keyword!r}", "HAProxy reads no further")
        return False

    def _choose(self, statement: Statement, environment: Mapping[str, str]) -> None:
        keyword = statement.keyword
        if keyword == ".if":
            if not self.reading:
                self._skipped += 1
                return
            value = holds(" ".join(statement.arguments), environment)
            self._open.append((_Branch.TAKEN if value else _Branch.WAITING, False))
            return
        if keyword in {".else", ".endif"} and statement.arguments and statement.argument(1):
            raise RefusedError("extra-argument", f"{keyword!r} takes no {statement.argument(1)!r}")
        if self._skipped:
            self._skipped -= keyword == ".endif"
            return
        if not self._open:
            raise RefusedError("bad-condition", f"{keyword!r} without an '.if' before it", "HAProxy reads no further")
        branch, had_else = self._open[-1]
        if keyword == ".endif":
            self._open.pop()
            return
        if had_else:
            raise RefusedError("bad-condition", f"{keyword!r} behind '.else'", "HAProxy reads no further")
        if branch is not _Branch.WAITING:
            branch = _Branch.DONE
        elif keyword == ".else" or holds(" ".join(statement.arguments), environment):
            branch = _Branch.TAKEN
        self._open[-1] = (branch, keyword == ".else")

    def _say(self, statement: Statement) -> None:
        if statement.argument(2):
            raise RefusedError("extra-argument", f"{statement.keyword!r} takes one argument", "quote the spaces")
        text = statement.argument(1)
        if statement.keyword == ".warning":
            self._complaints.warning(statement.line, "directive", f"the file warns: {text}")
        elif statement.keyword == ".alert":
            raise RefusedError("directive", f"the file refuses to be used: {text}")
