"""What `keepalived -t` ends with, much of which the machine decides: the table data/verdicts.toml, held against our
reader and against keepalived.

An entry has a `text`; in `told` what keepalived says of it, LINE: MESSAGE, line 0 where it names none; and the
`verdict`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.oracle import Reading, debian_12, differences, measured, our_reading
from vrrp.config import Verdict, parse
from vrrp.config.host import KnownHost


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    reading: Reading


def _cases() -> list[Case]:
    table = tomllib.loads((Path(__file__).parent / "data" / "verdicts.toml").read_text(encoding="utf-8"))
    found = []
    for entry in table["case"]:
        told = (one.split(": ", 1) for one in entry["told"])
        reading = Reading(Verdict(entry["verdict"]), frozenset((int(line), message) for line, message in told))
        found.append(Case(entry["name"], entry["text"], reading))
    return found


CASES = _cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told(case: Case) -> None:
    assert differences(our_reading(parse(case.text, host=debian_12(["eth0"]))), case.reading) == []


def test_namespaces_that_are_written_down() -> None:
    host = KnownHost(frozenset(), network_namespaces=frozenset({"low"}))
    assert parse("net_namespace low\n", host=host).diagnostics == ()
    (one,) = parse("net_namespace high\n", host=host).diagnostics
    assert one.fatal
    assert str(one).startswith("<string>:1: error: there is no network namespace high")


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.conf" for number in range(len(CASES))]
    for path, case in zip(paths, CASES, strict=True):
        path.write_text(case.text, encoding="utf-8")
    assert {
        case.name: found
        for case, theirs in zip(CASES, measured(paths, []), strict=True)
        if (found := differences(case.reading, theirs))
    } == {}
