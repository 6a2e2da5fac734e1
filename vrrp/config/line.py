"""Where something stands: a line's number that knows its file."""

from __future__ import annotations

from typing import Self


class Line(int):
    """The number of a line, which compares as the number alone.

    Attributes:
        file: the name of the file in which it counts.
        order: its place among all that was read: lines of an included file stand in between, and what stands behind a
            brace comes after what stands before it.
    """

    file: str
    order: int

    def __new__(cls, number: int, file: str = "", order: int = 0) -> Self:
        """Line `number`, from 1, of a file."""
        line = super().__new__(cls, number)
        line.file = file
        line.order = order
        return line


def file_of(line: int, otherwise: str) -> str:
    """The file in which a line stands, and `otherwise` for a bare number."""
    return line.file if isinstance(line, Line) else otherwise


def order_of(line: int) -> int:
    """The line's place among all that were read; a bare number stands in the only file."""
    return line.order if isinstance(line, Line) else line
