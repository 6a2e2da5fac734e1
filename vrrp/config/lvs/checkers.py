"""The checkers of a real_server: TCP_CHECK and the others that are no web checkers (measured)."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.fields import IGNORES, Field, choice, integer, presence, set_field, switch, timer, unsigned, word
from vrrp.config.language.words import shown_command
from vrrp.config.lvs.endpoints import host_address
from vrrp.config.lvs.model import (
    BfdCheck,
    Checker,
    Connection,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from vrrp.config.script_security import Identity, ScriptUsers
from vrrp.config.settings import argument, command
from vrrp.config.tree import Block, Statement
from vrrp.config.values import LONGEST_US, SECOND_NS, UNSIGNED_MAX, Address, octets, whole

_LONGEST_INTERFACE = 15
_LONGEST_S = 4294
_HIGHEST_FILE_WEIGHT = 2**31 - 1
_RECORD_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA")

_PORT = (1, 65535)
_TIMING: Mapping[str, Field] = {
    "alpha": Field("alpha", switch("Invalid alpha parameter {value}")),
    "delay_before_retry": Field(
        "retry_delay_ns", timer(0, LONGEST_US, "Invalid delay_before_retry connection value '{value}'")
    ),
    "delay_loop": Field("interval_ns", timer(1, LONGEST_US, "delay_loop '{value}' is invalid - ignoring")),
    "log_all_failures": Field("log_all_failures", switch("Invalid log_all_failures parameter {value}")),
    "retry": Field("retries", unsigned("Invalid retry connection value '{value}'")),
    "warmup": Field("warmup_ns", timer(0, LONGEST_US, "Invalid warmup connection value '{value}'")),
}
_CONNECTION: Mapping[str, Field] = {
    "bind_port": Field("source_port", integer(*_PORT, "Invalid checker bind_port '{value}'")),
    "connect_port": Field("port", integer(*_PORT, "Invalid checker connect_port '{value}'")),
    "connect_timeout": Field("timeout_ns", timer(1, UNSIGNED_MAX, "connect_timeout {value} invalid - ignoring")),
    "fwmark": Field("fwmark", unsigned("Invalid fwmark connection value '{value}'")),
}


_FOLLOWING: Mapping[type[Checker], Collection[str]] = {BfdCheck: {"alpha"}, FileCheck: ()}

_DROPPED = "keepalived drops the checker"


@dataclass(slots=True)
class Preceding:
    """What stands in the file before a checker, and who reads it.

    Attributes:
        users: as whom commands run.
        report: takes the diagnostics.
        identities: as whom they do, by the line of the block that names a command, and the command.
        track_files, bfd_instances: their names.
        connecting: whether the last checker is one that connects to something.
    """

    users: ScriptUsers
    report: Report
    identities: dict[tuple[int, str], Identity] = field(default_factory=dict)
    track_files: set[str] = field(default_factory=set)
    bfd_instances: set[str] = field(default_factory=set)
    connecting: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checkers of a real server must know of it.

    Attributes:
        server: its address, and `label` what keepalived calls it.
        file: what stands before.
        monitored: the bfd_instances that its other checkers follow.
    """

    server: Address
    label: str
    file: Preceding
    monitored: set[str] = field(default_factory=set)

    @property
    def report(self) -> Report:
        """What takes the diagnostics."""
        return self.file.report


@dataclass(slots=True)
class CheckerDraft:
    """A checker as far as its lines say: the fields that they set, as the model names them.

    `usual` are the values of its kind where neither it nor its servers say otherwise.
    """

    kind: type[Checker]
    line: int
    usual: Mapping[str, int] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] | None = None
    hosts: list[dict[str, Any]] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)

    def settle(self, defaults: Mapping[str, Any], timeout_ns: int) -> Checker:
        """The checker as keepalived runs it.

        Args:
            defaults: what its real server and virtual server set for all their checkers.
            timeout_ns: the same for connections.
        """
        # Those that only follow what others find out keep no time.
        of_timing = _FOLLOWING.get(self.kind, defaults.keys())
        inherited = {name: value for name, value in defaults.items() if name in of_timing}
        fields = {**self.usual, **inherited, **self.timing}
        if "warmup_ns" not in fields and "interval_ns" in fields:
            fields["warmup_ns"] = fields["interval_ns"]
        if self.connection is not None:
            fields["connection"] = Connection(**{"timeout_ns": timeout_ns, **self.connection})
        if self.hosts:
            fields["hosts"] = tuple(Connection(**{"timeout_ns": timeout_ns, **host}) for host in self.hosts)
        return self.kind(**fields, **self.own, line=self.line)


def connects(entry: Statement, connection: dict[str, Any], default: Address | None, report: Report) -> bool:
    """Whether the line says where a checker connects, which is then taken in.

    Args:
        entry: the line.
        connection: gets the fields.
        default: whose family a source must have while there is no other address.
        report: takes the diagnostics.
    """
    if set_field(entry, _CONNECTION, connection, report):
        return True
    if entry.keyword not in {"connect_ip", "bindto", "bind_if"}:
        return False
    text = argument(entry, report)
    if text is None:
        return True
    if entry.keyword == "bind_if":
        if len(octets(text)) > _LONGEST_INTERFACE:
            report.warning(entry.line, f"Interface name {text} is too long - ignoring", IGNORES)
        else:
            connection["interface"] = text
        return True
    connecting = entry.keyword == "connect_ip"
    found = host_address(text)
    opposite = connection.get("source") if connecting else connection.get("address", default)
    if found is None:
        report.warning(entry.line, f"Invalid {entry.keyword} address {text} - ignoring", IGNORES)
    elif opposite is not None and opposite.version != found.version:
        beside = "bindto" if connecting else "connect_ip"
        told = f"{entry.keyword} address {text} does not match address family of {beside} - skipping"
        report.warning(entry.line, told, IGNORES)
    else:
        connection["address" if connecting else "source"] = found
    return True


def end_of_connection(connection: Mapping[str, Any], line: int, around: Surroundings) -> None:
    """What keepalived looks at on the line that ends the block."""
    target = connection.get("address", around.server)
    if target.version == 6 and target.is_link_local and "interface" not in connection:
        around.report.warning(
            line,
            f"Checker link local address {target} requires a bind_if",
            "the kernel does not know on which link to look for it",
        )


def take_common(entry: Statement, draft: CheckerDraft, around: Surroundings) -> bool:
    """Whether the line is one that all checkers of its kind have, which is then taken in."""
    if set_field(entry, _TIMING, draft.timing, around.report):
        return True
    # What an SMTP_CHECK connects to is only known when it is read.
    default = None if draft.kind is SmtpCheck else around.server
    return draft.connection is not None and connects(entry, draft.connection, default, around.report)


def _again(entry: Statement, own: Mapping[str, object], report: Report) -> bool:
    """Whether the line names once more what a DNS_CHECK asks for: keepalived keeps the first name."""
    if entry.keyword != "name" or "name" not in own or not entry.arguments:
        return False
    report.warning(entry.line, "DNS_CHECK name already specified - ignoring", "keepalived uses the first")
    return True


def _connecting(
    kind: type[Checker], own: Mapping[str, Field], **usual: int
) -> Callable[[Block, Surroundings], CheckerDraft | None]:
    def read(block: Block, around: Surroundings) -> CheckerDraft:
        draft = CheckerDraft(kind, block.line, usual, connection={})
        assert draft.connection is not None
        for entry in block.body:
            if isinstance(entry, Block):
                host: dict[str, Any] = {}
                for line in entry.entries():
                    if not set_field(line, _TIMING, draft.timing, around.report):
                        connects(line, host, around.server, around.report)
                end_of_connection(host, entry.end, around)
                draft.hosts.append(host)
            elif not take_common(entry, draft, around) and not _again(entry, draft.own, around.report):
                set_field(entry, own, draft.own, around.report)
        end_of_connection(draft.connection, block.end, around)
        return draft

    return read


def _udp(block: Block, around: Surroundings) -> CheckerDraft | None:
    draft = _read_udp(block, around)
    assert draft is not None
    reply = draft.own.pop("reply", None)
    if reply is not None:
        draft.own |= {"reply_required": True, "reply": reply[0], "reply_mask": reply[1]}
    shortest, longest = draft.own.get("min_reply_octets", 0), draft.own.get("max_reply_octets", 255)
    if shortest > longest:
        told = f"UDP_CHECK min_reply length {shortest} > max_reply_length {longest} - will always fail"
        around.report.warning(block.end, told, "the server never counts as up")
    return draft


def _octets_of(text: str, *, wild: bool) -> tuple[bytes, bytes] | None:
    """Hexadecimal digits, in groups of any length, as octets and the mask of the bits given; x is any digit."""
    octets_read, mask = bytearray(), bytearray()
    for group in text.split():
        for position in range(0, len(group), 2):
            value = given = 0
            for digit in group[position : position + 2]:
                unknown = wild and digit in "xX"
                if not unknown and digit not in string.hexdigits:
                    return None
                value = value << 4 | (0 if unknown else int(digit, 16))
                given = given << 4 | (0 if unknown else 0xF)
            octets_read.append(value)
            mask.append(given)
    return bytes(octets_read), bytes(mask)


def _payload(entry: Statement, report: Report) -> bytes | None:
    if not entry.arguments:
        report.warning(entry.line, "UDP_CHECK payload requires a payload", IGNORES)
        return None
    found = _octets_of(" ".join(entry.arguments), wild=False)
    if found is None or not found[0]:
        report.warning(entry.line, "Invalid hex string for UDP_CHECK payload", IGNORES)
        return None
    return found[0]


def _reply(entry: Statement, report: Report) -> tuple[bytes, bytes] | None:
    if not entry.arguments:
        return b"", b""
    found = _octets_of(" ".join(entry.arguments), wild=True)
    if found is None or not found[0]:
        report.warning(entry.line, "Invalid hex string for UDP_CHECK reply", IGNORES)
        return None
    return found


def _misc(block: Block, around: Surroundings) -> CheckerDraft | None:
    draft = CheckerDraft(MiscCheck, block.line, {"retries": 0})
    own, report, users = draft.own, around.report, around.file.users
    identity: Identity | None = None
    for entry in block.entries():
        if take_common(entry, draft, around) or set_field(entry, _MISC, own, report):
            continue
        named = shown_command(own.get("command", ""))
        if entry.keyword == "misc_path":
            if entry.arguments:
                path = command(entry, report)
                if path is None:
                    report.die(entry.line, "a quote that is never closed", "keepalived 2.2.7 crashes")
                    return None
                own.pop("command", None)
                own |= {"command": path} if path.strip() else {}
        elif not entry.arguments:
            report.warning(entry.line, f"No user specified for misc checker script {named}", IGNORES)
        elif (identity := users.named(entry.arguments)) is None:
            message = f"Failed to set uid/gid for misc checker script {named} - removing"
            report.error(entry.line, message, _DROPPED)
            return None
        else:
            own["user"] = " ".join(entry.arguments[:2])
    if "command" not in own:
        report.error(block.end, "No script path has been specified for MISC_CHECKER - skipping", _DROPPED)
        return None
    identity = identity or users.default(block.end, report)
    if identity is None:
        message = f"Unable to set default user for misc script {shown_command(own['command'])} - removing"
        report.error(block.end, message, _DROPPED)
        return None
    around.file.identities[block.line, own["command"]] = own["runs_as"] = identity
    return draft


def _file(block: Block, around: Surroundings) -> CheckerDraft | None:
    draft = CheckerDraft(FileCheck, block.line)
    own, report = draft.own, around.report
    for entry in block.entries():
        if entry.keyword == "weight":
            _file_weight(entry, own, report)
        elif (name := argument(entry, report)) is not None:
            if name in around.file.track_files:
                own["track_file"] = name
            else:
                report.error(entry.line, f"track_file {name} not found", "its track_file must stand before this block")
    if "track_file" in own:
        return draft
    report.error(block.end, "FILE_CHECK has no track_file specified - ignoring", _DROPPED)
    return None


def _file_weight(entry: Statement, own: dict[str, Any], report: Report) -> None:
    if not entry.arguments:
        report.warning(entry.line, "track file weight missing", IGNORES)
        return
    text, *rest = entry.arguments
    number = whole(text, -_HIGHEST_FILE_WEIGHT, _HIGHEST_FILE_WEIGHT)
    if number.complaint:
        allowed = f"[-{_HIGHEST_FILE_WEIGHT}..{_HIGHEST_FILE_WEIGHT}]"
        told = f"{number.complaint}: weight for track file must be in {allowed} inclusive. Ignoring..."
        report.warning(entry.line, told, IGNORES)
    elif rest and rest[0] != "reverse":
        report.warning(entry.line, f"unknown track file weight option {rest[0]} - ignoring", IGNORES)
    else:
        own |= {"weight": number.value, "reverse": bool(rest)}


def _bfd(block: Block, around: Surroundings) -> CheckerDraft | None:
    draft = CheckerDraft(BfdCheck, block.line)
    for entry in block.entries():
        if take_common(entry, draft, around):
            continue
        fault = _bfd_fault(entry, draft.own.get("name"), around)
        if fault:
            told = f"({around.label}) BFD_CHECK - {fault}"
            around.report.error(entry.line, told, _DROPPED)
            return None
        draft.own["name"] = entry.arguments[0]
    if "name" in draft.own:
        around.monitored.add(draft.own["name"])
        return draft
    told = f"({around.label}) No name has been specified for BFD_CHECKER - skipping"
    around.report.error(block.end, told, _DROPPED)
    return None


def _bfd_fault(entry: Statement, known: str | None, around: Surroundings) -> str:
    if len(entry.arguments) != 1:
        return "No or too many names specified - skipping checker"
    name = entry.arguments[0]
    if name not in around.file.bfd_instances:
        return f"BFD {name} not configured"
    if known is not None:
        return f"BFD {name} already specified as {known}"
    if name in around.monitored:
        return f"RS already monitoring {name}"
    return ""


def _dns_name(entry: Statement, report: Report) -> str | None:
    name = argument(entry, report)
    # Labels of one letter are empty to keepalived 2.2.7, where a dot is behind them (measured).
    if name is not None and name != "." and any(len(label) <= 1 for label in name.split(".")[:-1]):
        report.warning(entry.line, f"DNS_CHECK name '{name}' has empty label - ignoring", IGNORES)
        return None
    return name


_MISC: Mapping[str, Field] = {
    "misc_dynamic": Field("dynamic", presence),
    "misc_timeout": Field(
        "timeout_ns", integer(0, _LONGEST_S, "Invalid misc_timeout value '{value}'", unit=SECOND_NS)
    ),
}
_DNS: Mapping[str, Field] = {
    "name": Field("name", _dns_name),
    "type": Field("record_type", choice(_RECORD_TYPES, "Unknown DNS check type {value} - ignoring", fold=True)),
}
_UDP: Mapping[str, Field] = {
    "max_reply_length": Field(
        "max_reply_octets", integer(0, 65535, "UDP_CHECK max length {value} not valid - must be between 0 & 65535")
    ),
    "min_reply_length": Field(
        "min_reply_octets", integer(0, 65535, "UDP_CHECK min length {value} not valid - must be between 0 & 65535")
    ),
    "payload": Field("payload", _payload),
    "require_reply": Field("reply", _reply),
}
_SMTP: Mapping[str, Field] = {"helo_name": Field("helo_name", word("SMTP_CHECK helo name missing"))}
_read_udp = _connecting(UdpCheck, _UDP)

# keyword of the block -> what reads it; None: keepalived drops the checker
CHECKERS: Mapping[str, Callable[[Block, Surroundings], CheckerDraft | None]] = {
    "BFD_CHECK": _bfd,
    "DNS_CHECK": _connecting(DnsCheck, _DNS, retries=3),
    "FILE_CHECK": _file,
    "MISC_CHECK": _misc,
    "PING_CHECK": _connecting(PingCheck, {}),
    "SMTP_CHECK": _connecting(SmtpCheck, _SMTP),
    "TCP_CHECK": _connecting(TcpCheck, {}),
    "UDP_CHECK": _udp,
}
