"""What may stand in one kind of block of keepalived.conf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vrrp.config.diagnostics import Report


@dataclass(frozen=True, slots=True)
class Naming:
    """What the name of a block must be like; otherwise keepalived skips the block. {} stands for the name.

    Attributes:
        missing: what it says when there is none, or `alone` and more than one; "" when it exits.
        alone: whether more words are as bad as none.
        taken: what it says of a name that another such block has; "" when it does not mind.
        longest: how many octets a name may have.
        too_long: what it says of more.
        crashes: whether it crashes instead of exiting.
    """

    missing: str = ""
    alone: bool = False
    taken: str = ""
    longest: int = 2**31
    too_long: str = ""
    crashes: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What may stand in one kind of block.

    Attributes:
        name: the keyword that opens the block; "" for the file itself.
        statements: keywords of one line.
        tables: blocks of keywords.
        lists: blocks of entries, one a line.
        named_lists: the same with a name before the brace, without which keepalived exits.
        newer: keywords that a later version brought, and which.
        opening: looks at the line that opens the block, complains, and says whether the block is read.
        naming: for a block with a name, what it must be like.
        once: lists of which there may be one; a second one ends the block around it with its own brace.
    """

    name: str
    statements: frozenset[str]
    tables: Mapping[str, Context] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    named_lists: frozenset[str] = frozenset()
    newer: Mapping[str, str] = field(default_factory=dict)
    opening: Callable[[int, tuple[str, ...], Report], bool] | None = None
    naming: Naming | None = None
    once: frozenset[str] = frozenset()

    def keywords(self) -> frozenset[str]:
        """Everything that may begin a line of this block."""
        return self.statements | self.tables.keys() | self.lists | self.named_lists


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())
