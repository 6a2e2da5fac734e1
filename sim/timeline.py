"""The story of a run in words: who was master when and why, and what that meant; for a terminal, a file or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim.result import SECOND_NS, ClientStory, Ownership, Result, Span, seconds
from sim.sections import Section, cells, renderables, table_of, write_section, write_table, writer
from vrrp.words import visible

BRIEF_NS = 1_000_000
"""Two masters for less than this are a handover: every preemption has one, for the time a frame travels."""

STATE_STYLES = {"MASTER": "green", "BACKUP": "blue", "FAULT": "red", "INITIALIZE": "dim"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the story.

    `is_event` says that the scenario did this to the network; then `instance` and `reason` are empty. `states` are
    the old and the new one of a transition, None for anything else; `what` says the same in words.
    """

    at_ns: int
    node: str
    instance: str
    what: str
    reason: str
    states: tuple[str, str] | None = None
    is_event: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """An outage or two masters, worded: `phrase` says what it was, `span` when and for which address."""

    span: Span
    phrase: str


def story(result: Result) -> tuple[Entry, ...]:
    """Everything that happened, by time; at one moment what was done first, then what came of it."""
    entries = [Entry(e.at_ns, visible(e.node or ""), "", visible(e.text), "", is_event=True) for e in result.events]
    for p in result.priorities:
        numbers = f"{p.old} \u2192 {p.new}"
        reason = p.reason if numbers in p.reason else f"{p.reason}: {numbers}" if p.reason else numbers
        entries.append(Entry(p.at_ns, visible(p.node), visible(p.instance), "priority", visible(reason)))
    entries += [Entry(s.at_ns, visible(s.node), "", visible(s.what), visible(s.why)) for s in result.said]
    for t in result.transitions:
        what = f"{t.old} \u2192 {t.new}"
        entries.append(Entry(t.at_ns, visible(t.node), visible(t.instance), what, visible(t.reason), (t.old, t.new)))
    return tuple(sorted(entries, key=lambda entry: entry.at_ns))


def outages(result: Result) -> tuple[Stretch, ...]:
    """Each time without a master, in words."""
    return tuple(Stretch(span, _without_master(span, result)) for span in result.outages)


def clashes(result: Result) -> tuple[tuple[Stretch, ...], int]:
    """Each time with more than one master that lasted 1 ms or longer, in words; and how many were shorter."""
    listed = [span for span in result.dual_masters if span.duration_ns >= BRIEF_NS]
    stretches = tuple(
        Stretch(span, " and ".join(visible(node) for node in span.nodes) + _to_the_end(span, result.duration_ns))
        for span in listed
    )
    return stretches, len(result.dual_masters) - len(listed)


def handovers(count: int) -> str:
    """The two masters too brief to be listed, in one phrase."""
    return f"{count} {'handover' if count == 1 else 'handovers'} of under 1 ms"


def verdict(result: Result) -> str:
    """One sentence: healthy at the end, or what is wrong there."""
    if result.healthy_at_end:
        return "Healthy at the end: every address has exactly one master."
    wrong = [
        f"{visible(span.address)} has no master since {time_text(span.from_ns)} s"
        for span in result.outages
        if span.to_ns == result.duration_ns
    ]
    wrong += [
        f"{visible(span.address)} has more than one master since {time_text(span.from_ns)} s"
        f" ({', '.join(visible(node) for node in span.nodes)})"
        for span in result.dual_masters
        if span.to_ns == result.duration_ns
    ]
    return f"Not healthy at the end: {'; '.join(wrong)}."


def time_text(at_ns: int) -> str:
    """A moment in seconds, to the millisecond: "13.609"."""
    return f"{seconds(at_ns):.3f}"


def duration_text(duration_ns: int) -> str:
    """A duration in seconds, to the millisecond: "3.609 s"; one too short for that is "<0.001 s"."""
    return "<0.001 s" if 0 < duration_ns < BRIEF_NS else f"{time_text(duration_ns)} s"


def short_duration(duration_ns: int) -> str:
    """A duration for a label: "3.61 s", "812 ms", "<1 ms"."""
    if duration_ns >= SECOND_NS:
        return f"{seconds(duration_ns):.2f} s"
    return "<1 ms" if duration_ns < BRIEF_NS else f"{duration_ns / BRIEF_NS:.0f} ms"


def union(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Where there is at least one span, of whichever address: (from, to) in nanoseconds, in order, apart."""
    joined: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: span.from_ns):
        if joined and span.from_ns <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], span.to_ns))
        else:
            joined.append((span.from_ns, span.to_ns))
    return joined


def stacked(spells: Iterable[Ownership]) -> list[list[Ownership]]:
    """Holders of one address in rows, in each of which no two overlap by more than a handover does."""
    rows: list[list[Ownership]] = []
    for spell in sorted(spells, key=lambda spell: spell.from_ns):
        for row in rows:
            if row[-1].to_ns < spell.from_ns + BRIEF_NS:
                row.append(spell)
                break
        else:
            rows.append([spell])
    return rows


def print_timeline(result: Result, console: Console) -> None:
    """Print what happened: on a terminal as tables with colour, elsewhere as plain text whose lines are never cut.

    What the console's encoding cannot write (an arrow, in ASCII) is replaced.
    """
    if console.is_terminal:
        _print_tables(result, console)
    else:
        _print_plain(result, console)


def _sections(result: Result) -> Iterator[Section]:
    spans = (("address", "L"), ("from", "R"), ("to", "R"), ("duration", "R"), ("", "L"))
    without = tuple(_span_row(stretch) for stretch in outages(result))
    yield Section("Outages", spans, without, () if without else ("No outage.",))
    stretches, brief = clashes(result)
    sentences = (f"{handovers(brief)}.",) if brief else () if stretches else ("Never two masters.",)
    yield Section("Two masters", spans, tuple(_span_row(stretch) for stretch in stretches), sentences)
    clients = tuple(client_row(name, story) for name, story in result.clients.items())
    yield Section("Clients", CLIENT_COLUMNS, clients, () if clients else ("No clients.",))
    told = list(result.clients.items())
    if any(story.errors for _, story in told):
        yield Section("Requests", REQUEST_COLUMNS, tuple(request_row(name, story) for name, story in told), ())
    yield Section("Notes", (), (), tuple(visible(note) for note in result.notes) or ("No notes.",))


CLIENT_COLUMNS = (
    ("client", "L"),
    ("target", "L"),
    ("sent", "R"),
    ("ok", "R"),
    ("failed", "R"),
    ("longest gap", "R"),
)
REQUEST_COLUMNS = (("client", "L"), ("p50", "R"), ("p99", "R"), ("max", "R"), ("what failed", "L"))


def client_row(name: str, story: ClientStory) -> tuple[str, ...]:
    """A client's story as cells of `CLIENT_COLUMNS`."""
    gap = duration_text(story.longest_gap_ns) if story.gaps else "none"
    return visible(name), visible(story.target), str(story.sent), str(story.ok), str(story.failed), gap


def request_row(name: str, story: ClientStory) -> tuple[str, ...]:
    """How long its requests took and what went wrong with them, as cells of `REQUEST_COLUMNS`."""
    latency = story.latency
    taken = (latency.p50_ns, latency.p99_ns, latency.max_ns) if latency is not None else ()
    errors = ", ".join(f"{visible(kind)} {count}" for kind, count in story.errors.items())
    return visible(name), *([latency_text(one) for one in taken] or ["none"] * 3), errors or "nothing"


def latency_text(duration_ns: int) -> str:
    """How long a request took: "0.40 ms", "31.1 ms", "2.41 s"."""
    if duration_ns >= SECOND_NS:
        return f"{seconds(duration_ns):.2f} s"
    milliseconds = duration_ns / 1_000_000
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:.1f} ms"


def _span_row(stretch: Stretch) -> tuple[str, ...]:
    span = stretch.span
    return (
        visible(span.address),
        time_text(span.from_ns),
        time_text(span.to_ns),
        duration_text(span.duration_ns),
        stretch.phrase,
    )


def _names(nodes: tuple[str, ...]) -> str:
    return ", ".join(visible(node) for node in nodes)


def _without_master(span: Span, result: Result) -> str:
    if not span.nodes:
        return "no master at any time"
    words = f"no master{_to_the_end(span, result.duration_ns)}; last was {_names(span.nodes)}"
    holders = [
        o.node
        for o in result.ownership
        if o.address == span.address and o.node in span.nodes and o.from_ns < span.from_ns and o.to_ns >= span.to_ns
    ]
    return f"{words}, where the address stays" if holders else words


def _to_the_end(span: Span, end_ns: int) -> str:
    return " to the end" if span.to_ns == end_ns else ""


# Plain text -----------------------------------------------------------------------------------------------


def _print_plain(result: Result, console: Console) -> None:
    write = writer(console)
    write(visible(result.title))
    write("")
    entries = story(result)
    columns, rows = _story_rows(result, entries)
    write_table(write, columns, rows)
    if not entries:
        write("Nothing happened.")
    for section in _sections(result):
        write_section(section, write)
    write("")
    write(verdict(result))


def _story_rows(
    result: Result, entries: Sequence[Entry]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]]:
    """The story as a table. The last column holds two: the reasons stand under each other, an event runs on."""
    what_width = max((len(entry.what) for entry in entries if not entry.is_event), default=0)
    rows = []
    for entry in entries:
        last = entry.what if entry.is_event else f"{entry.what:<{what_width}}  {entry.reason}"
        rows.append((time_text(entry.at_ns), entry.node, entry.instance, last))
    columns: tuple[tuple[str, str], ...] = (
        ("time (s)", "R"),
        ("node", "L"),
        ("instance", "L"),
        ("what happened", "L"),
    )
    if len(result.instances) > 1:
        return columns, tuple(rows)
    return (*columns[:2], columns[3]), tuple((*row[:2], row[3]) for row in rows)


# A terminal -----------------------------------------------------------------------------------------------


def _print_tables(result: Result, console: Console) -> None:
    cell = cells(console)

    def show(*shown: RenderableType) -> None:
        console.print(Group(*shown), highlight=False)

    show(cell(visible(result.title), "bold underline"))
    entries = story(result)
    if entries:
        show(_story_table(result, entries, cell))
    else:
        show(cell("Nothing happened."))
    for section in _sections(result):
        show(*renderables(section, cell))
    show(Text(), cell(verdict(result), "bold green" if result.healthy_at_end else "bold red"))


def _story_table(result: Result, entries: Sequence[Entry], cell: Callable[..., Text]) -> Table:
    columns, rows = _story_rows(result, entries)
    table = table_of(columns)
    what_width = max((len(entry.what) for entry in entries if not entry.is_event), default=0)
    for entry, row in zip(entries, rows, strict=True):
        last: RenderableType = cell(entry.what, "bold")
        if not entry.is_event:
            pair = Table.grid(padding=(0, 2, 0, 0))
            pair.add_column(min_width=what_width, no_wrap=True)
            pair.add_column(overflow="fold")
            pair.add_row(_coloured(entry, cell), cell(entry.reason))
            last = pair
        table.add_row(*(cell(text) for text in row[:-1]), last)
    return table


def _coloured(entry: Entry, cell: Callable[..., Text]) -> Text:
    if entry.states is None:
        return cell(entry.what)
    old, new = (cell(state, STATE_STYLES[state]) for state in entry.states)
    return Text.assemble(old, cell(" \u2192 "), new)
