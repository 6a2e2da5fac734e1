"""Fragments to blocks and statements, with keepalived 2.2.7's forgiveness (measured): what it ignores, it names.

An opening brace where no block may begin is ignored; its closing brace is not, and closes the block around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrrp.config.context import Context
from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.grammar import FILE, Process, advice
from vrrp.config.language.lexer import Fragment, Kind
from vrrp.config.language.line import end_after
from vrrp.config.language.words import split_words
from vrrp.config.values import octets

_BLOCKS = FILE.tables.keys() | FILE.lists | FILE.named_lists

# Looking for the nearest keyword is slow, and nobody reads the hundredth suggestion.
_MOST_SUGGESTIONS = 100


@dataclass(frozen=True, slots=True)
class Statement:
    """One line: `words` as an ordinary statement has them, and `text` for those that are cut another way."""

    line: int
    words: tuple[str, ...]
    text: str

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The other words."""
        return self.words[1:]


@dataclass(frozen=True, slots=True)
class Block:
    """A block: the words before its brace, and what stands in it. The body of a skipped block is empty.

    `end` is the line on which it is closed, where keepalived looks at it as a whole.
    """

    line: int
    words: tuple[str, ...]
    body: tuple[Statement | Block, ...]
    end: int = 0

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The other words."""
        return self.words[1:]

    def entries(self) -> Iterator[Statement]:
        """The lines of a body that holds no blocks."""
        return (entry for entry in self.body if isinstance(entry, Statement))


class TreeReader:
    """Reads one file's fragments. Blocks nest as deep as the grammar says, so no text can nest them deeper.

    `keywords` has the keywords seen, each with its line.

    Args:
        fragments: what the lexer cut.
        process: who reads it; blocks that it does not read are left out.
        report: takes the diagnostics.
        root: what may stand outside of all blocks.
    """

    def __init__(
        self, fragments: tuple[Fragment, ...], process: Process, report: Report, root: Context = FILE
    ) -> None:
        self._root = root
        self._fragments = fragments
        self._reads = process.reads
        self._position = 0
        self._report = report
        self._names: set[tuple[str, str]] = set()
        self._unknown = 0
        self._closed = True
        self.keywords: list[tuple[int, str]] = []

    def read(self) -> tuple[Statement | Block, ...]:
        """What stands in the file, outside of all blocks."""
        return self._table(self._root)

    def _table(self, context: Context) -> tuple[Statement | Block, ...]:
        body: list[Statement | Block] = []
        given: set[str] = set()
        while self._position < len(self._fragments):
            fragment = self._fragments[self._position]
            self._position += 1
            if fragment.kind is Kind.OPEN:
                self._unexpected_brace(fragment, context)
            elif fragment.kind is Kind.WORDS:
                words = split_words(fragment.text)
                if words and words[0] in context.once and words[0] in given:
                    self._skip_block()
                    body.append(Block(fragment.line, words, (), self._last_line()))
                    self._closed = True
                    break
                if words:
                    entries = self._entry(Statement(fragment.line, words, fragment.text), context)
                    body.extend(entries)
                    given.update(entry.keyword for entry in entries if isinstance(entry, Block) and entry.body)
            elif context is not self._root:
                self._closed = True
                break
            else:
                self._report.error(
                    fragment.line,
                    "Unknown keyword '}'",
                    "keepalived ignores it: no block is open here",
                )
        else:
            self._closed = False
        return tuple(body)

    def _unexpected_brace(self, fragment: Fragment, context: Context) -> None:
        consequence = "" if context is FILE else f", but not the '}}' that belongs to it: that closes {context.name}"
        self._report.error(fragment.line, "Unexpected '{' - ignoring", f"keepalived ignores it{consequence}")

    def _entry(self, statement: Statement, context: Context) -> tuple[Statement | Block, ...]:
        keyword = statement.keyword
        self.keywords.append((statement.line, keyword))
        if keyword in context.statements:
            return (statement,)
        if context is FILE and keyword in _BLOCKS and keyword not in self._reads:
            self._skip_block()
            return ()
        if keyword in context.tables:
            return self._table_block(statement, context.tables[keyword])
        if keyword in context.lists:
            self._no_arguments(statement)
            return (self._list_block(statement),)
        if keyword in context.named_lists:
            if not statement.arguments:
                self._report.stop(statement.line, missing_parameter(keyword))
            self._need_brace()
            return (self._list_block(statement),)
        self._unknown += 1
        clause = advice(keyword, context) if self._unknown <= _MOST_SUGGESTIONS else ""
        self._report.warning(statement.line, f"Unknown keyword '{keyword}'", f"keepalived ignores the line{clause}")
        return (statement,) if keyword in context.newer else ()

    def _table_block(self, statement: Statement, context: Context) -> tuple[Block, ...]:
        good = self._name_is_good(statement, context)
        if not good and self._at_brace():
            self._skip_block()
            return ()
        if not self._enter() and self._position < len(self._fragments):
            # keepalived notices, and says so, at the line where the brace should have come at the latest.
            self._report.error(
                self._fragments[self._position].line,
                f"Missing '{{' at beginning of configuration block {statement.keyword}",
                "keepalived reads on as if it were there",
            )
        if not good:
            # What keepalived was to skip it now reads, and gives to the last one of this kind, or to nobody.
            self._table(context)
            return ()
        return (Block(statement.line, statement.words, self._table(context), self._end()),)

    def _name_is_good(self, statement: Statement, context: Context) -> bool:
        if context.opening is not None:
            return context.opening(statement.line, statement.words, self._report)
        naming = context.naming
        if naming is None:
            return True
        skipped = "keepalived skips the block"
        if not statement.arguments and naming.crashes:
            self._report.crash(statement.line, f"{statement.keyword} without a name: keepalived 2.2.7 crashes")
            return False
        if not statement.arguments and not naming.missing:
            self._report.stop(statement.line, missing_parameter(statement.keyword))
            return False
        if not statement.arguments or (naming.alone and len(statement.arguments) > 1):
            self._report.error(statement.line, naming.missing, skipped)
            return False
        name = statement.arguments[0]
        if len(octets(name)) > naming.longest:
            self._report.error(statement.line, naming.too_long.format(name), skipped)
            return False
        if naming.taken and (context.name, name) in self._names:
            self._report.error(statement.line, naming.taken.format(name), skipped)
            return False
        self._names.add((context.name, name))
        return True

    def _need_brace(self) -> None:
        """Keepalived exits when anything else follows."""
        following = self._fragments[self._position : self._position + 1]
        if following and following[0].kind is not Kind.OPEN:
            self._report.stop(
                following[0].line,
                "*** Configuration line starting `***MISSING ***` is missing a parameter at word position 1",
            )

    def _enter(self) -> bool:
        """Go past the opening brace, if the next fragment is one."""
        if self._at_brace():
            self._position += 1
            return True
        return False

    def _at_brace(self) -> bool:
        return self._position < len(self._fragments) and self._fragments[self._position].kind is Kind.OPEN

    def _no_arguments(self, statement: Statement) -> None:
        if statement.arguments:
            self._report.warning(
                statement.line,
                f"Block {statement.keyword} has extra parameters {' '.join(statement.arguments)} ...",
                "keepalived ignores them",
            )

    def _list_block(self, statement: Statement) -> Block:
        self._enter()
        body: list[Statement | Block] = []
        while self._position < len(self._fragments):
            fragment = self._fragments[self._position]
            self._position += 1
            if fragment.kind is Kind.CLOSE:
                self._closed = True
                break
            words = ("{",) if fragment.kind is Kind.OPEN else split_words(fragment.text)
            if words:
                body.append(Statement(fragment.line, words, fragment.text))
        else:
            self._closed = False
        return Block(statement.line, statement.words, tuple(body), self._end())

    def _last_line(self) -> int:
        """The line of what was read last."""
        return self._fragments[self._position - 1].line

    def _end(self) -> int:
        """Where the block ends that was read last."""
        return self._last_line() if self._closed else end_after(self._last_line())

    def _skip_block(self) -> None:
        depth = int(self._enter())
        fragments, position = self._fragments, self._position
        opening, closing = Kind.OPEN, Kind.CLOSE
        while depth and position < len(fragments):
            kind = fragments[position].kind
            if kind is opening:
                depth += 1
            elif kind is closing:
                depth -= 1
            position += 1
        self._position = position
