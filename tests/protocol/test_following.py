"""What a virtual router follows: files, processes, reversed weights, and weights in sync groups.

The priorities are those that keepalived 2.2.7 logged for the same lines of configuration ("Changing effective
priority from 100 to 91"), the FAULTs those it entered.
"""

from __future__ import annotations

from typing import Any

import pytest

from protocol.routers import MS_NS, S_NS, by_name, changes, drive_host, host, settings
from vrrp.protocol.effects import PriorityChanged
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import Router
from vrrp.protocol.settings import (
    FileConfig,
    LinkDelays,
    ProcessConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
)
from vrrp.protocol.state import State

PARTS: dict[str, Any] = {
    "scripts": (ScriptConfig(name="good"), ScriptConfig(name="bad")),
    "files": (FileConfig("f", 3),),
    "processes": (ProcessConfig(name="some"), ProcessConfig(name="none")),
}


def started(
    *,
    group: SyncGroupConfig | None = None,
    priority: int = 100,
    parts: dict[str, Any] = PARTS,
    none_run: bool = True,
    **tracked: Any,
) -> Router:
    """A host that follows what is said; its scripts have ended, one well and one badly."""
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", priority=priority, **tracked)
    groups = (group,) if group is not None else ()
    router = host(KEEPALIVED, config, sync_groups=groups, **parts)
    if none_run:
        router.set_process_count(0, "none", 0)
    router.start(0)
    for name, ok in (("good", True), ("bad", False)):
        if name in router.scripts:
            router.script_finished(1, name, ok)
    return router


def outcome(router: Router) -> int | None:
    """The priority; None in FAULT."""
    (one,) = router.virtual_routers
    return None if one.state is State.FAULT else one.priority


@pytest.mark.parametrize(
    ("tracked", "expected"),
    [
        ({"track_files": (TrackedFile("f", 3),)}, 109),
        ({"track_files": (TrackedFile("f", 3, reverse=True),)}, 91),
        ({"track_files": (TrackedFile("f", 0),)}, None),
        ({"track_files": (TrackedFile("f", 0, reverse=True),)}, 100),
        ({"track_files": (TrackedFile("f", -100),)}, None),
        ({"track_files": (TrackedFile("f", 100),)}, 254),
        ({"track_processes": (TrackedProcess("some"),)}, 100),
        ({"track_processes": (TrackedProcess("some", 5),)}, 105),
        ({"track_processes": (TrackedProcess("none", -7, reverse=True),)}, 107),
        ({"track_processes": (TrackedProcess("none"),)}, None),
        ({"track_processes": (TrackedProcess("none", 0, reverse=True),)}, 100),
        ({"track_scripts": (TrackedScript("good", 7, reverse=True),)}, 93),
        ({"track_scripts": (TrackedScript("bad", -7, reverse=True),)}, 107),
        ({"track_scripts": (TrackedScript("good", 0, reverse=True),)}, None),
        ({"track_scripts": (TrackedScript("bad", 0, reverse=True),)}, 100),
        ({"track_interfaces": (TrackedInterface("eth1", 7, reverse=True),)}, 93),
        ({"track_interfaces": (TrackedInterface("eth1", 0, reverse=True),)}, None),
    ],
)
def test_what_it_does_to_the_priority(tracked: dict[str, Any], expected: int | None) -> None:
    assert outcome(started(**tracked)) == expected


@pytest.mark.parametrize(
    ("of_group", "own", "expected"),
    [
        ({"track_files": (TrackedFile("f", 2),)}, {}, 106),
        ({}, {"track_files": (TrackedFile("f", 3),)}, 100),
        ({"track_files": (TrackedFile("f", 2),)}, {"track_files": (TrackedFile("f", 3),)}, 106),
        ({"track_interfaces": (TrackedInterface("eth1", 7),)}, {}, 107),
        ({"track_interfaces": (TrackedInterface("eth1", 7),)}, {"track_interfaces": (TrackedInterface("eth1"),)}, 100),
        ({}, {"track_processes": (TrackedProcess("none", -4),)}, 96),
        ({"track_processes": (TrackedProcess("none", -4),)}, {}, 96),
        ({"track_scripts": (TrackedScript("good", 5),)}, {}, 105),
        ({}, {"track_scripts": (TrackedScript("good", 5),)}, 100),
        ({"tracking_weight": True}, {"track_scripts": (TrackedScript("good", 5),)}, 105),
    ],
)
def test_in_a_sync_group_the_group_gives_the_weights(
    of_group: dict[str, Any], own: dict[str, Any], expected: int
) -> None:
    group = SyncGroupConfig("G", ("VI_1",), **of_group)
    assert outcome(started(group=group, **own)) == expected


def test_an_interface_with_a_weight_of_a_members_own_is_followed_without() -> None:
    router = started(group=SyncGroupConfig("G", ("VI_1",)), track_interfaces=(TrackedInterface("eth1", -5),))
    assert changes(e for _, e in router.set_interface(2, "eth1", False)) == [(State.FAULT, "eth1 is down")]


def test_an_owner_follows_nothing_that_has_a_weight() -> None:
    router = started(priority=255, track_files=(TrackedFile("f", -100),))
    assert outcome(router) == 255
    assert started(priority=255, track_files=(TrackedFile("f", 0),)).virtual_routers[0].state is State.FAULT


def test_a_file_that_changes() -> None:
    """The numbers written to the file, and the priorities that keepalived took from them."""
    parts = {"files": (FileConfig("f", 1),)}
    router = started(parts=parts, none_run=False, track_files=(TrackedFile("f", -5),))
    story = [outcome(router)]
    for number, value in enumerate((60, 0, 1, 2, 60, 3, -1, 16, 0, 300, -300, 0), 2):
        router.set_file(number, "f", value)
        story.append(outcome(router))
    assert story == [95, None, 100, 95, 90, None, 85, 105, 20, 100, None, 254, 100]


def test_a_file_says_what_it_did() -> None:
    router = started(none_run=False, parts={"files": (FileConfig("f"),)}, track_files=(TrackedFile("f", -5),))
    assert by_name(router.set_file(2, "f", 2)) == [("VI_1", PriorityChanged(100, 90, "f says 2: 100 \u2192 90"))]
    assert router.set_file(3, "f", 2) == ()
    assert changes(effect for _, effect in router.set_file(4, "f", 51)) == [(State.FAULT, "f says 51")]


def test_the_number_before_the_start_counts_from_the_start() -> None:
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", track_files=(TrackedFile("f", -5),))
    router = host(KEEPALIVED, config, files=(FileConfig("f"),))
    assert router.set_file(0, "f", 4) == ()
    router.start(1)
    assert outcome(router) == 80


def counted(**config: Any) -> Router:
    parts = {"processes": (ProcessConfig(name="p", **config),)}
    return started(parts=parts, none_run=False, track_processes=(TrackedProcess("p", -10),))


def test_a_quorum_lost_and_gained_at_once() -> None:
    router = counted(quorum=2)
    assert router.virtual_routers[0].priority == 100
    assert by_name(router.set_process_count(2, "p", 1)) == [
        ("VI_1", PriorityChanged(100, 90, "p runs once: 100 \u2192 90"))
    ]
    assert router.set_process_count(3, "p", 0) == ()
    assert by_name(router.set_process_count(4, "p", 3)) == [
        ("VI_1", PriorityChanged(90, 100, "p runs 3 times: 90 \u2192 100"))
    ]


def test_too_many_are_no_quorum_either() -> None:
    router = counted(quorum_max=1)
    router.set_process_count(2, "p", 2)
    assert router.virtual_routers[0].priority == 90
    router = counted(quorum=0, quorum_max=0)
    assert router.virtual_routers[0].priority == 100
    router.set_process_count(2, "p", 1)
    assert router.virtual_routers[0].priority == 90


def test_delays_of_a_quorum() -> None:
    router = counted(fork_delay_ns=S_NS // 2, terminate_delay_ns=S_NS // 4)
    assert router.set_process_count(10, "p", 0) == ()
    assert router.deadline_ns == 10 + S_NS // 4
    ((at_ns, _, effect),) = drive_host(router, S_NS)
    assert (at_ns, effect) == (10 + S_NS // 4, PriorityChanged(100, 90, "p runs 0 times: 100 \u2192 90"))
    assert router.set_process_count(S_NS, "p", 1) == ()
    ((at_ns, _, effect),) = drive_host(router, 2 * S_NS)
    assert (at_ns, effect) == (S_NS + S_NS // 2, PriorityChanged(90, 100, "p runs once: 90 \u2192 100"))


def test_a_process_that_is_back_in_time_was_never_missed() -> None:
    router = counted(terminate_delay_ns=S_NS)
    router.set_process_count(10, "p", 0)
    router.set_process_count(20, "p", 0)
    router.set_process_count(S_NS, "p", 1)
    assert drive_host(router, 3 * S_NS) == []


@pytest.mark.parametrize(
    ("tracked", "message"),
    [
        ({"track_files": (TrackedFile("g"),)}, "VI_1: there is no track file 'g'"),
        ({"track_processes": (TrackedProcess("g"),)}, "VI_1: there is no track process 'g'"),
        ({"track_scripts": (TrackedScript("g"),)}, "VI_1: there is no track script 'g'"),
        ({"track_interfaces": (TrackedInterface("g"),)}, "VI_1: there is no interface 'g' to track"),
    ],
)
def test_what_there_is_not_cannot_be_followed(tracked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        started(**tracked)


def test_what_is_judged_is_up_or_down() -> None:
    parts = {"processes": (ProcessConfig(name="check web", judged=True),)}
    router = started(parts=parts, none_run=False, track_processes=(TrackedProcess("check web"),))
    down, up = router.set_process_count(2, "check web", 0), router.set_process_count(3, "check web", 1)
    assert changes(effect for _, effect in down) == [(State.FAULT, "check web is down")]
    assert changes(effect for _, effect in up) == [(State.BACKUP, "check web is up")]


@pytest.mark.parametrize(
    "wrong", [{"quorum": -1}, {"quorum_max": -1}, {"fork_delay_ns": -1}, {"terminate_delay_ns": -1}]
)
def test_impossible_quorums(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^process p: quorum, quorum_max and delays from 0$"):
        ProcessConfig(name="p", **wrong)


def test_a_link_counts_after_its_delays() -> None:
    """eth0 0.5 1.5 in interface_up_down_delays: keepalived's FAULT and BACKUP came that much after the cable."""
    parts = {"link_delays": (LinkDelays("eth0", 1_500 * MS_NS, 500 * MS_NS), LinkDelays("eth9", 1, 1))}
    router = started(parts=parts, none_run=False)
    assert not router.undecided
    assert router.set_interface(S_NS, "eth0", False) == ()
    assert router.undecided
    ((at_ns, _, effect),) = drive_host(router, 2 * S_NS)
    assert not router.undecided
    assert (at_ns, changes([effect])) == (1_500 * MS_NS, [(State.FAULT, "eth0 is down")])
    assert router.set_interface(4 * S_NS, "eth0", True) == ()
    ((at_ns, _, effect),) = drive_host(router, 6 * S_NS)
    assert (at_ns, changes([effect])) == (5_500 * MS_NS, [(State.BACKUP, "eth0 is up")])
    assert router.set_interface(6 * S_NS, "eth0", False) == ()
    assert router.set_interface(6_300 * MS_NS, "eth0", True) == ()
    assert drive_host(router, 9 * S_NS - 1) == []


def test_a_link_that_is_down_at_the_start_is_down_at_once() -> None:
    config = settings(KEEPALIVED, name="VI_1", interface="eth0")
    router = host(KEEPALIVED, config, link_delays=(LinkDelays("eth0", S_NS, S_NS),))
    assert router.set_interface(0, "eth0", False) == ()
    assert changes(effect for _, effect in router.start(1)) == [(State.FAULT, "eth0 is down")]
