"""How the kernel treats the daemon: as it treats keepalived with the same keywords, where that is permitted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon
from linux.lan import Lan, lan
from vrrp.linux import scheduling
from vrrp.linux.scheduling import Scheduling

VRRP_CONF = CONF.replace("advert_int 0.02", "advert_int 1")


def treated(pid: int) -> tuple[int, int, int, bool, set[int]]:
    """Policy, real-time priority, nice value, whether memory is locked, and the processors of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    locked = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmLck:"))
    return (
        os.sched_getscheduler(pid),
        os.sched_getparam(pid).sched_priority,
        os.getpriority(os.PRIO_PROCESS, pid),
        locked > 0,
        os.sched_getaffinity(pid),
    )


def both(net: Lan, keywords: str) -> tuple[object, object]:
    """How ours is treated, and keepalived's VRRP process."""
    conf = f"global_defs {{\n{keywords}\n}}\n{VRRP_CONF}"
    ours = net.vrrp("one", conf)
    parent = net.keepalived("two", conf)
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    net.until(lambda: "Entering BACKUP" in net.log("two").read_text())
    return treated(ours.pid), treated(int(children.read_text().split()[0]))


@pytest.mark.root
@pytest.mark.program("keepalived", "ip", "tcpdump")
@pytest.mark.parametrize(
    "keywords",
    [
        "",
        "vrrp_rt_priority 3",
        "vrrp_rt_priority 200",
        "vrrp_priority -5",
        "vrrp_priority -5\nvrrp_rt_priority 2",
        "vrrp_priority -21",
        "vrrp_no_swap",
        "vrrp_cpu_affinity 0",
    ],
)
def test_as_keepalived(keywords: str, tmp_path: Path) -> None:
    with lan(tmp_path, "one", "two") as net:
        ours, theirs = both(net, keywords)
    if keywords.startswith("vrrp_priority -5") and "rt" not in keywords:
        # Ours is not inherited by what it starts; keepalived takes it back by hand.
        assert isinstance(ours, tuple)
        ours = (ours[0] & ~os.SCHED_RESET_ON_FORK, *ours[1:])
    assert ours == theirs


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("vrrp_rt_priority 50", "vrrp_rt_priority 50 is not possible: not permitted"),
        ("vrrp_no_swap", "vrrp_no_swap is not possible: cannot allocate memory"),
        ("vrrp_rt_priority x", ""),
    ],
)
def test_what_is_not_permitted_is_told_and_done_without(
    keyword: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(scheduling, "_libc", type("Libc", (), {"mlockall": staticmethod(lambda flags: -1)}))
    monkeypatch.setattr("ctypes.get_errno", lambda: 12)
    service = Scheduling()

    async def live() -> None:
        daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), text=f"global_defs {{\n {keyword}\n}}\n{CONF}")
        await service.start(daemon)
        await service.stop()

    asyncio.run(live())
    assert [one.getMessage() for one in caplog.records if one.name == "vrrp.scheduling"] == ([told] if told else [])
