"""A switch: who hears whom, what it learns, what it loses."""

from __future__ import annotations

import pytest
from networks import Listener

import sim.segment
from sim.delay import Constant, Delay, Uniform
from sim.kernel import Kernel
from sim.segment import Port, Segment
from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.ethernet import ARP, BROADCAST, EthernetFrame
from vrrp.wire.frame import Frame, parse_frame

GROUP = bytes.fromhex("01005e000012")


class Switch:
    """A segment with stations a, b, c, d; MACs 02:00:00:00:00:0a and so on."""

    def __init__(self, delay: Delay | None = None, loss: float = 0.0, seed: int = 1) -> None:
        self.kernel = Kernel(seed)
        self.segment = Segment(self.kernel, "lan", delay, loss)
        self.listeners = {name: Listener() for name in "abcd"}
        self.ports: dict[str, Port] = {n: self.segment.attach(n, self.listeners[n]) for n in "abcd"}

    def send(self, sender: str, to: str | bytes, source: bytes | None = None, payload: bytes = b"x") -> None:
        destination = to if isinstance(to, bytes) else mac(to)
        self.ports[sender].transmit(EthernetFrame(destination, source or mac(sender), 0x88B5, payload).build())

    def hearers(self, sender: str, to: str | bytes, source: bytes | None = None) -> str:
        """Who hears one frame, sent now."""
        for listener in self.listeners.values():
            listener.heard.clear()
        self.send(sender, to, source)
        self.kernel.run(self.kernel.now_ns + 1_000_000)
        return "".join(name for name, listener in self.listeners.items() if listener.heard)


def mac(name: str) -> bytes:
    return bytes((2, 0, 0, 0, 0, int(name, 16)))


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.mark.parametrize("to", [BROADCAST, GROUP])
def test_everybody_but_the_sender_hears_a_group(switch: Switch, to: bytes) -> None:
    assert switch.hearers("a", to) == "bcd"
    assert switch.hearers("d", to) == "abc"


def test_without_being_told_a_segment_delays_100_us_and_loses_nothing(switch: Switch) -> None:
    switch.kernel.run(5)
    switch.send("a", BROADCAST)
    switch.kernel.run(1_000_000)
    assert [at for at, _ in switch.listeners["b"].heard] == [100_005]
    assert switch.segment.lost == 0


def test_unicast_floods_until_the_port_is_learned(switch: Switch) -> None:
    assert switch.hearers("a", "b") == "bcd"
    assert switch.hearers("b", "a") == "a"
    assert switch.hearers("a", "b") == "b"
    assert switch.hearers("c", "b") == "b"


def test_a_frame_to_a_mac_on_the_senders_own_port_stays_there(switch: Switch) -> None:
    assert switch.hearers("a", BROADCAST, source=mac("e")) == "bcd"
    assert switch.hearers("a", "e") == ""


def test_the_switch_learns_anew_from_a_gratuitous_arp(switch: Switch) -> None:
    virtual = bytes.fromhex("00005e000133")
    switch.hearers("a", BROADCAST, source=virtual)
    assert switch.hearers("d", virtual) == "a"
    arp = EthernetFrame(BROADCAST, virtual, ARP, gratuitous_arp(bytes((10, 0, 0, 100)), virtual).build())
    switch.ports["b"].transmit(arp.build())
    switch.kernel.run(switch.kernel.now_ns + 1_000_000)
    assert switch.hearers("d", virtual) == "b"


def test_a_partition_separates_the_groups_and_the_rest(switch: Switch) -> None:
    p = switch.ports
    switch.segment.partition([[p["a"], p["b"]], [p["c"]]])
    assert [switch.hearers(name, BROADCAST) for name in "abcd"] == ["b", "a", "", ""]
    switch.segment.partition([[p["a"], p["c"]]])
    assert [switch.hearers(name, BROADCAST) for name in "abcd"] == ["c", "d", "a", "b"]
    switch.segment.partition([])
    assert [switch.hearers(name, BROADCAST) for name in "abcd"] == ["bcd", "acd", "abd", "abc"]


def test_what_was_learned_across_a_partition_does_not_reach_across(switch: Switch) -> None:
    p = switch.ports
    switch.hearers("a", BROADCAST)
    switch.segment.partition([[p["a"], p["b"]], [p["c"], p["d"]]])
    assert switch.hearers("c", "a") == "d"
    # One MAC on both sides, as two masters of one virtual router have it: each side keeps to itself.
    virtual = bytes.fromhex("00005e000133")
    assert switch.hearers("a", BROADCAST, source=virtual) == "b"
    assert switch.hearers("c", BROADCAST, source=virtual) == "d"
    assert switch.hearers("b", virtual) == "a"
    assert switch.hearers("d", virtual) == "c"


def test_without_a_link_nothing_comes_or_goes(switch: Switch) -> None:
    switch.hearers("b", BROADCAST)
    switch.ports["b"].set_link(False)
    assert switch.hearers("a", BROADCAST) == "cd"
    assert switch.hearers("a", "b") == "cd"  # what was learned there is forgotten
    assert switch.hearers("b", BROADCAST) == ""
    switch.ports["b"].set_link(True)
    assert switch.hearers("a", BROADCAST) == "bcd"
    assert switch.hearers("b", BROADCAST) == "acd"


def test_a_link_that_goes_keeps_what_was_learned_elsewhere(switch: Switch) -> None:
    switch.hearers("c", BROADCAST)
    switch.ports["b"].set_link(False)
    assert switch.hearers("a", "c") == "c"


@pytest.mark.parametrize("delay", [Constant(100), Uniform(100, 100)])
def test_a_frame_underway_is_lost_when_the_link_goes(delay: Delay) -> None:
    switch = Switch(delay)
    switch.send("a", BROADCAST)
    switch.kernel.at(50, lambda: switch.ports["b"].set_link(False))
    switch.kernel.run(1000)
    assert [len(switch.listeners[n].heard) for n in "bcd"] == [0, 1, 1]


def test_a_station_that_comes_later_hears_too(switch: Switch) -> None:
    switch.hearers("a", BROADCAST)
    switch.listeners["e"] = Listener()
    switch.segment.attach("e", switch.listeners["e"])
    assert switch.hearers("a", BROADCAST) == "bcde"


def test_taps_see_every_frame_once_when_it_enters(switch: Switch) -> None:
    seen: list[tuple[int, bytes]] = []
    switch.segment.taps.append(lambda at_ns, raw: seen.append((at_ns, raw)))
    switch.kernel.run(7)
    switch.send("a", BROADCAST)
    switch.ports["b"].set_link(False)
    switch.send("b", BROADCAST)
    assert seen == [(7, BROADCAST + mac("a") + b"\x88\xb5x")]


@pytest.mark.parametrize(("delay", "loss"), [(Constant(5), 0.0), (Uniform(1, 9), 0.5)])
def test_a_frame_is_taken_apart_once_for_all_hearers(
    delay: Delay, loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []

    def counting(raw: bytes) -> Frame:
        parsed.append(raw)
        return parse_frame(raw)

    monkeypatch.setattr(sim.segment, "parse_frame", counting)
    switch = Switch(delay, loss)
    for _ in range(10):
        switch.hearers("a", BROADCAST)
    assert len(parsed) == 10


def events_of(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many entries one broadcast puts into the queue."""
    asked: list[int] = []
    monkeypatch.setattr(Kernel, "at", lambda self, time_ns, call: asked.append(time_ns))
    switch.send("a", BROADCAST)
    return len(asked)


def test_a_constant_delay_costs_one_event_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert events_of(Switch(Constant(5)), monkeypatch) == 1


def test_a_varying_delay_costs_one_event_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert events_of(Switch(Uniform(1, 9)), monkeypatch) == 3


def test_each_receiver_draws_its_own_delay() -> None:
    switch = Switch(Uniform(0, 10**6))
    switch.send("a", BROADCAST)
    switch.kernel.run(10**7)
    times = [switch.listeners[name].heard[0][0] for name in "bcd"]
    assert len(set(times)) == 3
    assert all(0 <= at <= 10**6 for at in times)


def test_one_more_station_changes_no_others_fate() -> None:
    def fate(more: bool) -> list[int]:
        switch = Switch(Uniform(0, 10**6), loss=0.3)
        if more:
            switch.segment.attach("0", Listener())
        for _ in range(50):
            switch.send("a", BROADCAST)
        switch.kernel.run(10**7)
        return [at for at, _ in switch.listeners["c"].heard]

    assert fate(more=True) == fate(more=False)


def test_loss_is_the_chance_of_each_receiver_and_is_counted() -> None:
    switch = Switch(loss=0.2)
    for _ in range(2000):
        switch.send("a", BROADCAST)
    switch.kernel.run(10**7)
    heard = [len(switch.listeners[name].heard) for name in "bcd"]
    # Binomial: 2000 at 0.8 have a standard deviation of 18.
    assert all(abs(count - 1600) < 90 for count in heard)
    assert len(set(heard)) > 1
    assert switch.segment.lost == 6000 - sum(heard)
    assert not switch.listeners["a"].heard


@pytest.mark.parametrize(("loss", "heard", "lost"), [(1.0, 0, 300), (0.0, 300, 0)])
def test_loss_of_all_and_of_nothing(loss: float, heard: int, lost: int) -> None:
    switch = Switch(loss=loss)
    for _ in range(100):
        switch.send("a", BROADCAST)
    switch.kernel.run(10**7)
    assert sum(len(listener.heard) for listener in switch.listeners.values()) == heard
    assert switch.segment.lost == lost


def test_a_frame_of_garbage_is_carried_all_the_same(switch: Switch) -> None:
    raw = BROADCAST + mac("a") + b"\x08\x00" + b"E" * 30
    switch.ports["a"].transmit(raw)
    switch.kernel.run(10**6)
    assert [frame.raw for _, frame in switch.listeners["b"].heard] == [raw]
