"""Facts told as a run."""

from __future__ import annotations

import pytest

from sim.lab.chronicle import Advertised, Chronicle, Ended, Linked
from sim.lab.engine import Entered, Remark, Reprioritized
from sim.lab.holdings import Holdings
from sim.lab.namespace import Namespace
from sim.lab.wire import Heard
from sim.result import Result
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ethernet import IPV4, EthernetFrame
from vrrp.wire.ip import IpPacket

MS, S = 1_000_000, 1_000_000_000
ZERO_NS = 1_795_000_000 * S
VIP = "10.0.0.100"
GROUP = bytes((224, 0, 0, 18))
A, B = bytes((10, 0, 0, 11)), bytes((10, 0, 0, 12))


@pytest.fixture
def chronicle() -> Chronicle:
    """Nodes a and b, both routers of VI_1."""
    one = VirtualRouterConfig(vrid=51, version=2, name="VI_1", interface="eth0", addresses=[VIP], priority=100)
    return Chronicle({"a": (one,), "b": (one,)}, zero_ns=ZERO_NS)


def told(chronicle: Chronicle) -> Result:
    return chronicle.result(title="t", seed=1, duration_ns=10 * S, clients={}, notes=["n"])


def advert(at_ns: int, source: bytes, priority: int = 100, vrid: int = 51) -> Heard:
    """An advertisement on the wire at this time of the run."""
    content = Advertisement(version=2, vrid=vrid, priority=priority, interval_cs=100, addresses=[VIP])
    packet = IpPacket(source, GROUP, PROTOCOL, encode(content, source=source, destination=GROUP), ttl=255)
    frame = EthernetFrame(b"\x01\x00\x5e\x00\x00\x12", b"\x02\x00\x00\x00\x00\x01", IPV4, packet.build())
    return Heard(ZERO_NS + at_ns, frame.build())


def test_the_first_advertisement_is_when_it_became_master(chronicle: Chronicle) -> None:
    chronicle.hear(ZERO_NS + 10 * MS, "a", Entered("VI_1", "BACKUP"))
    chronicle.hear(ZERO_NS + 3620 * MS, "a", Remark("VI_1", "Receive advertisement timeout"))
    chronicle.hear(ZERO_NS + 3620 * MS, "a", Entered("VI_1", "MASTER"))
    chronicle.read_wire([advert(3611 * MS, A), advert(4611 * MS, A)], {A: "a", B: "b"})
    result = told(chronicle)
    assert [(one.at_ns, one.node, one.old, one.new) for one in result.transitions] == [
        (10 * MS, "a", "INITIALIZE", "BACKUP"),
        (3611 * MS, "a", "BACKUP", "MASTER"),
    ]
    assert [(one.at_ns, one.node, one.priority) for one in result.sent] == [
        (3611 * MS, "a", 100), (4611 * MS, "a", 100),
    ]  # fmt: skip
    assert result.notes == ("n",)
    assert chronicle.first_state_ns("a", ZERO_NS + S) == ZERO_NS + 3611 * MS
    assert chronicle.first_state_ns("b", ZERO_NS) is None


def test_a_remark_just_before_is_the_reason(chronicle: Chronicle) -> None:
    chronicle.hear(ZERO_NS + S, "a", Remark("VI_1", "long ago"))
    chronicle.hear(ZERO_NS + 2 * S, "a", Entered("VI_1", "MASTER"))
    chronicle.hear(ZERO_NS + 3 * S, "a", Remark("VI_1", "eth0 is down"))
    chronicle.hear(ZERO_NS + 3 * S, "a", Entered("VI_1", "FAULT"))
    chronicle.hear(ZERO_NS + 3 * S, "a", Entered("VI_1", "FAULT"))
    chronicle.hear(ZERO_NS + 3 * S, "a", Entered("VI_2", "FAULT"))
    chronicle.hear(ZERO_NS + 4 * S, "a", Reprioritized("VI_1", 100, 90))
    result = told(chronicle)
    assert [(one.new, one.reason) for one in result.transitions] == [("MASTER", ""), ("FAULT", "eth0 is down")]
    assert [(one.old, one.new, one.reason) for one in result.priorities] == [(100, 90, "")]


def test_an_address_without_a_master_is_an_outage(chronicle: Chronicle) -> None:
    chronicle.hear(ZERO_NS + S, "a", Entered("VI_1", "MASTER"))
    chronicle.facts.append((ZERO_NS + 2 * S, Linked("a", "eth0", False)))
    chronicle.facts.append((ZERO_NS + 3 * S, Linked("a", "eth0", True)))
    chronicle.facts.append((ZERO_NS + 5 * S, Ended("a", "killed (SIGKILL)")))
    chronicle.hear(ZERO_NS + 6 * S, "b", Entered("VI_1", "MASTER"))
    chronicle.hear(ZERO_NS + 11 * S, "a", Entered("VI_1", "MASTER"))  # after the end
    result = told(chronicle)
    assert [(one.from_ns, one.to_ns, one.nodes) for one in result.outages] == [
        (2 * S, 3 * S, ("a",)), (5 * S, 6 * S, ("a",)),
    ]  # fmt: skip
    assert result.transitions[1].reason == "killed (SIGKILL)"
    assert result.healthy_at_end


def test_two_masters_are_told(chronicle: Chronicle) -> None:
    for node, at_ns in (("a", S), ("b", 2 * S)):
        chronicle.hear(ZERO_NS + at_ns, node, Entered("VI_1", "MASTER"))
    assert [(one.from_ns, one.to_ns) for one in told(chronicle).dual_masters] == [(2 * S, 10 * S)]


def test_who_holds_an_address_the_kernel_tells(chronicle: Chronicle) -> None:
    holdings = Holdings("a", Namespace("none"), {VIP, "fe80::64"}, chronicle.hold)
    lines = [
        (1, "2: eth0    inet 10.0.0.100/24 scope global secondary eth0\\       valid_lft forever"),
        (2, "2: eth0    inet 10.0.0.11/24 scope global eth0\\       valid_lft forever"),
        (3, "Deleted 2: eth0    inet 10.0.0.100/24 scope global secondary eth0\\       valid_lft forever"),
        (4, "3: vrrp.51@eth0    inet6 fe80::64/64 scope link \\       valid_lft forever"),
        (5, "nonsense"),
    ]
    for at, line in lines:
        holdings.take(ZERO_NS + at * S, line)
    assert [(one.address, one.from_ns, one.to_ns) for one in told(chronicle).ownership] == [
        (VIP, S, 3 * S), ("fe80::64", 4 * S, 10 * S),
    ]  # fmt: skip


def test_where_addresses_stay_the_master_holds_them(chronicle: Chronicle) -> None:
    chronicle.by_state = frozenset({"a"})
    chronicle.hold(ZERO_NS, "a", VIP, there=True)
    chronicle.hear(ZERO_NS + S, "a", Entered("VI_1", "MASTER"))
    chronicle.hear(ZERO_NS + 2 * S, "a", Entered("VI_1", "BACKUP"))
    assert [(one.node, one.from_ns, one.to_ns) for one in told(chronicle).ownership] == [("a", S, 2 * S)]


def test_what_is_no_advertisement_of_theirs_is_passed_over(chronicle: Chronicle) -> None:
    stranger = bytes((10, 0, 0, 99))
    damaged = Heard(ZERO_NS, advert(S, A).raw[:-1] + b"\xff")
    frames = [advert(S, stranger), advert(S, A, vrid=52), Heard(ZERO_NS, b"short"), damaged]
    chronicle.read_wire(frames, {A: "a", B: "b"})
    assert not [fact for _, fact in chronicle.facts if isinstance(fact, Advertised)]
