"""The picture of a run: swim lanes of states, who holds each address, outages, what was done and when."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.textpath import TextToPath
from matplotlib.transforms import Affine2DBase, ScaledTranslation, Transform, blended_transform_factory

from sim.result import SECOND_NS, Ownership, Result, Span, seconds
from sim.timeline import BRIEF_NS, short_duration, union, verdict, visible
from vrrp.whole_file import replacing

FORMATS = (".png", ".svg", ".pdf")
DPI = 120
WIDTH_IN = 12.0

MOST_TICKS = 400
"""A lane with more advertisements than this shows when they were sent as a band."""

STATE_COLORS = {"MASTER": "#1b8a4b", "BACKUP": "#b5d5ee", "FAULT": "#f6c9c2", "INITIALIZE": "#e6e6e6"}
_STATE_INKS = {"MASTER": "#ffffff", "BACKUP": "#1f4e79", "FAULT": "#8f1d14", "INITIALIZE": "#6b6b6b"}
NODE_COLORS = ("#0072b2", "#e69f00", "#cc79a7", "#8c564b", "#17a2b8", "#b3b31f", "#4b5563", "#f4a582")
_NODE_INKS = ("#ffffff", "#000000", "#000000", "#ffffff", "#000000", "#000000", "#ffffff", "#000000")
OUTAGE_COLOR = "#d7191c"
CLASH_COLOR = "#7b2d9e"
_INK = "#222222"
_FAINT = "#666666"
_RED_INK = "#b3100f"

# Within a lane of height 1, from its top: a strip for labels, the block, the ticks under it.
BLOCK_TOP, BLOCK_BOTTOM, TICK_BOTTOM = 0.36, 0.82, 0.96
_LANE_IN = 0.42
_HEADER = 0.75
_ROW = 0.34
_GAP = 0.3
_TALLEST_IN = 500.0  # Agg draws at most 65536 pixels
_LABEL_IN = 3.0
_RIGHT_IN = 0.3
_ROW_IN = 0.17
_LEVEL_ROWS = 5
_EVENT_SIZE = 8.0
_SMALL_SIZE = 7.0
_EVENT_IN = 2.6
_ABOVE_IN = 0.1

_Look = dict[str, Any]
"""The keyword arguments of a patch."""
_PAPER: _Look = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}

# Scripts that matplotlib's own font lacks; those not installed are not asked for.
_MORE_FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")


def draw_timeline(result: Result, axes: Axes | None = None) -> Figure:
    """Draw a run; on a figure of its own, or in `axes`, above and below which there has to be room for labels.

    Each instance (name) has a group: a lane for each node, then one for each of its addresses, which says who
    holds it. x is in seconds. An event, priority change or duration whose label finds no room has its mark alone.
    """
    with _steady():
        if axes is None:
            figure = Figure(figsize=(WIDTH_IN, 4.0), dpi=DPI, facecolor="white")
            FigureCanvasAgg(figure)
            _Drawing(result, figure.add_axes((0.1, 0.1, 0.8, 0.8))).draw(resize=True)
            return figure
        _Drawing(result, axes).draw(resize=False)
        return axes.figure.figure


def save_plot(result: Result, path: Path) -> None:
    """Write the picture as .png, .svg or .pdf, by the suffix; the same run gives the same bytes.

    The file is replaced when it is complete. Raises ValueError for another suffix, and OSError.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(
            f"cannot draw a {suffix or 'file without suffix'}; use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        )
    with replacing(path) as file:
        write_plot(result, file, suffix.removeprefix("."))


def write_plot(result: Result, file: BinaryIO, form: str) -> None:
    """Write the picture in the form png, svg or pdf into a binary file."""
    with _steady():
        unstamped = {"svg": ("Date", "Creator", "Format", "Type"), "pdf": ("CreationDate",), "png": ()}[form]
        draw_timeline(result).savefig(file, format=form, dpi=DPI, metadata=dict.fromkeys(unstamped))


@contextmanager
def _steady() -> Iterator[None]:
    """The same picture whatever the user's matplotlibrc says, and no word about letters that no font here has."""
    families = ["DejaVu Sans", *sorted({font.name for font in fontManager.ttflist}.intersection(_MORE_FONTS))]
    with matplotlib.style.context("default"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        # Text stays text in an SVG, so that it can be searched, and a browser finds the fonts.
        with matplotlib.rc_context({"font.family": families, "svg.hashsalt": "vrrp", "svg.fonttype": "none"}):
            yield


@dataclass(frozen=True, slots=True)
class _OwnerLane:
    """Where an address' lane is and what stands in it: rows in which no two nodes hold the address at once."""

    address: str
    y: float
    rows: tuple[tuple[Ownership, ...], ...]

    @property
    def row_height(self) -> float:
        """Two rows are higher than one, so that a name fits into each."""
        return max(BLOCK_BOTTOM - BLOCK_TOP, _ROW * len(self.rows)) / max(1, len(self.rows))

    @property
    def bottom_y(self) -> float:
        """Where the next lane begins."""
        return self.y + BLOCK_TOP + self.row_height * max(1, len(self.rows)) + 1 - BLOCK_BOTTOM


@dataclass(frozen=True, slots=True)
class _Group:
    """Where an instance's lanes are; y grows downwards, a node's lane is 1 high."""

    name: str
    y: float
    nodes: tuple[tuple[float, str], ...]
    owners: tuple[_OwnerLane, ...]
    bottom_y: float

    @property
    def labels(self) -> list[tuple[float, str]]:
        """What stands beside the lanes, and at which y."""
        middle = (BLOCK_TOP + BLOCK_BOTTOM) / 2
        beside = [(y + middle, node) for y, node in self.nodes]
        return beside + [((lane.y + lane.bottom_y - 1) / 2 + middle, lane.address) for lane in self.owners]


def _groups(result: Result) -> tuple[_Group, ...]:
    groups = []
    y = 0.0
    for name, addresses in result.instances.items():
        begin, y = y, y + _HEADER
        nodes = tuple((y + number, node) for number, node in enumerate(result.nodes))
        y += len(nodes)
        owners = []
        for address in addresses:
            owners.append(_OwnerLane(address, y, _stacked(o for o in result.ownership if o.address == address)))
            y = owners[-1].bottom_y
        groups.append(_Group(name, begin, nodes, tuple(owners), y))
        y += _GAP
    return tuple(groups)


class _Drawing:
    """One run on one pair of axes."""

    def __init__(self, result: Result, axes: Axes) -> None:
        self.result = result
        self.axes = axes
        self.figure = axes.figure.figure
        self.end_s = max(seconds(result.duration_ns), 1e-9)
        self.groups = _groups(result)
        self.height = max((group.bottom_y for group in self.groups), default=1.0)
        self.clashes = tuple(span for span in result.dual_masters if span.duration_ns >= BRIEF_NS)
        self.events_s = [seconds(event.at_ns) for event in result.events]
        self.width_in = axes.get_window_extent().width / self.figure.dpi

    def draw(self, *, resize: bool) -> None:
        handles = self._legend_handles()
        beside = [self.shortened(label, 9, _LABEL_IN) for group in self.groups for _, label in group.labels]
        left_in = 0.3 + max((self.inches(label, 9) for label in beside), default=0.0)
        if resize:
            self.width_in = WIDTH_IN - left_in - _RIGHT_IN
        labels = self._place_events()
        top_in = _ABOVE_IN + max((label.y_in + label.height_in for label in labels), default=0.0)
        legend_in = sum(self.inches(str(handle.get_label()), _EVENT_SIZE) + 0.6 for handle in handles)
        legend_rows = math.ceil(legend_in / self.width_in)
        if resize:
            self._resize(left_in, top_in + 0.7, 0.65 + 0.21 * legend_rows)
        self._prepare()
        for group in self.groups:
            self._draw_group(group)
        self._draw_events(labels)
        self._draw_title(top_in)
        below = self._inches_from(0.0)
        legend = self.axes.legend(
            handles=handles,
            loc="upper left",
            ncols=math.ceil(len(handles) / legend_rows),
            fontsize=_EVENT_SIZE,
            frameon=False,
            borderaxespad=0,
            borderpad=0,
            bbox_to_anchor=(0.0, -0.55),
            bbox_transform=blended_transform_factory(self.axes.transAxes, below),
        )
        legend.set_zorder(10)

    # Measures -------------------------------------------------------------------------------------------

    def inches(self, text: str, size: float, weight: str = "normal") -> float:
        """How wide a text is; `size` in points."""
        return (
            TextToPath().get_text_width_height_descent(text, FontProperties(size=size, weight=weight), False)[0] / 72
        )

    def shortened(self, text: str, size: float, room_in: float, weight: str = "normal") -> str:
        """The text, its end replaced by an ellipsis when it is wider than there is room."""
        short = text = visible(text)
        while self.inches(short, size, weight) > room_in:
            text = text[:-1]
            short = f"{text}\u2026"
        return short

    def seconds_of(self, width_in: float) -> float:
        """A width on the page as a time."""
        return width_in / self.width_in * self.end_s

    def _inches_from(self, edge: float) -> Transform:
        """For y: inches upwards from the axes' bottom (0) or top (1)."""
        return self.figure.dpi_scale_trans + ScaledTranslation(0, edge, cast(Affine2DBase, self.axes.transAxes))

    def _resize(self, left_in: float, top_in: float, bottom_in: float) -> None:
        lanes_in = min(self.height * _LANE_IN, _TALLEST_IN)
        height_in = lanes_in + top_in + bottom_in
        self.figure.set_size_inches(WIDTH_IN, height_in)
        self.axes.set_position(
            (left_in / WIDTH_IN, bottom_in / height_in, self.width_in / WIDTH_IN, lanes_in / height_in)
        )

    # The page -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        axes = self.axes
        axes.set_xlim(0, self.end_s)
        axes.set_ylim(self.height, 0)
        axes.set_yticks([])
        axes.set_axisbelow(True)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.tick_params(axis="x", labelsize=9, colors=_INK)
        axes.set_xlabel("time (s)", fontsize=9, color=_INK)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)

    def _draw_title(self, top_in: float) -> None:
        result = self.result
        above = blended_transform_factory(self.axes.transAxes, self._inches_from(1.0))
        title = self.shortened(result.title, 13, self.width_in, "bold")
        lines = f"{seconds(result.duration_ns):g} s, seed {result.seed}. {verdict(result)}"
        self._write(0, top_in + 0.31, title, 13, _INK, transform=above, weight="bold", ha="left", va="bottom")
        subtitle = self.shortened(lines, 9, self.width_in)
        self._write(0, top_in + 0.07, subtitle, 9, _FAINT, transform=above, ha="left", va="bottom")

    def _write(self, x: float, y: float, text: str, size: float, color: str, **changes: Any) -> None:
        options: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 7, **changes}
        # A name with $ in it is a name, not a formula.
        self.axes.text(x, y, text, fontsize=size, color=color, parse_math=False, **options)

    def _legend_handles(self) -> list[Patch | Line2D]:
        result = self.result
        handles: list[Patch | Line2D] = [Patch(label=state, **_state_look(state)) for state in STATE_COLORS]
        handles[-1].set_label("INITIALIZE or absent")
        if result.sent:
            handles.append(_mark("|", "advertisement sent", _FAINT))
        if result.priorities:
            handles.append(_mark("v", "priority change", _INK))
        if result.events:
            handles.append(Line2D([], [], color=_INK, linestyle="--", linewidth=0.9, label="event"))
        if result.outages:
            handles.append(Patch(facecolor=OUTAGE_COLOR, alpha=0.35, label="no master"))
        if self.clashes:
            handles.append(Patch(facecolor=CLASH_COLOR, alpha=0.35, label="more than one master"))
        return handles

    # Lanes ----------------------------------------------------------------------------------------------

    def _draw_group(self, group: _Group) -> None:
        margin = self.axes.get_yaxis_transform()
        header = self.shortened(group.name, 9, self.width_in, "bold")
        self._write(0, group.y + 0.5, header, 9, _INK, weight="bold", ha="left", transform=margin, bbox=_PAPER)
        for y, name in group.labels:
            label = self.shortened(name, 9, _LABEL_IN)
            self._write(-0.1 / self.width_in, y, label, 9, _INK, ha="right", transform=margin)
        for y, node in group.nodes:
            self._draw_states(y, node, group.name)
            self._draw_adverts(y, node, group.name)
            self._draw_priorities(y, node, group.name)
        self._shade_nodes(group, self.result.outages, OUTAGE_COLOR)
        self._shade_nodes(group, self.clashes, CLASH_COLOR)
        for lane in group.owners:
            self._draw_owners(lane)
            self._label_spans(lane)

    def _draw_states(self, y: float, node: str, instance: str) -> None:
        moves = [t for t in self.result.transitions if t.node == node and t.instance == instance]
        states = [moves[0].old if moves else "INITIALIZE", *(move.new for move in moves)]
        times_ns = [0, *(move.at_ns for move in moves), self.result.duration_ns]
        for state, (from_ns, to_ns) in zip(states, pairwise(times_ns), strict=True):
            if from_ns < to_ns:
                self._block(_state_look(state), from_ns, to_ns, y + BLOCK_TOP, y + BLOCK_BOTTOM)
                self._name_block(state, from_ns, to_ns, y + (BLOCK_TOP + BLOCK_BOTTOM) / 2, _STATE_INKS[state])

    def _block(self, look: _Look, from_ns: int, to_ns: int, top: float, bottom: float) -> None:
        corner = (seconds(from_ns), top)
        self.axes.add_patch(Rectangle(corner, seconds(to_ns - from_ns), bottom - top, zorder=2, **look))

    def _name_block(self, name: str, from_ns: int, to_ns: int, y: float, ink: str) -> None:
        """Write a name into a block when it fits, and between the lines of the events when it fits there."""
        name = visible(name)
        edges = [seconds(from_ns), *sorted(at_s for at_s in self.events_s if from_ns < at_s * SECOND_NS < to_ns)]
        parts = [*pairwise([*edges, seconds(to_ns)]), (seconds(from_ns), seconds(to_ns))]
        room_s = self.seconds_of(self.inches(name, _SMALL_SIZE) + 0.1)
        fitting = [(begin, end) for begin, end in parts if end - begin > room_s]
        if fitting:
            begin, end = max(fitting[:-1] or fitting, key=lambda part: part[1] - part[0])
            box = {"facecolor": STATE_COLORS["FAULT"], "edgecolor": "none", "pad": 1.0} if name == "FAULT" else None
            self._write((begin + end) / 2, y, name, _SMALL_SIZE, ink, zorder=6, bbox=box)

    def _draw_adverts(self, y: float, node: str, instance: str) -> None:
        sent = [seconds(s.at_ns) for s in self.result.sent if s.node == node and s.instance == instance]
        if len(sent) <= MOST_TICKS:
            self.axes.vlines(sent, y + BLOCK_BOTTOM + 0.03, y + TICK_BOTTOM, colors=_FAINT, linewidths=0.8, zorder=2)
            return
        part_s = self.end_s / MOST_TICKS
        parts = np.unique((np.array(sent) / part_s).astype(int))
        runs = np.split(parts, np.flatnonzero(np.diff(parts) > 1) + 1)
        bars = [(float(run[0]) * part_s, len(run) * part_s) for run in runs]
        band = (y + BLOCK_BOTTOM + 0.03, TICK_BOTTOM - BLOCK_BOTTOM - 0.05)
        self.axes.broken_barh(bars, band, facecolors="#aaaaaa", zorder=2)

    def _draw_priorities(self, y: float, node: str, instance: str) -> None:
        changes = [p for p in self.result.priorities if p.node == node and p.instance == instance]
        times = [seconds(change.at_ns) for change in changes]
        marks = self.axes.plot(times, [y + BLOCK_TOP - 0.09] * len(times), "v", color=_INK, markersize=4, zorder=6)
        marks[0].set_clip_on(False)
        free_s = -math.inf
        for at_s, change in zip(times, changes, strict=True):
            label = f"{change.old} \u2192 {change.new}"
            width_s = self.seconds_of(self.inches(label, _SMALL_SIZE))
            gap_s = self.seconds_of(0.05)
            from_s = at_s + gap_s if at_s + gap_s + width_s < self.end_s else at_s - gap_s - width_s
            if from_s > free_s:
                self._write(from_s, y + 0.2, label, _SMALL_SIZE, _INK, ha="left", bbox=_PAPER)
                free_s = max(at_s, from_s + width_s) + gap_s

    def _draw_owners(self, lane: _OwnerLane) -> None:
        for number, row in enumerate(lane.rows):
            top = lane.y + BLOCK_TOP + number * lane.row_height
            for spell in row:
                color = self.result.nodes.index(spell.node) % len(NODE_COLORS)
                look: _Look = {"facecolor": NODE_COLORS[color], "edgecolor": "white", "linewidth": 0.4}
                self._block(look, spell.from_ns, spell.to_ns, top, top + lane.row_height)
                middle_y = top + lane.row_height / 2
                self._name_block(spell.node, spell.from_ns, spell.to_ns, middle_y, _NODE_INKS[color])

    def _shade_nodes(self, group: _Group, spans: Sequence[Span], color: str) -> None:
        """Across the nodes' lanes, once where several addresses are concerned."""
        addresses = {lane.address for lane in group.owners}
        for from_ns, to_ns in union(span for span in spans if span.address in addresses):
            self._shade(from_ns, to_ns, group.y + _HEADER, group.y + _HEADER + len(group.nodes), color)

    def _label_spans(self, lane: _OwnerLane) -> None:
        """Across an address' lane, with durations; where there is no room for all, the longest have theirs."""
        spans = [(span, OUTAGE_COLOR, _RED_INK) for span in self.result.outages]
        spans += [(span, CLASH_COLOR, CLASH_COLOR) for span in self.clashes]
        concerned = [one for one in spans if one[0].address == lane.address]
        taken: list[tuple[float, float]] = []
        for span, color, ink in sorted(concerned, key=lambda one: -one[0].duration_ns):
            self._shade(span.from_ns, span.to_ns, lane.y, lane.bottom_y, color)
            label = short_duration(span.duration_ns)
            half_s = self.seconds_of(self.inches(label, _SMALL_SIZE, "bold") / 2 + 0.04)
            middle_s = min(max(seconds(span.from_ns + span.to_ns) / 2, half_s), self.end_s - half_s)
            if all(middle_s + half_s <= begin or end <= middle_s - half_s for begin, end in taken):
                self._write(middle_s, lane.y + 0.18, label, _SMALL_SIZE, ink, weight="bold", bbox=_PAPER)
                taken.append((middle_s - half_s, middle_s + half_s))

    def _shade(self, from_ns: int, to_ns: int, top: float, bottom: float, color: str) -> None:
        corner = (seconds(from_ns), top)
        # The edge keeps a short one visible.
        shade = Rectangle(corner, seconds(to_ns - from_ns), bottom - top, color=color, alpha=0.3, linewidth=0.8)
        shade.set_zorder(1)
        self.axes.add_patch(shade)

    # Events ---------------------------------------------------------------------------------------------

    def _place_events(self) -> list[_EventLabel]:
        """Level labels in rows when a few rows suffice; else upright ones side by side, as many as there is room."""
        ordered = sorted(self.result.events, key=lambda event: event.at_ns)
        events = []
        for event in ordered:
            text = visible(f"{event.node}: {event.text}" if event.node else event.text)
            short = self.shortened(text, _EVENT_SIZE, _EVENT_IN)
            events.append((seconds(event.at_ns) / self.end_s * self.width_in, short, self.inches(short, _EVENT_SIZE)))
        level = _level(events, self.width_in)
        if all(label.y_in < _ABOVE_IN + _LEVEL_ROWS * _ROW_IN for label in level):
            return level
        return _upright(events[: int(self.width_in / _ROW_IN)], self.width_in)

    def _draw_events(self, labels: Sequence[_EventLabel]) -> None:
        above = blended_transform_factory(self.axes.transAxes, self._inches_from(1.0))
        for event in self.result.events:
            self.axes.axvline(seconds(event.at_ns), color=_INK, linestyle="--", linewidth=0.9, zorder=5)
        for label in labels:
            x = label.x_in / self.width_in
            foot = label.event_in / self.width_in
            leader = Line2D((foot, x if label.upright else foot), (0, label.y_in), color=_FAINT, linewidth=0.7)
            leader.set(transform=above, clip_on=False, zorder=1)
            self.axes.add_artist(leader)
            turn: dict[str, Any] = {"rotation": 90} if label.upright else {"ha": "left"}
            self._write(
                x, label.y_in, label.text, _EVENT_SIZE, _INK, transform=above, va="bottom", bbox=_PAPER, **turn
            )


@dataclass(frozen=True, slots=True)
class _EventLabel:
    """All in inches; `x_in` and `event_in` from the axes' left, `y_in` and `height_in` above the axes.

    `x_in` is a level label's left edge, an upright one's middle.
    """

    text: str
    event_in: float
    x_in: float
    y_in: float
    height_in: float
    upright: bool


_Event = tuple[float, str, float]
"""Where it is from the left, its label, how wide that is; in inches."""


def _level(events: Sequence[_Event], width_in: float) -> list[_EventLabel]:
    """From right to left, so that the line down from a label in a higher row passes those below on their left."""
    labels = []
    rows: list[float] = []  # where the leftmost label of each row begins
    for event_in, text, text_in in reversed(events):
        x_in = max(0.0, min(event_in, width_in - text_in))
        blocked = [number for number, begin in enumerate(rows) if x_in + text_in + 0.1 > begin]
        row = blocked[-1] + 1 if blocked else 0
        rows[row : row + 1] = [x_in]
        labels.append(_EventLabel(text, event_in, x_in, _ABOVE_IN + row * _ROW_IN, _ROW_IN, upright=False))
    return labels


def _upright(events: Sequence[_Event], width_in: float) -> list[_EventLabel]:
    """Each as near to its event as those on its sides allow."""
    places: list[float] = []
    for event_in, _, _ in events:
        places.append(max(event_in, places[-1] + _ROW_IN) if places else max(event_in, _ROW_IN / 2))
    limit = width_in - _ROW_IN / 2
    for number in reversed(range(len(places))):
        places[number] = min(places[number], limit)
        limit = places[number] - _ROW_IN
    return [
        _EventLabel(text, event_in, x_in, _ABOVE_IN + _ROW_IN, text_in, upright=True)
        for (event_in, text, text_in), x_in in zip(events, places, strict=True)
    ]


def _state_look(state: str) -> _Look:
    if state == "FAULT":
        return {"facecolor": STATE_COLORS[state], "edgecolor": "#b3352a", "linewidth": 0.5, "hatch": "/////"}
    return {"facecolor": STATE_COLORS[state], "edgecolor": "white", "linewidth": 0.4}


def _mark(marker: str, label: str, color: str) -> Line2D:
    return Line2D([], [], color=color, marker=marker, markersize=5, linestyle="none", label=label)


def _stacked(spells: Iterable[Ownership]) -> tuple[tuple[Ownership, ...], ...]:
    """Rows in which no two overlap by more than a handover does."""
    rows: list[list[Ownership]] = []
    for spell in sorted(spells, key=lambda spell: spell.from_ns):
        free = next((row for row in rows if row[-1].to_ns < spell.from_ns + BRIEF_NS), None)
        if free is None:
            rows.append([spell])
        else:
            free.append(spell)
    return tuple(tuple(row) for row in rows)
