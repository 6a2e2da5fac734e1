"""haproxy.cfg as HAProxy 2.6 reads it: lines with their words, a typed model, and what `haproxy -c` says of it."""

from __future__ import annotations

from vrrp.config.haproxy.diagnostics import HaproxyDiagnostic
from vrrp.config.haproxy.model import HaproxyModel
from vrrp.config.haproxy.outline import (
    Bind,
    HaproxyConfig,
    HaproxyLine,
    Section,
    Server,
    parse_haproxy,
    split_address,
    words_of,
)
from vrrp.config.haproxy.reader import ParsedHaproxy, load_haproxy, read_haproxy

__all__ = [
    "Bind",
    "HaproxyConfig",
    "HaproxyDiagnostic",
    "HaproxyLine",
    "HaproxyModel",
    "ParsedHaproxy",
    "Section",
    "Server",
    "load_haproxy",
    "parse_haproxy",
    "read_haproxy",
    "split_address",
    "words_of",
]
