"""The lines of virtual_ipaddress and virtual_ipaddress_excluded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.model import Address, VirtualAddress
from vrrp.config.tree import Statement
from vrrp.config.values import UNSIGNED_MAX, address, whole

_LONGEST_LABEL = 15
_LEFT_OUT = "keepalived leaves the address out"
_SCOPES = frozenset({"global", "host", "link", "nowhere", "site"})
# Words that only tell the kernel how to hold the address.
_FLAGS = frozenset({"-nodad", "autojoin", "home", "mngtmpaddr", "noprefixroute"})


@dataclass(slots=True)
class _Draft:
    address: Address
    prefix: int
    text: str
    line: int
    prefix_given: bool
    device: str | None = None
    broadcast_text: str = ""
    label: str | None = None
    scope: str | None = None
    peer: Address | None = None
    no_track: bool = False
    use_vmac: bool = False
    preferred_lifetime_s: int | None = None
    dropped: bool = False


def read_address(text: str, line: int, report: Report) -> tuple[Address, int, bool] | None:
    """ADDRESS[/PREFIX] as keepalived reads it.

    Returns:
        The address, its prefix (32 or 128 when absent or bad) and whether one was given; None when the address is
        none, which is reported.
    """
    host, slash, bits = text.partition("/")
    found = address(host)
    width: int = found.max_prefixlen if found else 32
    prefix = width
    number = whole(bits, 0, width)
    if slash and number.complaint:
        report.warning(
            line,
            f"{number.complaint}: Invalid address prefix len {bits} for address {text} - using {width}",
            f"keepalived uses /{width}",
        )
    elif slash and number.value is not None:
        prefix = number.value
    if found is None:
        report.error(line, f"VRRP parsed invalid IP {text}. skipping IP...", "keepalived leaves it out")
        return None
    return found, prefix, bool(slash)


def virtual_address(statement: Statement, interfaces: Interfaces, report: Report) -> VirtualAddress | None:
    """One line of a virtual_ipaddress block, or None when keepalived leaves it out, which is reported.

    Args:
        statement: the line.
        interfaces: those that there are.
        report: takes the diagnostics.
    """
    text = statement.words[0]
    parsed = read_address(text, statement.line, report)
    if parsed is None:
        return None
    draft = _Draft(parsed[0], parsed[1], text, statement.line, parsed[2])
    words = iter(statement.arguments)
    for word in words:
        if word in _OPTIONS:
            value = next(words, None)
            if value is None:
                report.error(draft.line, f"No {word} parameter specified for {text}", _LEFT_OUT)
                return None
            _OPTIONS[word](draft, value, interfaces, report)
            if draft.dropped:
                return None
        elif word == "no_track":
            draft.no_track = True
        elif word == "use_vmac":
            draft.use_vmac = True
        elif word not in _FLAGS:
            _unknown(draft, word, report)
    broadcast = _settle(draft, report)
    return VirtualAddress(
        draft.address,
        draft.prefix,
        draft.device,
        broadcast,
        draft.label,
        draft.scope,
        draft.peer,
        draft.no_track,
        draft.use_vmac,
        draft.line,
        draft.preferred_lifetime_s,
    )


def _unknown(draft: _Draft, word: str, report: Report) -> None:
    message = f"Unknown configuration entry '{word}' for ip address - ignoring"
    report.warning(draft.line, message, "keepalived ignores the word")


def _device(draft: _Draft, value: str, interfaces: Interfaces, report: Report) -> None:
    if draft.device is not None:
        message = f"Cannot specify ipaddress device more than once for {draft.text}"
    elif not interfaces.have(value):
        message = f"WARNING - interface {value} for ip address {draft.text} doesn't exist"
    else:
        draft.device = value
        return
    draft.dropped = True
    report.error(draft.line, message, _LEFT_OUT)


def _label(draft: _Draft, value: str, _interfaces: Interfaces, report: Report) -> None:
    if len(value) > _LONGEST_LABEL:
        draft.dropped = True
        message = f"Address label {value} is longer than maximum length {_LONGEST_LABEL} - removing address"
        report.error(draft.line, message, _LEFT_OUT)
    elif draft.address.version == 6:
        message = f"Cannot specify label for IPv6 addresses ({draft.text}) - ignoring label"
        report.warning(draft.line, message, "the address has no label")
    else:
        draft.label = value


def _scope(draft: _Draft, value: str, _interfaces: Interfaces, report: Report) -> None:
    if value not in _SCOPES and whole(value, 0, 255).complaint:
        message = f"Invalid scope '{value}' specified for {draft.text} - ignoring"
    elif draft.address.version == 6 and value not in {"global", "0"}:
        message = f"Cannot specify scope for IPv6 addresses ({draft.text}) - ignoring scope"
    else:
        draft.scope = value
        return
    report.warning(draft.line, message, "keepalived uses scope global")


def _preferred_lifetime(draft: _Draft, value: str, _interfaces: Interfaces, report: Report) -> None:
    number = whole(value, 0, UNSIGNED_MAX)
    if value == "forever":
        draft.preferred_lifetime_s = UNSIGNED_MAX
    elif not number.complaint:
        draft.preferred_lifetime_s = number.value
    else:
        report.warning(
            draft.line,
            f"{number.complaint}: preferred_lft {value} is invalid",
            "keepalived ignores the word",
        )


def _broadcast(draft: _Draft, value: str, _interfaces: Interfaces, report: Report) -> None:
    if not isinstance(draft.address, IPv4Address):
        message = (
            f"VRRP is trying to assign a broadcast brd to the IPv6 address {draft.text} !!?? WTF... skipping VIP..."
        )
    elif value in {"+", "-"} or isinstance(address(value), IPv4Address):
        draft.broadcast_text = value
        return
    else:
        message = f"VRRP is trying to assign invalid broadcast {value}. skipping VIP..."
    draft.dropped = True
    report.error(draft.line, message, _LEFT_OUT)


def _peer(draft: _Draft, value: str, _interfaces: Interfaces, report: Report) -> None:
    if draft.peer is not None:
        message = f"Peer {value} - another peer has already been specified"
        report.warning(draft.line, message, "keepalived uses the first")
        _unknown(draft, value, report)
        return
    found = address(value)
    if found is None:
        message = f"VRRP parsed invalid IP {value}. skipping IP...: Invalid peer address {value}"
    elif found.version != draft.address.version:
        message = f"Peer address {value} does not match address family"
    else:
        draft.peer = found
        return
    report.warning(draft.line, message, "keepalived ignores the peer")


def _settle(draft: _Draft, report: Report) -> IPv4Address | None:
    """Set the prefix that the peer asks for; returns the broadcast address."""
    text = draft.broadcast_text
    if draft.peer is not None:
        if draft.prefix_given:
            report.warning(
                draft.line,
                "Cannot specify address prefix when specifying peer address - ignoring",
                f"keepalived uses /{draft.peer.max_prefixlen}",
            )
        draft.prefix = draft.peer.max_prefixlen
        if text:
            report.warning(
                draft.line,
                "Cannot specify broadcast and peer addresses - ignoring broadcast address",
                "keepalived sets no broadcast address",
            )
        return None
    if not text:
        return None
    if text not in {"+", "-"}:
        return IPv4Address(text)
    if draft.prefix >= 31:
        report.warning(
            draft.line,
            f"Address prefix length {draft.prefix} too long for broadcast",
            "keepalived sets no broadcast address",
        )
        return None
    network = IPv4Network((int(draft.address), draft.prefix), strict=False)
    return network.broadcast_address if text == "+" else network.network_address


_OPTIONS: Mapping[str, Callable[[_Draft, str, Interfaces, Report], None]] = {
    "brd": _broadcast,
    "broadcast": _broadcast,
    "dev": _device,
    "label": _label,
    "peer": _peer,
    "preferred_lft": _preferred_lifetime,
    "scope": _scope,
}
