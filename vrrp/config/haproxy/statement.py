"""One line of a section, as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vrrp.config.haproxy.diagnostics import RefusedError

Prefix = Literal["", "no", "default"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A keyword and what stands behind it; `prefix` is the `no` or `default` before it."""

    line: int
    words: tuple[str, ...]
    prefix: Prefix = ""

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The others."""
        return self.words[1:]

    def argument(self, position: int) -> str:
        """The argument at this position, from 1; "" where there is none, as HAProxy has it."""
        return self.words[position] if position < len(self.words) else ""

    def no_more_than(self, most: int, begins: int = 1) -> None:
        """There may be so many arguments behind the first `begins` words.

        Raises:
            RefusedError: there are more.
        """
        if len(self.words) > begins + most:
            name = " ".join(self.words[:begins])
            raise RefusedError(
                "extra-argument", f"{name!r} takes no {self.words[begins + most]!r}", "take it away or quote it"
            )

    def required(self, position: int, what: str) -> str:
        """The argument at this position.

        Raises:
            RefusedError: there is none.
        """
        value = self.argument(position)
        if not value:
            raise RefusedError("missing-argument", f"{' '.join(self.words[:position])!r} needs {what}")
        return value
