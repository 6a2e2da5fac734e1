"""What keepalived 2.2.7 refuses, and says about it (section 7 of the measurements).

Expected values are those of the recordings, which name the tests. Which packet is refused for which reason, one by
one, is tested with the protocol; here are a real log to count by, and what comes of refusals.
"""

from __future__ import annotations

import re

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, both, folder_of
from replay.recorded import Recording
from vrrp.capture.replay.replay import replay
from vrrp.protocol.validation import Discard

LOGGED = {
    r"received an invalid passwd!": Discard.PASSWORD,
    r"received a 0 auth, expecting 1!": Discard.AUTH_TYPE,
    r"advertisement interval mismatch mine=1 sec rcv'd=2 sec": Discard.INTERVAL,
    r"wrong version\. Received 3 and expect 2": Discard.VERSION,
    r"ip address associated with VRID 51 not present in MASTER advert: 10\.0\.0\.100": Discard.ADDRESS_LIST,
    r"received an unexpected ip number count 2, expected 1!": Discard.ADDRESS_COUNT,
}


@pytest.mark.parametrize(("message", "reason"), LOGGED.items(), ids=lambda value: getattr(value, "name", ""))
def test_refusals_each_is_logged_as_often_as_ours_counts_it(message: str, reason: Discard) -> None:
    log = (folder_of("refusals") / "r1.log").read_text(encoding="utf-8")
    result = replay(Recording(folder_of("refusals")).setup("r1"))
    assert result.discarded["VI_1", reason] == len(re.findall(message, log)) > 0


def test_refusals_nothing_else_is_refused_and_nobody_yields() -> None:
    result = replay(Recording(folder_of("refusals")).setup("r1"))
    assert {reason for _, reason in result.discarded} == set(LOGGED.values())
    assert [t.new for t in result.transitions if t.new != "INITIALIZE"] == ["BACKUP", "MASTER"]


@pytest.mark.parametrize("name", ["vip_mismatch", "version_mismatch", "auth_mismatch"])
def test_a_mismatch_means_two_masters_for_good(name: str) -> None:
    for story in both(name):
        for router, wait_ms in (("r1", 3609.375), ("r2", 3605.469)):
            begun, *others = story.became(router, "BACKUP")
            assert others == []
            (taken,) = story.became(router, "MASTER")
            assert (taken - begun) / MS_NS == pytest.approx(wait_ms, abs=6)


def test_advint_mismatch_v2_the_backups_timer_is_not_touched() -> None:
    """r1, with 2 s, hears r2's advertisements of 1 s, refuses them, and is master after its own whole wait."""
    for story in both("advint_mismatch_v2"):
        wait_ns = story.became("r1", "MASTER")[0] - story.became("r1", "BACKUP")[0]
        assert wait_ns / S_NS == pytest.approx(6.609, abs=0.006)
        assert len(story.from_router("r2", before_ns=6 * S_NS)) >= 3


def test_inject_backup_v2_what_fails_a_check_does_not_put_the_timer_off() -> None:
    """Without the packets that passed between them it would have been master 3.6 s after its start."""
    for story in both("inject_backup_v2"):
        good = [a.at_ns for a in story.adverts if a.router != "r1" and a.at_ns < 25 * S_NS]
        assert len(good) > 20
        assert story.became("r1", "MASTER")[0] > 25 * S_NS
