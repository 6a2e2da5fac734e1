"""tcpdump and tshark read what we build: they must find no fault in it and print what we meant."""

from __future__ import annotations

import io
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace

import dpkt
import pytest

from conftest import PROGRAM_PATH
from vrrp.wire.address import ALL_NODES_V6, VRRP_GROUP_V4, VRRP_GROUP_V6, pack, text
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.ethernet import (
    ARP,
    BROADCAST,
    IPV4,
    IPV6,
    EthernetFrame,
    group_mac,
    mac_text,
    virtual_mac,
)
from vrrp.wire.ip import IpPacket, renumber
from vrrp.wire.neighbor import unsolicited_advertisement

ROUTERS = {4: pack("10.0.0.2"), 16: pack("fe80::2")}
GROUPS = {4: VRRP_GROUP_V4, 16: VRRP_GROUP_V6}
ETHERTYPES = {4: IPV4, 16: IPV6}
VLANS: tuple[tuple[int, ...], ...] = ((), (30,), (100, 30))
PLAIN = ChecksumForm.PLAIN


@dataclass(frozen=True)
class Specimen:
    """A frame, and what was meant by it."""

    frame: EthernetFrame
    ip: IpPacket | None
    """None for ARP."""
    said: Advertisement | bytes
    """The advertisement, or the packed address that is announced."""


def advertisements() -> Iterator[Advertisement]:
    listed = ["10.0.0.100", "192.168.255.254", "172.16.0.1"]
    for vrid, priority, seconds, count in itertools.product((1, 255), (0, 255), (1, 255), (1, 3)):
        yield Advertisement(2, vrid, priority, 100 * seconds, listed[:count])
    for password in (b"secret", b"12345678", b"a"):
        yield Advertisement(2, 51, 100, 100, listed, auth_type=1, auth_data=password)
    for vrid, priority, interval, count in itertools.product((1, 255), (0, 100), (1, 100, 4095), (1, 2)):
        yield Advertisement(3, vrid, priority, interval, listed[:count])
    for interval, count in itertools.product((1, 1000), (1, 2, 3)):
        yield Advertisement(3, 51, 200, interval, ["fe80::100", "2001:db8::100", "fd00::1"][:count])
    yield Advertisement(3, 51, 200, 100, listed, checksum_form=PLAIN)
    yield Advertisement(2, 51, 100, 100, [f"10.1.0.{host}" for host in range(255)])


def specimens() -> Iterator[Specimen]:
    for number, a in enumerate(advertisements()):
        width = len(a.addresses[0])
        source, group = ROUTERS[width], GROUPS[width]
        payload = encode(a, source=source, destination=group)
        ip = IpPacket(source, group, 112, payload, dont_fragment=bool(number & 1) and width == 4)
        raw = ip.build()
        if width == 4:
            ip = replace(ip, identification=number * 613)
            raw = renumber(raw, number * 613)
        mac = virtual_mac(a.vrid, width)
        yield Specimen(EthernetFrame(group_mac(group), mac, ETHERTYPES[width], raw, VLANS[number % 3]), ip, a)
    for vlans in VLANS:
        vip, mac = pack("10.0.0.100"), virtual_mac(51, 4)
        arp = gratuitous_arp(vip, mac).build()
        yield Specimen(EthernetFrame(BROADCAST, mac, ARP, arp, vlans), None, vip)
        for address, router in ((pack("fe80::100"), True), (pack("2001:db8::100"), False)):
            mac = virtual_mac(51, 16)
            packet = unsolicited_advertisement(address, mac, router=router)
            frame = EthernetFrame(group_mac(ALL_NODES_V6), mac, IPV6, packet.build(), vlans)
            yield Specimen(frame, packet, address)


SPECIMENS = list(specimens())


@pytest.fixture(scope="module")
def pcap() -> bytes:
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file)
    for number, specimen in enumerate(SPECIMENS):
        writer.writepkt(specimen.frame.build(), number)
    return file.getvalue()


def run(*command: str, pcap: bytes) -> str:
    """What the program prints, reading the pcap from standard input (tcpdump gives up root before it opens files)."""
    environment = os.environ | {"PATH": PROGRAM_PATH, "LC_ALL": "C"}
    return subprocess.run(command, input=pcap, capture_output=True, check=True, env=environment).stdout.decode()


def printed(a: Advertisement) -> str:
    """How tcpdump 4.99 prints an advertisement under -v."""
    if a.version == 2:
        kind = {0: "none", 1: "simple"}[a.auth_type]
        said = f"authtype {kind}, intvl {a.interval_cs // 100}s, length {16 + 4 * len(a.addresses)}"
    else:
        said = f"intvl {a.interval_cs}cs, length {8 + sum(map(len, a.addresses))}"
    count = f"({len(a.addresses)})" if len(a.addresses) > 1 else ""
    password = a.auth_data.rstrip(b"\0").decode()
    return (
        f"VRRPv{a.version}, Advertisement, vrid {a.vrid}, prio {a.priority}, {said}, "
        f"addrs{count}: {','.join(map(text, a.addresses))}" + (f' auth "{password}"' if password else "")
    )


def test_there_are_dozens_of_specimens() -> None:
    assert len(SPECIMENS) >= 60


@pytest.mark.program("tcpdump")
def test_tcpdump_prints_what_we_meant(pcap: bytes) -> None:
    output = run("tcpdump", "-nvet", "-r", "-", pcap=pcap)
    # The lines of one packet, joined: under -v an IPv4 packet takes two.
    lines = re.sub(r"\n\s+", " ", output).splitlines()
    assert len(lines) == len(SPECIMENS)
    for line, specimen in zip(lines, SPECIMENS, strict=True):
        frame, ip, said = specimen.frame, specimen.ip, specimen.said
        assert line.startswith(f"{mac_text(frame.source)} > {mac_text(frame.destination)}, ethertype ")
        assert [int(vlan) for vlan in re.findall(r"\bvlan (\d+), p 0,", line)] == list(frame.vlans)
        assert f", length {len(frame.build())}: " in line
        if isinstance(said, Advertisement):
            assert ip is not None
            told = printed(said)
            if said.checksum_form is PLAIN:
                # The only form that tcpdump knows over IPv4 has the pseudo-header.
                stored = int.from_bytes(ip.payload[6:8], "big")
                told = told.replace(", addrs", f", (bad vrrp cksum {stored:x}), addrs")
            assert line.endswith(f"{text(ip.source)} > {text(ip.destination)}: {told}")
            if len(ip.source) == 4:
                flags = "DF" if ip.dont_fragment else "none"
                assert f"(tos 0xc0, ttl 255, id {ip.identification}, offset 0, flags [{flags}], " in line
            else:
                assert "(class 0xc0, hlim 255, next-header VRRP (112) payload length: " in line
        elif ip is None:
            assert line.endswith(f"Request who-has {text(said)} ({'ff:' * 5}ff) tell {text(said)}, length 28")
        else:
            assert f"{text(said)} > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is " in line
            flags = "router, override" if said == pack("fe80::100") else "override"
            option = f"destination link-address option (2), length 8 (1): {mac_text(frame.source)}"
            assert line.endswith(f"tgt is {text(said)}, Flags [{flags}] {option}")
    assert output.count("bad") == sum(
        isinstance(specimen.said, Advertisement) and specimen.said.checksum_form is PLAIN for specimen in SPECIMENS
    )


FIELDS = (
    *("vrrp.checksum.status", "_ws.malformed", "ip.checksum.status", "icmpv6.checksum.status", "_ws.expert.severity"),
    *("vrrp.version", "vrrp.virt_rtr_id", "vrrp.prio", "vrrp.addr_count", "vrrp.adver_int", "vrrp.short_adver_int"),
    *("vrrp.ip_addr", "vrrp.ipv6_addr", "vrrp.auth_string", "vlan.id", "ieee8021ad.id"),
    *("arp.isgratuitous", "icmpv6.opt.linkaddr", "icmpv6.nd.na.flag.r", "icmpv6.nd.na.target_address"),
)
GOOD, BAD, ERROR = "1", "0", 0x0080_0000


@pytest.mark.program("tshark")
def test_tshark_finds_no_fault(pcap: bytes) -> None:
    options = [argument for name in FIELDS for argument in ("-e", name)]
    output = run(
        *("tshark", "-n", "-r", "-", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|"),
        *options,
        pcap=pcap,
    )
    lines = output.splitlines()
    assert len(lines) == len(SPECIMENS)
    for line, specimen in zip(lines, SPECIMENS, strict=True):
        shown = dict(zip(FIELDS, line.split("|"), strict=True))
        frame, ip, said = specimen.frame, specimen.ip, specimen.said
        assert shown["_ws.malformed"] == ""
        tags = [tag for name in ("ieee8021ad.id", "vlan.id") for tag in shown[name].split(",") if tag]
        assert tuple(map(int, tags)) == frame.vlans
        if isinstance(said, Advertisement):
            assert ip is not None
            four = len(ip.source) == 4
            assert shown["ip.checksum.status"] == (GOOD if four else "")
            assert shown["vrrp.checksum.status"] == (BAD if said.checksum_form is PLAIN else GOOD)
            numbers = [shown[name] for name in ("vrrp.version", "vrrp.virt_rtr_id", "vrrp.prio", "vrrp.addr_count")]
            assert numbers == [str(n) for n in (said.version, said.vrid, said.priority, len(said.addresses))]
            old = said.version == 2
            interval = int(shown["vrrp.adver_int" if old else "vrrp.short_adver_int"])
            assert interval * (100 if old else 1) == said.interval_cs
            assert shown["vrrp.ip_addr" if four else "vrrp.ipv6_addr"].split(",") == [*map(text, said.addresses)]
            assert shown["vrrp.auth_string"].encode() == said.auth_data.rstrip(b"\0")
        else:
            assert shown["vrrp.version"] == ""
            if ip is None:
                assert shown["arp.isgratuitous"] == "1"
                continue
            assert shown["icmpv6.checksum.status"] == GOOD
            assert shown["icmpv6.nd.na.target_address"] == text(said)
            assert shown["icmpv6.opt.linkaddr"] == mac_text(frame.source)
            assert shown["icmpv6.nd.na.flag.r"] == ("1" if said == pack("fe80::100") else "0")
        if not isinstance(said, Advertisement) or said.checksum_form is not PLAIN:
            severities = [int(level, 0) for level in shown["_ws.expert.severity"].split(",") if level]
            assert max(severities, default=0) < ERROR
