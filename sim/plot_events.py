"""Where the labels of events go above a run's picture: level ones in rows, or upright ones side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROW_IN, ABOVE_IN = 0.17, 0.1


@dataclass(frozen=True, slots=True)
class EventLabel:
    """In inches from the axes' top left, upwards; `x_in` is a level label's left edge, an upright one's middle."""

    text: str
    event_in: float
    x_in: float
    y_in: float
    upright: bool


Event = tuple[float, str, float]  # where it is from the left, its label, how wide that is; in inches


def level(events: Sequence[Event], width_in: float) -> list[EventLabel]:
    """From right to left, so that the line down from a label in a higher row passes those below on their left."""
    labels = []
    rows: list[float] = []  # where the leftmost label of each row begins
    for event_in, text, text_in in reversed(events):
        x_in = max(0.0, min(event_in, width_in - text_in))
        blocked = [number for number, begin in enumerate(rows) if x_in + text_in + 0.1 > begin]
        row = blocked[-1] + 1 if blocked else 0
        rows[row : row + 1] = [x_in]
        labels.append(EventLabel(text, event_in, x_in, ABOVE_IN + row * ROW_IN, upright=False))
    return labels


def upright(events: Sequence[Event], width_in: float) -> list[EventLabel]:
    """Each as near to its event as those on its sides allow."""
    places: list[float] = []
    free_in = ROW_IN / 2
    for event_in, _, _ in events:
        places.append(max(event_in, free_in))
        free_in = places[-1] + ROW_IN
    limit_in = width_in - ROW_IN / 2
    for number in reversed(range(len(places))):
        places[number] = min(places[number], limit_in)
        limit_in = places[number] - ROW_IN
    y_in = ABOVE_IN + ROW_IN
    return [
        EventLabel(text, event_in, x_in, y_in, upright=True)
        for (event_in, text, _), x_in in zip(events, places, strict=True)
    ]
