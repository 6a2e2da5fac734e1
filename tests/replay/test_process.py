"""The replayed router's process: its lives, what a frozen one misses, scripts and links, and an end to all of it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from vrrp.capture.replay.happening import Happening
from vrrp.capture.replay.process import SOCKET_QUEUE, EndlessError, ReplayedProcess
from vrrp.protocol.effects import SendAdvertisement, StateChanged
from vrrp.protocol.profile import FRR, KEEPALIVED
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig, ScriptConfig, TrackedScript, VirtualRouterConfig
from vrrp.protocol.timers import SECOND_NS
from vrrp.protocol.tracking import OVERDUE_NS, RUN_DRIFT_NS, SCRIPT_RUN_NS
from vrrp.protocol.validation import Discard
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.frame import Datagram

S = SECOND_NS
DOWN_NS = 3 * S + 156 * S // 256
LATE_NS = 7_000_000
LINK_NS = KEEPALIVED.link_detection_ns


def advertisement(priority: int, vrid: int = 51) -> Datagram:
    made = Advertisement(version=2, vrid=vrid, priority=priority, interval_cs=100, addresses=["10.0.0.100"])
    payload = encode(made, source="10.0.0.2", destination="224.0.0.18")
    return Datagram(pack("10.0.0.2"), pack("224.0.0.18"), 255, payload)


HIGHER, LOWER, GOODBYE = advertisement(200), advertisement(50), advertisement(0)


class Lab:
    """A process, and the states and advertisements that it was seen to give, by time."""

    def __init__(self, *scripts: TrackedScript, wakes_left: int = 100_000) -> None:
        one = VirtualRouterConfig(
            vrid=51, addresses=["10.0.0.100"], version=2, interface="eth0", name="VI_1", track_scripts=scripts
        )
        configs = tuple(ScriptConfig(name=script.name, timeout_ns=S // 2) for script in scripts)
        self.config = RouterConfig(virtual_routers=(one,), scripts=configs)
        self.states: list[tuple[int, str]] = []
        self.sent: list[tuple[int, int]] = []
        self.process = ReplayedProcess(self.make, self, latency_ns=LATE_NS, wakes_left=wakes_left)

    def make(self) -> Router:
        return Router(self.config, profile=KEEPALIVED, interfaces={"eth0": ["10.0.0.1"]})

    def acted(self, at_ns: int, effects: KeyedEffects) -> None:
        self.states += [(at_ns, effect.new.value) for _, effect in effects if type(effect) is StateChanged]
        for _, effect in effects:
            if type(effect) is SendAdvertisement:
                self.sent.append((at_ns, effect.advertisement.priority))

    def ended(self, at_ns: int, router: Router, reason: str) -> None:
        self.states.append((at_ns, f"{router.virtual_routers[0].state.value}: {reason}"))

    def happen(self, at_ns: int, action: str, subject: str | None = None) -> None:
        self.process.advance(at_ns)
        self.process.happen(Happening(at_ns, action, subject))

    def hear(self, at_ns: int, datagrams: Iterable[Datagram]) -> None:
        self.process.advance(at_ns)
        for datagram in datagrams:
            self.process.hear("eth0", datagram)

    def master(self) -> None:
        self.happen(0, "start")
        self.process.advance(DOWN_NS + LATE_NS)
        assert self.states[-1] == (DOWN_NS + LATE_NS, "MASTER")


def test_it_is_late_after_each_timer_and_not_before_a_packet() -> None:
    lab = Lab()
    lab.happen(0, "start")
    lab.hear(DOWN_NS + LATE_NS - 1, [HIGHER])
    assert lab.states == [(0, "BACKUP")]
    lab.process.advance(9 * S)
    first_ns = 2 * DOWN_NS + 2 * LATE_NS - 1
    assert lab.sent == [(first_ns, 100), (first_ns + S + LATE_NS, 100)]


def test_lives() -> None:
    lab = Lab()
    lab.happen(-5, "stop")
    lab.hear(-4, [HIGHER, HIGHER])
    lab.master()
    lab.happen(4 * S, "start")
    lab.happen(5 * S, "stop")
    lab.happen(6 * S, "start")
    lab.hear(7 * S, [advertisement(200, vrid=9)])
    lab.happen(8 * S, "crash")
    lab.happen(9 * S, "crash")
    lab.process.advance(99 * S)
    assert lab.process.missed == 2
    assert lab.states == [
        (0, "BACKUP"),
        (DOWN_NS + LATE_NS, "MASTER"),
        (5 * S, "INITIALIZE"),
        (6 * S, "BACKUP"),
        (8 * S, "BACKUP: killed (SIGKILL)"),
    ]
    assert lab.sent[-1] == (5 * S, 0)
    assert lab.process.discarded == {("", Discard.UNKNOWN_VRID): 1}
    assert lab.process.running is None


def test_time_goes_one_way() -> None:
    lab = Lab()
    lab.happen(10, "start")
    lab.hear(5, [HIGHER])
    assert lab.process.now_ns == 10


# Frozen -----------------------------------------------------------------------------------------------------


def test_a_frozen_process_reads_its_sockets_first() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.hear(5 * S, [HIGHER])
    lab.process.advance(20 * S)
    lab.happen(20 * S, "resume")
    assert lab.states[-1] == (20 * S, "BACKUP")
    assert [at_ns for at_ns, _ in lab.sent] == [DOWN_NS + LATE_NS]
    lab.happen(21 * S, "resume")
    assert lab.states[-1] == (20 * S, "BACKUP")


def test_a_frozen_process_that_heard_nothing_goes_on_as_master() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.happen(20 * S, "resume")
    assert [at_ns for at_ns, _ in lab.sent] == [DOWN_NS + LATE_NS, 20 * S]


def test_its_socket_keeps_the_first_datagrams() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.hear(5 * S, [LOWER] * SOCKET_QUEUE + [HIGHER])
    lab.happen(6 * S, "resume")
    assert lab.states[-1][1] == "MASTER"


def test_a_frozen_process_ends_when_it_wakes() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.happen(5 * S, "stop")
    assert lab.states[-1][1] == "MASTER"
    lab.happen(6 * S, "resume")
    assert lab.states[-1] == (6 * S, "INITIALIZE")
    lab.happen(7 * S, "start")
    lab.process.advance(7 * S + DOWN_NS + LATE_NS)
    assert lab.states[-1][1] == "MASTER"


def test_a_frozen_process_that_is_killed_starts_afresh() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.hear(5 * S, [HIGHER])
    lab.happen(6 * S, "link-down", "eth0")
    lab.happen(6 * S + S // 2, "link-up", "eth0")
    lab.happen(7 * S, "crash")
    lab.happen(8 * S, "start")
    lab.process.advance(8 * S + DOWN_NS + LATE_NS)
    assert lab.states[-2:] == [(8 * S, "BACKUP"), (8 * S + DOWN_NS + LATE_NS, "MASTER")]


# Links ------------------------------------------------------------------------------------------------------


def test_a_link_is_noticed_as_late_as_the_profile_says() -> None:
    lab = Lab()
    lab.master()
    lab.happen(5 * S, "link-down", "eth0")
    lab.happen(6 * S, "link-up", "eth0")
    lab.process.advance(7 * S)
    assert lab.states[-2:] == [(5 * S + LINK_NS, "FAULT"), (6 * S + LINK_NS, "BACKUP")]
    assert FRR.link_detection_ns != LINK_NS


def test_a_frozen_process_is_told_of_each_change_later() -> None:
    lab = Lab()
    lab.master()
    lab.happen(4 * S, "pause")
    lab.happen(5 * S, "link-down", "eth0")
    lab.happen(6 * S, "link-up", "eth0")
    lab.happen(7 * S, "resume")
    assert lab.states[-2:] == [(7 * S, "FAULT"), (7 * S, "BACKUP")]


def test_it_starts_with_its_links_as_they_are() -> None:
    lab = Lab()
    lab.happen(0, "link-down", "eth0")
    lab.happen(S, "start")
    assert lab.states == [(S, "FAULT")]


def test_news_of_a_link_for_a_process_that_is_gone() -> None:
    lab = Lab()
    lab.master()
    lab.happen(5 * S, "link-down", "eth0")
    lab.happen(5 * S + 1, "crash")
    lab.happen(5 * S + 2, "link-up", "eth0")
    lab.happen(5 * S + 3, "start")
    lab.process.advance(6 * S)
    assert lab.states[-1] == (5 * S + 3, "BACKUP")


# Check scripts ----------------------------------------------------------------------------------------------


def test_scripts_take_their_time() -> None:
    lab = Lab(TrackedScript("chk"))
    lab.happen(0, "start")
    lab.happen(S // 2, "script-fail")
    lab.happen(2 * S - 1, "script-pass", "chk")
    lab.process.advance(3 * S)
    run_ns = S + LATE_NS
    assert lab.states == [
        (0, "FAULT"),
        (SCRIPT_RUN_NS, "BACKUP"),
        (run_ns + SCRIPT_RUN_NS, "FAULT"),
        (run_ns + S + RUN_DRIFT_NS + SCRIPT_RUN_NS, "BACKUP"),
    ]


def test_one_word_for_all_scripts_replaces_those_for_one() -> None:
    lab = Lab(TrackedScript("chk"), TrackedScript("other"))
    lab.happen(-2, "script-fail", "chk")
    lab.happen(-1, "script-pass")
    lab.happen(0, "start")
    lab.process.advance(S // 2)
    assert lab.states == [(0, "FAULT"), (SCRIPT_RUN_NS, "BACKUP")]


def test_a_script_that_hangs_fails_at_its_timeout() -> None:
    lab = Lab(TrackedScript("chk"))
    lab.happen(0, "start")
    lab.happen(S // 2, "script-hang")
    lab.process.advance(2 * S)
    assert lab.states[-1] == (S + LATE_NS + S // 2 + OVERDUE_NS + LATE_NS, "FAULT")


def test_the_result_of_a_killed_run_does_not_count() -> None:
    lab = Lab(TrackedScript("chk"))
    lab.happen(0, "start")
    lab.happen(S - 1, "pause")
    lab.happen(S + LATE_NS, "resume")  # the run begins here, and is to end 4 ms later
    lab.happen(S + LATE_NS + 1, "pause")
    lab.happen(2 * S - 1, "resume")  # its timeout is over, and a new run due only later
    assert lab.states[-1] == (2 * S - 1, "FAULT")
    lab.process.advance(2 * S - 1 + SCRIPT_RUN_NS)
    assert lab.states[-1] == (2 * S - 1, "FAULT")


def test_the_result_of_a_run_waits_for_a_frozen_process() -> None:
    lab = Lab(TrackedScript("chk"))
    lab.happen(0, "start")
    lab.happen(1, "pause")
    lab.happen(SCRIPT_RUN_NS + 1, "resume")
    lab.process.advance(S // 2)
    assert lab.states == [(0, "FAULT"), (2 * SCRIPT_RUN_NS, "BACKUP")]


def test_the_result_of_a_run_ends_with_its_process() -> None:
    lab = Lab(TrackedScript("chk"))
    lab.happen(0, "start")
    lab.happen(1, "crash")
    lab.happen(2, "script-fail")
    lab.happen(3, "start")
    lab.process.advance(S // 2)
    assert [state for _, state in lab.states] == ["FAULT", "FAULT: killed (SIGKILL)", "FAULT"]


# An end to it -----------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_is_not_followed_for_ever() -> None:
    lab = Lab(wakes_left=10)
    lab.happen(0, "start")
    with pytest.raises(EndlessError) as error:
        lab.process.advance(10**9 * S)
    assert 10 * S < error.value.at_ns < 14 * S
