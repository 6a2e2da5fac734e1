"""The pieces of a line of keepalived.conf: comment or not, words, an opening and a closing brace.

As keepalived 2.2.7 reads (measured): # and ! start a comment anywhere outside "..." unless a backslash stands before
them; braces are fragments of their own wherever they stand outside "...". A backslash at the very end of a line stays
there, even behind a comment.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache

from vrrp.config.language.words import REMEMBERED, split_words

_MARK = re.compile(r'\\(.?)|["#!]', re.DOTALL)
_BRACE = re.compile(r'"[^"]*(?:"|\Z)|([{}])')


class Kind(enum.Enum):
    """What a fragment is."""

    WORDS = "words"
    OPEN = "{"
    CLOSE = "}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a line: `text` holds its words, still quoted."""

    line: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """What is left of a line without its comment.

    Attributes:
        text: without blanks at its ends.
        comment: where in the line the comment begins; -1 when there is none.
        unterminated: the text with a quote that is never closed, or "".
    """

    text: str
    comment: int = -1
    unterminated: str = ""


def without_comment(line: str) -> Code:
    """Take the comment off a line, and the backslash off a # or ! that begins none."""
    if _MARK.search(line) is None:
        return Code(line.strip(" \t"))
    kept: list[str] = []
    done = 0
    comment = end = -1
    quoted = False
    for found in _MARK.finditer(line):
        if found[0] == '"':
            quoted ^= comment < 0
        elif found[0] == "\\":
            end = found.start()
        elif found[1] is None:
            comment = found.start() if comment < 0 and not quoted else comment
        elif found[1] in "#!" and not quoted and comment < 0:
            kept.append(line[done : found.start()])
            done = found.start() + 1
    whole = "".join([*kept, line[done : end if end >= 0 else len(line)]]).lstrip(" \t")
    text = "".join([*kept, line[done:comment]]).strip(" \t") if comment >= 0 else whole.rstrip(" \t")
    return Code(text + "\\" * (end >= 0), comment, whole if quoted else "")


@lru_cache(maxsize=REMEMBERED)
def first_fragment(line: str) -> tuple[str, Kind | None, str]:
    """The first fragment of a line without blanks at its ends, what it is, and what of the line is left.

    What it is, is told as `kind_of` does.
    """
    brace = first_brace(line)
    if brace < 0:
        fragment, rest = line, ""
    elif brace == 0:
        fragment, rest = line[0], line[1:]
    else:
        fragment, rest = line[:brace].rstrip(" \t"), line[brace:]
    return fragment, kind_of(fragment), rest.strip(" \t")


def first_brace(text: str) -> int:
    """Where the first brace stands outside of quotes; -1 when none does. After an unclosed quote, none does."""
    if "{" in text or "}" in text:
        for found in _BRACE.finditer(text):
            if found[1]:
                return found.start()
    return -1


def kind_of(text: str) -> Kind | None:
    """What a fragment is; None when it has no words. A brace in quotes, too, is one when it is the first word."""
    first = text
    if text.startswith('"'):
        words = split_words(text)
        if not words:
            return None
        first = words[0]
    return {"{": Kind.OPEN, "}": Kind.CLOSE}.get(first, Kind.WORDS)
