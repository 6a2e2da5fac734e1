"""What becomes of keepalived 2.2.7's processes (section 9 of the measurements): signals, kills, pauses.

Expected values are those of the recordings, which name the tests; the simulation has to show the same.
"""

from __future__ import annotations

import json

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, both, folder_of, recorded, simulated


@pytest.mark.parametrize(
    ("name", "router", "stopped_ms"),
    [
        ("basic3_v2", "r3", 6_051.792),
        ("seed_k8s_backup", "r1", 48_373.667),
        ("v6_pair", "r1", 6_200.2),
        ("mixed_sync_partition", "r1", 25_500.2),
    ],
)
def test_a_master_told_to_stop_says_goodbye_within_a_millisecond(name: str, router: str, stopped_ms: float) -> None:
    for story in both(name):
        after_ns = round(stopped_ms * MS_NS) - MS_NS
        goodbyes = [a for a in story.from_router(router, after_ns, after_ns + S_NS) if not a.priority]
        assert goodbyes
        assert all(-0.5 < a.at_ns / MS_NS - stopped_ms < 1.1 for a in goodbyes)
        assert not [a for a in story.from_router(router, after_ns, after_ns + S_NS) if a.priority]


def test_seed_k8s_backup_a_process_ends_a_second_after_it_was_told_to() -> None:
    events = json.loads((folder_of("seed_k8s_backup") / "recording.json").read_text(encoding="utf-8"))["events"]
    told, ended = (next(e["t"] for e in events if e["action"] == action) for action in ("stop", "stopped"))
    assert ended - told == pytest.approx(1.02, abs=0.01)
    # Its addresses are gone at once.
    result = simulated("seed_k8s_backup").result
    assert result is not None
    (held,) = [o for o in result.ownership if o.node == "r1"]
    assert held.to_ns / S_NS == pytest.approx(told, abs=0.001)


def test_kill_parent_only_is_a_stop_for_the_child() -> None:
    """Killed at 6.010 s: priority 0, and the peer after the skew."""
    for story in both("kill_parent_only"):
        (goodbye,) = [a.at_ns for a in story.from_router("r2") if not a.priority]
        assert goodbye / S_NS == pytest.approx(6.0112, abs=0.001)
        assert (story.from_router("r1", goodbye)[0].at_ns - goodbye) / MS_NS == pytest.approx(609.8, abs=0.2)


def test_basic3_v2_a_killed_one_says_nothing_and_keeps_its_addresses() -> None:
    """r2, killed at 9.374 s; its address had to be taken off by hand before it came back at 19.491 s."""
    for story in both("basic3_v2"):
        assert story.from_router("r2", 9_374 * MS_NS, 20 * S_NS) == []
    events = json.loads((folder_of("basic3_v2") / "recording.json").read_text(encoding="utf-8"))["events"]
    assert any(e["action"] == "remove-addresses" and e["router"] == "r2" for e in events)
    result = simulated("basic3_v2").result
    assert result is not None
    kept = [o for o in result.ownership if o.node == "r2" and o.from_ns < 9 * S_NS < o.to_ns]
    assert [o.to_ns / S_NS for o in kept] == [pytest.approx(19.51, abs=0.01)]


def test_frozen_master_is_missed_like_a_dead_one() -> None:
    """Stopped at 6.006 s; r1 follows its last advertisement by a whole wait."""
    for story in both("frozen_master"):
        ((last, first),) = story.handovers("r2", "r1")[:1]
        assert (first.at_ns - last.at_ns) / MS_NS == pytest.approx(3609.8, abs=0.3)


def test_pause_six_seconds_each_advertisement_that_waited_is_answered_when_it_wakes() -> None:
    """Four of the lower new master's: four answers with five announcements each, and the overdue second batch."""
    for story in both("pause_six_seconds"):
        waited = story.from_router("r1", 6_200 * MS_NS, 12_499 * MS_NS)
        answers = story.from_router("r2", 12_499 * MS_NS, 12_510 * MS_NS)
        assert len(answers) == len(waited) == 4
        assert len(story.announced("r2", 12_499 * MS_NS, 12_510 * MS_NS)) == 25
        assert story.became("r1", "BACKUP")[-1] / S_NS == pytest.approx(12.503, abs=0.003)


def test_mixed_paused_backup_wakes_as_a_backup_that_heard_the_others() -> None:
    """The better backup, frozen while another became master: what waited in its socket is read first."""
    for story in both("mixed_paused_backup"):
        assert story.became("r2", "MASTER", after_ns=6 * S_NS)
        assert story.became("r3", "MASTER", after_ns=8 * S_NS)
    times = [story.became("r2", "MASTER", after_ns=6 * S_NS) for story in both("mixed_paused_backup")]
    assert [at_ns / S_NS for at_ns in times[1]] == [pytest.approx(at_ns / S_NS, abs=0.005) for at_ns in times[0]]


def test_mixed_quick_restarts_a_restart_within_the_skew_is_a_failover_all_the_same() -> None:
    """Stopped and started anew at 13.1 s: the goodbye promotes the peer, the returned one preempts it later."""
    real = recorded("mixed_quick_restarts")
    assert [e.node for e in real.entries if e.state == "MASTER" and e.at_ns > 12 * S_NS][:2] == ["r2", "r1"]
    ours = simulated("mixed_quick_restarts")
    assert [(e.node, e.state) for e in ours.entries if e.state == "MASTER"] == [
        (e.node, e.state) for e in real.entries if e.state == "MASTER"
    ]


def test_child_killed_the_parent_starts_another_which_is_two_failovers() -> None:
    """The VRRP process of r2 killed at 6.300 s, anew 9 ms later; nothing is said, and its address is gone at once."""
    for story in both("child_killed"):
        assert all(a.priority for a in story.from_router("r2"))
        ((last, first),) = story.handovers("r2", "r1")[-1:]
        assert (first.at_ns - last.at_ns) / MS_NS == pytest.approx(3609.6, abs=0.2)
        again = story.became("r2", "BACKUP", after_ns=6 * S_NS)[0]
        assert 6_300 * MS_NS < again < 6_340 * MS_NS
        assert (story.became("r2", "MASTER", after_ns=again)[0] - again) / MS_NS == pytest.approx(3605.8, abs=0.2)


def test_child_killed_often_its_parent_waits_twice_as_long_each_time() -> None:
    """Killed at 1, 3, 6, 10.5 and 17 s: there again at once, and after 1, 2, 4 and 8 s."""
    killed = (1.0, 3.0, 6.0, 10.5, 17.0)
    for story in both("child_killed_often"):
        again = [at_ns / S_NS for at_ns in story.became("r1", "BACKUP")[1:]]
        waits = [back - kill for back, kill in zip(again, killed, strict=True)]
        assert waits == [pytest.approx(wait, abs=0.03) for wait in (0.015, 1.015, 2.015, 4.015, 8.015)]


def test_child_killed_anew_another_parent_does_not_wait() -> None:
    """Killed at 1 s, stopped at 2.2 s, started at 4 s, killed at 5 s: there again at once."""
    for story in both("child_killed_anew"):
        begun = [at_ns / S_NS for at_ns in story.became("r1", "BACKUP")]
        assert begun == [pytest.approx(at, abs=0.03) for at in (0.015, 1.015, 4.015, 5.015)]
