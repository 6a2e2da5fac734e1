"""The options of an IPv4 header, as tcpdump -v prints them, and where a source route ends.

options (RA)
options (NOP,LSRR 192.0.2.1, 192.0.2.2,EOL)
"""

from __future__ import annotations

from vrrp.capture.text.line import Line, View

_END, _NOP = 0, 1
_RECORD_ROUTE, _LOOSE_ROUTE, _STRICT_ROUTE, _TIMESTAMP, _ROUTER_ALERT = 7, 131, 137, 68, 148
_NAMES = {
    _END: "EOL",
    _NOP: "NOP",
    _TIMESTAMP: "timestamp",
    130: "security",
    _RECORD_ROUTE: "RR",
    _STRICT_ROUTE: "SSRR",
    _LOOSE_ROUTE: "LSRR",
    _ROUTER_ALERT: "RA",
    82: "traceroute",
}
_ROUTES = {_RECORD_ROUTE, _LOOSE_ROUTE, _STRICT_ROUTE}
_SOURCE_ROUTES = {_LOOSE_ROUTE, _STRICT_ROUTE}
_SMALLEST_ROUTE = 7
_STAMPS_ONLY = 0
_STAMPS = {_STAMPS_ONLY: "TSONLY", 1: "TS+ADDR", 3: "PRESPEC"}


def print_options(line: Line, view: View, at: int, length: int) -> bool:
    """The options in `length` bytes at `at`; False where the packet ends within one.

    Raises Cut where it ends before the size of one.
    """
    separator = ""
    while length > 0:
        line.add(separator)
        separator = ","
        code = view.number(at)
        line.add(_NAMES.get(code, f"unknown {code}"))
        size = 1 if code in {_END, _NOP} else view.number(at + 1)
        if size > length or (size < 2 and code not in {_END, _NOP}):
            line.add(f" [bad length {size}]")
            return True
        if not view.has(at, size):
            return False
        if code == _END:
            return True
        if code == _ROUTER_ALERT:
            _router_alert(line, view, at, size)
        elif (code == _TIMESTAMP and not _timestamps(line, view, at, size)) or (
            code in _ROUTES and not _route(line, view, at, size)
        ):
            return False
        length -= size
        at += size
    return True


def final_destination(view: View, at: int, length: int, destination: bytes) -> bytes:
    """Where a source route among the options ends; `destination` without one."""
    while length > 0 and view.has(at, 1):
        code = view.number(at)
        size = 1 if code == _NOP else 0
        if code not in {_END, _NOP} and view.has(at + 1, 1):
            size = view.number(at + 1)
        if not size or size > length or (size < 2 and code != _NOP) or not view.has(at, size):
            break
        if code in _SOURCE_ROUTES and size >= _SMALLEST_ROUTE:
            return view.bytes(at + size - 4, 4)
        length -= size
        at += size
    return destination


def _router_alert(line: Line, view: View, at: int, size: int) -> None:
    if size < 4:
        line.add(f" [bad length {size}]")
    elif view.number(at + 2, 2):
        line.add(f" value {view.number(at + 2, 2)}")


def _place(pointer: int) -> int:
    """Where within the option a pointer points, counted from 0; tcpdump counts without sign."""
    return (pointer - 1) & 0xFFFFFFFF


def _route(line: Line, view: View, at: int, size: int) -> bool:
    if size < 3:
        line.add(f" [bad length {size}]")
        return True
    if (size + 1) & 3:
        line.add(f" [bad length {size}]")
    pointer = view.number(at + 2)
    place = _place(pointer)
    if place < 3 or (place + 1) & 3 or place > size + 1:
        line.add(f" [bad ptr {pointer}]")
    for position in range(3, size, 4):
        if not view.has(at + position, 4):
            return False
        line.add(f" {line.style.names.address(view.bytes(at + position, 4))}")
        if place > position:
            line.add(",")
    return True


def _timestamps(line: Line, view: View, at: int, size: int) -> bool:
    if size < 4:
        line.add(f"[bad length {size}]")
        return True
    line.add(" TS{")
    kind, missed = view.number(at + 3) & 15, view.number(at + 3) >> 4
    step = 4 if kind == _STAMPS_ONLY else 8
    if (size - 4) & (step - 1):
        line.add(f"[bad length {size}]")
    pointer = view.number(at + 2)
    place = _place(pointer)
    if place < 4 or (place - 4) & (step - 1) or place > size + 1:
        line.add(f"[bad ptr {pointer}]")
    position = 0
    if kind in _STAMPS:
        line.add(_STAMPS[kind])
        position = 4
        while position < size:
            if not view.has(at + position, step):
                return False
            address = "" if step == 4 else line.style.names.address(view.bytes(at + position, 4))
            line.add(f"{' ^ ' if place == position else ' '}{view.number(at + position + step - 4, 4)}@{address}")
            position += step
    else:
        line.add(f"[bad ts type {kind}]")
    line.add(" ^ " if place == position else "")
    line.add(f" [{missed} hops not recorded]}} " if missed else "}")
    return True
