"""The two ways in which keepalived 2.2.7 cuts a line into words (measured): most lines, and lines with a command."""

from __future__ import annotations

import re
from functools import lru_cache

# Files say the same again and again, above all where lines are repeated: so many of the last texts are remembered.
REMEMBERED = 4096

# Only " quotes; there are no escapes; a quote ends the word before it; after an unclosed one nothing is read.
_WORD = re.compile(r'\s*(?:"([^"]*)"|([^\s"]+))', re.ASCII)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]+)|c([^\n])|([^\n]))", re.ASCII)
_CONTROL = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@lru_cache(maxsize=REMEMBERED)
def split_words(text: str) -> tuple[str, ...]:
    """The words of an ordinary statement, without their quotes."""
    words = []
    position = 0
    while found := _WORD.match(text, position):
        words.append(found[1] if found[2] is None else found[2])
        position = found.end()
    return tuple(words)


def _unescape(escape: re.Match[str]) -> str:
    octal, hexadecimal, control, other = escape.groups()
    if octal is not None:
        return chr(int(octal, 8) & 0xFF)
    if hexadecimal is not None:
        return chr(int(hexadecimal[-2:], 16))
    if control is not None:
        return chr(ord(control) & 0x1F)
    return _CONTROL.get(other, other)


def split_command(text: str) -> tuple[tuple[str, ...], str | None]:
    r"""The words of a statement that names a command (script, notify_master, ...).

    "..." and '...' may stand anywhere in a word and join it; \a \b \E \f \n \r \t \v \nnn \xXX \cC \C are
    escapes everywhere. A quote that is opened by the last character, or before a last escape, needs no end.

    Returns:
        The words, and the quote that was never closed, or the backslash that stands at the end: then there are no
        words.
    """
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    position = 0
    plain = False
    while position < len(text):
        char = text[position]
        escape = _ESCAPE.match(text, position)
        if char == "\\" and escape is None:
            return (), char
        position = escape.end() if escape else position + 1
        plain = False
        if not escape and char == quote:
            quote = ""
        elif not escape and not quote and char in "\"'":
            quote = char
            word = word or []
        elif not escape and not quote and char.isspace():
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(_unescape(escape) if escape else char)
            plain = not escape
    if quote and plain:
        return (), quote
    if word is not None:
        words.append("".join(word))
    return tuple(words), None


def unclosed(text: str) -> str:
    """What keepalived says of a command whose quote is never closed; "" when there is none."""
    _, quote = split_command(text)
    return f"String '{text}': missing terminating {quote}" if quote in {'"', "'"} else ""


def shown_command(command: str) -> str:
    """A command as keepalived shows it: each word in quotes, or a redirection as it stands."""
    words, _ = split_command(command)
    return command if command.startswith("</") else " ".join(f"'{word}'" for word in words)
