"""lb_kind and lvs_method: how packets reach a real server, and through which tunnel (measured)."""

from __future__ import annotations

from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.fields import IGNORES
from vrrp.config.lvs.model import Forwarding
from vrrp.config.settings import argument
from vrrp.config.tree import Statement
from vrrp.config.values import whole

_TUNNELS = ("ipip", "gue", "gre")
_CHECKSUMS = ("nocsum", "csum", "remcsum")


def forwarding(entry: Statement, server: str, report: Report) -> Forwarding | None:
    """What the line says, or None when it names no method, which is reported.

    Args:
        entry: the line.
        server: whose it is: virtual, real or sorry.
        report: takes the diagnostics.
    """
    method = argument(entry, report)
    if method is None:
        return None
    if method not in {"NAT", "DR", "TUN"}:
        told = f"PARSER : unknown [{method}] routing method for {server} server."
        report.warning(entry.line, told, f"{IGNORES}; NAT, DR or TUN would be right")
        return None
    fields, fault = _tunnel(entry.arguments[1:], server)
    if fault:
        report.warning(entry.line, fault, "keepalived ignores the tunnel")
    return Forwarding(method, **fields)  # type: ignore[arg-type]  # the set above holds what the model names


def _tunnel(words: tuple[str, ...], server: str) -> tuple[dict[str, Any], str]:
    """The fields that the words after the method set, or the first fault in them."""
    fields: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word in _CHECKSUMS:
            fields["checksum"] = word
        elif word == "type":
            fields["tunnel"] = next(rest, None)
            if fields["tunnel"] is None:
                return {}, f"Missing tunnel type for {server} server."
            if fields["tunnel"] not in _TUNNELS:
                return {}, f"Unknown tunnel type {fields['tunnel']} for {server} server."
        elif word == "port":
            text = next(rest, None)
            if text is None:
                return {}, f"Missing port for {server} server gue tunnel."
            number = whole(text, 1, 65535)
            if number.complaint:
                return {}, f"{number.complaint}: Invalid gue tunnel port {text} for {server} server."
            fields["port"] = number.value
        else:
            return {}, f"Invalid tunnel option {word} for {server} server."
    return _consistent(fields)


def _consistent(fields: dict[str, Any]) -> tuple[dict[str, Any], str]:
    tunnel, checksum = fields.get("tunnel", "ipip"), fields.get("checksum", "nocsum")
    if (tunnel == "gue") != ("port" in fields):
        return {}, "gue tunnels require port, otherwise cannot have port."
    if tunnel == "ipip" and checksum != "nocsum":
        return {}, "ipip tunnels do not support checksum option."
    if tunnel == "gre" and checksum == "remcsum":
        return {}, "gre tunnels do not support remote checksum option."
    return fields, ""
