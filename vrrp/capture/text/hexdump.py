"""The bytes of a packet in rows of sixteen, as tcpdump -x and -X show them."""

from __future__ import annotations

_ROW = 16
_WIDTH = 40


def hexadecimal_dump(data: bytes) -> str:
    """The rows of -x, each on a line of its own with its offset."""
    return "".join(f"\n\t0x{start:04x}: {_pairs(data[start : start + _ROW])}" for start in range(0, len(data), _ROW))


def characters_dump(data: bytes) -> str:
    """The rows of -X: the same, and what can be shown as characters."""
    rows = []
    for start in range(0, len(data), _ROW):
        row = data[start : start + _ROW]
        shown = "".join(chr(byte) if 0x21 <= byte < 0x7F else "." for byte in row)
        rows.append(f"\n\t0x{start:04x}: {_pairs(row):<{_WIDTH}}  {shown}")
    return "".join(rows)


def _pairs(row: bytes) -> str:
    text = row.hex()
    return "".join(f" {text[at : at + 4]}" for at in range(0, len(text), 4))
