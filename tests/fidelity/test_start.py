"""How keepalived 2.2.7 starts (section 2 of the measurements): backups, owners, first script results, delays.

Expected values are those of the recordings, which name the tests; the simulation has to show the same.
"""

from __future__ import annotations

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, Story, assert_agree, both, folder_of
from vrrp.config import load


def first_master_after_ready(story: Story, router: str, life: int = 0) -> float:
    """Milliseconds from the (init) line to MASTER."""
    begun = story.became(router, "BACKUP")[life]
    return (story.became(router, "MASTER", after_ns=begun)[0] - begun) / MS_NS


def test_state_master_start_is_a_backup_first_and_waits_its_whole_time() -> None:
    for story in both("state_master_start"):
        assert [e.state for e in story.entries if e.node == "r1"][:2] == ["BACKUP", "MASTER"]
        assert first_master_after_ready(story, "r1") == pytest.approx(3609.375, abs=2)


def test_state_master_start_while_another_is_master_takes_nothing_from_it() -> None:
    for story in both("state_master_start"):
        joined = 13_067 * MS_NS
        assert story.from_router("r1", joined) == []
        assert story.became("r1", "BACKUP", after_ns=joined)
        assert len(story.from_router("r2", joined)) >= 3


def test_nopreempt_state_master_nopreempt_does_not_go_with_state_master() -> None:
    """keepalived clears it, so the router preempts a full wait after it joined."""
    for story in both("nopreempt_state_master"):
        assert first_master_after_ready(story, "r2") == pytest.approx(3605.469, abs=2)
        assert story.became("r1", "BACKUP", after_ns=5 * S_NS)
    parsed = load(folder_of("nopreempt_state_master") / "r2.conf", environment={})
    assert any("nopreempt" in d.message and "MASTER" in d.message for d in parsed.diagnostics)


def test_owner_255_link_with_state_master_advertises_as_soon_as_it_is_ready() -> None:
    for story in both("owner_255_link"):
        first = story.from_router("r1")[0]
        assert (first.priority, first.at_ns < 25 * MS_NS) == (255, True)
        assert story.became("r1", "BACKUP", after_ns=0)[0] > 11 * S_NS, "no BACKUP before that of the link's return"


def test_owner_255_link_back_from_fault_it_waits_like_any_backup() -> None:
    for story in both("owner_255_link"):
        (returned,) = story.became("r1", "BACKUP")
        assert (story.became("r1", "MASTER", after_ns=returned)[0] - returned) / MS_NS == pytest.approx(
            3003.906, abs=2
        )


@pytest.mark.parametrize("name", ["owner_255_start", "owner_255_both"])
def test_an_owner_with_state_backup_waits_three_intervals_and_its_skew(name: str) -> None:
    owner = "r2" if name == "owner_255_start" else "r1"
    for story in both(name):
        assert first_master_after_ready(story, owner) == pytest.approx(3003.906, abs=2)


def test_seed_k8s_slave_an_owner_takes_over_from_a_live_master_at_its_start() -> None:
    """r1 was started at 19.000 s, while r3 was master."""
    for story in both("seed_k8s_slave"):
        (again,) = story.became("r1", "MASTER", after_ns=15 * S_NS)
        assert again < 19_030 * MS_NS
        assert story.became("r3", "BACKUP", after_ns=15 * S_NS)[0] - again < 2 * MS_NS


def test_basic3_v2_all_start_and_the_best_wins_after_two_changes() -> None:
    for story in both("basic3_v2"):
        early = [(e.node, e.state) for e in story.entries if e.state == "MASTER" and e.at_ns < 5 * S_NS]
        assert early == [("r1", "MASTER"), ("r2", "MASTER"), ("r3", "MASTER")]
        for router in ("r1", "r2"):
            taken = story.became(router, "MASTER")[0]
            assert story.became(router, "BACKUP", after_ns=taken)[0] - taken < 160 * MS_NS


def test_start_staggered3_each_better_one_preempts_a_full_wait_after_it_joined() -> None:
    waits_ms = {"r1": 3609.375, "r2": 3605.469, "r3": 3601.563}
    for story in both("start_staggered3"):
        for router, wait_ms in waits_ms.items():
            assert first_master_after_ready(story, router) == pytest.approx(wait_ms, abs=2)


def test_mixed_startup_delay_comes_before_the_first_wait() -> None:
    """vrrp_startup_delay 2.5: 2.5 s and the Master_Down_Interval, when all start."""
    for story in both("mixed_startup_delay"):
        assert first_master_after_ready(story, "r1") == pytest.approx(2500 + 3570.3125, abs=2)


def test_owner_255_startup_delay_a_first_result_ends_it() -> None:
    """vrrp_startup_delay 1.5 and a script without weight: master with the script's result, 2 ms after it is ready."""
    for story in both("owner_255_startup_delay"):
        assert story.became("r1", "MASTER")[0] < 60 * MS_NS
        assert story.from_router("r1")[0].priority == 255


def test_owner_255_init_fail_a_first_success_is_as_good_as_without_it() -> None:
    for story in both("owner_255_init_fail"):
        assert story.became("r1", "MASTER")[0] < 60 * MS_NS
        assert story.from_router("r1")[0].priority == 255


def test_owner_255_first_failure_once_failed_it_comes_back_as_a_backup() -> None:
    """Its script, with init_fail, fails once, and passes from 2.5 s on: 3.004 s from then, not at once."""
    for story in both("owner_255_first_failure"):
        (returned,) = story.became("r1", "BACKUP")
        assert returned / S_NS == pytest.approx(3.02, abs=0.02)
        assert (story.became("r1", "MASTER")[0] - returned) / MS_NS == pytest.approx(3004.1, abs=0.5)


def test_startup_delay_reload_does_not_begin_or_end_it() -> None:
    """3 s from the start, whatever happens at 1.3 s."""
    for story in both("startup_delay_reload"):
        assert story.became("r1", "MASTER")[0] / S_NS == pytest.approx(6.6224, abs=0.001)


def test_weight_zero_fault_waits_silently_for_the_first_result() -> None:
    """Nothing is said before the script's first result; from that on it is a backup's whole wait."""
    for story in both("weight_zero_fault"):
        assert story.from_router("r1", before_ns=3600 * MS_NS) == []
        begun = story.became("r1", "BACKUP")[0]
        assert begun < 35 * MS_NS
        assert (story.became("r1", "MASTER")[0] - begun) / MS_NS == pytest.approx(3605.469, abs=2)


def test_script_fails_at_start_the_first_result_counts_at_once() -> None:
    """`fall 2` and `rise 3`: the first failure lowers the priority, later results are counted."""
    for story in both("script_fails_at_start"):
        assert story.from_router("r1")[0].priority == 99
    # Passing from 6.500 s on: raised after three runs, each second from 0.02 s on, and preempting after its wait.
    assert_agree("script_fails_at_start", lambda story: story.became("r1", "MASTER")[1:], within_ms=5)


def test_weight0_fail_at_start_a_failed_first_run_keeps_it_in_fault() -> None:
    """Its script failed from the start to 8.5 s; `rise` then counts."""
    for story in both("weight0_fail_at_start"):
        (returned,) = story.became("r2", "BACKUP")
        assert 8_500 * MS_NS < returned < 11_100 * MS_NS
        assert story.became("r2", "MASTER") > [returned]
    assert_agree("weight0_fail_at_start", lambda story: story.became("r2", "BACKUP"), within_ms=15)
