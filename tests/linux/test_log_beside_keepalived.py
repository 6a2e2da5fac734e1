"""keepalived and the daemon hear the same packets: what they write about it is the same, line for line.

Of each instance, that is: which of two whose timers end at the same moment speaks first is up to either program.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from linux.namespaces import Cable, cable, sh
from vrrp import Advertisement, encode
from vrrp.wire.address import pack
from vrrp.wire.advertisement import SIMPLE_PASSWORD

SENDER, GROUP = "10.0.0.9", "224.0.0.18"
JOINED = "120000E0"
"""The group, as /proc/net/igmp has it."""
CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        10.0.0.100/24
    }
}
vrrp_instance VI_3 {
    interface eth0
    virtual_router_id 53
    version 3
    priority 100
    advert_int 1
    nopreempt
    virtual_ipaddress {
        10.0.0.103/24
        10.0.0.104/24
    }
}
"""
SEND = """\
import json, socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.0.9"))
for ttl, payload in json.loads(sys.argv[1]):
    out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    out.sendto(bytes.fromhex(payload), ("224.0.0.18", 0))
    time.sleep(0.03)
"""
GOOD = Advertisement(
    version=2,
    vrid=51,
    priority=200,
    interval_cs=100,
    addresses=["10.0.0.100"],
    auth_type=SIMPLE_PASSWORD,
    auth_data=b"secret\0\0",
)
THIRD = Advertisement(version=3, vrid=53, priority=200, interval_cs=100, addresses=["10.0.0.103", "10.0.0.104"])


def raw(advertisement: Advertisement) -> bytes:
    return encode(advertisement, source=SENDER, destination=GROUP)


def summed(payload: bytes) -> bytes:
    """A version 2 message whose checksum fits what is in it."""
    total = 0xFFFF - int.from_bytes(payload[:6] + b"\0\0" + payload[8:], "big") % 0xFFFF
    return payload[:6] + total.to_bytes(2, "big") + payload[8:]


def packed(*addresses: str) -> tuple[bytes, ...]:
    return tuple(map(pack, addresses))


def bad() -> list[tuple[int, bytes]]:
    """Packets that a backup takes for one reason or another amiss, with their TTL."""
    good, third = raw(GOOD), raw(THIRD)
    return [
        (254, good),
        (255, good[:4]),
        (255, good + b"\0\0\0\0"),
        (255, good[:-4]),
        (255, good[:6] + b"\x12\x34" + good[8:]),
        (255, summed(b"\x22" + good[1:])),
        (255, summed(good[:4] + b"\x03" + good[5:])),
        (255, raw(replace(GOOD, auth_type=0, auth_data=b"\0" * 8))),
        (255, raw(replace(GOOD, auth_data=b"other\0\0\0"))),
        (255, raw(replace(GOOD, interval_cs=200))),
        (255, raw(replace(GOOD, addresses=packed("10.0.0.100", "10.0.0.101")))),
        (255, raw(replace(GOOD, addresses=packed("10.0.0.101")))),
        (255, raw(Advertisement(version=3, vrid=51, priority=200, interval_cs=100, addresses=["10.0.0.100"]))),
        (255, third[:6] + b"\x12\x34" + third[8:]),
        (255, raw(replace(THIRD, addresses=packed("10.0.0.103", "10.0.0.105")))),
        (255, raw(replace(THIRD, addresses=packed("10.0.0.103")))),
        (255, raw(replace(THIRD, interval_cs=50))),
        (255, raw(replace(THIRD, interval_cs=100))),
    ]


def send(ends: Cable, packets: list[tuple[int, bytes]]) -> None:
    said = json.dumps([(ttl, payload.hex()) for ttl, payload in packets])
    sender = ends.run(ends.other, sys.executable, "-c", SEND, said)
    assert sender.wait(20) == 0


def story(*program: object) -> dict[str, list[str]]:
    """What a program writes of each of its instances and of its interface, from its start to its end."""
    with cable() as ends:
        sh("ip", "-n", ends.one, "addr", "add", "10.0.0.1/24", "dev", "eth0")
        sh("ip", "-n", ends.other, "addr", "add", f"{SENDER}/24", "dev", "eth0")
        written = lived(ends, *program)
    about: dict[str, list[str]] = {}
    for line in written.splitlines():
        said = re.search(r": ((\(VI_\d\)|Netlink|IPv4).*)", line)
        if said:
            about.setdefault(said[2], []).append(said[1])
    return about


def lived(ends: Cable, *program: object) -> str:
    """All that a program writes."""
    running = ends.run(ends.one, *program)
    while JOINED not in sh("ip", "netns", "exec", ends.one, "cat", "/proc/net/igmp"):
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    time.sleep(0.2)
    send(ends, bad())
    send(ends, [(255, raw(replace(GOOD, priority=50))), (255, raw(replace(GOOD, priority=150)))])
    send(ends, [(255, raw(replace(GOOD, priority=0))), (255, raw(replace(THIRD, priority=0)))])
    time.sleep(1)  # master after the skew of 0.61 s
    for one in (GOOD, THIRD):
        send(ends, [(255, raw(replace(one, priority=priority))) for priority in (50, 0, 100)])
    send(ends, [(255, raw(replace(GOOD, priority=0))), (255, raw(replace(THIRD, priority=0)))])
    time.sleep(1)
    send(ends, [(255, raw(replace(GOOD, priority=201))), (255, raw(replace(GOOD, priority=0)))])
    time.sleep(0.9)
    sh("ip", "-n", ends.one, "link", "set", "eth0", "down")
    time.sleep(0.3)
    sh("ip", "-n", ends.one, "link", "set", "eth0", "up")
    sh("ip", "-n", ends.one, "addr", "replace", "10.0.0.1/24", "dev", "eth0")
    time.sleep(0.5)
    send(ends, [(255, raw(replace(GOOD, priority=0))), (255, raw(replace(THIRD, priority=0)))])
    time.sleep(1)
    running.send_signal(signal.SIGTERM)
    return "".join(running.communicate(timeout=20))


def stories(keepalived: tuple[object, ...], vrrp: tuple[object, ...]) -> tuple[dict[str, list[str]], ...]:
    """Ours and theirs, at the same time."""
    with ThreadPoolExecutor() as both:
        first = both.submit(story, *keepalived)
        ours = both.submit(story, *vrrp).result()
        theirs = first.result()
    for name in ("(VI_1)", "(VI_3)"):
        # It begins with the removal of what an earlier run may have left, whether there is any or not.
        assert theirs[name].pop(0) == f"{name} removing VIPs."
    assert sum(map(len, ours.values())) > 80
    return ours, theirs


@pytest.mark.root
@pytest.mark.program("keepalived")
def test_the_daemon_writes_what_keepalived_writes(tmp_path: Path) -> None:
    conf = tmp_path / "k.conf"
    conf.write_text(CONF)
    files = [word for name in ("p", "r") for word in (f"-{name}", tmp_path / f"{name}.pid")]
    keepalived = ("keepalived", "-n", "-l", "-D", "-P", "-f", conf, *files)
    vrrp = (sys.executable, "-c", "from vrrp.cli.main import main; main()", "run", "-f", conf)
    # A busy machine may let the addresses' second announcement, after 5 s, into one of the stories only.
    ours: dict[str, list[str]] = {}
    theirs: dict[str, list[str]] = {}
    for attempt in range(3):
        ours, theirs = stories(keepalived, (*vrrp, "--state-dir", tmp_path / f"state{attempt}"))
        if ours == theirs:
            break
    assert ours.keys() == theirs.keys()
    for about, lines in ours.items():
        assert lines == theirs[about]
