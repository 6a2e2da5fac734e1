"""What may stand in one kind of block of keepalived.conf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vrrp.config.diagnostics import Report


@dataclass(frozen=True, slots=True)
class Context:
    """What may stand in one kind of block.

    Attributes:
        name: the keyword that opens the block; "" for the file itself.
        statements: keywords of one line.
        tables: blocks of keywords.
        lists: blocks of entries, one a line.
        named_lists: the same with a name before the brace, without which keepalived exits.
        skipped: blocks that are none of VRRP's business.
        newer: keywords that a later version brought, and which.
        opening: looks at the line that opens the block, complains, and says whether the block is read.
        name_missing: for a block with a name, what keepalived says when it has none.
        name_taken: for a block whose name must be unique, what keepalived says of the second.
    """

    name: str
    statements: frozenset[str]
    tables: Mapping[str, Context] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    named_lists: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    newer: Mapping[str, str] = field(default_factory=dict)
    opening: Callable[[int, tuple[str, ...], Report], bool] | None = None
    name_missing: str = ""
    name_taken: str = ""

    def keywords(self) -> frozenset[str]:
        """Everything that may begin a line of this block."""
        return self.statements | self.tables.keys() | self.lists | self.named_lists | self.skipped


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())
