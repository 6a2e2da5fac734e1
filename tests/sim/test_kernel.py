"""The clock, the queue, the random streams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.kernel import Kernel


@given(st.lists(st.integers(0, 5), max_size=40))
def test_calls_come_by_time_and_at_one_time_in_the_order_asked(times: list[int]) -> None:
    kernel = Kernel()
    called: list[tuple[int, int]] = []
    for number, time_ns in enumerate(times):
        kernel.at(time_ns, lambda n=number: called.append((kernel.now_ns, n)))  # type: ignore[misc]  # mypy cannot type a default
    kernel.run(6)
    assert called == sorted((time_ns, number) for number, time_ns in enumerate(times))
    assert kernel.now_ns == 6


def test_a_call_at_the_end_of_a_run_waits_for_the_next_run() -> None:
    kernel = Kernel()
    called: list[int] = []
    kernel.at(10, lambda: called.append(kernel.now_ns))
    kernel.run(10)
    assert (called, kernel.now_ns) == ([], 10)
    kernel.run(11)
    assert called == [10]


def test_a_time_that_is_past_means_now_after_what_was_asked_before() -> None:
    kernel = Kernel()
    called: list[tuple[int, str]] = []

    def late() -> None:
        kernel.at(5, lambda: called.append((kernel.now_ns, "past")))
        kernel.at(20, lambda: called.append((kernel.now_ns, "now")))

    kernel.at(20, late)
    kernel.at(20, lambda: called.append((kernel.now_ns, "asked first")))
    kernel.run(30)
    assert called == [(20, "asked first"), (20, "past"), (20, "now")]


def test_running_to_the_past_or_to_now_changes_nothing() -> None:
    kernel = Kernel()
    kernel.run(10)
    kernel.run(10)
    kernel.run(3)
    assert kernel.now_ns == 10
    assert Kernel().now_ns == 0


def test_times_are_integers_without_an_upper_end() -> None:
    kernel = Kernel()
    called: list[int] = []
    kernel.at(10**18 + 1, lambda: called.append(kernel.now_ns))
    kernel.run(10**18 + 2)
    assert called == [10**18 + 1]
    assert type(kernel.now_ns) is int


def test_a_stream_depends_on_the_seed_and_its_name_only() -> None:
    one, other = Kernel(7), Kernel(7)
    other.stream("lan/b").random()
    assert one.stream("lan/a").random() == other.stream("lan/a").random()
    assert Kernel(7).stream("lan/a").random() != Kernel(7).stream("lan/b").random()
    assert Kernel(7).stream("lan/a").random() != Kernel(8).stream("lan/a").random()
    assert one.stream("lan/a") is one.stream("lan/a")


def test_a_stream_is_the_same_in_every_python() -> None:
    stream = Kernel(1).stream("lan/r1/eth0")
    assert [stream.getrandbits(32) for _ in range(3)] == GOLDEN_BITS


# Made with Python 3.11; 3.12 and 3.13 give the same.
GOLDEN_BITS = [1037838299, 2848884684, 2811215215]
