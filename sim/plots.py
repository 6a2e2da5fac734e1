"""The picture of a run: swim lanes of states, who holds each address, outages, what was done and when."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory

from sim.result import Ownership, Result, Span, seconds
from sim.timeline import BRIEF_NS, verdict, visible
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
_GAP = 0.3
_TALLEST_IN = 500.0  # Agg draws at most 65536 pixels
_LABEL_IN = 3.0
_RIGHT_IN = 0.3
_ROW_IN = 0.17
_LEVEL_ROWS = 5
_EVENT_SIZE = 8.0
_SMALL_SIZE = 7.0
_EVENT_CHARS = 38
_ABOVE_IN = 0.1

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
        figure = axes.get_figure(root=True)
        _Drawing(result, axes).draw(resize=False)
        return figure


def save_plot(result: Result, path: Path) -> None:
    """Write the picture as .png, .svg or .pdf, by the suffix; the same run gives the same bytes.

    The file is replaced when it is complete. Raises ValueError for another suffix, and OSError.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"cannot draw a {suffix or 'file without suffix'}; use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
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
class _Group:
    """Where an instance's lanes are; y grows downwards, a lane is 1 high."""

    name: str
    header_y: float
    nodes: tuple[tuple[float, str], ...]
    addresses: tuple[tuple[float, str], ...]

    @property
    def middle_y(self) -> float:
        """Where the nodes' lanes end and the addresses' begin."""
        return self.header_y + _HEADER + len(self.nodes)

    @property
    def bottom_y(self) -> float:
        """Where the last lane ends."""
        return self.middle_y + len(self.addresses)


def _groups(result: Result) -> tuple[_Group, ...]:
    groups = []
    y = 0.0
    for name, addresses in result.instances.items():
        first = y + _HEADER
        nodes = tuple((first + number, node) for number, node in enumerate(result.nodes))
        owners = tuple((first + len(nodes) + number, address) for number, address in enumerate(addresses))
        groups.append(_Group(name, y, nodes, owners))
        y = groups[-1].bottom_y + _GAP
    return tuple(groups)


class _Drawing:
    """One run on one pair of axes."""

    def __init__(self, result: Result, axes: Axes) -> None:
        self.result = result
        self.axes = axes
        self.figure = axes.get_figure(root=True)
        self.end_s = max(seconds(result.duration_ns), 1e-9)
        self.groups = _groups(result)
        self.height = max((group.bottom_y for group in self.groups), default=1.0)
        self.clashes = tuple(span for span in result.dual_masters if span.duration_ns >= BRIEF_NS)
        self.renderer = FigureCanvasAgg(Figure(dpi=DPI)).get_renderer()
        self.width_in = axes.get_position().width * self.figure.get_figwidth()

    def draw(self, *, resize: bool) -> None:
        handles = self._legend_handles()
        left_in = 0.3 + max((self.inches(label, size) for label, size in self._margin_labels()), default=0.0)
        if resize:
            self.width_in = WIDTH_IN - left_in - _RIGHT_IN
        labels = self._place_events()
        top_in = _ABOVE_IN + max((label.y_in + label.height_in for label in labels), default=0.0)
        columns, rows = self._legend_shape(handles)
        if resize:
            self._resize(left_in, top_in + 0.75, 0.65 + 0.21 * rows)
        self._prepare()
        for group in self.groups:
            self._draw_group(group)
        self._draw_events(labels)
        self._draw_title(top_in)
        below = self._inches_from(0.0)
        legend = self.axes.legend(
            handles=handles,
            loc="upper left",
            ncols=columns,
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
        width, _, _ = self.renderer.get_text_width_height_descent(text, FontProperties(size=size, weight=weight), False)
        return width / DPI

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
        return self.figure.dpi_scale_trans + ScaledTranslation(0, edge, self.axes.transAxes)

    def _margin_labels(self) -> Iterable[tuple[str, float]]:
        for group in self.groups:
            for _, name in group.nodes + group.addresses:
                yield self.shortened(name, 9, _LABEL_IN), 9

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
        self._write(0, top_in + 0.36, title, 13, _INK, transform=above, weight="bold", ha="left", va="bottom")
        subtitle = self.shortened(lines, 9, self.width_in)
        self._write(0, top_in + 0.12, subtitle, 9, _FAINT, transform=above, ha="left", va="bottom")

    def _write(self, x: float, y: float, text: str, size: float, color: str, **changes: object) -> None:
        options: dict[str, object] = {"ha": "center", "va": "center", "zorder": 7, **changes}
        # A name with $ in it is a name, not a formula.
        self.axes.text(x, y, text, fontsize=size, color=color, parse_math=False, **options)

    def _legend_handles(self) -> list[Patch | Line2D]:
        result = self.result
        handles: list[Patch | Line2D] = [_state_patch(state) for state in STATE_COLORS]
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

    def _legend_shape(self, handles: Sequence[Patch | Line2D]) -> tuple[int, int]:
        widest_in = max(self.inches(str(handle.get_label()), _EVENT_SIZE) for handle in handles) + 0.6
        columns = max(1, min(len(handles), int(self.width_in / widest_in)))
        return columns, math.ceil(len(handles) / columns)

    # Lanes ----------------------------------------------------------------------------------------------

    def _draw_group(self, group: _Group) -> None:
        margin = self.axes.get_yaxis_transform()
        header = self.shortened(group.name, 9, self.width_in, "bold")
        self._write(0, group.header_y + 0.5, header, 9, _INK, weight="bold", ha="left", transform=margin)
        for y, name in group.nodes + group.addresses:
            middle_y = y + (BLOCK_TOP + BLOCK_BOTTOM) / 2
            label = self.shortened(name, 9, _LABEL_IN)
            self._write(-0.1 / self.width_in, middle_y, label, 9, _INK, ha="right", transform=margin)
        for y, node in group.nodes:
            self._draw_states(y, node, group.name)
            self._draw_adverts(y, node, group.name)
            self._draw_priorities(y, node, group.name)
        for y, address in group.addresses:
            self._draw_owners(y, address)
        self._shade_group(group, self.result.outages, OUTAGE_COLOR, _RED_INK)
        self._shade_group(group, self.clashes, CLASH_COLOR, CLASH_COLOR)

    def _draw_states(self, y: float, node: str, instance: str) -> None:
        moves = [t for t in self.result.transitions if t.node == node and t.instance == instance]
        states = [moves[0].old if moves else "INITIALIZE", *(move.new for move in moves)]
        times_ns = [0, *(move.at_ns for move in moves), self.result.duration_ns]
        for state, (from_ns, to_ns) in zip(states, pairwise(times_ns), strict=True):
            if from_ns < to_ns:
                patch = _state_patch(state)
                self._block(patch, from_ns, to_ns, y + BLOCK_TOP, y + BLOCK_BOTTOM)
                self._name_block(state, from_ns, to_ns, y + (BLOCK_TOP + BLOCK_BOTTOM) / 2, _STATE_INKS[state])

    def _block(self, look: Patch, from_ns: int, to_ns: int, top: float, bottom: float) -> None:
        block = Rectangle((seconds(from_ns), top), seconds(to_ns - from_ns), bottom - top)
        block.update_from(look)
        block.set_transform(self.axes.transData)
        block.set_zorder(2)
        self.axes.add_patch(block)

    def _name_block(self, name: str, from_ns: int, to_ns: int, y: float, ink: str) -> None:
        """Write a name into a block when it fits."""
        name = visible(name)
        if self.seconds_of(self.inches(name, _SMALL_SIZE) + 0.1) < seconds(to_ns - from_ns):
            box = {"facecolor": STATE_COLORS["FAULT"], "edgecolor": "none", "pad": 1.0} if name == "FAULT" else None
            self._write(seconds(from_ns + to_ns) / 2, y, name, _SMALL_SIZE, ink, zorder=3, bbox=box)

    def _draw_adverts(self, y: float, node: str, instance: str) -> None:
        sent = [seconds(s.at_ns) for s in self.result.sent if s.node == node and s.instance == instance]
        if len(sent) <= MOST_TICKS:
            self.axes.vlines(sent, y + BLOCK_BOTTOM + 0.03, y + TICK_BOTTOM, colors=_FAINT, linewidths=0.8, zorder=2)
            return
        part_s = self.end_s / MOST_TICKS
        parts = sorted({int(at_s / part_s) for at_s in sent})
        bars = [(first * part_s, (last - first + 1) * part_s) for first, last in _runs(parts)]
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

    def _draw_owners(self, y: float, address: str) -> None:
        spells = sorted((o for o in self.result.ownership if o.address == address), key=lambda o: o.from_ns)
        rows = _stacked(spells)
        height = (BLOCK_BOTTOM - BLOCK_TOP) / max(1, len(rows))
        for number, row in enumerate(rows):
            top = y + BLOCK_TOP + number * height
            for spell in row:
                color = self.result.nodes.index(spell.node) % len(NODE_COLORS)
                look = Patch(facecolor=NODE_COLORS[color], edgecolor="white", linewidth=0.4)
                self._block(look, spell.from_ns, spell.to_ns, top, top + height)
                self._name_block(spell.node, spell.from_ns, spell.to_ns, top + height / 2, _NODE_INKS[color])

    def _shade_group(self, group: _Group, spans: Sequence[Span], color: str, ink: str) -> None:
        addresses = dict((address, y) for y, address in group.addresses)
        concerned = [span for span in spans if span.address in addresses]
        for from_ns, to_ns in _union(concerned):
            self._shade(from_ns, to_ns, group.header_y + _HEADER, group.middle_y, color)
        taken: dict[str, list[tuple[float, float]]] = {address: [] for address in addresses}
        for span in sorted(concerned, key=lambda span: -span.duration_ns):
            y = addresses[span.address]
            self._shade(span.from_ns, span.to_ns, y, y + 1, color)
            label = duration_label(span.duration_ns)
            half_s = self.seconds_of(self.inches(label, _SMALL_SIZE, "bold") / 2 + 0.04)
            middle_s = min(max(seconds(span.from_ns + span.to_ns) / 2, half_s), self.end_s - half_s)
            if all(middle_s + half_s <= a or b <= middle_s - half_s for a, b in taken[span.address]):
                self._write(middle_s, y + 0.18, label, _SMALL_SIZE, ink, weight="bold", bbox=_PAPER)
                taken[span.address].append((middle_s - half_s, middle_s + half_s))

    def _shade(self, from_ns: int, to_ns: int, top: float, bottom: float, color: str) -> None:
        corner = (seconds(from_ns), top)
        # The edge keeps a short one visible.
        shade = Rectangle(corner, seconds(to_ns - from_ns), bottom - top, color=color, alpha=0.25, linewidth=0.8)
        shade.set_zorder(4)
        self.axes.add_patch(shade)

    # Events ---------------------------------------------------------------------------------------------

    def _place_events(self) -> list[_EventLabel]:
        """Level labels in rows when a few rows suffice; else upright ones side by side, as many as there is room."""
        events = [
            (seconds(event.at_ns) / self.end_s * self.width_in, _event_text(event.node, event.text))
            for event in sorted(self.result.events, key=lambda event: event.at_ns)
        ]
        level = _level(events, [self.inches(text, _EVENT_SIZE) for _, text in events], self.width_in)
        if all(label.y_in < _LEVEL_ROWS * _ROW_IN for label in level):
            return level
        room = int(self.width_in / _ROW_IN)
        kept = events[:room]
        upright_in = [self.inches(text, _EVENT_SIZE) for _, text in kept]
        return _upright(kept, upright_in, self.width_in)

    def _draw_events(self, labels: Sequence[_EventLabel]) -> None:
        above = blended_transform_factory(self.axes.transAxes, self._inches_from(1.0))
        for event in self.result.events:
            self.axes.axvline(seconds(event.at_ns), color=_INK, linestyle="--", linewidth=0.9, zorder=5)
        for label in labels:
            xs = [label.event_in / self.width_in, label.x_in / self.width_in if label.upright else label.event_in / self.width_in]
            ys = [0.0, label.y_in + (0.0 if label.upright else _ROW_IN / 2)]
            leader = Line2D(xs, ys, transform=above, color=_FAINT, linewidth=0.6, zorder=1, clip_on=False)
            self.axes.add_line(leader)
            rotation = {"rotation": 90, "ha": "center"} if label.upright else {"ha": "left"}
            x = label.x_in / self.width_in
            self._write(x, label.y_in, label.text, _EVENT_SIZE, _INK, transform=above, va="bottom", bbox=_PAPER, **rotation)
