"""`vrrp audit` as people use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import Vrrp
from conftest import ROOT

DATA = ROOT / "tests" / "audit" / "data"
AH = ROOT / "tests" / "wire" / "data" / "keepalived_ah.pcap"


def test_a_bad_night(vrrp: Vrrp) -> None:
    done = vrrp("audit", DATA / "password_mismatch.pcap")
    assert done.code == 1
    for line in (
        "vrid 51 IPv4: 10.99.0.100",
        "where clients were sent",
        "ERROR a second master that hardly advertises: vrid 51 IPv4",
        "  usual cause: they reject each other's advertisements: password",
        "2 findings",
    ):
        assert line in done.out
    assert "s3cret" not in done.out


def test_a_good_night(vrrp: Vrrp) -> None:
    done = vrrp("audit", DATA / "graceful_stop.pcap")
    assert (done.code, done.err) == (0, "")
    assert "the old master resigned (priority 0); 0." in done.out
    assert done.out.endswith("no findings\n")


def test_json(vrrp: Vrrp, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    assert vrrp("audit", DATA / "crash.pcap", "--json", file).code == 1
    told = json.loads(file.read_text())
    assert json.loads(vrrp("audit", DATA / "crash.pcap", "--json", "-").out) == told
    (router,) = told["virtual_routers"]
    assert (router["vrid"], router["family"], router["addresses"]) == (51, "IPv4", ["10.99.0.100"])
    assert [t["cause"] for t in router["takeovers"]] == ["first", "silence"]
    assert router["takeovers"][1]["formula_s"]["keepalived"] == 3.609375
    assert abs(router["takeovers"][1]["measured_s"] - 3.61) < 0.01
    assert [c["whose"] for c in router["clients"]] == ["10.99.0.11", "10.99.0.12"]
    (finding,) = told["findings"]
    assert (finding["code"], finding["severity"]) == ("takeover-without-goodbye", "warning")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_plot(vrrp: Vrrp, tmp_path: Path, suffix: str) -> None:
    one, other = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for file in (one, other):
        assert vrrp("audit", DATA / "partition.pcap", "--plot", file).code == 1
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size > 5000


def test_verify_authentication_headers(vrrp: Vrrp) -> None:
    assert vrrp("audit", AH, "--password", "s3cret").code == 0
    done = vrrp("audit", AH, "--password", "wrong")
    assert done.code == 1
    assert "(ah-icv)" in done.out


def test_bad_input(vrrp: Vrrp, tmp_path: Path) -> None:
    assert "no-such.pcap: no such file or directory" in vrrp("audit", tmp_path / "no-such.pcap").complaint
    file = tmp_path / "x"
    file.write_bytes(b"hello")
    assert "not a capture: begins with 68 65 6c 6c" in vrrp("audit", file).complaint
    assert ".gif is no picture format" in vrrp("audit", DATA / "crash.pcap", "--plot", tmp_path / "x.gif").complaint


def test_a_capture_cut_short_is_told_as_far_as_it_goes(vrrp: Vrrp, tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes((DATA / "graceful_stop.pcap").read_bytes()[:-7])
    done = vrrp("audit", file)
    assert "inside packet 41" in done.out
    assert json.loads(vrrp("audit", file, "--json", "-").out)["capture"]["packets"] == 40


def test_an_empty_capture(vrrp: Vrrp, tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes((DATA / "crash.pcap").read_bytes()[:24])
    done = vrrp("audit", file, "--plot", tmp_path / "x.png")
    assert (done.code, done.err) == (0, "")
    assert "0 packets" in done.out
    assert "no virtual routers" in done.out
