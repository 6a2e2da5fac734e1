"""The findings as a user reads them: what they name, why, what mends it, and what was not proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from check.confs import clusters, files
from proof.test_rig import TWO
from proof.test_sums import CLUSTERS, GROUP, SCRIPTS, SECOND, TRACKED, cluster
from sim.inputs import from_scenario
from sim.network import Network
from sim.proof import prove as module
from sim.proof.campaign import Campaign, campaign
from sim.proof.prove import MOST_NODES, prove
from sim.proof.rig import OutOfTimeError, Rig
from sim.proof.rulebook import RULES
from vrrp.check import Finding, Severity


def proved(text: str) -> dict[str, Finding]:
    """The findings by rule: the first of each."""
    found: dict[str, Finding] = {}
    for one in clusters(files(text)):
        for finding in prove.run(one):
            found.setdefault(finding.rule, finding)
    return found


def test_an_owner_ignores_its_scripts() -> None:
    finding = proved(RULES["VRRP-P001"].bad)["VRRP-P001"]
    assert finding.severity is Severity.ERROR
    assert (finding.file, finding.line) == ("a/keepalived.conf", 7)
    assert finding.message == (
        "no single or double failure of the checks moves 10.0.0.100 away from a (5 combinations run)"
    )
    assert finding.why.startswith("a has priority 255, and keepalived ignores script chk because it has a weight.")
    assert finding.mend == "Give a a priority of 254 or less, or script chk the weight 0."
    assert finding.detail == ("a: script chk fails", "192 single and double failures run")


def test_a_weight_that_is_too_small() -> None:
    finding = proved(RULES["VRRP-P002"].bad)["VRRP-P002"]
    assert finding.message == "10.0.0.100 stays on a after: a: script chk_disk fails"
    assert finding.why.startswith("a's priority falls from 110 to 105; b's is 100, which is lower still.")
    assert finding.mend == "Let what fails take away at least 11, or set the priorities closer together."


def test_equal_is_not_enough() -> None:
    finding = proved(RULES["VRRP-P002"].bad.replace("weight -5", "weight -10"))["VRRP-P002"]
    assert "b's is 100, which is equal, and equals never preempt." in finding.why
    assert finding.mend.startswith("Let what fails take away at least 11,")


def test_weights_and_nopreempt() -> None:
    finding = proved(CLUSTERS["nopreempt"])["VRRP-P001"]
    assert finding.why.startswith("a's priority falls to 90, below b's 100, which has nopreempt.")
    assert "weight 0" in finding.mend


def test_weights_in_a_sync_group() -> None:
    text = cluster(
        ("110", TRACKED), ("100", TRACKED), before=SCRIPTS + GROUP.replace("        fast\n", ""), after=SECOND
    )
    finding = proved(text)["VRRP-P001"]
    assert finding.why.startswith("VI_1 is in a sync group, where keepalived ignores script fast")
    assert finding.mend == "Track fast in the vrrp_sync_group, or give it the weight 0."


def test_pairs_are_told_apart_from_single_failures() -> None:
    small = TRACKED.replace("-20", "-2")
    found = [
        finding
        for one in clusters(files(cluster(("104", small), ("103", small), ("102", small))))
        for finding in prove.run(one)
        if finding.rule == "VRRP-P002"
    ]
    assert [finding.message for finding in found] == [
        "10.0.0.100 stays on a after: b: script fast fails, then a: script fast fails (and after 6 other combinations)"
    ]
    assert found[0].detail[-1].endswith("single and double failures run")


def test_a_slow_check() -> None:
    finding = proved(RULES["VRRP-P007"].bad)["VRRP-P007"]
    assert (finding.file, finding.line) == ("a/keepalived.conf", 1)
    assert finding.message == (
        "a: script chk fails: 10.0.0.100 is without service for up to 33.613 s, typically 31.613 s; "
        "30.004 s of it pass before it is noticed"
    )


def test_slow_advertisements() -> None:
    slow = "    advert_int 5\n"
    finding = proved(cluster(("110", slow), ("100", slow), before=""))["VRRP-P007"]
    assert finding.message.startswith("a crashes: 10.0.0.100 is without service for up to 15.609 s, ")
    assert (finding.file, finding.line) == ("a/keepalived.conf", 3)


def test_a_pair_that_is_slow_where_no_single_failure_is() -> None:
    slow = SCRIPTS.replace("    fall 4\n", "    fall 8\n")
    one = "    track_script {\n        slow weight -30\n    }\n"
    text = cluster(("110", ""), ("105", one), ("100", ""), before=slow)
    finding = proved(text)["VRRP-P007"]
    assert "is without service for" in finding.message
    assert "b: script slow fails" in finding.message
    assert finding.file == "b/keepalived.conf"


def test_two_masters_without_any_failure_and_nothing_more_is_tried() -> None:
    found = proved(RULES["VRRP-P008"].bad)
    assert list(found) == ["VRRP-P008"]
    finding = found["VRRP-P008"]
    assert finding.message == "a and b are master of 10.0.0.100 though nothing failed"
    assert [place.file for place in finding.related] == ["b/keepalived.conf"]
    assert finding.scenario


def test_nobody_without_any_failure() -> None:
    fault = "    track_script {\n        fast weight 0 reverse\n    }\n"
    assert proved(cluster(("110", fault), ("100", fault)))["VRRP-P008"].message == (
        "nobody is master of 10.0.0.100 though nothing failed"
    )


def test_what_never_rests_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.proof.settling.Settling.settled", lambda *_: False)
    monkeypatch.setattr("sim.proof.settling._ROUNDS", 1)
    assert proved(TWO)["VRRP-P008"].message == "the masters of 10.0.0.100 change without end"


def test_the_times_are_told_of_each_virtual_router() -> None:
    found = [f for one in clusters(files(CLUSTERS["sync-group"])) for f in prove.run(one) if f.rule == "VRRP-P009"]
    assert [finding.message.split(" on ")[0] for finding in found] == ["10.0.0.100", "10.1.0.100"]
    assert found[0].detail[0].split() == ["failure", "best", "typical", "worst", "unnoticed", "then", "held", "by"]
    assert {row["address"] for row in found[1].data} == {"10.1.0.100"}


def test_the_scenario_shows_it(tmp_path: Path) -> None:
    text = RULES["VRRP-P002"].bad
    for name, content in files(text).items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    scenario = proved(text)["VRRP-P002"].scenario
    here = str(Path().resolve())
    (tmp_path / "it.toml").write_text(scenario.replace(here, str(tmp_path)))
    inputs = from_scenario(tmp_path / "it.toml")
    result = Network(inputs.scenario, inputs.source, dict(inputs.configs), ideal=True).run()
    assert [event.text for event in result.events] == ["script fails chk_disk", "script passes chk_disk"]
    assert [change.new for change in result.priorities] == [105, 110]
    assert [entry.node for entry in result.ownership] == ["a"]


def test_a_node_alone_is_nothing_to_prove() -> None:
    assert proved(cluster(("110", ""))) == {}


def test_a_file_with_which_keepalived_does_not_start() -> None:
    found = proved(TWO + "vrrp_instance VI_2 {\n}\n")
    assert list(found) == ["VRRP-P010"]
    assert found["VRRP-P010"].file == "b/keepalived.conf"
    assert found["VRRP-P010"].message == "nothing is proved: keepalived does not start with this file on b"


def test_too_many_nodes() -> None:
    nodes = "".join(
        f"==> n{number}/keepalived.conf <==\nvrrp_instance VI_1 {{\n    priority {number}\n}}\n"
        for number in range(1, MOST_NODES + 2)
    )
    found = proved(nodes)
    assert list(found) == ["VRRP-P010"]
    assert found["VRRP-P010"].message == "nothing is proved: 13 nodes are more than 12"
    assert found["VRRP-P010"].severity is Severity.NOTE


def test_what_cannot_be_simulated() -> None:
    finding = proved(RULES["VRRP-P010"].bad)["VRRP-P010"]
    assert finding.message.startswith("nothing is proved: it cannot be simulated: topology: b eth0: 10.0.0.1 is")


def test_time_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET_S", 0.0)
    assert proved(TWO)["VRRP-P010"].message == (
        "nothing is proved: after 0 s of simulation the nodes have not come to rest"
    )


def test_time_for_some_of_it_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def unfinished(rig: Rig, budget_s: float) -> Campaign:
        done = campaign(rig, budget_s)
        return Campaign(done.trials[:-1], done.planned)

    def late(_: Rig, trials: object) -> list[object]:
        raise OutOfTimeError

    monkeypatch.setattr(module, "BUDGET_S", 600.0)
    monkeypatch.setattr(module, "MEASURING_S", 10.0)
    monkeypatch.setattr(module, "campaign", unfinished)
    monkeypatch.setattr(module, "downtimes", late)
    (one,) = clusters(files(TWO))
    messages = [finding.message for finding in prove.run(one) if finding.rule == "VRRP-P010"]
    assert messages == [
        "not all combinations of failures were run: 157 of 158 in 600 s; every single failure is among them",
        "the time without service was not measured for all failures: 10 s were not enough",
    ]
