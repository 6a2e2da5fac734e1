"""The tables of language.py, held against our reader and keepalived; and generated texts against keepalived."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from config.language import Case, Reading, cases, compare, differences, drawn, ours, theirs, write

CASES = cases()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("language")
    return dict(zip((case.name for case in CASES), write(folder, [case.text for case in CASES]), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told(case: Case, paths: dict[str, Path]) -> None:
    parsed, reading = ours(paths[case.name])
    assert differences(reading, case.reading) == []
    assert reading.verdict is case.reading.verdict
    for one in parsed.diagnostics:
        assert one.message
        assert one.instead
        assert 0 <= one.line <= max(parsed.texts[one.file].count("\n"), case.text.count("\n")) + 1


def test_the_tables_are_read() -> None:
    assert len(CASES) > 150
    assert max(Counter(case.name for case in CASES).values()) == 1


def test_a_difference_is_seen() -> None:
    clean = Reading(CASES[0].reading.verdict, frozenset())
    one = Reading(clean.verdict, frozenset({("", 1, "x")}))
    assert differences(one, one) == []
    assert differences(clean, one) == ["keepalived says ('', 1, 'x')"]
    assert differences(one, clean) == ["we say ('', 1, 'x')"]


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_any_text_is_read(first: int, tmp_path: Path) -> None:
    for path in write(tmp_path, [drawn(seed) for seed in range(first, first + 50)]):
        parsed, _ = ours(path)
        assert {one.file for one in parsed.diagnostics} <= parsed.texts.keys()


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same(tmp_path: Path) -> None:
    readings = theirs(write(tmp_path, [case.text for case in CASES]))
    differing = [
        f"{case.name}: {their}"
        for case, their in zip(CASES, readings, strict=True)
        if (their.verdict, their.told) != (case.reading.verdict, case.reading.told)
    ]
    assert differing == []


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same_of_anything() -> None:
    compared, same, report = compare(0, 400)
    assert compared > 380
    assert same >= 0.97 * compared, "\n".join(report)
