"""Words for people: what was probably meant, and text that a terminal can show."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_TEXT = 400


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a sentence; the known words when nothing is near."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names) or 'none'}"


def visible(text: str) -> str:
    """The text with its control characters spelled out, so that a name can neither hide nor steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def printable(text: str) -> str:
    """`text` on one line, without control characters and lone surrogates, cut when it is endless."""
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    return visible(text)
