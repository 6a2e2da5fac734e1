"""Each entry of the catalogue, from packets made to show it; and the same without it."""
# A case is a lambda of several steps, for which a tuple of their (empty) results does.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.test_stories import STORIES, told
from capture.builders import Record, pcap
from vrrp.capture.audit.findings import CATALOGUE, Findings, Severity
from vrrp.capture.audit.report import Audit, audit
from vrrp.capture.reader import open_capture
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.arp import ArpPacket, gratuitous_arp
from vrrp.wire.authentication_header import authenticate
from vrrp.wire.checksum import ChecksumForm, complement, pseudo_residue, residue
from vrrp.wire.ethernet import ARP, BROADCAST, IPV4, IPV6, EthernetFrame, group_mac
from vrrp.wire.hmac_trailer import HmacTrailer
from vrrp.wire.ip import IpPacket
from vrrp.wire.neighbor import unsolicited_advertisement

S = 1_000_000_000
GROUP = pack("224.0.0.18")
VIP = "10.0.0.100"
A2 = Advertisement(2, 51, 100, 100, [VIP])
A3 = Advertisement(3, 51, 100, 100, [VIP])


def mac(host: int) -> bytes:
    return bytes((2, 0, 0, 0, 0, host))


def ip(host: int) -> bytes:
    return bytes((10, 0, 0, host))


class Lan:
    """A capture while it is made; times in seconds."""

    def __init__(self) -> None:
        self.records: list[tuple[float, bytes]] = []
        self._numbers: dict[int, int] = {}

    def frame(self, at: float, raw: bytes) -> None:
        self.records.append((at, raw))

    def packet(self, at: float, host: int, packet: IpPacket) -> None:
        kind = IPV4 if len(packet.source) == 4 else IPV6
        to = group_mac(packet.destination) if packet.destination[0] >= 224 else mac(packet.destination[3])
        self.frame(at, EthernetFrame(to, mac(host), kind, packet.build()).build())

    def advert(self, at: float, host: int, a: Advertisement = A2, **changes: object) -> None:
        """One advertisement; `payload`, `ttl`, `to` and `key` as wanted."""
        to = changes.get("to", GROUP)
        assert isinstance(to, bytes)
        payload = changes.get("payload") or encode(a, source=ip(host), destination=to)
        assert isinstance(payload, bytes)
        self._numbers[host] = self._numbers.get(host, 0) + 1
        ttl = changes.get("ttl", 255)
        assert isinstance(ttl, int)
        packet = IpPacket(ip(host), to, 112, payload, ttl, identification=self._numbers[host])
        sequence = changes.get("sequence")
        if isinstance(sequence, int):
            packet = authenticate(packet, sequence, b"key")
        self.packet(at, host, packet)

    def steady(self, host: int, a: Advertisement = A2, *, start: int = 0, end: int = 20, **changes: object) -> None:
        for at in range(start, end):
            self.advert(at, host, a, **changes)

    def announce(self, at: float, host: int, address: str = VIP) -> None:
        body = gratuitous_arp(pack(address), mac(host)).build()
        self.frame(at, EthernetFrame(BROADCAST, mac(host), ARP, body).build())

    def answer(self, at: float, host: int) -> None:
        body = ArpPacket(2, mac(host), pack(VIP), mac(200), ip(200)).build()
        self.frame(at, EthernetFrame(mac(200), mac(host), ARP, body).build())

    def igmp(self, at: float, host: int, payload: bytes) -> None:
        self.packet(at, host, IpPacket(ip(host), pack("224.0.0.22"), 2, payload, 1))

    def audited(self, tmp_path: Path) -> Audit:
        records: list[Record] = [
            (1_700_000_000 * S + round(at * S), raw, len(raw)) for at, raw in sorted(self.records, key=lambda r: r[0])
        ]
        file = tmp_path / "x.pcap"
        file.write_bytes(pcap(records, nanoseconds=True))
        with open_capture(file) as capture:
            return audit(capture, key=b"key")


def codes(result: Audit) -> set[str]:
    return {finding.code for finding in result.findings}


def healthy(lan: Lan) -> None:
    lan.announce(0.1, 1)
    lan.steady(1)


def two_talkers(lan: Lan) -> None:
    lan.steady(1)
    for at in range(20):
        lan.advert(at + 0.4, 2, replace(A2, priority=90))


def other_password(lan: Lan) -> None:
    signed = replace(A2, auth_type=1, auth_data=b"one")
    lan.steady(1, signed)
    lan.advert(5.5, 2, replace(signed, priority=200, auth_data=b"two"))
    lan.advert(16.5, 2, replace(signed, priority=0, auth_data=b"two"))


def wrong_sum(lan: Lan) -> None:
    good = encode(replace(A2, priority=90))
    lan.steady(1)
    lan.advert(5.5, 2, payload=good[:6] + bytes((good[6] ^ 1,)) + good[7:])


def old_unicast(lan: Lan) -> None:
    to = ip(9)
    message = encode(A3, source=ip(1), destination=to)
    bare = message[:6] + bytes(2) + message[8:]
    total = residue(bare) + pseudo_residue(ip(1), GROUP, len(bare))
    lan.steady(1, to=to, payload=bare[:6] + complement(total).to_bytes(2, "big") + bare[8:])


def carp(lan: Lan, vhid: int) -> None:
    lan.steady(1)
    message = bytes((0x21, vhid, 0, 7, 0, 1, 0, 0)) + bytes(28)
    lan.packet(3.5, 7, IpPacket(ip(7), GROUP, 112, message))


def report(group: str) -> bytes:
    return bytes((0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0)) + pack(group)


def no_membership(lan: Lan) -> None:
    lan.steady(1, end=30)
    lan.igmp(1.5, 250, bytes((0x11, 100)) + bytes(6))
    lan.igmp(2.5, 1, report("239.1.1.1"))


def lost(lan: Lan) -> None:
    lan.steady(1, end=10)
    lan.steady(1, start=11)


def late(lan: Lan) -> None:
    lan.steady(1, end=10)
    lan.advert(10.6, 1)
    lan.steady(1, start=12)


def signed(lan: Lan, sequences: list[int]) -> None:
    for at, sequence in enumerate(sequences):
        lan.advert(at, 1, replace(A2, auth_type=2), sequence=sequence)


def foreign_spi(lan: Lan) -> None:
    packet = authenticate(IpPacket(ip(2), GROUP, 112, encode(replace(A2, auth_type=2))), 1, b"key")
    lan.packet(0, 2, replace(packet, source=ip(3)))


def stale(lan: Lan) -> None:
    lan.steady(1, end=5)
    lan.announce(0.1, 1)
    lan.steady(2, replace(A2, priority=200), start=5)
    lan.announce(5.1, 2)
    lan.announce(5.2, 1)


def takeover(lan: Lan, announced: bool) -> None:
    lan.announce(0.1, 1)
    lan.steady(1, end=5)
    lan.advert(5, 1, replace(A2, priority=0))
    lan.steady(2, replace(A2, priority=99), start=6)
    if announced:
        lan.announce(6.1, 2)


def ipv6(lan: Lan) -> None:
    a = Advertisement(3, 51, 100, 100, ["fe80::100"])
    source, to = pack("fe80::1"), pack("ff02::12")
    for at in range(10):
        lan.packet(at, 1, IpPacket(source, to, 112, encode(a, source=source, destination=to)))
    lan.packet(0.1, 1, unsolicited_advertisement(pack("fe80::100"), mac(1), router=True))


CASES: list[tuple[str, Callable[[Lan], object], set[str]]] = [
    ("healthy", healthy, set()),
    ("IPv6", ipv6, set()),
    ("two talkers", two_talkers, {"two-masters"}),
    ("other password", other_password, {"password", "silent-second-master"}),
    ("ttl", lambda lan: lan.steady(1, ttl=254), {"ttl"}),
    ("unicast may have any ttl", lambda lan: lan.steady(1, ttl=64, to=ip(9)), set()),
    ("wrong sum", wrong_sum, {"checksum"}),
    ("plain sum", lambda lan: lan.steady(1, replace(A3, checksum_form=ChecksumForm.PLAIN)), {"checksum-plain"}),
    ("old unicast sum", old_unicast, {"checksum-old-unicast"}),
    (
        "two forms",
        lambda lan: (
            lan.steady(1, A3),
            lan.advert(4.5, 2, replace(A3, priority=90, checksum_form=ChecksumForm.PLAIN)),
        ),
        {"checksum-plain", "checksum-forms", "silent-second-master"},
    ),
    ("cut", lambda lan: (lan.steady(1), lan.advert(3.5, 2, payload=encode(A2)[:12])), {"malformed"}),
    ("empty", lambda lan: (lan.steady(1), lan.advert(3.5, 2, payload=b"!")), {"malformed"}),
    (
        "unicast and multicast",
        lambda lan: (lan.steady(1), lan.advert(3.5, 2, replace(A2, priority=90), to=ip(1))),
        {"mixed-addressing", "silent-second-master"},
    ),
    (
        "two owners",
        lambda lan: (
            lan.steady(1, replace(A2, priority=255), end=5),
            lan.steady(2, replace(A2, priority=255), start=5),
        ),
        {"two-owners"},
    ),
    ("carp, same number", lambda lan: carp(lan, 51), {"carp-same-vrid"}),
    ("carp, another number", lambda lan: carp(lan, 7), {"carp"}),
    ("no membership", no_membership, {"no-igmp-report"}),
    (
        "membership",
        lambda lan: (no_membership(lan), lan.igmp(3, 1, report("224.0.0.18"))),
        set(),
    ),
    (
        "membership of version 2",
        lambda lan: (no_membership(lan), lan.igmp(3, 1, bytes((0x16, 0, 0, 0)) + GROUP)),
        set(),
    ),
    ("nobody queries", lambda lan: (lan.steady(1, end=300), lan.igmp(3, 1, report("224.0.0.18"))), {"no-querier"}),
    ("lost", lost, {"lost-advertisements"}),
    ("late", late, {"late-advertisements"}),
    (
        "a tenth of the interval",
        lambda lan: [lan.advert(at / 10, 1) for at in range(40)],
        {"interval-not-kept"},
    ),
    ("signed", lambda lan: signed(lan, [1, 2, 3]), set()),
    ("replayed", lambda lan: signed(lan, [1, 2, 2]), {"ah-sequence"}),
    ("foreign SPI", foreign_spi, {"ah-spi", "ah-icv"}),
    ("stale ARP", stale, {"stale-arp"}),
    ("announced", lambda lan: takeover(lan, announced=True), set()),
    ("not announced", lambda lan: takeover(lan, announced=False), {"no-gratuitous-arp"}),
    ("a stranger", lambda lan: (healthy(lan), lan.announce(5, 66)), {"address-elsewhere"}),
    ("two answers", lambda lan: (healthy(lan), lan.answer(5, 66), lan.answer(6, 1)), {"two-answers"}),
    ("nobody follows", lambda lan: (lan.steady(1, end=5), lan.steady(3, replace(A2, vrid=9))), {"no-master"}),
    ("back alone", lambda lan: (lan.steady(1, end=5), lan.steady(1, start=12)), {"no-master"}),
    (
        "another cluster",
        lambda lan: (lan.steady(1), lan.advert(5.5, 2, replace(A2, priority=90, addresses=(ip(9),)))),
        {"duplicate-vrid", "address-list"},
    ),
    (
        "equal priorities",
        lambda lan: (lan.steady(1, end=5), lan.advert(5, 1, replace(A2, priority=0)), lan.steady(2, start=6)),
        {"equal-priorities"},
    ),
    (
        "a trailer",
        lambda lan: lan.steady(1, payload=encode(A2) + HmacTrailer(1, 5, 6, 7, bytes(16)).build()),
        {"hmac-trailer"},
    ),
]


@pytest.mark.parametrize(("make", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_made_to_show_it(make: Callable[[Lan], object], expected: set[str], tmp_path: Path) -> None:
    lan = Lan()
    make(lan)
    result = lan.audited(tmp_path)
    assert codes(result) == expected
    assert result.wrong is any(CATALOGUE[code].severity is not Severity.NOTE for code in expected)
    assert result.as_json()["findings"] == [] or expected


def test_the_clock_goes_back(tmp_path: Path) -> None:
    lan = Lan()
    lan.steady(1)
    records: list[Record] = [(round(at * S), raw, len(raw)) for at, raw in lan.records]
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap([*records[10:], *records[:10]]))
    assert codes(told(file)) >= {"time-backwards"}


def test_every_entry_is_shown_by_some_test() -> None:
    shown = set().union(*(expected for _, _, expected in CASES), *(expected for _, expected in STORIES))
    never = set(CATALOGUE) - shown - {"time-backwards", "version", "interval", "authentication-type", "slow-takeover"}
    assert never == set()


def test_more_findings_than_are_kept_are_counted() -> None:
    findings = Findings()
    for number in range(Findings.LIMIT + 5):
        findings.add("ttl", "vrid 1", number, 0, 1)
    assert len(findings.sorted()) == Findings.LIMIT
    assert findings.beyond_limit == 5
