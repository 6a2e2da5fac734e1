from __future__ import annotations

import re

import pytest

from sim.lab.assignment import read_engines
from sim.lab.frr import Frr
from sim.lab.keepalived import Keepalived, Ours
from vrrp.protocol.profile import OURS, profile_named

NODES = ["lb1", "lb2"]


def test_an_engine_alone_runs_on_every_node() -> None:
    simulated, runs = read_engines(["sim,keepalived", "vrrp"], NODES)
    assert simulated
    assert [(one.name, dict(one.engines)) for one in runs] == [
        ("keepalived", {"lb1": Keepalived, "lb2": Keepalived}),
        ("vrrp", {"lb1": Ours, "lb2": Ours}),
    ]


def test_one_for_each_node_is_one_run() -> None:
    simulated, runs = read_engines(["lb2=frr, lb1=vrrp"], NODES)
    assert not simulated
    assert [(one.name, dict(one.engines)) for one in runs] == [("lb1=vrrp,lb2=frr", {"lb1": Ours, "lb2": Frr})]
    assert runs[0].profile == {"lb1": "vrrp", "lb2": "frr"}
    assert profile_named("vrrp") is OURS


def test_runs_are_in_the_order_in_which_they_are_named() -> None:
    _, runs = read_engines(["frr,lb1=vrrp,keepalived", "lb2=frr"], NODES)
    assert [one.name for one in runs] == ["frr", "lb1=vrrp,lb2=frr", "keepalived"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("keepalive", "there is no engine 'keepalive'; did you mean 'keepalived'?"),
        ("lb1=keepalived,lb3=vrrp", "'lb3=vrrp': there is no node 'lb3'; did you mean 'lb2'?"),
        ("lb1=keepalived", "lb2 has no engine; add lb2=keepalived, say"),
        ("lb1=vrrp,lb1=frr", "'lb1=frr': lb1 runs vrrp already"),
        ("lb1=sim,lb2=vrrp", "'lb1=sim': the simulator runs all nodes; write sim alone"),
        ("lb1=x,lb2=vrrp", "there is no engine 'x'"),
        ("", "there is no engine ''"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        read_engines([text], NODES)
