"""One track script by itself: when it runs, when a run is killed, what its results mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.routers import MS_NS, S_NS
from vrrp.protocol.effects import KillScript, RunScript
from vrrp.protocol.settings import ScriptConfig
from vrrp.protocol.tracking import OVERDUE_NS, RUN_DRIFT_NS, ScriptTracker, effective_priority


def tracker(**config: Any) -> ScriptTracker:
    return ScriptTracker(ScriptConfig(name="chk", **config))


def results(subject: ScriptTracker, outcomes: str) -> str:
    """The verdict after each result: "+" a success, "-" a failure; U up, D down."""
    verdicts = ""
    for number, outcome in enumerate(outcomes):
        subject.start(number * S_NS)
        changed = subject.finished(outcome == "+")
        verdict = "U" if subject.up else "D"
        assert changed is (verdict != verdicts[-1:])
        verdicts += verdict
    return verdicts


def test_runs_at_once_and_then_each_interval() -> None:
    subject = tracker(interval_ns=3 * S_NS)
    assert subject.start(7) == (RunScript("chk"),)
    assert subject.running
    assert subject.finished(True)
    assert not subject.running
    assert subject.wake_ns == 7 + 3 * S_NS
    assert subject.expire(7 + 3 * S_NS - 1) == ((), False)
    assert subject.expire(7 + 3 * S_NS) == ((RunScript("chk"),), False)


LATE: list[tuple[int, int]] = [
    # how late a run is, and how late the next
    (0, 0),
    (60_000, 60_000),
    (RUN_DRIFT_NS, RUN_DRIFT_NS),
    (6 * MS_NS, RUN_DRIFT_NS),
    (S_NS - 1, RUN_DRIFT_NS),
    (S_NS, S_NS),
    (7 * S_NS, 7 * S_NS),
]


@pytest.mark.parametrize(("late_ns", "next_ns"), LATE)
def test_a_late_run_puts_off_the_next_by_a_little(late_ns: int, next_ns: int) -> None:
    subject = tracker(interval_ns=S_NS, timeout_ns=3 * S_NS)
    subject.start(0)
    subject.finished(True)
    assert subject.expire(S_NS + late_ns) == ((RunScript("chk"),), False)
    subject.finished(True)
    assert subject.wake_ns == 2 * S_NS + next_ns


@pytest.mark.parametrize(
    ("rise", "fall", "outcomes", "verdicts"),
    [
        (1, 1, "+-+-", "UDUD"),
        (1, 2, "+-+--+", "UUUUDU"),
        (2, 1, "+-+-++-", "UDDDDUD"),
        (2, 3, "+---+-++--+---", "UUUDDDDUUUUUUD"),
        (3, 3, "-+++---", "DDDUUUD"),
        (3, 3, "+--", "UUU"),
    ],
)
def test_rise_and_fall_count_in_a_row_and_not_for_the_first_result(
    rise: int, fall: int, outcomes: str, verdicts: str
) -> None:
    assert results(tracker(rise=rise, fall=fall), outcomes) == verdicts


@pytest.mark.parametrize(
    ("ok", "up", "reason"), [(True, True, "chk succeeded once"), (False, False, "chk failed once")]
)
def test_first_result_counts_at_once(ok: bool, up: bool, reason: str) -> None:
    subject = tracker(rise=5, fall=5)
    assert subject.up is None
    assert subject.reason == "no result yet"
    subject.start(0)
    assert subject.finished(ok)
    assert subject.up is up
    assert subject.reason == reason
    assert subject.results == 1


def test_reasons_count() -> None:
    subject = tracker(rise=2, fall=3)
    results(subject, "+---")
    assert subject.reason == "chk failed 3 times"
    subject.start(9)
    subject.finished(True)
    subject.start(10)
    subject.finished(True)
    assert subject.reason == "chk succeeded 2 times"


def test_init_fail_is_down_before_the_first_result() -> None:
    subject = tracker(init_fail=True)
    assert subject.up is False
    assert subject.reason == "init_fail"
    subject.start(0)
    assert subject.finished(True)
    assert subject.up


def test_run_past_its_timeout_is_killed_and_counts_as_a_failure() -> None:
    subject = tracker(interval_ns=5 * S_NS, timeout_ns=2 * S_NS)
    subject.start(0)
    assert subject.wake_ns == 2 * S_NS + OVERDUE_NS
    assert subject.expire(2 * S_NS + OVERDUE_NS - 1) == ((), False)
    assert subject.expire(2 * S_NS + OVERDUE_NS) == ((KillScript("chk"),), True)
    assert subject.reason == "chk timed out once"
    assert subject.results == 1


def test_end_after_the_kill_is_ignored() -> None:
    subject = tracker(interval_ns=5 * S_NS, timeout_ns=2 * S_NS)
    subject.start(0)
    subject.expire(2 * S_NS + OVERDUE_NS)
    assert not subject.finished(True)
    assert subject.up is False
    assert subject.results == 1


def test_runs_longer_than_the_interval_overlap_and_time_out_each_for_itself() -> None:
    # Measured by the script's own stamps; the log's "skipping run" is not what happens.
    subject = tracker(interval_ns=S_NS, timeout_ns=2_500 * MS_NS)
    assert subject.start(0) == (RunScript("chk"),)
    assert subject.expire(S_NS) == ((RunScript("chk"),), False)
    assert subject.expire(2 * S_NS) == ((RunScript("chk"),), False)
    assert subject.wake_ns == 2_500 * MS_NS + OVERDUE_NS
    assert subject.expire(2_500 * MS_NS + OVERDUE_NS) == ((KillScript("chk"),), True)
    assert subject.finished(True)
    assert (subject.up, subject.results, subject.running) == (True, 2, True)
    assert subject.expire(3_600 * MS_NS)[0] == (RunScript("chk"), KillScript("chk"))


def test_run_that_others_overtook_is_no_failure_when_it_times_out() -> None:
    # script_hang_overtaken: interval 2, timeout 3; of the runs of 8.01 and 10.01 s the second one passed.
    subject = tracker(interval_ns=2 * S_NS, timeout_ns=3 * S_NS)
    subject.start(0)
    subject.expire(2 * S_NS)
    assert subject.finished(True)
    assert subject.expire(3 * S_NS + OVERDUE_NS) == ((KillScript("chk"),), False)
    assert subject.up
    assert (subject.results, subject.running) == (1, False)


def test_run_that_others_overtook_is_a_failure_while_the_next_one_runs() -> None:
    # script_hang_overtaken_in_step: interval 1, timeout 3; timed out 1 ms after a run had begun, FAULT for 1 ms.
    subject = tracker(interval_ns=S_NS, timeout_ns=3 * S_NS)
    subject.start(0)
    for second in (1, 2):
        subject.expire(second * S_NS)
        assert subject.finished(True) is (second == 1)
    assert subject.expire(3 * S_NS) == ((RunScript("chk"),), False)
    assert subject.expire(3 * S_NS + OVERDUE_NS) == ((KillScript("chk"),), True)
    assert subject.finished(True)


def test_late_to_both_it_does_first_what_was_due_first() -> None:
    subject = tracker(interval_ns=2 * S_NS, timeout_ns=S_NS)
    subject.start(0)
    assert subject.expire(9 * S_NS) == ((KillScript("chk"), RunScript("chk")), True)


def test_timeout_that_is_the_interval_runs_anew_and_then_kills() -> None:
    # script_hang_default_timeout: interval 1, fall 2, hanging from the run at 6.034: down at 8.034, so that
    # the peer's last heard full priority is at 7.66 and it is master at 11.27.
    subject = tracker(fall=2)
    subject.start(34 * MS_NS)
    subject.finished(True)
    for second in range(1, 6):
        assert subject.expire(second * S_NS + 34 * MS_NS) == ((RunScript("chk"),), False)
        subject.finished(True)
    assert subject.expire(6_034 * MS_NS) == ((RunScript("chk"),), False)
    assert subject.expire(7_034 * MS_NS) == ((RunScript("chk"),), False)
    assert subject.expire(7_034 * MS_NS + OVERDUE_NS) == ((KillScript("chk"),), False)
    assert subject.up
    assert subject.expire(8_034 * MS_NS) == ((RunScript("chk"),), False)
    assert subject.expire(8_034 * MS_NS + OVERDUE_NS) == ((KillScript("chk"),), True)
    assert subject.up is False
    assert subject.reason == "chk timed out 2 times"


@pytest.mark.parametrize(
    ("base", "adjustments", "effective"),
    [
        (253, 10, 254),
        (254, -2, 252),
        (254, 1, 254),
        (5, -20, 1),
        (100, 0, 100),
        (100, -2, 98),
        (1, 253, 254),
        (255, -20, 255),
        (255, 5, 255),
    ],
)
def test_effective_priority(base: int, adjustments: int, effective: int) -> None:
    assert effective_priority(base, adjustments) == effective


@given(
    rise=st.integers(1, 4),
    fall=st.integers(1, 4),
    outcomes=st.text("+-", min_size=1, max_size=40),
)
def test_verdict_is_that_of_the_last_long_enough_row(rise: int, fall: int, outcomes: str) -> None:
    verdicts = results(tracker(rise=rise, fall=fall), outcomes)
    expected = "U" if outcomes[0] == "+" else "D"
    for end in range(2, len(outcomes) + 1):
        if outcomes[1:end].endswith("-" * fall):
            expected = "D"
        if outcomes[1:end].endswith("+" * rise):
            expected = "U"
        assert verdicts[end - 1] == expected


def test_a_first_failure_after_init_fail_is_news() -> None:
    subject = tracker(init_fail=True)
    subject.start(0)
    assert subject.finished(False)
    assert (subject.up, subject.reason) == (False, "chk failed once")
    subject.start(S_NS)
    assert not subject.finished(False)
