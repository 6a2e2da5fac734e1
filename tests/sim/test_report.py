"""The report: that it is sound HTML which loads nothing, and what it says."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic import HOSTILE, MS, VIP, at, busy, empty, failover, hostile, split

from sim.report import summary, write_report
from sim.result import SECOND_NS, ClientStory, Result, Span
from sim.timeline import story, verdict

VOID = {"meta", "br", "hr", "img", "link", "input"}
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class Page(HTMLParser):
    """Reads a page, and complains about tags that do not match; keeps tables, texts by tag, attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        else:
            self.texts.append((tag, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data
        elif self.texts:
            self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + data)

    def within(self, wanted: str) -> list[str]:
        return [text.strip() for tag, text in self.texts if tag == wanted]

    def table(self, *heads: str) -> list[list[str]]:
        (found,) = [table[1:] for table in self.tables if table[0] == list(heads)]
        return found


def report(result: Result, folder: Path, **configurations: str) -> Page:
    write_report(result, folder / "r.html", configurations=configurations)
    return Page(folder / "r.html")


@pytest.mark.parametrize("result", [failover(), split(), busy(), hostile(), empty()])
def test_a_report_is_balanced_and_loads_and_runs_nothing(result: Result, tmp_path: Path) -> None:
    page = report(result, tmp_path, **{"a.conf": "x", HOSTILE: HOSTILE})
    assert page.source.startswith("<!DOCTYPE html>\n")
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form", "image"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in {"href", "xlink:href", "src"}:
            assert value.startswith("#")
        if "://" in value:
            assert name.startswith("xmlns")
            assert value in NAMESPACES
    for target in re.findall(r"url\(([^)]*)\)", page.source):
        assert target.strip("\"'").startswith("#")
    assert "@import" not in page.source
    assert page.tags.count("svg") == 1
    assert page.tags.count("html") == page.tags.count("body") == page.tags.count("h1") == 1
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_ids_are_there_once(tmp_path: Path) -> None:
    ids = [value for _, name, value in report(busy(), tmp_path).attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_whole_story_is_a_table(tmp_path: Path) -> None:
    page = report(failover(), tmp_path)
    rows = page.table("time (s)", "node", "what", "why")
    assert rows == [
        [f"{entry.at_ns / SECOND_NS:.3f}", entry.node, entry.what, entry.reason] for entry in story(failover())
    ]
    assert ["24.000", "lb1", "priority", "check_apiserver failed 10 times: 101 \u2192 99"] in rows
    assert '<span class="event">crash (SIGKILL, its addresses stay)</span>' in page.source
    assert '<span class="BACKUP">BACKUP</span> \u2192 <span class="MASTER">MASTER</span>' in page.source


def test_instances_are_named_where_there_are_several(tmp_path: Path) -> None:
    rows = report(busy(), tmp_path).table("time (s)", "node", "instance", "what", "why")
    assert ["3.000", "cp1", "VI_API", "BACKUP \u2192 MASTER", "no advertisement for 3.000 s"] in rows
    assert ["30.000", "cp1", "", "link down eth0", ""] in rows


SPAN_HEADS = ("address", "from (s)", "to (s)", "duration", "")


def test_outages_two_masters_clients_counters_and_notes_are_there(tmp_path: Path) -> None:
    page = report(failover(), tmp_path)
    assert page.table(*SPAN_HEADS) == [
        [VIP, "10.000", "13.609", "3.609 s", "no master; last was lb1, where the address stays"]
    ]
    assert "1 handover of under 1 ms." in page.within("p")
    assert page.table("client", "target", "sent", "ok", "failed", "longest gap") == [
        ["kubectl", f"{VIP}:8443", "3000", "2640", "360", "3.610 s"]
    ]
    assert page.table("node", "instance", "sent", "accepted", "became master", "discarded: WRONG TTL") == [
        ["lb1", "VI_1", "15", "8", "2", "0"],
        ["lb2", "VI_1", "8", "16", "1", "2"],
    ]
    assert failover().notes[0] in page.within("p")
    assert page.within("h2") == ["What happened", "Outages", "Two masters", "Clients", "Counters", "Notes"]


def test_two_masters_are_a_table(tmp_path: Path) -> None:
    page = report(split(), tmp_path)
    assert page.table(*SPAN_HEADS) == [
        [VIP, "8.609", "13.609", "5.000 s", "lb1 and lb2"],
        [VIP, "23.609", "30.000", "6.391 s", "lb1 and lb2 to the end"],
    ]
    assert "No outage." in page.within("p")
    assert "Never two masters." not in page.within("p")


def test_where_nothing_is_there_is_a_sentence_and_no_table(tmp_path: Path) -> None:
    page = report(empty(), tmp_path)
    assert page.tables == []
    told = ["Nothing happened.", "No outage.", "Never two masters.", "No clients.", "No counters.", "No notes."]
    assert page.within("p")[-6:] == told


def test_a_client_without_gap_says_so(tmp_path: Path) -> None:
    rows = report(busy(), tmp_path).table("client", "target", "sent", "ok", "failed", "longest gap")
    assert [row[-1] for row in rows] == ["none", "<0.001 s"]


def test_a_counter_that_one_lacks_is_zero_and_a_node_without_process_has_no_row(tmp_path: Path) -> None:
    counters = {"a": {"V": {"sent": 1}}, "b": {"V": {"accepted": 2}}, "c": {}}
    rows = report(empty(counters=counters), tmp_path).table("node", "instance", "sent", "accepted")
    assert rows == [["a", "V", "1", "0"], ["b", "V", "0", "2"]]


@pytest.mark.parametrize(("result", "look"), [(failover(), "good"), (split(), "bad")])
def test_the_verdict_stands_on_top(result: Result, look: str, tmp_path: Path) -> None:
    page = report(result, tmp_path)
    assert f'<p class="verdict {look}">{html.escape(verdict(result))}</p>' in page.source
    assert page.source.index('class="verdict') < page.source.index("<svg") < page.source.index("<table")
    for sentence in summary(result):
        assert page.source.index(html.escape(sentence)) < page.source.index("<svg")


def test_hostile_names_are_text(tmp_path: Path) -> None:
    page = report(hostile(), tmp_path, **{HOSTILE: f"</pre>{HOSTILE}\n\tstate MASTER\x00\r\nend & so on"})
    assert page.within("h1") == [f"</title>{HOSTILE} \\x1b[31m"]
    assert page.within("title")[0] == f"</title>{HOSTILE} \\x1b[31m"
    assert page.within("summary") == [HOSTILE]
    assert page.within("pre") == [f"</pre>{HOSTILE}\n        state MASTER\\x00\nend & so on"]
    rows = page.table("time (s)", "node", "what", "why")
    assert rows[0] == ["0.000", HOSTILE, "INITIALIZE \u2192 MASTER", "a < b && $\\frac{1}$ [red]not red[/red]"]
    assert page.table("node", "instance", "<b>", "discarded: &amp;") == [[HOSTILE, "[bold]$x^2$ & co", "1", "2"]]
    assert "<i>note</i> http://example.org/" in page.within("p")
    assert HOSTILE in page.within("text")
    assert html.escape(HOSTILE) in page.source
    assert "alert(" not in re.sub(r"&lt;script&gt;alert\((&quot;|\")1(&quot;|\")\)&lt;/script&gt;", "", page.source)


def test_configurations_are_folded_at_the_end(tmp_path: Path) -> None:
    page = report(failover(), tmp_path, a="one\n  two", b="three")
    assert page.within("h2")[-1] == "Configurations"
    assert page.within("summary") == ["a", "b"]
    assert page.within("pre") == ["one\n  two", "three"]
    assert page.tags.count("details") == 2
    assert "Configurations" not in report(failover(), tmp_path).source


def test_it_suits_a_phone_a_printer_and_the_dark(tmp_path: Path) -> None:
    page = report(failover(), tmp_path)
    assert ("meta", "content", "width=device-width, initial-scale=1") in page.attributes
    assert "@media (prefers-color-scheme: dark)" in page.source
    assert "@media print" in page.source
    # The picture keeps its white paper; tables and picture scroll by themselves.
    assert re.search(r"\.picture \{ background: #ffffff;", page.source)
    assert page.source.count('<div class="wide">\n<table>') == page.tags.count("table") > 0


def test_the_same_run_gives_the_same_page_and_replaces_the_last(tmp_path: Path) -> None:
    first = report(busy(), tmp_path).source
    (tmp_path / "r.html").write_text("old", encoding="utf-8")
    assert report(busy(), tmp_path).source == first


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(failover(), tmp_path / "nowhere" / "r.html")


def test_the_summary_of_one_outage() -> None:
    assert summary(failover()) == (
        "In a run of 30.000 s the address was without service for 3.609 s in all (12.03% of the time),"
        " in 1 interruption.",
        "The longest interruption lasted 3.609 s: 10.0.0.100, from 10.000 s to 13.609 s.",
        "360 of 3000 connections of clients failed (12.00%); the longest time without one was 3.610 s.",
    )


def test_the_summary_counts_what_fails_together_once() -> None:
    told = summary(busy())
    assert told[0] == (
        "In a run of 300.000 s at least one of the 3 addresses was without service for 27.000 s in all"
        " (9.00% of the time), in 9 interruptions."
    )
    assert told[2].startswith("2 times more than one node answered for the same address,")
    assert told[2].endswith("The longest of these lasted 4.500 s: 10.0.0.161, from 100.000 s to 104.500 s.")


def test_the_summary_of_good_runs() -> None:
    assert summary(empty()) == ("In a run of 30.000 s there was no interruption of service.",)
    served = empty(clients={"a": ClientStory("b:1", 7, 7, 0, ())}, transitions=(at(0, "lb1", "BACKUP", "MASTER", ""),))
    assert summary(served)[-1] == "All 7 connections of clients succeeded."


def test_the_summary_of_one_pair_of_masters_and_of_a_handover() -> None:
    pair = Span(VIP, 0, 2 * MS, ("lb1", "lb2"))
    handover = Span(VIP, 0, MS - 1, ("lb1", "lb2"))
    assert summary(empty(dual_masters=(pair, handover)))[1].startswith("Once more than one node answered")
    assert len(summary(empty(dual_masters=(handover,)))) == 1


def test_the_summary_of_a_run_of_no_length() -> None:
    assert "0.000 s in all (0.00% of the time)" in summary(empty(duration_ns=0, outages=(Span(VIP, 0, 0),)))[0]
