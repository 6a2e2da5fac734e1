"""What the daemon writes down, on a kernel that keeps what it is asked for."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from linux import test_log_beside_keepalived as beside
from linux.kernels import CONF, FakeKernel, make_daemon, until
from vrrp import Advertisement, __version__, encode
from vrrp.linux.log import output
from vrrp.linux.log.event_log import EventLog
from vrrp.linux.log.phrases import heard, refused
from vrrp.linux.log.throttle import Throttle
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.settings import PeerTtl, VirtualRouterConfig
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack
from vrrp.wire.advertisement import AUTHENTICATION_HEADER
from vrrp.wire.authentication_header import AuthenticationHeader
from vrrp.wire.frame import Datagram

OTHER, GROUP = "10.0.0.2", "224.0.0.18"


def datagram(priority: int, ttl: int = 255) -> Datagram:
    advertisement = Advertisement(version=3, vrid=51, priority=priority, interval_cs=2, addresses=["10.0.0.100"])
    return Datagram(pack(OTHER), pack(GROUP), ttl, encode(advertisement, source=OTHER, destination=GROUP))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was written from the start on; before it there are notes on the configuration."""
    written = [record.getMessage() for record in caplog.records]
    return written[written.index(f"Starting vrrp {__version__}") :]


def test_a_flood_is_written_in_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kernel = FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel, EventLog())

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send VI_1 200")
        for _ in range(1000):
            daemon.hear("eth0", datagram(10, ttl=1))
            daemon.hear("eth0", datagram(10))
        await asyncio.sleep(1.1)
        daemon.stop()
        await running

    asyncio.run(live())
    written = lines(caplog)
    assert written.count("(VI_1) invalid TTL/HL. Received 1 and expect 255") == 20
    assert "(VI_1) 980 more lines like this were left out (TTL or hop limit is not 255)" in written
    weaker = "(VI_1) Received advert from 10.0.0.2 with lower priority 10, ours 200, forcing new election"
    assert written.count(weaker) == 20
    assert "(VI_1) 980 more lines like this were left out (adverts received as MASTER)" in written


def test_signals_a_sync_group_and_a_link_that_is_down_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    second = CONF.replace("VI_1", "VI_2").replace("51", "52").replace("200", "100").replace(".100/", ".101/")
    group = "vrrp_sync_group G1 {\n group {\n VI_1\n VI_2\n }\n}\n"
    kernel = FakeKernel()
    kernel.down.add("eth0")
    daemon = make_daemon(tmp_path / "k.conf", kernel, EventLog(), text=CONF + second + group)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(0.05)
        kernel.down.clear()
        daemon.interface_changed("eth0")
        await until(kernel, "send VI_1 200")
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(live())
    written = lines(caplog)
    down = [f"(VI_{number}) entering FAULT state (interface eth0 down)" for number in (1, 2)]
    up = ["Netlink reports eth0 up", *(f"(VI_{number}) Entering BACKUP STATE" for number in (1, 2))]
    assert written[1:6] == [*down, *up]
    # keepalived 2.2.7's own order for the same pair (the leader is whose timer ends last).
    assert written[6:14] == [
        "(VI_2) Receive advertisement timeout",
        "(VI_2) Entering MASTER STATE",
        "(VI_2) setting VIPs.",
        "(VI_2) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.101",
        "VRRP_Group(G1) Syncing instances to MASTER state",
        "(VI_1) Entering MASTER STATE",
        "(VI_1) setting VIPs.",
        "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.100",
    ]
    assert written[14:17] == ["Reloading ...", "Reload complete", "Stopping"]
    goodbyes = [f"(VI_{number}) {what}" for number in (1, 2) for what in ("sent 0 priority", "removing VIPs.")]
    assert written[17:21] == goodbyes


CHECK = 'vrrp_script chk {\n script "/bin/true"\n interval 1\n weight -50\n}\n'


def test_priorities_and_scripts_that_have_no_result_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kernel = FakeKernel()
    hard = CHECK.replace("chk", "hard").replace("weight -50", "")
    text = hard + CHECK + CONF.replace("advert_int", "track_script {\n chk\n hard\n }\n advert_int")
    daemon = make_daemon(tmp_path / "k.conf", kernel, EventLog(), text=text)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(0.05)
        daemon.learn(lambda now_ns: daemon.router.script_finished(now_ns, "hard", True))
        daemon.learn(lambda now_ns: daemon.router.script_finished(now_ns, "chk", False))
        daemon.hear("eth0", datagram(200))
        daemon.stop()
        await running

    asyncio.run(live())
    assert lines(caplog)[1:3] == ["(VI_1) Entering BACKUP STATE", "(VI_1) Changing effective priority from 200 to 150"]


def vr(**fields: object) -> VirtualRouter:
    config = VirtualRouterConfig(vrid=51, addresses=["10.0.0.100"], **fields)  # type: ignore[arg-type]  # any field
    return VirtualRouter(config, source="10.0.0.1", profile=KEEPALIVED)


def test_phrases_that_take_more_than_a_packet() -> None:
    """As they stand in keepalived 2.2.7's program file; the others are measured beside it."""
    seven = AuthenticationHeader(spi=1, sequence=7, icv=b"\0" * 12)
    signed = Datagram(pack(OTHER), pack(GROUP), 3, datagram(100).payload, seven)
    plain = datagram(100)
    ah = vr(version=2, auth_type=AUTHENTICATION_HEADER, ah_key=b"x")
    ah.ah_sequence.last = 9
    unicast = vr(unicast_peers=[OTHER], peer_ttls=(PeerTtl(pack(OTHER), 5, 9),))
    said = [
        refused(ah, plain, Discard.AH_PRESENCE),
        refused(vr(), signed, Discard.AH_PRESENCE),
        refused(ah, signed, Discard.AH_SEQUENCE),
        refused(ah, signed, Discard.AH_SPI),
        refused(ah, signed, Discard.AH_ICV),
        refused(unicast, signed, Discard.PEER_TTL),
        refused(unicast, plain, Discard.DESTINATION),
        refused(unicast, plain, Discard.UNICAST_SOURCE),
        refused(vr(), plain, Discard.OWNER_DEAF),
    ]
    assert said == [
        "No AH header but auth type is AH",
        "Received AH header but auth type not AH",
        "IPSEC-AH : sequence number 7 already processed. Packet dropped. Local(9)",
        "IPSEC AH : invalid IPSEC SPI value. 1 and expect 167772162",
        "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !",
        "TTL/HL 3 not in range 5 - 9",
        "Expected unicast packet but received multicast packet",
        "unicast source address 10.0.0.2 not a unicast peer",
        "discarded an advert from 10.0.0.2: this router owns the addresses and is told to hear nobody "
        "(owner_ignore_adverts)",
    ]
    owner = vr(priority=255, state_master=True)
    owner.start(0)
    assert (heard(owner, datagram(255)) or "").startswith("CONFIGURATION ERROR: local instance and a remote instance")
    assert heard(vr(), plain) is None


def test_a_throttle_has_bounds() -> None:
    later: list[Callable[[], None]] = []
    told: list[tuple[Hashable, int]] = []
    throttle = Throttle(2, later.append, lambda kind, count: told.append((kind, count)))
    assert [throttle.passes("a") for _ in range(5)] == [True, True, False, False, False]
    assert all(throttle.passes(number) for number in range(4095))
    assert not throttle.passes("one too many")
    assert len(later) == 1
    later.pop()()
    assert told == [("a", 3)]
    assert throttle.passes("a")


@pytest.fixture
def root_logger() -> object:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("root_logger")
def test_json_is_an_object_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    kernel = FakeKernel()
    output.set_up("json")
    daemon = make_daemon(tmp_path / "k.conf", kernel, EventLog())

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send VI_1 200")
        daemon.hear("eth0", datagram(10, ttl=1))
        daemon.stop()
        await running

    asyncio.run(live())
    logging.getLogger("vrrp.daemon").error("50 %% of %s", "nothing\n")
    said = [json.loads(line) for line in written.getvalue().splitlines()]
    entered = next(one for one in said if one["message"] == "Entering MASTER STATE")
    assert entered | {"time": "", "reason": ""} == {
        "time": "",
        "level": "info",
        "event": "state",
        "instance": "VI_1",
        "message": "Entering MASTER STATE",
        "from": "BACKUP",
        "to": "MASTER",
        "reason": "",
    }
    refusal = next(one for one in said if one["event"] == "discarded")
    assert (refusal["source"], refusal["reason"], refusal["level"]) == (OTHER, "ttl", "warning")
    assert said[-1]["message"] == "50 % of nothing\n"
    assert (said[-1]["event"], said[-1]["instance"]) == ("message", None)


@pytest.mark.usefixtures("root_logger")
def test_lines_are_dated_unless_the_journal_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for journal in (False, True):
        file = tmp_path / f"{journal}"
        with file.open("w") as stream:
            found = os.fstat(stream.fileno())
            monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino + (not journal)}")
            monkeypatch.setattr(sys, "stderr", stream)
            output.set_up("text")
            logging.getLogger("vrrp").info("(VI_1) hi\x1b")
        text = file.read_text()
        assert (text == "(VI_1) hi\\x1b\n") is journal
        assert text.endswith(": (VI_1) hi\\x1b\n") is not journal


@pytest.mark.usefixtures("root_logger")
def test_syslog_is_asked_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "log"
    monkeypatch.setattr(output, "_SYSLOG", place)
    with pytest.raises(FileNotFoundError, match="no syslog"):
        output.set_up("syslog")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(place))
        output.set_up("syslog")
        logging.getLogger("vrrp").info("(VI_1) Entering MASTER STATE")
        said = listening.recv(1000)
    assert said.rstrip(b"\0") == f"<30>vrrp[{os.getpid()}]: (VI_1) Entering MASTER STATE".encode()


def test_what_keepalived_wrote_of_the_same_packets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As 2.2.7 was heard to; test_log_beside_keepalived asks it again, where it is installed."""
    caplog.set_level(logging.INFO)
    daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), EventLog(), text=beside.CONF)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(0.05)
        for ttl, payload in beside.bad():
            daemon.hear("eth0", Datagram(pack(beside.SENDER), pack(GROUP), ttl, payload))
        daemon.stop()
        await running

    asyncio.run(live())
    assert lines(caplog)[3:21] == [
        "(VI_1) invalid TTL/HL. Received 254 and expect 255",
        "IPv4 VRRP packet too short - 24 bytes",
        "(VI_1) vrrp packet too long, length 44 and expect 40",
        "(VI_1) vrrp packet too short, length 36 and expect 40",
        "(VI_1) Invalid VRRPv2 checksum",
        "(VI_1) Invalid packet type. 2 and expect 1",
        "(VI_1) Invalid auth type: 3",
        "(VI_1) received a 0 auth, expecting 1!",
        "(VI_1) received an invalid passwd!",
        "(VI_1) advertisement interval mismatch mine=1 sec rcv'd=2 sec",
        "(VI_1) received an unexpected ip number count 2, expected 1!",
        "(VI_1) ip address associated with VRID 51 not present in MASTER advert: 10.0.0.100",
        "(VI_1) wrong version. Received 3 and expect 2",
        "(VI_3) Invalid VRRPv3 checksum",
        "(VI_3) ip address associated with VRID 53 not present in MASTER advert: 10.0.0.104",
        "(VI_3) received an unexpected ip number count 1, expected 2!",
        "(VI_3) advertisement interval updated from 1000ms to 500ms by master",
        "(VI_3) advertisement interval updated from 500ms to 1000ms by master",
    ]
