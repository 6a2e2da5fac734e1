"""What is heard on the segments: a thread for each bridge, with the kernel's own times."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from sim.lab.listener import urgently
from sim.lab.switch import Switch
from vrrp.capture.pcap import open_pcap
from vrrp.capture.reader import CaptureError
from vrrp.linux.live import open_live


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame: its time in nanoseconds since 1970, and its bytes."""

    at_ns: int
    raw: bytes


class Wire:
    """Everything that the bridges of one segment carry, from `listen` on, until they are taken down."""

    def __init__(self, switch: Switch) -> None:
        self.name = switch.name
        self._switch = switch
        self._frames: list[Heard] = []
        self._ready = threading.Barrier(len(switch.bridges) + 1)
        self._threads = [threading.Thread(target=self._listen, args=(bridge,)) for bridge in switch.bridges]
        self.complaints: list[str] = []

    def listen(self) -> None:
        """Begin; on return every bridge is listened to."""
        for thread in self._threads:
            thread.daemon = True
            thread.start()
        self._ready.wait()

    def _listen(self, bridge: str) -> None:
        with urgently(), self._switch.namespace.entered():
            try:
                with open_live(bridge) as capture:
                    self._ready.wait()
                    self._frames.extend(Heard(packet.time_ns, packet.data) for packet in capture)
                if capture.dropped:
                    self.complaints.append(
                        f"{self.name}: {capture.dropped} frames were not captured: they came too fast"
                    )
            except CaptureError as error:
                self._ready.abort()
                self.complaints.append(f"{self.name}: {error}")

    def end(self) -> None:
        """After the bridges were taken down: wait until all is here."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5)

    @property
    def frames(self) -> list[Heard]:
        """What was heard, in the order of time."""
        return sorted(self._frames, key=lambda one: one.at_ns)

    def save(self, path: Path) -> None:
        """Write a capture file."""
        with open_pcap(path) as file:
            for one in self.frames:
                file.write(one.at_ns, one.raw)
