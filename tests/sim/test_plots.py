"""The picture: what is drawn where, that labels stand clear of each other, and the files."""

from __future__ import annotations

import itertools
import re
import struct
import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from synthetic import HOSTILE, MS, VIP, at, busy, empty, failover, hostile, split

from sim.plots import (
    BLOCK_BOTTOM,
    BLOCK_TOP,
    CLASH_COLOR,
    DPI,
    NODE_COLORS,
    OUTAGE_COLOR,
    STATE_COLORS,
    WIDTH_IN,
    draw_timeline,
    save_plot,
)
from sim.result import SECOND_NS, Happened, Ownership, PriorityChange, Result, Sent, Span

STATE_OF = {color: state for state, color in STATE_COLORS.items()}


def blocks(figure: Figure) -> list[tuple[str, float, float, float, float]]:
    """Each rectangle: colour, from, to (s), top, bottom."""
    found = []
    for patch in figure.axes[0].patches:
        assert isinstance(patch, Rectangle)
        x, y = patch.get_xy()
        found.append((to_hex(patch.get_facecolor()), x, x + patch.get_width(), y, y + patch.get_height()))
    return found


def states(figure: Figure, top: float) -> list[tuple[str, float, float]]:
    """The states drawn in the lane whose top is there, by time."""
    lane = [block for block in blocks(figure) if block[3] == top and block[0] in STATE_OF]
    return [(STATE_OF[color], round(begin, 6), round(end, 6)) for color, begin, end, _, _ in sorted(lane, key=moment)]


def moment(block: tuple[str, float, float, float, float]) -> float:
    return block[1]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def legend(figure: Figure) -> list[str]:
    drawn = figure.axes[0].get_legend()
    assert drawn is not None
    return [text.get_text() for text in drawn.get_texts()]


def boxes(figure: Figure) -> list[tuple[str, Any]]:
    """Everything written, with where it is on the page in pixels."""
    figure.draw_without_rendering()
    written = [artist for artist in figure.findobj(lambda artist: isinstance(artist, Text)) if artist.get_visible()]
    shown = [artist for artist in written if isinstance(artist, Text) and artist.get_text()]
    return [(text.get_text(), text.get_window_extent()) for text in shown]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    return [
        (one, other)
        for (one, box), (other, other_box) in itertools.combinations(boxes(figure), 2)
        if min(box.x1, other_box.x1) - max(box.x0, other_box.x0) > 0.5
        and min(box.y1, other_box.y1) - max(box.y0, other_box.y0) > 0.5
    ]


def crowded(count: int, spread_ns: int = 30 * SECOND_NS) -> Result:
    """Many events, the last of them at the end."""
    moments = (spread_ns * number // (count - 1) for number in range(count))
    return empty(events=tuple(Happened(30 * SECOND_NS - spread_ns + ns, "lb1", "link down eth0") for ns in moments))


def flapping() -> Result:
    """Outages, two masters and priorities so close to each other that not all of them can have a label."""
    return empty(
        outages=tuple(Span(VIP, n * 400 * MS, n * 400 * MS + 50 * MS, ("lb1",)) for n in range(75)),
        dual_masters=tuple(Span(VIP, n * 700 * MS, n * 700 * MS + 9 * MS, ("lb1",)) for n in range(30)),
        priorities=tuple(PriorityChange(n * 300 * MS, "lb1", "VI_1", 100, 99, "") for n in range(101)),
        transitions=tuple(at(n * 100, "lb2", "BACKUP", "MASTER" if n % 2 else "BACKUP", "") for n in range(300)),
    )


ALL = [failover(), split(), busy(), hostile(), empty(), crowded(6), crowded(6, SECOND_NS), crowded(40), flapping()]


def test_each_group_has_a_lane_for_each_node_and_each_address_in_order() -> None:
    figure = draw_timeline(busy())
    nodes = ["cp1", "cp2", "cp3", "cp4", "cp5"]
    beside = [
        (-text.get_position()[1], text.get_text()) for text in figure.axes[0].texts if text.get_position()[0] < 0
    ]
    names = [name for _, name in sorted(beside, reverse=True)]
    assert names == [*nodes, "10.0.0.161", "10.0.0.162", *nodes, "fd00::53"]
    assert {"VI_API", "VI_WEB"} < set(texts(figure))
    assert figure.axes[0].get_xlim() == (0, 300)


def test_blocks_are_the_states_over_time() -> None:
    figure = draw_timeline(failover())
    first, second = sorted({top for color, _, _, top, _ in blocks(figure) if color in STATE_OF})
    assert second - first == pytest.approx(1)
    assert states(figure, first) == [
        ("BACKUP", 0, 3.609),
        ("MASTER", 3.609, 10),
        ("INITIALIZE", 10, 18),
        ("BACKUP", 18, 21.609),
        ("MASTER", 21.609, 30),
    ]
    assert states(figure, second) == [
        ("BACKUP", 0, 13.609),
        ("MASTER", 13.609, 21.6091),
        ("BACKUP", 21.6091, 26),
        ("FAULT", 26, 30),
    ]
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert [to_hex(patch.get_facecolor()) for patch in hatched] == [STATE_COLORS["FAULT"]]


def test_a_node_that_never_ran_is_grey_from_end_to_end() -> None:
    figure = draw_timeline(empty())
    assert [block[:3] for block in blocks(figure)] == [(STATE_COLORS["INITIALIZE"], 0, 30)] * 2
    assert texts(figure).count("INITIALIZE") == 2


def test_a_run_of_no_length_and_no_node_can_be_drawn() -> None:
    figure = draw_timeline(empty(duration_ns=0, nodes=(), instances={}))
    assert blocks(figure) == []
    assert "Two load balancers" in texts(figure)


def test_owners_are_drawn_by_node_and_two_at_once_under_each_other() -> None:
    figure = draw_timeline(failover())
    owned = sorted(block for block in blocks(figure) if block[0] in NODE_COLORS)
    (one, *begin_end), (again, *late), (other, *lower) = owned
    assert one == again == NODE_COLORS[0]
    assert other == NODE_COLORS[1]
    assert begin_end[:2] == pytest.approx([3.609, 18])
    assert late[:2] == pytest.approx([21.609, 30])
    assert lower[:2] == pytest.approx([13.609, 21.6091])
    assert begin_end[3] == pytest.approx(lower[2])  # the first row ends where the second begins
    assert {"lb1", "lb2"} <= set(texts(figure))
    assert texts(figure).count("lb1") == 3  # beside its lane, and in both of its blocks


def test_more_nodes_than_colours_take_them_in_turn() -> None:
    names = tuple(f"n{number}" for number in range(len(NODE_COLORS) + 1))
    held = (Ownership(VIP, names[0], 0, SECOND_NS), Ownership(VIP, names[-1], 2 * SECOND_NS, 3 * SECOND_NS))
    figure = draw_timeline(empty(nodes=names, ownership=held))
    assert [block[0] for block in blocks(figure) if block[0] in NODE_COLORS] == [NODE_COLORS[0]] * 2


def test_an_outage_shades_all_lanes_and_has_its_duration_above_the_owner() -> None:
    figure = draw_timeline(failover())
    shades = sorted(block for block in blocks(figure) if block[0] == OUTAGE_COLOR)
    assert [block[1:3] for block in shades] == [pytest.approx((10, 13.609))] * 2
    (_, _, _, top, middle), (_, _, _, again, bottom) = sorted(shades, key=lambda block: block[3])
    lanes = [block for block in blocks(figure) if block[0] in STATE_OF or block[0] in NODE_COLORS]
    assert top <= min(block[3] for block in lanes)
    assert middle == pytest.approx(again)
    assert bottom >= max(block[4] for block in lanes)
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == "3.61 s"]
    x, y = label.get_position()
    assert 10 < x < 13.609
    assert again < y < again + BLOCK_TOP


def test_outages_of_several_addresses_at_once_shade_the_nodes_once() -> None:
    figure = draw_timeline(busy())
    at_30 = [block for block in blocks(figure) if block[0] == OUTAGE_COLOR and block[1] == 30]
    assert len(at_30) == 5  # two groups of nodes, three addresses
    assert texts(figure).count("3.00 s") == 27


def test_two_masters_are_purple_from_a_millisecond_on() -> None:
    figure = draw_timeline(split())
    shades = [block[1:3] for block in blocks(figure) if block[0] == CLASH_COLOR]
    assert sorted(shades) == [pytest.approx((8.609, 13.609))] * 2 + [pytest.approx((23.609, 30))] * 2
    assert {"5.00 s", "6.39 s"} < set(texts(figure))
    assert "more than one master" in legend(figure)
    brief = draw_timeline(failover())
    assert not [block for block in blocks(brief) if block[0] == CLASH_COLOR]
    assert "more than one master" not in legend(brief)


def test_where_durations_have_no_room_the_longest_keep_theirs() -> None:
    spans = tuple(Span(VIP, n * 400 * MS, n * 400 * MS + (n + 1) * MS, ("lb1",)) for n in range(75))
    figure = draw_timeline(empty(outages=spans))
    labels = [text for text in texts(figure) if text.endswith(" ms")]
    assert "75 ms" in labels
    assert "74 ms" not in labels
    assert 20 < len(labels) < 40


def test_a_duration_without_room_in_the_middle_moves_to_a_side() -> None:
    moments = ((9000, 9400), (10_000, 10_500), (11_100, 11_500))
    figure = draw_timeline(empty(outages=tuple(Span(VIP, begin * MS, end * MS) for begin, end in moments)))
    before, after = (text.get_position()[0] for text in figure.axes[0].texts if text.get_text() == "400 ms")
    assert before < 9
    assert after > 11.5
    assert overlapping(figure) == []


def ticks(figure: Figure) -> list[float]:
    """Where the advertisements' ticks are, in seconds."""
    lines = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    return sorted(float(segment[0][0]) for line in lines for segment in line.get_segments())


def bands(figure: Figure) -> list[tuple[float, float]]:
    """From and to of the bands of advertisements."""
    drawn = [collection for collection in figure.axes[0].collections if not isinstance(collection, LineCollection)]
    spans = [np.asarray(path.vertices)[:, 0] for collection in drawn for path in collection.get_paths()]
    return sorted((float(xs.min()), float(xs.max())) for xs in spans)


def adverts(*times_ms: range) -> Result:
    return empty(sent=tuple(Sent(ms * MS, "lb1", "VI_1", 100) for ms in itertools.chain(*times_ms)))


def test_each_advertisement_is_a_tick() -> None:
    result = failover()
    assert ticks(draw_timeline(result)) == pytest.approx(sorted(sent.at_ns / SECOND_NS for sent in result.sent))
    assert bands(draw_timeline(result)) == []
    assert len(ticks(draw_timeline(adverts(range(0, 4000, 10))))) == 400


def test_very_many_advertisements_are_a_band_with_its_holes() -> None:
    figure = draw_timeline(adverts(range(0, 10_000, 20), range(15_000, 20_000, 20)))
    assert ticks(figure) == []
    first, second = bands(figure)
    assert first == pytest.approx((0, 10), abs=0.08)
    assert second == pytest.approx((15, 20), abs=0.08)


def test_a_priority_change_is_marked_with_its_numbers() -> None:
    figure = draw_timeline(failover())
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "v"]
    assert [np.asarray(line.get_xdata()).tolist() for line in marks] == [[24.0], []]
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == "101 \u2192 99"]
    assert label.get_position()[0] == pytest.approx(24, abs=0.3)


def test_a_priority_change_at_the_end_has_its_numbers_before_it() -> None:
    figure = draw_timeline(empty(priorities=(PriorityChange(30 * SECOND_NS, "lb1", "VI_1", 9, 8, ""),)))
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == "9 \u2192 8"]
    assert 28 < label.get_position()[0] < 30


def events_at(figure: Figure) -> list[float]:
    return [float(np.asarray(line.get_xdata())[0]) for line in figure.axes[0].lines if line.get_linestyle() == "--"]


def test_each_event_is_a_dashed_line_with_a_label() -> None:
    figure = draw_timeline(failover())
    assert events_at(figure) == pytest.approx([10, 18, 24, 25, 26])
    assert {"lb1: crash (SIGKILL, its addresses stay)", "partition lan lb1 | lb2"} < set(texts(figure))
    top = figure.axes[0].get_window_extent().y1
    assert all(box.y0 > top for text, box in boxes(figure) if text.startswith(("lb1: ", "partition")))


@pytest.mark.parametrize(("result", "turned"), [(crowded(5), 0), (crowded(6, SECOND_NS), 90), (crowded(40), 90)])
def test_many_events_have_upright_labels(result: Result, turned: float) -> None:
    figure = draw_timeline(result)
    labels = [text for text in figure.axes[0].texts if text.get_text() == "lb1: link down eth0"]
    assert [text.get_rotation() for text in labels] == [turned] * len(result.events)


def test_more_events_than_labels_can_stand_side_by_side_keep_their_lines() -> None:
    figure = draw_timeline(crowded(300))
    assert len(events_at(figure)) == 300
    labels = [text for text in figure.axes[0].texts if text.get_text() == "lb1: link down eth0"]
    assert 50 < len(labels) < 80
    # Every fifth event or so has one, above it: each label is as far along as the event.
    assert [text.get_position()[0] for text in labels] == pytest.approx([n / 60 for n in range(60)], abs=0.01)
    assert overlapping(figure) == []


def test_a_long_label_is_shortened_and_a_long_title_too() -> None:
    long = "x" * 300
    result = empty(title=long, nodes=(long, "lb2"), instances={long: (VIP,)}, events=(Happened(0, None, long),))
    figure = draw_timeline(result)
    shortened = [text for text in texts(figure) if text.startswith("xxx")]
    assert len(shortened) == 4
    assert all(text.endswith("x\u2026") for text in shortened)
    width, height = FigureCanvasAgg(figure).get_width_height()
    assert all(box.x0 >= 0 and box.x1 <= width and box.y1 <= height for _, box in boxes(figure))


@pytest.mark.parametrize("result", ALL)
def test_no_two_labels_overlap_and_all_are_on_the_page(result: Result) -> None:
    figure = draw_timeline(result)
    assert overlapping(figure) == []
    width, height = figure.canvas.get_width_height()
    outside = [(text, box) for text, box in boxes(figure) if min(box.x0, box.y0, width - box.x1, height - box.y1) < 0]
    assert outside == []


def test_overlaps_would_be_told() -> None:
    figure = draw_timeline(failover())
    figure.axes[0].text(24, 0.9, "in the way of everything here", clip_on=False)
    figure.axes[0].text(24, 0.9, "in the way of everything there", clip_on=False)
    assert ("in the way of everything here", "in the way of everything there") in overlapping(figure)


def test_names_in_blocks_stand_between_the_lines_of_the_events() -> None:
    figure = draw_timeline(failover())
    lines = [figure.axes[0].transData.transform((x, 0))[0] for x in events_at(figure)]
    named = [box for text, box in boxes(figure) if text in STATE_COLORS and box.y0 > 100]
    assert len(named) >= 9
    assert not [box for box in named for x in lines if box.x0 < x < box.x1]


def test_a_name_that_fits_only_across_a_line_stands_there() -> None:
    events = tuple(Happened(n * SECOND_NS, "lb1", "e") for n in range(1, 30))
    figure = draw_timeline(empty(events=events))
    assert texts(figure).count("INITIALIZE") == 2


def test_the_legend_names_what_is_there() -> None:
    states_of_all = ["MASTER", "BACKUP", "FAULT", "INITIALIZE or absent"]
    others = ["advertisement sent", "priority change", "event", "no master"]
    assert legend(draw_timeline(empty())) == states_of_all
    assert legend(draw_timeline(failover())) == states_of_all + others


def test_the_verdict_stands_under_the_title() -> None:
    line = "30 s, seed 1. Not healthy at the end: 10.0.0.100 has more than one master since 23.609 s (lb1, lb2)."
    assert line in texts(draw_timeline(split()))


def test_it_can_be_drawn_into_somebody_elses_axes() -> None:
    figure = Figure(figsize=(20, 8))
    axes = figure.add_axes((0.1, 0.2, 0.35, 0.5))
    other = figure.add_axes((0.55, 0.2, 0.35, 0.5))
    assert draw_timeline(failover(), axes) is figure
    assert axes.get_position().bounds == pytest.approx((0.1, 0.2, 0.35, 0.5))
    assert tuple(figure.get_size_inches()) == (20, 8)
    assert overlapping(figure) == []
    assert len(axes.patches) == len(draw_timeline(failover()).axes[0].patches)
    assert list(other.patches) == []


def test_the_height_follows_the_lanes() -> None:
    lanes = {len(nodes): draw_timeline(empty(nodes=nodes)).get_figheight() for nodes in (("a",), ("a", "b", "c"))}
    assert lanes[3] - lanes[1] == pytest.approx(2 * 0.42)
    assert BLOCK_BOTTOM - BLOCK_TOP < 1


def test_more_lanes_than_a_picture_can_be_high_are_thinner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.plots._TALLEST_IN", 3.0)
    figure = draw_timeline(empty(nodes=tuple(f"n{number}" for number in range(20))))
    assert figure.axes[0].get_position().height * figure.get_figheight() == pytest.approx(3)


def test_a_png_is_whole_and_of_the_size_of_its_figure(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_plot(failover(), path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert width == WIDTH_IN * DPI
    assert height == int(draw_timeline(failover()).get_figheight() * DPI)
    assert data[-8:-4] == b"IEND"
    assert struct.unpack(">I", data[-4:]) == (zlib.crc32(b"IEND"),)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".SVG"])
def test_the_same_run_gives_the_same_bytes_whatever_the_settings(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_plot(busy(), tmp_path / f"a{suffix}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20, "savefig.bbox": "tight"}):
        before = dict(matplotlib.rcParams)
        save_plot(busy(), tmp_path / f"b{suffix}")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_svg_is_xml_with_the_names_as_text_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    save_plot(hostile(), tmp_path / "a.svg")
    data = (tmp_path / "a.svg").read_text(encoding="utf-8")
    root = ET.fromstring(data)
    written = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert HOSTILE in written
    assert "[bold]$x^2$ & co" in written
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert "date" not in data.lower().replace("update", "")
    assert set(re.findall(r'https?://[^"\s]+', data)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd",
    }


def test_a_pdf_is_one(tmp_path: Path) -> None:
    save_plot(split(), tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"CreationDate" not in data


@pytest.mark.parametrize(("name", "told"), [("a.gif", ".gif"), ("a", "no suffix"), ("a.png.txt", ".txt")])
def test_another_suffix_is_refused_with_those_there_are(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no picture format") as caught:
        save_plot(failover(), tmp_path / name)
    assert str(caught.value) == f"{told} is no picture format; use .png, .svg or .pdf"
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="not in tuple"):
        save_plot(replace(failover(), nodes=()), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_letters_without_font_are_drawn_as_boxes_and_not_complained_about(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_plot(empty(title="\ud55c\uae00 \U0001f600", nodes=("\ud55c", "b")), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
