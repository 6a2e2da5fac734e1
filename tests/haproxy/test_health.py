"""How servers are judged over time, as the real HAProxy judged them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from haproxy.program import DATA, recorded
from sim.haproxy.health import (
    Admin,
    BeginCheck,
    HealthEffects,
    ServerHealth,
    ShutdownBackupSessions,
    ShutdownSessions,
    State,
    StateChanged,
    WeightChanged,
)
from sim.haproxy.spread import spread_ns
from sim.haproxy.status import CheckResult, Status
from sim.haproxy.watch import LATENESS_NS
from vrrp.capture.reader import open_capture
from vrrp.config.haproxy import read_haproxy
from vrrp.config.haproxy.model import Server
from vrrp.protocol.timers import SECOND_NS

CHECK_NS = 200_000
MILLISECOND_NS = 1_000_000
OK = CheckResult(Status.L4OK)
REFUSED = CheckResult(Status.L4CON, None, "Connection refused")
TIMING = recorded("check_timing")


def servers_of(text: str) -> tuple[Server, ...]:
    return read_haproxy(f"backend b\n  mode http\n{text}").model.backends[0].servers


class Clock:
    """Runs the health of a backend's servers through time against ports that are open or not."""

    def __init__(self, servers: tuple[Server, ...], first_ns: int, agent_ns: int = 0) -> None:
        self.healths = [ServerHealth(server) for server in servers]
        self.closed: set[int] = set()
        self.checks_ns: list[int] = []
        self.now_ns = 0
        self.shown: list[tuple[int, int, tuple[str, ...]]] = []
        self.agent_line = "up"
        self._ends: list[tuple[int, int, bool]] = []
        for number, health in enumerate(self.healths):
            self.take(number, health.start(0, first_ns, agent_ns))

    def take(self, number: int, effects: HealthEffects) -> None:
        for effect in effects:
            if isinstance(effect, BeginCheck):
                self._ends.append((self.now_ns + CHECK_NS, number, effect.agent))
                if not effect.agent:
                    self.checks_ns.append(self.now_ns)
        for other, health in enumerate(self.healths):
            if health.server.track is not None and other != number:
                health.follow(self.now_ns, self.healths[number])
        for one, health in enumerate(self.healths):
            columns = shown(health)
            if columns != next((row for _, who, row in reversed(self.shown) if who == one), None):
                self.shown.append((self.now_ns, one, columns))

    def run(self, until_ns: int) -> None:
        while True:
            waits = [(health.deadline_ns, number) for number, health in enumerate(self.healths)]
            dues = [(due_ns, number) for due_ns, number in waits if due_ns is not None]
            due_ns = min([*(end[0] for end in self._ends), *(due for due, _ in dues), until_ns])
            if due_ns >= until_ns:
                self.now_ns = until_ns
                return
            self.now_ns = due_ns
            for end in [one for one in self._ends if one[0] <= due_ns]:
                self._ends.remove(end)
                self._end(*end)
            for _, number in [one for one in dues if one[0] <= due_ns]:
                self.take(number, self.healths[number].expire(due_ns))

    def _end(self, at_ns: int, number: int, agent: bool) -> None:
        health = self.healths[number]
        port = health.server.agent.port if agent and health.server.agent is not None else health.server.port
        result = REFUSED if port in self.closed else OK
        if agent:
            answer = None if port in self.closed else self.agent_line
            self.take(number, health.agent_answered(at_ns, result, answer))
        else:
            self.take(number, health.checked(at_ns, result))


def shown(health: ServerHealth) -> tuple[str, ...]:
    """Columns of `show stat` that need no clock."""
    counted = health.check is not None
    return (
        health.status_text,
        str(-(-health.weight_16ths // 16)),
        str(health.chkfail) if counted else "",
        str(health.chkdown) if counted else "",
        str(health.hanafail) if counted and health.server.observe else "",
        "" if health.throttle is None else str(health.throttle),
    )


@pytest.mark.parametrize("name", TIMING)
def test_every_check_comes_when_the_recorded_one_did(name: str) -> None:
    scene = TIMING[name]
    servers = servers_of(f"  server s 127.0.0.1:7001 {scene['opts']}\n")
    clock = Clock(servers, round(scene["first_check"] * SECOND_NS))
    never = name.startswith("never")
    clock.closed = {7001} if never else set()
    check = clock.healths[0].check
    assert check is not None
    closed_ns, reopened_ns = (round(scene[key] * SECOND_NS) for key in ("listener_closed", "reopened"))
    for change_ns, is_open, key in (
        (closed_ns, False, "checks_after_close"),
        (reopened_ns, not never, "checks_after_reopen"),
    ):
        clock.run(change_ns)
        clock.closed = set() if is_open else {7001}
        end_ns = change_ns + round(scene[key][-1] * SECOND_NS) + 50 * MILLISECOND_NS
        phase_ns = change_ns + round(scene[key][0] * SECOND_NS) - check.due_ns
        # Over half a minute the real checks have drifted by a few milliseconds, more or less; the phase is given.
        assert abs(phase_ns) < 15 * MILLISECOND_NS
        check.due_ns += phase_ns
        before = len(clock.checks_ns)
        clock.run(end_ns)
        found = [(at_ns - change_ns) / SECOND_NS for at_ns in clock.checks_ns[before:]]
        assert found == pytest.approx(scene[key], abs=0.005)


def test_no_check_of_the_capture_is_late_or_early_after_the_one_before() -> None:
    syns: dict[int, list[int]] = {}
    with open_capture(DATA / "check_timing.pcap") as capture:
        for packet in capture:
            tcp = packet.data[14 + 20 :]
            if tcp[13] & 0x12 == 2:
                syns.setdefault(int.from_bytes(tcp[2:4], "big"), []).append(packet.time_ns)
    gaps = [b - a for row in syns.values() for a, b in pairwise(row)]
    assert len(gaps) > 200
    for gap_ns in gaps:
        over_ns = gap_ns % (500 * MILLISECOND_NS) - LATENESS_NS - CHECK_NS
        assert abs(over_ns) < 5 * MILLISECOND_NS


def test_the_first_checks_are_spread_as_recorded() -> None:
    pauses_ns = [2000, 2000, 500, 1000, 1000, 1000, 1000]
    spread = [at_ns / SECOND_NS for at_ns in spread_ns([pause * MILLISECOND_NS for pause in pauses_ns])]
    start = TIMING["default"]["first_check"]
    assert spread == pytest.approx([scene["first_check"] - start for scene in TIMING.values()], abs=0.01)


HEALTH = recorded("health")
TRANSIENT_S = 0.006
"""What HAProxy shows for a moment in the midst of an answer."""
_SHOWN = ("status", "weight", "chkfail", "chkdown", "hanafail", "throttle")


def first_ns(scene: Any, columns: tuple[str, ...], pause_ns: int) -> int:  # Any: JSON
    """When the first of a row of checks was, by the first that shows in the recording and that no input explains."""
    before: dict[str, str] = {}
    for at_s, name, row in scene["shown"]:
        if name != "s":
            continue
        caused = any(0 <= at_s - one[0] < 0.02 for one in scene["done"])
        if before and at_s > 0.5 and not caused and any(before[column] != row[column] for column in columns):
            at_ns = round(float(at_s) * SECOND_NS)
            return at_ns % (pause_ns + LATENESS_NS + CHECK_NS)
        before = row
    return 0


@pytest.mark.parametrize("name", HEALTH)
def test_health_goes_as_recorded(name: str) -> None:
    scene = HEALTH[name]
    servers = servers_of(scene["servers"])
    check, agent = servers[0].check, servers[0].agent
    assert check is not None
    clock = Clock(
        servers,
        first_ns(scene, ("check_health", "check_code", "last_chk"), check.inter_ns),
        first_ns(scene, ("agent_status", "last_agt"), agent.inter_ns) if agent is not None else 0,
    )
    answers_well = True
    for at_s, what, *arguments in scene["done"]:
        clock.run(round(at_s * SECOND_NS))
        health = clock.healths[0]
        if what == "close":
            clock.closed.add(*arguments)
        elif what == "open":
            clock.closed.discard(*arguments)
        elif what == "agent":
            clock.agent_line = arguments[0]
        elif what == "answer":
            answers_well = not arguments[0].startswith("5")
        elif what == "ask":
            for _ in range(arguments[0]):
                clock.take(0, health.observed(clock.now_ns, layer=4, ok=True))
                clock.take(0, health.observed(clock.now_ns, layer=7, ok=answers_well))
        else:
            number = "st".index(arguments[0].split()[2][-1])
            clock.take(number, clock.healths[number].administer(clock.now_ns, Admin(arguments[0].split()[-1])))
    clock.run(round(scene["seconds"] * SECOND_NS))
    for number, server in enumerate(servers):
        expected: list[tuple[float, tuple[str, ...]]] = []
        for at_s, who, row in scene["shown"]:
            columns = tuple(row[column] for column in _SHOWN)
            if who == server.name and (not expected or expected[-1][1] != columns):
                if expected and at_s - expected[-1][0] < TRANSIENT_S:
                    del expected[-1]
                expected.append((at_s, columns))
        # What was before the first look at it does not show.
        ours = [(at_ns / SECOND_NS, row) for at_ns, who, row in clock.shown if who == number]
        ours = ours[len(ours) - len(expected) :]
        assert [row for _, row in ours] == [row for _, row in expected]
        assert [at_s for at_s, _ in ours[1:]] == pytest.approx([at_s for at_s, _ in expected[1:]], abs=0.04)


def health_of(options: str, **more: bool) -> ServerHealth:
    return ServerHealth(servers_of(f"  server s 127.0.0.1:1 {options}\n")[0], **more)


def checked(health: ServerHealth, result: CheckResult, now_ns: int = 0) -> HealthEffects:
    """The next check, whenever it is due, ends so."""
    due_ns = max(now_ns, health.deadline_ns or 0)
    health.expire(due_ns)
    return health.checked(due_ns, result)


def test_a_disabled_server_rests_until_it_is_ready() -> None:
    health = health_of("check inter 1s disabled")
    assert (health.state, health.usable, health.status_text) == (State.MAINT, False, "MAINT")
    health.start(0)
    assert health.expire(health.deadline_ns or 0) == ()
    effects = health.administer(5 * SECOND_NS, Admin.READY)
    assert effects == (StateChanged(State.MAINT, State.UP, "by operator"),)
    assert (health.status_text, health.usable) == ("UP 1/3", True)
    assert health.administer(6 * SECOND_NS, Admin.READY) == ()


def test_a_conditional_pass_takes_a_server_from_new_clients_only() -> None:
    health = health_of("check")
    health.start(0)
    effects = checked(health, CheckResult(Status.L7OKC, 404, "Not Found"))
    assert effects == (
        StateChanged(
            State.UP,
            State.NOLB,
            'Layer7 check conditionally passed, code: 404, info: "Not Found", check duration: 0ms',
        ),
    )
    assert (health.state, health.usable) == (State.NOLB, False)
    assert checked(health, OK)[0] == StateChanged(State.NOLB, State.UP, "Layer4 check passed, check duration: 0ms")


def test_sessions_are_cut_when_marked_down_and_backups_when_marked_up() -> None:
    health = health_of("check on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions")
    health.start(0)
    down = checked(health, REFUSED)
    assert down[1:] == (ShutdownSessions(),)
    assert checked(health, OK) == ()
    assert checked(health, OK)[1:] == (ShutdownBackupSessions(),)
    assert health.downtime_ns(health.lastchg_ns) > 0


def test_downtime_goes_on_while_it_is_down() -> None:
    health = health_of("check")
    health.start(0)
    checked(health, REFUSED)
    assert health.downtime_ns(health.lastchg_ns + 7) == 7


def test_what_has_no_check_hears_no_results() -> None:
    health = health_of("")
    health.start(0)
    assert health.deadline_ns is None
    assert health.checked(1, REFUSED) == health.agent_answered(1, REFUSED, None) == ()
    assert health.observed(1, layer=4, ok=False) == ()
    assert health.status_text == "no check"
    health.administer(2, Admin.DRAIN)
    assert health.status_text == "DRAIN"


def test_weights_of_operators_and_agents() -> None:
    health = health_of("weight 10 agent-check agent-port 2")
    assert health.set_weight(10) == ()
    assert health.set_weight(0) == (WeightChanged(),)
    assert (health.usable, health.weight_16ths) == (False, 0)
    health.start(0)
    health.agent_answered(1, OK, "maxconn:30")
    assert health.maxconn == 30


def test_observe_layer4_hears_connections_only() -> None:
    health = health_of("check observe layer4 error-limit 2 on-error mark-down")
    health.start(0)
    checked(health, OK)
    assert health.observed(1, layer=7, ok=False) == ()
    assert health.observed(1, layer=4, ok=False) == ()
    assert health.observed(2, layer=4, ok=True) == ()
    assert health.observed(3, layer=4, ok=False) == ()
    effects = health.observed(4, layer=4, ok=False)
    text = "Detected 2 consecutive errors, last one was: L4 unsuccessful connection"
    assert effects == (StateChanged(State.UP, State.DOWN, f'Health analyze, info: "{text}"'),)


def test_without_dynamic_weights_nothing_starts_slowly() -> None:
    health = health_of("check slowstart 5s", follows_weights=False)
    health.start(0)
    checked(health, REFUSED)
    checked(health, OK)
    checked(health, OK)
    assert (health.weight_16ths, health.throttle) == (16, None)


def test_draining_a_server_that_is_down_changes_nothing_to_see() -> None:
    health = health_of("check")
    health.start(0)
    checked(health, REFUSED)
    assert health.administer(health.lastchg_ns + 1, Admin.DRAIN) == ()
    assert health.state is State.DOWN


def test_who_tracks_a_slow_starter_starts_as_its_own_line_says() -> None:
    text = "  server s 127.0.0.1:1 check slowstart 9s\n  server t 127.0.0.1:1 weight 4 track b/s\n"
    tracked, tracking = (ServerHealth(server) for server in servers_of(text))
    tracked.start(0)
    checked(tracked, REFUSED)
    assert tracking.follow(1, tracked) == (StateChanged(State.UP, State.DOWN, "via b/s"),)
    for _ in range(2):
        checked(tracked, OK)
    assert tracked.throttle == 6
    assert tracking.follow(2, tracked) == (StateChanged(State.DOWN, State.UP, "via b/s"),)
    assert (tracking.throttle, tracking.weight_16ths) == (None, 64)
    assert tracking.follow(3, tracked) == ()
