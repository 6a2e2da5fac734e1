"""The tables of HAProxy's statistics page, for the report of a run: which columns they have, under which heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from vrrp.durations import duration_text

Row: TypeAlias = Mapping[str, str]
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Queue", (("cur", "qcur"), ("max", "qmax"))),
    ("Session rate", (("cur", "rate"), ("max", "rate_max"))),
    (
        "Sessions",
        (("cur", "scur"), ("max", "smax"), ("limit", "slim"), ("total", "stot"), ("LbTot", "lbtot")),
    ),
    ("Bytes", (("in", "bin"), ("out", "bout"))),
    ("Denied", (("req", "dreq"), ("resp", "dresp"))),
    ("Errors", (("req", "ereq"), ("conn", "econ"), ("resp", "eresp"))),
    ("Warnings", (("retr", "wretr"), ("redis", "wredis"))),
)
"""Groups of columns, each with the head of a column and its name in `show stat`."""
SERVER_HEADS = ("Status", "LastChk", "Wght", "Act", "Bck", "Chk", "Dwn", "Dwntme")
_NS = 1_000_000_000


def proxies(table: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each proxy: its name, then a frontend, its servers and a backend, as far as it has them."""
    names = dict.fromkeys(row["pxname"] for row in table)
    for name in names:
        yield name, [row for row in table if row["pxname"] == name]


def cells(row: Row) -> Iterator[str]:
    """The numbers of a row, by `GROUPS`."""
    yield from (row[column] for _, columns in GROUPS for _, column in columns)


def server_cells(row: Row) -> tuple[str, ...]:
    """What a row says of health, by `SERVER_HEADS`."""
    since = f"{_time(row['lastchg'])} {row['status']}" if row["lastchg"] else row["status"]
    return (since, _last_check(row), *(row[one] for one in _COUNTS), _time(row["downtime"]))


_COUNTS = ("weight", "act", "bck", "chkfail", "chkdown")


def kind(row: Row) -> str:
    """A word for how a row is coloured: frontend, backend, up, going-down, down, maint or no-check."""
    if row["svname"] in {"FRONTEND", "BACKEND"}:
        return row["svname"].lower()
    status, *rest = row["status"].split()
    if status == "no":
        return "no-check"
    if status == "UP":
        return "going-down" if rest else "up"
    return "maint" if status in {"MAINT", "DRAIN", "NOLB"} else "down"


def _last_check(row: Row) -> str:
    """As the page has it: `L7OK/200 in 2ms`."""
    if not row["check_status"]:
        return ""
    code = f"/{row['check_code']}" if row["check_code"] else ""
    took = f" in {row['check_duration']}ms" if row["check_duration"] else ""
    return f"{row['check_status']}{code}{took}"


def _time(seconds: str) -> str:
    return duration_text(int(seconds) * _NS) if seconds else ""
