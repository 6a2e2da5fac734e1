"""The journal: whatever a router was given, the file gives again, and to the same effects; damage is told by line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.protocol import journal_values
from vrrp.protocol.effects import SendAdvertisement
from vrrp.protocol.journal import Journal, JournalError, Step, is_journal, replay_journal
from vrrp.protocol.journal_values import MOST, read_config, read_datagram, settings_json, shown
from vrrp.protocol.profile import KEEPALIVED, PROFILES
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import (
    Announcements,
    FileConfig,
    LinkDelays,
    PeerTtl,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.timers import NEVER, SECOND_NS
from vrrp.protocol.tracking import OVERDUE_NS
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.authentication_header import AuthenticationHeader
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.frame import Datagram

INTERFACES = {"eth0": ["10.0.0.1", "fe80::1"], "eth1": ["10.1.0.1"]}
FULL = RouterConfig(
    virtual_routers=(
        VirtualRouterConfig(
            vrid=51,
            addresses=["10.0.0.100"],
            excluded_addresses=["fd00::100"],
            name="VI_1",
            interface="eth0",
            version=2,
            auth_type=1,
            auth_data=b"secret",
            announcements=Announcements(repeat=2, spacing_ns=200_000_000),
            track_scripts=(TrackedScript("chk", -5), TrackedScript("hard")),
        ),
        VirtualRouterConfig(
            vrid=52,
            addresses=["10.1.0.100", "10.1.0.101"],
            name="VI_2",
            interface="eth1",
            priority=101,
            checksum=ChecksumPolicy.EITHER,
            unicast_peers=["10.1.0.2"],
            source="10.1.0.9",
            peer_ttls=(PeerTtl(pack("10.1.0.2"), 250),),
            track_interfaces=(TrackedInterface("eth0"),),
            track_files=(TrackedFile("load", -2),),
            track_processes=(TrackedProcess("web", 4, reverse=True),),
        ),
        VirtualRouterConfig(vrid=51, addresses=["fe80::100"], name="VI_6", interface="eth0", interval_cs=20),
    ),
    scripts=(ScriptConfig(name="chk", rise=2), ScriptConfig(name="hard", timeout_ns=SECOND_NS // 2)),
    files=(FileConfig("load", 3),),
    processes=(ProcessConfig(name="web", quorum_max=7, fork_delay_ns=20), ProcessConfig(name="idle", quorum=0)),
    link_delays=(LinkDelays("eth1", 20, 10),),
    sync_groups=(SyncGroupConfig("G", ("VI_1", "VI_2"), track_scripts=(TrackedScript("chk", 2),)),),
    startup_delay_ns=5,
)


def plain(**changes: Any) -> RouterConfig:
    one: dict[str, Any] = {"vrid": 51, "addresses": ["10.0.0.100"], "name": "VI_1", "interface": "eth0", "version": 2}
    return RouterConfig(virtual_routers=(VirtualRouterConfig(**one | changes),))


def journal(lines: list[str], config: RouterConfig = FULL) -> Journal:
    return Journal(config, profile=KEEPALIVED, interfaces=INTERFACES, write=lines.append)


def advertisement(source: str, destination: str, **fields: Any) -> Datagram:
    made = Advertisement(**{"version": 2, "vrid": 51, "priority": 100, "interval_cs": 100} | fields)
    payload = encode(made, source=source, destination=destination)
    return Datagram(pack(source), pack(destination), 255, payload)


KNOWN = (
    advertisement("10.0.0.2", "224.0.0.18", addresses=["10.0.0.100"], auth_type=1, auth_data=b"secret\0\0"),
    advertisement(
        "10.0.0.2", "224.0.0.18", addresses=["10.0.0.100"], auth_type=1, auth_data=b"secret\0\0", priority=0
    ),
    advertisement("10.1.0.2", "10.1.0.9", version=3, vrid=52, priority=200, addresses=["10.1.0.100", "10.1.0.101"]),
    advertisement("fe80::2", "ff02::12", version=3, addresses=["fe80::100"], interval_cs=20, priority=90),
    Datagram(pack("10.0.0.2"), pack("224.0.0.18"), 254, b"\x21"),
    Datagram(
        pack("10.0.0.2"),
        pack("224.0.0.18"),
        255,
        b"\x21\x33",
        AuthenticationHeader(7, 9, b"x" * 12, b"what it covers"),
    ),
)


@st.composite
def inputs(draw: st.DrawFn) -> list[tuple[int, Callable[[Journal | Router, int], KeyedEffects]]]:
    """Inputs in the order of their times, the driver's `expire` among them by chance."""
    noise = st.builds(
        Datagram,
        st.binary(min_size=4, max_size=4),
        st.just(pack("224.0.0.18")),
        st.integers(0, 255),
        st.binary(max_size=40),
    )
    one = st.one_of(
        st.just(lambda router, now_ns: router.start(now_ns)),
        st.just(lambda router, now_ns: router.expire(now_ns)),
        st.just(lambda router, now_ns: router.advertise(now_ns)),
        st.builds(
            lambda config: lambda router, now_ns: router.reload(now_ns, config),
            st.sampled_from([FULL, replace(FULL, virtual_routers=FULL.virtual_routers[:2])]),
        ),
        st.just(lambda router, now_ns: router.stop(now_ns, "told to \u2192 \udcff")),
        st.builds(
            lambda interface, datagram: lambda router, now_ns: router.receive(now_ns, interface, datagram),
            st.sampled_from(list(INTERFACES)),
            st.one_of(st.sampled_from(KNOWN), noise),
        ),
        st.builds(
            lambda name, ok: lambda router, now_ns: router.script_finished(now_ns, name, ok),
            st.sampled_from(["chk", "hard"]),
            st.booleans(),
        ),
        st.builds(
            lambda name, up: lambda router, now_ns: router.set_interface(now_ns, name, up),
            st.sampled_from(list(INTERFACES)),
            st.booleans(),
        ),
        st.builds(lambda value: lambda router, now_ns: router.set_file(now_ns, "load", value), st.integers(-300, 300)),
        st.builds(
            lambda name, count: lambda router, now_ns: router.set_process_count(now_ns, name, count),
            st.sampled_from(["web", "idle"]),
            st.integers(0, 9),
        ),
    )
    now_ns, made = draw(st.integers(-10, 10)), []
    for _ in range(draw(st.integers(0, 30))):
        now_ns += draw(st.one_of(st.integers(0, 1000), st.integers(0, 8 * SECOND_NS)))
        made.append((now_ns, draw(one)))
    return made


@given(inputs())
def test_what_was_put_in_comes_out_again(given_inputs: list[Any]) -> None:
    lines: list[str] = []
    recorded, bare = journal(lines), Router(FULL, profile=KEEPALIVED, interfaces=INTERFACES)
    effects = []
    for now_ns, put in [(0, lambda router, now_ns: router.start(now_ns)), *given_inputs]:
        effects.append(put(recorded, now_ns))
        assert [e for _, e in effects[-1]] == [e for _, e in put(bare, now_ns)]  # a journal changes nothing
        assert recorded.settle() == bare.settle()
    steps = list(replay_journal(lines))
    assert len(steps) == len(given_inputs) + 1
    assert all(step.same for step in steps)
    assert [len(step.replayed) for step in steps] == [len(each) for each in effects]
    assert [step.line for step in steps] == list(range(2, len(steps) + 2))
    assert all(line.isascii() and line.endswith("\n") and "\n" not in line[:-1] for line in lines)


def test_a_whole_configuration_comes_back() -> None:
    assert read_config(json.loads(json.dumps(settings_json(FULL)))) == FULL
    assert read_config({"virtual_routers": [{"vrid": 1, "addresses": ["10.0.0.1"]}]}) == RouterConfig(
        virtual_routers=(VirtualRouterConfig(vrid=1, addresses=["10.0.0.1"]),)
    )


def test_every_field_of_the_settings_can_be_read() -> None:
    for kind in (
        RouterConfig,
        VirtualRouterConfig,
        ScriptConfig,
        SyncGroupConfig,
        Announcements,
        FileConfig,
        LinkDelays,
        PeerTtl,
        ProcessConfig,
        TrackedScript,
        TrackedInterface,
        TrackedFile,
        TrackedProcess,
    ):
        for field in dataclasses.fields(kind):
            assert field.type in journal_values._READERS, (kind, field.name)


@pytest.mark.parametrize("datagram", KNOWN, ids=lambda datagram: datagram.payload.hex()[:8])
def test_a_datagram_comes_back(datagram: Datagram) -> None:
    again = read_datagram(json.loads(json.dumps(journal_values.datagram_json(datagram))))
    assert again == datagram
    if datagram.authentication is not None:
        assert again.authentication is not None
        assert again.authentication.covered == datagram.authentication.covered


def test_it_can_be_read_by_people() -> None:
    lines: list[str] = []
    router = journal(lines, plain())
    router.start(0)
    router.expire(4 * SECOND_NS)
    router.stop(5 * SECOND_NS)
    assert [json.loads(line) for line in lines[1:]] == [
        {"t": 0, "in": "start", "out": [["VI_1", "state", "INITIALIZE", "BACKUP", "start"]]},
        {
            "t": 4 * SECOND_NS,
            "in": "expire",
            "out": [
                ["VI_1", "send", 2, 100, 100, ["10.0.0.100"]],
                ["VI_1", "acquire", ["10.0.0.100"]],
                ["VI_1", "announce", ["10.0.0.100"], 5],
                ["VI_1", "state", "BACKUP", "MASTER", "no advertisement yet, for 4.000 s"],
            ],
        },
        {
            "t": 5 * SECOND_NS,
            "in": "stop",
            "reason": "stopped",
            "out": [
                ["VI_1", "send", 2, 0, 100, ["10.0.0.100"]],
                ["VI_1", "release", ["10.0.0.100"]],
                ["VI_1", "state", "MASTER", "INITIALIZE", "stopped"],
            ],
        },
    ]


def test_a_password_that_is_sent_stands_with_what_is_sent() -> None:
    lines: list[str] = []
    router = journal(lines, plain(auth_type=1, auth_data=b"secret"))
    router.start(0)
    router.expire(4 * SECOND_NS)
    (sent,) = [effect for effect in json.loads(lines[2])["out"] if effect[1] == "send"]
    assert sent == ["VI_1", "send", 2, 100, 100, ["10.0.0.100"], 1, b"secret\0\0".hex()]


def test_scripts_in_it() -> None:
    lines: list[str] = []
    router = journal(lines, RouterConfig(virtual_routers=FULL.virtual_routers[:1], scripts=FULL.scripts))
    router.start(0)
    router.script_finished(1, "chk", ok=False)
    router.expire(SECOND_NS // 2 + OVERDUE_NS)
    outs = [json.loads(line).get("out") for line in lines[1:]]
    assert outs[0][:2] == [[None, "run", "chk"], [None, "run", "hard"]]
    assert outs[1] == [["VI_1", "priority", 100, 95, "chk failed once: 100 \u2192 95"]]
    assert outs[2] == [[None, "kill", "hard"]]
    assert all(step.same for step in replay_journal(lines))


def test_other_effects_than_recorded_are_found() -> None:
    lines: list[str] = []
    router = journal(lines, plain())
    router.start(0)
    router.expire(4 * SECOND_NS)
    tampered = [line.replace('"announce", ["10.0.0.100"], 5', '"announce", ["10.0.0.100"], 6') for line in lines]
    found = [step for step in replay_journal(tampered) if not step.same]
    assert [(step.line, step.now_ns, step.what) for step in found] == [(3, 4 * SECOND_NS, "expire")]
    assert [effect[3] for effect in found[0].recorded if effect[1] == "announce"] == [6]
    assert [effect[3] for effect in found[0].replayed if effect[1] == "announce"] == [5]


def test_a_restart_is_a_new_router_in_the_same_file() -> None:
    lines: list[str] = []
    journal(lines, plain()).start(0)
    again = journal(lines, plain(priority=7))
    again.start(10)
    (sent,) = [e for _, e in again.expire(10 + 5 * SECOND_NS) if isinstance(e, SendAdvertisement)]
    steps = list(replay_journal([lines[0], "\n", *lines[1:]]))
    assert [step.same for step in steps] == [True, True, True]
    assert sent.advertisement.priority == 7
    assert Step(1, 0, "start", [1], [1.0]).same


def test_a_profile_of_ones_own_has_no_name_in_a_journal() -> None:
    own = dataclasses.replace(KEEPALIVED, fault_state=False)
    with pytest.raises(ValueError, match="cannot name the profile 'keepalived': that is another one"):
        Journal(plain(), profile=own, interfaces=INTERFACES, write=str)
    for profile in PROFILES.values():
        Journal(plain(version=profile.versions[0]), profile=profile, interfaces=INTERFACES, write=str)


def test_what_begins_like_a_journal() -> None:
    assert is_journal(b' \n{"journal": 1')
    assert not is_journal(b"")
    assert not is_journal(b"\xd4\xc3\xb2\xa1")


HEAD: list[str] = []
journal(HEAD, plain())
GOOD = json.loads(HEAD[0])


def head(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


def config(**changes: Any) -> str:
    routers = [GOOD["config"]["virtual_routers"][0] | changes]
    return head(config=GOOD["config"] | {"virtual_routers": routers})


def received(**changes: Any) -> str:
    whole = {"t": 1, "in": "receive", "interface": "eth0", **journal_values.datagram_json(KNOWN[5])}
    return json.dumps(whole | changes)


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([], 1, "no router in it; a journal begins with"),
        (["\n", "\n"], 2, "no router in it"),
        (["{"], 1, "no JSON: Expecting property name enclosed in double quotes, column 2"),
        (["[1]"], 1, r"\[1\] is no object"),
        (["[" * 100_000], 1, "brackets in brackets without end"),
        (['{"t": ' + "9" * 5000 + "}"], 1, "Exceeds the limit"),
        (["x" * 16_000_001], 1, "longer than 16000000 characters"),
        (['{"t": 0, "in": "start"}'], 1, "a journal begins with its router"),
        ([head(journal=2)], 1, "format 2; this version reads 1"),
        ([head(journal=True)], 1, "format True; this version reads 1"),
        ([head(profile="keepalive")], 1, "there is no profile 'keepalive'; did you mean 'keepalived'?"),
        ([head(profile=None)], 1, "None is no text"),
        ([head(interfaces=[])], 1, r"\[\] is no object"),
        ([head(interfaces={"eth0": "10.0.0.1"})], 1, "'10.0.0.1' is no list"),
        ([head(interfaces={"eth0": ["10.0.0"]})], 1, "'10.0.0' is no address"),
        ([head(interfaces={})], 1, "there is no interface 'eth0'"),
        ([head(config={})], 1, "RouterConfig needs 'virtual_routers'"),
        ([config(vrid=256)], 1, "virtual_routers: VI_1: a virtual router identifier is 1 to 255, not 256"),
        ([config(vrid="51")], 1, "virtual_routers: vrid: '51' is no whole number of at most 62 bits"),
        ([config(vrid=True)], 1, "virtual_routers: vrid: True is no whole number"),
        ([config(preempt_delay_ns=MOST + 1)], 1, "preempt_delay_ns: 4611686018427387905 is no whole number"),
        ([config(preempt=1)], 1, "preempt: 1 is neither true nor false"),
        ([config(auth_data="xy")], 1, "auth_data: 'xy' is no row of hexadecimal digits"),
        ([config(checksum="MAYBE")], 1, "checksum: 'MAYBE' is no checksum policy; known: "),
        ([config(colour="red")], 1, "VirtualRouterConfig has no 'colour'"),
        ([config(addresses=["10.0.0.1" * 9])], 1, r"'10.0.0.110\S+\.\.\. is no address"),
        ([*HEAD, '{"in": "start"}'], 2, "None is no whole number"),
        ([*HEAD, '{"t": 1.5, "in": "start"}'], 2, "1.5 is no whole number"),
        ([*HEAD, '{"t": 1, "in": "strat"}'], 2, "there is no input 'strat'; did you mean 'start'?"),
        ([*HEAD, '{"t": 1, "in": "stop"}'], 2, "None is no text"),
        ([*HEAD, '{"t": 1, "in": "script_finished", "script": "x", "ok": true}'], 2, "the router has no 'x'"),
        ([*HEAD, '{"t": 1, "in": "set_interface", "interface": "eth0"}'], 2, "None is neither true nor false"),
        ([*HEAD, '{"t": 1, "in": "set_interface", "interface": "x", "up": true}'], 2, "the router has no 'x'"),
        ([*HEAD, received(interface="eth9")], 2, "receive: the router has no 'eth9'"),
        ([*HEAD, received(source="fe80::1")], 2, "source and destination are not of one family"),
        ([*HEAD, received(ttl=256)], 2, "a TTL of 256"),
        ([*HEAD, received(payload="00" * 65_536)], 2, "65536 bytes are more than an IP packet holds"),
        ([*HEAD, received(authentication={"spi": 1, "sequence": -1, "icv": "", "covered": ""})], 2, "have 32 bits"),
    ],
)
def test_damage_is_told_with_its_line(lines: list[str], line: int, message: str) -> None:
    with pytest.raises(JournalError, match=message) as error:
        list(replay_journal(lines))
    assert error.value.line == line
    assert str(error.value).isprintable()


def test_no_time_in_a_journal_is_too_late_for_a_timer() -> None:
    late = f'{{"t": {MOST}, "in": "start"}}'
    (step,) = replay_journal([config(preempt_delay_ns=MOST), late])
    assert step.replayed
    assert MOST + MOST <= NEVER


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_any_value_anywhere_is_told_or_taken(value: object) -> None:
    for name in GOOD["config"]["virtual_routers"][0]:
        lines = [config(**{name: value}), '{"t": 0, "in": "start"}', '{"t": 9, "in": "expire"}']
        try:
            list(replay_journal(lines))
        except JournalError as error:
            assert error.line == 1  # noqa: PT017  # either is right; an error is the configuration's
    assert len(shown(value)) <= 43
