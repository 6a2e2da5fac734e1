"""Track scripts and interfaces: what they do to a virtual router."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.routers import MS_NS, S_NS, by_name, changes, drive_host, host, kinds, settings
from vrrp.protocol.effects import (
    Effect,
    PriorityChanged,
    ReleaseAddresses,
    RunScript,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.profile import KEEPALIVED, RFC9568
from vrrp.protocol.router import Router
from vrrp.protocol.settings import ScriptConfig, TrackedInterface, TrackedScript
from vrrp.protocol.state import State

DOWN_NS = 3_609_375_000
RUN_NS = 5 * MS_NS


def tracking(weight: int, script: dict[str, Any] | None = None, **config: Any) -> Router:
    tracked = config.pop("track_scripts", (TrackedScript("chk", weight),))
    virtual_router = settings(KEEPALIVED, name="VI_1", interface="eth0", track_scripts=tracked, **config)
    return host(KEEPALIVED, virtual_router, scripts=(ScriptConfig(name="chk", **(script or {})),))


def finish(router: Router, now_ns: int, ok: bool) -> list[tuple[str, Effect]]:
    return by_name(router.script_finished(now_ns, "chk", ok))


def live(router: Router, until_ns: int, outcomes: dict[int, bool] | None = None) -> list[tuple[int, str, Effect]]:
    """Let each run end RUN_NS after it began, well unless `outcomes` has another word for runs from a time on."""
    told: list[tuple[int, str, Effect]] = []
    now_ns = 0
    ends_ns: int | None = None
    for name, effect in by_name(router.start(0)):
        told.append((0, name, effect))
        ends_ns = RUN_NS if isinstance(effect, RunScript) else ends_ns
    while True:
        wake_ns = router.wake_ns if ends_ns is None else min(router.wake_ns, ends_ns)
        if wake_ns > until_ns:
            return told
        now_ns = wake_ns
        if now_ns == ends_ns:
            ends_ns = None
            words = [ok for since_ns, ok in sorted((outcomes or {}).items()) if since_ns <= now_ns]
            effects = finish(router, now_ns, words[-1] if words else True)
        else:
            effects = by_name(router.expire(now_ns))
        for name, effect in effects:
            told.append((now_ns, name, effect))
            ends_ns = now_ns + RUN_NS if isinstance(effect, RunScript) else ends_ns


def priorities(told: list[tuple[int, str, Effect]]) -> list[tuple[int, int, int]]:
    return [(at, effect.old, effect.new) for at, _, effect in told if isinstance(effect, PriorityChanged)]


def test_negative_weight_is_added_while_the_script_fails() -> None:
    told = live(tracking(-2, {"fall": 2}), 20 * S_NS, {6 * S_NS: False, 12 * S_NS: True})
    assert priorities(told) == [(7 * S_NS + RUN_NS, 100, 98), (12 * S_NS + RUN_NS, 98, 100)]


def test_positive_weight_is_added_while_the_script_succeeds() -> None:
    told = live(tracking(5), 20 * S_NS, {6 * S_NS: False, 12 * S_NS: True})
    assert priorities(told) == [(RUN_NS, 100, 105), (6 * S_NS + RUN_NS, 105, 100), (12 * S_NS + RUN_NS, 100, 105)]


@pytest.mark.parametrize(
    ("priority", "weight", "ok", "effective"),
    [(253, 10, True, 254), (5, -20, False, 1), (100, 1, True, 101), (100, -1, False, 99)],
)
def test_effective_priority_is_clamped(priority: int, weight: int, ok: bool, effective: int) -> None:
    router = tracking(weight, priority=priority)
    router.start(0)
    (_, effect), *_ = finish(router, RUN_NS, ok)
    assert effect == PriorityChanged(
        priority, effective, f"chk {'succeeded' if ok else 'failed'} once: {priority} → {effective}"
    )
    assert router.virtual_routers[0].priority == effective


def test_lowered_priority_is_in_the_next_regular_advertisement_only() -> None:
    told = live(tracking(-2), 10 * S_NS, {6 * S_NS: False})
    sent = [(at, e.advertisement.priority) for at, _, e in told if isinstance(e, SendAdvertisement)]
    assert sent == [(DOWN_NS + n * S_NS, 100 if n < 3 else 98) for n in range(7)]


def test_weight_0_holds_in_fault_until_the_first_result() -> None:
    router = tracking(0)
    started = by_name(router.start(0))
    assert changes(effect for _, effect in started) == [(State.FAULT, "no result yet")]
    recovered = finish(router, RUN_NS, True)
    assert recovered == [("VI_1", StateChanged(State.FAULT, State.BACKUP, "chk succeeded once"))]
    assert router.virtual_routers[0].deadline_ns == RUN_NS + DOWN_NS


def test_weight_0_script_that_fails_and_returns() -> None:
    # Measured: two equal priority-0 advertisements, addresses gone; back: BACKUP, then the whole MDI.
    told = live(tracking(0, {"fall": 2}), 20 * S_NS, {6 * S_NS: False, 9 * S_NS: True})
    failed_ns, back_ns = 7 * S_NS + RUN_NS, 9 * S_NS + RUN_NS
    at_failure = [effect for at, name, effect in told if at == failed_ns and name]
    assert [type(effect) for effect in at_failure] == [
        SendAdvertisement,
        SendAdvertisement,
        ReleaseAddresses,
        StateChanged,
    ]
    moved = [(at, effect.new, effect.reason) for at, _, effect in told if isinstance(effect, StateChanged)]
    assert moved[-3:] == [
        (failed_ns, State.FAULT, "chk failed 2 times"),
        (back_ns, State.BACKUP, "chk succeeded once"),
        (back_ns + DOWN_NS, State.MASTER, "no advertisement yet, for 3.609 s"),
    ]


def test_init_fail_with_a_weight_lowers_the_priority_from_the_start() -> None:
    router = tracking(-2, {"init_fail": True})
    router.start(0)
    assert router.virtual_routers[0].priority == 98
    assert kinds(e for _, e in router.script_finished(RUN_NS, "chk", True)) == (PriorityChanged,)
    assert router.virtual_routers[0].priority == 100


def test_weights_of_several_are_added_up() -> None:
    tracked = (TrackedScript("chk", -20), TrackedScript("other", 5))
    config = settings(
        KEEPALIVED,
        name="VI_1",
        interface="eth0",
        track_scripts=tracked,
        track_interfaces=(TrackedInterface("eth1", -10),),
    )
    router = host(KEEPALIVED, config, scripts=(ScriptConfig(name="chk"), ScriptConfig(name="other")))
    assert [name for name, effect in by_name(router.start(0)) if isinstance(effect, RunScript)] == ["", ""]
    router.script_finished(1, "chk", False)
    router.script_finished(2, "other", True)
    router.set_interface(3, "eth1", False)
    assert router.virtual_routers[0].priority == 75
    assert set(router.scripts) == {"chk", "other"}


def test_script_that_nobody_tracks_is_not_run() -> None:
    router = tracking(0, track_scripts=())
    assert kinds(e for _, e in router.start(0)) == (StateChanged,)
    assert router.deadline_ns == DOWN_NS
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", track_scripts=(TrackedScript("chk", -2),))
    router = host(KEEPALIVED, config, scripts=(ScriptConfig(name="other"), ScriptConfig(name="chk")))
    assert [e.name for _, e in router.start(0) if isinstance(e, RunScript)] == ["chk"]


def test_script_with_a_weight_tracked_by_an_owner_only_is_not_run() -> None:
    # Measured with the 255/-2 configuration: "script check_apiserver is not used", and it is not.
    router = tracking(-2, priority=255)
    assert kinds(effect for _, effect in router.start(0)) == (StateChanged,)


def test_owner_is_not_moved_by_weights() -> None:
    owner = settings(
        KEEPALIVED, name="VI_1", interface="eth0", priority=255, track_scripts=(TrackedScript("chk", -20),)
    )
    other = settings(KEEPALIVED, name="VI_2", interface="eth1", track_scripts=(TrackedScript("chk", -20),))
    router = host(KEEPALIVED, owner, other, scripts=(ScriptConfig(name="chk"),))
    assert (None, RunScript("chk")) in router.start(0)
    assert finish(router, RUN_NS, False) == [("VI_2", PriorityChanged(100, 80, "chk failed once: 100 → 80"))]
    assert [vr.priority for vr in router.virtual_routers] == [255, 80]


def test_owner_goes_to_fault_without_weight_and_returns_after_3_004() -> None:
    told = live(tracking(0, priority=255, state_master=True), 20 * S_NS, {6 * S_NS: False, 9 * S_NS: True})
    moved = [(at, effect.new) for at, _, effect in told if isinstance(effect, StateChanged)]
    back_ns = 9 * S_NS + RUN_NS
    assert moved == [
        (0, State.FAULT),
        (RUN_NS, State.MASTER),  # measured at 15 ms: only the first result was missing
        (6 * S_NS + RUN_NS, State.FAULT),
        (back_ns, State.BACKUP),
        (back_ns + 3_003_906_250, State.MASTER),
    ]


def test_result_that_no_run_gave_is_ignored() -> None:
    router = tracking(0)
    router.start(0)
    finish(router, RUN_NS, True)
    assert finish(router, RUN_NS + 1, False) == []
    assert router.expire(S_NS) == ((None, RunScript("chk")),)
    assert router.virtual_routers[0].state is State.BACKUP


def test_priority_may_fall_in_fault() -> None:
    tracked = (TrackedScript("chk", -20),)
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", track_scripts=tracked)
    router = host(KEEPALIVED, config, scripts=(ScriptConfig(name="chk"),))
    router.start(0)
    router.set_interface(1, "eth0", False)
    assert finish(router, RUN_NS, False) == [("VI_1", PriorityChanged(100, 80, "chk failed once: 100 → 80"))]
    router.set_interface(S_NS, "eth0", True)
    assert router.virtual_routers[0].deadline_ns == S_NS + 3 * S_NS + 176 * S_NS // 256


def test_reason_at_start_names_all_that_is_missing() -> None:
    router = tracking(0)
    router.set_interface(0, "eth0", False)
    assert changes(e for _, e in router.start(0)) == [(State.FAULT, "no result yet; eth0 is down")]
    assert finish(router, RUN_NS, True) == []
    assert changes(e for _, e in router.set_interface(S_NS, "eth0", True)) == [(State.BACKUP, "eth0 is up")]


# Interfaces


def watching(weight: int) -> Router:
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", track_interfaces=(TrackedInterface("eth1", weight),))
    router = host(KEEPALIVED, config)
    router.start(0)
    return router


def test_tracked_interface_without_weight() -> None:
    router = watching(0)
    drive_host(router, 9 * S_NS)
    lost = router.set_interface(9 * S_NS, "eth1", False)
    assert kinds(e for _, e in lost) == (SendAdvertisement, SendAdvertisement, ReleaseAddresses, StateChanged)
    assert changes(e for _, e in lost) == [(State.FAULT, "eth1 is down")]
    assert changes(e for _, e in router.set_interface(12 * S_NS, "eth1", True)) == [(State.BACKUP, "eth1 is up")]
    assert router.virtual_routers[0].deadline_ns == 12 * S_NS + DOWN_NS


@pytest.mark.parametrize(("weight", "up", "down"), [(-20, 100, 80), (20, 120, 100), (1, 101, 100), (-1, 100, 99)])
def test_tracked_interface_with_weight(weight: int, up: int, down: int) -> None:
    router = watching(weight)
    assert router.virtual_routers[0].priority == up
    assert by_name(router.set_interface(S_NS, "eth1", False)) == [
        ("VI_1", PriorityChanged(up, down, f"eth1 is down: {up} → {down}"))
    ]
    assert by_name(router.set_interface(2 * S_NS, "eth1", True)) == [
        ("VI_1", PriorityChanged(down, up, f"eth1 is up: {down} → {up}"))
    ]


def test_two_losses_are_two_reasons_to_wait_for() -> None:
    router = watching(0)
    router.set_interface(S_NS, "eth1", False)
    assert router.set_interface(2 * S_NS, "eth0", False) == ()
    assert router.set_interface(3 * S_NS, "eth1", True) == ()
    assert changes(e for _, e in router.set_interface(4 * S_NS, "eth0", True)) == [(State.BACKUP, "eth0 is up")]


def test_rfc_profile_without_fault_goes_to_initialize() -> None:
    config = settings(RFC9568, name="VI_1", interface="eth0", track_scripts=(TrackedScript("chk", 0),))
    router = host(RFC9568, config, scripts=(ScriptConfig(name="chk"),))
    assert kinds(e for _, e in router.start(0)) == (RunScript,)
    assert changes(e for _, e in router.script_finished(RUN_NS, "chk", True)) == [(State.BACKUP, "start")]
