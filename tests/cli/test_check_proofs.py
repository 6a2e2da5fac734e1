"""`vrrp check` with what it proves: the much-copied recipe, its repair, and the scenarios that show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command import Vrrp

EXAMPLES = Path(__file__).parents[2] / "examples"
PNG = b"\x89PNG\r\n\x1a\n"


def nodes(example: str) -> list[Path]:
    return [EXAMPLES / example / f"master{number}" / "keepalived.conf" for number in (1, 2, 3)]


def findings(vrrp: Vrrp, *arguments: object) -> list[dict[str, Any]]:
    outcome = vrrp("check", *arguments, "--select", "P", "--json", "-")
    assert outcome.err == ""
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    return found


def test_no_failure_of_the_checks_moves_the_address_of_the_recipe(vrrp: Vrrp) -> None:
    (first,) = [one for one in findings(vrrp, *nodes("k8s-ha")) if one["severity"] == "error"]
    assert first["rule"] == "VRRP-P001"
    assert (Path(first["file"]), first["line"]) == (nodes("k8s-ha")[0], 18)
    assert first["message"] == (
        "no single or double failure of the checks moves 10.0.0.162 away from master1 (12 combinations run)"
    )
    assert first["why"].startswith("master1 has priority 255, and keepalived ignores script check_apiserver")
    assert first["detail"][-1] == "450 single and double failures run"


def test_the_repaired_cluster_has_times_and_no_fault(vrrp: Vrrp) -> None:
    (only,) = findings(vrrp, *nodes("k8s-ha-fixed"))
    assert (only["rule"], only["severity"]) == ("VRRP-P009", "note")
    rows = {(row["kind"], row["what"]): row for row in only["data"]}
    assert {row["node"] for row in only["data"]} == {"master1"}
    # 3 s and the skew of priority 102, from the last advertisement on, up to a second old; 0.1 ms on the wire.
    down_s = 3 + 154 / 256 + 0.0001
    crash = rows["crash", ""]
    assert (crash["best_s"], crash["worst_s"]) == pytest.approx((down_s - 1, down_s), abs=1e-6)
    assert crash["typical_s"] == pytest.approx(down_s - 0.5, abs=0.01)
    assert rows["stop", ""]["worst_s"] == pytest.approx(154 / 256 + 0.0001, abs=1e-9)
    # Three runs, 2 s apart; 4 ms for the script itself.
    script = rows["script", "check_apiserver"]
    assert (script["best_s"], script["worst_s"]) == pytest.approx((4.004 + down_s - 1, 6.004 + down_s), abs=1e-6)
    assert script["worst_detection_s"] == pytest.approx(6.004, abs=1e-6)
    assert script["takers"] == ["master2"]


def test_scenarios_and_pictures_show_it(tmp_path: Path, vrrp: Vrrp) -> None:
    folder = tmp_path / "proofs"
    assert vrrp("check", *nodes("k8s-ha"), "--select", "P001", "--proofs", folder).code == 1
    assert sorted(file.name for file in folder.iterdir()) == ["VRRP-P001-1.png", "VRRP-P001-1.toml"]
    assert (folder / "VRRP-P001-1.png").read_bytes().startswith(PNG)
    outcome = vrrp("sim", "--ideal", folder / "VRRP-P001-1.toml", "--json", "-")
    told = json.loads(outcome.out)
    assert [event["text"] for event in told["events"]] == [
        "script fails check_apiserver",
        "script passes check_apiserver",
    ]
    assert [entry["node"] for entry in told["ownership"]] == ["master1"]


def test_nothing_is_proved_of_a_node_alone(vrrp: Vrrp) -> None:
    assert findings(vrrp, nodes("k8s-ha")[0]) == []


def test_no_proof(vrrp: Vrrp) -> None:
    assert findings(vrrp, *nodes("k8s-ha"), "--no-proof") == []
