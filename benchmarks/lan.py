"""Two nodes on a bridge, each in a network namespace of its own, and a capture of all that crosses the bridge.

The time stamps are the kernel's, taken as a frame reaches the bridge, in nanoseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from vrrp.capture.reader import open_capture
from vrrp.wire.frame import Datagram, parse_frame

NODES = ("one", "two")
ENVIRONMENT = os.environ | {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"}
_QUIET = "cd /proc/sys/net/ipv6/conf; for d in all default; do echo 1 > $d/disable_ipv6; done; ip link set lo up"
_numbers = count(1)


class LanError(RuntimeError):
    """What kept the nodes from being as they are needed, in one line."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An advertisement on the wire: when, from which node, for which VRID, with which priority."""

    at_ns: int
    node: str
    vrid: int
    priority: int


@dataclass(slots=True)
class Lan:
    """Nodes "one" and "two": eth0 with 10.0.0.1/16 and 10.0.0.2/16. `running` has a node's process while there is."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    tag: str = field(default_factory=lambda: f"vrrpbench{os.getpid()}n{next(_numbers)}")
    _tcpdump: subprocess.Popen[bytes] | None = None

    def space(self, name: str) -> str:
        """The namespace of a node; "lan" is the bridge's."""
        return f"{self.tag}{name}"

    def start(self, node: str, command: Sequence[object]) -> None:
        """Start a process on a node; what it says goes to its log."""
        with self.log(node).open("ab") as log:
            words = ["ip", "netns", "exec", self.space(node), *map(str, command)]
            self.running[node] = subprocess.Popen(words, stdout=log, stderr=log, env=ENVIRONMENT)

    def log(self, node: str) -> Path:
        """What a node said."""
        return self.folder / f"{node}.log"

    def processes(self, node: str) -> list[int]:
        """The process identifiers of a node's program and its children."""
        pid = self.running[node].pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())]

    def crash(self, node: str) -> None:
        """SIGKILL to all of a node's processes."""
        process = self.running.pop(node)
        if process.poll() is not None:
            raise LanError(f"{node} ended by itself: {self.last_words(node)}")
        process.send_signal(signal.SIGSTOP)  # else keepalived's parent starts its child again
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
        process.kill()
        process.wait()

    def last_words(self, node: str) -> str:
        """The last line that a node said."""
        lines = self.log(node).read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def sent(self) -> list[Sent]:
        """All advertisements so far, in the order of the wire."""
        time.sleep(0.3)
        found = []
        with open_capture(self.folder / "lan.pcap") as packets:
            for packet in packets:
                content = parse_frame(packet.data).content
                if isinstance(content, Datagram):
                    node = NODES[content.source[3] - 1]
                    found.append(Sent(packet.time_ns, node, content.payload[1], content.payload[2]))
        return found

    def _set_up(self) -> None:
        for name in ("lan", *NODES):
            _sh("ip", "netns", "add", self.space(name))
            _sh("ip", "netns", "exec", self.space(name), "sh", "-c", _QUIET)
        still = ("type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
        bridge = ("ip", "-n", self.space("lan"), "link")
        _sh(*bridge, "add", "br0", *still)
        _sh(*bridge, "set", "br0", "up")
        for number, name in enumerate(NODES, 1):
            node = ("ip", "-n", self.space(name))
            _sh(*bridge, "add", f"p{name}", "type", "veth", "peer", "name", "eth0", "netns", self.space(name))
            _sh(*bridge, "set", f"p{name}", "master", "br0", "up")
            _sh(*node, "link", "set", "eth0", "up")
            _sh(*node, "addr", "add", f"10.0.0.{number}/16", "dev", "eth0")
        capture = self.folder / "lan.pcap"
        options = ("-B", "16384", "-U", "--time-stamp-precision", "nano", "-w", str(capture), "vrrp")
        command = ["ip", "netns", "exec", self.space("lan"), "tcpdump", "-i", "br0", *options]
        silent = subprocess.DEVNULL
        self._tcpdump = subprocess.Popen(command, stdout=silent, stderr=silent, env=ENVIRONMENT)
        wait_until(lambda: capture.exists() and capture.stat().st_size >= 24, "tcpdump does not begin")

    def _take_down(self) -> None:
        for node in list(self.running):
            with suppress(LanError):
                self.crash(node)
        if self._tcpdump is not None:
            self._tcpdump.kill()
            self._tcpdump.wait()
        for name in ("lan", *NODES):
            subprocess.run(["ip", "netns", "del", self.space(name)], check=False, capture_output=True, env=ENVIRONMENT)


@contextmanager
def lan(folder: Path) -> Iterator[Lan]:
    """A LAN that is taken down at the end, with all that runs on it. LanError for what prevents it."""
    folder.mkdir(parents=True)
    net = Lan(folder)
    try:
        net._set_up()
        yield net
    finally:
        net._take_down()


def _sh(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise LanError(f"{' '.join(command)}: {done.stderr.strip()}")


def wait_until(what: Callable[[], bool], otherwise: str, seconds: float = 30) -> None:
    """Until it is so. LanError says otherwise."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise LanError(otherwise)
        time.sleep(0.02)
