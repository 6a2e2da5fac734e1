"""What a packet's text is put together in, and the bytes it is read from."""

from __future__ import annotations

from dataclasses import dataclass, field

from vrrp.capture.text.names import Names
from vrrp.wire.checksum import complement


class Cut(Exception):  # noqa: N818  # it says where a packet ends, which is no error
    """The packet ends before what the text would say next."""


@dataclass(frozen=True, slots=True)
class Style:
    """What the options ask of the text; each is tcpdump's option of that letter."""

    names: Names
    link: bool = False
    """-e: the link header too."""
    verbose: int = 0
    """-v, -vv."""
    quiet: bool = False
    """-q."""
    carp: bool = False
    """-T carp: protocol 112 is CARP."""
    hexadecimal: int = 0
    """-x 1, -xx 2: the bytes, with the link header when 2."""
    characters: int = 0
    """-X 1, -XX 2: the same with their characters."""


class View:
    """The bytes of a packet up to where they were captured, or where an enclosing length says that they end."""

    __slots__ = ("data", "end")

    def __init__(self, data: bytes, end: int) -> None:
        self.data = data
        self.end = min(end, len(data))

    def upto(self, end: int) -> View:
        """The same bytes, ending no later than here."""
        return View(self.data, min(end, self.end))

    def has(self, at: int, size: int) -> bool:
        """Whether `size` bytes from `at` on are there."""
        return at >= 0 and at + size <= self.end

    def number(self, at: int, size: int = 1) -> int:
        """A big-endian number. Raises Cut."""
        return int.from_bytes(self.bytes(at, size), "big")

    def bytes(self, at: int, size: int) -> bytes:
        """Some bytes. Raises Cut."""
        if not self.has(at, size):
            raise Cut
        return self.data[at : at + size]


@dataclass(slots=True)
class Line:
    """The text of one packet while it grows."""

    style: Style
    parts: list[str] = field(default_factory=list)
    protocol: str = ""
    """Whose text it is now: what tcpdump names where a packet is cut, as in [|vrrp]."""

    def add(self, text: str) -> None:
        """Append to it."""
        self.parts.append(text)

    def cut(self) -> None:
        """Say that the packet ends here."""
        self.parts.append(f" [|{self.protocol}]")

    def invalid(self) -> None:
        """Say that what stands here cannot be."""
        self.parts.append(" (invalid)")


def should_be(stored: int, total: int) -> int:
    """The checksum that would make a sum of `total`, with `stored` in it, right; as tcpdump writes it."""
    return complement(total - stored) or 0xFFFF


def character_text(character: int) -> str:
    """A byte as a character, anything odd as M- and ^."""
    prefix = ""
    if character >= 0x80:
        prefix, character = "M-", character & 0x7F
    if not 0x20 <= character < 0x7F:
        prefix, character = f"{prefix}^", character ^ 0x40
    return prefix + chr(character)


def add_string(line: Line, view: View, at: int, size: int) -> None:
    """Append up to `size` characters that end with a zero. Raises Cut."""
    for position in range(at, at + size):
        character = view.number(position)
        if not character:
            return
        line.add(character_text(character))
