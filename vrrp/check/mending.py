"""Findings' fixes, made in the files' texts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from vrrp.check.finding import Edit, Finding


def mended(texts: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """The new text of each file that a fix changes.

    A line is changed once: of two fixes for it, the first is made. A fix of which one edit cannot be made, because
    the line reads otherwise or was changed already, is not made at all.
    """
    lines = {file: text.split("\n") for file, text in texts.items()}
    changed: dict[tuple[str, int], Edit] = {}
    for finding in findings:
        places = {(edit.file, edit.line): edit for edit in finding.fix}
        if all(_stands(lines, edit) and changed.get(place, edit) == edit for place, edit in places.items()):
            changed.update(places)
    for edit in sorted(changed.values(), key=lambda edit: edit.line, reverse=True):
        lines[edit.file][edit.line - 1 : edit.line] = [] if edit.after is None else [edit.after]
    return {file: "\n".join(lines[file]) for file in dict.fromkeys(edit.file for edit in changed.values())}


def _stands(lines: Mapping[str, list[str]], edit: Edit) -> bool:
    text = lines.get(edit.file, [])
    return 1 <= edit.line <= len(text) and text[edit.line - 1] == edit.before


def difference(file: str, before: str, after: str) -> list[str]:
    """The lines of a unified diff of one file."""
    return list(difflib.unified_diff(before.split("\n"), after.split("\n"), file, file, lineterm=""))
