"""virtual_server blocks and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vrrp.config.lvs.completion import derived_family
from vrrp.config.lvs.endpoints import ServiceAddress
from vrrp.config.lvs.model import (
    BfdCheck,
    Checker,
    Connection,
    DnsCheck,
    FileCheck,
    Forwarding,
    GroupAddresses,
    MiscCheck,
    PingCheck,
    RealServer,
    SmtpCheck,
    SslContext,
    TcpCheck,
    UdpCheck,
    Url,
    VirtualServer,
    VirtualServerGroup,
    WebCheck,
)
from vrrp.config.values import SECOND_NS
from vrrp.config.writer.text import block, command, on_off, seconds, statement, word, words

_CONNECTION = Connection()
_FAMILIES = {4: "inet", 6: "inet6"}


def server_block(one: VirtualServer) -> Iterator[str]:
    """A virtual server. What it says for all its checkers is said at each of them."""
    method = one.real_servers[0].forwarding
    lines = ["alpha"] if one.alpha else []
    if one.family != derived_family(one.address, one.real_servers, one.sorry_server):
        lines.append(f"ip_family {_FAMILIES[one.family]}")
    lines += [f"lvs_sched {one.scheduler}", *sorted(one.scheduler_flags)]
    lines.append(statement("lvs_method", _forwarding(method)))
    lines += [f"protocol {one.protocol}"] if one.protocol else []
    lines += ["ops"] if one.one_packet else []
    lines += [*_fields(one, _SERVER), *_commands(one, "quorum_up", "quorum_down")]
    if one.quorum > 1:
        lines.append(f"quorum {one.quorum}")
    if 0 < one.hysteresis < one.quorum:
        lines.append(f"hysteresis {one.hysteresis}")
    lines += [flag for flag in ("omega", "ha_suspend") if getattr(one, flag)]
    if one.sorry_server is not None:
        lines.append(statement("sorry_server", _endpoint(one.sorry_server.address)))
        lines += ["sorry_server_inhibit"] if one.sorry_server.inhibit else []
        lines += _own_forwarding("sorry_server_lvs_method", one.sorry_server.forwarding, method)
    servers = (line for real in one.real_servers for line in _real_server(real, method, one.alpha))
    return block(statement("virtual_server", _endpoint(one.address)), lines, servers)


def server_group_block(group: VirtualServerGroup) -> Iterator[str]:
    """A virtual_server_group."""
    return block(statement("virtual_server_group", word(group.name)), map(_entry, group.entries))


def ssl_block(context: SslContext) -> Iterator[str]:
    """The SSL block."""
    return block("SSL", _fields(context, _SSL, **dict.fromkeys(_SSL)))


def _endpoint(address: ServiceAddress) -> str:
    if address.group is not None:
        return statement("group", word(address.group))
    if address.fwmark is not None:
        return statement("fwmark", address.fwmark)
    return statement(address.address, address.port or "")


def _entry(entry: GroupAddresses) -> str:
    if entry.fwmark is not None:
        return statement("fwmark", entry.fwmark, _FAMILIES[entry.family] if entry.family else "")
    span = entry.first if entry.first == entry.last else f"{entry.first}-{entry.last}"
    return statement(span, entry.port or "")


def _forwarding(method: Forwarding) -> str:
    if (method.tunnel, method.checksum) == ("ipip", "nocsum"):
        return method.method
    port = "" if method.port is None else f"port {method.port}"
    return statement(method.method, "type", method.tunnel, port, method.checksum)


def _own_forwarding(keyword: str, own: Forwarding, usual: Forwarding) -> Iterator[str]:
    if own != usual:
        yield statement(keyword, _forwarding(own))


# The field of the model -> the line that sets it, for what is written when it is not the usual.
Fields = Mapping[str, Callable[[Any], str]]


def _fields(one: object, table: Fields, **usual: object) -> Iterator[str]:
    """The lines for the fields that are not as usual, by default as the class has them."""
    for name, line in table.items():
        value = getattr(one, name)
        if value != usual.get(name, _default(one, name)):
            yield line(value)


def _default(one: object, name: str) -> object:
    return type(one).__dataclass_fields__[name].default  # type: ignore[attr-defined]  # it is a dataclass


def _worded(keyword: str) -> Callable[[Any], str]:
    return lambda value: statement(keyword, word(value))


def _plain(keyword: str) -> Callable[[Any], str]:
    return lambda value: statement(keyword, value)


def _timed(keyword: str) -> Callable[[Any], str]:
    return lambda value: statement(keyword, seconds(value))


def _switched(keyword: str) -> Callable[[Any], str]:
    return lambda value: statement(keyword, on_off(value))


def _run(keyword: str) -> Callable[[Any], str]:
    return lambda value: statement(keyword, command(value))


_COMMON: Fields = {
    "smtp_alert": _switched("smtp_alert"),
    "virtual_host": _worded("virtualhost"),
    "snmp_name": _worded("snmp_name"),
}
_SERVER: Fields = {
    "persistence_ns": lambda value: statement("persistence_timeout", value // SECOND_NS),
    "persistence_granularity": _plain("persistence_granularity"),
    "persistence_engine": _worded("persistence_engine"),
    **_COMMON,
}
_REAL: Fields = {
    "weight": _plain("weight"),
    "upper_connections": _plain("uthreshold"),
    "lower_connections": _plain("lthreshold"),
    "inhibit": _switched("inhibit_on_failure"),
    **_COMMON,
}
_TIMING: Fields = {
    "retries": _plain("retry"),
    "retry_delay_ns": _timed("delay_before_retry"),
    "interval_ns": _timed("delay_loop"),
    "warmup_ns": _timed("warmup"),
    "alpha": _switched("alpha"),
    "log_all_failures": _switched("log_all_failures"),
}
_CONNECTING: Fields = {
    "address": _plain("connect_ip"),
    "port": _plain("connect_port"),
    "source": _plain("bindto"),
    "source_port": _plain("bind_port"),
    "interface": _worded("bind_if"),
    "fwmark": _plain("fwmark"),
    "timeout_ns": _timed("connect_timeout"),
}
_SSL: Fields = {keyword: _worded(keyword) for keyword in ("password", "ca", "certificate", "key")}
_WEB: Fields = {
    "version": _plain("http_protocol"),
    "virtual_host": _worded("virtualhost"),
    "fast_recovery": _switched("fast_recovery"),
    "enable_sni": _switched("enable_sni"),
}
_MISC: Fields = {
    "command": _run("misc_path"),
    "timeout_ns": lambda value: statement("misc_timeout", value // SECOND_NS),
    "dynamic": lambda _: "misc_dynamic",
    "user": _plain("user"),
}
_NAMES: Mapping[type[Checker], str] = {
    BfdCheck: "BFD_CHECK",
    DnsCheck: "DNS_CHECK",
    FileCheck: "FILE_CHECK",
    MiscCheck: "MISC_CHECK",
    PingCheck: "PING_CHECK",
    SmtpCheck: "SMTP_CHECK",
    TcpCheck: "TCP_CHECK",
    UdpCheck: "UDP_CHECK",
}
# What a kind has where nothing is said, other than the class.
_USUAL: Mapping[type[Checker], Mapping[str, object]] = {
    DnsCheck: {"retries": 3},
    MiscCheck: {"retries": 0},
    WebCheck: {"retry_delay_ns": 3 * SECOND_NS},
}


def _real_server(one: RealServer, method: Forwarding, alpha: bool) -> Iterator[str]:
    lines = [*_own_forwarding("lvs_method", one.forwarding, method), *_fields(one, _REAL)]
    lines += _commands(one, "notify_up", "notify_down")
    checkers = (line for checker in one.checkers for line in _checker(checker, alpha))
    return block(statement("real_server", _endpoint(one.address)), lines, checkers)


def _commands(one: VirtualServer | RealServer, *keywords: str) -> Iterator[str]:
    for keyword in keywords:
        named = getattr(one, keyword)
        if named is not None:
            yield statement(keyword, command(named), one.notify_users.get(keyword, ""))


def _checker(one: Checker, alpha: bool) -> Iterator[str]:
    name = one.protocol if isinstance(one, WebCheck) else _NAMES[type(one)]
    timing: list[str] = []
    if not isinstance(one, FileCheck):
        table = {"alpha": _TIMING["alpha"]} if isinstance(one, BfdCheck) else _TIMING
        usual = {**_USUAL.get(type(one), {}), "alpha": alpha, "warmup_ns": one.interval_ns}
        timing += _fields(one, table, **usual)
    connection = getattr(one, "connection", None)
    lines = [] if connection is None else list(_fields(connection, _CONNECTING))
    return block(name, lines, timing, _own(one))


def _own(one: Checker) -> Iterator[str]:
    """What only this kind of checker has."""
    if isinstance(one, WebCheck):
        yield from _fields(one, _WEB)
        yield from (line for url in one.urls for line in _url(url))
    elif isinstance(one, SmtpCheck):
        yield from _fields(one, {"helo_name": _worded("helo_name")})
        yield from (line for host in one.hosts for line in block("host", _fields(host, _CONNECTING)))
    elif isinstance(one, DnsCheck):
        yield from _fields(one, {"record_type": _plain("type"), "name": _worded("name")})
    elif isinstance(one, MiscCheck):
        yield from _fields(one, _MISC)
    elif isinstance(one, UdpCheck):
        yield from _udp(one)
    elif isinstance(one, FileCheck):
        yield statement("track_file", word(one.track_file))
        if one.weight is not None:
            yield statement("weight", one.weight, "reverse" if one.reverse else "")
    elif isinstance(one, BfdCheck):
        yield statement("name", word(one.name))


def _url(url: Url) -> Iterator[str]:
    codes = (str(low) if low == high else f"{low}-{high}" for low, high in url.status_codes)
    lines = [statement("path", word(url.path))]
    lines += [statement("digest", digest.hex()) for digest in url.digests]
    lines += [statement("status_code", *codes)] if url.status_codes else []
    lines += _fields(url, {"virtual_host": _worded("virtualhost")})
    lines += [statement(keyword, words(text)) for keyword, text in url.options]
    return block("url", lines)


def _udp(one: UdpCheck) -> Iterator[str]:
    if one.payload is not None:
        yield f"payload {one.payload.hex()}"
    if one.reply_required:
        digits = zip(one.reply.hex(), one.reply_mask.hex(), strict=True)
        yield statement("require_reply", "".join(digit if mask == "f" else "x" for digit, mask in digits))
    yield from _fields(
        one, {"min_reply_octets": _plain("min_reply_length"), "max_reply_octets": _plain("max_reply_length")}
    )
