"""How recordings came about in which several things go wrong: a function named as the recording."""

from __future__ import annotations

from pathlib import Path

from fidelity.configurations import block, check, checked, head, instance, plain
from fidelity.lab import Lab


def mixed_four_scripts(folder: Path) -> None:
    configs = checked(104, 103, 102, 101, lines=["weight -3", "fall 3", "rise 2"])
    with Lab(folder, configs) as lab:
        lab.start(4, 3, 2, 1)
        lab.until(6.4)
        lab.script(1, "fail")
        lab.until(14)
        lab.crash(2)
        lab.until(19.7)
        lab.script(1, "pass")
        lab.until(22)
        lab.start(2)
        lab.until(30)
        lab.stop(1)
        lab.until(34)


def mixed_three_flaps(folder: Path) -> None:
    with Lab(folder, plain(120, 110, 100)) as lab:
        lab.start(1, 2, 3)
        for at, number, up in (
            (6.1, 1, False),
            (6.5, 1, True),
            (7.9, 1, False),
            (12.3, 1, True),
            (13.0, 2, False),
            (13.2, 2, True),
            (14.4, 2, False),
            (20.2, 2, True),
        ):
            lab.until(at)
            lab.link(number, up)
        lab.until(26)


def mixed_partition_nopreempt(folder: Path) -> None:
    with Lab(folder, plain(130, 120, 110, 100, lines=["nopreempt"])) as lab:
        lab.start(4)
        lab.until(2)
        lab.start(1, 2, 3)
        lab.until(7.3)
        lab.partition(1, 2)
        lab.until(13.8)
        lab.heal(1, 2)
        lab.until(18.4)
        lab.stop(1)
        lab.until(22)
        lab.start(1)
        lab.until(24.6)
        lab.crash(2)
        lab.until(30)


def mixed_preempt_delay(folder: Path) -> None:
    configs = checked(102, 101, 100, lines=["weight -5", "fall 2", "rise 2"], options=["preempt_delay 3"])
    with Lab(folder, configs) as lab:
        lab.start(1, 2, 3)
        lab.until(7.5)
        lab.script(1, "fail")
        lab.until(15)
        lab.script(1, "pass")
        lab.until(26.2)
        lab.crash(1)
        lab.until(31)
        lab.start(1)
        lab.until(41)


def mixed_sync_scripts(folder: Path) -> None:
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    both = [
        head() + check("fall 2", "rise 2") + group + instance(priority, script=True) + instance(priority, number=2)
        for priority in (102, 101, 100)
    ]
    with Lab(folder, both, interfaces=2) as lab:
        lab.start(1, 2, 3)
        lab.until(6.3)
        lab.script(1, "fail")
        lab.until(12)
        lab.link(2, False, 1)
        lab.until(17.5)
        lab.script(1, "pass")
        lab.until(24.1)
        lab.link(2, True, 1)
        lab.until(29)
        lab.crash(1)
        lab.until(35)


def mixed_v3_subsecond(folder: Path) -> None:
    with Lab(folder, plain(120, 110, 100, lines=["version 3", "advert_int 0.2"])) as lab:
        lab.start(1, 2, 3)
        lab.until(2.1)
        lab.crash(1)
        lab.until(3.5)
        lab.partition(2)
        lab.until(5.25)
        lab.heal(2)
        lab.until(6)
        lab.start(1)
        lab.until(8.3)
        lab.pause(1)
        lab.until(9.9)
        lab.resume(1)
        lab.until(11.2)
        lab.stop(1)
        lab.until(12)
        lab.link(2, False)
        lab.until(14)


def mixed_unicast_three(folder: Path) -> None:
    configs = []
    for number, priority in enumerate((120, 110, 100), 1):
        peers = [f"10.0.0.{other}" for other in (1, 2, 3) if other != number]
        lines = [f"unicast_src_ip 10.0.0.{number}", block("unicast_peer", *peers)]
        configs.append(head() + instance(priority, *lines))
    with Lab(folder, configs) as lab:
        lab.start(1, 2, 3)
        lab.until(6.2)
        lab.partition(1)
        lab.until(12.7)
        lab.heal(1)
        lab.until(16.5)
        lab.crash(1)
        lab.until(21)
        lab.stop(2)
        lab.until(23.8)
        lab.start(2)
        lab.until(29)


def mixed_pauses(folder: Path) -> None:
    with Lab(folder, plain(120, 110, 100)) as lab:
        lab.start(1, 2, 3)
        lab.until(6.3)
        lab.pause(1)
        lab.until(8.1)
        lab.resume(1)
        lab.until(11.4)
        lab.pause(1)
        lab.until(17)
        lab.resume(1)
        lab.until(20.2)
        lab.pause(2)
        lab.until(24.9)
        lab.resume(2)
        lab.until(26.3)
        lab.crash(1)
        lab.until(31)


def mixed_positive_weights_hang(folder: Path) -> None:
    lines = ["interval 2", "timeout 1", "weight 10", "fall 2", "rise 2"]
    with Lab(folder, checked(100, 95, 93, lines=lines)) as lab:
        lab.start(1, 2, 3)
        lab.until(7.1)
        lab.script(1, "hang")
        lab.until(19.3)
        lab.script(1, "unhang")
        lab.until(31.5)
        lab.script(2, "fail")
        lab.until(33)
        lab.crash(1)
        lab.until(41)


def mixed_v3_intervals(folder: Path) -> None:
    each = ((110, "0.5"), (105, "1"), (100, "2"))
    configs = [head() + instance(priority, "version 3", f"advert_int {seconds}") for priority, seconds in each]
    with Lab(folder, configs) as lab:
        lab.start(3)
        lab.until(4)
        lab.start(2, 1)
        lab.until(13.1)
        lab.crash(1)
        lab.until(17.7)
        lab.link(2, False)
        lab.until(25.3)
        lab.link(2, True)
        lab.until(29)
        lab.start(1)
        lab.until(37)


def mixed_sync_partition(folder: Path) -> None:
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    configs = [head() + group + instance(priority) + instance(priority, number=2) for priority in (102, 101)]
    with Lab(folder, configs, interfaces=2) as lab:
        lab.start(1)
        lab.until(1.3)
        lab.start(2)
        lab.until(7.2)
        lab.partition(2)
        lab.until(14.6)
        lab.heal(2)
        lab.until(18.2)
        lab.link(1, False, 1)
        lab.until(19.1)
        lab.link(1, True, 1)
        lab.until(25.5)
        lab.stop(1)
        lab.until(28)


def mixed_owner(folder: Path) -> None:
    owner = head() + instance(255, state="MASTER")
    with Lab(folder, [owner, *plain(200, 100)]) as lab:
        lab.start(1, 2, 3)
        lab.until(4.6)
        lab.stop(1)
        lab.until(7.2)
        lab.link(2, False)
        lab.until(9)
        lab.start(1)
        lab.until(12.5)
        lab.crash(1)
        lab.until(17.3)
        lab.link(2, True)
        lab.until(22.4)
        lab.start(1)
        lab.until(26)


def mixed_bouncing_script(folder: Path) -> None:
    lines = ["weight -20", "fall 3", "rise 2"]
    with Lab(folder, checked(110, 100, lines=lines)) as lab:
        lab.start(1, 2)
        for at, outcome in (
            (6.4, "fail"),
            (8.4, "pass"),
            (9.4, "fail"),
            (13.4, "pass"),
            (14.4, "fail"),
            (16.4, "pass"),
            (20.4, "fail"),
        ):
            lab.until(at)
            lab.script(1, outcome)
        lab.until(31)


def mixed_vmac_interfaces(folder: Path) -> None:
    lines = ["use_vmac", block("track_interface", "eth1"), "advert_int 1"]
    with Lab(folder, plain(110, 100, lines=lines), interfaces=2) as lab:
        lab.start(1, 2)
        lab.until(6.3)
        lab.link(1, False, 1)
        lab.until(11.2)
        lab.link(1, True, 1)
        lab.until(17.7)
        lab.link(1, False, 0)
        lab.until(22.9)
        lab.link(1, True, 0)
        lab.until(28)
        lab.stop(1)
        lab.until(30)


def mixed_reload(folder: Path) -> None:
    configs = plain(110, 105, 100)
    with Lab(folder, configs) as lab:
        lab.start(1, 2, 3)
        lab.until(6.3)
        lab.reload(1)
        lab.until(9.1)
        lab.reload(2, plain(120)[0])
        lab.until(15.4)
        lab.reload(2, configs[1])
        lab.until(20.2)
        lab.crash(2)
        lab.until(26)
