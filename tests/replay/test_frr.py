"""FRR's vrrpd as the judge: the backup of three recordings, replayed from what its LAN carried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replay.lan import CONF, S_NS
from vrrp.capture.replay.prepare import Request, prepare
from vrrp.capture.replay.replay import replay
from vrrp.config import load
from vrrp.config.router_config import convert
from vrrp.protocol.profile import FRR


@pytest.mark.parametrize(
    ("name", "version", "extra"),
    [("frr_v2", 2, ""), ("frr_v3", 3, ""), ("frr_v3_nopreempt", 3, "nopreempt")],
)
def test_the_backup_takes_over_when_it_did(tmp_path: Path, shared: Path, name: str, version: int, extra: str) -> None:
    folder = shared / "recordings" / "frr"
    told = (folder / f"{name}.txt").read_text()
    first, begun = (
        float(re.findall(pattern, told, re.M)[0]) for pattern in (r"^ *(\S+) VRRP", r"^ *(\S+) ======== B.* start")
    )
    text = CONF.replace("51", "5").replace("10.0.0.100", "10.77.0.100")
    file = tmp_path / "b.conf"
    file.write_text(text.replace("priority", f"version {version}\n {extra}\n priority"))
    request = Request(
        files=[folder / f"{name}.pcap"],
        config=convert(load(file, environment={}).config, FRR).router,
        profile=FRR,
        addresses=["10.77.0.2"],
        start=f"{begun - first:.6f}s",
    )
    result = replay(prepare(request).setup)
    recorded, replayed = (stints["VI_1"].stints for stints in (result.recorded, result.sent))
    assert len(recorded) == len(replayed) >= 3
    assert (
        max(abs(ours.first_ns - theirs.first_ns) for ours, theirs in zip(replayed, recorded, strict=True))
        < 0.03 * S_NS
    )
    assert result.differences == []
