"""A client: how it finds the address, what it sees, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from networks import MS, VIP, Listener, S, client, event, network, router, tap

import sim.client
from sim.client import ARP_RETRY_NS, ARP_TRUST_NS, Client
from sim.delay import Constant
from sim.kernel import Kernel
from sim.segment import Segment
from sim.tcp import answer_syn, build_syn
from vrrp.protocol.settings import Announcements
from vrrp.wire.address import pack
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket, gratuitous_arp
from vrrp.wire.ethernet import ARP, BROADCAST, IPV4, EthernetFrame
from vrrp.wire.frame import Frame
from vrrp.wire.ip import IpPacket

MDI_101 = 3_605_468_750
SKEW_100 = 609_375_000
DELAY = 50_000
CLIENT, MASTER, OTHER = (bytes((2, 0, 0, 0, 0, n)) for n in (1, 2, 3))
OWN, TARGET = pack("10.0.0.200"), pack(VIP)


class Router:
    """A station that has the target's address: it answers ARP and, as long as told, connections."""

    def __init__(self, kernel: Kernel, segment: Segment, mac: bytes) -> None:
        self.mac = mac
        self.port = segment.attach(mac.hex(), self)
        self.arp = True
        self.tcp = True
        self.asked: list[int] = []
        self.syns: list[tuple[int, IpPacket]] = []

    def hear(self, now_ns: int, frame: Frame) -> None:
        content = frame.content
        if isinstance(content, ArpPacket) and content.operation == REQUEST and content.target == TARGET:
            self.asked.append(now_ns)
            if self.arp:
                reply = ArpPacket(REPLY, self.mac, TARGET, content.sender_mac, content.sender)
                self.send(frame.source, ARP, reply.build())
        elif isinstance(content, IpPacket) and frame.destination == self.mac:
            self.syns.append((now_ns, content))
            answer = answer_syn(content)
            if self.tcp and answer is not None:
                self.send(frame.source, IPV4, answer.build())

    def send(self, to: bytes, ethertype: int, payload: bytes) -> None:
        self.port.transmit(EthernetFrame(to, self.mac, ethertype, payload).build())


class Bench:
    """A client that connects each 100 ms (timeout 1 s), and a router; frames take 10 us."""

    def __init__(self, *, every_ns: int = 100 * MS, timeout_ns: int = S) -> None:
        self.kernel = Kernel()
        self.segment = Segment(self.kernel, "lan", Constant(10_000))
        self.client = Client(
            self.kernel,
            "c",
            self.segment,
            CLIENT,
            OWN,
            target=TARGET,
            port=80,
            every_ns=every_ns,
            timeout_ns=timeout_ns,
        )
        self.router = Router(self.kernel, self.segment, MASTER)
        self.kernel.at(0, self.client.start)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_resolves_once_and_connects_regularly(bench: Bench) -> None:
    bench.kernel.run(S)
    assert bench.router.asked == [10_000]
    # The first waits for the ARP reply: there and back 20 us, and 10 us for the SYN.
    assert [at for at, _ in bench.router.syns] == [30_000] + [n * 100 * MS + 10_000 for n in range(1, 10)]
    story = bench.client.story(S)
    assert (story.target, story.sent, story.ok, story.failed, story.gaps) == (f"{VIP}:80", 10, 10, 0, ())
    assert story.longest_gap_ns == 0


def test_without_an_answer_it_asks_each_second(bench: Bench) -> None:
    bench.router.arp = False
    bench.kernel.run(3_050 * MS)
    assert bench.router.asked == [n * S + 10_000 for n in range(4)]
    assert ARP_RETRY_NS == S
    story = bench.client.story(3_050 * MS)
    # Tries of the last second may still be answered: those of 2.1 s to 3.0 s.
    assert (story.sent, story.ok, story.failed) == (21, 0, 21)
    assert story.gaps == ((0, 3_050 * MS),)
    assert story.longest_gap_ns == 3_050 * MS


def test_tries_that_waited_for_the_address_connect_when_it_comes_unless_too_old(bench: Bench) -> None:
    bench.router.arp = False
    bench.kernel.run(1_550 * MS)
    bench.router.send(CLIENT, ARP, ArpPacket(REPLY, MASTER, TARGET, CLIENT, OWN).build())
    bench.kernel.run(1_551 * MS)
    # The reply arrives 10 us after 1.55 s: tries of 0.6 s to 1.5 s are younger than 1 s.
    assert [syn.payload[:2] for _, syn in bench.router.syns] == [(32_768 + n).to_bytes(2, "big") for n in range(6, 16)]
    story = bench.client.story(2_600 * MS)
    assert story.gaps == ((0, 600 * MS),)


def test_it_keeps_the_mac_until_a_gratuitous_arp_tells_another(bench: Bench) -> None:
    other = Router(bench.kernel, bench.segment, OTHER)
    other.arp = False
    bench.kernel.run(2_050 * MS)
    bench.router.tcp = False
    bench.kernel.run(5_050 * MS)
    assert other.syns == []
    other.send(BROADCAST, ARP, gratuitous_arp(TARGET, OTHER).build())
    bench.kernel.run(10 * S)
    assert len(other.syns) == 49
    assert bench.client.story(10 * S).gaps == ((2_100 * MS, 5_100 * MS),)


def test_a_gratuitous_arp_for_an_unknown_address_is_not_taken(bench: Bench) -> None:
    # Linux: net.ipv4.conf.*.arp_accept is 0.
    bench.router.arp = False
    bench.kernel.run(50 * MS)
    bench.router.send(BROADCAST, ARP, gratuitous_arp(TARGET, MASTER).build())
    bench.kernel.run(900 * MS)
    assert bench.router.syns == []


def test_other_peoples_announcements_change_nothing(bench: Bench) -> None:
    bench.kernel.run(50 * MS)
    bench.router.send(BROADCAST, ARP, gratuitous_arp(pack("10.0.0.101"), OTHER).build())
    bench.kernel.run(S)
    assert len(bench.router.syns) == 10


def test_an_answered_connection_confirms_the_mac(bench: Bench) -> None:
    bench.kernel.run(120 * S)
    assert len(bench.router.asked) == 1


def test_an_address_nothing_confirms_is_trusted_for_38_s(bench: Bench) -> None:
    bench.kernel.run(50 * MS)
    bench.router.tcp = False
    bench.kernel.run(100 * S)
    # Confirmed by the first answer at 40 us; the first try after 38.00004 s asks, and 38.00002 s after that reply.
    assert [at // (100 * MS) for at in bench.router.asked] == [0, 381, 762]
    assert ARP_TRUST_NS == 38 * S


def test_it_answers_for_its_own_address_and_no_other(bench: Bench) -> None:
    listener = Listener()
    port = bench.segment.attach("asker", listener)
    for address in (OWN, pack("10.0.0.201")):
        request = ArpPacket(REQUEST, OTHER, pack("10.0.0.9"), bytes(6), address)
        port.transmit(EthernetFrame(BROADCAST, OTHER, ARP, request.build()).build())
    bench.kernel.run(50 * MS)
    replies = [f.content for _, f in listener.heard if f.destination == OTHER]
    assert replies == [ArpPacket(REPLY, CLIENT, OWN, OTHER, pack("10.0.0.9"))]


def test_strange_packets_are_no_answers(bench: Bench) -> None:
    bench.router.tcp = False
    bench.kernel.run(50 * MS)

    def answer(source: bytes, destination: bytes, port: int) -> bytes:
        packet = answer_syn(build_syn(destination, source, port, 80))
        assert packet is not None
        return packet.build()

    for payload in (
        answer(TARGET, pack("10.0.0.201"), 32_768),  # for another host
        answer(pack("10.0.0.101"), OWN, 32_768),  # from another host
        answer(TARGET, OWN, 32_767),  # to a port it never used
        answer(TARGET, OWN, 32_769),  # to a port it did not use yet
        build_syn(TARGET, OWN, 80, 32_768).build(),  # no answer at all
    ):
        bench.router.send(CLIENT, IPV4, payload)
    bench.router.send(CLIENT, 0x88B5, b"something else")
    bench.kernel.run(90 * MS)
    assert bench.client.story(2 * S).ok == 0


@pytest.mark.parametrize(("after_ns", "ok"), [(S, 1), (S + 1, 0)])
def test_an_answer_counts_until_the_timeout(after_ns: int, ok: int) -> None:
    bench = Bench(every_ns=10 * S)
    bench.router.tcp = False
    bench.kernel.run(after_ns - 10_000)
    (syn,) = bench.router.syns
    answer = answer_syn(syn[1])
    assert answer is not None
    bench.router.send(CLIENT, IPV4, answer.build())
    bench.kernel.run(3 * S)
    assert (bench.client.story(3 * S).ok, bench.client.story(3 * S).sent) == (ok, 1)


def test_an_answer_that_comes_after_trust_ended_counts_but_confirms_nothing() -> None:
    bench = Bench(every_ns=39 * S, timeout_ns=60 * S)
    bench.router.tcp = False
    bench.kernel.run(S)
    bench.router.arp = False
    bench.kernel.run(39_500 * MS)
    answer = answer_syn(bench.router.syns[0][1])
    assert answer is not None
    bench.router.send(CLIENT, IPV4, answer.build())
    bench.kernel.run(40 * S)
    assert bench.client.story(40 * S).ok == 1
    assert [at for at, _ in bench.router.syns] == [30_000]


def test_ports_come_round_and_the_newest_try_is_the_one_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    # Linux: net.ipv4.ip_local_port_range is 32768 to 60999. A hundred of them do here.
    assert (sim.client._FIRST_PORT, sim.client._FIRST_PORT + sim.client._PORTS - 1) == (32_768, 60_999)
    count = 100
    monkeypatch.setattr(sim.client, "_PORTS", count)
    bench = Bench(every_ns=1_000, timeout_ns=1_000)
    bench.segment.delay = Constant(0)
    bench.router.tcp = False
    bench.kernel.run(count * 1_000 - 500)
    assert len(bench.router.syns) == count
    bench.router.tcp = True
    bench.kernel.run(count * 1_000 + 500)
    ports = [int.from_bytes(syn.payload[:2], "big") for _, syn in bench.router.syns]
    assert (ports[0], ports[count - 1], ports[count]) == (32_768, 32_867, 32_768)
    story = bench.client.story(count * 1_000 + 500)
    assert (story.ok, story.failed) == (1, count)
    assert story.gaps == ((0, count * 1_000),)


def test_it_begins_when_told() -> None:
    late = client(start="4.5s", every="1s")
    result = network({"r1": router(101)}, clients={"c": late}, duration="10s").run()
    assert (result.clients["c"].sent, result.clients["c"].failed, result.clients["c"].gaps) == (6, 0, ())


# What an outage looks like to it ---------------------------------------------------------------------------


def test_the_story_of_a_power_loss() -> None:
    configs = {"r1": router(101), "r2": router(100)}
    result = network(configs, events=[event("10s", "power-off", "r1")], clients={"c": client()}, duration="20s").run()
    story = result.clients["c"]
    # r1 is there from 3.605 s. It asked each second, so it learns at 4.0 s; the try of 3.1 s is then the oldest
    # that is younger than 1 s. r2 takes over 3.609375 s after the advertisement of 9.605 s and tells 0.4 ms later.
    taken_ns = MDI_101 + 6 * S + DELAY + 3 * S + SKEW_100
    assert story.gaps == ((0, 3_100 * MS), (10 * S, (taken_ns // (100 * MS) + 1) * 100 * MS))
    assert (story.sent, story.failed) == (200, 31 + 33)
    assert story.ok == story.sent - story.failed
    assert story.longest_gap_ns == 3_300 * MS


@pytest.mark.parametrize(("announce", "gap_ns"), [(True, 700 * MS), (False, 38_000 * MS)])
def test_without_announcements_a_stop_is_as_long_as_arp_trusts(announce: bool, gap_ns: int) -> None:
    silent = {} if announce else {"announcements": Announcements(repeat=0)}
    configs = {"r1": router(101, **silent), "r2": router(100, **silent)}
    net = network(configs, events=[event("10s", "stop", "r1")], clients={"c": client()}, duration="60s")
    seen = tap(net)
    result = net.run()
    assert result.clients["c"].gaps[1:] == ((10 * S, 10 * S + gap_ns),)
    asked = [at for at, f in seen if isinstance(f.content, ArpPacket) and f.content.sender == OWN]
    assert asked[-1] == (4 * S if announce else 48 * S)


def test_virtual_macs_spare_the_announcement() -> None:
    configs = {n: router(p, virtual_mac=True) for n, p in (("r1", 101), ("r2", 100))}
    result = network(
        configs, events=[event("10s", "stop", "r1")], clients={"c": client(every="10ms")}, duration="12s"
    ).run()
    # The switch learns from r2's first advertisement, at once.
    assert result.clients["c"].gaps[1:] == ((10 * S, 10_610 * MS),)


@pytest.mark.parametrize(
    ("settings", "served"),
    [({}, True), ({"accept": False}, False), ({"accept": False, "priority": 255, "state_master": True}, True)],
)
def test_a_master_without_accept_mode_answers_arp_and_nothing_else(settings: dict[str, Any], served: bool) -> None:
    net = network({"r1": router(**settings)}, clients={"c": client(start="5s")})
    seen = tap(net)
    story = net.run(10 * S).clients["c"]
    assert (story.ok == story.sent, story.failed == story.sent) == (served, not served)
    replies = [f.content for _, f in seen if isinstance(f.content, ArpPacket) and f.content.operation == REPLY]
    assert [reply.sender for reply in replies] == [pack(VIP)]
