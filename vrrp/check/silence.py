"""Comments that silence findings: `# vrrp-check: ignore` and `# vrrp-check: ignore[VRRP-W012, W003]`.

At the end of a line it is about that line; on a line of its own, about the next line that says something. With
`ignore-file` it is about the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from vrrp.check.finding import Finding

_COMMENT = re.compile(r"[#!]\s*vrrp-check:\s*ignore(-file)?(?:\[([^\]]*)\])?", re.IGNORECASE)
_EVERY_LINE = 0


def names(rule: str, prefixes: Iterable[str]) -> bool:
    """Whether one of the prefixes names the rule: `VRRP-W012`, `W012`, `W`, `VRRP` and `all` do."""
    return any(rule.startswith(prefix) or rule[5:].startswith(prefix) or prefix == "ALL" for prefix in prefixes)


def prefixes_of(text: str) -> tuple[str, ...]:
    """The prefixes in a list with commas or spaces."""
    return tuple(text.replace(",", " ").upper().split())


class Silence:
    """What the comments of the files silence.

    Args:
        texts: the files' texts by their names.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._of = cache(self._read)

    def covers(self, finding: Finding) -> bool:
        """Whether a comment silences it."""
        lines = self._of(finding.file)
        return any(names(finding.rule, lines[line]) for line in (_EVERY_LINE, finding.line) if line in lines)

    def _read(self, file: str) -> dict[int, tuple[str, ...]]:
        text = self._texts.get(file, "")
        found: dict[int, tuple[str, ...]] = {}
        if "vrrp-check" not in text.lower():
            return found
        waiting: tuple[str, ...] = ()
        for number, line in enumerate(text.split("\n"), start=1):
            comment = _COMMENT.search(line)
            rules = (prefixes_of(comment[2] or "") or ("ALL",)) if comment else ()
            alone = line.strip()[:1] in {"#", "!", ""}
            if comment and comment[1]:
                found[_EVERY_LINE] = found.get(_EVERY_LINE, ()) + rules
            elif alone:
                waiting += rules
            else:
                found[number] = waiting + rules
                waiting = ()
        return found
