"""The report of a run: one HTML file for a browser, a phone or a printer, that loads nothing and runs nothing."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.haproxy import page
from sim.plots import write_plot
from sim.result import Result, Span
from sim.timeline import (
    BRIEF_NS,
    CLIENT_COLUMNS,
    REQUEST_COLUMNS,
    Entry,
    Stretch,
    clashes,
    client_row,
    duration_text,
    handovers,
    outages,
    request_row,
    story,
    time_text,
    union,
    verdict,
)
from vrrp.whole_file import write_text
from vrrp.words import visible

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --faint: #5c6670; --paper: #ffffff; --line: #d9dee3;
  --panel: #f4f6f8; --good: #14713c; --bad: #b3100f; --master: #14713c; --backup: #1f5f99; --fault: #b3100f;
  --initialize: #5c6670; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --faint: #a0aab4; --paper: #15181b; --line: #343b42;
  --panel: #1e2327; --good: #5fd08f; --bad: #ff8a80; --master: #5fd08f; --backup: #86bdf0; --fault: #ff8a80;
  --initialize: #a0aab4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; overflow-wrap: anywhere; }
.faint { color: var(--faint); }
.verdict { border-left: .35rem solid; padding: .5rem .9rem; margin: 1rem 0; background: var(--panel);
  font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
.wide { overflow-x: auto; }
.picture { background: #ffffff; border: 1px solid var(--line); border-radius: .4rem; margin: 1.2rem 0 0; }
.picture svg { display: block; width: 100%; min-width: 46rem; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 500; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.event { font-weight: 700; }
.state { white-space: nowrap; }
.MASTER { color: var(--master); font-weight: 600; } .BACKUP { color: var(--backup); }
.FAULT { color: var(--fault); font-weight: 600; } .INITIALIZE { color: var(--initialize); }
.haproxy { font-size: .8rem; } .haproxy th, .haproxy td { padding: .15rem .5rem .15rem 0; white-space: nowrap; }
.haproxy .group { text-align: center; } .frontend td, .backend td { background: var(--panel); }
.haproxy .up td:first-child { border-left: .35rem solid var(--good); padding-left: .4rem; }
.haproxy .down td:first-child { border-left: .35rem solid var(--bad); padding-left: .4rem; }
.haproxy .going-down td:first-child, .haproxy .maint td:first-child { border-left: .35rem solid #b97a00;
  padding-left: .4rem; }
.haproxy .no-check td:first-child { border-left: .35rem solid var(--line); padding-left: .4rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .8rem; overflow-wrap: anywhere; }
pre { margin: 0; padding: .6rem .8rem; overflow-x: auto; background: var(--panel); font-size: .82rem; }
@media print { :root { --ink: #000000; --paper: #ffffff; --faint: #444444; --line: #bbbbbb; --panel: #ffffff;
  --good: #14713c; --bad: #b3100f; --master: #14713c; --backup: #1f5f99; --fault: #b3100f; --initialize: #444444; }
  main { max-width: none; padding: 0; } .wide { overflow: visible; } .picture svg { min-width: 0; }
  .picture, tr { break-inside: avoid; } h2 { break-after: avoid; } pre { white-space: pre-wrap; }
  details::details-content { content-visibility: visible; height: auto; } }
"""

_SPAN_HEADS = ("address", "#from (s)", "#to (s)", "#duration", "")


def write_report(result: Result, path: Path, *, configurations: Mapping[str, str] = {}) -> None:
    """Write the report; the file is replaced when it is complete. Raises OSError.

    `configurations` are texts by name (the files that were run), shown at the end.
    """
    write_text(path, "".join(_page(result, configurations)))


def summary(result: Result) -> tuple[str, ...]:
    """Sentences for those who do not know what a master is: how long without service, how often, the worst."""
    count = sum(len(addresses) for addresses in result.instances.values())
    whole = "the address was" if count == 1 else f"at least one of the {count} addresses was"
    run = duration_text(result.duration_ns)
    gaps = union(result.outages)
    if not gaps:
        sentences = [f"In a run of {run} there was no interruption of service."]
    else:
        total_ns = sum(to_ns - from_ns for from_ns, to_ns in gaps)
        sentences = [
            f"In a run of {run} {whole} without service for {duration_text(total_ns)} in all"
            f" ({total_ns / max(1, result.duration_ns):.2%} of the time),"
            f" in {len(gaps)} {'interruption' if len(gaps) == 1 else 'interruptions'}.",
            _worst("interruption", result.outages),
        ]
    listed = [span for span in result.dual_masters if span.duration_ns >= BRIEF_NS]
    if listed:
        sentences.append(
            f"{'Once' if len(listed) == 1 else f'{len(listed)} times'} more than one node answered for the same"
            f" address, which can lose or mix up connections. {_worst('of these', listed)}"
        )
    tries = sum(client.sent for client in result.clients.values())
    failed = sum(client.failed for client in result.clients.values())
    if failed:
        longest_ns = max(client.longest_gap_ns for client in result.clients.values())
        sentences.append(
            f"{failed} of {tries} connections of clients failed ({failed / tries:.2%});"
            f" the longest time without one was {duration_text(longest_ns)}."
        )
    elif tries:
        sentences.append(f"All {tries} connections of clients succeeded.")
    return tuple(sentences)


def _worst(noun: str, spans: Sequence[Span]) -> str:
    worst = max(spans, key=lambda span: span.duration_ns)
    return (
        f"The longest {noun} lasted {duration_text(worst.duration_ns)}:"
        f" {visible(worst.address)}, from {time_text(worst.from_ns)} s to {time_text(worst.to_ns)} s."
    )


def _page(result: Result, configurations: Mapping[str, str]) -> Iterator[str]:
    title = _escaped(result.title)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    # Whatever slipped through would still load and run nothing.
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    yield f'<p class="faint">Simulated: {duration_text(result.duration_ns)}, seed {result.seed},'
    yield f" nodes {_escaped(', '.join(result.nodes))}</p>\n"
    yield f'<p class="verdict {"good" if result.healthy_at_end else "bad"}">{_escaped(verdict(result))}</p>\n'
    yield from _sentences(summary(result))
    yield f'<div class="picture wide">\n{_picture(result)}</div>\n'
    yield "<h2>What happened</h2>\n"
    entries = story(result)
    yield from _story(result, entries) if entries else ("<p>Nothing happened.</p>\n",)
    yield "<h2>Outages</h2>\n"
    without = outages(result)
    yield from _spans(without) if without else ("<p>No outage.</p>\n",)
    yield "<h2>Two masters</h2>\n"
    listed, brief = clashes(result)
    yield from _spans(listed)
    yield from _sentences([f"{handovers(brief)}."] if brief else [] if listed else ["Never two masters."])
    yield "<h2>Clients</h2>\n"
    yield from _clients(result)
    if result.balancers:
        yield "<h2>HAProxy</h2>\n"
        yield from _balancers(result)
    yield "<h2>Counters</h2>\n"
    yield from _counters(result)
    yield "<h2>Notes</h2>\n"
    yield from _sentences(result.notes or ["No notes."])
    if configurations:
        yield "<h2>Configurations</h2>\n"
    for name, text in configurations.items():
        yield f"<details>\n<summary>{_escaped(name)}</summary>\n<pre>{_escaped_lines(text)}</pre>\n</details>\n"
    yield "</main>\n</body>\n</html>\n"


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def _escaped_lines(text: str) -> str:
    lines = text.expandtabs().splitlines()
    return "\n".join(_escaped(line) for line in lines)


def _sentences(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield f"<p>{_escaped(sentence)}</p>\n"


def _picture(result: Result) -> str:
    """The SVG element alone, as HTML wants it: without the XML declaration and document type before it."""
    file = io.BytesIO()
    write_plot(result, file, ".svg")
    svg = file.getvalue().decode()
    return svg[svg.index("<svg") :].replace("<svg", '<svg role="img" aria-label="Timeline of the run"', 1)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are HTML already. A head that begins with # is that of a column of numbers."""
    kinds = [' class="number"' if head.startswith("#") else "" for head in heads]
    yield '<div class="wide">\n<table>\n<thead>\n<tr>'
    for head, kind in zip(heads, kinds, strict=True):
        yield f"<th{kind}>{_escaped(head.removeprefix('#'))}</th>"
    yield "</tr>\n</thead>\n<tbody>\n"
    for row in rows:
        cells = (f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True))
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"


def _story(result: Result, entries: Sequence[Entry]) -> Iterator[str]:
    """A table of what happened; the instance is named where there are several."""
    heads: tuple[str, ...] = ("#time (s)", "node", "instance", "what", "why")
    rows = [_entry_cells(entry) for entry in entries]
    if len(result.instances) == 1:
        heads, rows = (*heads[:2], *heads[3:]), [(*row[:2], *row[3:]) for row in rows]
    return _table(heads, rows)


def _entry_cells(entry: Entry) -> tuple[str, ...]:
    what = _escaped(entry.what)
    if entry.is_event:
        what = f'<span class="event">{what}</span>'
    elif entry.states is not None:
        states = " \u2192 ".join(f'<span class="{state}">{state}</span>' for state in entry.states)
        what = f'<span class="state">{states}</span>'
    return time_text(entry.at_ns), _escaped(entry.node), _escaped(entry.instance), what, _escaped(entry.reason)


def _spans(stretches: Sequence[Stretch]) -> Iterator[str]:
    """A table of outages or of two masters; nothing where there are none."""
    if not stretches:
        return
    yield from _table(
        _SPAN_HEADS,
        (
            (
                _escaped(stretch.span.address),
                time_text(stretch.span.from_ns),
                time_text(stretch.span.to_ns),
                html.escape(duration_text(stretch.span.duration_ns)),
                _escaped(stretch.phrase),
            )
            for stretch in stretches
        ),
    )


def _clients(result: Result) -> Iterator[str]:
    if not result.clients:
        yield "<p>No clients.</p>\n"
        return
    for columns, row_of in ((CLIENT_COLUMNS, client_row), (REQUEST_COLUMNS, request_row)):
        heads = [f"#{name}" if side == "R" else name for name, side in columns]
        rows = [row_of(name, client) for name, client in result.clients.items()]
        yield from _table(heads, (tuple(map(html.escape, row)) for row in rows))


def _balancers(result: Result) -> Iterator[str]:
    """For each node the tables of HAProxy's statistics page, as they are at the end."""
    for node, table in result.balancers.items():
        if not table:
            yield f"<p>{_escaped(node)}: HAProxy does not run at the end.</p>\n"
        for name, rows in page.proxies(table):
            yield f"<details open>\n<summary>{_escaped(node)}: {_escaped(name)}</summary>\n"
            yield from _proxy(rows)
            yield "</details>\n"


def _proxy(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield '<div class="wide">\n<table class="haproxy">\n<thead>\n<tr><th></th>'
    for group, columns in page.GROUPS:
        yield f'<th class="group" colspan="{len(columns)}">{group}</th>'
    yield f'<th class="group" colspan="{len(page.SERVER_HEADS)}">Server</th></tr>\n<tr><th></th>'
    for head in (head for _, columns in page.GROUPS for head, _ in columns):
        yield f'<th class="number">{head}</th>'
    yield "".join(f"<th>{head}</th>" for head in page.SERVER_HEADS) + "</tr>\n</thead>\n<tbody>\n"
    for row in rows:
        yield f'<tr class="{page.kind(row)}"><td>{_escaped(row["svname"])}</td>'
        yield "".join(f'<td class="number">{_escaped(cell)}</td>' for cell in page.cells(row))
        yield "".join(f"<td>{_escaped(cell)}</td>" for cell in page.server_cells(row)) + "</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"


def _counters(result: Result) -> Iterator[str]:
    """A row for each virtual router, a column for each counter that any of them has."""
    counted = [
        (node, instance, dict(_flat(counters)))
        for node, instances in result.counters.items()
        for instance, counters in instances.items()
    ]
    if not counted:
        yield "<p>No counters.</p>\n"
        return
    names = list(dict.fromkeys(name for _, _, counters in counted for name in counters))
    rows = [
        (_escaped(node), _escaped(instance), *(_escaped(str(counters.get(name, 0))) for name in names))
        for node, instance, counters in counted
    ]
    yield from _table(("node", "instance", *(f"#{name.replace('_', ' ')}" for name in names)), rows)


def _flat(counters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Counters with those of a kind ("discarded" by reason) named "discarded: reason"."""
    for name, value in counters.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}: {kind}", count) for kind, count in value.items())
        else:
            yield name, value
