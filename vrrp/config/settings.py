"""Reading one statement into one value: what instances, groups, scripts and global_defs have in common."""

from __future__ import annotations

from vrrp.config.diagnostics import Report, Voice, missing_parameter
from vrrp.config.language.words import split_command, unclosed
from vrrp.config.model import Option
from vrrp.config.tree import Block, Statement


def argument(statement: Statement, report: Report) -> str | None:
    """The statement's first argument. Without it keepalived exits, which is reported, and None returned."""
    if statement.arguments:
        return statement.arguments[0]
    report.stop(statement.line, missing_parameter(statement.keyword))
    return None


def script_words(statement: Statement, report: Report) -> tuple[str, ...]:
    """The command of a statement, its user and group; nothing when a quote is not closed, which is reported."""
    words, quote = split_command(statement.text)
    # The command is cut into words again.
    told = unclosed(statement.text) or unclosed(" ".join(words[1:2]))
    if told:
        report.error(statement.line, told, "keepalived ignores the line")
    elif quote is not None:
        report.warning(
            statement.line, "a backslash at the end of a command", "keepalived ignores the line", Voice.OURS
        )
    return () if told else words[1:]


def command(statement: Statement, report: Report) -> str | None:
    """The command that a statement names, without user and group; None when there is none, which is reported."""
    words = script_words(statement, report)
    if words:
        return words[0]
    # What stands behind an open quote is no argument, and yet not missing.
    if not statement.arguments and not unclosed(statement.text):
        report.stop(statement.line, missing_parameter(statement.keyword))
    return None


def options_of(entry: Statement | Block) -> tuple[Option, ...]:
    """A statement, or the entries of a block, kept as text, but for braces that open nothing."""
    if isinstance(entry, Block):
        return tuple(
            Option(entry.keyword, " ".join(child.words), child.line)
            for child in entry.entries()
            if child.words != ("{",)
        )
    return (Option(entry.keyword, " ".join(entry.arguments), entry.line),)
