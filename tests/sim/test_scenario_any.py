"""Any bytes and any data are a scenario or an error of one line, and never anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_scenario import GOOD

from sim.scenario import Scenario, ScenarioSource, load_scenario, read_scenario
from sim.scenario_file import Lines, ScenarioError


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "x.toml"


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(raw=GOOD.encode())
@example(raw=b"a = {")
def test_any_bytes_are_a_scenario_or_an_error(raw: bytes, file: Path) -> None:
    file.write_bytes(raw)
    check(lambda: load_scenario(file)[0])


@given(data=st.data())
def test_any_damage_to_a_scenario_is_still_a_scenario_or_an_error(data: st.DataObject, file: Path) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 20)))
    text = GOOD[:start] + data.draw(st.text(max_size=5)) + GOOD[end:]
    file.write_bytes(text.encode())
    check(lambda: load_scenario(file)[0])


WORDS = st.sampled_from(
    [*Scenario.model_fields, "lan", "lb1", "eth0", "interfaces", "segment", "addresses", "keepalived", "a\nb", ""]
) | st.text(max_size=3)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.sampled_from(["1s", "10.0.0.1/24", "10.0.0.1:80", "keepalived", "lan", "never", "fe80::1%x/64", "crash"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES, max_size=6))
def test_any_plain_data_is_a_scenario_or_an_error(data: dict[str, Any]) -> None:
    check(lambda: read_scenario(data, ScenarioSource("x.toml", "", Path())))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "duration": VALUES,
            "segments": st.dictionaries(WORDS, st.dictionaries(st.sampled_from(["delay", "loss"]), VALUES)),
            "nodes": st.dictionaries(
                WORDS,
                st.dictionaries(st.sampled_from(["keepalived", "interfaces", "start", "profile"]), VALUES),
                max_size=2,
            ),
            "clients": st.dictionaries(WORDS, st.dictionaries(st.sampled_from(["target", "every"]), VALUES)),
            "events": st.lists(st.dictionaries(st.sampled_from(["at", "action", "groups", "rate", "delay"]), VALUES)),
        },
    )
)
def test_plain_data_that_is_nearly_right_is_a_scenario_or_an_error(data: dict[str, Any]) -> None:
    good: dict[str, Any] = {"duration": "1s", "segments": {}, "nodes": {}}
    check(lambda: read_scenario(good | data, ScenarioSource("x.toml", "", Path())))


def check(read: Callable[[], Scenario]) -> None:
    """A scenario, or an error of one line."""
    said = ""
    try:
        scenario = read()
    except ScenarioError as error:
        said = str(error)
    else:
        assert isinstance(scenario, Scenario)
    assert said.isprintable(), said


@given(st.text(alphabet="abc.= \n[]{}\"'#\\", max_size=60))
def test_the_search_for_lines_ends_on_any_text(text: str) -> None:
    line = Lines(text).of(("a",))
    assert line is None or 1 <= line <= len(text.splitlines())
