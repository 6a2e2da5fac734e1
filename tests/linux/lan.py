"""Nodes on a bridge, each in a network namespace of its own, that run vrrp or the real keepalived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from linux.namespaces import ENVIRONMENT, sh, wait_for
from vrrp.capture.reader import open_capture
from vrrp.wire.address import text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.arp import ArpPacket
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.frame import Datagram, decode_datagram, parse_frame
from vrrp.wire.neighbor import NeighborAdvertisement

_numbers = count(1)
_SETTLE = (
    "cd /proc/sys/net/ipv6/conf; for d in all default; do echo {} > $d/disable_ipv6; echo 0 > $d/accept_dad;"
    " echo 0 > $d/router_solicitations; done; ip link set lo up"
)
VRRP = (sys.executable, "-c", "from vrrp.cli.main import main; main()")


@dataclass(frozen=True)
class Seen:
    """An advertisement in the capture: when, from whom, and what it says."""

    at_ns: int
    source: str
    advertisement: Advertisement


@dataclass
class Lan:
    """`names` of nodes, each with eth0: 10.0.0.1/24, fe80::1/64 for the first, and so on."""

    folder: Path
    names: tuple[str, ...]
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    every: list[subprocess.Popen[str]] = field(default_factory=list)
    tag: str = field(default_factory=lambda: f"vrrp{os.getpid()}n{next(_numbers)}")

    def space(self, name: str) -> str:
        """The namespace of a node; "lan" is the bridge's."""
        return f"{self.tag}{name}"

    def inside(self, name: str) -> tuple[str, ...]:
        """What runs a command in a namespace."""
        return "ip", "netns", "exec", self.space(name)

    def ip(self, name: str, *words: object) -> str:
        """`ip` in a namespace."""
        return sh("ip", "-n", self.space(name), *words)

    # Nodes ----------------------------------------------------------------------------------------------

    def vrrp(self, name: str, conf: str, *options: object) -> subprocess.Popen[str]:
        """Start `vrrp run` on a node, until it says that it runs."""
        file = self.folder / f"{name}.conf"
        file.write_text(conf)
        said = self.log(name).stat().st_size if self.log(name).exists() else 0
        process = self.start(name, "run", "-f", file, "--state-dir", self.folder / f"{name}.state", *options)
        self.running[name] = process
        self.until(lambda: "Startup complete" in self.log(name).read_text()[said:])
        return process

    def keepalived(self, name: str, conf: str) -> subprocess.Popen[str]:
        """Start the real one on a node."""
        file = self.folder / f"{name}.conf"
        file.write_text(conf)
        pids = ("-p", self.folder / f"{name}.pid", "-r", self.folder / f"{name}.vrrp.pid")
        return self.program(name, "keepalived", "-n", "-l", "-D", "-P", "-f", file, *pids)

    def program(self, name: str, *words: object) -> subprocess.Popen[str]:
        """Start a program on a node as what is to be stopped or crashed there."""
        process = self._start(name, *words)
        self.running[name] = process
        return process

    def start(self, name: str, *arguments: object, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start `vrrp` with any arguments on a node, `under` another command."""
        return self._start(name, *under, *VRRP, *arguments)

    def _start(self, name: str, *words: object) -> subprocess.Popen[str]:
        command = [*self.inside(name), *map(str, words)]
        with self.log(name).open("a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=ENVIRONMENT)
        self.every.append(process)
        return process

    def log(self, name: str) -> Path:
        """What a node said."""
        return self.folder / f"{name}.log"

    def stop(self, name: str) -> int:
        """SIGTERM; the exit status."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=20)

    def crash(self, name: str) -> None:
        """SIGKILL to all of a node's processes."""
        process = self.running.pop(name)
        os.kill(process.pid, signal.SIGSTOP)  # else keepalived starts its child again
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        process.kill()
        process.wait()
        for kind in ("pid", "vrrp.pid"):  # the next keepalived would believe them
            (self.folder / f"{name}.{kind}").unlink(missing_ok=True)

    def hang_up(self, name: str) -> None:
        """SIGHUP."""
        self.running[name].send_signal(signal.SIGHUP)

    def plug(self, name: str, state: str) -> None:
        """Have a node's cable "up" or "down" at the bridge: its carrier goes, the bridge and the others stay."""
        self.ip("lan", "link", "set", f"p{name}", state)

    def addresses(self, name: str, device: str = "eth0") -> set[str]:
        """The addresses of an interface, with their prefixes."""
        words = self.ip(name, "-br", "addr", "show", "dev", device).split()
        return {word for word in words[2:] if "/" in word}

    def holds(self, name: str, address: str) -> bool:
        """Whether a node has this address, on whatever device and with whatever prefix."""
        return f" {address}/" in self.ip(name, "-o", "addr")

    def until(self, what: Callable[[], bool], seconds: float = 15) -> None:
        """Until it is so."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.told()
            time.sleep(0.02)

    def until_holder(self, address: str, name: str, seconds: float = 15) -> None:
        """Until this node has the address and no other has."""
        self.until(lambda: [one for one in self.names if self.holds(one, address)] == [name], seconds)

    def told(self) -> str:
        """What the nodes said and have, for a test that fails."""
        parts = []
        for name in self.names:
            parts.append(f"-- {name}: {self.addresses(name)}")
            parts.append(self.log(name).read_text() if self.log(name).exists() else "")
        return "\n".join(parts)

    # The capture ----------------------------------------------------------------------------------------

    def _frames(self) -> Iterator[tuple[int, object]]:
        time.sleep(0.2)
        with open_capture(self.folder / "lan.pcap") as packets:
            for packet in packets:
                yield packet.time_ns, parse_frame(packet.data).content

    def adverts(self) -> list[Seen]:
        """All advertisements so far, whoever sent them; every checksum is verified."""
        found = []
        for at_ns, content in self._frames():
            if isinstance(content, Datagram):
                advertisement = decode_datagram(content, ChecksumPolicy.PSEUDO_HEADER)
                assert isinstance(advertisement, Advertisement), advertisement
                found.append(Seen(at_ns, text(content.source), advertisement))
        return found

    def heard_from(self, mac: str) -> list[int]:
        """When this MAC sent packets for the VRRP group, whatever is in them."""
        with open_capture(self.folder / "lan.pcap") as packets:
            return [one.time_ns for one in packets if one.data[:12].hex(":") == f"01:00:5e:00:00:12:{mac}"]

    def announced(self) -> list[tuple[int, str]]:
        """When which address was announced."""
        found = []
        for at_ns, content in self._frames():
            if isinstance(content, ArpPacket) and content.gratuitous:
                found.append((at_ns, text(content.sender)))
            elif isinstance(content, NeighborAdvertisement) and not content.solicited:
                found.append((at_ns, text(content.target)))
        return found


@contextmanager
def lan(folder: Path, *names: str) -> Iterator[Lan]:
    """Nodes of these names on a bridge that is captured; all is taken down at the end."""
    net = Lan(folder, names)
    try:
        for name in ("lan", *names):
            sh("ip", "netns", "add", net.space(name))
            sh(*net.inside(name), "sh", "-c", _SETTLE.format(int(name == "lan")))
        still = ("type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
        net.ip("lan", "link", "add", "br0", *still)
        net.ip("lan", "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            peer = ("peer", "name", "eth0", "address", f"02:00:00:00:00:{number:02x}", "netns", net.space(name))
            net.ip("lan", "link", "add", f"p{name}", "type", "veth", *peer)
            net.ip("lan", "link", "set", f"p{name}", "master", "br0", "up")
            net.ip(name, "link", "set", "eth0", "addrgenmode", "none")
            net.ip(name, "link", "set", "eth0", "up")
            net.ip(name, "addr", "add", f"10.0.0.{number}/24", "dev", "eth0")
            net.ip(name, "addr", "add", f"fe80::{number}/64", "dev", "eth0", "nodad")
        command = ("tcpdump", "-i", "br0", "-U", "-s", "512", "--immediate-mode", "--time-stamp-precision", "nano")
        only = ("-w", str(folder / "lan.pcap"), "vrrp or ah or arp or ip6")
        silent = subprocess.DEVNULL
        tcpdump = subprocess.Popen(
            [*net.inside("lan"), *command, *only], stdout=silent, stderr=silent, env=ENVIRONMENT, text=True
        )
        net.every.append(tcpdump)
        wait_for(folder / "lan.pcap", 24)
        yield net
    finally:
        for name in list(net.running):
            net.crash(name)
        for process in net.every:
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in ("lan", *names):
            subprocess.run(["ip", "netns", "del", net.space(name)], check=False, capture_output=True, env=ENVIRONMENT)
