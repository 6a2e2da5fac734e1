"""The clients' part of the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from synthetic import failover

from sim.plot_clients import FAILED_COLOR, ClientLane, client_lanes
from sim.plots import draw_timeline
from sim.result import ClientStory


def test_the_share_of_failed_requests_second_by_second() -> None:
    stories = {
        "c": ClientStory("10.0.0.100:80", 15, 9, 6, (), seconds=((0, 0), (10, 5), (5, 1))),
        "d": ClientStory("10.0.0.100:80", 1, 1, 0, ()),
    }
    lanes = client_lanes(replace(failover(), clients=stories))
    assert lanes == [ClientLane("c", ((0, 0), (10, 5), (5, 1)))]
    axes = draw_timeline(replace(failover(), clients=stories)).axes[0]
    heights = [
        path.get_extents().height
        for bars in axes.collections
        if isinstance(bars, PolyCollection) and to_hex(np.asarray(bars.get_facecolor())[0]) == FAILED_COLOR
        for path in bars.get_paths()
    ]
    # Half of those of the second second, a fifth of those of the third.
    assert heights[0] == pytest.approx(2.5 * heights[1])


def test_many_clients_share_a_lane() -> None:
    story = ClientStory("10.0.0.100:80", 2, 1, 1, (), seconds=((1, 0), (1, 1)))
    clients = {f"c{number}": story for number in range(6)} | {"long": replace(story, seconds=((3, 1),))}
    (lane,) = client_lanes(replace(failover(), clients=clients))
    assert lane == ClientLane("7 clients", [(9, 1), (6, 6)])
