"""The picture of a run: swim lanes of states, who holds each address, outages, what was done and when."""

from __future__ import annotations

import itertools
import math
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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

from sim.plot_clients import client_lanes, draw_shares, legend_handle
from sim.plot_events import ABOVE_IN, ROW_IN, EventLabel, level, upright
from sim.result import SECOND_NS, Ownership, Result, Span, seconds
from sim.timeline import BRIEF_NS, short_duration, stacked, union, verdict
from vrrp.picture import picture_suffix
from vrrp.whole_file import replacing
from vrrp.words import visible

# What each format would say about when and by what it was made.
_STAMPS = {".png": (), ".svg": ("Date", "Creator", "Format", "Type"), ".pdf": ("CreationDate",)}
DPI = 120
WIDTH_IN = 12.0

MOST_TICKS = 400
"""A lane with more advertisements than this shows when they were sent as a band."""

STATE_COLORS = {"MASTER": "#1b8a4b", "BACKUP": "#b5d5ee", "FAULT": "#f6c9c2", "INITIALIZE": "#e6e6e6"}
_STATE_INKS = {"MASTER": "#ffffff", "BACKUP": "#1f4e79", "FAULT": "#8f1d14", "INITIALIZE": "#6b6b6b"}
NODE_COLORS = ("#0072b2", "#e69f00", "#cc79a7", "#8c564b", "#17a2b8", "#b3b31f", "#4b5563", "#f4a582")
_NODE_INKS = ("#ffffff", "#000000", "#000000", "#ffffff", "#000000", "#000000", "#ffffff", "#000000")
OUTAGE_COLOR, CLASH_COLOR = "#d7191c", "#7b2d9e"
_INK, _FAINT, _RED_INK = "#222222", "#666666", "#b3100f"

# Within a lane of height 1, from its top: a strip for labels, the block, the ticks under it.
BLOCK_TOP, BLOCK_BOTTOM, TICK_BOTTOM = 0.36, 0.82, 0.96
_MIDDLE = (BLOCK_TOP + BLOCK_BOTTOM) / 2
# Above a group, between groups, and each of several owners at once; in heights of a lane.
_HEADER, _GAP, _ROW = 0.75, 0.3, 0.34
_LANE_IN, _TALLEST_IN = 0.42, 500.0  # Agg draws at most 65536 pixels
_BESIDE_IN, _RIGHT_IN = 3.0, 0.3
_LEVEL_ROWS, _EVENT_IN = 5, 2.6
_EVENT_SIZE, _SMALL_SIZE = 8.0, 7.0

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
    """Write the picture, in the format of the suffix; the same run gives the same bytes. ValueError, OSError."""
    suffix = picture_suffix(path)
    with replacing(path) as file:
        write_plot(result, file, suffix)


def write_plot(result: Result, file: BinaryIO, suffix: str) -> None:
    """Write the picture into a binary file, in the format of `suffix`: ".png", ".svg" or ".pdf"."""
    with _steady():
        draw_timeline(result).savefig(file, format=suffix[1:], dpi=DPI, metadata=dict.fromkeys(_STAMPS[suffix]))


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
    """The lane of an address: rows in which no two nodes hold it at once, each `row_height` high."""

    address: str
    y: float
    rows: Sequence[Sequence[Ownership]]
    row_height: float
    bottom_y: float


@dataclass(frozen=True, slots=True)
class _Group:
    """Where an instance's lanes are; y grows downwards, a node's lane is 1 high."""

    name: str
    y: float
    nodes: Sequence[tuple[float, str]]
    owners: Sequence[_OwnerLane]
    bottom_y: float


def _groups(result: Result) -> list[_Group]:
    groups = []
    y = 0.0
    for name, addresses in result.instances.items():
        begin, y = y, y + _HEADER
        nodes = [(y + number, node) for number, node in enumerate(result.nodes)]
        y += len(nodes)
        owners = []
        for address in addresses:
            rows = stacked(o for o in result.ownership if o.address == address)
            # Each of several rows is high enough for a name.
            height = max(BLOCK_BOTTOM - BLOCK_TOP, _ROW * len(rows))
            bottom_y = y + BLOCK_TOP + height + 1 - BLOCK_BOTTOM
            owners.append(_OwnerLane(address, y, rows, height / max(1, len(rows)), bottom_y))
            y = bottom_y
        groups.append(_Group(name, begin, nodes, owners, y))
        y += _GAP
    return groups


class _Drawing:
    """One run on one pair of axes."""

    def __init__(self, result: Result, axes: Axes) -> None:
        self.result = result
        self.axes = axes
        self.figure = axes.figure.figure
        self.end_s = max(seconds(result.duration_ns), 1e-9)
        self.groups = _groups(result)
        self.lanes_y = max((group.bottom_y for group in self.groups), default=1.0)
        self.client_lanes = client_lanes(result)
        self.height = self.lanes_y + len(self.client_lanes)
        self.clashes = tuple(span for span in result.dual_masters if span.duration_ns >= BRIEF_NS)
        self.sent_s: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for sent in result.sent:
            self.sent_s[sent.node, sent.instance].append(seconds(sent.at_ns))
        self.width_in = axes.get_window_extent().width / self.figure.dpi

    def draw(self, *, resize: bool) -> None:
        handles = self._legend_handles()
        clients = [lane.name for lane in self.client_lanes]
        beside = itertools.chain(self.result.nodes, clients, *self.result.instances.values())
        widths_in = (self.inches(self.shortened(label, 9, _BESIDE_IN), 9) for label in beside)
        left_in = 0.3 + max(widths_in, default=0.0)
        if resize:
            self.width_in = WIDTH_IN - left_in - _RIGHT_IN
        labels, height_in = self._place_events()
        top_in = ABOVE_IN + height_in
        legend_in = sum(self.inches(str(handle.get_label()), _EVENT_SIZE) + 0.6 for handle in handles)
        legend_rows = math.ceil(legend_in / self.width_in)
        if resize:
            lanes_in, bottom_in = min(self.height * _LANE_IN, _TALLEST_IN), 0.65 + 0.21 * legend_rows
            height_in = lanes_in + bottom_in + top_in + 0.7
            self.figure.set_size_inches(WIDTH_IN, height_in)
            width = self.width_in / WIDTH_IN
            self.axes.set_position((left_in / WIDTH_IN, bottom_in / height_in, width, lanes_in / height_in))
        self._prepare()
        for group in self.groups:
            self._draw_group(group)
        for y, lane in enumerate(self.client_lanes, 1):
            top, bottom = self.lanes_y + y - 1 + BLOCK_TOP - 0.2, self.lanes_y + y - 1 + BLOCK_BOTTOM
            draw_shares(self.axes, lane, top, bottom, self.end_s)
            self._write_beside((top + bottom) / 2, lane.name)
        self._draw_events(labels)
        self._draw_title(top_in)
        plain: _Look = {"fontsize": _EVENT_SIZE, "frameon": False, "borderaxespad": 0, "borderpad": 0}
        place: _Look = {"bbox_to_anchor": (0.0, -0.55), "bbox_transform": self._inches_from(0.0), "loc": "upper left"}
        self.axes.legend(handles=handles, ncols=math.ceil(len(handles) / legend_rows), **plain, **place)

    def inches(self, text: str, size: float, weight: str = "normal") -> float:
        """How wide a text is; `size` in points."""
        font = FontProperties(size=size, weight=weight)
        return TextToPath().get_text_width_height_descent(text, font, False)[0] / 72

    def shortened(self, text: str, size: float, room_in: float, weight: str = "normal") -> str:
        """The text, its end replaced by an ellipsis when it is wider than there is room."""
        short = text = visible(text)
        while (width_in := self.inches(short, size, weight)) > room_in:
            text = text[: min(len(text) - 1, int(len(text) * room_in / width_in) + 2)]
            short = f"{text}\u2026"
        return short

    def seconds_of(self, width_in: float) -> float:
        """A width on the page as a time."""
        return width_in / self.width_in * self.end_s

    def _inches_from(self, edge: float) -> Transform:
        """Parts of the axes' width for x; for y inches upwards from the axes' bottom (0) or top (1)."""
        axes = self.axes.transAxes
        up = self.figure.dpi_scale_trans + ScaledTranslation(0, edge, cast(Affine2DBase, axes))
        return blended_transform_factory(axes, up)

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
        above = self._inches_from(1.0)
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
        maybe = (
            (result.sent, Line2D([], [], color=_FAINT, marker="|", linestyle="", label="advertisement sent")),
            (result.priorities, Line2D([], [], color=_INK, marker="v", linestyle="", label="priority change")),
            (result.events, Line2D([], [], color=_INK, linestyle="--", linewidth=0.9, label="event")),
            (result.outages, Patch(facecolor=OUTAGE_COLOR, alpha=0.35, label="no master")),
            (self.clashes, Patch(facecolor=CLASH_COLOR, alpha=0.35, label="more than one master")),
            (self.client_lanes, legend_handle()),
        )
        handles += [handle for there, handle in maybe if there]
        return handles

    def _draw_group(self, group: _Group) -> None:
        margin = self.axes.get_yaxis_transform()
        header = self.shortened(group.name, 9, self.width_in, "bold")
        self._write(0, group.y + 0.5, header, 9, _INK, weight="bold", ha="left", transform=margin, bbox=_PAPER)
        beside = [(y + _MIDDLE, node) for y, node in group.nodes]
        beside += [((lane.y + lane.bottom_y - 1) / 2 + _MIDDLE, lane.address) for lane in group.owners]
        for y, name in beside:
            self._write_beside(y, name)
        for y, node in group.nodes:
            self._draw_states(y, node, group.name)
            self._draw_adverts(y, node, group.name)
            self._draw_priorities(y, node, group.name)
        self._shade_nodes(group, self.result.outages, OUTAGE_COLOR)
        self._shade_nodes(group, self.clashes, CLASH_COLOR)
        for lane in group.owners:
            self._draw_owners(lane)
            self._label_spans(lane)

    def _write_beside(self, y: float, name: str) -> None:
        label, margin = self.shortened(name, 9, _BESIDE_IN), self.axes.get_yaxis_transform()
        self._write(-0.1 / self.width_in, y, label, 9, _INK, ha="right", transform=margin)

    def _draw_states(self, y: float, node: str, instance: str) -> None:
        moves = [t for t in self.result.transitions if t.node == node and t.instance == instance]
        states = [moves[0].old if moves else "INITIALIZE", *(move.new for move in moves)]
        times_ns = [0, *(move.at_ns for move in moves), self.result.duration_ns]
        for state, (from_ns, to_ns) in zip(states, itertools.pairwise(times_ns), strict=True):
            if from_ns < to_ns:
                self._block(from_ns, to_ns, y + BLOCK_TOP, y + BLOCK_BOTTOM, **_state_look(state))
                self._name_block(state, from_ns, to_ns, y + _MIDDLE, _STATE_INKS[state])

    def _block(self, from_ns: int, to_ns: int, top: float, bottom: float, **look: Any) -> None:
        corner = (seconds(from_ns), top)
        self.axes.add_patch(Rectangle(corner, seconds(to_ns - from_ns), bottom - top, **{"zorder": 2, **look}))

    def _name_block(self, name: str, from_ns: int, to_ns: int, y: float, ink: str) -> None:
        """Write a name into a block when it fits, and between the lines of the events when it fits there."""
        name = visible(name)
        within = sorted(event.at_ns for event in self.result.events if from_ns < event.at_ns < to_ns)
        room_ns = self.seconds_of(self.inches(name, _SMALL_SIZE) + 0.1) * SECOND_NS
        parts = [*itertools.pairwise([from_ns, *within, to_ns]), (from_ns, to_ns)]
        fitting = [(begin, end) for begin, end in parts if end - begin > room_ns]
        if fitting:
            begin, end = max(fitting[:-1] or fitting, key=lambda part: part[1] - part[0])
            box = {"facecolor": STATE_COLORS["FAULT"], "edgecolor": "none", "pad": 1.0} if name == "FAULT" else None
            self._write(seconds(begin + end) / 2, y, name, _SMALL_SIZE, ink, zorder=6, bbox=box)

    def _draw_adverts(self, y: float, node: str, instance: str) -> None:
        sent = self.sent_s[node, instance]
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
                self._block(spell.from_ns, spell.to_ns, top, top + lane.row_height, **look)
                middle_y = top + lane.row_height / 2
                self._name_block(spell.node, spell.from_ns, spell.to_ns, middle_y, _NODE_INKS[color])

    def _shade_nodes(self, group: _Group, spans: Sequence[Span], color: str) -> None:
        """Across the nodes' lanes, once where several addresses are concerned."""
        addresses = {lane.address for lane in group.owners}
        for from_ns, to_ns in union(span for span in spans if span.address in addresses):
            self._block(from_ns, to_ns, group.y + _HEADER, group.y + _HEADER + len(group.nodes), **_shade(color))

    def _label_spans(self, lane: _OwnerLane) -> None:
        """Across an address' lane, with durations; where there is no room for all, the longest have theirs."""
        spans = [(span, OUTAGE_COLOR, _RED_INK) for span in self.result.outages]
        spans += [(span, CLASH_COLOR, CLASH_COLOR) for span in self.clashes]
        concerned = [one for one in spans if one[0].address == lane.address]
        taken: list[tuple[float, float]] = []
        for span, color, ink in sorted(concerned, key=lambda one: -one[0].duration_ns):
            self._block(span.from_ns, span.to_ns, lane.y, lane.bottom_y, **_shade(color))
            label = short_duration(span.duration_ns)
            half_s = self.seconds_of(self.inches(label, _SMALL_SIZE, "bold") / 2 + 0.04)
            begin_s, end_s = seconds(span.from_ns), seconds(span.to_ns)
            for place_s in ((begin_s + end_s) / 2, end_s - half_s, begin_s + half_s):
                middle_s = min(max(place_s, half_s), self.end_s - half_s)
                if all(middle_s + half_s <= begin or end <= middle_s - half_s for begin, end in taken):
                    self._write(middle_s, lane.y + 0.18, label, _SMALL_SIZE, ink, weight="bold", bbox=_PAPER)
                    taken.append((middle_s - half_s, middle_s + half_s))
                    break

    def _place_events(self) -> tuple[list[EventLabel], float]:
        """Level labels in rows when a few rows suffice; else upright ones side by side, as many as there is room.

        And how high they stand above the axes, in inches.
        """
        events = []
        for event in sorted(self.result.events, key=lambda event: event.at_ns):
            text = self.shortened(f"{event.node}: {event.text}" if event.node else event.text, _EVENT_SIZE, _EVENT_IN)
            events.append((seconds(event.at_ns) / self.end_s * self.width_in, text, self.inches(text, _EVENT_SIZE)))
        labels = level(events, self.width_in)
        height_in = ROW_IN
        if any(label.y_in > ABOVE_IN + (_LEVEL_ROWS - 0.5) * ROW_IN for label in labels):
            kept = events[:: math.ceil(len(events) * ROW_IN / self.width_in)]
            labels = upright(kept, self.width_in)
            height_in = max(text_in for _, _, text_in in kept)
        return labels, max((label.y_in + height_in for label in labels), default=0.0)

    def _draw_events(self, labels: Sequence[EventLabel]) -> None:
        above = self._inches_from(1.0)
        for event in self.result.events:
            self.axes.axvline(seconds(event.at_ns), color=_INK, linestyle="--", linewidth=0.9, zorder=5)
        for label in labels:
            foot, x = label.event_in / self.width_in, label.x_in / self.width_in
            leader = Line2D((foot, x if label.upright else foot), (0, label.y_in), color=_FAINT, linewidth=0.7)
            leader.set(transform=above, clip_on=False, zorder=1)
            self.axes.add_artist(leader)
            look: _Look = {"transform": above, "va": "bottom", "bbox": _PAPER}
            look |= {"rotation": 90} if label.upright else {"ha": "left"}
            self._write(x, label.y_in, label.text, _EVENT_SIZE, _INK, **look)


def _shade(color: str) -> _Look:
    # Its edge keeps a short one visible.
    return {"color": color, "alpha": 0.3, "linewidth": 0.8, "zorder": 1}


def _state_look(state: str) -> _Look:
    if state == "FAULT":
        return {"facecolor": STATE_COLORS[state], "edgecolor": "#b3352a", "linewidth": 0.5, "hatch": "/////"}
    return {"facecolor": STATE_COLORS[state], "edgecolor": "white", "linewidth": 0.4}
