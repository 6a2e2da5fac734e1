"""haproxy.cfg as HAProxy 2.6 reads it: lines with their words, a typed model, and what `haproxy -c` says of it."""

from __future__ import annotations

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

__all__ = ["Bind", "HaproxyConfig", "HaproxyLine", "Section", "Server", "parse_haproxy", "split_address", "words_of"]
