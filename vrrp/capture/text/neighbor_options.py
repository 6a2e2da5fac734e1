"""The options of neighbor discovery (RFC 4861, 4191, 8106, 6275), as tcpdump -v prints them.

destination link-address option (2), length 8 (1): 00:00:5e:00:02:33
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vrrp.capture.text.domain_name import DomainNames
from vrrp.capture.text.hexdump import hexadecimal_dump
from vrrp.capture.text.line import Line, View

_UNIT = 8
_PREFIX_FLAGS = ((0x80, "onlink"), (0x40, "auto"), (0x20, "router"))
_PREFERENCES = ("medium", "high", "rsv", "low")
_FOREVER = 0xFFFFFFFF
_WIDTH = 16
_PREFIX_UNITS = 4
_MOST_ROUTE_UNITS = 3


@dataclass(frozen=True, slots=True)
class _Option:
    """One option, whole, and what its text is made of."""

    line: Line
    view: View
    first: int
    """Where the options start."""
    at: int
    units: int
    """Its size by 8 bytes, at least 1."""
    names: DomainNames

    @property
    def end(self) -> int:
        return self.at + self.units * _UNIT

    def number(self, offset: int, size: int = 1) -> int:
        """A field of it; past its end it is read on, as tcpdump does. Raises Cut."""
        return self.view.number(self.at + offset, size)

    def address(self, offset: int) -> str:
        """An IPv6 address within it. Raises Cut."""
        return self.line.style.names.address(self.view.bytes(self.at + offset, _WIDTH))

    def dump(self, margin: str) -> None:
        """Its bytes behind kind and size."""
        self.line.add(_rows(self.view.bytes(self.at + 2, self.units * _UNIT - 2), margin))


def print_options(line: Line, view: View, first: int) -> bool:
    """The options from `first` on; False where the packet ends within one, or makes no sense. Raises Cut."""
    at = first
    names = DomainNames(line, view, first)
    while at < view.end:
        units = view.number(at + 1) if view.has(at + 1, 1) else 0
        if not units or not view.has(at, units * _UNIT):
            return False
        kind = view.number(at)
        name, printer = _KINDS.get(kind, ("unknown", None))
        line.add(f"\n\t  {name} option ({kind}), length {units * _UNIT} ({units}): ")
        option = _Option(line, view, first, at, units, names)
        if printer is None:
            if line.style.verbose == 1:
                option.dump("\n\t  ")
                return True
        elif not printer(option):
            return False
        if line.style.verbose > 1:
            option.dump("\n\t    ")
        at = option.end
    return True


def _rows(data: bytes, margin: str) -> str:
    return hexadecimal_dump(data).replace("\n\t", margin)


def _link_address(option: _Option) -> bool:
    option.line.add(option.view.bytes(option.at + 2, option.units * _UNIT - 2).hex(":"))
    return True


def _prefix(option: _Option) -> bool:
    flags = option.number(3)
    option.line.add(
        f"{option.address(16)}/{option.number(2)}{'badlen' * (option.units != _PREFIX_UNITS)}, "
        f"Flags [{', '.join(name for bit, name in _PREFIX_FLAGS if flags & bit) or 'none'}], "
        f"valid time {_lifetime(option.number(4, 4))}, pref. time {_lifetime(option.number(8, 4))}"
    )
    return True


def _redirected(option: _Option) -> bool:
    # tcpdump shows so many bytes, but from the first option on.
    start = option.first
    data = option.view.bytes(start, min(option.units * _UNIT, option.view.end - start))
    option.line.add(_rows(data, "\n\t    "))
    return True


def _mtu(option: _Option) -> bool:
    option.line.add(f" {option.number(4, 4)}{'bad option length' * (option.units != 1)}")
    return True


def _interval(option: _Option) -> bool:
    option.line.add(f" {option.number(4, 4)}ms")
    return True


def _home_agent(option: _Option) -> bool:
    option.line.add(f" preference {option.number(4, 2)}, lifetime {option.number(6, 2)}")
    return True


def _route(option: _Option) -> bool:
    if option.units > _MOST_ROUTE_UNITS:
        return False
    packed = option.view.bytes(option.at + _UNIT, (option.units - 1) * _UNIT).ljust(_WIDTH, b"\0")
    option.line.add(
        f" {option.line.style.names.address(packed)}/{option.number(2)}, "
        f"pref={_PREFERENCES[option.number(3) >> 3 & 3]}, lifetime={_lifetime(option.number(4, 4))}"
    )
    return True


def _servers(option: _Option) -> bool:
    option.line.add(f" lifetime {option.number(4, 4)}s,")
    for place in range((option.units - 1) // 2):
        option.line.add(f" addr: {option.address(_UNIT + _WIDTH * place)}")
    return True


def _domains(option: _Option) -> bool:
    option.line.add(f" lifetime {option.number(4, 4)}s, domain(s):")
    at: int | None = option.at + _UNIT
    while at is not None and at < option.end and option.view.number(at):
        option.line.add(" ")
        at = option.names.add(at)
    return at is not None


def _lifetime(seconds: int) -> str:
    return "infinity" if seconds == _FOREVER else f"{seconds}s"


_KINDS: dict[int, tuple[str, Callable[[_Option], bool]]] = {
    1: ("source link-address", _link_address),
    2: ("destination link-address", _link_address),
    3: ("prefix info", _prefix),
    4: ("redirected header", _redirected),
    5: ("mtu", _mtu),
    7: ("advertisement interval", _interval),
    8: ("homeagent information", _home_agent),
    24: ("route info", _route),
    25: ("rdnss", _servers),
    31: ("dnssl", _domains),
}
