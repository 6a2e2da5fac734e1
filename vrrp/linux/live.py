"""A live capture: a packet socket with a filter, read as batches like a file.

(packet(7), socket(7).) Times are the kernel's, in nanoseconds. A VLAN tag that the network card took off comes beside
the packet and is put back, as libpcap does.
"""

from __future__ import annotations

import ctypes
import errno
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vrrp.capture.packet import Batch, Ending, Interface
from vrrp.capture.reader import Capture, CaptureError
from vrrp.linux.packet_filter import ACCEPT, assemble, instructions

ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_STATISTICS, _PACKET_AUXDATA = 6, 8
_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_MOST_AT_ONCE = 512
_BUFFER = 8 << 20
_AUXDATA = struct.Struct("=IIIHHHH")
_TAG_VALID, _TPID_VALID = 0x10, 0x40
_TAG = 0x8100
_SECOND_NS = 1_000_000_000
_ETHERNET, _RAW_IP = 1, 101
_LINK_TYPES = {1: _ETHERNET, 772: _ETHERNET, 65534: _RAW_IP, 519: _RAW_IP}
"""ARPHRD_* of the interface -> link type: Ethernet, loopback, tunnels without a header."""
_DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)


class LiveCapture(Capture):
    """A capture that goes on until it is interrupted; then `dropped` is what the kernel had no room for."""

    dropped = 0


@contextmanager
def open_live(interface: str) -> Iterator[LiveCapture]:
    """Capture on an interface, packets in both directions. CaptureError in one line for whatever prevents it."""
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise CaptureError("capturing needs root, or the capability CAP_NET_RAW") from error
    with opened:
        link_type = _bind(opened, interface)
        capture = LiveCapture(
            interface, _batches(opened, link_type), [Interface(link_type, ACCEPT, _SECOND_NS, interface)], Ending()
        )
        try:
            yield capture
        finally:
            _, capture.dropped = struct.unpack("=II", opened.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))


def _bind(opened: socket.socket, interface: str) -> int:
    # Nothing passes until the real filter is there: what came in between is thrown away.
    _attach(opened, _DROP_ALL)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    opened.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
    try:
        opened.bind((interface, ETH_P_ALL))
    except OSError as error:
        what = "there is no such interface" if error.errno == errno.ENODEV else (error.strerror or str(error)).lower()
        raise CaptureError(what) from error
    hardware = opened.getsockname()[3]
    if hardware not in _LINK_TYPES:
        raise CaptureError(f"an interface of hardware type {hardware}; Ethernet and raw IP are read")
    link_type = _LINK_TYPES[hardware]
    if link_type == _ETHERNET:
        _attach(opened, assemble(instructions()))
    else:
        _attach(opened, struct.pack("=HBBI", 0x06, 0, 0, ACCEPT))
    return link_type


def _attach(opened: socket.socket, program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program, len(program))
    opened.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    )


def _batches(opened: socket.socket, link_type: int) -> Iterator[Batch]:
    number = 1
    while True:
        select.select([opened], [], [])
        rows: list[tuple[int, bytes, int]] = []
        while len(rows) < _MOST_AT_ONCE:
            try:
                data, beside, _, _ = opened.recvmsg(ACCEPT, 256, socket.MSG_DONTWAIT | socket.MSG_TRUNC)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise
                return  # the interface is gone; what was captured is whole
            rows.append(_row(data, beside))
        if rows:
            yield _batch(rows, number, link_type)
            number += len(rows)


def _row(data: bytes, beside: list[tuple[int, int, bytes]]) -> tuple[int, bytes, int]:
    """Time, bytes and length of a packet, out of what came with it."""
    time_ns, length = 0, len(data)
    for level, kind, value in beside:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, rest = struct.unpack("@ll", value[:16])
            time_ns = seconds * _SECOND_NS + rest
        elif level == _SOL_PACKET and kind == _PACKET_AUXDATA and len(value) >= _AUXDATA.size:
            status, length, _, _, _, tag, protocol = _AUXDATA.unpack_from(value)
            if (tag or status & _TAG_VALID) and len(data) >= 12:
                ethertype = protocol if status & _TPID_VALID else _TAG
                data = data[:12] + struct.pack("!HH", ethertype, tag) + data[12:]
                length += 4
    return time_ns, data, length


def _batch(rows: list[tuple[int, bytes, int]], number: int, link_type: int) -> Batch:
    sizes = np.array([len(data) for _, data, _ in rows], np.int64)
    count = len(rows)
    return Batch(
        b"".join(data for _, data, _ in rows),
        number,
        np.concatenate(([0], np.cumsum(sizes)[:-1])),
        sizes,
        np.array([length for _, _, length in rows], np.int64),
        np.array([time_ns for time_ns, _, _ in rows], np.int64),
        np.full(count, link_type, np.int32),
        np.zeros(count, np.int32),
    )


def interfaces() -> list[str]:
    """The names of this machine's interfaces."""
    return sorted(path.name for path in Path("/sys/class/net").iterdir())
