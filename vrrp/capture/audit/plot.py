"""The picture of an audit: a lane for each router that claimed to be master, one for where each address pointed.

Findings stand as numbered marks above the lanes, in the order of the list that `vrrp audit` prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from vrrp.capture.audit.findings import Severity
from vrrp.capture.audit.holders import Holder
from vrrp.capture.audit.report import Audit
from vrrp.capture.audit.watch import Watch
from vrrp.picture import picture_suffix
from vrrp.whole_file import replacing
from vrrp.wire.address import text
from vrrp.wire.ethernet import mac_text, virtual_mac

_FORMATS: dict[str, tuple[str, ...]] = {
    ".png": (),
    ".svg": ("Date", "Creator", "Format", "Type"),
    ".pdf": ("CreationDate",),
}
"""What each format would say about when and by what it was made."""
_DPI = 120
_WIDTH_IN, _LANE_IN = 12.0, 0.42
_MOST_LANES, _MOST_BLOCKS, _MOST_MARKS = 60, 2000, 40
_INK = "#222222"
_OWNERS = ("#0072b2", "#e69f00", "#cc79a7", "#8c564b", "#17a2b8", "#b3b31f", "#4b5563", "#f4a582")
_VIRTUAL, _STRANGER = "#9aa5b1", "#d7191c"
_SEVERITIES = {Severity.ERROR: "#d7191c", Severity.WARNING: "#c77700", Severity.NOTE: "#666666"}
_TOP, _HEIGHT = 0.18, 0.64


def save_plot(audit: Audit, path: Path) -> None:
    """Write the picture in the format of the suffix; the same audit gives the same bytes. ValueError, OSError."""
    suffix = picture_suffix(path)
    with (
        replacing(path) as file,
        matplotlib.style.context("default"),
        matplotlib.rc_context({"svg.hashsalt": "vrrp", "svg.fonttype": "none"}),
    ):
        draw(audit).savefig(file, format=suffix[1:], dpi=_DPI, metadata=dict.fromkeys(_FORMATS[suffix]))


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of a lane, in seconds."""

    begin_s: float
    end_s: float
    color: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    blocks: tuple[_Block, ...]
    heading: str = ""
    """Set for the first lane of a virtual router."""


def draw(audit: Audit) -> Figure:
    """Draw an audit; what exceeds 60 lanes is left out, and the title says so."""
    lanes = [lane for watch in audit.watches for lane in _lanes(audit, watch)]
    left_out = len(lanes) - _MOST_LANES
    lanes = lanes[:_MOST_LANES]
    headings = sum(bool(lane.heading) for lane in lanes)
    height_in = 1.9 + _LANE_IN * (len(lanes) + 0.8 * headings)
    figure = Figure(figsize=(_WIDTH_IN, height_in), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.19, 0.85 / height_in, 0.79, 1 - 1.75 / height_in))
    _prepare(axes, audit, len(lanes) + 0.8 * headings)
    y = 0.0
    for lane in lanes:
        if lane.heading:
            axes.text(0, y + 0.5, lane.heading, fontsize=9, weight="bold", color=_INK, va="center", parse_math=False)
            y += 0.8
        _draw_lane(axes, lane, y)
        y += 1
    _draw_findings(axes, audit)
    more = f", {left_out} more lanes not drawn" if left_out > 0 else ""
    count = len(audit.findings)
    title = f"{audit.name}: {audit.packets} packets, {count or 'no'} finding{'s' * (count != 1)}{more}"
    figure.text(0.02, 1 - 0.12 / height_in, title, fontsize=11, weight="bold", va="top", parse_math=False)
    _legend(axes)
    return figure


def _lanes(audit: Audit, watch: Watch) -> list[_Lane]:
    colors = {source: _OWNERS[index % len(_OWNERS)] for index, source in enumerate(watch.senders)}
    lanes = []
    heading = watch.where
    for sender in watch.senders.values():
        blocks = tuple(
            _Block(audit.at(span.first_ns), audit.at(span.end_ns), colors[sender.source], "master")
            for span in sender.spans[:_MOST_BLOCKS]
        )
        lanes.append(_Lane(text(sender.source), blocks, heading))
        heading = ""
    lanes += [_holder_lane(audit, watch, holder, colors) for holder in audit.pointed(watch)]
    return lanes


def _holder_lane(audit: Audit, watch: Watch, holder: Holder, colors: dict[bytes, str]) -> _Lane:
    blocks = []
    ends_ns = [*(pointing.first_ns for pointing in holder.pointings[1:]), audit.last_ns]
    for pointing, end_ns in zip(holder.pointings[:_MOST_BLOCKS], ends_ns[:_MOST_BLOCKS], strict=False):
        owner = watch.owner(pointing.mac)
        if pointing.mac == virtual_mac(watch.place.vrid, watch.place.width):
            color, label = _VIRTUAL, "virtual MAC"
        elif owner is not None:
            color, label = colors[owner.source], text(owner.source)
        else:
            color, label = _STRANGER, mac_text(pointing.mac)
        blocks.append(_Block(audit.at(pointing.first_ns), audit.at(end_ns), color, label))
    return _Lane(f"ARP: {text(holder.address)}", tuple(blocks))


def _prepare(axes: Axes, audit: Audit, height: float) -> None:
    axes.set_xlim(0, max(audit.at(audit.last_ns), 1e-3))
    axes.set_ylim(max(height, 1), 0)
    axes.set_yticks([])
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.tick_params(axis="x", labelsize=9, colors=_INK)
    axes.set_xlabel("time since the first packet (s)", fontsize=9, color=_INK)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _draw_lane(axes: Axes, lane: _Lane, y: float) -> None:
    length_s = axes.get_xlim()[1]
    axes.text(
        -0.008,
        y + 0.5,
        lane.name,
        transform=axes.get_yaxis_transform(),
        fontsize=9,
        color=_INK,
        ha="right",
        va="center",
        parse_math=False,
    )
    for block in lane.blocks:
        # A single packet still shows.
        width_s = max(block.end_s - block.begin_s, length_s / 500)
        axes.add_patch(Rectangle((block.begin_s, y + _TOP), width_s, _HEIGHT, facecolor=block.color, zorder=2))
        # About eleven letters of this size fit into a hundredth of the axes' width each.
        if width_s / length_s > 0.011 * len(block.label):
            middle_s = block.begin_s + width_s / 2
            axes.text(middle_s, y + 0.5, block.label, fontsize=7, color="white", ha="center", va="center", zorder=3)


def _draw_findings(axes: Axes, audit: Audit) -> None:
    transform = axes.get_xaxis_transform()
    placed: list[tuple[float, int]] = []
    length_s = axes.get_xlim()[1]
    for number, finding in enumerate(audit.findings[:_MOST_MARKS], 1):
        at_s = audit.at(finding.first_ns)
        color = _SEVERITIES[finding.kind.severity]
        row = sum(abs(at_s - other_s) < length_s * 0.02 for other_s, _ in placed) % 4
        placed.append((at_s, row))
        axes.axvline(at_s, color=color, linewidth=0.9, linestyle="--", zorder=1)
        look: dict[str, Any] = {"fontsize": 7, "color": "white", "ha": "center", "va": "bottom", "parse_math": False}
        box = {"boxstyle": "circle,pad=0.25", "facecolor": color, "edgecolor": "none"}
        axes.text(at_s, 1.01 + 0.055 * row, str(number), transform=transform, bbox=box, zorder=5 + row, **look)


def _legend(axes: Axes) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=_OWNERS[0], label="master, and where the address points"),
        Patch(facecolor=_VIRTUAL, label="points to the virtual MAC"),
        Patch(facecolor=_STRANGER, label="points to a stranger"),
    ]
    handles += [
        Line2D([], [], color=color, linestyle="--", label=severity.value) for severity, color in _SEVERITIES.items()
    ]
    axes.legend(
        handles=handles,
        ncols=len(handles),
        fontsize=8,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(-0.2, 0.0),
        borderaxespad=3.2,
        columnspacing=1.2,
    )
