"""The story in words: on a terminal, in a file, in ASCII; and what the words say."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from synthetic import HOSTILE, MS, VIP, at, busy, empty, failover, hostile, split

from sim.result import SECOND_NS, ClientStory, Happened, Ownership, PriorityChange, Result, Span, Transition
from sim.timeline import (
    clashes,
    duration_text,
    handovers,
    outages,
    print_timeline,
    short_duration,
    stacked,
    story,
    time_text,
    union,
    verdict,
)
from vrrp.words import visible

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def plain(result: Result, width: int = 80) -> str:
    file = io.StringIO()
    print_timeline(result, Console(file=file, width=width))
    return file.getvalue()


def on_terminal(result: Result, width: int = 80) -> str:
    file = io.StringIO()
    print_timeline(result, Console(file=file, force_terminal=True, width=width, color_system="standard", _environ={}))
    return file.getvalue()


def words(text: str) -> str:
    """The text without colour, and with one space where there are many, or a line's end."""
    return " ".join(ESCAPE.sub("", text).split())


PLAIN_FAILOVER = """\
Two load balancers

time (s)  node  what happened
   0.000  lb1   INITIALIZE \u2192 BACKUP  started
   0.000  lb2   INITIALIZE \u2192 BACKUP  started
   3.609  lb1   BACKUP \u2192 MASTER      no advertisement yet, for 3.605 s
  10.000  lb1   crash (SIGKILL, its addresses stay)
  10.000  lb1   MASTER \u2192 INITIALIZE  killed (SIGKILL)
  13.609  lb2   BACKUP \u2192 MASTER      no advertisement for 3.609 s
  18.000  lb1   start
  18.000  lb1   INITIALIZE \u2192 BACKUP  started
  21.609  lb1   BACKUP \u2192 MASTER      preempts 10.0.0.12: its priority 100 is below our 101
  21.609  lb2   MASTER \u2192 BACKUP      10.0.0.11 has higher priority 101
  24.000  lb1   script fails check_apiserver
  24.000  lb1   priority             check_apiserver failed 10 times: 101 \u2192 99
  25.000        partition lan lb1 | lb2
  26.000  lb2   link down eth0
  26.000  lb2   BACKUP \u2192 FAULT       eth0 is down

Outages
  address       from      to  duration
  10.0.0.100  10.000  13.609   3.609 s  no master; last was lb1, where the address stays

Two masters
  1 handover of under 1 ms.

Clients
  client   target           sent    ok  failed  longest gap
  kubectl  10.0.0.100:8443  3000  2640     360      3.610 s

Notes
  lb1: haproxy.cfg is not simulated by this version; every connection is accepted

Healthy at the end: every address has exactly one master.
"""

PLAIN_EMPTY = """\
Two load balancers

Nothing happened.

Outages
  No outage.

Two masters
  Never two masters.

Clients
  No clients.

Notes
  No notes.

Healthy at the end: every address has exactly one master.
"""


@pytest.mark.parametrize("width", [10, 80, 200])
def test_a_file_has_the_whole_story_whatever_the_width(width: int) -> None:
    assert plain(failover(), width) == PLAIN_FAILOVER
    assert plain(empty(), width) == PLAIN_EMPTY


@pytest.mark.parametrize("result", [failover(), split(), busy()])
def test_a_terminal_says_the_same_as_a_file(result: Result) -> None:
    assert words(on_terminal(result, 200)) == words(plain(result))


def test_an_empty_run_on_a_terminal_is_sentences() -> None:
    assert words(on_terminal(empty())) == words(PLAIN_EMPTY)


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_wraps_reasons_between_words_and_loses_nothing(width: int) -> None:
    shown = ESCAPE.sub("", on_terminal(failover(), width))
    assert max(len(line) for line in shown.splitlines()) <= width
    assert "\u2026" not in shown
    assert set(words(PLAIN_FAILOVER).split()) == set(shown.split())


def test_a_long_word_is_folded_and_not_cut() -> None:
    reason = "q" * 100
    shown = on_terminal(empty(transitions=(at(0, "lb1", "INITIALIZE", "FAULT", reason),)), 60)
    assert shown.count("q") == 100


def test_a_terminal_has_colours_and_a_file_none() -> None:
    shown = on_terminal(failover())
    for styled in (
        "\x1b[32mMASTER",
        "\x1b[34mBACKUP",
        "\x1b[31mFAULT",
        "\x1b[2mINITIALIZE",
        "\x1b[1mcrash (SIGKILL",
        "\x1b[1;32mHealthy",
    ):
        assert styled in shown
    assert "\x1b[1;31mNot healthy" in on_terminal(split())
    assert "\x1b" not in plain(failover())


def test_instances_are_named_where_there_are_several() -> None:
    lines = plain(busy()).splitlines()
    assert lines[2].split() == ["time", "(s)", "node", "instance", "what", "happened"]
    assert "   3.000  cp1   VI_API    BACKUP \u2192 MASTER      no advertisement for 3.000 s" in lines
    assert "  30.000  cp1             link down eth0" in lines
    assert "VI_1" not in plain(failover())


def test_names_are_shown_as_they_are_and_steer_nothing() -> None:
    for shown in (plain(hostile()), ESCAPE.sub("", on_terminal(hostile(), 200))):
        assert "\x07" not in shown
        assert "\x1b" not in shown
        assert r"\x1b]0;owned\x07" in shown
        assert r"b\x07\nc" in shown
        assert "a < b && $\\frac{1}$ [red]not red[/red]" in shown
        assert HOSTILE in shown


@pytest.mark.parametrize("terminal", [True, False])
def test_an_encoding_without_arrows_and_hangul_gets_something_else(terminal: bool) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    result = empty(title="\ud55c", transitions=(at(0, "lb1", "INITIALIZE", "MASTER", "1 \u2192 2"),))
    print_timeline(result, Console(file=file, force_terminal=terminal, width=100, _environ={}))
    file.flush()
    shown = words(raw.getvalue().decode("ascii"))
    assert shown.startswith("\\ud55c")
    assert "INITIALIZE -> MASTER 1 -> 2" in shown


def test_wide_letters_keep_the_columns() -> None:
    result = empty(
        nodes=("\ud55c\uae00", "lb2"),
        transitions=(at(0, "\ud55c\uae00", "INITIALIZE", "BACKUP", "a"), at(1, "lb2", "INITIALIZE", "BACKUP", "b")),
    )
    korean, latin = plain(result).splitlines()[3:5]
    assert korean == "   0.000  \ud55c\uae00  INITIALIZE \u2192 BACKUP  a"
    assert latin == "   0.001  lb2   INITIALIZE \u2192 BACKUP  b"


def test_times_of_a_long_run_stay_aligned() -> None:
    result = empty(
        duration_ns=10**15,
        transitions=(at(5, "lb1", "INITIALIZE", "BACKUP", "a"), at(123_456_789, "lb1", "BACKUP", "MASTER", "b")),
    )
    lines = plain(result).splitlines()
    assert lines[2:5] == [
        "  time (s)  node  what happened",
        "     0.005  lb1   INITIALIZE \u2192 BACKUP  a",
        "123456.789  lb1   BACKUP \u2192 MASTER      b",
    ]


def test_hundreds_of_transitions_are_all_there() -> None:
    states = ("BACKUP", "MASTER")
    moves = tuple(at(n, "lb1", states[n % 2], states[1 - n % 2], f"reason {n}.") for n in range(700))
    shown = plain(empty(transitions=moves))
    assert all(f"  reason {n}.\n" in shown for n in range(700))


def test_at_one_moment_the_event_comes_first_then_the_priority_then_the_state() -> None:
    result = empty(
        events=(Happened(5, "lb1", "e"),),
        priorities=(PriorityChange(5, "lb1", "VI_1", 2, 1, "p"),),
        transitions=(Transition(5, "lb1", "VI_1", "MASTER", "BACKUP", "t"), at(0, "lb2", "BACKUP", "MASTER", "0")),
    )
    assert [(entry.what, entry.reason, entry.is_event) for entry in story(result)] == [
        ("BACKUP \u2192 MASTER", "0", False),
        ("e", "", True),
        ("priority", "p: 2 \u2192 1", False),
        ("MASTER \u2192 BACKUP", "t", False),
    ]
    assert [entry.states for entry in story(result)] == [("BACKUP", "MASTER"), None, None, ("MASTER", "BACKUP")]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("check failed once: 101 \u2192 99", "check failed once: 101 \u2192 99"),
        ("reload", "reload: 101 \u2192 99"),
        ("", "101 \u2192 99"),
    ],
)
def test_a_priority_names_its_numbers_once(reason: str, told: str) -> None:
    (entry,) = story(empty(priorities=(PriorityChange(0, "lb1", "VI_1", 101, 99, reason),)))
    assert entry.reason == told


def test_outages_are_worded() -> None:
    result = empty(
        outages=(
            Span(VIP, 0, 30 * SECOND_NS),
            Span("a", 1, 2 * SECOND_NS, ("lb1", "lb2")),
            Span("b", 20 * SECOND_NS, 30 * SECOND_NS, ("lb1",)),
        )
    )
    assert [stretch.phrase for stretch in outages(result)] == [
        "no master at any time",
        "no master; last was lb1, lb2",
        "no master to the end; last was lb1",
    ]
    assert [stretch.span for stretch in outages(result)] == list(result.outages)


def test_two_masters_are_listed_from_a_millisecond_on() -> None:
    spans = tuple(Span(VIP, 0, length_ns, ("lb1", "lb2")) for length_ns in (MS - 1, MS, 5 * MS, 1, 30 * SECOND_NS))
    listed, brief = clashes(empty(dual_masters=spans))
    assert [stretch.span.duration_ns for stretch in listed] == [MS, 5 * MS, 30 * SECOND_NS]
    assert [stretch.phrase for stretch in listed] == ["lb1 and lb2", "lb1 and lb2", "lb1 and lb2 to the end"]
    assert brief == 2
    shown = plain(empty(dual_masters=spans))
    assert "  10.0.0.100  0.000   0.005   0.005 s  lb1 and lb2\n" in shown
    assert "  2 handovers of under 1 ms.\n" in shown
    assert "Never" not in shown
    assert handovers(1) == "1 handover of under 1 ms"


def test_two_masters_without_handovers_have_no_sentence() -> None:
    shown = plain(split())
    assert "lb1 and lb2 to the end\n\nClients\n" in shown


def test_a_client_without_gap_says_so() -> None:
    shown = plain(empty(clients={"web": ClientStory("a:1", 5, 5, 0, ())}))
    assert "  web     a:1        5   5       0         none\n" in shown


def test_the_verdict_names_each_address_that_is_wrong() -> None:
    end = 30 * SECOND_NS
    result = empty(
        outages=(Span("a", 5 * SECOND_NS, end, ("lb1",)), Span("b", 0, end - 1)),
        dual_masters=(Span("c", end - MS, end, ("lb1", "lb2")), Span("d", 0, 5, ("lb1", "lb2"))),
    )
    told = (
        "Not healthy at the end: a has no master since 5.000 s; c has more than one master since 29.999 s (lb1, lb2)."
    )
    assert verdict(result) == told
    assert plain(result).endswith(f"\n{told}\n")


def test_durations_are_told_to_the_millisecond() -> None:
    assert [duration_text(ns) for ns in (0, 1, MS - 1, MS, 3609 * MS, 100_000 * MS)] == [
        "0.000 s",
        "<0.001 s",
        "<0.001 s",
        "0.001 s",
        "3.609 s",
        "100.000 s",
    ]
    assert [short_duration(ns) for ns in (MS - 1, MS, 812 * MS, SECOND_NS, 3609 * MS)] == [
        "<1 ms",
        "1 ms",
        "812 ms",
        "1.00 s",
        "3.61 s",
    ]
    assert time_text(13_609_375_000) == "13.609"


def test_spans_join_where_they_touch() -> None:
    spans = [Span("a", 5, 8), Span("b", 1, 3), Span("a", 3, 4), Span("b", 6, 7), Span("a", 9, 9)]
    assert union(spans) == [(1, 4), (5, 8), (9, 9)]


def test_holders_share_a_row_unless_they_overlap_by_more_than_a_handover() -> None:
    first = Ownership("a", "lb1", 0, 10 * MS)
    next_one = Ownership("a", "lb2", 10 * MS - 1000, 20 * MS)
    beside = Ownership("a", "lb3", 5 * MS, 15 * MS)
    assert stacked([next_one, beside, first]) == [[first, next_one], [beside]]


def test_visible_spells_out_what_cannot_be_seen() -> None:
    assert visible("a\tb\x1b[0m\u202e\ud800 c\u00e9\ud55c") == "a\\tb\\x1b[0m\\u202e\\ud800 c\u00e9\ud55c"
