"""Words nearest to a word, the interfaces of this machine, pcap files."""

from __future__ import annotations

import struct
from pathlib import Path

import netifaces
import pytest

import vrrp.interfaces
from vrrp.capture.pcap import SNAPLEN, open_pcap
from vrrp.words import nearest


@pytest.mark.parametrize(
    ("word", "known", "end"),
    [
        ("crsh", ["start", "crash"], "did you mean 'crash'?"),
        ("zzz", ["start", "crash"], "known: start, crash"),
        ("zzz", [], "known: none"),
        ("a", iter(["b", "c"]), "known: b, c"),
    ],
)
def test_nearest(word: str, known: list[str], end: str) -> None:
    assert nearest(word, known) == end


def test_the_interfaces_of_this_machine() -> None:
    found = vrrp.interfaces.local_interfaces()
    assert set(found) == set(netifaces.interfaces())
    assert "127.0.0.1" in found["lo"]
    assert not any("%" in address for addresses in found.values() for address in addresses)


def test_addresses_of_both_families_without_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "eth0": {
            netifaces.AF_INET: [{"addr": "10.0.0.1", "mask": "255.255.255.0"}, {"addr": "10.0.0.2"}],
            netifaces.AF_INET6: [{"addr": "fe80::1%eth0"}],
        },
        "eth1": {},
    }
    monkeypatch.setattr(netifaces, "interfaces", lambda: list(entries))
    monkeypatch.setattr(netifaces, "ifaddresses", lambda name: entries[name])
    assert vrrp.interfaces.local_interfaces() == {"eth0": ("10.0.0.1", "10.0.0.2", "fe80::1"), "eth1": ()}


def test_an_empty_capture_is_a_capture(tmp_path: Path) -> None:
    with open_pcap(tmp_path / "x.pcap"):
        pass
    header = (tmp_path / "x.pcap").read_bytes()
    assert struct.unpack("<IHHiIII", header) == (0xA1B23C4D, 2, 4, 0, 0, SNAPLEN, 1)


def test_frames_with_their_nanoseconds(tmp_path: Path) -> None:
    with open_pcap(tmp_path / "x.pcap") as writer:
        writer.write(1_000_000_007, b"frame")
        writer.write(4_294_967_295_999_999_999, b"")
    raw = (tmp_path / "x.pcap").read_bytes()[24:]
    assert raw[:21] == struct.pack("<IIII", 1, 7, 5, 5) + b"frame"
    assert raw[21:] == struct.pack("<IIII", 4_294_967_295, 999_999_999, 0, 0)


def test_a_frame_longer_than_the_snapshot_is_cut_and_says_so(tmp_path: Path) -> None:
    with open_pcap(tmp_path / "x.pcap") as writer:
        writer.write(0, bytes(SNAPLEN + 5))
    raw = (tmp_path / "x.pcap").read_bytes()[24:]
    assert struct.unpack_from("<IIII", raw) == (0, 0, SNAPLEN, SNAPLEN + 5)
    assert len(raw) == 16 + SNAPLEN


def test_a_capture_that_breaks_off_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), open_pcap(tmp_path / "x.pcap"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
