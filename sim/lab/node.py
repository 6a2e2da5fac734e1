"""A node for real: a station on which an engine runs, and everything that can be done to it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from sim.lab.control import Controls
from sim.lab.engine import Engine, Entered, Said
from sim.lab.hurry import hurry
from sim.lab.listener import Listener
from sim.lab.namespace import LabError, Namespace, send
from sim.lab.station import Station
from vrrp.config.model import KeepalivedConfig

_READY_S, _STOP_S = 5.0, 10.0
_POLL_S = 0.01


class Node(Station):
    """A router. What its programs write goes to `log` and, where the engine knows what it says, to `hear`.

    Args:
        name: the scenario's.
        namespace: of the node.
        engine: what runs on it.
        controls: what its scripts, files and processes do.
        hear: called with time, node and what was said; in the listener's thread.
    """

    def __init__(
        self,
        name: str,
        namespace: Namespace,
        engine: Engine,
        controls: Controls,
        hear: Callable[[int, str, Said], None],
    ) -> None:
        super().__init__(name, namespace)
        self.engine = engine
        self.controls = controls
        self.log = engine.folder / "log"
        self._hear = hear
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopping = False
        self._prompt = False
        self.words: list[str] = []
        """The lines of its log since its last start."""
        self._kept: IO[str] | None = None

    def start(self, listener: Listener) -> None:
        """Start the engine's programs; nothing when they run. LabError when one does not come up."""
        if self._stopping:
            self.finish()
        if self.runs:
            return
        self._running.clear()
        self._prompt = False
        self.words.clear()
        for program in self.engine.programs():
            process = self.namespace.start(
                program.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.engine.folder
            )
            self._running.append(process)
            assert process.stdout is not None  # a pipe, as asked for
            listener.follow(process.stdout, self._take)
            if program.ready is not None:
                self._await(program.ready, process)

    @property
    def runs(self) -> bool:
        """Whether the engine runs: the last of its programs, which speaks VRRP."""
        return bool(self._running) and self._running[-1].poll() is None

    @property
    def ended(self) -> int | None:
        """The status of an engine that ended by itself; None when it runs, or was ended."""
        return self._running[-1].poll() if self._running else None

    def _await(self, ready: Path, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _READY_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                said = self.words[0] if self.words else "it says nothing"
                raise LabError(f"{self.name}: {self.engine.name} does not start: {said}")
            time.sleep(_POLL_S)

    def _take(self, at_ns: int, line: str) -> None:
        self.words.append(line)
        if self._kept is None:
            self._kept = self.log.open("a", encoding="utf-8")
        self._kept.write(f"{at_ns // 1_000_000_000}.{at_ns % 1_000_000_000 // 1000:06d} {line}\n")
        self._kept.flush()
        said = self.engine.read(line)
        if said is not None:
            self._hear(at_ns, self.name, said)
        if isinstance(said, Entered) and not self._prompt:
            self._hurry()

    def _hurry(self) -> None:
        """Not before it has begun: one that is still loading would keep the others from the processor."""
        self._prompt = True
        hurry([pid for process in list(self._running) for pid in (process.pid, *_children(process.pid))])

    def stop(self) -> None:
        """SIGTERM to the programs, the one that speaks VRRP first."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
        self._stopping = True

    def finish(self) -> None:
        """Wait for programs that were told to end; one that does not is killed."""
        until = time.monotonic() + _STOP_S
        for process in self._running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.crash()
        self._running.clear()
        self._stopping = False

    def crash(self) -> None:
        """SIGKILL to all processes of the engine; what they left in files is as after a restart of the machine."""
        for process in reversed(self._running):
            if process.poll() is None:
                send(process.pid, signal.SIGSTOP)  # else it starts its child again
                for child in _children(process.pid):
                    send(child, signal.SIGKILL)
                send(process.pid, signal.SIGKILL)
        for process in self._running:
            process.wait()
        self._running.clear()
        self._stopping = False
        self.engine.forget()

    def crash_one(self, child: bool) -> None:
        """SIGKILL to the child or the parent alone of an engine that has both."""
        if not self.runs:
            return
        parent = self._running[-1].pid
        for pid in _children(parent)[:1] if child else [parent]:
            send(pid, signal.SIGKILL)

    def signal(self, what: signal.Signals) -> None:
        """A signal to every process of the engine."""
        for process in self._running:
            for pid in (process.pid, *_children(process.pid)):
                send(pid, what)

    def reload(self, config: KeepalivedConfig | None) -> None:
        """SIGHUP, with another configuration when one is given."""
        if config is not None:
            self.engine.configure(self.controls.take(config))
        if self.runs:
            send(self._running[-1].pid, signal.SIGHUP)

    def wipe(self, addresses: Sequence[str]) -> None:
        """Take addresses off, as the loss of power does; those that are there."""
        for interface in self.plugs:
            for address in addresses:
                with contextlib.suppress(LabError):
                    self.namespace.configure([f"address del {address} dev {interface}"])

    def close(self) -> None:
        """End everything that runs here, whatever state it is in."""
        self.crash()
        self.controls.end()
        if self._kept is not None:
            self._kept.close()


def _children(pid: int) -> list[int]:
    """The processes below this one, parents first."""
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [one for word in words for one in (int(word), *_children(int(word)))]
