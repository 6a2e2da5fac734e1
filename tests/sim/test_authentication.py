"""A simulated pair with auth_type AH, against keepalived 2.2.7's own frames for the same configuration."""

from __future__ import annotations

from pathlib import Path

from conftest import ROOT
from vrrp.capture.reader import open_capture
from vrrp.cli.main import run
from vrrp.wire.frame import Datagram, parse_frame

RECORDED = ROOT / "tests" / "wire" / "data" / "keepalived_ah.pcap"
CONF = """\
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    authentication {{
        auth_type AH
        auth_pass s3cret
    }}
    virtual_ipaddress {{
        10.99.0.100/24
    }}
}}
"""
SCENARIO = """\
title = "AH"
duration = "14s"
[segments.lan]
[nodes.a]
keepalived = "a.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.99.0.11/24"] }
[nodes.b]
keepalived = "b.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.99.0.12/24"] }
[[events]]
at = "7s"
node = "a"
action = "stop"
"""


def signed(path: Path) -> list[Datagram]:
    with open_capture(path) as capture:
        contents = [parse_frame(packet.data).content for packet in capture]
    return [c for c in contents if isinstance(c, Datagram) and c.authentication is not None]


def test_the_frames_are_keepaliveds(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text(CONF.format(priority=150))
    (tmp_path / "b.conf").write_text(CONF.format(priority=100))
    (tmp_path / "s.toml").write_text(SCENARIO)
    assert run(["sim", str(tmp_path / "s.toml"), "--pcap", str(tmp_path / "s.pcap"), "--json", "-"]) == 0
    ours, theirs = signed(tmp_path / "s.pcap"), signed(RECORDED)
    assert all(datagram.authentication and datagram.authentication.verify(b"s3cret") for datagram in ours)
    sequences = [datagram.authentication.sequence for datagram in ours if datagram.authentication]
    assert sequences == list(range(1, len(ours) + 1))
    # The same router, identification, number and message give the same bytes, check value and all.
    assert ours[:4] == theirs[:4]
    assert {datagram.source[3] for datagram in ours} == {11, 12}
