"""Lines as the real programs wrote them: keepalived 2.2.7, and FRR 8.4.4 with `debug vrrp`."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.scenes import CONF
from sim.lab.engine import Entered, Remark, Reprioritized, Said
from sim.lab.frr import Frr
from sim.lab.keepalived import read_line
from vrrp.config import parse

STAMP = "Wed Nov 25 20:45:54 2026: "


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("(VI_1) Entering BACKUP STATE (init)", Entered("VI_1", "BACKUP")),
        ("(VI_1) Entering MASTER STATE", Entered("VI_1", "MASTER")),
        ("(VI (x)) Entering FAULT STATE", Entered("VI (x)", "FAULT")),
        ("(VI_1) Changing effective priority from 100 to 98", Reprioritized("VI_1", 100, 98)),
        ("(VI_1) Receive advertisement timeout", Remark("VI_1", "Receive advertisement timeout")),
        ("(VI_1) removing VIPs.", None),
        ("(VI_1) setting VIPs.", None),
        ("(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.100", None),
        ("Starting VRRP child process, pid=12", None),
        ("", None),
    ],
)
def test_keepalived_with_its_time_and_without(line: str, said: Said | None) -> None:
    assert read_line(line) == said
    assert read_line(STAMP + line) == said


def test_a_day_of_one_digit_has_a_blank_before_it() -> None:
    line = "Sun Nov  1 00:00:00 2026: (VI_1) Entering MASTER STATE"
    assert read_line(line) == Entered("VI_1", "MASTER")


def test_frr_names_the_vrid_and_the_family(tmp_path: Path) -> None:
    engine = Frr("a", "label", tmp_path)
    config, _ = engine.able(parse(CONF.replace("PRIORITY", "100")).config)
    engine.note(config)
    begin = "2026/11/25 20:47:02 VRRP: [W23ZH-NY264] [CORE] "
    assert engine.read(f"{begin}[VRID 51] [IPv4] Initialize -> Backup") == Entered("VI_1", "BACKUP")
    assert engine.read(f"{begin}[VRID 51] [IPv4] Backup -> Master") == Entered("VI_1", "MASTER")
    assert engine.read(f"{begin}[VRID 51] [IPv6] Backup -> Master") is None
    assert engine.read(f"{begin}[VRID 51] [IPv4] Master_Down_Timer expired") is None
