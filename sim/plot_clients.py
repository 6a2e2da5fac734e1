"""The clients' part of a run's picture: for each second, which share of the requests begun in it failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from sim.result import Result

FAILED_COLOR, SERVED_COLOR = "#e4572e", "#dfeee3"
MOST_LANES = 6
"""With more clients than this one lane has all of them together."""


@dataclass(frozen=True, slots=True)
class ClientLane:
    """A client and, for each second of the run, how many requests it began and how many of those failed."""

    name: str
    seconds: Sequence[tuple[int, int]]


def client_lanes(result: Result) -> list[ClientLane]:
    """The lanes of those clients of which is known what they saw second by second."""
    lanes = [ClientLane(name, story.seconds) for name, story in result.clients.items() if story.seconds]
    if len(lanes) <= MOST_LANES:
        return lanes
    length = max(len(lane.seconds) for lane in lanes)
    sums = [[0, 0] for _ in range(length)]
    for lane in lanes:
        for total, (sent, failed) in zip(sums, lane.seconds, strict=False):
            total[0] += sent
            total[1] += failed
    return [ClientLane(f"{len(lanes)} clients", [(sent, failed) for sent, failed in sums])]


def draw_shares(axes: Axes, lane: ClientLane, top: float, bottom: float, end_s: float) -> None:
    """Draw a lane between two heights: a bar for each second, red from below as far as requests failed."""
    active = [number for number, (sent, _) in enumerate(lane.seconds) if sent]
    spans = [(number, min(1.0, end_s - number)) for number in active if number < end_s]
    axes.broken_barh(spans, (top, bottom - top), facecolors=SERVED_COLOR, linewidth=0, zorder=2)
    for number, width in spans:
        sent, failed = lane.seconds[number]
        if failed:
            height = (bottom - top) * failed / sent
            axes.broken_barh(
                [(number, width)], (bottom - height, height), facecolors=FAILED_COLOR, linewidth=0, zorder=3
            )


def legend_handle() -> Patch:
    """What the red of the lanes means."""
    return Patch(facecolor=FAILED_COLOR, label="share of requests failed")
