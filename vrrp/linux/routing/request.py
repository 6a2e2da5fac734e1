"""What the kernel is asked for a line of routes or rules, or why it cannot be asked."""

from __future__ import annotations

import struct
from collections.abc import Callable

from vrrp.config.routing.model import Route, Rule
from vrrp.linux.routing.route_message import route_request
from vrrp.linux.routing.rule_message import rule_request


def request(line: Route | Rule, index_of: Callable[[str], int]) -> bytes:
    """The body of the message; see `route_request` and `rule_request`."""
    return route_request(line, index_of) if isinstance(line, Route) else rule_request(line)


def refusal(line: Route | Rule) -> str | None:
    """Why a line cannot be asked for, whatever interfaces there are; None for one that can."""
    try:
        request(line, lambda name: 1)
    except (ValueError, struct.error) as error:
        return f"{'route' if isinstance(line, Route) else 'rule'} {line.text}: {error}"
    return None
