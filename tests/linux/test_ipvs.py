"""IPVS' commands: to a kernel that is played here, and in words. Their bytes are in tests/lvs, beside keepalived's."""

from __future__ import annotations

import errno
import logging
import socket
import struct
from ipaddress import ip_address
from typing import Any

import pytest

from vrrp.config.lvs.model import Forwarding
from vrrp.linux.lvs.ipvs import Ipvs
from vrrp.linux.lvs.messages import Change, command_line
from vrrp.lvs.effects import (
    AddDestination,
    AddService,
    EditDestination,
    EditService,
    RemoveDestination,
    RemoveService,
)
from vrrp.lvs.service import Destination, Service

FAMILY, CONTROLLER = 0x23, 16
ADD_SERVICE, EDIT_SERVICE, ADD_DESTINATION, EDIT_DESTINATION, FLUSH = 1, 2, 5, 6, 17
WEB = Service(family=4, protocol="TCP", address=ip_address("10.0.0.1"), port=80, scheduler="rr")
SERVER = Destination(address=ip_address("10.0.0.2"), port=8080, forwarding=Forwarding("NAT"), weight=3)


class Kernel:
    """A socket of generic netlink at whose other end IPVS is, which answers with `errors` in turn, then with none."""

    def __init__(self, errors: list[int], there: bool = True) -> None:
        self.errors = errors
        self.there = there
        self.asked: list[int] = []
        self.answers: list[bytes] = []
        self.closed = False

    def bind(self, address: tuple[int, int]) -> None:
        assert address == (0, 0)

    def send(self, data: bytes) -> None:
        _, kind, _, sequence, _ = struct.unpack_from("=IHHII", data)
        if kind == CONTROLLER:
            assert b"IPVS\0" in data
            number = struct.pack("=BBHHHI", 1, 2, 0, 6, 1, FAMILY)
            self.answers += [_answer(CONTROLLER, sequence, number)] if self.there else []
            self.answers.append(_answer(2, sequence, struct.pack("=i", 0 if self.there else -errno.ENOENT)))
            return
        assert kind == FAMILY
        self.asked.append(data[16])
        error = self.errors.pop(0) if self.errors else 0
        self.answers.append(_answer(2, sequence, struct.pack("=i", -error)))

    def recv(self, room: int) -> bytes:
        return self.answers.pop(0)

    def close(self) -> None:
        self.closed = True


def _answer(kind: int, sequence: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, sequence, 0) + body


def connected(monkeypatch: pytest.MonkeyPatch, *errors: int, there: bool = True) -> Kernel:
    kernel = Kernel(list(errors), there)

    def opened(family: int, kind: int, protocol: int) -> Any:
        assert (family, protocol) == (socket.AF_NETLINK, 16)
        return kernel

    monkeypatch.setattr("vrrp.linux.netlink.socket.socket", opened)
    return kernel


def test_a_kernel_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = connected(monkeypatch, there=False)
    with pytest.raises(FileNotFoundError):
        Ipvs()
    assert kernel.closed


def called(value: object) -> str:
    """How a test's case is called: the same in every process, as the order of a set is not."""
    return type(value).__name__ if isinstance(value, Change) else str(value)


@pytest.mark.parametrize(
    ("change", "errors", "asked"),
    [
        (AddService(WEB), [], [ADD_SERVICE]),
        (AddService(WEB), [errno.EEXIST], [ADD_SERVICE, EDIT_SERVICE]),
        (AddDestination(WEB, SERVER), [errno.EEXIST], [ADD_DESTINATION, EDIT_DESTINATION]),
        (RemoveService(WEB), [errno.ESRCH], [3]),
        (RemoveDestination(WEB, SERVER), [errno.ENOENT], [7]),
    ],
    ids=called,
)
def test_what_is_there_is_changed_and_what_is_gone_is_no_loss(
    change: Change,
    errors: list[int],
    asked: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kernel = connected(monkeypatch, *errors)
    ipvs = Ipvs()
    ipvs.carry_out(change)
    assert kernel.asked == asked
    assert not caplog.records
    ipvs.close()
    assert kernel.closed


@pytest.mark.parametrize(
    ("change", "errors", "said"),
    [
        (AddService(WEB), [errno.ENOENT], "IPVS: ipvsadm -A -t 10.0.0.1:80 -s rr: no such file or directory"),
        (EditService(WEB), [errno.EEXIST, errno.EEXIST], "IPVS: ipvsadm -E -t 10.0.0.1:80 -s rr: file exists"),
        (RemoveService(WEB), [errno.EPERM], "IPVS: ipvsadm -D -t 10.0.0.1:80: operation not permitted"),
    ],
    ids=called,
)
def test_what_it_does_not_do_is_told(
    change: Change,
    errors: list[int],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connected(monkeypatch, *errors)
    Ipvs().carry_out(change)
    assert [record.message for record in caplog.records] == [said]


def test_all_services_go_at_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    kernel = connected(monkeypatch, 0, errno.EPERM)
    ipvs = Ipvs()
    ipvs.flush()
    with caplog.at_level(logging.ERROR):
        ipvs.flush()
    assert kernel.asked == [FLUSH, FLUSH]
    assert [record.message for record in caplog.records] == ["IPVS: ipvsadm -C: operation not permitted"]


MARK = Service(
    family=6, fwmark=7, scheduler="sh", flags=frozenset({"sh-port", "sh-fallback"}), persistence_granularity=64
)
MAIL = Service(
    family=6,
    protocol="UDP",
    address=ip_address("fc00::1"),
    port=5060,
    scheduler="wlc",
    one_packet=True,
    persistence_s=50,
    persistence_engine="sip",
)
FAR = Destination(
    address=ip_address("fc00::2"),
    port=0,
    forwarding=Forwarding("TUN", "gue", 6080, "remcsum"),
    weight=1,
    upper_connections=10,
    lower_connections=5,
)
NEAR = Destination(address=ip_address("fc00::3"), port=0, forwarding=Forwarding("TUN"), weight=1)
GRE = Destination(address=ip_address("fc00::3"), port=0, forwarding=Forwarding("TUN", "gre"), weight=1)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (AddService(WEB), "ipvsadm -A -t 10.0.0.1:80 -s rr"),
        (EditService(MARK), "ipvsadm -E -f 7 -6 -s sh -b sh-fallback,sh-port -M 64"),
        (AddService(MAIL), "ipvsadm -A -u [fc00::1]:5060 -s wlc -o -p 50 --pe sip"),
        (RemoveService(MARK), "ipvsadm -D -f 7 -6"),
        (AddDestination(WEB, SERVER), "ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 3"),
        (
            EditDestination(MARK, FAR),
            "ipvsadm -e -f 7 -6 -r [fc00::2]:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum -x 10 -y 5",
        ),
        (AddDestination(MARK, NEAR), "ipvsadm -a -f 7 -6 -r [fc00::3]:0 -i -w 1"),
        (AddDestination(MARK, GRE), "ipvsadm -a -f 7 -6 -r [fc00::3]:0 -i -w 1 --tun-type gre --tun-nocsum"),
        (RemoveDestination(MARK, NEAR), "ipvsadm -d -f 7 -6 -r [fc00::3]:0"),
    ],
    ids=called,
)
def test_a_command_in_words(change: Change, line: str) -> None:
    assert command_line(change) == line
