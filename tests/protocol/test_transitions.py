"""Every state and every input, walked through the table; and every walk found in the table."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.routers import HIGHER, LOWER, S_NS, advert, backup, kinds, make, master, snapshot
from vrrp.protocol.effects import Effect, Effects
from vrrp.protocol.profile import FRR, KEEPALIVED, PROFILES, RFC3768, RFC5798, RFC9568, Profile
from vrrp.protocol.settings import Announcements
from vrrp.protocol.state import State
from vrrp.protocol.transitions import TRANSITIONS, Input, Transition
from vrrp.protocol.virtual_router import VirtualRouter

INITIALIZE, BACKUP, MASTER, FAULT = State
ALL = tuple(PROFILES.values())
RFC = (RFC3768, RFC5798, RFC9568)
WITHOUT_FAULT = (*RFC, FRR)
NOW_NS = 100 * S_NS
ADVERT_NS = NOW_NS + S_NS // 4
"""When the input of a situation comes, unless it is a timer's."""

# Priority 100 and one second, by rfc-notes section 3 (exact) and frr.md "Timing" (whole centiseconds).
SKEW_NS = dict.fromkeys(PROFILES, 609_375_000) | {"frr": 600_000_000}
DOWN_NS = dict.fromkeys(PROFILES, 3_609_375_000) | {"frr": 3_600_000_000}


class GroupThatWaits:
    """A sync group whose other members do not want to be master yet."""

    def ready(self, asking: VirtualRouter) -> bool:
        return False


def wait_for_group(router: VirtualRouter) -> None:
    router.group = GroupThatWaits()


@dataclass(frozen=True)
class Situation:
    """How to make a condition true: for which profiles, with which settings, and what the input then brings.

    `timer` is where `deadline_ns` stands afterwards, relative to the input; None: it does not move.
    """

    profiles: tuple[Profile, ...] = ALL
    config: dict[str, Any] = field(default_factory=dict)
    arguments: Callable[[VirtualRouter], tuple[Any, ...]] = lambda router: ()
    prepare: Callable[[VirtualRouter], object] = lambda router: None
    at_ns: Callable[[VirtualRouter], int] = lambda router: ADVERT_NS
    timer: Callable[[Profile], int | None] = lambda profile: None
    gone: bool = False
    """Whether no deadline is left."""


def heard(priority: int, source: str = HIGHER, **changes: Any) -> Callable[[VirtualRouter], tuple[Any, ...]]:
    return lambda router: (source, advert(router, priority, **changes))


def second(profile: Profile) -> int:
    return S_NS


def down(profile: Profile) -> int:
    return DOWN_NS[profile.name]


def deadline(router: VirtualRouter) -> int:
    assert router.deadline_ns is not None
    return router.deadline_ns


def early(router: VirtualRouter) -> int:
    return deadline(router) - 1


def restarts_on_any(profile: Profile) -> int | None:
    return S_NS if profile is KEEPALIVED else None


def second_announcement(router: VirtualRouter) -> int:
    """Tick on, to the moment of the second announcement; the interval of 1.2 s keeps the two apart."""
    while deadline(router) < NOW_NS + 5 * S_NS:
        router.expire(deadline(router))
    return deadline(router)


def reason(router: VirtualRouter) -> tuple[Any, ...]:
    return ("test",)


def after(state: State, *addresses: str) -> Callable[[VirtualRouter], tuple[Any, ...]]:
    """The predecessor came into this state long ago, with these addresses."""
    return lambda router: (reach(state, router.profile, addresses=addresses or ("10.0.0.100",)),)


OWNER = {"priority": 255, "state_master": True}
SITUATIONS: dict[tuple[State, Input, str], Situation] = {
    (INITIALIZE, Input.START, "owner that starts as master"): Situation((*RFC, KEEPALIVED), OWNER, timer=second),
    (INITIALIZE, Input.START, "otherwise"): Situation(timer=down),
    (INITIALIZE, Input.START, "held, profile with FAULT"): Situation(
        (KEEPALIVED,), arguments=lambda router: (0, "chk has no result yet"), gone=True
    ),
    (INITIALIZE, Input.PRIORITY, "not owner, other value"): Situation(arguments=lambda router: (90,), gone=True),
    (INITIALIZE, Input.FAIL, "profile with FAULT"): Situation((KEEPALIVED,), arguments=reason, gone=True),
    (INITIALIZE, Input.RECOVER, "owner that starts as master"): Situation(
        (*RFC, KEEPALIVED), OWNER, reason, timer=second
    ),
    (INITIALIZE, Input.RECOVER, "otherwise"): Situation(arguments=reason, timer=down),
    (INITIALIZE, Input.CARRY_ON, "after a backup"): Situation(arguments=after(BACKUP), timer=down),
    (INITIALIZE, Input.CARRY_ON, "after one in FAULT"): Situation((KEEPALIVED,), arguments=after(FAULT), gone=True),
    (INITIALIZE, Input.CARRY_ON, "after a master"): Situation(arguments=after(MASTER), timer=second),
    (INITIALIZE, Input.CARRY_ON, "after a master of more addresses"): Situation(
        arguments=after(MASTER, "10.0.0.99", "10.0.0.100"), timer=second
    ),
    (INITIALIZE, Input.CARRY_ON, "after a master of fewer addresses"): Situation(
        config={"addresses": ["10.0.0.100", "10.0.0.101"]}, arguments=after(MASTER), timer=second
    ),
    (INITIALIZE, Input.CARRY_ON, "after a master of others"): Situation(
        arguments=after(MASTER, "10.0.0.99"), timer=second
    ),
    (BACKUP, Input.STOP, ""): Situation(gone=True),
    (BACKUP, Input.TIMER, "early"): Situation(at_ns=early),
    (BACKUP, Input.TIMER, "due"): Situation(at_ns=deadline, timer=second),
    (BACKUP, Input.TIMER, "due, sync group not ready"): Situation(prepare=wait_for_group, at_ns=deadline, timer=down),
    (BACKUP, Input.RECEIVE, "priority 0: timer is the skew"): Situation(
        arguments=heard(0), timer=lambda profile: SKEW_NS[profile.name]
    ),
    (BACKUP, Input.RECEIVE, "equal or higher: timer is Master_Down_Interval"): Situation(
        arguments=heard(100, LOWER), timer=down
    ),
    (BACKUP, Input.RECEIVE, "lower, preempting: timer runs on"): Situation(arguments=heard(99)),
    (BACKUP, Input.RECEIVE, "lower, not preempting: timer is Master_Down_Interval"): Situation(
        config={"preempt": False}, arguments=heard(99), timer=down
    ),
    (BACKUP, Input.REFUSE, "timer runs on"): Situation(),
    (BACKUP, Input.PRIORITY, "not owner, other value"): Situation(WITHOUT_FAULT, arguments=lambda router: (90,)),
    (BACKUP, Input.FAIL, "profile with FAULT"): Situation((KEEPALIVED,), arguments=reason, gone=True),
    (BACKUP, Input.FAIL, "profile without FAULT"): Situation(WITHOUT_FAULT, arguments=reason, gone=True),
    (BACKUP, Input.LEAD, ""): Situation(arguments=reason, timer=second),
    (MASTER, Input.STOP, ""): Situation(WITHOUT_FAULT, gone=True),
    (MASTER, Input.TIMER, "early"): Situation(at_ns=early),
    (MASTER, Input.TIMER, "due"): Situation(at_ns=deadline, timer=second),
    (MASTER, Input.TIMER, "second announcement due"): Situation(
        (KEEPALIVED,), {"version": 3, "interval_cs": 120}, at_ns=second_announcement, timer=lambda profile: S_NS
    ),
    (MASTER, Input.RECEIVE, "priority 0"): Situation(arguments=heard(0), timer=second),
    (MASTER, Input.RECEIVE, "higher"): Situation(arguments=heard(101, LOWER), timer=down),
    (MASTER, Input.RECEIVE, "higher, told to advertise once more"): Situation(
        config={"higher_prio_send_advert": True}, arguments=heard(101, LOWER), timer=down
    ),
    (MASTER, Input.RECEIVE, "equal, higher address"): Situation(arguments=heard(100, HIGHER), timer=down),
    (MASTER, Input.RECEIVE, "equal, lower address, reply nothing"): Situation(
        (RFC3768, RFC5798, FRR), arguments=heard(100, LOWER)
    ),
    (MASTER, Input.RECEIVE, "lower, reply nothing"): Situation((RFC3768, RFC5798, FRR), arguments=heard(99)),
    (MASTER, Input.RECEIVE, "lower, reply advertise"): Situation((RFC9568,), arguments=heard(99)),
    (MASTER, Input.RECEIVE, "lower, reply announce too"): Situation((KEEPALIVED,), arguments=heard(99), timer=second),
    (MASTER, Input.RECEIVE, "lower, lower_prio_no_advert"): Situation(
        (KEEPALIVED,), {"lower_prio_no_advert": True}, heard(99)
    ),
    (MASTER, Input.RECEIVE, "two owners, second yields"): Situation(
        (KEEPALIVED,), OWNER, heard(255, LOWER), timer=lambda profile: 3_007_812_500
    ),
    (MASTER, Input.REFUSE, "timer restarts where the profile says so"): Situation(timer=restarts_on_any),
    (MASTER, Input.PRIORITY, "not owner, other value"): Situation(arguments=lambda router: (90,)),
    (MASTER, Input.FAIL, "profile with FAULT"): Situation((KEEPALIVED,), arguments=reason),
    (MASTER, Input.FAIL, "taken along by the sync group"): Situation(
        (KEEPALIVED,), arguments=lambda router: ("test", True)
    ),
    (MASTER, Input.FAIL, "profile without FAULT"): Situation(WITHOUT_FAULT, arguments=reason, gone=True),
    (MASTER, Input.FOLLOW, ""): Situation(arguments=reason, timer=down),
    (MASTER, Input.ADVERTISE, ""): Situation(timer=second),
    (FAULT, Input.STOP, ""): Situation((KEEPALIVED,), gone=True),
    (FAULT, Input.PRIORITY, "not owner, other value"): Situation(
        (KEEPALIVED,), arguments=lambda router: (90,), gone=True
    ),
    (FAULT, Input.RECOVER, ""): Situation((KEEPALIVED,), arguments=reason, timer=down),
    (FAULT, Input.RECOVER, "has unicast peers"): Situation(
        (KEEPALIVED,), {"unicast_peers": ["10.0.0.2"]}, reason, timer=down
    ),
    (FAULT, Input.RECOVER, "owner that had only its scripts' first results to wait for"): Situation(
        (KEEPALIVED,), OWNER, lambda router: ("test", True), timer=second
    ),
}


def reach(state: State, profile: Profile, **config: Any) -> VirtualRouter:
    """A router that came into this state at NOW_NS, and did nothing since."""
    if state is MASTER:
        return master(profile, NOW_NS, **config)
    if state is BACKUP:
        return backup(profile, NOW_NS, **config)
    router = make(profile, **config)
    if state is FAULT:
        router.start(NOW_NS)
        router.fail(NOW_NS, "test")
    assert router.state is state
    return router


def tell(router: VirtualRouter, given: Input, now_ns: int, *arguments: Any) -> Effects:
    effects: Effects = getattr(router, given.value)(now_ns, *arguments)
    return effects


def key(row: Transition) -> tuple[State, Input, str]:
    return row.state, row.input, row.condition


def test_every_row_has_its_own_situation() -> None:
    assert [key(row) for row in TRANSITIONS] == list(SITUATIONS)


ROWS = [
    pytest.param(row, profile, id=f"{row.state.value}-{row.input.value}-{row.condition or 'always'}-{profile.name}")
    for row in TRANSITIONS
    for profile in SITUATIONS[key(row)].profiles
]


@pytest.mark.parametrize(("row", "profile"), ROWS)
def test_row_is_what_happens(row: Transition, profile: Profile) -> None:
    situation = SITUATIONS[key(row)]
    router = reach(row.state, profile, **situation.config)
    situation.prepare(router)
    now_ns = situation.at_ns(router)
    before_ns = router.deadline_ns
    effects = tell(router, row.input, now_ns, *situation.arguments(router))
    assert kinds(effects) == row.effects
    assert router.state is row.to
    timer_ns = situation.timer(profile)
    if situation.gone:
        assert router.deadline_ns is None
    elif timer_ns is not None:
        assert router.deadline_ns == now_ns + timer_ns
    elif row.to is row.state:
        assert router.deadline_ns == before_ns


WHATEVER: dict[Input, list[Callable[[VirtualRouter], tuple[Any, ...]]]] = {
    Input.START: [lambda router: ()],
    Input.STOP: [lambda router: ()],
    Input.TIMER: [lambda router: ()],
    Input.RECEIVE: [heard(0), heard(99), heard(100, LOWER), heard(100, HIGHER), heard(255)],
    Input.REFUSE: [lambda router: ()],
    Input.PRIORITY: [lambda router: (router.priority,)],
    Input.FAIL: [reason],
    Input.RECOVER: [reason],
    Input.LEAD: [reason],
    Input.FOLLOW: [reason],
    Input.ADVERTISE: [lambda router: ()],
    Input.CARRY_ON: [after(MASTER), after(BACKUP)],
}
NOTHING = [
    pytest.param(state, given, profile, number, id=f"{state.value}-{given.value}-{number}-{profile.name}")
    for state, given, profile in itertools.product(State, Input, ALL)
    if (state is not FAULT or profile is KEEPALIVED)
    and not any(row.state is state and row.input is given for row in TRANSITIONS)
    for number in range(len(WHATEVER[given]))
]


@pytest.mark.parametrize(("state", "given", "profile", "number"), NOTHING)
def test_pair_without_row_does_nothing(state: State, given: Input, profile: Profile, number: int) -> None:
    router = reach(state, profile)
    before = snapshot(router)
    assert tell(router, given, ADVERT_NS, *WHATEVER[given][number](router)) == ()
    assert snapshot(router) == before


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_row_whose_condition_does_not_hold_does_nothing(profile: Profile) -> None:
    for state in (INITIALIZE, BACKUP, MASTER):
        router = reach(state, profile)
        owner = reach(state if state is not BACKUP else INITIALIZE, profile, **OWNER)
        for subject, priority in ((router, 100), (owner, 90)):
            before = snapshot(subject)
            assert subject.set_priority(ADVERT_NS, priority) == ()
            assert snapshot(subject) == before
    if not profile.fault_state:
        assert make(profile).fail(ADVERT_NS, "test") == ()


# The reverse: wherever a router wanders, each step of it stands in the table.

STEPS = {(row.state, row.input, row.effects, row.to) for row in TRANSITIONS}
LISTED = {(row.state, row.input) for row in TRANSITIONS}
UNLESS = {(state, Input.PRIORITY) for state in State} | {(INITIALIZE, Input.FAIL)}
"""Pairs all of whose rows have a condition that may fail: nothing happens then."""


def in_table(state: State, given: Input, effects: tuple[type[Effect], ...], to: State) -> bool:
    """Whether some row says so. A late `expire` does what several rows say, one after the other."""
    if (state, given, effects, to) in STEPS:
        return True
    if not effects:
        return to is state and ((state, given) not in LISTED or (state, given) in UNLESS)
    return given is Input.TIMER and any(
        in_table(state, given, effects[:cut], state) and in_table(state, given, effects[cut:], to)
        for cut in range(1, len(effects))
    )


PLANS = (None, Announcements(), Announcements(repeat=2, again_after_ns=S_NS, refresh_ns=2 * S_NS, lower_repeat=1))
WALKS = st.lists(
    st.tuples(
        st.sampled_from(Input),
        st.one_of(st.integers(0, 7 * S_NS), st.none()),
        st.sampled_from([0, 1, 99, 100, 101, 254, 255]),
        st.sampled_from([LOWER, HIGHER]),
        st.booleans(),
    ),
    max_size=40,
)


@given(
    profile=st.sampled_from(ALL),
    config=st.fixed_dictionaries(
        {
            "priority": st.sampled_from([1, 100, 254, 255]),
            "preempt": st.booleans(),
            "preempt_delay_ns": st.sampled_from([0, S_NS]),
            "state_master": st.booleans(),
            "lower_prio_no_advert": st.booleans(),
            "higher_prio_send_advert": st.booleans(),
            "announcements": st.sampled_from(PLANS),
        }
    ),
    walk=WALKS,
)
def test_every_step_of_every_walk_is_in_the_table(
    profile: Profile, config: dict[str, Any], walk: list[tuple[Input, int | None, int, str, bool]]
) -> None:
    router = make(profile, **config)
    now_ns = 0
    for given_input, gap_ns, number, source, grouped in walk:
        # No gap: wait for the deadline, as drivers do.
        now_ns = now_ns + gap_ns if gap_ns is not None else max(now_ns, router.deadline_ns or 0)
        router.group = GroupThatWaits() if grouped else None
        arguments: tuple[Any, ...] = ()
        if given_input is Input.RECEIVE:
            arguments = (source, advert(router, number))
        elif given_input is Input.PRIORITY:
            arguments = (min(max(number, 1), 254),)
        elif given_input in {Input.FAIL, Input.RECOVER, Input.LEAD, Input.FOLLOW}:
            arguments = ("test",)
        elif given_input is Input.CARRY_ON:
            arguments = after(MASTER if grouped else BACKUP, f"10.0.0.{number}")(router)
        state = router.state
        effects = tell(router, given_input, now_ns, *arguments)
        assert in_table(state, given_input, kinds(effects), router.state)
