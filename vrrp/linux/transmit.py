"""A capture put on the wire again, with the timing it was captured with."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vrrp.capture.frames import ETHERNET, LINK_NAMES
from vrrp.capture.reader import Capture, CaptureError
from vrrp.capture.rewrite import Rewrite

_SPIN_NS = 200_000
"""The last of a wait is spent looking at the clock: a sleep ends late, by more than that on a busy machine."""


LONGEST_GAP_NS = 3_600_000_000_000
"""A longer gap, or one backwards, is the capture's clock that was set, not an hour in which nobody advertised."""


@dataclass(slots=True)
class SentReport:
    """What became of a capture's packets."""

    sent: int = 0
    cut: int = 0
    """Not sent: the capture holds only their beginning."""
    too_long: int = 0
    """Not sent: longer than the interface takes."""
    jumps: int = 0
    """Gaps that were left out: the capture's clock jumped."""
    worst_late_ns: int = 0
    """How far behind its time the latest packet left."""

    def __str__(self) -> str:
        text = f"{self.sent} packet{'s' * (self.sent != 1)} sent, the latest {self.worst_late_ns / 1e6:.3f} ms late"
        if self.cut:
            text += f"; {self.cut} not sent, of which the capture holds only the beginning"
        if self.too_long:
            text += f"; {self.too_long} not sent, too long for the interface"
        if self.jumps:
            text += f"; {self.jumps} gap{'s' * (self.jumps != 1)} of over an hour, or backwards, left out"
        return text


def send_capture(
    capture: Capture,
    interface: str,
    *,
    speed: float = 1.0,
    rewrite: Mapping[bytes, bytes] | None = None,
    progress: Callable[[SentReport], None] = lambda report: None,
) -> SentReport:
    """Send a capture's Ethernet frames on an interface, `speed` times as fast as they came.

    `rewrite` replaces addresses (see `vrrp.capture.rewrite`). CaptureError in one line for what prevents it: no such
    interface, no right to, packets of another link layer, an interface that goes down.
    """
    rewriter = Rewrite(rewrite or {})
    report = SentReport()
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise CaptureError("sending needs root, or the capability CAP_NET_RAW") from error
    with opened:
        try:
            opened.bind((interface, 0))
        except OSError as error:
            reason = "there is no such interface" if error.errno == errno.ENODEV else (error.strerror or str(error))
            raise CaptureError(f"{interface}: {reason.lower()}") from error
        due_ns, earlier_ns = time.monotonic_ns(), None
        for packet in capture:
            if packet.link_type != ETHERNET:
                name = LINK_NAMES.get(packet.link_type, f"link type {packet.link_type}")
                raise CaptureError(f"packet {packet.number} is {name}; only Ethernet frames can be sent")
            if len(packet.data) < packet.length:
                report.cut += 1
                continue
            gap_ns = 0 if earlier_ns is None else packet.time_ns - earlier_ns
            earlier_ns = packet.time_ns
            if 0 <= gap_ns <= LONGEST_GAP_NS:
                due_ns += round(gap_ns / speed)
            else:
                report.jumps += 1
            _wait_until(due_ns)
            try:
                opened.send(rewriter.frame(packet.data))
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise CaptureError(f"{interface}: {(error.strerror or str(error)).lower()}") from error
                report.too_long += 1
                continue
            report.sent += 1
            report.worst_late_ns = max(report.worst_late_ns, time.monotonic_ns() - due_ns)
            progress(report)
    return report


def _wait_until(due_ns: int) -> None:
    while (left_ns := due_ns - time.monotonic_ns()) > 0:
        if left_ns > _SPIN_NS:
            time.sleep((left_ns - _SPIN_NS) / 1e9)
