"""SIGHUP: what a router does with another configuration while it runs.

What is expected was seen of keepalived 2.2.7: its packets and its log, at each of these changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocol.packets import Packet
from protocol.routers import MS_NS, S_NS, by_name, changes, drive_host, host, kinds, settings
from vrrp.protocol.effects import AcquireAddresses, Announce, ReleaseAddresses, SendAdvertisement, StateChanged
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import Router
from vrrp.protocol.settings import (
    FileConfig,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.state import State
from vrrp.wire.address import pack

START_NS = 3_621_000_000
"""When the router of these tests has become master."""
HUP_NS = 5_305_100_000
RELOADED_NS = 5_305_500_000


def one(**changed: Any) -> VirtualRouterConfig:
    return settings(KEEPALIVED, **{"name": "VI_1", "interface": "eth0", "priority": 101} | changed)


def two(**changed: Any) -> VirtualRouterConfig:
    return one(**{"name": "VI_2", "vrid": 52, "addresses": ["10.0.0.200"]} | changed)


def running(*configs: VirtualRouterConfig, until_ns: int = START_NS, **parts: Any) -> Router:
    router = host(KEEPALIVED, *(configs or (one(),)), **parts)
    router.start(0)
    drive_host(router, until_ns)
    return router


def reload(router: Router, *configs: VirtualRouterConfig, now_ns: int = RELOADED_NS, **parts: Any) -> list[Any]:
    return by_name(router.reload(now_ns, RouterConfig(virtual_routers=configs, **parts)))


def states(router: Router) -> dict[str, State]:
    return {one.config.name: one.state for one in router.virtual_routers}


def sent(effects: list[Any]) -> list[tuple[str, int]]:
    return [(name, e.advertisement.priority) for name, e in effects if isinstance(e, SendAdvertisement)]


def test_a_master_speaks_before_and_after_and_stays_it() -> None:
    router = running()
    assert sent(by_name(router.advertise(HUP_NS))) == [("VI_1", 101)]
    effects = reload(router, one(priority=99))
    assert sent(effects) == [("VI_1", 99)]
    assert len(effects) == 1
    assert states(router) == {"VI_1": State.MASTER}
    timeline = drive_host(router, RELOADED_NS + 2 * S_NS)
    assert [at_ns for at_ns, _, _ in timeline] == [RELOADED_NS + S_NS, RELOADED_NS + 2 * S_NS]
    assert router.counters("VI_1").sent == 5


def test_the_second_announcement_is_forgotten() -> None:
    router = running()
    reload(router, one())
    assert not any(isinstance(effect, Announce) for _, _, effect in drive_host(router, START_NS + 9 * S_NS))


def test_what_has_gone_and_come_of_the_addresses() -> None:
    router = running()
    effects = reload(router, one(addresses=["10.0.0.100", "10.0.0.101"]))
    both = (pack("10.0.0.100"), pack("10.0.0.101"))
    assert [effect for _, effect in effects[:2]] == [AcquireAddresses(both[1:]), Announce(both, 5)]
    assert sent(effects[2:]) == [("VI_1", 101)]
    effects = reload(router, one(addresses=["10.0.0.101"]), now_ns=8 * S_NS)
    assert effects[0][1] == ReleaseAddresses(both[:1])
    assert sent(effects[1:]) == [("VI_1", 101)]


def test_a_backup_waits_anew() -> None:
    router = running(one(priority=99), until_ns=0)
    router.receive(S_NS, "eth0", Packet(version=2, vrid=51, priority=100).datagram())
    assert reload(router, one(priority=102), now_ns=2 * S_NS) == []
    assert states(router) == {"VI_1": State.BACKUP}
    assert router.deadline_ns == 2 * S_NS + 3_601_562_500


def test_the_startup_delay_lasts_as_long_as_it_would_have() -> None:
    # Measured with a delay of 3 s and a reload at 1.3 s: master 6.606 s after the start.
    router = host(KEEPALIVED, one(), startup_delay_ns=3 * S_NS)
    router.start(0)
    reload(router, one(), now_ns=1_300 * MS_NS, startup_delay_ns=3 * S_NS)
    assert router.deadline_ns == 6_605_468_750


def test_an_interval_learned_is_forgotten() -> None:
    router = running(one(version=3, interval_cs=100), until_ns=0)
    router.receive(S_NS, "eth0", Packet(version=3, vrid=51, priority=200, interval=200).datagram())
    assert router.virtual_routers[0].master_interval_cs == 200
    reload(router, one(version=3, interval_cs=50))
    assert router.virtual_routers[0].master_interval_cs == 50


def test_a_new_one_starts_and_one_left_out_says_good_bye() -> None:
    router = running()
    effects = reload(router, one(), two())
    assert sent(effects) == [("VI_1", 101)]
    assert changes(effect for _, effect in effects) == [(State.BACKUP, "start")]
    drive_host(router, 10 * S_NS)
    assert states(router) == {"VI_1": State.MASTER, "VI_2": State.MASTER}
    effects = reload(router, two(), now_ns=10_311_500_000)
    assert sent(effects) == [("VI_1", 0), ("VI_2", 101)]
    assert kinds(effect for _, effect in effects[:3]) == (SendAdvertisement, ReleaseAddresses, StateChanged)
    assert states(router) == {"VI_2": State.MASTER}


def test_another_vrid_is_another_one_and_another_name_is_not() -> None:
    router = running(two())
    effects = reload(router, two(vrid=53))
    assert sent(effects) == [("VI_2", 0)]
    assert changes(effect for _, effect in effects) == [
        (State.INITIALIZE, "no longer configured"),
        (State.BACKUP, "start"),
    ]
    router = running()
    assert sent(reload(router, one(name="VX"))) == [("VX", 101)]
    assert router.counters("VX").sent == 2


def test_an_owner_that_was_none_and_the_reverse() -> None:
    router = running(one(priority=255, state_master=True))
    assert sent(reload(router, one(priority=150))) == [("VI_1", 150)]
    assert sent(reload(router, one(priority=255, state_master=True), now_ns=7 * S_NS)) == [("VI_1", 255)]
    router = running(one(priority=100), until_ns=0)
    reload(router, one(priority=255, state_master=True))
    assert states(router) == {"VI_1": State.BACKUP}


CHECK: dict[str, Any] = {"scripts": (ScriptConfig(name="chk", fall=2, rise=2),)}


def test_a_scripts_verdict_is_kept_and_its_runs_begin_anew() -> None:
    tracked = one(track_scripts=(TrackedScript("chk", -5),))
    router = running(tracked, until_ns=0, **CHECK)
    router.script_finished(MS_NS, "chk", False)
    assert router.virtual_routers[0].priority == 96
    router.expire(4 * S_NS)
    effects = reload(router, tracked, **CHECK)
    assert sent(effects) == [("VI_1", 96)]
    assert router.settle() == RELOADED_NS + S_NS
    router.script_finished(RELOADED_NS + MS_NS, "chk", True)
    assert router.virtual_routers[0].priority == 96
    router.expire(RELOADED_NS + S_NS)
    router.script_finished(RELOADED_NS + S_NS + MS_NS, "chk", True)
    assert router.virtual_routers[0].priority == 101


def test_a_script_that_holds_in_fault_does_so_after() -> None:
    tracked = one(track_scripts=(TrackedScript("chk"),))
    router = running(tracked, until_ns=0, **CHECK)
    router.script_finished(MS_NS, "chk", False)
    assert changes(e for _, e in reload(router, tracked, **CHECK)) == []
    assert states(router) == {"VI_1": State.FAULT}
    assert changes(e for _, e in reload(router, one(), now_ns=6 * S_NS)) == [(State.BACKUP, "reload")]


def test_a_script_first_run_after_a_reload_holds_no_master_before_its_result() -> None:
    tracked = one(track_scripts=(TrackedScript("chk"),))
    router = running()
    assert sent(reload(router, tracked, **CHECK)) == [("VI_1", 101)]
    assert states(router) == {"VI_1": State.MASTER}
    effects = by_name(router.script_finished(RELOADED_NS + 4 * MS_NS, "chk", False))
    assert sent(effects) == [("VI_1", 0)] * 2
    assert states(router) == {"VI_1": State.FAULT}


def test_what_is_known_of_links_files_and_processes_is_kept() -> None:
    parts: dict[str, Any] = {"files": (FileConfig("f"),), "processes": (ProcessConfig(name="p", quorum=2),)}
    tracked = one(track_files=(TrackedFile("f"),), track_processes=(TrackedProcess("p", -10),))
    router = running(tracked, until_ns=0, **parts)
    router.set_file(1, "f", 3)
    router.set_process_count(2, "p", 1)
    more: dict[str, Any] = {name: (*known, type(known[0])(name="new")) for name, known in parts.items()}
    reload(router, tracked, **more)
    assert router.virtual_routers[0].priority == 94
    router.set_interface(S_NS, "eth0", False)
    assert changes(e for _, e in reload(router, tracked, now_ns=7 * S_NS, **parts)) == []
    assert states(router) == {"VI_1": State.FAULT}


def test_a_sync_group_stays_together() -> None:
    group: dict[str, Any] = {"sync_groups": (SyncGroupConfig("G", ("VI_1", "VI_2")),)}
    router = running(one(), two(interface="eth1"), **group)
    effects = reload(router, one(priority=99), two(interface="eth1", priority=99), **group)
    assert sent(effects) == [("VI_1", 99), ("VI_2", 99)]
    assert set(states(router).values()) == {State.MASTER}


def test_a_packet_heard_again_goes_to_the_new_one() -> None:
    router = running(until_ns=0)
    told: list[Any] = []
    listen = router.listener("eth0", lambda now_ns, effects: told.append(effects))
    packet = Packet(version=2, vrid=51, priority=200).datagram()
    listen(1, packet)
    listen(2, packet)
    reload(router, one(), now_ns=3)
    listen(4, packet)
    assert router.virtual_routers[0].master == packet.source
    assert router.counters("VI_1").accepted == 3


def test_what_cannot_be_run_changes_nothing() -> None:
    router = running()
    for wrong in (one(interface="eth7"), one(track_scripts=(TrackedScript("no"),))):
        with pytest.raises(ValueError, match=r"^VI_1: there is no "):
            router.reload(RELOADED_NS, RouterConfig(virtual_routers=(wrong,)))
    with pytest.raises(ValueError, match=r"^VI_2: VRID 51 is taken on eth0$"):
        router.reload(RELOADED_NS, RouterConfig(virtual_routers=(one(), two(vrid=51))))
    assert router.config.virtual_routers == (one(),)
    assert states(router) == {"VI_1": State.MASTER}


def test_before_the_start_it_is_the_configuration_to_start_with() -> None:
    router = host(KEEPALIVED, one())
    changed = RouterConfig(virtual_routers=(replace(one(), priority=90),))
    assert router.reload(0, changed) == ()
    router.start(1)
    assert router.virtual_routers[0].priority == 90
