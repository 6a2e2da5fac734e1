"""The status as a page and as CSV, in the manner of HAProxy's statistics: no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import time
from html import escape
from itertools import groupby
from typing import Any

from vrrp.linux.status.columns import COLUMNS, Column, duration
from vrrp.linux.status.document import Json

_SHOWN_MOVES = 20
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5c6b7a;--line:#d5dde5;--paper:#fff;--back:#f2f5f8;--head:#20425f;
--master:#c4f0cd;--backup:#d3e6fb;--fault:#ffc2c2;--initialize:#e4e6e9;--link:#0b62a8}
@media(prefers-color-scheme:dark){:root{--ink:#e5ebf1;--soft:#9babba;--line:#33414e;--paper:#18212a;--back:#0f161c;
--head:#12304a;--master:#1d5130;--backup:#1d3d5e;--fault:#7a2328;--initialize:#3a424a;--link:#7cbcf5}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:14px/1.45 system-ui,"DejaVu Sans",sans-serif}
header{background:var(--head);color:#fff;padding:14px 24px;display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
header h1{font-size:20px;margin:0;font-weight:600}
header p{margin:0;opacity:.85}
main{padding:18px 24px 40px;min-height:480px;overflow-x:auto}
h2{font-size:15px;margin:26px 0 8px}
nav{margin-left:auto;display:flex;gap:14px}
nav a{color:#fff}
a{color:var(--link)}
.facts{display:flex;flex-wrap:wrap;gap:6px 26px;margin:0;padding:0;list-style:none;color:var(--soft)}
.facts b{color:var(--ink);font-weight:600}
.legend{display:flex;gap:8px;margin:14px 0 0;padding:0;list-style:none;flex-wrap:wrap}
.legend li{padding:2px 10px;border:1px solid var(--line);border-radius:4px;font-size:12px}
table{border-collapse:collapse;background:var(--paper);border:1px solid var(--line);font-variant-numeric:tabular-nums}
th,td{padding:5px 8px;border:1px solid var(--line);text-align:left;white-space:nowrap}
th{background:var(--back);font-weight:600;font-size:12px}
th.group{text-align:center;color:#fff;background:var(--head)}
td.number{text-align:right}
td.wrap{white-space:normal;min-width:9em}
.MASTER,.up{background:var(--master)}.BACKUP{background:var(--backup)}
.FAULT,.down{background:var(--fault)}.INITIALIZE,.unknown{background:var(--initialize)}
th[title],td[title],span[title]{cursor:help}
.tip{position:relative;border-bottom:1px dotted;cursor:help;font-weight:600}
.tip>span{display:none;position:absolute;left:0;top:1.7em;z-index:2;background:var(--paper);color:var(--ink);
border:1px solid var(--soft);border-radius:4px;padding:8px 12px;font-weight:400;white-space:pre;
box-shadow:0 4px 14px #0004}
.tip:hover>span,.tip:focus>span{display:block}
footer{color:var(--soft);padding:0 24px 24px;font-size:12px}
"""
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
"""What a Content-Security-Policy calls the page's one style sheet."""


def page(document: Json, refresh_s: int | None = None) -> str:
    """The whole page, which a browser loads anew every so many seconds."""
    daemon = document["daemon"]
    title = escape(f"VRRP on {daemon['node']}")
    again = "" if refresh_s is None else f'<meta http-equiv="refresh" content="{refresh_s}">'
    toggle = '<a href="/;refresh=5">Refresh every 5 s</a>'
    if refresh_s is not None:
        toggle = f'<a href="/">Stop refreshing ({refresh_s} s)</a>'
    legend = "".join(f'<li class="{state}">{state}</li>' for state in ("MASTER", "BACKUP", "FAULT", "INITIALIZE"))
    return "".join(
        (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{again}',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>',
            f"<header><h1>{title}</h1><p>vrrp {escape(daemon['version'])}</p>",
            f'<nav><a href="/">Refresh now</a>{toggle}<a href="/;csv">CSV</a><a href="/;json">JSON</a>',
            '<a href="/metrics">Metrics</a></nav></header><main>',
            _facts(document),
            f'<ul class="legend">{legend}</ul>',
            "<h2>Virtual routers</h2>",
            _routers(document["vrrp"]),
            *(
                f"<h2>{escape(heading.replace('_', ' ').capitalize())}</h2>{_rows(rows)}"
                for heading, rows in document.items()
                if heading not in {"vrrp", "daemon"} and rows
            ),
            "<h2>Last changes of state</h2>",
            _rows(_moves(document["vrrp"])),
            f"</main><footer>As of {_clock(time.time())}</footer></body></html>\n",
        )
    )


def _facts(document: Json) -> str:
    daemon, routers = document["daemon"], document["vrrp"]
    counts = {state: sum(row["now"]["state"] == state for row in routers) for state in ("MASTER", "BACKUP", "FAULT")}
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "idle"
    facts = {
        "process": daemon["pid"],
        "running for": duration(max(0.0, time.time() - daemon["started"])),
        "configuration": daemon["configuration"],
        "virtual routers": f"{len(routers)} ({states})",
        "packets for others": sum(daemon["strangers"].values()),
    }
    inside = "".join(f"<li>{name} <b>{escape(str(value))}</b></li>" for name, value in facts.items())
    return f'<ul class="facts">{inside}</ul>'


def _routers(routers: list[Json]) -> str:
    groups = "".join(
        f'<th class="group" colspan="{len(list(columns))}">{escape(group)}</th>'
        for group, columns in groupby(COLUMNS, key=lambda column: column.group)
    )
    heads = "".join(f'<th title="{escape(column.explanation)}">{escape(column.title)}</th>' for column in COLUMNS)
    body = "".join(
        f'<tr class="{escape(row["now"]["state"])}">{"".join(_cell(column, row) for column in COLUMNS)}</tr>'
        for row in routers
    )
    return f'<table id="vrrp"><thead><tr>{groups}</tr><tr>{heads}</tr></thead>{body}</table>'


def _cell(column: Column, row: Json) -> str:
    text, now = escape(column.text(row)), row["now"]
    if column.name == "iname":
        details = [line for name in ("vips", "evips", "vroutes", "vrules") for line in row["data"].get(name, ())]
        details += [f"since {_clock(now['since'])}", *([f"because: {now['reason']}"] if now["reason"] else [])]
        details += [f"follows {name}" for name in now["scripts"]]
        return f'<td><span class="tip" tabindex="0">{text}<span>{escape(chr(10).join(details))}</span></span></td>'
    if column.name == "state":
        return f'<td title="{escape(now["reason"])}"><b>{text}</b></td>'
    if column.name == "discarded" and now["discarded"]:
        reasons = ", ".join(f"{reason} {count}" for reason, count in now["discarded"].items())
        return f'<td class="number" title="{escape(reasons)}">{text}</td>'
    kind = ' class="wrap"' if column.name == "addresses" else ""
    if isinstance(column.value(row), int | float):
        kind = ' class="number"'
    return f"<td{kind}>{text}</td>"


def _rows(rows: list[dict[str, Any]]) -> str:
    """A table of whatever rows; a `state` gives the row its color."""
    if not rows:
        return "<p>None yet.</p>"
    heads = "".join(f"<th>{escape(name.replace('_', ' ').capitalize())}</th>" for name in rows[0])
    body = "".join(
        f'<tr class="{escape(str(row.get("state", "")))}">'
        + "".join(f"<td>{escape(_plain(value))}</td>" for value in row.values())
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead>{body}</table>"


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _moves(routers: list[Json]) -> list[dict[str, Any]]:
    """The last changes of all virtual routers, the newest first."""
    moves = [(move["t"], row["data"]["iname"], move) for row in routers for move in row["now"]["moves"]]
    moves.sort(key=lambda one: one[0], reverse=True)
    return [
        {"when": _clock(at_s), "instance": name, "from": move["from"], "to": move["to"], "reason": move["reason"]}
        for at_s, name, move in moves[:_SHOWN_MOVES]
    ]


def _clock(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at_s))


def table(document: Json) -> str:
    """The virtual routers as CSV (RFC 4180), its first line as HAProxy's."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    out.write("# ")
    writer.writerow([column.name for column in COLUMNS])
    for row in document["vrrp"]:
        writer.writerow([_harmless(column.text(row)) for column in COLUMNS])
    return out.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet takes what begins like a formula for one."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
