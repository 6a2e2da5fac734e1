"""The kernel part of a node: answers, frames, addresses, announcements."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from networks import MS, VIP, S, event, network, router, scenario_data, states, tap

from sim.network import Network
from sim.node import ACQUIRE, ANNOUNCE_AFTER_NS, ANNOUNCE_SPACING_NS
from vrrp.protocol.settings import Announcements, RouterConfig
from vrrp.wire.address import pack
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket
from vrrp.wire.ethernet import ARP, BROADCAST, EthernetFrame
from vrrp.wire.frame import Datagram, Frame, parse_frame
from vrrp.wire.neighbor import NeighborAdvertisement

MDI_100 = 3_609_375_000
"""Version 2, priority 100, 1 s: 3 s + 156/256 s."""
STATION = bytes.fromhex("020000000099")
V4, V6 = pack(VIP), pack("fe80::100")
ASKER = pack("10.0.0.99")


def adverts(seen: list[tuple[int, Frame]]) -> list[tuple[int, Frame, Datagram]]:
    return [(at_ns, frame, frame.content) for at_ns, frame in seen if isinstance(frame.content, Datagram)]


def announcements(seen: list[tuple[int, Frame]]) -> list[tuple[int, ArpPacket]]:
    return [(at, f.content) for at, f in seen if isinstance(f.content, ArpPacket) and f.content.gratuitous]


class Asker:
    """A station 10.0.0.99 that sends what a test wants and keeps the answers to it."""

    def __init__(self, net: Network) -> None:
        self.answers: list[Frame] = []
        self.port = net.segments["lan"].attach("asker", self)
        self.net = net

    def hear(self, now_ns: int, frame: Frame) -> None:
        if frame.destination == STATION:
            self.answers.append(frame)

    def ask(self, frame: EthernetFrame) -> list[Frame]:
        self.answers.clear()
        self.port.transmit(frame.build())
        self.net.kernel.run(self.net.kernel.now_ns + MS)
        return list(self.answers)

    def who_has(self, address: str) -> list[bytes]:
        """The MACs in the ARP replies."""
        request = ArpPacket(REQUEST, STATION, ASKER, bytes(6), pack(address))
        contents = [f.content for f in self.ask(EthernetFrame(BROADCAST, STATION, ARP, request.build()))]
        assert all(isinstance(c, ArpPacket) and c.operation == REPLY and c.sender == pack(address) for c in contents)
        return [c.sender_mac for c in contents if isinstance(c, ArpPacket)]


def own_mac(net: Network, name: str) -> bytes:
    return net.nodes[name].interfaces["eth0"].mac


def test_macs_are_local_and_numbered_in_the_order_of_the_scenario() -> None:
    net = network({"r1": router(), "r2": router()})
    assert own_mac(net, "r1") == bytes.fromhex("020000000001")
    assert own_mac(net, "r2") == bytes.fromhex("020000000002")


def test_a_node_answers_arp_for_its_own_address_and_a_master_for_the_virtual_one() -> None:
    net = network({"r1": router(200), "r2": router(100)})
    asker = Asker(net)
    for node in net.nodes.values():
        node.start(0)
    assert asker.who_has("10.0.0.2") == [own_mac(net, "r2")]
    assert asker.who_has(VIP) == []
    net.kernel.run(4 * S)
    assert asker.who_has(VIP) == [own_mac(net, "r1")]
    net.nodes["r1"].power_off(net.kernel.now_ns)
    assert asker.who_has("10.0.0.1") == []
    net.kernel.run(9 * S)
    assert asker.who_has(VIP) == [own_mac(net, "r2")]


def test_gratuitous_arps_and_replies_are_not_answered() -> None:
    net = network({"r1": router()})
    asker = Asker(net)
    own = pack("10.0.0.1")
    for packet in (ArpPacket(REQUEST, STATION, own, bytes(6), own), ArpPacket(REPLY, STATION, ASKER, bytes(6), own)):
        assert asker.ask(EthernetFrame(BROADCAST, STATION, ARP, packet.build())) == []


def test_unicast_advertisements_for_another_host_are_not_heard() -> None:
    peer = {"unicast_peers": ["10.0.0.2"]}
    net = network({"r1": router(200, **peer), "r2": router(100, unicast_peers=["10.0.0.1"]), "r3": router(100)})
    # r3 sees r1's flooded frames to r2's MAC; its socket must not.
    net.segments["lan"].directory[pack("10.0.0.2")] = bytes.fromhex("0200000000ee")
    result = net.run(10 * S)
    assert result.counters["r3"]["VI_1"]["discarded"] == {}
    assert result.counters["r3"]["VI_1"]["accepted"] == 0


def test_version_2_numbers_its_packets_from_1_and_wraps_to_1() -> None:
    net = network({"r1": router(100)})
    seen = tap(net)
    net.run(7 * S)
    packets = [(at_ns, frame.raw[18:20]) for at_ns, frame, _ in adverts(seen)]
    assert packets == [(MDI_100 + n * S, (n + 1).to_bytes(2, "big")) for n in range(4)]
    process = net.nodes["r1"].process
    assert process is not None
    net.nodes["r1"]._packer._numbers[process.router.virtual_routers[0]] = 0xFFFE
    seen.clear()
    net.kernel.run(10 * S)
    assert [frame.raw[18:20].hex() for _, frame, _ in adverts(seen)] == ["ffff", "0001", "0002"]


def test_unicast_goes_to_each_peers_mac_or_to_all_when_nobody_has_the_address() -> None:
    net = network({"r1": router(unicast_peers=["10.0.0.2", "10.0.0.9"]), "r2": router(unicast_peers=["10.0.0.1"])})
    seen = tap(net)
    net.nodes["r1"].start(0)
    net.kernel.run(4 * S)
    assert [(f.destination, d.destination, f.source) for _, f, d in adverts(seen)] == [
        (own_mac(net, "r2"), pack("10.0.0.2"), own_mac(net, "r1")),
        (BROADCAST, pack("10.0.0.9"), own_mac(net, "r1")),
    ]


def test_unicast_peers_elect_one_master() -> None:
    peers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    net = network(
        {f"r{n}": router(100 + n, unicast_peers=[p for p in peers if not p.endswith(f".{n}")]) for n in (1, 2, 3)}
    )
    result = net.run(20 * S)
    assert [t.node for t in result.transitions if t.new == "MASTER"] == ["r3"]
    # Master_Down_Interval of 103 is 3 s + 153/256 s: 17 adverts from 3.598 s to 19.598 s, to two peers each.
    assert result.counters["r3"]["VI_1"]["sent"] == 17
    assert [result.counters[f"r{n}"]["VI_1"]["accepted"] for n in (1, 2)] == [17, 17]


@pytest.mark.parametrize(
    ("settings", "profile", "advert", "arp"),
    [
        ({}, "keepalived", "020000000001", "020000000001"),
        ({"virtual_mac": True}, "keepalived", "00005e000133", "00005e000133"),
        ({"virtual_mac": True, "transmit_from_base": True}, "keepalived", "020000000001", "00005e000133"),
        ({}, "rfc3768", "00005e000133", "00005e000133"),
        ({"version": 3}, "rfc9568", "00005e000133", "00005e000133"),
        ({"version": 3}, "frr", "00005e000133", "00005e000133"),
    ],
)
def test_which_mac_advertisements_and_announcements_come_from(
    settings: dict[str, Any], profile: str, advert: str, arp: str
) -> None:
    net = network({"r1": router(**settings)}, profile=profile)
    seen = tap(net)
    net.run(4 * S)
    assert {frame.source.hex() for _, frame, _ in adverts(seen)} == {advert}
    assert {packet.sender_mac.hex() for _, packet in announcements(seen)} == {arp}
    asker = Asker(net)
    assert asker.who_has(VIP) == [bytes.fromhex(arp)]


def test_ipv6_group_mac_virtual_mac_and_router_flag() -> None:
    for profile, flag in (("rfc9568", True), ("frr", True), ("keepalived", False)):
        net = network({"r1": router(version=3, addresses=["fe80::100"], virtual_mac=True)}, profile=profile)
        seen = tap(net)
        net.run(5 * S)
        _, frame, datagram = adverts(seen)[0]
        assert (frame.destination.hex(), frame.source.hex()) == ("333300000012", "00005e000233")
        assert (datagram.source, datagram.destination) == (pack("fe80::1"), pack("ff02::12"))
        told = [f.content for _, f in seen if isinstance(f.content, NeighborAdvertisement)]
        assert {(n.target, n.mac, n.router, n.override, n.solicited) for n in told} == {
            (V6, bytes.fromhex("00005e000233"), flag, True, False)
        }


def test_a_configured_group_is_where_advertisements_go() -> None:
    net = network({"r1": router(group="224.0.0.99")})
    seen = tap(net)
    net.run(4 * S)
    assert [(f.destination.hex(), d.destination) for _, f, d in adverts(seen)] == [
        ("01005e000063", pack("224.0.0.99"))
    ]


def test_a_multicast_group_that_a_node_has_not_joined_is_not_heard() -> None:
    net = network({"r1": router(101), "r2": router(100, group="224.0.0.99")})
    result = net.run(10 * S)
    assert [t.node for t in result.transitions if t.new == "MASTER"] == ["r1", "r2"]
    assert not result.healthy_at_end


def test_only_frr_sets_dont_fragment() -> None:
    for profile, flags in (("frr", 0x40), ("keepalived", 0)):
        net = network({"r1": router(version=3)}, profile=profile)
        seen = tap(net)
        net.run(4 * S)
        assert {frame.raw[20] for _, frame, _ in adverts(seen)} == {flags}


def test_a_burst_has_five_rounds_of_all_addresses_75_us_apart_and_comes_again_after_5_s() -> None:
    net = network({"r1": router(addresses=[VIP, "10.0.0.101"], excluded_addresses=["10.0.0.102"])})
    seen = tap(net)
    net.run(10 * S)
    told = announcements(seen)
    addresses = [pack(a) for a in (VIP, "10.0.0.101", "10.0.0.102")]
    burst = [(ANNOUNCE_AFTER_NS + n * ANNOUNCE_SPACING_NS, addresses[n % 3]) for n in range(15)]
    first, second = (
        [(begun_ns + at, a) for at, a in burst] for begun_ns in (MDI_100 + ACQUIRE.median_ns, MDI_100 + 5 * S)
    )
    assert [(at, arp.sender) for at, arp in told] == first + second
    assert (ACQUIRE.median_ns + ANNOUNCE_AFTER_NS, ANNOUNCE_SPACING_NS) == (400_000, 75_000)


def test_an_excluded_address_of_the_other_family_is_announced_in_its_own_way() -> None:
    net = network({"r1": router(excluded_addresses=["fe80::100"])})
    seen = tap(net)
    result = net.run(4 * S)
    told = [f.content.target for _, f in seen if isinstance(f.content, NeighborAdvertisement)]
    assert told == [V6] * 5
    assert len(announcements(seen)) == 5
    assert {o.address for o in result.ownership} == {VIP, "fe80::100"}


@pytest.mark.parametrize("action", ["crash", "power-off", "stop"])
def test_a_burst_ends_with_the_process(action: str) -> None:
    net = network({"r1": router(), "r2": router(90)}, events=[event("3.61001s", action, "r1")])
    seen = tap(net)
    net.run(4 * S)
    # From 3.609775 s each 75 us up to 3.61001 s: 235 us, that is 3 steps and the first.
    told = announcements(seen)
    assert [at for at, _ in told if at > MDI_100] == [MDI_100 + 400_000 + n * 75_000 for n in range(4)]


def test_a_spaced_announcer_is_the_routers_affair() -> None:
    plan = Announcements(repeat=1, spacing_ns=200 * MS)
    net = network({"r1": router(addresses=[VIP, "10.0.0.101"], announcements=plan)})
    seen = tap(net)
    net.run(5 * S)
    times = [at for at, _ in announcements(seen)]
    assert times == [MDI_100 + 400_000, MDI_100 + 200 * MS + ANNOUNCE_AFTER_NS]


def test_bursts_asked_for_together_follow_each_other() -> None:
    """As of a process that wakes and finds several weaker advertisements waiting."""
    net = network(
        {"r1": router(), "r2": router(90)}, events=[event("5s", "pause", "r1"), event("10s", "resume", "r1")]
    )
    seen = tap(net)
    net.run(11 * S)
    own = net.nodes["r1"].interfaces["eth0"].mac
    told = [at for at, frame in seen if at >= 10 * S and frame.source == own and isinstance(frame.content, ArpPacket)]
    assert len(told) == 15
    assert all(later - earlier >= ANNOUNCE_SPACING_NS for earlier, later in pairwise(told))


def test_an_owner_keeps_its_own_address_through_everything() -> None:
    owner = router(255, addresses=["10.0.0.1"], state_master=True, virtual_mac=True)
    net = network({"r1": owner, "r2": router(100, addresses=["10.0.0.1"])})
    asker = Asker(net)
    virtual = bytes.fromhex("00005e000133")
    net.nodes["r1"].start(0)
    assert asker.who_has("10.0.0.1") == [virtual]
    process = net.nodes["r1"].process
    assert process is not None
    process.stop(net.kernel.now_ns, "stopped")
    assert asker.who_has("10.0.0.1") == [own_mac(net, "r1")]


def test_counters_of_a_node_that_never_ran_are_none() -> None:
    data = scenario_data(["r1"])
    data["nodes"]["r1"]["start"] = "never"
    result = network({"r1": router()}, data=data).run(10 * S)
    assert result.counters == {"r1": {}}
    assert result.transitions == ()
    assert [(o.from_ns, o.to_ns, o.nodes) for o in result.outages] == [(0, 10 * S, ())]
    assert not result.healthy_at_end


def test_two_instances_on_one_node_count_apart() -> None:
    two = RouterConfig(
        virtual_routers=(router(), router(vrid=52, name="VI_2", addresses=["10.0.0.101"], interval_cs=200))
    )
    result = network({"r1": two}).run(10 * S)
    # VI_1: 3.609375 s and six more; VI_2: 6 s + 0.609375 s and each 2 s: one more.
    assert {name: c["sent"] for name, c in result.counters["r1"].items()} == {"VI_1": 7, "VI_2": 2}
    assert result.instances == {"VI_1": (VIP,), "VI_2": ("10.0.0.101",)}


def test_servers_answer_and_can_be_switched() -> None:
    servers = {"web": {"interfaces": {"eth0": {"segment": "lan", "addresses": ["10.0.0.50/24"]}}, "listen": [80]}}
    net = network({"r1": router()}, servers=servers)
    asker = Asker(net)
    assert len(asker.who_has("10.0.0.50")) == 1
    host = net.servers["web"].node
    host.power_off(net.kernel.now_ns)
    assert asker.who_has("10.0.0.50") == []
    host.start(net.kernel.now_ns)
    assert len(asker.who_has("10.0.0.50")) == 1
    host.set_link(net.kernel.now_ns, "eth0", False)
    assert asker.who_has("10.0.0.50") == []


def test_a_second_interface_takes_part() -> None:
    data = scenario_data(["r1", "r2"], segments={"lan": {}, "back": {}})
    for n in (1, 2):
        interfaces = data["nodes"][f"r{n}"]["interfaces"]
        interfaces["eth1"] = {"segment": "back", "addresses": [f"10.1.0.{n}/24"]}
    inside = {"vrid": 60, "name": "INSIDE", "interface": "eth1", "addresses": ["10.1.0.100"]}
    configs = {f"r{n}": RouterConfig(virtual_routers=(router(100 + n), router(110 - n, **inside))) for n in (1, 2)}
    net = network(configs, data=data)
    back = tap(net, "back")
    result = net.run(10 * S)
    masters = {t.instance: t.node for t in result.transitions if t.new == "MASTER"}
    assert masters == {"VI_1": "r2", "INSIDE": "r1"}
    assert {d.source for _, _, d in adverts(back)} == {pack("10.1.0.1")}
    assert states(result, "r2")[-1][1] == "MASTER"


@pytest.mark.parametrize(("mac", "answers"), [("02:00:00:00:00:01", 1), ("02:00:00:00:00:77", 0)])
def test_a_frame_flooded_to_another_mac_is_not_heard(mac: str, answers: int) -> None:
    net = network({"r1": router()})
    net.run(5 * S)
    seen = tap(net)
    request = ArpPacket(REQUEST, STATION, ASKER, bytes(6), pack(VIP)).build()
    raw = EthernetFrame(bytes.fromhex(mac.replace(":", "")), STATION, ARP, request).build()
    net.nodes["r1"].interfaces["eth0"].hear(5 * S, parse_frame(raw))
    assert len([f for _, f in seen if isinstance(f.content, ArpPacket)]) == answers
