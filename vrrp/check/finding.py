"""One thing that is wrong, where it stands, why it hurts, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vrrp.config.diagnostics import Severity


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file: `line` is 1-based, 0 when the whole file is meant; `says` is what stands there, in short."""

    file: str
    line: int
    says: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of a file replaced.

    Attributes:
        file, line: which; the line is 1-based.
        before: the line as it was read, without its end; an edit to a line that reads otherwise is not made.
        after: what stands there instead; it may be several lines. None takes the line away.
    """

    file: str
    line: int
    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found.

    Attributes:
        rule: the rule's id, such as VRRP-W012.
        severity: ERROR, the service fails or will at the next failure; WARNING, it does not do what was meant;
            NOTE, worth knowing.
        file, line: the line to change, 1-based; 0 when the whole file is meant.
        message: what is wrong, one line.
        why: what it does to the service.
        mend: the change that mends it.
        instead: what keepalived does with the line, where the line is read otherwise than written; else "".
        related: the other lines that it takes to see it, such as the other nodes'.
        fix: the edits that mend it without changing anything that was meant, or nothing.
        detail: more lines to show beneath, such as a table of failures.
        scenario: a scenario file (TOML) that shows it happening, or "".
        draw: draws the scenario's picture into a .png, .svg or .pdf file.
        data: what `detail` shows, as plain data for other programs.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    message: str
    why: str
    mend: str
    instead: str = ""
    related: tuple[Place, ...] = ()
    fix: tuple[Edit, ...] = ()
    detail: tuple[str, ...] = ()
    scenario: str = ""
    draw: Callable[[Path], None] | None = field(default=None, compare=False, repr=False)
    data: Sequence[Mapping[str, object]] = field(default=(), compare=False, repr=False)
