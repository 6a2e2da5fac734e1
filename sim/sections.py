"""Tables with a heading and sentences after them, for a terminal with colour or as plain text whose lines are not cut.

What a console's encoding cannot write (an arrow, in ASCII) is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, rows (cells by column) under column heads with L or R for the side, and sentences after them."""

    heading: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]


def print_section(section: Section, console: Console) -> None:
    """Print it, with an empty line above."""
    if console.is_terminal:
        console.print(Group(*renderables(section, cells(console))), highlight=False)
    else:
        write_section(section, writer(console))


# Plain text -----------------------------------------------------------------------------------------------


def writer(console: Console) -> Callable[[str], None]:
    """What writes a line to a console as it is."""

    def write(line: str) -> None:
        console.out(encodable(line, console.encoding), highlight=False)

    return write


def write_section(section: Section, write: Callable[[str], None]) -> None:
    """As plain text, with an empty line above."""
    write("")
    write(section.heading)
    write_table(write, section.columns, section.rows, indent="  ")
    for sentence in section.sentences:
        write(f"  {sentence}")


def write_table(
    write: Callable[[str], None],
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[str, ...]],
    indent: str = "",
) -> None:
    """Rows under their heads, each column as wide as it must be; nothing without rows."""
    if not rows:
        return
    lines = [tuple(head for head, _ in columns), *rows]
    widths = [max(Text(line[number]).cell_len for line in lines) for number in range(len(columns))]
    for line in lines:
        cells = []
        for cell, (_, side), width in zip(line, columns, widths, strict=True):
            padding = " " * (width - Text(cell).cell_len)
            cells.append(padding + cell if side == "R" else cell + padding)
        write((indent + "  ".join(cells)).rstrip())


def encodable(text: str, encoding: str) -> str:
    """The text with what the encoding has."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("\u2192", "->").encode(encoding, "backslashreplace").decode(encoding)
    return text


# A terminal -----------------------------------------------------------------------------------------------


def cells(console: Console) -> Callable[..., Text]:
    """What makes a text (and its style) a cell for a console."""

    def cell(text: str, style: str = "") -> Text:
        return Text(encodable(text, console.encoding), style, overflow="fold")

    return cell


def renderables(section: Section, cell: Callable[..., Text]) -> Iterator[RenderableType]:
    """As rich shows it."""
    yield Text()
    yield cell(section.heading, "bold")
    if section.rows:
        table = table_of(section.columns)
        for row in section.rows:
            table.add_row(*(cell(text) for text in row))
        yield Padding(table, (0, 0, 0, 2), expand=False)
    for sentence in section.sentences:
        yield Padding(cell(sentence), (0, 0, 0, 2))


def table_of(columns: Sequence[tuple[str, str]]) -> Table:
    """An empty table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head, side in columns:
        table.add_column(head, justify="right" if side == "R" else "left", no_wrap=side == "R", overflow="fold")
    return table
