"""A thousand lines, right and wrong, each with what HAProxy 2.6.12 says of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.haproxy.oracle import of_haproxy, of_parsed, of_us, read

DATA = Path(__file__).parent / "data" / "lines.txt"

TIMEOUTS = "defaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n"
# Where a line of each kind stands.
SECTIONS = {
    "global": "global\n    {line}\nlisten {name}\n    bind :80\n    timeout client 1s\n",
    "tcp": "listen {name}\n    bind :80\n    {line}\n    server s 127.0.0.1:81\n",
    "http": "listen {name}\n    mode http\n    bind :80\n    {line}\n    server s 127.0.0.1:81\n",
    "server": "listen {name}\n    mode http\n    bind :80\n    server {line}\n    server z 127.0.0.1:82\n",
}
# HAProxy reads no further than the fiftieth line with an error.
MOST_AT_ONCE = 45


@dataclass(frozen=True)
class Case:
    """A line.

    Attributes:
        kind: where it stands, a key of SECTIONS.
        verdict: valid; refused, when the line is read; aborted, and no more is read; unusable, when all is read.
        said: an A for each alert and a W for each warning, with a 0 when it names no line.
    """

    kind: str
    verdict: str
    said: tuple[str, ...]
    line: str


def cases() -> Iterator[Case]:
    heading = ["", "", ""]
    for line in DATA.read_text().splitlines():
        if line.startswith("== "):
            heading = line.split()
        else:
            yield Case(heading[1], heading[2], tuple(heading[3:]), line)


CASES = list(cases())


def file_of(some: list[Case]) -> str:
    # Some of the lines name the section l.
    names = ["l", *(f"l{number}" for number in range(1, len(some)))]
    sections = (SECTIONS[one.kind].format(name=name, line=one.line) for name, one in zip(names, some, strict=True))
    return TIMEOUTS + "".join(sections)


@pytest.mark.parametrize("kind", SECTIONS)
def test_each_by_itself(kind: str) -> None:
    wrong = {}
    for case in CASES:
        if case.kind != kind:
            continue
        verdict = of_parsed(read(file_of([case])))
        said = Counter(severity[0] + ("" if line else "0") for severity, line in verdict.said.elements())
        if (verdict.exit_status == 0, said) != (case.verdict == "valid", Counter(case.said)):
            wrong[case.line] = (case, verdict.texts)
    assert wrong == {}


@pytest.mark.program("haproxy")
@pytest.mark.parametrize("verdict", ["valid", "unusable", "refused"])
def test_many_at_once_beside_haproxy(verdict: str, tmp_path: Path) -> None:
    aborted = iter([one for one in CASES if one.verdict == "aborted"])
    for number, some in enumerate(_together(verdict)):
        # Behind a line at which it stops no other is looked at: such a one comes last.
        last = [next(aborted, None)] if verdict == "refused" else []
        file = tmp_path / f"{number}.cfg"
        file.write_text(file_of([*some, *(one for one in last if one is not None)]))
        assert of_us(file) == of_haproxy(file), (of_us(file).texts, of_haproxy(file).texts)


def _together(verdict: str) -> Iterator[list[Case]]:
    # Of what HAProxy refuses without a whole line of its own, it cannot be told where that ends.
    some = [one for one in CASES if one.verdict == verdict and (one.said or verdict == "valid")]
    most = len(some) if verdict == "valid" else MOST_AT_ONCE
    return (some[begin : begin + most] for begin in range(0, len(some), most))


def test_no_line_is_there_twice() -> None:
    assert len({(one.kind, one.line) for one in CASES}) == len(CASES)


def test_all_that_is_said_has_a_code() -> None:
    for case in CASES:
        for one in read(file_of([case])).diagnostics:
            assert re.fullmatch("[a-z]+(-[a-z]+)*", one.code), one
            assert one.message, one
            assert str(one).startswith(f"haproxy.cfg:{one.line}: {one.severity.value}: {one.message}"), one
