"""The alarm clock."""

from __future__ import annotations

import asyncio
import time

import pytest

from vrrp.linux.alarm import Alarm
from vrrp.protocol.timers import NEVER


def test_it_rings_when_it_is_due_and_never_early() -> None:
    async def ring(wait_ns: int) -> int:
        rang = asyncio.Event()
        alarm = Alarm(asyncio.get_running_loop(), rang.set)
        due_ns = time.monotonic_ns() + wait_ns
        alarm.arm(NEVER)
        alarm.arm(due_ns + 10_000_000_000)
        alarm.arm(due_ns)
        await rang.wait()
        late_ns = time.monotonic_ns() - due_ns
        alarm.close()
        assert late_ns >= 0
        return late_ns

    # A wait of epoll's whole milliseconds would be later than that each time; a busy machine is so most times.
    for wait_ns in (0, 1_300_000, 7_650_000, 20_123_456):
        assert any(asyncio.run(ring(wait_ns)) < 300_000 for _ in range(200)), wait_ns


def test_a_time_put_off_rings_early_and_is_armed_anew() -> None:
    async def ring() -> list[str]:
        told: list[str] = []
        alarm = Alarm(asyncio.get_running_loop(), lambda: told.append("rings"))
        now_ns = time.monotonic_ns()
        alarm.arm(now_ns + 5_000_000)
        alarm.arm(now_ns + 30_000_000)
        await asyncio.sleep(0.015)
        told.append("later")
        alarm.arm(now_ns + 30_000_000)
        await asyncio.sleep(0.03)
        alarm.close()
        return told

    assert asyncio.run(ring()) == ["rings", "later", "rings"]


def test_a_time_long_past_and_one_armed_again_while_it_rings() -> None:
    async def ring() -> int:
        count = 0
        now_ns = time.monotonic_ns()

        def again() -> None:
            nonlocal count
            count += 1
            if count < 3:
                alarm.arm(0)

        alarm = Alarm(asyncio.get_running_loop(), again)
        alarm.arm(now_ns - 1)
        await asyncio.sleep(0.02)
        alarm.close()
        return count

    assert asyncio.run(ring()) == 3


def test_no_timer_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        @staticmethod
        def timerfd_create(clock: int, flags: int) -> int:
            return -1

    monkeypatch.setattr("vrrp.linux.alarm._libc", Full)

    async def make() -> None:
        Alarm(asyncio.get_running_loop(), lambda: None)

    with pytest.raises(OSError, match=r"."):
        asyncio.run(make())
