"""More recordings in which several things go wrong: fewer routers each, and odder configurations."""

from __future__ import annotations

from pathlib import Path

from fidelity.configurations import block, check, checked, head, instance, plain
from fidelity.lab import Lab


def mixed_active_active(folder: Path) -> None:
    """Two virtual routers on one LAN, each router the better one for one of them."""
    configs = []
    for one, two in ((101, 100), (100, 101)):
        second = instance(two, number=2, vips=["10.0.0.200/24"]).replace("eth1", "eth0")
        configs.append(head() + instance(one) + second)
    with Lab(folder, configs) as lab:
        lab.start(1, 2)
        lab.until(6.3)
        lab.crash(1)
        lab.until(11.5)
        lab.start(1)
        lab.until(17.2)
        lab.link(2, False)
        lab.until(22)
        lab.link(2, True)
        lab.until(27.4)
        lab.stop(1)
        lab.until(30)


def mixed_quick_restarts(folder: Path) -> None:
    with Lab(folder, plain(120, 110, 100)) as lab:
        lab.start(1, 2, 3)
        lab.until(6.2)
        lab.crash(1)
        lab.until(6.7)
        lab.start(1)
        lab.until(13.1)
        lab.stop(1)
        lab.start(1)
        lab.until(19.3)
        lab.crash(1)
        lab.until(19.35)
        lab.start(1)
        lab.until(24.4)
        lab.stop(2)
        lab.start(2)
        lab.until(26)


def mixed_equal_partition(folder: Path) -> None:
    with Lab(folder, plain(100, 100, 100)) as lab:
        lab.start(1, 2, 3)
        lab.until(6.4)
        lab.partition(1)
        lab.until(12.1)
        lab.heal(1)
        lab.until(15.3)
        lab.partition(2, 3)
        lab.until(21.7)
        lab.heal(2, 3)
        lab.until(25)


def mixed_nopreempt_flaps(folder: Path) -> None:
    configs = checked(120, 110, lines=["fall 2", "rise 2"], options=["nopreempt"])
    with Lab(folder, configs) as lab:
        lab.start(1)
        lab.until(1.6)
        lab.start(2)
        lab.until(8.3)
        lab.link(1, False)
        lab.until(10)
        lab.link(1, True)
        lab.until(16.2)
        lab.script(2, "fail")
        lab.until(22.5)
        lab.script(2, "pass")
        lab.until(28.1)
        lab.link(1, False)
        lab.until(28.4)
        lab.link(1, True)
        lab.until(35)


def mixed_preempt_delay_flaps(folder: Path) -> None:
    with Lab(folder, plain(110, 100, lines=["preempt_delay 4"])) as lab:
        lab.start(2)
        lab.until(5.2)
        lab.start(1)
        lab.until(7.4)
        lab.link(1, False)
        lab.until(8)
        lab.link(1, True)
        lab.until(20.3)
        lab.partition(1)
        lab.until(27.1)
        lab.heal(1)
        lab.until(31.3)
        lab.pause(1)
        lab.until(37.8)
        lab.resume(1)
        lab.until(49)


def mixed_sync_nopreempt(folder: Path) -> None:
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    configs = [
        head()
        + check("fall 1", "rise 1")
        + group
        + instance(priority, "nopreempt", script=True)
        + instance(priority - 5, "nopreempt", number=2)
        for priority in (110, 100)
    ]
    with Lab(folder, configs, interfaces=2) as lab:
        lab.start(2)
        lab.until(5)
        lab.start(1)
        lab.until(12.2)
        lab.link(2, False, 1)
        lab.until(18.3)
        lab.link(2, True, 1)
        lab.until(24)
        lab.script(1, "fail")
        lab.until(30.5)
        lab.script(1, "pass")
        lab.until(36)
        lab.crash(2)
        lab.until(41)


def mixed_unicast_v3(folder: Path) -> None:
    configs = []
    for number, priority in enumerate((120, 100), 1):
        peer = block("unicast_peer", f"10.0.0.{3 - number}")
        configs.append(head() + instance(priority, "version 3", "advert_int 0.5", peer))
    with Lab(folder, configs) as lab:
        lab.start(1, 2)
        lab.until(3.2)
        lab.link(1, False)
        lab.until(6.1)
        lab.link(1, True)
        lab.until(9.3)
        lab.pause(1)
        lab.until(12.2)
        lab.resume(1)
        lab.until(14.4)
        lab.partition(2)
        lab.until(17)
        lab.heal(2)
        lab.until(19.2)
        lab.stop(1)
        lab.until(21)


def mixed_ipv6(folder: Path) -> None:
    lines = ["version 3", "advert_int 0.8"]
    vips = ["fe80::100/64", "2001:db8::100/64"]
    configs = [
        head() + check("weight -20", "fall 2") + instance(p, *lines, vips=vips, script=True) for p in (110, 100)
    ]
    with Lab(folder, configs) as lab:
        lab.start(1, 2)
        lab.until(5.3)
        lab.script(1, "fail")
        lab.until(11.2)
        lab.link(2, False)
        lab.until(16)
        lab.link(2, True)
        lab.until(20.4)
        lab.script(1, "pass")
        lab.until(26.1)
        lab.crash(1)
        lab.until(30)


def mixed_partial_heal(folder: Path) -> None:
    with Lab(folder, plain(130, 120, 110, 100)) as lab:
        lab.start(1, 2, 3, 4)
        lab.until(6.3)
        lab.partition(1, 2, 3)
        lab.until(12.4)
        lab.heal(3)
        lab.until(17.2)
        lab.heal(1)
        lab.until(22.9)
        lab.heal(2)
        lab.until(25)


def mixed_hanging_script(folder: Path) -> None:
    lines = ["interval 1", "timeout 3", "fall 2", "rise 1"]
    with Lab(folder, checked(110, 100, lines=lines)) as lab:
        lab.start(1, 2)
        lab.until(6.3)
        lab.script(1, "hang")
        lab.until(16.7)
        lab.script(1, "unhang")
        lab.until(26)
        lab.script(2, "hang")
        lab.until(27.5)
        lab.script(2, "unhang")
        lab.until(29.2)
        lab.crash(1)
        lab.until(34)


def mixed_paused_backup(folder: Path) -> None:
    """The better backup is frozen while the master dies, and wakes when another is master."""
    with Lab(folder, plain(120, 110, 100)) as lab:
        lab.start(1, 2, 3)
        lab.until(6.2)
        lab.pause(2)
        lab.until(8.3)
        lab.crash(1)
        lab.until(14.6)
        lab.resume(2)
        lab.until(20.1)
        lab.pause(3)
        lab.pause(2)
        lab.until(25.9)
        lab.resume(3)
        lab.until(26.4)
        lab.resume(2)
        lab.until(29)


def mixed_startup_delay(folder: Path) -> None:
    with Lab(folder, plain(110, 100, defs=["vrrp_startup_delay 2.5"])) as lab:
        lab.start(1, 2)
        lab.until(9.1)
        lab.crash(1)
        lab.until(14.2)
        lab.start(1)
        lab.until(15.5)
        lab.link(1, False)
        lab.until(16.2)
        lab.link(1, True)
        lab.until(24.4)
        lab.stop(1)
        lab.until(26)


def mixed_slow_with_password(folder: Path) -> None:
    lines = ["advert_int 3", block("authentication", "auth_type PASS", "auth_pass secret12")]
    with Lab(folder, plain(110, 100, lines=lines)) as lab:
        lab.start(2)
        lab.until(4)
        lab.start(1)
        lab.until(20.2)
        lab.crash(1)
        lab.until(32.3)
        lab.start(1)
        lab.until(47)
