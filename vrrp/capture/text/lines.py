"""Whole batches as text: each kind of packet is put into words once, time stamps are written a batch at a time.

Without -v and without hexadecimal dumps, what tcpdump prints after the stamp is the same for all packets of a kind
(`vrrp.capture.kinds`): neither the IPv4 identification nor its checksum is printed.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.kinds import Kinds, distinct
from vrrp.capture.packet import Batch
from vrrp.capture.text.line import Style
from vrrp.capture.text.printer import LONGEST, packet_text, unbelieved
from vrrp.capture.text.selection import Selection
from vrrp.capture.text.stamp import CALENDAR_KINDS, Stamps

_SECOND_NS = 1_000_000_000
_REMEMBERED = 65_536


class Lines:
    """Writes the selected packets of batch after batch."""

    def __init__(
        self, style: Style, stamps: Stamps, selection: Selection, *, numbered: bool = False, most: int | None = None
    ) -> None:
        self.printed = 0
        self.hsrp = 0
        """How many of them were HSRP."""
        self._style = style
        self._stamps = stamps
        self._selection = selection
        self._numbered = numbered
        self._most = most
        self._kinds = Kinds()
        self._texts: dict[int, bytes | None] = {}
        self._repeats = not (style.verbose or style.hexadecimal or style.characters or selection.follows)

    @property
    def done(self) -> bool:
        """Whether as many packets as were asked for have been printed."""
        return self._most is not None and self.printed >= self._most

    def write(self, batch: Batch) -> bytes:
        """The text of a batch's selected packets, UTF-8."""
        if not len(batch):
            return b""
        believed = bool(((batch.sizes <= batch.lengths) & (batch.lengths <= LONGEST)).all())
        if (
            believed
            and self._repeats
            and not self._numbered
            and self._most is None
            and self._stamps.kind in CALENDAR_KINDS
        ):
            fast = self._at_once(batch)
            if fast is not None:
                return fast
        return "".join(self._one_by_one(batch)).encode()

    def _one_by_one(self, batch: Batch) -> list[str]:
        lines = []
        for packet in batch:
            if self.done:
                break
            if not self._selection.takes(packet):
                continue
            self.printed += 1
            text = unbelieved(packet)
            if not text:
                text = packet_text(packet, self._style)
                self.hsrp += _is_hsrp(text)
                text = self._stamps.write(packet.time_ns) + text
            lines.append(f"{self.printed:5d}  {text}\n" if self._numbered else f"{text}\n")
        return lines

    def _at_once(self, batch: Batch) -> bytes | None:
        """All of them; None when the stamps do not have one width."""
        kinds = self._kinds.collapse(batch)
        present, examples, inverse = distinct(kinds)
        if len(self._texts) > _REMEMBERED:
            self._texts.clear()
        for kind, example in zip(present.tolist(), examples.tolist(), strict=True):
            if kind not in self._texts:
                packet = batch.packet(example)
                chosen = self._selection.takes(packet)
                self._texts[kind] = (packet_text(packet, self._style) + "\n").encode() if chosen else None
        texts = [self._texts[kind] for kind in present.tolist()]
        times_ns = batch.times_ns
        if None in texts:
            kept = np.array([text is not None for text in texts])[inverse]
            inverse, times_ns = inverse[kept], times_ns[kept]
        counts = np.bincount(inverse, minlength=len(texts)).tolist()
        stamps = self._stamped(times_ns)
        if stamps is None:
            return None
        self.printed += len(inverse)
        self.hsrp += sum(n for n, text in zip(counts, texts, strict=True) if text is not None and _is_hsrp(str(text)))
        told = [texts[index] or b"" for index in inverse.tolist()]
        return b"".join(itertools.chain.from_iterable(zip(stamps, told, strict=True)) if stamps else told)

    def _stamped(self, times_ns: NDArray[np.int64]) -> list[bytes] | None:
        """The stamps as bytes; an empty list for none at all, None where they have not all one width."""
        if self._stamps.kind == 1 or not len(times_ns):
            return []
        seconds = times_ns // _SECOND_NS
        ticks = (times_ns - seconds * _SECOND_NS) // self._stamps.tick_ns
        digits = self._stamps.digits
        different, which = np.unique(seconds, return_inverse=True)
        before = [f"{self._stamps.second(second)}.".encode() for second in different.tolist()]
        width = len(before[0])
        if any(len(text) != width for text in before):
            return None
        rows = np.empty((len(times_ns), width + digits + 1), np.uint8)
        rows[:, :width] = np.frombuffer(b"".join(before), np.uint8).reshape(-1, width)[which]
        for place in range(width + digits - 1, width - 1, -1):
            ticks, rows[:, place] = np.divmod(ticks, 10)
        rows[:, width:-1] += ord("0")
        rows[:, -1] = ord(" ")
        stamps: list[bytes] = rows.view(f"S{rows.shape[1]}").reshape(-1).tolist()
        return stamps


def _is_hsrp(text: str) -> bool:
    return ": HSRPv" in text or ".2029 > " in text
