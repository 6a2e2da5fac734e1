"""What holds whatever happens: early wake-ups, deadlines, and who ends up master on a lossless LAN.

Who is master in the end, when everyone is quiet for three times the longest Master_Down_Interval:

* Priorities differ, all preempt: the running router with the highest, in every profile.
* Equal priorities: exactly one; the one that was master when the other came, since a BACKUP accepts an equal
  advertisement from any address. Only when both became master within one delay, before they could hear each
  other, is it the higher address.
* The newcomer does not preempt: the master that it finds stays, whatever its priority, in every profile. An
  owner (255) of the RFC profiles, or of keepalived with `state MASTER`, does not wait, and wins all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.lan import Lan
from protocol.routers import HIGHER, LOWER, MS_NS, S_NS, advert, make, settings, snapshot
from vrrp.protocol.profile import FRR, KEEPALIVED, PROFILES, RFC3768, RFC5798, RFC9568, Profile
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter

ALL = list(PROFILES.values())
CENTISECOND_NS = 10 * MS_NS
profiles = st.sampled_from(ALL)
each_profile = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)

# One virtual router

STEPS = st.lists(
    st.tuples(
        st.integers(0, 4 * S_NS),
        st.sampled_from(["start", "stop", "hear", "refuse", "priority", "fail", "recover", "lead", "follow", "wait"]),
        st.sampled_from([0, 1, 50, 100, 150, 254, 255]),
        st.sampled_from([LOWER, HIGHER]),
        st.sampled_from([0, 10, 100, 4095]),
    ),
    max_size=30,
)
CONFIGS = st.fixed_dictionaries(
    {
        "priority": st.sampled_from([1, 100, 254, 255]),
        "preempt": st.booleans(),
        "preempt_delay_ns": st.sampled_from([0, 3 * S_NS]),
        "state_master": st.booleans(),
    }
)
Step = tuple[int, str, int, str, int]


def take(router: VirtualRouter, now_ns: int, step: Step) -> object:
    """One step of a walk; what came of it."""
    _, what, priority, source, interval_cs = step
    if what == "hear":
        interval_cs = interval_cs if router.config.version == 3 else 100
        return router.receive(now_ns, source, advert(router, priority, interval_cs))
    if what == "priority":
        return router.set_priority(now_ns, min(max(priority, 1), 254), "test")
    if what == "wait":
        return router.expire(now_ns)
    if what in {"start", "refuse"}:
        return getattr(router, what)(now_ns)
    return getattr(router, what)(now_ns, "test")


@given(profile=profiles, config=CONFIGS, steps=STEPS, early=st.integers(1, 10 * S_NS))
def test_early_expire_changes_nothing(profile: Profile, config: dict[str, Any], steps: list[Step], early: int) -> None:
    router = make(profile, **config)
    now_ns = 0
    for step in steps:
        now_ns += step[0]
        take(router, now_ns, step)
        due_ns = router.deadline_ns
        before = snapshot(router)
        for moment_ns in (due_ns - 1, due_ns - early) if due_ns is not None else (now_ns, now_ns + early):
            assert router.expire(moment_ns) == ()
            assert snapshot(router) == before


@given(profile=profiles, config=CONFIGS, steps=STEPS)
def test_running_router_has_a_deadline_and_another_one_soon_has_none(
    profile: Profile, config: dict[str, Any], steps: list[Step]
) -> None:
    router = make(profile, **config)
    now_ns = 0
    for step in steps:
        now_ns += step[0]
        take(router, now_ns, step)
        if router.state in {State.BACKUP, State.MASTER}:
            assert router.deadline_ns is not None
        elif router.deadline_ns is not None:
            # Announcements of an earlier mastership, at most 5 s away; they come to nothing.
            assert router.deadline_ns <= now_ns + 5 * S_NS
            before = router.state
            while router.deadline_ns is not None:
                assert router.expire(router.deadline_ns) == ()
            assert router.state is before


@given(profile=profiles, config=CONFIGS, steps=STEPS)
def test_same_inputs_same_effects(profile: Profile, config: dict[str, Any], steps: list[Step]) -> None:
    lives = []
    for router in (make(profile, **config), make(profile, **config)):
        now_ns = 0
        life: list[object] = []
        for step in steps:
            now_ns += step[0]
            life += [take(router, now_ns, step), router.deadline_ns, router.state]
        lives.append(life)
    assert lives[0] == lives[1]


@given(profile=profiles, config=CONFIGS, steps=STEPS)
def test_expire_at_the_deadline_always_gets_on(profile: Profile, config: dict[str, Any], steps: list[Step]) -> None:
    """A driver that sleeps until the deadline and expires never spins."""
    router = make(profile, **config)
    now_ns = 0
    for step in steps:
        now_ns += step[0]
        take(router, now_ns, step)
        for _ in range(4):
            if router.deadline_ns is None or router.deadline_ns > now_ns:
                break
            router.expire(now_ns)
        assert router.deadline_ns is None or router.deadline_ns > now_ns


# A LAN of them


@dataclass(frozen=True)
class Setup:
    """Hosts of one profile and version, when each starts, and the delay between them."""

    profile: Profile
    configs: tuple[VirtualRouterConfig, ...]
    starts_ns: tuple[int, ...]
    delay_ns: int

    @property
    def quiet_ns(self) -> int:
        """Three times the longest Master_Down_Interval that these intervals allow (rfc-notes section 3)."""
        longest_ns = max(config.interval_cs for config in self.configs) * CENTISECOND_NS
        return 3 * (3 * longest_ns + max(longest_ns, S_NS))

    def lan(self) -> Lan:
        lan = Lan(self.profile, self.configs, self.delay_ns)
        for number, start_ns in enumerate(self.starts_ns):
            lan.at(start_ns, number, "start")
        return lan


@st.composite
def setups(draw: st.DrawFn, *, least: int = 2, most: int = 2, distinct: bool = True, preempt: bool = True) -> Setup:
    profile = draw(profiles)
    version = draw(st.sampled_from(profile.versions))
    number = draw(st.integers(least, most))
    priority = st.integers(1, 254) if not distinct else st.integers(1, 255)
    priorities = draw(st.lists(priority, min_size=number, max_size=number, unique=distinct))
    if version == 2:
        # Version 2 routers with other intervals do not hear each other (rfc-notes section 4).
        intervals = [100 * draw(st.integers(1, 3))] * number
    else:
        intervals = draw(st.lists(st.sampled_from([1, 10, 100, 150, 300]), min_size=number, max_size=number))
    configs = tuple(
        settings(
            profile,
            version=version,
            priority=priorities[n],
            interval_cs=intervals[n],
            interface="eth0",
            preempt=preempt or draw(st.booleans()),
            state_master=draw(st.booleans()),
        )
        for n in range(number)
    )
    starts_ns = draw(st.lists(st.integers(0, 5 * S_NS), min_size=number, max_size=number))
    return Setup(profile, configs, tuple(starts_ns), draw(st.integers(1, 2 * MS_NS)))


EVENTS = st.lists(
    st.tuples(st.integers(0, 15 * S_NS), st.integers(0, 4), st.sampled_from(["start", "stop", "crash"])), max_size=8
)
Event = tuple[int, int, str]


def settle(setup: Setup, events: list[Event]) -> Lan:
    """The LAN after all events and the quiet that follows."""
    lan = setup.lan()
    for at_ns, number, what in events:
        lan.at(at_ns, number % len(setup.configs), what)
    last_ns = max([*setup.starts_ns, *(event[0] for event in events)])
    lan.run(last_ns + setup.quiet_ns)
    return lan


def best(lan: Lan) -> list[int]:
    """The running host of the highest priority, alone in a list, as `masters` gives it."""
    return sorted(lan.alive(), key=lambda number: lan.configs[number].priority)[-1:]


def stays(lan: Lan, setup: Setup) -> bool:
    """Whether nothing moves in another such quiet."""
    since_ns = lan.now_ns + 1
    lan.run(lan.now_ns + setup.quiet_ns)
    return lan.transitions(since_ns) == []


@given(setup=setups(), events=EVENTS)
def test_of_two_the_higher_priority_is_master_in_the_end(setup: Setup, events: list[Event]) -> None:
    lan = settle(setup, events)
    assert lan.masters() == best(lan)
    assert stays(lan, setup)


@given(setup=setups(least=3, most=5), events=EVENTS)
def test_of_many_the_highest_priority_is_master_in_the_end(setup: Setup, events: list[Event]) -> None:
    lan = settle(setup, events)
    assert lan.masters() == best(lan)
    assert stays(lan, setup)


@given(setup=setups(least=2, most=4, distinct=False, preempt=False), events=EVENTS)
def test_exactly_one_is_master_in_the_end_and_stays(setup: Setup, events: list[Event]) -> None:
    lan = settle(setup, events)
    assert len(lan.masters()) == min(1, len(lan.alive()))
    assert stays(lan, setup)


@given(
    profile=profiles,
    priority=st.integers(1, 254),
    offset_ns=st.one_of(st.integers(-3 * MS_NS, 3 * MS_NS), st.integers(-5 * S_NS, 5 * S_NS)),
    delay_ns=st.integers(1, 2 * MS_NS),
    preempt=st.tuples(st.booleans(), st.booleans()),
)
def test_of_two_equals_the_earlier_master_stays_or_the_higher_address_wins(
    profile: Profile, priority: int, offset_ns: int, delay_ns: int, preempt: tuple[bool, bool]
) -> None:
    starts_ns = (max(-offset_ns, 0), max(offset_ns, 0))
    configs = tuple(settings(profile, priority=priority, interface="eth0", preempt=p) for p in preempt)
    setup = Setup(profile, configs, starts_ns, delay_ns)
    lan = settle(setup, [])
    earlier = 0 if offset_ns > 0 else 1
    # Within a delay neither could hear the other's first: 10.0.0.2 is above 10.0.0.1.
    winner = 1 if abs(offset_ns) < delay_ns else earlier
    assert lan.masters() == [winner]
    assert stays(lan, setup)


def test_within_one_delay_both_equals_are_master_for_a_moment() -> None:
    for profile in ALL:
        config = settings(profile, interface="eth0")
        lan = settle(Setup(profile, (config, config), (0, MS_NS), 2 * MS_NS), [])
        moved = [(number, state) for _, number, state in lan.transitions() if state is not State.INITIALIZE]
        assert moved[2:] == [(0, State.MASTER), (1, State.MASTER), (0, State.BACKUP)]


@each_profile
@pytest.mark.parametrize("newcomer", [1, 200, 254])
def test_newcomer_that_does_not_preempt_leaves_the_master_it_finds(profile: Profile, newcomer: int) -> None:
    configs = (
        settings(profile, interface="eth0", priority=100),
        settings(profile, interface="eth0", priority=newcomer, preempt=False),
    )
    setup = Setup(profile, configs, (0, 5 * S_NS), MS_NS)
    lan = settle(setup, [])
    assert lan.masters() == [0]
    lan.at(lan.now_ns, 0, "crash")
    lan.run(lan.now_ns + setup.quiet_ns)
    assert lan.masters() == [1]


@pytest.mark.parametrize(
    ("profile", "state_master", "wins"),
    [
        (RFC3768, False, True),
        (RFC5798, False, True),
        (RFC9568, False, True),
        (KEEPALIVED, True, True),
        (KEEPALIVED, False, False),
        (FRR, True, False),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_owner_that_does_not_preempt(profile: Profile, state_master: bool, wins: bool) -> None:
    configs = (
        settings(profile, interface="eth0", priority=100),
        settings(profile, interface="eth0", priority=255, preempt=False, state_master=state_master),
    )
    lan = settle(Setup(profile, configs, (0, 5 * S_NS), MS_NS), [])
    assert lan.masters() == [1 if wins else 0]


@given(setup=setups(least=2, most=4, distinct=False, preempt=False), events=EVENTS)
def test_same_lan_same_log(setup: Setup, events: list[Event]) -> None:
    assert settle(setup, events).log == settle(setup, events).log


@given(setup=setups(), events=EVENTS)
def test_stopped_master_is_followed_after_the_skew(setup: Setup, events: list[Event]) -> None:
    """Good-bye costs the skew of at most one interval, never the Master_Down_Interval."""
    lan = settle(setup, events)
    for number in range(2):
        lan.at(lan.now_ns, number, "start")
    lan.run(lan.now_ns + setup.quiet_ns)
    (leaving,) = lan.masters()
    stop_ns = lan.now_ns
    lan.at(stop_ns, leaving, "stop")
    lan.run(stop_ns + setup.quiet_ns)
    (at_ns, number, state), *_ = [t for t in lan.transitions(stop_ns) if t[1] != leaving]
    interval_ns = max(setup.configs[leaving].interval_cs * CENTISECOND_NS, S_NS)
    assert (number, state) == (1 - leaving, State.MASTER)
    assert at_ns <= stop_ns + setup.delay_ns + interval_ns
