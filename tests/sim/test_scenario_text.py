"""A scenario written and read again is the same scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import event, scenario_data

from sim.scenario import Scenario, ScenarioSource, load_scenario, read_scenario
from sim.scenario_text import scenario_text


def scenario(data: dict[str, Any]) -> Scenario:
    return read_scenario(data, ScenarioSource("made by hand", "", Path()))


def written(one: Scenario, folder: Path, comment: str = "") -> Scenario:
    file = folder / "it.toml"
    text = scenario_text(one, title=one.title, duration_ns=one.duration, events=one.events, comment=comment)
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)[0]


EVENTS = [
    event("10s", "crash", "a"),
    event("10.000000001s", "link-down", "b", interface="eth0"),
    event("1500us", "script-fail", "a", script="chk"),
    event("2h", "partition", segment="lan", groups=[["a"], ["b"]]),
    event("100m", "heal", segment="lan"),
    event("0s", "loss", segment="lan", rate=0.25),
    event("1s", "delay", segment="lan", delay="3ms"),
]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": 'A "title" with \\ and \t, 한글 and \x7f', "seed": -3, "profile": "frr"},
        {"events": EVENTS},
        {"segments": {"lan": {"delay": "50us", "loss": 0.5}, "two words": {"delay": "1ms"}}},
        {"segments": {"lan": {}}, "duration": "90m"},
    ],
)
def test_it_comes_back(changes: dict[str, Any], tmp_path: Path) -> None:
    one = scenario(scenario_data(["a", "b"]) | changes)
    assert written(one, tmp_path) == one


def test_nodes_with_environment_and_profile(tmp_path: Path) -> None:
    data = scenario_data(["a b", "c.d", "é"])
    data["nodes"]["a b"] |= {"environment": {"STATE": "MASTER", "A B": 'x"'}, "profile": "rfc9568"}
    one = scenario(data)
    assert written(one, tmp_path, "a comment") == one


def test_what_varies_by_chance_is_the_default_delay(tmp_path: Path) -> None:
    data = scenario_data(["a"]) | {
        "segments": {"lan": {"delay": {"distribution": "uniform", "low": "0s", "high": "1s"}}}
    }
    assert written(scenario(data), tmp_path).segments["lan"].delay.constant_ns == 100_000


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_name_comes_back(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    one = scenario(scenario_data([name]) | {"title": name})
    assert written(one, tmp_path_factory.mktemp("any")) == one


def test_a_lone_surrogate_is_written_as_a_question_mark() -> None:
    one = scenario(scenario_data(["a"]))
    text = scenario_text(one, title="bad \udcff name", duration_ns=1_000_000_000, events=())
    assert 'title = "bad ? name"' in text
