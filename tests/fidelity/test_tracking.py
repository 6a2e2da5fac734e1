"""What keepalived 2.2.7 makes of check scripts and links (sections 3 and 4 of the measurements).

Expected values are those of the recordings, which name the tests; the simulation has to show the same.
"""

from __future__ import annotations

import json

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, Story, assert_agree, both, folder_of, recorded


def goodbyes(story: Story, router: str, vrid: int = 51) -> list[int]:
    """When it sent priority 0, in nanoseconds."""
    return [advert.at_ns for advert in story.from_router(router, vrid=vrid) if not advert.priority]


def priorities(story: Story, router: str) -> list[int]:
    """The priorities it advertised, each once for a row of equal ones."""
    told = [advert.priority for advert in story.from_router(router)]
    return [one for one, before in zip(told, [None, *told], strict=False) if one != before]


# The seed configuration: 255 with state MASTER, 254 and 253, weight -2, interval 3, fall 10, rise 2 -------------


def test_seed_k8s_backup_a_weight_never_moves_an_owner() -> None:
    """Its script failed from 8.065 s on, for 40 s; it is not even run."""
    for story in both("seed_k8s_backup"):
        assert priorities(story, "r1") == [255, 0]
        assert story.became("r2", "MASTER")[0] > 48 * S_NS
    recording = json.loads((folder_of("seed_k8s_backup") / "recording.json").read_text(encoding="utf-8"))
    assert "script_runs" not in recording["routers"]["r1"]
    assert recording["routers"]["r2"]["script_runs"]


def test_seed_k8s_backup_a_stopped_owner_is_followed_after_the_skew_of_254() -> None:
    for story in both("seed_k8s_backup"):
        ((goodbye, first),) = [(a, b) for a, b in story.handovers("r1", "r2") if not a.priority]
        assert (first.at_ns - goodbye.at_ns) / MS_NS == pytest.approx(8.4, abs=0.4)


def test_seed_k8s_backup_the_password_ends_at_its_comment_sign() -> None:
    for story in both("seed_k8s_backup"):
        assert {a.advertisement.auth_data for a in story.adverts} == {b"P@\0\0\0\0\0\0"}


def test_auth_pass_quoted_keeps_the_whole_password() -> None:
    for story in both("auth_pass_quoted"):
        assert {a.advertisement.auth_data for a in story.adverts} == {b"P@##D321"}


@pytest.mark.parametrize(
    ("name", "secret"),
    [("auth_pass_9_vs_8", b"abcdefgh"), ("auth_pass_long", b"P@\0\0\0\0\0\0"), ("auth_pass_ok", b"secret\0\0")],
)
def test_passwords_alike_in_their_first_eight_characters_agree(name: str, secret: bytes) -> None:
    """abcdefghij and abcdefgh; P@##D321! and P@##D321, both cut at the comment sign."""
    for story in both(name):
        assert {a.advertisement.auth_data for a in story.adverts} == {secret}
        masters = {e.node for e in story.entries if e.state == "MASTER"}
        yielded = {e.node for e in story.entries if e.state == "BACKUP" and e.at_ns > S_NS}
        assert len(masters - yielded) == (2 if name == "auth_pass_ok" else 1), "one after the other's crash"


def test_seed_k8s_slave_a_crashed_owner_is_missed_after_three_intervals_and_the_skew_of_254() -> None:
    for story in both("seed_k8s_slave"):
        taken = story.became("r2", "MASTER")[0]
        # It was killed at 8.000 s, and had advertised each second since about 0.020 s.
        assert (taken - 7_022 * MS_NS) / MS_NS == pytest.approx(3008.6, abs=6)


def test_seed_k8s_slave_an_unknown_state_is_backup() -> None:
    for story in both("seed_k8s_slave"):
        for router in ("r2", "r3"):
            assert next(e.state for e in story.entries if e.node == router) == "BACKUP"


def test_owner_255_weight0_without_weight_a_script_does_move_an_owner() -> None:
    """Failing from 8.500 s on (interval 1, fall 2), passing from 14.500 s on."""
    for story in both("owner_255_weight0"):
        fault = story.became("r1", "FAULT")[-1]
        assert (story.became("r2", "MASTER")[0] - fault) / MS_NS == pytest.approx(8.1, abs=1)
        returned, again = story.became("r1", "BACKUP")[0], story.became("r1", "MASTER")[-1]
        assert (again - returned) / MS_NS == pytest.approx(3004.0, abs=1)
    assert_agree("owner_255_weight0", lambda story: story.became("r1", "FAULT", after_ns=S_NS), within_ms=15)


def test_weight_neg_3_10_2_on_254_it_would_be_half_a_minute() -> None:
    """interval 3, fall 10: 31.28 s from the failure to the other's first advertisement; back in 7.59 s with rise 2."""
    for story in both("weight_neg_3_10_2"):
        assert story.from_router("r2")[0].at_ns / S_NS - 11.015692 == pytest.approx(31.28, abs=0.015)
        back = story.from_router("r1", 50 * S_NS)[0]
        assert back.at_ns / S_NS - 49.322461 == pytest.approx(7.59, abs=0.015)


# Scripts ----------------------------------------------------------------------------------------------------


def test_weight_neg_3_10_2_runs_begin_each_interval_from_the_start_on() -> None:
    recording = json.loads((folder_of("weight_neg_3_10_2") / "recording.json").read_text(encoding="utf-8"))
    runs = recording["routers"]["r1"]["script_runs"]
    ready = recorded("weight_neg_3_10_2").became("r1", "BACKUP")[0] / S_NS
    assert all(run == pytest.approx(ready + 3 * n, abs=0.025) for n, run in enumerate(runs))
    # The 10th failing one, from 39.08 s on, is the first after which 99 is advertised.
    for story in both("weight_neg_3_10_2"):
        first = next(a.at_ns for a in story.from_router("r1") if a.priority == 99)
        assert 39.07 < first / S_NS < 39.7


def test_weight_neg_3_10_2_a_lower_priority_stands_in_the_next_regular_advertisement() -> None:
    """It is told by no advertisement of its own, and the peer counts from the last one that was not below its own."""
    for story in both("weight_neg_3_10_2"):
        assert priorities(story, "r1")[:2] == [101, 99]
        assert max(story.gaps_ns("r1", 36 * S_NS, 42 * S_NS)) < 1_002 * MS_NS
        assert min(story.gaps_ns("r1", 36 * S_NS, 42 * S_NS)) > 1_000 * MS_NS
        last = [a.at_ns for a in story.from_router("r1", before_ns=42 * S_NS) if a.priority == 101][-1]
        assert (story.from_router("r2")[0].at_ns - last) / MS_NS == pytest.approx(3609.375, abs=2)


def test_weight_neg_1_1_1_one_failed_run_is_enough() -> None:
    """Failing from 11.006 s on, 99 at the first advertisement after the run at 11.034 s; a takeover 3.29 s after."""
    for story in both("weight_neg_1_1_1"):
        first = next(a.at_ns for a in story.from_router("r1") if a.priority == 99)
        assert 11.034 < first / S_NS < 11.7
        assert story.from_router("r2")[0].at_ns / S_NS - 11.006247 == pytest.approx(3.26, abs=0.04)


def test_weight_pos_is_added_while_the_script_passes() -> None:
    for story in both("weight_pos"):
        assert priorities(story, "r1")[:3] == [105, 100, 105]
        assert priorities(story, "r2") == [104]
    assert_agree("weight_pos", lambda story: [a.at_ns for a in story.from_router("r2")][:1], within_ms=12)


def test_weights_clamped_to_254_and_1() -> None:
    """253 + 10, and 5 - 20; the wait of priority 1 is 3.996 s."""
    for story in both("weights_clamped"):
        assert priorities(story, "r1") == [254]
        assert priorities(story, "r2") == [1]
        ((last, first),) = story.handovers("r1", "r2")
        assert (first.at_ns - last.at_ns) / MS_NS == pytest.approx(3996.3, abs=0.2)


def test_mixed_bouncing_script_two_failures_of_three_change_nothing() -> None:
    """Of the failures from 6.4, 9.4, 14.4 and 20.4 s on only the second and the last last for three runs."""
    for story in both("mixed_bouncing_script"):
        assert priorities(story, "r1") == [110, 90, 110, 90]
    assert_agree("mixed_bouncing_script", lambda story: [a.at_ns for _, a in story.handovers("r1", "r2")], within_ms=5)


def test_weight_zero_fault_says_goodbye_twice() -> None:
    for story in both("weight_zero_fault"):
        first, second = goodbyes(story, "r1")[:2]
        assert second - first < 0.7 * MS_NS
        assert abs(story.became("r1", "FAULT", after_ns=S_NS)[0] - first) < 1 * MS_NS
        assert (story.from_router("r2")[0].at_ns - second) / MS_NS == pytest.approx(610.0, abs=0.5)
    assert_agree("weight_zero_fault", lambda story: goodbyes(story, "r1")[:2], within_ms=15)


def test_weight_zero_fault_back_it_is_a_backup_with_its_whole_wait() -> None:
    for story in both("weight_zero_fault"):
        returned = story.became("r1", "BACKUP")[1]
        again = story.became("r1", "MASTER")[1]
        assert (again - returned) / MS_NS == pytest.approx(3605.7, abs=0.5)


def test_fault_hears_nothing_and_leaves_without_goodbye() -> None:
    """Stopped at 10 s in FAULT, and at 14 s as a backup."""
    for story in both("fault_hears_nothing"):
        assert len(goodbyes(story, "r1")) == 2
        assert story.from_router("r1", 7 * S_NS) == []
        assert [e.state for e in story.entries if e.node == "r1" and 6.1 * S_NS < e.at_ns < 10 * S_NS] == []
        assert all(1000 * MS_NS <= gap < 1001 * MS_NS for gap in story.gaps_ns("r2"))


def test_script_hang_default_timeout_a_killed_run_is_a_failed_one() -> None:
    """Hanging from 6.007 s on, interval 1 and so timeout 1, fall 2: lowered after the second kill."""
    for story in both("script_hang_default_timeout"):
        assert priorities(story, "r1") == [101, 99]
        first = next(a.at_ns for a in story.from_router("r1") if a.priority == 99)
        assert 8.0 < first / S_NS < 9.1
    assert_agree("script_hang_default_timeout", lambda story: story.became("r2", "MASTER"), within_ms=25)


def test_mixed_hanging_script_runs_go_on_beside_a_hanging_one() -> None:
    """timeout 3, interval 1, fall 2: in FAULT with the kills of the runs of 7 and 8 s, not of 7 and 10 s."""
    for story in both("mixed_hanging_script"):
        assert story.became("r1", "FAULT", after_ns=S_NS)[0] / S_NS == pytest.approx(11.04, abs=0.02)
        assert story.became("r1", "BACKUP")[1] / S_NS == pytest.approx(17.04, abs=0.02)


def test_script_hang_overtaken_a_timeout_after_another_run_has_passed_is_no_failure() -> None:
    """timeout 3, interval 2, fall 1: the run of 8.01 s hangs, that of 10.01 s passes; 11.01 s goes by."""
    for story in both("script_hang_overtaken"):
        assert story.became("r1", "FAULT", after_ns=S_NS) == []
        assert all(a.priority for a in story.from_router("r1"))


def test_script_hang_overtaken_in_step_it_is_one_while_the_next_run_goes_on() -> None:
    """timeout 3, interval 1: the run of 7.01 s is killed 1 ms after that of 10.01 s has begun, which passes."""
    for story in both("script_hang_overtaken_in_step"):
        (fault,) = story.became("r1", "FAULT", after_ns=S_NS)
        assert fault / S_NS == pytest.approx(10.0131, abs=0.012)
        (returned,) = story.became("r1", "BACKUP", after_ns=S_NS)
        assert 0.5 * MS_NS < returned - fault < 5 * MS_NS
        assert len(goodbyes(story, "r1")) == 2


# Links ------------------------------------------------------------------------------------------------------


def test_track_interface_is_fault_within_milliseconds_with_two_goodbyes() -> None:
    """eth1, which VI_1 on eth0 tracks, lost its carrier at 6.034 s."""
    for story in both("track_interface"):
        first, second = goodbyes(story, "r1")
        assert 3 < first / MS_NS - 6034.168 < 6
        assert second - first < 0.7 * MS_NS
        assert (story.from_router("r2")[0].at_ns - second) / MS_NS == pytest.approx(609.8, abs=0.3)


def test_track_interface_back_it_is_a_backup_with_its_whole_wait() -> None:
    for story in both("track_interface"):
        (returned,) = story.became("r1", "BACKUP", after_ns=S_NS)
        assert 3 < returned / MS_NS - 9350.389 < 6
        assert (story.became("r1", "MASTER", after_ns=returned)[0] - returned) / MS_NS == pytest.approx(
            3605.9, abs=0.7
        )


def test_own_link_lost_nobody_hears_a_goodbye() -> None:
    """The peer waits its whole time from the last advertisement on."""
    for story in both("own_link"):
        assert goodbyes(story, "r1") == []
        assert story.became("r1", "FAULT")
        ((last, first),) = story.handovers("r1", "r2")[:1]
        assert (first.at_ns - last.at_ns) / MS_NS == pytest.approx(3609.6, abs=0.3)


def test_track_interface_weight_is_a_script_with_fall_1() -> None:
    """eth1 -10 for a router with 105 against 100: it is without carrier from 6.500 to 13.300 s."""
    for story in both("track_interface_weight"):
        assert priorities(story, "r1") == [105, 95, 105]
        assert story.became("r1", "FAULT") == []
        lower = next(a.at_ns for a in story.from_router("r1") if a.priority == 95)
        assert 6.5 < lower / S_NS < 7.6
    assert_agree("track_interface_weight", lambda story: [a.at_ns for a in story.from_router("r2")][:1], within_ms=3)


def test_mixed_unicast_v3_back_from_fault_the_own_address_is_announced_once() -> None:
    """To the peers' caches; at 6.103 s."""
    for story in both("mixed_unicast_v3"):
        (own,) = [one.at_ns for one in story.announcements if one.address == "10.0.0.1"]
        assert abs(own - story.became("r1", "BACKUP")[1]) < 1 * MS_NS


# Sync groups ------------------------------------------------------------------------------------------------


def test_sync_group_the_peer_waits_for_the_slower_member() -> None:
    """eth1 of r1 lost at 6.009 s: VI_1 hears a goodbye on eth0, but moves when VI_2 has waited its whole time."""
    for story in both("sync_group"):
        both_moved = [story.became("r2", "MASTER", name)[0] for name in ("VI_1", "VI_2")]
        assert abs(both_moved[0] - both_moved[1]) < 1 * MS_NS
        assert max(both_moved) / S_NS - 6.009263 == pytest.approx(3.247, abs=0.006)
        # VI_2 leads: its advertisement is the first.
        first, second = story.from_router("r2", before_ns=9_500 * MS_NS)[:2]
        assert (first.advertisement.vrid, second.advertisement.vrid) == (52, 51)


def test_sync_group_only_the_member_that_failed_says_goodbye_twice() -> None:
    """VI_2's two cannot leave, eth1 is down; VI_1, which goes with it, sends one."""
    for story in both("sync_group"):
        assert len([at_ns for at_ns in goodbyes(story, "r1", 51) if at_ns < 10 * S_NS]) == 1
        assert [at_ns for at_ns in goodbyes(story, "r1", 52) if at_ns < 10 * S_NS] == []


def test_sync_lower_a_lower_advertisement_to_one_is_announced_by_all_now_and_5_s_later() -> None:
    """r1 slept from 5.2 to 9.8 s: of each lower one that waited, five announcements of either address, and again."""
    for story in both("sync_lower"):
        waited = story.from_router("r2", 5_200 * MS_NS, 9_799 * MS_NS)
        assert len(waited) == 4
        first, again = story.batches("r1", 9_799 * MS_NS)
        assert again[0].at_ns - first[0].at_ns == pytest.approx(5 * S_NS, abs=3 * MS_NS)
        told = [one.address for one in first]
        assert told.count("10.0.0.100") == told.count("10.1.0.100") == 5 * (len(waited) + 1), (
            "a batch was overdue, too"
        )
        assert len(again) == 10 * len(waited)


def test_unicast_sync_back_from_fault_only_the_member_that_failed_announces_its_address() -> None:
    for story in both("unicast_sync"):
        (returned,) = story.became("r1", "BACKUP", "VI_2", after_ns=S_NS)
        own = [one for one in story.announced("r1", S_NS) if one.address in ("10.0.0.1", "10.1.0.1")]
        assert [one.address for one in own] == ["10.1.0.1"]
        assert abs(own[0].at_ns - returned) < 1 * MS_NS


def test_mixed_sync_scripts_the_member_whose_script_failed_says_goodbye_twice() -> None:
    for story in both("mixed_sync_scripts"):
        counted = [len([at for at in goodbyes(story, "r1", vrid) if at < 10 * S_NS]) for vrid in (51, 52)]
        assert counted == [2, 1]
