"""Domain names (RFC 1035) as tcpdump prints them: labels with their dots; pointers are followed."""

from __future__ import annotations

from vrrp.capture.text.line import Line, View, character_text

_KIND, _SIZE = 0xC0, 0x3F
_POINTER, _EXTENDED, _RESERVED = 0xC0, 0x40, 0x80
_BIT_LABEL = 1
_LONGEST = 255
_MOST_LABELS = 65_536
"""A packet's names are not followed further: made for it, 16 KB can hold names of hours."""


class DomainNames:
    """The names of one packet, whose pointers count from `start`."""

    def __init__(self, line: Line, view: View, start: int) -> None:
        self._line = line
        self._view = view
        self._start = start
        self._labels_left = _MOST_LABELS

    def add(self, at: int) -> int | None:
        """Append the name at `at`, which is not the root's.

        Where it ends, or None where it makes no sense or the packet ends. Raises Cut.
        """
        line, view = self._line, self._view
        size = self._label_size(at)
        if size is None:
            return None
        first = view.number(at)
        limit = at - self._start
        at += 1
        end = at + size
        followed, characters = False, 0
        while first and at < view.end:
            self._labels_left -= 1
            if self._labels_left < 0:
                return None
            if first & _KIND == _POINTER:
                end, followed = end if followed else at + 1, True
                offset = (first << 8 | view.number(at)) & 0x3FFF
                if offset >= limit:
                    line.add("<BAD PTR>")
                    return None
                limit, at = offset, self._start + offset
            else:
                if first & _KIND == _EXTENDED:
                    self._add_bits(at)
                else:
                    room = min(size, max(0, _LONGEST - characters))
                    shown = view.bytes(at, min(room, view.end - at))
                    line.add("".join(character_text(character) for character in shown))
                    if room > view.end - at:
                        return None
                    characters += size
                at += size
                line.add("." if characters <= _LONGEST else "")
                characters += 1
            size = self._label_size(at)
            if size is None:
                return None
            if first & _KIND != _POINTER and not followed:
                end += size + 1
            first = view.number(at)
            at += 1
        line.add("<DOMAIN NAME TOO LONG>" if characters > _LONGEST else "")
        return end

    def _label_size(self, at: int) -> int | None:
        """How many bytes follow a label's first; a pointer's are its first byte, as tcpdump takes it."""
        view = self._view
        if not view.has(at, 1):
            return None
        first = view.number(at)
        if first & _KIND == _EXTENDED:
            if first & _SIZE != _BIT_LABEL:
                self._line.add(f"<ELT {first & _SIZE}>")
                return None
            return (self._bits(at + 1) + 7) // 8 + 1 if view.has(at + 1, 1) else None
        if first & _KIND == _RESERVED:
            self._line.add("<BAD LABEL TYPE>")
            return None
        return first

    def _bits(self, at: int) -> int:
        return self._view.number(at) or 256

    def _add_bits(self, at: int) -> None:
        """A label of bits (RFC 2673), given up long since."""
        line, view = self._line, self._view
        bits = self._bits(at)
        line.add("\\[x")
        for position in range(bits // 8):
            line.add(f"{view.number(at + 1 + position):02x}")
        rest = bits % 8
        if rest > 4:
            line.add(f"{view.number(at + 1 + bits // 8) & 0xFF << 8 - rest & 0xFF:02x}")
        elif rest:
            line.add(f"{view.number(at + 1 + bits // 8) >> 4 & 0x0F << 4 - rest & 0x0F:x}")
        line.add(f"/{bits}]")
