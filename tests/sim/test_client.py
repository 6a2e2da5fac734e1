"""A client: how it finds the address, what it sees, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from networks import MS, VIP, Listener, S, client, event, network, router, tap

from sim.client import Client, Habits
from sim.delay import Constant
from sim.flow.flows import Flows
from sim.flow.neighbors import ARP_RETRY_NS, ARP_TRUST_NS
from sim.kernel import Kernel
from sim.node import Node
from sim.recorder import Recorder
from sim.segment import Segment
from sim.server import Behavior, Server
from vrrp.protocol.settings import Announcements
from vrrp.wire.address import pack
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket, gratuitous_arp
from vrrp.wire.ethernet import ARP, BROADCAST, EthernetFrame
from vrrp.wire.frame import Frame, parse_frame
from vrrp.wire.ip import IpPacket

MDI_101 = 3_605_468_750
SKEW_100 = 609_375_000
DELAY = 50_000
CLIENT, MASTER, OTHER = (bytes((2, 0, 0, 0, 0, n)) for n in (1, 2, 3))
OWN, TARGET = pack("10.0.0.200"), pack(VIP)


class Bench:
    """A client that connects each 100 ms (timeout 1 s), and a host that has the address; frames take 10 us."""

    def __init__(self, *, every_ns: int = 100 * MS, timeout_ns: int = S, **habits: Any) -> None:
        self.kernel = Kernel()
        self.flows = Flows(self.kernel)
        self.segment = Segment(self.kernel, "lan", Constant(10_000))
        self.host = self._host("c", CLIENT, OWN)
        self.client = Client(self.host, self.flows, "c", Habits(TARGET, 80, every_ns, timeout_ns, **habits))
        self.router = self._host("r", MASTER, pack("10.0.0.1"))
        self.router.interfaces["eth0"].take(TARGET, MASTER, refused=False)
        self.server = Server(self.router, "r", None, Behavior())
        self.server.start(0)
        self.seen: list[tuple[int, Frame]] = []
        self.kernel.at(0, self.client.start)

    def _host(self, name: str, mac: bytes, address: bytes) -> Node:
        node = Node(self.kernel, name, Recorder())
        node.add_interface("eth0", self.segment, mac, (address,), (24,))
        return node

    def watch(self) -> None:
        """See every frame from now on."""
        self.segment.taps.append(lambda at_ns, raw: self.seen.append((at_ns, parse_frame(raw))))

    def asked(self) -> list[int]:
        """When the client asked for its target's MAC."""
        return [
            at
            for at, frame in self.seen
            if isinstance(frame.content, ArpPacket)
            and frame.content.operation == REQUEST
            and frame.content.sender == OWN
        ]

    def syns(self) -> list[int]:
        """When a SYN left."""
        return [
            at for at, frame in self.seen if isinstance(frame.content, IpPacket) and frame.content.payload[13] == 0x02
        ]

    def announce(self, node: Node, mac: bytes, address: bytes = TARGET) -> None:
        node.interfaces["eth0"].port.transmit(
            EthernetFrame(BROADCAST, mac, ARP, gratuitous_arp(address, mac).build()).build()
        )

    def mute(self) -> None:
        """The host no longer has the address."""
        self.router.interfaces["eth0"].give_back(TARGET)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_resolves_once_and_connects_regularly(bench: Bench) -> None:
    bench.watch()
    bench.kernel.run(S)
    assert bench.asked() == [0]
    # The first waits for the ARP reply, there and back 20 us.
    assert bench.syns() == [20_000] + [n * 100 * MS for n in range(1, 10)]
    story = bench.client.story(S)
    assert (story.target, story.sent, story.ok, story.failed, story.gaps) == (f"{VIP}:80", 10, 10, 0, ())
    assert story.longest_gap_ns == 0
    # SYN, SYN-ACK, request, response.
    assert story.latency is not None
    assert (story.latency.p50_ns, story.latency.max_ns) == (40_000, 60_000)
    assert (story.errors, story.seconds) == ({}, ((10, 0),))


def test_without_an_answer_it_asks_each_second_and_gives_up_after_three() -> None:
    bench = Bench(timeout_ns=10 * S)
    bench.mute()
    bench.watch()
    bench.kernel.run(3_050 * MS)
    assert bench.asked() == [n * S for n in range(4)]
    assert ARP_RETRY_NS == S
    story = bench.client.story(3_050 * MS)
    # Linux, measured: "No route to host" 3.08 s after connect(). Those that waited hear it together, and the next
    # has somebody asked anew.
    assert story.errors == {"tcp:unreachable": 30}
    assert story.gaps == ((0, 3_050 * MS),)


def test_tries_time_out(bench: Bench) -> None:
    bench.mute()
    bench.kernel.run(3_050 * MS)
    story = bench.client.story(3_050 * MS)
    # Those of 2.0 s to 2.9 s hear that there is no route before their time is up; the last may still be answered.
    assert (story.sent, story.ok, story.failed) == (30, 0, 30)
    assert story.errors == {"tcp:timeout": 20, "tcp:unreachable": 10}
    assert story.longest_gap_ns == 3_050 * MS


@pytest.mark.parametrize("gratuitous", [True, False])
def test_tries_that_waited_for_the_address_connect_when_it_comes_unless_too_old(
    bench: Bench, gratuitous: bool
) -> None:
    bench.mute()
    bench.kernel.run(1_550 * MS)
    bench.router.interfaces["eth0"].take(TARGET, MASTER, refused=False)
    if gratuitous:
        # Linux takes it for an entry that it is asking for (measured).
        bench.announce(bench.router, MASTER)
    else:
        reply = ArpPacket(REPLY, MASTER, TARGET, CLIENT, OWN)
        bench.router.interfaces["eth0"].port.transmit(EthernetFrame(CLIENT, MASTER, ARP, reply.build()).build())
    bench.kernel.run(2_600 * MS)
    # It arrives 10 us after 1.55 s: tries of 0.6 s to 1.5 s are younger than 1 s.
    assert bench.client.story(2_600 * MS).gaps == ((0, 600 * MS),)


def test_it_keeps_the_mac_until_a_gratuitous_arp_tells_another(bench: Bench) -> None:
    other = bench._host("o", OTHER, pack("10.0.0.2"))
    server = Server(other, "o", None, Behavior())
    server.start(0)
    bench.kernel.run(2_050 * MS)
    bench.mute()
    other.interfaces["eth0"].take(TARGET, OTHER, refused=False)
    bench.kernel.run(5_050 * MS)
    bench.announce(other, OTHER)
    bench.kernel.run(10 * S)
    story = bench.client.story(10 * S)
    # A SYN that nobody took is sent again when it is too late.
    assert story.gaps == ((2_100 * MS, 5_100 * MS),)
    assert story.errors == {"tcp:timeout": 30}


def test_a_syn_is_sent_again_each_second_and_then_more_seldom() -> None:
    # Linux since 6.5: tcp_syn_linear_timeouts is 4, tcp_syn_retries 6.
    bench = Bench(every_ns=300 * S, timeout_ns=200 * S)
    bench.server.behave(Behavior(silent=True))
    bench.watch()
    bench.kernel.run(300 * S)
    assert [round(at / S) for at in bench.syns()] == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    story = bench.client.story(300 * S)
    assert story.errors == {"tcp:timeout": 1}
    assert bench.client.requests.ended_ns[0] // S == 131


def test_an_announcement_for_an_address_never_asked_for_is_not_kept(bench: Bench) -> None:
    # Linux: net.ipv4.conf.*.arp_accept is 0.
    bench.kernel.run(50 * MS)
    other = pack("10.0.0.101")
    bench.announce(bench.router, MASTER, other)
    bench.kernel.run(60 * MS)
    assert bench.host.interfaces["eth0"].neighbors.find(other) is None


def test_an_answered_connection_confirms_the_mac(bench: Bench) -> None:
    bench.watch()
    bench.kernel.run(120 * S)
    assert len(bench.asked()) == 1


def test_an_address_nothing_confirms_is_trusted_for_38_s(bench: Bench) -> None:
    bench.kernel.run(50 * MS)
    bench.watch()
    bench.mute()
    bench.kernel.run(100 * S)
    # Confirmed by the first answer, 60 us after 0; the try of 38.1 s asks, in vain.
    assert bench.asked()[:3] == [38_100 * MS, 39_100 * MS, 40_100 * MS]
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


@pytest.mark.parametrize(("latency_ns", "ok"), [(S - 60_000, 1), (S - 59_999, 0)])
def test_an_answer_counts_until_the_timeout(latency_ns: int, ok: int) -> None:
    bench = Bench(every_ns=10 * S)
    bench.server.behave(Behavior(latency=Constant(latency_ns)))
    bench.kernel.run(3 * S)
    story = bench.client.story(3 * S)
    assert (story.ok, story.sent) == (ok, 1)
    assert story.errors == ({} if ok else {"http:timeout": 1})


def test_it_begins_when_told() -> None:
    late = client(start="4.5s", every="1s")
    result = network({"r1": router(101)}, clients={"c": late}, duration="10s").run()
    assert (result.clients["c"].sent, result.clients["c"].failed, result.clients["c"].gaps) == (6, 0, ())


# What an outage looks like to it ---------------------------------------------------------------------------


def test_the_story_of_a_power_loss() -> None:
    configs = {"r1": router(101), "r2": router(100)}
    result = network(configs, events=[event("10s", "power-off", "r1")], clients={"c": client()}, duration="20s").run()
    story = result.clients["c"]
    # r1 is there from 3.605 s, and its announcement is for an entry that the client is asking for again since 3.0 s,
    # when those before heard that there is no route. r2 takes over 3.609375 s after the advertisement of 9.605 s and
    # tells 0.4 ms later; a SYN of before is sent again too late.
    taken_ns = MDI_101 + 6 * S + DELAY + 3 * S + SKEW_100
    assert story.gaps == ((0, 3 * S), (10 * S, (taken_ns // (100 * MS) + 1) * 100 * MS))
    assert (story.sent, story.failed) == (200, 30 + 33)
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
    packets = [(at, f.content) for at, f in seen if isinstance(f.content, ArpPacket)]
    asked = [at for at, arp in packets if arp.operation == REQUEST and arp.sender == OWN]
    assert asked[-1] == (3 * S if announce else 48 * S)


def test_virtual_macs_spare_the_announcement() -> None:
    configs = {n: router(p, virtual_mac=True) for n, p in (("r1", 101), ("r2", 100))}
    result = network(
        configs,
        events=[event("10s", "stop", "r1")],
        clients={"c": client(every="10ms", timeout="500ms")},
        duration="12s",
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
    assert {reply.sender for reply in replies} <= {pack(VIP), OWN}
