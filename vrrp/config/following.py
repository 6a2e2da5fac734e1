"""The blocks in which instances and groups say what they follow: track_script, track_interface and their like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.model import Tracked, TrackedBfd, TrackedFile, TrackedInterface, TrackedProcess, TrackedScript
from vrrp.config.tree import Block, Statement
from vrrp.config.values import whole

HIGHEST_WEIGHT = 253


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of thing to follow, and keepalived 2.2.7's words for what is wrong with a line (measured).

    In a complaint, {name} and {value} stand for the line's.

    Attributes:
        kind: what the model calls a line of it.
        keyword: of the block.
        words: how keepalived calls it.
        highest: the highest weight, up or down, that it takes.
        cut: the highest that it then uses.
        bad_weight: what it says of a higher one.
        unknown_option: what it says of a first word that is not `weight`, {value}.
        unknown_weight_option: what it says of a word behind the weight, {value}.
        reverse_words: those that it knows there.
    """

    kind: type[Tracked]
    keyword: str
    words: str
    highest: int
    cut: int
    bad_weight: str
    unknown_option: str
    unknown_weight_option: str
    reverse_words: frozenset[str] = frozenset({"reverse", "noreverse"})


SCRIPT = Subject(
    TrackedScript,
    "track_script",
    "track script",
    254,
    HIGHEST_WEIGHT,
    "track script {name}: weight must be between [-253..253] inclusive, ignoring...",
    "unknown track script option {value} - ignoring",
    "unknown track_script {name} weight option {value} - ignoring",
)
INTERFACE = Subject(
    TrackedInterface,
    "track_interface",
    "track_interface",
    254,
    HIGHEST_WEIGHT,
    "weight {value} for {name} must be between [-253..253] inclusive. Ignoring...",
    "unknown track_interface {name} option {value} - ignoring",
    "unknown track_interace {name} weight option {value} - ignoring",
    frozenset({"reverse"}),
)
FILE = Subject(
    TrackedFile,
    "track_file",
    "track file",
    254,
    254,
    "weight for track file {name} must be in [-254..254] inclusive. Ignoring...",
    "unknown track file option {value} - ignoring",
    "unknown track file {name} weight option {value} - ignoring",
)
PROCESS = Subject(
    TrackedProcess,
    "track_process",
    "track process",
    254,
    254,
    "weight for track process {name} must be in [-254..254] inclusive. Ignoring...",
    "unknown track process option {value} - ignoring",
    "unknown track_process {name} weight option {value} - ignoring",
)
BFD = Subject(
    TrackedBfd,
    "track_bfd",
    "track bfd",
    HIGHEST_WEIGHT,
    HIGHEST_WEIGHT,
    "weight for track bfd {name} must be in [-253..253] inclusive. Ignoring...",
    "unknown track bfd {name} option {value} - ignoring",
    "unknown track bfd {name} weight option {value} - ignoring",
)
SUBJECTS: Mapping[str, Subject] = {one.keyword: one for one in (SCRIPT, INTERFACE, FILE, PROCESS, BFD)}


@dataclass(frozen=True, slots=True)
class Weight:
    """What a thing to follow weighs when the follower says nothing else."""

    weight: int = 0
    reverse: bool = False


# What the file defined before, by the keyword of the block that follows it, and by name.
Defined = Mapping[str, Mapping[str, Weight]]


class Follower:
    """Reads what one instance or group follows.

    Args:
        owner: its name.
        defined: what stands in the file before this block; keepalived knows no others.
        interfaces: those that there are.
        report: takes the diagnostics.

    Attributes:
        followed: by the keyword of the block, and by name.
    """

    def __init__(self, owner: str, defined: Defined, interfaces: Interfaces, report: Report) -> None:
        self._owner = owner
        self._defined = defined
        self._interfaces = interfaces
        self._report = report
        self.followed: dict[str, dict[str, Tracked]] = {keyword: {} for keyword in SUBJECTS}

    def read(self, block: Block) -> None:
        """Take a block in."""
        subject = SUBJECTS[block.keyword]
        for entry in block.entries():
            self._entry(subject, entry)

    def _entry(self, subject: Subject, entry: Statement) -> None:
        name, *options = entry.words
        followed = self.followed[subject.keyword]
        usual = self._usual(subject, entry)
        if usual is None:
            return
        if name in followed:
            message = f"duplicate {subject.keyword} {name} - ignoring"
            self._complain(entry, message, "keepalived uses the first")
            return
        if not options:
            followed[name] = subject.kind(name, usual.weight, usual.reverse, entry.line)
            return
        if options[0] != "weight" or len(options) == 1:
            message = (
                f"weight without value specified for {subject.words} {name} - ignoring"
                if options[0] == "weight"
                else subject.unknown_option.format(name=name, value=options[0])
            )
            self._complain(entry, message, f"keepalived does not follow {name}")
            return
        weight = self._weight(subject, entry, options[1], usual)
        reverse = usual.reverse
        if len(options) > 2:
            if options[2] in subject.reverse_words:
                reverse = options[2] == "reverse"
            else:
                message = subject.unknown_weight_option.format(name=name, value=options[2])
                self._complain(entry, message, "keepalived ignores the word")
        followed[name] = subject.kind(name, weight, reverse, entry.line)

    def _usual(self, subject: Subject, entry: Statement) -> Weight | None:
        """What it weighs by itself; None when there is no such thing, which is reported."""
        name = entry.keyword
        if subject is INTERFACE:
            if not self._interfaces.have(name):
                self._complain(
                    entry,
                    f"tracked interface {name} doesn't exist",
                    "keepalived does not start; give global_defs dynamic_interfaces if it comes later",
                )
                return None
            return Weight()
        known = self._defined[subject.keyword]
        if name not in known:
            if subject is FILE and known:
                self._report.crash(entry.line, f"there is no track_file {name}: keepalived 2.2.7 crashes")
                return None
            self._complain(
                entry,
                f"{subject.words} {name} not found, ignoring...",
                "keepalived does not follow it; what it names must stand before this block",
            )
        return known.get(name)

    def _weight(self, subject: Subject, entry: Statement, text: str, usual: Weight) -> int:
        """A weight; the usual one when it is out of range. Some pass the check and are then cut by one."""
        number = whole(text, -subject.highest, subject.highest)
        if number.complaint:
            weight = usual.weight if number.value is None else number.value
            complaint = subject.bad_weight.format(name=entry.keyword, value=text)
            self._report.warning(
                entry.line,
                f"{number.complaint}: ({self._owner}) {complaint}",
                f"keepalived uses weight {weight}",
            )
            return weight
        weight = min(max(number.read, -subject.cut), subject.cut)
        if weight != number.read:
            message = f"weight for {entry.keyword} cannot be +/-254. Setting to +/-253"
            self._complain(entry, message, f"keepalived uses {weight}")
        return weight

    def _complain(self, entry: Statement, message: str, instead: str) -> None:
        self._report.warning(entry.line, f"({self._owner}) {message}", instead)
