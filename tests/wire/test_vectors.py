"""Packets whose bytes are known from elsewhere: the RFC notes' own, and those in other projects' tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import EthernetFrame, group_mac, parse_ethernet, virtual_mac
from vrrp.wire.frame import Datagram, parse_frame
from vrrp.wire.ip import IpPacket, parse_ipv4, parse_ipv6

PLAIN = ChecksumForm.PLAIN
PSEUDO = ChecksumForm.PSEUDO_HEADER
Ends = tuple[str, str]
"""Source and destination of the IP header."""
V4: Ends = ("192.0.2.10", "224.0.0.18")
V6: Ends = ("fe80::a", "ff02::12")

# All but the first were also produced by scapy.
VECTORS = [
    pytest.param(
        "310164010064a897c0000201", V4, Advertisement(3, 1, 100, 100, ["192.0.2.1"]), PLAIN, id="v3-ipv4-plain"
    ),
    pytest.param(
        "31016401006405fec0000201", V4, Advertisement(3, 1, 100, 100, ["192.0.2.1"]), PSEUDO, id="v3-ipv4-pseudo"
    ),
    pytest.param(
        "3101640200644024fe80000000000000000000000000000120010db8000000000000000000000001",
        V6,
        Advertisement(3, 1, 100, 100, ["fe80::1", "2001:db8::1"]),
        PSEUDO,
        id="v3-ipv6",
    ),
    pytest.param(
        "210164010001b8fac00002010000000000000000",
        V4,
        Advertisement(2, 1, 100, 100, ["192.0.2.1"]),
        PLAIN,
        id="v2-no-authentication",
    ),
    pytest.param(
        "2101640101017baec00002017365637265740000",
        V4,
        Advertisement(2, 1, 100, 100, ["192.0.2.1"], auth_type=1, auth_data=b"secret"),
        PLAIN,
        id="v2-password",
    ),
]


@pytest.mark.parametrize(("text", "ends", "meaning", "form"), VECTORS)
def test_vector_decodes(text: str, ends: Ends, meaning: Advertisement, form: ChecksumForm) -> None:
    decoded = decode(bytes.fromhex(text), ttl=255, source=ends[0], destination=ends[1])
    assert decoded == meaning
    assert decoded.checksum_form is form


@pytest.mark.parametrize(("text", "ends", "meaning", "form"), VECTORS)
def test_vector_is_encoded(text: str, ends: Ends, meaning: Advertisement, form: ChecksumForm) -> None:
    source, destination = ends
    assert encode(meaning, checksum=form, source=source, destination=destination).hex() == text
    decoded = decode(bytes.fromhex(text), source=source, destination=destination)
    assert encode(decoded, source=source, destination=destination).hex() == text


@pytest.mark.parametrize(
    ("policy", "plain", "pseudo"),
    [
        (ChecksumPolicy.PLAIN, PLAIN, DecodeReason.CHECKSUM),
        (ChecksumPolicy.PSEUDO_HEADER, DecodeReason.CHECKSUM, PSEUDO),
        (ChecksumPolicy.EITHER, PLAIN, PSEUDO),
        (ChecksumPolicy.UNCHECKED, None, None),
    ],
)
def test_policy_says_which_sum_counts_over_ipv4(policy: ChecksumPolicy, plain: object, pseudo: object) -> None:
    def outcome(text: str, destination: str) -> object:
        try:
            whole = bytes.fromhex(text)
            return decode(whole, source="192.0.2.10", destination=destination, checksum=policy).checksum_form
        except DecodeError as error:
            return error.reason

    assert outcome("310164010064a897c0000201", "224.0.0.18") is plain
    assert outcome("31016401006405fec0000201", "224.0.0.18") is pseudo
    elsewhere = None if policy is ChecksumPolicy.UNCHECKED else DecodeReason.CHECKSUM
    assert outcome("31016401006405fec0000201", "192.0.2.11") is elsewhere


@pytest.mark.parametrize("policy", [ChecksumPolicy.PLAIN, ChecksumPolicy.PSEUDO_HEADER, ChecksumPolicy.EITHER])
@pytest.mark.parametrize(("text", "ends", "meaning", "form"), VECTORS[2:])
def test_policy_leaves_version_2_and_ipv6_alone(
    text: str, ends: Ends, meaning: Advertisement, form: ChecksumForm, policy: ChecksumPolicy
) -> None:
    decoded = decode(bytes.fromhex(text), source=ends[0], destination=ends[1], checksum=policy)
    assert decoded == meaning
    assert decoded.checksum_form is form


# Packets out of other projects' tests.


@dataclass(frozen=True)
class Row:
    """One line of third_party_packets.jsonl, and what we say about it: fields, or why it is refused."""

    project: str
    layer: str
    fragment: str
    """What its note must contain, to know the row."""
    verdict: DecodeReason | tuple[int, int, int, int, tuple[str, ...]]
    """Version, VRID, priority, interval_cs, addresses; or the reason."""
    form: ChecksumForm | None = None
    unchecked: tuple[int, int, int, int, tuple[str, ...]] | None = None
    """What it says where the sum is not asked."""
    v6: bool = False


ROWS = [
    Row("gopacket/gopacket", "ethernet", "VRRPv2 vrid 1", (2, 1, 100, 100, ("192.168.0.1",)), PLAIN),
    Row("kbandla/dpkt", "vrrp", "VRRPv2 vrid 1", (2, 1, 100, 100, ("192.168.0.1",)), PLAIN),
    Row("kbandla/dpkt", "vrrp", "bad version", DecodeReason.VERSION),
    Row("secdev/scapy", "ipv4", "zero addresses, TTL 64", DecodeReason.TTL),
    Row("secdev/scapy", "ipv6", "no address (truncated)", DecodeReason.TTL, v6=True),
    Row("holo-routing/holo", "vrrp", "VRRPv2 vrid 51", (2, 51, 30, 100, ("10.0.1.5",)), PLAIN),
    Row(
        "holo-routing/holo",
        "vrrp",
        "VRRPv3 IPv6 vrid 1",
        DecodeReason.CHECKSUM,
        unchecked=(3, 1, 22, 1, ("2001:db8::370:7334",)),
        v6=True,
    ),
    Row("Trisia/govrrp", "vrrp", "vrid 240", DecodeReason.CHECKSUM, unchecked=(3, 240, 100, 100, ("192.168.0.230",))),
    Row("seladb/PcapPlusPlus", "ethernet", "NO 8-byte auth data", DecodeReason.TRUNCATED),
    Row("seladb/PcapPlusPlus", "ethernet", "VRRPv3 IPv4", (3, 1, 100, 1, ("192.168.0.1", "192.168.0.2")), PSEUDO),
    Row(
        "seladb/PcapPlusPlus",
        "ethernet",
        "VRRPv3 IPv6",
        (3, 1, 100, 1, ("fe80::254", "2001:db8::1", "2001:db8::2")),
        PSEUDO,
        v6=True,
    ),
]


@pytest.fixture(scope="module")
def third_party(shared: Path) -> list[dict[str, Any]]:
    path = shared / "captures" / "_vectors" / "third_party_packets.jsonl"
    if not path.is_file():
        pytest.skip(f"no third-party packets: there is no {path.name} in the recordings")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def found(row: Row, third_party: list[dict[str, Any]]) -> dict[str, Any]:
    (line,) = [
        line
        for line in third_party
        if (line["repo"], line["layer"]) == (row.project, row.layer) and row.fragment in line["note"]
    ]
    return line


def datagram(row: Row, raw: bytes) -> Datagram:
    """The message with an IP header around it: its own, or the usual one."""
    if row.layer == "ethernet":
        content = parse_frame(raw).content
        assert isinstance(content, Datagram)
        return content
    if row.layer == "vrrp":
        ends = V6 if row.v6 else V4
        return Datagram(ip_address(ends[0]).packed, ip_address(ends[1]).packed, 255, raw)
    packet = parse_ipv6(raw) if row.v6 else parse_ipv4(raw)
    return Datagram(packet.source, packet.destination, packet.ttl, packet.payload)


def judged(heard: Datagram, *, ttl: int, policy: ChecksumPolicy) -> Advertisement | DecodeReason:
    try:
        return decode(heard.payload, source=heard.source, destination=heard.destination, ttl=ttl, checksum=policy)
    except DecodeError as error:
        return error.reason


def summary(decoded: Advertisement | DecodeReason) -> object:
    if isinstance(decoded, DecodeReason):
        return decoded
    a = decoded
    return a.version, a.vrid, a.priority, a.interval_cs, tuple(map(str, a.ip_addresses))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.project}: {row.fragment}")
def test_third_party_packet(row: Row, third_party: list[dict[str, Any]]) -> None:
    line = found(row, third_party)
    heard = datagram(row, bytes.fromhex(line["hex"]))
    decoded = judged(heard, ttl=heard.ttl, policy=ChecksumPolicy.EITHER)
    assert summary(decoded) == row.verdict
    if isinstance(decoded, Advertisement):
        assert decoded.checksum_form is row.form
        again = encode(decoded, source=heard.source, destination=heard.destination)
        assert again == heard.payload
        assert line.get("cksum_plain_ok", False) is (row.form is PLAIN)
        assert line.get("cksum_pseudo_ok", False) is (row.form is PSEUDO)
    if row.unchecked is not None:
        assert summary(judged(heard, ttl=255, policy=ChecksumPolicy.UNCHECKED)) == row.unchecked


def test_each_third_party_packet_has_its_row(third_party: list[dict[str, Any]]) -> None:
    messages = [line for line in third_party if not line["layer"].endswith("-header")]
    assert [found(row, third_party) for row in ROWS] == messages


def test_third_party_message_behind_its_wrong_ttl(third_party: list[dict[str, Any]]) -> None:
    empty = datagram(ROWS[3], bytes.fromhex(found(ROWS[3], third_party)["hex"]))
    assert empty.ttl == 64
    decoded = judged(empty, ttl=255, policy=ChecksumPolicy.EITHER)
    assert summary(decoded) == (2, 1, 100, 100, ())
    cut = datagram(ROWS[4], bytes.fromhex(found(ROWS[4], third_party)["hex"]))
    assert judged(cut, ttl=255, policy=ChecksumPolicy.EITHER) is DecodeReason.TRUNCATED


def test_holos_headers_are_what_we_build(third_party: list[dict[str, Any]]) -> None:
    ethernet, ip = (
        next(bytes.fromhex(line["hex"]) for line in third_party if line["layer"] == layer)
        for layer in ("ethernet-header", "ipv4-header")
    )
    group = ip_address("224.0.0.18").packed
    built = IpPacket(ip_address("192.168.100.2").packed, group, 112, bytes(20)).build()
    assert built[:20] == ip
    assert EthernetFrame(group_mac(group), virtual_mac(51, 4), 0x0800, b"").build() == ethernet
    assert parse_ethernet(ethernet + built).source == virtual_mac(51, 4)
