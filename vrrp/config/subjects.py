"""track_file, vrrp_track_process and bfd_instance blocks: what instances and groups may follow beside scripts."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from vrrp.config.diagnostics import Report
from vrrp.config.following import Weight
from vrrp.config.grammar import BFD_INSTANCE
from vrrp.config.model import BfdSession, TrackFile, TrackProcess
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, address, decimal_us, whole

_HIGHEST_WEIGHT = 254
_MOST_PROCESSES = 65535
_LONGEST_DELAY_US = 3_600_000_000
LONGEST_BFD_NAME = 31
_LONGEST_BFD_INTERVAL_MS = 4294967
_BFD_PLACES = 3
BFD_TTL = {4: 255, 6: 64}
"""The TTL or hop limit of a session that says none, by the family of its neighbor."""


@dataclass(slots=True)
class _Draft:
    """What the lines of a block said; `what` is how keepalived calls it in a weight that it does not take."""

    what: str
    name: str
    words: str
    weight: Weight | None = None

    def read_weight(self, entry: Statement, report: Report) -> None:
        """WEIGHT [reverse], once."""
        if not entry.arguments:
            report.warning(
                entry.line,
                f"No weight specified for {self.words} {self.name} - ignoring",
                "keepalived ignores the line",
            )
            return
        text, *rest = entry.arguments
        if self.weight is not None:
            message = f"Weight already set for {self.words} {self.name} - ignoring {text}"
            report.warning(entry.line, message, "keepalived uses the first")
            return
        number = whole(text, -_HIGHEST_WEIGHT, _HIGHEST_WEIGHT)
        if number.complaint:
            report.warning(
                entry.line,
                f"{number.complaint}: Weight ({text}) for {self.what} {self.name} must be between"
                f" [-{_HIGHEST_WEIGHT}..{_HIGHEST_WEIGHT}] inclusive. Ignoring...",
                "keepalived ignores it",
            )
            if self.words == "track process":
                return
        if rest and rest[0] != "reverse":
            message = f"{self.what} {self.name} unknown weight option {rest[0]}"
            report.warning(entry.line, message, "keepalived ignores the word")
        if not number.complaint:
            self.weight = Weight(number.read, rest[:1] == ["reverse"])


def track_file(block: Block, report: Report) -> TrackFile | None:
    """One track_file, or None when keepalived ignores it for want of a file, which is reported."""
    draft = _Draft("track_file", block.arguments[0], "track file")
    path: str | None = None
    initial: int | None = None
    overwrite = False
    for entry in block.entries():
        if entry.keyword == "weight":
            draft.read_weight(entry, report)
        elif entry.keyword == "init_file":
            initial = _initial_value(entry, draft.name, report)
            overwrite = "overwrite" in entry.arguments
        elif not entry.arguments:
            report.warning(entry.line, "track file file name missing", "keepalived ignores the line")
        elif path is not None:
            message = f"File already set for track file {draft.name} - ignoring {entry.arguments[0]}"
            report.warning(entry.line, message, "keepalived uses the first")
        else:
            path = entry.arguments[0]
    if path is None:
        message = f"No file set for track_file {draft.name} - ignoring"
        report.error(block.end, message, "keepalived ignores the block")
        return None
    weight = draft.weight or Weight(1)
    return TrackFile(draft.name, path, weight.weight, weight.reverse, initial, block.line, overwrite)


def _initial_value(entry: Statement, name: str, report: Report) -> int:
    """What keepalived writes into a file that is not there."""
    value = 0
    for word in entry.arguments:
        if word == "overwrite":
            continue
        if not (word[:1].isdigit() or word[:1] == "-"):
            report.warning(entry.line, f"Unknown track file init option {word}", "keepalived ignores the word")
            continue
        number = whole(word, -(2**31), 2**31 - 1)
        if number.complaint:
            message = f"{number.complaint}: Track file {name} init value {word} is invalid"
            report.warning(entry.line, message, "keepalived ignores the word")
            continue
        value = number.read
        if abs(value) > _HIGHEST_WEIGHT:
            message = f"Track file {name} init value {word} is outside sensible range [-254, 254]"
            report.warning(entry.line, message, "keepalived writes it all the same")
    return value


@dataclass(slots=True)
class _Process(_Draft):
    command: str | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    delays_us: dict[str, int] = field(default_factory=dict)
    full_command: bool = False
    match: str | None = None


def track_process(block: Block, report: Report) -> TrackProcess | None:
    """One vrrp_track_process, or None when keepalived ignores it for want of a process, which is reported."""
    draft = _Process("vrrp_track_process", block.arguments[0], "track process")
    for entry in block.entries():
        if entry.keyword == "weight":
            draft.read_weight(entry, report)
        elif entry.keyword == "full_command":
            draft.full_command = True
        elif entry.keyword == "param_match":
            _param_match(draft, entry, report)
        elif argument(entry, report) is None:
            continue
        elif entry.keyword == "process":
            if draft.command is not None:
                message = f"Process already set for track process {draft.name} - ignoring {entry.arguments[0]}"
                report.warning(entry.line, message, "keepalived uses the first")
            else:
                draft.command = " ".join(entry.arguments)
        elif entry.keyword in {"quorum", "quorum_max"}:
            _quorum(draft, entry, report)
        else:
            _delay(draft, entry, report)
    if draft.command is None:
        message = f"track process '{draft.name}' process name not specified"
        report.error(block.end, message, "keepalived ignores the block")
        return None
    weight = draft.weight or Weight()
    return TrackProcess(
        draft.name,
        draft.command,
        weight.weight,
        weight.reverse,
        draft.numbers.get("quorum", 1),
        draft.numbers.get("quorum_max"),
        draft.delays_us.get("fork_delay", 0) * MICROSECOND_NS,
        draft.delays_us.get("terminate_delay", 0) * MICROSECOND_NS,
        draft.full_command,
        draft.match,
        block.line,
    )


def _param_match(draft: _Process, entry: Statement, report: Report) -> None:
    if entry.arguments and entry.arguments[0] not in {"initial", "partial"}:
        message = f"Invalid param_match type {entry.arguments[0]} - ignoring"
        report.warning(entry.line, message, "keepalived ignores the line")
        return
    draft.match = entry.arguments[0] if entry.arguments else "exact"


def _quorum(draft: _Process, entry: Statement, report: Report) -> None:
    keyword, text = entry.keyword, entry.arguments[0]
    low = int(keyword == "quorum")
    number = whole(text, low, _MOST_PROCESSES)
    about = "Quorum" if keyword == "quorum" else keyword
    if number.complaint:
        message = (
            f"{number.complaint}: {about} ({text}) for vrrp_track_process {draft.name} must be between"
            f" [{low}..{_MOST_PROCESSES}] inclusive. Ignoring..."
        )
    elif keyword == "quorum" and number.read > draft.numbers.get("quorum_max", _MOST_PROCESSES):
        message = "Quorum is greater than quorum_max - ignoring"
    elif keyword == "quorum_max" and number.read < draft.numbers.get("quorum", 0):
        message = "quorum_max is less than quorum - ignoring"
    else:
        draft.numbers[keyword] = number.read
        return
    report.warning(entry.line, message, "keepalived ignores the line")


def _delay(draft: _Process, entry: Statement, report: Report) -> None:
    text = entry.arguments[0]
    number = decimal_us(text, 1, _LONGEST_DELAY_US, tail=True)
    if number.complaint:
        complaint = (
            f": {entry.keyword} ({text}) for vrrp_track_process {draft.name} must be between"
            " [0.000001..3600] inclusive. Ignoring..."
        )
        message = number.complaint + (complaint if number.value is None else "")
        report.warning(entry.line, message, "keepalived ignores what it cannot read")
    if number.value is not None:
        for keyword in ("fork_delay", "terminate_delay") if entry.keyword == "delay" else (entry.keyword,):
            draft.delays_us[keyword] = number.value


_BFD_NUMBERS = {
    "multiplier": (1, 255, "multiplier value {value} not valid (must be in range [1-255]), ignoring"),
    "ttl": (1, 255, "ttl/hoplimit value {value} not valid (must be in range [1-255]), ignoring"),
    "hoplimit": (1, 255, "ttl/hoplimit value {value} not valid (must be in range [1-255]), ignoring"),
    "max_hops": (-1, 255, "max_hops value {value} not valid (must be in range [-1-255]), ignoring"),
    "weight": (-253, 253, "weight value {value} not valid (must be in range [-253-253]), ignoring"),
}
# What has no value, and what a later version brought.
_UNREAD_BFD = frozenset({"checker", "multihop", "vrrp"})
_BFD_INTERVALS_MS = {"min_rx": 1, "min_tx": 1, "idle_tx": 1000}
# The processes that are told of a session; without either word, both are.
_BFD_LISTENERS = frozenset({"checker", "vrrp"})


def is_told(process: str, block: Block) -> bool:
    """Whether a process knows of a bfd_instance: "checker" or "vrrp"."""
    named = _BFD_LISTENERS.intersection(entry.keyword for entry in block.entries())
    return not named or process in named


@dataclass(slots=True)
class BfdDraft:
    """A bfd_instance as far as its lines say."""

    name: str
    line: int
    addresses: dict[str, str] = field(default_factory=dict)
    weight: Weight = field(default_factory=Weight)
    numbers: dict[str, int] = field(default_factory=dict)
    passive: bool = False
    dropped: bool = False

    def read(self, block: Block, report: Report, keywords: Container[str] = BFD_INSTANCE.statements) -> None:
        """Take the block in, of it these keywords."""
        about = f"Configuration error: BFD instance {self.name}"
        for entry in block.entries():
            if entry.keyword not in keywords:
                continue
            if self.dropped:
                return
            if entry.keyword == "neighbor_ip" and not entry.arguments:
                report.crash(entry.line, "neighbor_ip without an address: keepalived 2.2.7 crashes")
                continue
            if entry.keyword == "passive":
                self.passive = True
                continue
            if entry.keyword in _UNREAD_BFD or argument(entry, report) is None:
                continue
            text = entry.arguments[0]
            if entry.keyword in {"neighbor_ip", "source_ip"}:
                self._address(entry, about, report)
            elif entry.keyword in _BFD_INTERVALS_MS:
                interval_ns = _bfd_interval_ns(entry, about, report)
                if interval_ns is not None:
                    self.numbers[f"{entry.keyword}_ns"] = interval_ns
            else:
                low, high, complaint = _BFD_NUMBERS[entry.keyword]
                number = whole(text, low, high)
                if number.complaint:
                    message = f"{number.complaint}: {about} {complaint.format(value=text)}"
                    report.warning(entry.line, message, "keepalived ignores the line")
                elif entry.keyword == "weight":
                    self._weigh(entry, number.read, about, report)
                else:
                    # It has an octet for each of them.
                    field_name = "ttl" if entry.keyword == "hoplimit" else entry.keyword
                    self.numbers[field_name] = number.read & 0xFF

    def _address(self, entry: Statement, about: str, report: Report) -> None:
        text = entry.arguments[0]
        # A prefix is read over.
        if address(text.partition("/")[0]) is not None:
            self.addresses[entry.keyword] = text
            return
        which = "neighbor" if entry.keyword == "neighbor_ip" else "source"
        self.dropped = which == "neighbor"
        what = "ignoring instance" if which == "neighbor" else "ignoring"
        message = f"{about} has malformed {which} address {text}, {what}"
        report.error(entry.line, message, f"keepalived goes on {what}")

    def _weigh(self, entry: Statement, weight: int, about: str, report: Report) -> None:
        option = entry.arguments[1] if len(entry.arguments) > 1 else ""
        if option not in {"", "reverse"}:
            report.warning(entry.line, f"{about} unknown weight option {option}", "keepalived ignores the word")
        self.weight = Weight(weight, option == "reverse")

    def close(self, line: int, taken: set[tuple[str, str]], report: Report) -> BfdSession | None:
        """What keepalived looks at where the block ends; `taken` are the pairs of addresses of the others."""
        about = f"Configuration error: BFD instance {self.name}"
        if self.dropped:
            return None
        neighbor, source = self.addresses.get("neighbor_ip"), self.addresses.get("source_ip", "")
        if neighbor is None:
            report.error(line, f"{about} has no neighbor address set, disabling instance", "it is not run")
            return None
        found, own = (address(text.partition("/")[0]) for text in (neighbor, source))
        if found and own and found.version != own.version:
            # It names the one address twice.
            message = (
                f"{about} source address {own} and neighbor address {own} are not of the same family,"
                " disabling instance"
            )
            report.error(line, message, "it is not run")
            return None
        if (source, neighbor) in taken:
            which = f"source/neighbor address {source}/{neighbor}" if source else f"neighbor address {neighbor}"
            message = f"{about} has duplicate {which}, ignoring instance"
            report.error(line, message, "it is not run")
            return None
        taken.add((source, neighbor))
        numbers = {"ttl": BFD_TTL[6 if found and found.version == 6 else 4], **self.numbers}
        if numbers.get("max_hops", 0) > numbers["ttl"]:
            message = f"BFD instance {self.name}: max_hops exceeds ttl/hoplimit - setting to ttl/hoplimit"
            report.warning(line, message, f"keepalived uses {numbers['ttl']}")
            numbers["max_hops"] = numbers["ttl"]
        return BfdSession(
            self.name,
            neighbor,
            source or None,
            self.weight.weight,
            self.weight.reverse,
            self.line,
            passive=self.passive,
            **numbers,
        )


def _bfd_interval_ns(entry: Statement, about: str, report: Report) -> int | None:
    """Milliseconds with three decimal places, rounded; keepalived names the range so. None for what it ignores."""
    low_ms = _BFD_INTERVALS_MS[entry.keyword]
    text = entry.arguments[0]
    # Read as microseconds are elsewhere: a thousand of these to each of those.
    number = decimal_us(text, low_ms * 10**6, _LONGEST_BFD_INTERVAL_MS * 10**6)
    complaint = number.complaint
    outside = "outside range" in complaint
    if len(text.partition(".")[2]) > _BFD_PLACES and (outside or not complaint):
        message = f"number '{text}' has too many decimal places"
        report.warning(entry.line, message, "keepalived rounds it")
    if not complaint:
        assert number.value is not None  # as nothing is wrong with it
        return (number.value + MICROSECOND_NS // 2) // MICROSECOND_NS * MICROSECOND_NS
    if outside:
        complaint = f"number '{text}' outside range [{low_ms}.000, {_LONGEST_BFD_INTERVAL_MS}.000]"
    report.warning(
        entry.line,
        f"{complaint}: {about} {entry.keyword} value {text} is not valid"
        f" (must be in range [{low_ms}-{_LONGEST_BFD_INTERVAL_MS}]), ignoring",
        "keepalived ignores the line",
    )
    return None
