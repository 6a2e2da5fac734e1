"""One alarm clock for all: who is woken when, however often they change their minds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.alarms import AlarmClock
from sim.kernel import Kernel
from vrrp.protocol.timers import NEVER


class Person:
    """Sleeps until `due`; `then` are the times to sleep until after each waking."""

    def __init__(self, clock: AlarmClock, name: str, due: int, *then: int) -> None:
        self.armed_ns = NEVER
        self.clock = clock
        self.name = name
        self.due = due
        self.then = list(then)
        self.woken: list[int] = []

    def due_ns(self) -> int:
        return self.due

    def wake(self, now_ns: int) -> None:
        self.woken.append(now_ns)
        self.due = self.then.pop(0) if self.then else NEVER
        self.clock.arm(self)

    def sleep_until(self, due: int) -> None:
        """Drivers arm when the deadline comes nearer, and need not when it goes."""
        nearer = due < self.due
        self.due = due
        if nearer:
            self.clock.arm(self)


def test_a_sleeper_is_woken_when_due_and_again() -> None:
    kernel = Kernel()
    clock = AlarmClock(kernel)
    person = Person(clock, "a", 10, 20, 20, 50)
    clock.arm(person)
    kernel.run(100)
    assert person.woken == [10, 20, 20, 50]
    assert person.armed_ns == NEVER


def test_nobody_is_woken_who_is_never_due() -> None:
    kernel = Kernel()
    clock = AlarmClock(kernel)
    person = Person(clock, "a", NEVER)
    clock.arm(person)
    kernel.run(100)
    assert person.woken == []


def test_a_deadline_put_off_costs_one_event_and_wakes_nobody_early() -> None:
    kernel = Kernel()
    clock = AlarmClock(kernel)
    person = Person(clock, "a", 10)
    clock.arm(person)
    for at_ns in range(1, 9):
        kernel.at(at_ns, lambda: person.sleep_until(kernel.now_ns + 10))
    kernel.run(100)
    assert person.woken == [18]


def test_a_deadline_that_comes_nearer_is_kept_and_the_old_alarm_is_silent() -> None:
    kernel = Kernel()
    clock = AlarmClock(kernel)
    person, other = Person(clock, "a", 50), Person(clock, "b", 60)
    clock.arm(person)
    clock.arm(other)
    kernel.at(5, lambda: person.sleep_until(7))
    kernel.run(100)
    assert (person.woken, other.woken) == ([7], [60])


def test_at_one_time_the_first_armed_is_woken_first() -> None:
    kernel = Kernel()
    clock = AlarmClock(kernel)
    order: list[str] = []
    for name in "cab":
        person = Person(clock, name, 10)
        person.wake = lambda now_ns, name=name: order.append(name)  # type: ignore[method-assign,misc]  # mypy cannot type a default
        clock.arm(person)
    kernel.run(100)
    assert order == ["c", "a", "b"]


# Changes come at even times and deadlines are odd: which of the two is first at one time is no matter of the clock.
CHANGES = st.tuples(
    st.integers(0, 20).map(lambda n: 2 * n), st.integers(0, 3), st.integers(0, 30).map(lambda n: 2 * n + 1)
)


@given(st.lists(CHANGES, max_size=30).map(sorted))
def test_everybody_is_woken_exactly_when_due(changes: list[tuple[int, int, int]]) -> None:
    """Against the plain way: one look at everybody at every time. A change: when, who, for how much longer."""
    kernel = Kernel()
    clock = AlarmClock(kernel)
    people = [Person(clock, str(n), NEVER) for n in range(4)]
    for at_ns, number, after in changes:
        kernel.at(at_ns, lambda n=number, due=at_ns + after: people[n].sleep_until(due))  # type: ignore[misc]  # mypy cannot type a default
    kernel.run(110)
    due = [NEVER] * 4
    woken: list[list[int]] = [[] for _ in people]
    for now in range(110):
        for at_ns, number, after in changes:
            if at_ns == now:
                due[number] = now + after
        for number in range(4):
            if due[number] == now:
                woken[number].append(now)
                due[number] = NEVER
    assert [person.woken for person in people] == woken
