"""What `vrrp run` understands beyond keepalived: checks of servers, for instances and sync groups to follow.

    check NAME { TCP_CHECK { connect_ip 10.0.0.1 connect_port 80 } }     # outside of all blocks: any of the checkers
    track_check { NAME weight 10 reverse }                               # in a vrrp_instance or vrrp_sync_group

keepalived calls both words unknown and takes the braces that end them for the ends of what is around them. So they
are taken out of the file before it is read as keepalived reads it, and that is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from vrrp.config.context import Context, Naming, word_set
from vrrp.config.diagnostics import Report, Voice
from vrrp.config.grammar import Process
from vrrp.config.language.lexer import Fragment, Kind
from vrrp.config.language.words import split_words
from vrrp.config.lvs.checkers import CheckerDraft, Preceding, Surroundings
from vrrp.config.lvs.grammar import CHECKERS
from vrrp.config.lvs.model import Connection
from vrrp.config.lvs.real_server import READERS
from vrrp.config.model import NamedCheck, TrackedCheck
from vrrp.config.tree import Block, Statement, TreeReader
from vrrp.config.values import SECOND_NS, whole

_CHECK, _TRACK = "check", "track_check"
_FOLLOWERS = frozenset({"vrrp_instance", "vrrp_sync_group"})
_HIGHEST_WEIGHT = 253
_DEFAULT_CONNECT_NS = 5 * SECOND_NS
_USUAL_ADDRESS = IPv4Address("127.0.0.1")
_REVERSE = {"reverse": True, "noreverse": False}
_ADDED = Context(
    "",
    frozenset(),
    tables={
        _CHECK: Context(
            _CHECK,
            word_set(""),
            tables=CHECKERS,
            naming=Naming("check must have a name - skipping", alone=True, taken="check {} already defined"),
        )
    },
    lists=frozenset({_TRACK}),
)


@dataclass(frozen=True, slots=True)
class Additions:
    """All that a file adds: the checks by name, and who follows them."""

    checks: Mapping[str, NamedCheck]
    tracked: tuple[TrackedCheck, ...]


@dataclass(frozen=True, slots=True)
class Cutting:
    """The fragments of one block that was taken out, and the words of the block in which it stood."""

    around: tuple[str, ...]
    fragments: tuple[Fragment, ...]


def take_out(fragments: tuple[Fragment, ...]) -> tuple[tuple[Fragment, ...], tuple[Cutting, ...]]:
    """What is left for keepalived's way of reading, and what was taken out."""
    rest: list[Fragment] = []
    cuttings: list[Cutting] = []
    around: tuple[str, ...] = ()
    depth = position = 0
    while position < len(fragments):
        fragment = fragments[position]
        following = fragments[position + 1 : position + 2]
        words = split_words(fragment.text) if fragment.kind is Kind.WORDS and depth < 2 else ()
        if words and following and following[0].kind is Kind.OPEN and _is_ours(words[0], depth, around):
            end = _end(fragments, position + 1)
            cuttings.append(Cutting(around if depth else (), fragments[position:end]))
            position = end
            continue
        if words and not depth:
            around = words
        depth = max(0, depth + (fragment.kind is Kind.OPEN) - (fragment.kind is Kind.CLOSE))
        rest.append(fragment)
        position += 1
    return tuple(rest), tuple(cuttings)


def _is_ours(word: str, depth: int, around: tuple[str, ...]) -> bool:
    if not depth:
        return word == _CHECK
    return word == _TRACK and around[:1] != () and around[0] in _FOLLOWERS


def _end(fragments: tuple[Fragment, ...], position: int) -> int:
    """Behind the brace that closes the one at `position`, or behind all where nothing does."""
    depth = 0
    for at in range(position, len(fragments)):
        depth += (fragments[at].kind is Kind.OPEN) - (fragments[at].kind is Kind.CLOSE)
        if not depth:
            return at + 1
    return len(fragments)


def read_additions(cuttings: tuple[Cutting, ...], file: Preceding) -> Additions:
    """What was taken out, read; `file` is what stands around it."""
    report = file.report
    checks: dict[str, NamedCheck] = {}
    followers: list[tuple[tuple[str, ...], Block]] = []
    own = tuple(fragment for one in cuttings if not one.around for fragment in one.fragments)
    for block in _blocks(own, report):
        note = "keepalived does not know this word and stumbles over its braces; vrrp run does as it says"
        report.note(block.line, block.keyword, note)
        check = _check(block, file)
        if check is not None:
            checks[check.name] = check
    for one in cuttings:
        if one.around:
            followers += [(one.around, block) for block in _blocks(one.fragments, report)]
    tracked: dict[tuple[tuple[str, str], str], TrackedCheck] = {}
    for around, block in followers:
        report.note(
            block.line,
            block.keyword,
            "keepalived does not know this word and takes the brace behind it for the end of the block around it;"
            " vrrp run does as it says",
        )
        for entry in block.entries():
            found = _tracked(entry, around, checks, report)
            if found is not None and tracked.setdefault((found.follower, found.name), found) is not found:
                told = f"({found.follower[1]}) check {found.name} is followed already"
                report.warning(entry.line, told, "the first line counts", Voice.OURS)
    return Additions(checks, tuple(tracked.values()))


def _blocks(fragments: tuple[Fragment, ...], report: Report) -> Iterator[Block]:
    tree = TreeReader(fragments, Process("vrrp run", frozenset()), report, _ADDED)
    return (entry for entry in tree.read() if isinstance(entry, Block))


def _check(block: Block, file: Preceding) -> NamedCheck | None:
    name, report = block.arguments[0], file.report
    around = Surroundings(_USUAL_ADDRESS, name, file)
    drafts: list[CheckerDraft] = []
    for entry in block.body:
        draft = READERS[entry.keyword](entry, around) if isinstance(entry, Block) else None
        if draft is not None:
            drafts.append(draft)
    if len(drafts) != 1:
        told = f"check {name} has {len(drafts) or 'no'} checkers"
        report.warning(block.line, told, "it needs one, such as TCP_CHECK { }; it is ignored", Voice.OURS)
        return None
    checker = drafts[0].settle({}, _DEFAULT_CONNECT_NS)
    connection = getattr(checker, "connection", None)
    if isinstance(connection, Connection) and connection.address is None:
        report.warning(
            block.line, f"check {name} has no connect_ip", f"{_USUAL_ADDRESS} is checked: this machine", Voice.OURS
        )
    return NamedCheck(name, checker, block.line)


def _tracked(
    entry: Statement, around: tuple[str, ...], checks: Mapping[str, NamedCheck], report: Report
) -> TrackedCheck | None:
    """One line; None for one that says nothing that could be followed, which is reported."""
    name, *options = entry.words
    follower = (around[0], around[1] if len(around) > 1 else "")
    line = entry.line
    if name not in checks:
        report.warning(line, f"({follower[1]}) there is no check {name}", "it is not followed", Voice.OURS)
        return None
    if not options:
        return TrackedCheck(follower, name, line=line)
    number = whole(options[1], -_HIGHEST_WEIGHT, _HIGHEST_WEIGHT) if options[0] == "weight" and options[1:] else None
    if number is None or number.complaint or len(options) > 3 or any(word not in _REVERSE for word in options[2:]):
        told = f"({follower[1]}) {' '.join(options)} is nothing that can be said of a check"
        form = (
            f"weight and a number from -{_HIGHEST_WEIGHT} to {_HIGHEST_WEIGHT}, then perhaps reverse, would be right"
        )
        report.warning(line, told, f"{form}; {name} is not followed", Voice.OURS)
        return None
    return TrackedCheck(follower, name, number.read, any(_REVERSE[word] for word in options[2:]), line)
