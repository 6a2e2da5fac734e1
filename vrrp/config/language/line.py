"""Where something stands: a line's number that knows its file."""

from __future__ import annotations

from typing import Self


class Line(int):
    """The number of a line, which compares as the number alone.

    Attributes:
        file: the name of the file in which it counts.
        order: its place among all that was read: lines of an included file stand in between, and what stands behind a
            brace comes after what stands before it.
        beyond: whether the end of all the files is meant, which has no number, and this is the last one before it.
    """

    file: str
    order: int
    beyond: bool

    def __new__(cls, number: int, file: str = "", order: int = 0, *, beyond: bool = False) -> Self:
        """Line `number`, from 1, of a file."""
        line = super().__new__(cls, number)
        line.file = file
        line.order = order
        line.beyond = beyond
        return line


def file_of(line: int, otherwise: str) -> str:
    """The file in which a line stands, and `otherwise` for a bare number."""
    return line.file if isinstance(line, Line) else otherwise


def order_of(line: int) -> int:
    """The line's place among all that were read; a bare number stands in the only file."""
    return line.order if isinstance(line, Line) else line


def end_after(line: int) -> Line:
    """The end of all the files, of which this is the last line."""
    return Line(line, file_of(line, ""), order_of(line), beyond=True)


def is_end(line: int) -> bool:
    """Whether it is the end of all the files."""
    return isinstance(line, Line) and line.beyond
