"""What keepalived 2.2.7 makes of what it hears, as a backup and as master (sections 5 and 6 of the measurements).

Expected values are those of the recordings, which name the tests; the simulation has to show the same. The packets
of the inject_ recordings are put on the simulated wire as they were on the real one.
"""

from __future__ import annotations

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, Story, assert_agree, both, folder_of, recorded
from replay.recorded import Recording as Replayed
from vrrp.capture.replay.replay import replay


def after(story: Story, router: str, at_ms: float) -> float:
    """Milliseconds from a moment to the router's next advertisement."""
    return story.from_router(router, round(at_ms * MS_NS))[0].at_ns / MS_NS - at_ms


# In BACKUP --------------------------------------------------------------------------------------------------


def test_start_staggered3_a_lower_master_does_not_put_the_timer_off() -> None:
    for story in both("start_staggered3"):
        joined = story.became("r3", "BACKUP")[0]
        assert (story.became("r3", "MASTER")[0] - joined) / MS_NS == pytest.approx(3601.8, abs=0.5)


def test_inject_nopreempt_lower_advertisements_put_the_timer_off() -> None:
    """The last of seven at 6.7156 s."""
    for story in both("inject_nopreempt"):
        assert (story.became("r1", "MASTER")[0] / MS_NS) - 6715.556 == pytest.approx(3610.0, abs=0.6)


def test_nopreempt_a_better_one_that_joins_leaves_the_master_alone() -> None:
    for story in both("nopreempt"):
        assert story.became("r2", "BACKUP")[1] / S_NS == pytest.approx(10.407, abs=0.001)
        assert all(at_ns > 16.3 * S_NS for at_ns in story.became("r2", "MASTER"))


def test_nopreempt_a_goodbye_or_silence_promotes_it_all_the_same() -> None:
    """r1 stopped at 16.394 s, r2 killed at 22.728 s, r1 at 29.238 s."""
    for story in both("nopreempt"):
        ((goodbye, first),) = [(a, b) for a, b in story.handovers("r1", "r2") if not a.priority]
        assert (first.at_ns - goodbye.at_ns) / MS_NS == pytest.approx(605.7, abs=0.4)
        silent = [b.at_ns - a.at_ns for a, b in story.handovers("r2", "r1") if a.at_ns > 17 * S_NS]
        assert [wait / MS_NS for wait in silent] == [pytest.approx(3609.7, abs=0.5)]


def test_preempt_delay_runs_from_the_first_lower_advertisement_then_comes_the_whole_wait() -> None:
    """preempt_delay 5: joined at 4.522 s, first heard at 4.697 s, last accepted at 8.697 or 9.697 s: 7.8 s in all."""
    for story in both("preempt_delay"):
        heard = [a.at_ns for a in story.from_router("r1") if a.at_ns > story.became("r2", "BACKUP")[0]]
        accepted = [at_ns for at_ns in heard if at_ns < heard[0] + 5 * S_NS]
        taken = story.from_router("r2")[0].at_ns
        assert (taken - accepted[-1]) / MS_NS == pytest.approx(3605.7, abs=0.5)
        assert taken / S_NS - 4.505999 == pytest.approx(7.797, abs=0.003)


def test_preempt_delay_a_master_that_dies_within_it_is_missed_as_ever() -> None:
    """r2 came at 20.335 s, r1 was killed at 22.324 s."""
    for story in both("preempt_delay"):
        last, first = story.handovers("r1", "r2")[-1]
        assert (first.at_ns - last.at_ns) / MS_NS == pytest.approx(3605.8, abs=0.2)


@pytest.mark.parametrize("name", ["equal_prio", "equal_prio_unordered_start"])
def test_an_equal_priority_never_preempts_whoever_has_the_higher_address(name: str) -> None:
    for story in both(name):
        assert story.became("r2", "BACKUP")
        assert story.became("r2", "MASTER") == []
        assert len(story.became("r1", "MASTER")) == 1


def test_inject_backup_v2_priority_255_and_equal_ones_from_strangers_are_accepted() -> None:
    """Twenty-five packets a second apart, of which the good ones kept r1 a backup for 25 s."""
    for story in both("inject_backup_v2"):
        assert story.became("r1", "MASTER")[0] > 25 * S_NS


def test_inject_backup_v2_priority_0_of_a_stranger_leaves_only_the_skew() -> None:
    """Sent at 25.0479 s by a router that was not the master."""
    for story in both("inject_backup_v2"):
        assert after(story, "r1", 25_047.9) == pytest.approx(609.7, abs=0.5)


def test_inject_v3_the_interval_of_an_accepted_advertisement_is_learned() -> None:
    """5 s once: 3 * 5 s + 156 / 256 * 5 s = 18.0469 s. One of lower priority with 5 s taught nothing before it."""
    for story in both("inject_v3"):
        assert after(story, "r1", 9_732.14) == pytest.approx(18_047.2, abs=0.6)


def test_inject_v3_as_master_it_has_its_own_interval_again() -> None:
    for story in both("inject_v3"):
        first, second = story.from_router("r1", 27 * S_NS)[:2]
        assert first.advertisement.interval_cs == 100
        assert (second.at_ns - first.at_ns) / MS_NS == pytest.approx(1000.4, abs=0.5)


def test_inject_v3_priority_0_counts_with_the_interval_learned_before() -> None:
    """Sent with an interval of 5 s at 30.83673 s; the skew is that of 1 s."""
    for story in both("inject_v3"):
        assert after(story, "r1", 30_836.73) == pytest.approx(609.7, abs=0.4)


def test_inject_v3_interval_0_makes_it_master_at_once() -> None:
    for story in both("inject_v3"):
        (taken,) = story.became("r1", "MASTER", after_ns=35 * S_NS)
        assert taken / S_NS == pytest.approx(35.6449, abs=0.001)


def test_inject_v3_reserved_bits_and_checksums_without_pseudo_header_change_nothing() -> None:
    """From 0.43 to 27.78 s it is a backup: the good packets among these put its timer off."""
    for story in both("inject_v3"):
        assert story.became("r1", "MASTER")[0] / S_NS == pytest.approx(27.7796, abs=0.001)


def test_v3_learn_yield_crash_a_master_that_yields_learns_too() -> None:
    assert_agree("v3_learn_yield_crash", lambda story: story.became("r1", "MASTER"), within_ms=5)


def test_prio_change_after_refusals_moves_the_timer_by_the_wrong_amount() -> None:
    """Refused at 6.622 and 7.622 s, lowered from 200 to 140 at 8.013 s: taken over at 11.076 s.

    It would have been 9.230 s with priority 200 and 9.464 s with 140. The refusal made it remember the time left,
    1.607 s, as its whole wait, so that 3.453 - 1.607 s came on top.
    """
    for story in both("prio_change_after_refusals"):
        assert story.became("r1", "MASTER")[0] / S_NS == pytest.approx(11.0756, abs=0.003)
        assert next(a.priority for a in story.from_router("r1")) == 140


# In MASTER --------------------------------------------------------------------------------------------------


def test_split_brain2_a_higher_one_is_yielded_to_at_once_and_silently() -> None:
    for story in both("split_brain2"):
        yielded = story.became("r1", "BACKUP")[-1]
        heard = story.from_router("r2", 14_100 * MS_NS)[0].at_ns
        assert abs(yielded - heard) < 1 * MS_NS
        assert all(a.priority for a in story.from_router("r1"))
        assert story.from_router("r1", yielded) == []


def test_split_brain2_a_lower_one_is_answered_at_once_with_five_announcements() -> None:
    for story in both("split_brain2"):
        lower = story.from_router("r1", 14_100 * MS_NS)[0].at_ns
        answer, *others = story.from_router("r2", lower)
        assert answer.at_ns - lower < 1 * MS_NS
        (batch,) = story.batches("r2", lower, lower + S_NS)
        assert len(batch) == 5
        assert batch[0].at_ns - answer.at_ns < 0.5 * MS_NS
        assert (others[0].at_ns - answer.at_ns) / MS_NS == pytest.approx(1000.25, abs=0.1)


def test_lower_prio_no_advert_the_lower_one_stays_until_the_next_regular_advertisement() -> None:
    """Healed at 12.4 s; 0.39 s from the lower one's advertisement to the higher one's."""
    for story in both("lower_prio_no_advert"):
        lower, higher = story.from_router("r2", 12 * S_NS)[0], story.from_router("r1", 12_300 * MS_NS)[0]
        assert (higher.at_ns - lower.at_ns) / MS_NS == pytest.approx(390.9, abs=1)
        assert abs(story.became("r2", "BACKUP")[-1] - higher.at_ns) < 1 * MS_NS
        periods = story.gaps_ns("r1", 9 * S_NS, 16 * S_NS)
        assert max(periods) < 1_001 * MS_NS
        assert min(periods) >= 1_000 * MS_NS


def test_higher_prio_send_advert_the_loser_speaks_once_more() -> None:
    for story in both("higher_prio_send_advert"):
        higher = story.from_router("r1", 12_300 * MS_NS)[0]
        farewell, *rest = story.from_router("r2", higher.at_ns)
        assert (farewell.priority, rest) == (100, [])
        answer = story.from_router("r1", farewell.at_ns)[0]
        assert answer.at_ns - higher.at_ns < 1 * MS_NS
        assert len(story.announced("r1", farewell.at_ns, farewell.at_ns + S_NS)) == 5


def test_inject_master_v2_priority_0_is_answered_at_once_and_restarts_the_timer() -> None:
    """Sent at 5.3242 s."""
    for story in both("inject_master_v2"):
        answer, following = story.from_router("r1", 5_323 * MS_NS)[:2]
        assert answer.at_ns / S_NS == pytest.approx(5.3243, abs=0.0005)
        assert (following.at_ns - answer.at_ns) / MS_NS == pytest.approx(1000.2, abs=0.2)


def test_inject_master_v2_bad_packets_each_half_second_silence_it_for_six() -> None:
    """Ten packets with a wrong checksum from 22.338 s on: each restarts the advertisement timer."""
    for story in both("inject_master_v2"):
        longest = max(story.gaps_ns("r1", 20 * S_NS, 29 * S_NS))
        assert longest / S_NS == pytest.approx(5.90, abs=0.05)


def test_inject_master_v2_an_equal_one_with_the_higher_address_is_yielded_to() -> None:
    """From 10.0.0.2 at 29.547 s; one from 9.0.0.1 at 19.907 s was answered like a lower one."""
    for story in both("inject_master_v2"):
        assert story.became("r1", "BACKUP")[1] / S_NS == pytest.approx(29.549, abs=0.004)
        (batch,) = story.batches("r1", 19_900 * MS_NS, 20_500 * MS_NS)
        assert len(batch) == 5


def test_inject_master_v2_one_higher_advertisement_costs_a_whole_wait() -> None:
    """Priority 200 once, at 34.0446 s."""
    for story in both("inject_master_v2"):
        assert after(story, "r1", 34_044.59) == pytest.approx(3610.0, abs=0.5)


@pytest.mark.parametrize(
    ("name", "since_s"),
    [("auth_mismatch", 3.66), ("auth_one_side", 3.66), ("version_mismatch", 3.66), ("auth_mismatch_long", 3.64)],
)
def test_two_that_refuse_each_other_are_both_master_though_fewer_are_heard(name: str, since_s: float) -> None:
    """Each restarts its timer at the other's refused packet, so that they share one second between them."""
    for story in both(name):
        assert {e.node for e in story.entries if e.state == "MASTER"} == {"r1", "r2"}
        assert [e for e in story.entries if e.state == "BACKUP" and e.at_ns > S_NS] == []
        since_ns = round((since_s + 1.2) * S_NS)
        seconds = (story.last_ns - since_ns) // S_NS
        for router in ("r1", "r2"):
            assert len(story.from_router(router, since_ns)) <= seconds + 1
        assert len(story.adverts) >= seconds


def test_vmac_mixed_with_vmac_xmit_base_the_others_virtual_mac_is_not_heard() -> None:
    """r1 has it and r2 not: both are master, though r2, the better one, speaks to r1 each second."""
    for story in both("vmac_mixed"):
        assert len(story.became("r1", "MASTER")) == len(story.became("r2", "MASTER")) == 1
        assert story.became("r1", "BACKUP", after_ns=S_NS) == []
        assert len(story.from_router("r1", 4 * S_NS)) >= 4
        # r2 hears r1, and answers each of its advertisements.
        answers = story.from_router("r2", 4 * S_NS)
        assert all(min(abs(a.at_ns - b.at_ns) for b in story.from_router("r1")) < 12 * MS_NS for a in answers)


def test_vmac_mixed_replayed_neither_does_it_hear_that_in_a_capture() -> None:
    result = replay(Replayed(folder_of("vmac_mixed")).setup("r1"))
    assert [t.new for t in result.transitions if t.new != "INITIALIZE"] == ["BACKUP", "MASTER"]
    assert result.heard == 0
    assert result.elsewhere == len(recorded("vmac_mixed").from_router("r2"))


def test_advint_mismatch_v2_the_slow_one_hardly_speaks() -> None:
    """1 s against 2 s: two masters from 6.684 s on, and of the slow one 5 advertisements in 21 s."""
    for story in both("advint_mismatch_v2"):
        assert story.became("r1", "MASTER")[0] / S_NS == pytest.approx(6.684, abs=0.003)
        assert len(story.from_router("r1", 5 * S_NS)) == 5
    assert_agree("advint_mismatch_v2", lambda story: [a.at_ns for a in story.from_router("r1")], within_ms=30)


def test_owner_255_two_masters_the_first_that_hears_the_other_yields_for_good() -> None:
    """r2 was 9 ms earlier and heard r1's first advertisement; its higher address did not help it."""
    for story in both("owner_255_two_masters"):
        assert [a.priority for a in story.from_router("r2")] == [255]
        assert abs(story.became("r2", "BACKUP")[0] - story.from_router("r1")[0].at_ns) < 1 * MS_NS
        assert {a.priority for a in story.from_router("r1")} == {255}


def test_owner_255_both_with_state_backup_there_is_no_conflict() -> None:
    for story in both("owner_255_both"):
        assert story.became("r1", "MASTER")
        assert story.became("r2", "MASTER") == []


def test_garp_lower_delay_each_lower_advertisement_is_announced_again_after_its_own_five_seconds() -> None:
    """Heard at 4.930, 7.235 and 9.541 s, with garp_lower_prio_repeat 2; that of 6.625 s is the mastership's."""
    for story in both("garp_lower_delay"):
        batches = story.batches("r1")
        assert [len(batch) for batch in batches] == [5, 2, 5, 2, 2, 2, 2, 2]
        begun = [batch[0].at_ns / S_NS for batch in batches]
        times = (1.625, 4.930, 6.625, 7.235, 9.541, 9.930, 12.235, 14.541)
        assert begun == [pytest.approx(at, abs=0.002) for at in times]


def test_garp_second_batch_outlives_the_mastership() -> None:
    """Master at 3.620 s, backup at 5.117 s, master at 6.610 s: announced 5 s after the first and after the second."""
    for story in both("garp_second_batch"):
        batches = story.batches("r1")
        assert [len(batch) for batch in batches] == [5, 5, 5, 5]
        begun = [batch[0].at_ns / S_NS for batch in batches]
        assert begun == [pytest.approx(at, abs=0.001) for at in (3.6206, 6.6101, 8.6208, 11.6103)]
