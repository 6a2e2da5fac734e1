"""virtual_rules and static_rules: iproute2's language as keepalived 2.2.7 reads it (measured)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.instance.address_lines import read_address
from vrrp.config.routing.model import Rule
from vrrp.config.routing.routes import is_table
from vrrp.config.routing.words import KEEPALIVED_PROTOCOLS, LineError, Words, is_number, is_realms
from vrrp.config.tree import Block, Statement
from vrrp.config.values import UNSIGNED_MAX

_DROPPED = "keepalived leaves the rule out"
_ACTIONS = frozenset({"blackhole", "nop", "prohibit", "unreachable"})
# Only of use with a table.
_OF_TABLES = frozenset({"realms", "suppress_ifgroup", "suppress_prefixlength"})
_EVERYWHERE = frozenset({"all", "any", "default"})
_FIRST_PRIORITY = 16384
_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})", re.ASCII)
_FWMARK = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)(/(0[xX][0-9a-fA-F]+|[0-9]+))?", re.ASCII)
# As Debian's /etc/protocols numbers them.
IP_PROTOCOLS: Mapping[str, int] = {
    "ah": 51,
    "dccp": 33,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "igmp": 2,
    "ip": 0,
    "ipv6-icmp": 58,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
}
_TWICE = "Cannot specify more than one of table/nop/goto/blackhole/prohibit/unreachable{} for rule"


def _is_range(text: str) -> bool:
    return _RANGE.fullmatch(text) is not None


# keyword -> whether its value is good, and what keepalived says when it is not
_NAMES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "dport": (_is_range, "invalid dport range {}"),
    "dsfield": (lambda text: is_number(text, 255), "TOS value {} is invalid"),
    "fwmark": (lambda text: _FWMARK.fullmatch(text) is not None, "Invalid rule fwmark {} specified"),
    "ipproto": (lambda text: text in IP_PROTOCOLS or is_number(text, 255), "Invalid ipproto {}"),
    "realms": (is_realms, "invalid realms {} for rule"),
    "sport": (_is_range, "invalid sport range {}"),
    "suppress_ifgroup": (lambda text: is_number(text) or text == "default", "suppress_group {} is invalid"),
    "tos": (lambda text: is_number(text, 255), "TOS value {} is invalid"),
    "uidrange": (_is_range, "Invalid uidrange uidrange specified"),
}


@dataclass(slots=True)
class _Draft:
    words: Words
    interfaces: Interfaces
    track_groups: Collection[str] | None
    fields: dict[str, Any] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)
    goto: int | None = None


class RuleReader:
    """Reads rules. Those without a priority get one that nobody wants, each another, over all of the file.

    Args:
        interfaces: says which there are.
        report: takes the diagnostics.
    """

    def __init__(self, interfaces: Interfaces, report: Report) -> None:
        self._interfaces = interfaces
        self._report = report
        self._next_priority = _FIRST_PRIORITY

    def read(self, block: Block, track_groups: Collection[str] | None = None) -> tuple[Rule, ...]:
        """The rules of a block that keepalived takes.

        Args:
            block: virtual_rules or static_rules.
            track_groups: for static_rules, the names of the track_groups before it.
        """
        found = (self._rule(entry, track_groups) for entry in block.entries())
        return tuple(rule for rule in found if rule is not None)

    def _rule(self, entry: Statement, track_groups: Collection[str] | None) -> Rule | None:
        draft = _Draft(Words(entry, self._report), self._interfaces, track_groups)
        try:
            for word in draft.words:
                _word(draft, word)
            return self._settled(draft, entry)
        except LineError as fault:
            if str(fault):
                self._report.error(entry.line, str(fault), _DROPPED)
            return None

    def _settled(self, draft: _Draft, entry: Statement) -> Rule:
        fields = draft.fields
        if "action" not in fields:
            raise LineError("No action specified for rule - ignoring")
        if fields["action"] != "table" and _OF_TABLES & dict(draft.options).keys():
            raise LineError("suppressor/realm specified for non table action - skipping")
        if draft.goto is not None:
            if "priority" not in fields:
                raise LineError(f"Invalid rule - goto target {draft.goto} specified without preference")
            if fields["priority"] >= draft.goto:
                raise LineError(f"Invalid rule - preference {fields['priority']} >= goto target {draft.goto}")
        if "priority" not in fields:
            fields["priority"] = self._next_priority
            self._next_priority -= 1
            draft.words.warn(
                f"Rule has no preference specified - setting to {fields['priority']}."
                " This is probably not what you want.",
                f"keepalived uses {fields['priority']}",
            )
        protocol = dict(draft.options).get("protocol")
        if protocol is not None and protocol not in KEEPALIVED_PROTOCOLS and fields.get("tracked", True):
            draft.words.warn(
                "Rule cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting protocol",
                "keepalived gives the rule its own protocol",
            )
        if "track_group" in fields and "in_device" not in fields:
            draft.words.warn(
                "Static rule cannot have track_group if dev/iif not specified", "keepalived ignores the group"
            )
            del fields["track_group"]
        family = draft.words.family or 4
        text = " ".join(entry.words)
        return Rule(**fields, options=tuple(draft.options), family=family, text=text, line=entry.line)


def _word(draft: _Draft, word: str) -> None:
    words = draft.words
    if word in _WORDS:
        _WORDS[word](draft, word)
    elif word in _NAMES:
        if word == "realms" and words.family == 6:
            raise LineError("realms is only valid for IPv4")
        is_good, complaint = _NAMES[word]
        text = words.value()
        if not is_good(text):
            raise LineError(complaint.format(text))
        draft.options.append((word, text))
    elif word in _ACTIONS:
        _act(draft, word)
    elif word == "track_group" and draft.track_groups is not None:
        draft.fields["track_group"] = words.value()
        if draft.fields["track_group"] not in draft.track_groups:
            raise LineError(f"track_group {draft.fields['track_group']} not found")
    elif word.isdigit():
        raise LineError(f"Invalid rule action {word}")
    else:
        raise LineError(f"Unknown rule option {word}")


def _act(draft: _Draft, action: str, others: str = "/l3mdev") -> None:
    if "action" in draft.fields:
        raise LineError(_TWICE.format(others))
    draft.fields["action"] = action


def _end(draft: _Draft, word: str) -> None:
    text = draft.words.value()
    if text in _EVERYWHERE:
        if draft.words.family is not None:
            raise LineError("rule specification has mixed IPv4 and IPv6")
    else:
        found = read_address(text, draft.words.statement.line, draft.words.report)
        if found is None:
            raise LineError(f"Invalid rule {word} address {text}")
        draft.words.belongs(found[0], "rule specification has mixed IPv4 and IPv6")
    draft.fields["source" if word == "from" else "destination"] = text


def _device(draft: _Draft, word: str) -> None:
    name = draft.words.value()
    if not draft.interfaces.have(name):
        raise LineError(f"WARNING - interface {name} for rule doesn't exist")
    draft.fields["out_device" if word == "oif" else "in_device"] = name


def _table(draft: _Draft, word: str) -> None:
    text = draft.words.value()
    if not is_table(text):
        raise LineError(f"Routing table {text} not found for rule")
    _act(draft, "table", "")
    draft.fields["table"] = text


def _priority(draft: _Draft, word: str) -> None:
    draft.fields["priority"] = draft.words.number(0, UNSIGNED_MAX, f"Invalid rule preference {word} specified")


def _goto(draft: _Draft, word: str) -> None:
    draft.goto = draft.words.number(0, UNSIGNED_MAX, "Invalid target goto specified")
    _act(draft, "goto", "")
    draft.options.append((word, str(draft.goto)))


def _l3mdev(draft: _Draft, word: str) -> None:
    if "action" in draft.fields:
        raise LineError("Cannot specify l3mdev with other action")
    draft.fields["action"] = word


def _protocol(draft: _Draft, word: str) -> None:
    draft.options.append((word, str(draft.words.number(0, 255, "Invalid protocol {}"))))


def _prefix_length(draft: _Draft, word: str) -> None:
    number = draft.words.number(0, 2**31 - 1, "Invalid suppress_prefixlength suppress_prefixlength specified")
    draft.options.append((word, str(number)))


def _family(draft: _Draft, word: str) -> None:
    family = 4 if word == "inet" else 6
    if draft.words.family not in {None, family}:
        raise LineError(f"{word} specified for IPv{draft.words.family} rule")
    draft.words.family = 4 if family == 4 else 6
    # keepalived reads over the next word, whatever it is (measured).
    if draft.words.following is not None:
        draft.words.value()


def _kind(draft: _Draft, word: str) -> None:
    action = draft.words.value()
    if action not in _ACTIONS:
        raise LineError(f"{'Invalid rule action' if action.isdigit() else 'Unknown rule option'} {action}")
    _act(draft, action)


def _no_track(draft: _Draft, word: str) -> None:
    draft.fields["tracked"] = False


def _not(draft: _Draft, word: str) -> None:
    draft.options.append((word, ""))


_WORDS: Mapping[str, Callable[[_Draft, str], None]] = {
    "dev": _device,
    "from": _end,
    "goto": _goto,
    "iif": _device,
    "inet": _family,
    "inet6": _family,
    "l3mdev": _l3mdev,
    "lookup": _table,
    "no_track": _no_track,
    "not": _not,
    "oif": _device,
    "order": _priority,
    "preference": _priority,
    "priority": _priority,
    "protocol": _protocol,
    "suppress_prefixlength": _prefix_length,
    "table": _table,
    "to": _end,
    "type": _kind,
}
