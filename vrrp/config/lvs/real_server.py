"""Reading a real_server block; what its virtual_server settles comes later (measured)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.fields import Field, Reader, integer, set_field, switch, timer, unsigned, word
from vrrp.config.language.words import split_command
from vrrp.config.lvs.checkers import CHECKERS, CheckerDraft, Preceding, Surroundings
from vrrp.config.lvs.endpoints import ServiceAddress
from vrrp.config.lvs.forwarding import forwarding
from vrrp.config.lvs.model import Forwarding
from vrrp.config.lvs.web_checker import web_checker
from vrrp.config.settings import argument, command
from vrrp.config.tree import Block, Statement
from vrrp.config.values import LONGEST_US, UNSIGNED_MAX

HIGHEST_WEIGHT = 2**31 - 1
_WEB = frozenset({"HTTP_GET", "SSL_GET"})

READERS: Mapping[str, Callable[[Block, Surroundings], CheckerDraft | None]] = {
    **CHECKERS,
    **dict.fromkeys(_WEB, web_checker),
}


@dataclass(slots=True)
class RealServerDraft:
    """A real_server as far as its lines say. `forwarding` None: what its virtual_server has in the end.

    `timing` and `timeout_ns` are what its lines set for its checkers.
    """

    address: ServiceAddress
    line: int
    forwarding: Forwarding | None
    own: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    checkers: list[CheckerDraft] = field(default_factory=list)


def one_word(missing: str) -> Reader:
    """Exactly one word; `missing` is what keepalived says of none and of more."""
    read_word = word(missing)

    def read(entry: Statement, report: Report) -> object:
        return read_word(entry if len(entry.arguments) == 1 else Statement(entry.line, entry.words[:1], ""), report)

    return read


def timing_fields(owner: str, delay_loop: str, delay_before_retry: str) -> Mapping[str, Field]:
    """The keywords with which a server says how all its checkers keep time.

    Args:
        owner: what keepalived calls it: "real server" or "virtual server".
        delay_loop: what it calls that.
        delay_before_retry: and this.
    """
    return {
        "delay_before_retry": Field(
            "retry_delay_ns", timer(0, LONGEST_US, f"{owner} {delay_before_retry} '{{value}}' invalid - ignoring")
        ),
        "delay_loop": Field(
            "interval_ns", timer(1, LONGEST_US, f"{owner} {delay_loop} '{{value}}' invalid - ignoring")
        ),
        "retry": Field("retries", integer(1, UNSIGNED_MAX, "retry value invalid - {value}")),
        "warmup": Field("warmup_ns", timer(0, LONGEST_US, f"{owner} warmup '{{value}}' invalid - ignoring")),
    }


def connect_timeout(owner: str) -> Mapping[str, Field]:
    """The keyword with which a server says how long all its checkers wait for a connection."""
    read = timer(1, UNSIGNED_MAX, f"{owner} connect_timeout {{value}} invalid - ignoring")
    return {"connect_timeout": Field("timeout_ns", read)}


def take_command(entry: Statement, own: dict[str, Any], group: str | None, line: int, file: Preceding) -> None:
    """Take in notify_up, notify_down, quorum_up or quorum_down; the first one of a keyword stays.

    Args:
        entry: the line.
        own: gets the command under the keyword.
        group: the virtual_server_group of the virtual server, if it is for one.
        line: where its block begins.
        file: what stands before it.
    """
    keyword, report = entry.keyword, file.report
    if keyword in own:
        if argument(entry, report) is not None:
            told = f"({group or '(null)'}) {keyword} script already specified - ignoring {entry.arguments[0]}"
            report.warning(entry.line, told, "keepalived runs the first")
        return
    named = command(entry, report)
    if named is None or not named.strip():
        return
    words, _ = split_command(entry.text)
    identity = file.users.named(words[2:]) if words[2:] else file.users.default(entry.line, report)
    if identity is not None:
        own[keyword] = named
        if words[2:]:
            own["notify_users"] = {**own.get("notify_users", {}), keyword: " ".join(words[2:4])}
        own["runs_as"] = {**own.get("runs_as", {}), keyword: identity}
        file.identities[line, named] = identity
    elif words[2:]:
        report.note(entry.line, f"there is no user or group {' '.join(words[2:4])}", "keepalived never runs it")


def read_real_server(draft: RealServerDraft, block: Block, around: Surroundings, group: str | None) -> None:
    """Take the lines of a real_server block in.

    Args:
        draft: gets them.
        block: the block.
        around: what is around it.
        group: the virtual_server_group of its virtual server, if it is for one.
    """
    report = around.report
    for entry in block.body:
        if isinstance(entry, Block):
            checker = READERS[entry.keyword](entry, around)
            if checker is not None:
                draft.checkers.append(checker)
                around.file.connecting = checker.connection is not None
            elif entry.keyword in _WEB and not around.file.connecting:
                report.die(
                    entry.end,
                    "a checker is dropped, and the last before it does not connect",
                    "keepalived 2.2.7 crashes",
                )
        elif entry.keyword == "lvs_method":
            draft.forwarding = forwarding(entry, "real", report) or draft.forwarding
        elif entry.keyword in {"notify_up", "notify_down"}:
            take_command(entry, draft.own, group, draft.line, around.file)
        elif not (
            set_field(entry, _TIMING, draft.timing, report) or set_field(entry, _CONNECTION, draft.connection, report)
        ):
            set_field(entry, _OWN, draft.own, report)


_TIMING: Mapping[str, Field] = {
    **timing_fields("real server", "delay_loop", "delay_before_retry"),
    "alpha": Field("alpha", switch("Invalid alpha parameter {value}")),
}
_CONNECTION = connect_timeout("real server")
_OWN: Mapping[str, Field] = {
    "inhibit_on_failure": Field("inhibit", switch("Invalid inhibit_on_failure parameter {value}")),
    "lthreshold": Field("lower_connections", unsigned("Invalid real_server lthreshold '{value}' - ignoring")),
    "smtp_alert": Field("smtp_alert", switch("Invalid real_server smtp_alert parameter {value}")),
    "snmp_name": Field("snmp_name", one_word("real server snmp_name missing or extra parameters")),
    "uthreshold": Field("upper_connections", unsigned("Invalid real_server uthreshold '{value}' - ignoring")),
    "virtualhost": Field("virtual_host", word("real server virtualhost missing")),
    "weight": Field(
        "weight", integer(0, HIGHEST_WEIGHT, f"Real server weight {{value}} is outside range 0-{HIGHEST_WEIGHT}")
    ),
}
