"""Words, lines and blocks of keepalived.conf, quoted so that they are read as they were."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from vrrp.config.context import Context
from vrrp.config.model import Option
from vrrp.config.values import SECOND_NS

_INDENT = "    "
_PLAIN = re.compile(r"[^\s#!{}\"]+", re.ASCII)
_COMMAND_ESCAPES = {"\\": r"\\", '"': r"\x22", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def word(text: str) -> str:
    """One word, in quotes where it needs them. A word that was read has no quote in it."""
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def words(text: str) -> str:
    """Words that were joined with single blanks."""
    return " ".join(word(one) for one in text.split(" ")) if text else ""


def command(text: str) -> str:
    """A command with its arguments as one word: there backslashes escape."""
    return '"' + "".join(_COMMAND_ESCAPES.get(char, char) for char in text) + '"'


def statement(*parts: object) -> str:
    """A line of the parts that are not empty."""
    return " ".join(str(part) for part in parts if part != "")


def block(head: str, *bodies: Iterable[str]) -> Iterator[str]:
    """A block with these lines in it, each a line further in."""
    yield f"{head} {{"
    for line in itertools.chain.from_iterable(bodies):
        yield f"{_INDENT}{line}"
    yield "}"


def some_block(head: str, body: Iterable[str]) -> Iterator[str]:
    """The block, unless it is empty."""
    lines = list(body)
    if lines:
        yield from block(head, lines)


def options(
    kept: Iterable[Option], context: Context, commands: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Keywords that were kept as text, in their order; `context` says which of them are blocks.

    `commands` has, by keyword, the text's beginning where that is one command with blanks in it.
    """
    for keyword, run in itertools.groupby(kept, key=lambda option: option.keyword):
        if keyword in context.lists or keyword in context.tables:
            yield from block(keyword, (words(option.text) for option in run))
        else:
            yield from (_option(keyword, option.text, commands.get(keyword, "")) for option in run)


def _option(keyword: str, text: str, run: str) -> str:
    if " " not in run or not f"{text} ".startswith(f"{run} "):
        return statement(word(keyword), words(text))
    return statement(word(keyword), command(run), words(text[len(run) + 1 :]))


def seconds(duration_ns: int) -> str:
    """A duration as keepalived has them, in seconds."""
    whole, rest = divmod(duration_ns, SECOND_NS)
    return f"{whole}.{rest // 1000:06d}".rstrip("0").rstrip(".")


def on_off(value: bool) -> str:
    """A switch."""
    return "on" if value else "off"
