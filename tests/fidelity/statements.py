"""How recordings came about that show one statement each: a function named as the recording."""

from __future__ import annotations

from pathlib import Path

from fidelity.configurations import block, check, checked, head, instance, plain
from fidelity.lab import Lab


def v2_adv_2s_prio150(folder: Path) -> None:
    with Lab(folder, plain(150, 151, lines=["advert_int 2"])) as lab:
        lab.start(1, 2)
        for crash_at in (13.0, 30.7):
            lab.until(crash_at)
            lab.crash(2)
            lab.until(crash_at + 7.5)
            lab.start(2)
        lab.until(46)


def owner_255_link(folder: Path) -> None:
    owner = head() + instance(255, state="MASTER")
    with Lab(folder, [owner, *plain(100)]) as lab:
        lab.start(1, 2)
        lab.until(5.3)
        lab.link(1, False)
        lab.until(11.1)
        lab.link(1, True)
        lab.until(16)


def script_fails_at_start(folder: Path) -> None:
    with Lab(folder, checked(101, 100, lines=["weight -2", "fall 2", "rise 3"])) as lab:
        lab.script(1, "fail")
        lab.start(1, 2)
        lab.until(6.5)
        lab.script(1, "pass")
        lab.until(16)


def weights_clamped(folder: Path) -> None:
    high = head() + check("weight 10") + instance(253, script=True)
    low = head() + check("weight -20") + instance(5, script=True)
    with Lab(folder, [high, low]) as lab:
        lab.script(2, "fail")
        lab.start(1, 2)
        lab.until(7.2)
        lab.crash(1)
        lab.until(14)


def prio_change_after_refusals(folder: Path) -> None:
    """The lower master's advertisements are refused while the script lowers the waiting router's priority."""
    better = head() + check("weight -60") + instance(200, script=True)
    with Lab(folder, [better, *plain(100)]) as lab:
        lab.start(2)
        lab.until(6)
        lab.start(1)
        lab.until(7.6)
        lab.script(1, "fail")
        lab.until(20)


def garp_refresh(folder: Path) -> None:
    lines = ["garp_master_delay 2", "garp_master_repeat 3", "garp_master_refresh 4", "garp_master_refresh_repeat 2"]
    config = head() + instance(100, *lines, vips=["10.0.0.100/24", "10.0.0.101/24"])
    with Lab(folder, [config]) as lab:
        lab.start(1)
        lab.until(17)


def higher_prio_send_advert(folder: Path) -> None:
    with Lab(folder, plain(101, 100, lines=["higher_prio_send_advert"])) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.partition(2)
        lab.until(12.4)
        lab.heal(2)
        lab.until(16)


def lower_prio_no_advert(folder: Path) -> None:
    with Lab(folder, plain(101, 100, defs=["vrrp_lower_prio_no_advert true"])) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.partition(2)
        lab.until(12.4)
        lab.heal(2)
        lab.until(16)


def auth_mismatch_long(folder: Path) -> None:
    secrets = [block("authentication", "auth_type PASS", f"auth_pass {word}") for word in ("first", "second")]
    with Lab(folder, [head() + instance(100 + n, secret) for n, secret in enumerate(secrets)]) as lab:
        lab.start(1, 2)
        lab.until(25)


def own_link(folder: Path) -> None:
    with Lab(folder, plain(101, 100)) as lab:
        lab.start(1, 2)
        lab.until(6.4)
        lab.link(1, False)
        lab.until(12.2)
        lab.link(1, True)
        lab.until(18)


def track_interface_weight(folder: Path) -> None:
    watching = ["advert_int 1", block("track_interface", "eth1 weight -10")]
    with Lab(folder, plain(105, 100, lines=watching), interfaces=2) as lab:
        lab.start(1, 2)
        lab.until(6.5)
        lab.link(1, False, 1)
        lab.until(13.3)
        lab.link(1, True, 1)
        lab.until(20)


def garp_second_batch(folder: Path) -> None:
    """A first mastership shorter than garp_master_delay, and a second one before that has passed."""
    with Lab(folder, plain(100, 101)) as lab:
        lab.start(1)
        lab.until(1.5)
        lab.start(2)
        lab.until(6)
        lab.stop(2)
        lab.until(14)


def fault_hears_nothing(folder: Path) -> None:
    """Stopped in FAULT and in BACKUP: no good-bye. In FAULT the other's advertisements change nothing."""
    with Lab(folder, checked(101, 100, lines=["fall 1", "rise 1"])) as lab:
        lab.start(1, 2)
        lab.until(6)
        lab.script(1, "fail")
        lab.until(10)
        lab.stop(1)
        lab.until(12)
        lab.script(1, "pass")
        lab.start(1)
        lab.until(14)
        lab.stop(1)
        lab.until(17)


def vip_mismatch(folder: Path) -> None:
    lists = (["10.0.0.100/24", "10.0.0.101/24"], ["10.0.0.100/24", "10.0.0.102/24"])
    with Lab(folder, [head() + instance(100 + n, vips=vips) for n, vips in enumerate(lists)]) as lab:
        lab.start(1, 2)
        lab.until(12)


def v6_pair(folder: Path) -> None:
    lines = ["advert_int 1", "use_vmac"]
    with Lab(
        folder, [head() + instance(p, *lines, vips=["fe80::100/64", "2001:db8::100/64"]) for p in (101, 100)]
    ) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.stop(1)
        lab.until(9)


def unicast_v3(folder: Path) -> None:
    configs = []
    for number, priority in enumerate((101, 100), 1):
        peer = block("unicast_peer", f"10.0.0.{3 - number}")
        configs.append(head() + instance(priority, "version 3", peer, vips=["10.0.0.101/24", "10.0.0.100/24"]))
    with Lab(folder, configs) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.stop(1)
        lab.until(9)


def garp_paced(folder: Path) -> None:
    """vrrp_garp_interval with three addresses, and with garp_master_repeat 1."""
    with Lab(
        folder,
        [
            head("vrrp_garp_interval 0.2")
            + instance(100, "garp_master_delay 2", *more, vips=[f"10.0.0.{100 + n}/24" for n in range(3)])
            for more in ((), ("garp_master_repeat 1",))
        ],
    ) as lab:
        lab.start(1)
        lab.until(8)
        lab.crash(1)
        lab.until(8.2)
        lab.start(2)
        lab.until(16)


def pause_six_seconds(folder: Path) -> None:
    with Lab(folder, plain(100, 101)) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.pause(2)
        lab.until(12.5)
        lab.resume(2)
        lab.until(16)


def refusals(folder: Path) -> None:
    """Seven masters, because r1 refuses each of the others for another reason; its log is kept."""
    right, wrong = (block("authentication", "auth_type PASS", f"auth_pass {word}") for word in ("right", "wrong"))
    two = ["10.0.0.100/24", "10.0.0.101/24"]
    configs = [
        instance(100, right),
        instance(100, wrong),
        instance(100),
        instance(100, right, "advert_int 2"),
        instance(100, "version 3"),
        instance(100, right, vips=["10.0.0.99/24"]),
        instance(100, right, vips=two),
    ]
    with Lab(folder, [head() + config for config in configs], logs=[1]) as lab:
        lab.start(1, 2, 3, 4, 5, 6, 7)
        lab.until(14)


def child_killed(folder: Path) -> None:
    with Lab(folder, plain(100, 101)) as lab:
        lab.start(1, 2)
        lab.until(6.3)
        lab.crash_child(2)
        lab.until(15)


def garp_lower_delay(folder: Path) -> None:
    """A lower master is heard three times within garp_lower_prio_delay: it is cut off for a while each time."""
    lines = ["version 3", "advert_int 0.5", "garp_lower_prio_repeat 2"]
    with Lab(folder, plain(200, 100, lines=lines)) as lab:
        lab.start(1, 2)
        for cut_at, heal_at in ((2.45, 4.75), (5.0, 7.1), (7.35, 9.35)):
            lab.until(cut_at)
            lab.partition(2)
            lab.until(heal_at)
            lab.heal(2)
        lab.until(17)


def script_hang_overtaken(folder: Path) -> None:
    """A run hangs, the next one passes before the timeout of the first."""
    with Lab(folder, checked(101, 100, lines=["interval 2", "timeout 3", "fall 1", "rise 1"])) as lab:
        lab.start(1, 2)
        lab.until(6.5)
        lab.script(1, "hang")
        lab.until(9)
        lab.script(1, "unhang")
        lab.until(14)


def script_hang_overtaken_in_step(folder: Path) -> None:
    """The same with a timeout that ends just after another run has begun."""
    with Lab(folder, checked(101, 100, lines=["interval 1", "timeout 3", "fall 1", "rise 1"])) as lab:
        lab.start(1, 2)
        lab.until(6.5)
        lab.script(1, "hang")
        lab.until(7.5)
        lab.script(1, "unhang")
        lab.until(16)


def owner_255_startup_delay(folder: Path) -> None:
    """An owner that waits for its script's first result does not wait for vrrp_startup_delay as well."""
    owner = head("vrrp_startup_delay 1.5") + check("fall 1", "rise 1") + instance(255, script=True, state="MASTER")
    with Lab(folder, [owner, *plain(100)]) as lab:
        lab.start(1, 2)
        lab.until(5)


def unicast_sync(folder: Path) -> None:
    """A link lost and found again, of a sync group with unicast peers."""
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    configs = []
    for number, priority in enumerate((101, 100), 1):
        peers = [block("unicast_peer", f"10.{net}.0.{3 - number}") for net in (0, 1)]
        both = [instance(priority, peer, number=net) for net, peer in enumerate(peers, 1)]
        configs.append(head() + group + "".join(both))
    with Lab(folder, configs, interfaces=2) as lab:
        lab.start(1, 2)
        lab.until(6.2)
        lab.link(1, False, 1)
        lab.until(11.3)
        lab.link(1, True, 1)
        lab.until(17)


def vmac_mixed(folder: Path) -> None:
    """vmac_xmit_base on one router only, which does not hear the other's virtual MAC."""
    with Lab(folder, [*plain(101, lines=["use_vmac", "vmac_xmit_base"]), *plain(102, lines=["use_vmac"])]) as lab:
        lab.start(1, 2)
        lab.until(9)


def owner_255_init_fail(folder: Path) -> None:
    """A first success after init_fail lets an owner with `state MASTER` be master at once, like any first result."""
    script = check("fall 2", "rise 3", "init_fail")
    with Lab(folder, [head() + script + instance(255, script=True, state="MASTER"), *plain(100)]) as lab:
        lab.start(1, 2)
        lab.until(5)


def owner_255_first_failure(folder: Path) -> None:
    script = check("fall 1", "rise 1", "init_fail")
    with Lab(folder, [head() + script + instance(255, script=True, state="MASTER"), *plain(100)]) as lab:
        lab.script(1, "fail")
        lab.start(1, 2)
        lab.until(2.5)
        lab.script(1, "pass")
        lab.until(7)


def startup_delay_reload(folder: Path) -> None:
    """A reload while vrrp_startup_delay lasts."""
    with Lab(folder, plain(101, 100, defs=["vrrp_startup_delay 3"])) as lab:
        lab.start(1, 2)
        lab.until(1.3)
        lab.reload(1)
        lab.until(10)


def child_killed_often(folder: Path) -> None:
    """The VRRP process killed again and again: each time its parent waits twice as long."""
    with Lab(folder, plain(100)) as lab:
        lab.start(1)
        for at in (1, 3, 6, 10.5, 17):
            lab.until(at)
            lab.crash_child(1)
        lab.until(27)


def child_killed_anew(folder: Path) -> None:
    """A parent started anew waits no longer for what befell the one before it."""
    with Lab(folder, plain(100)) as lab:
        lab.start(1)
        lab.until(1)
        lab.crash_child(1)
        lab.until(2.2)
        lab.stop(1)
        lab.until(4)
        lab.start(1)
        lab.until(5)
        lab.crash_child(1)
        lab.until(7)


def sync_lower(folder: Path) -> None:
    """The master of a sync group wakes and finds the other's lower advertisements."""
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    configs = [head() + group + instance(priority) + instance(priority, number=2) for priority in (101, 100)]
    with Lab(folder, configs, interfaces=2) as lab:
        lab.start(1, 2)
        lab.until(5.2)
        lab.pause(1)
        lab.until(9.8)
        lab.resume(1)
        lab.until(16)
