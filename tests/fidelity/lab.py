"""Records real keepalived processes in network namespaces: what was done, what their logs told, what was on the wire.

Needs root, Linux, iproute2, tcpdump and keepalived. A bridge is the LAN of all eth0, a second one that of all eth1,
and a third the other side of a partition; tcpdump on the bridges sees each frame once, with nanoseconds. The routers
run with real-time priority, so that a busy machine is not what is recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

PROMPTLY = ("chrt", "--fifo", "50")
STATE = re.compile(r"\((?P<instance>\w+)\) Entering (?P<state>\w+) STATE(?P<init> \(init\))?")
PROGRAM = "keepalived 2.2.7 (Debian 12)"


def sh(*command: str, check: bool = True) -> str:
    """Run a command; its output."""
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


class Lab:
    """A LAN (or two) with `routers` hosts. As a context manager it cleans up and writes `recording.json`.

    Times of the recording are seconds after `zero`. `configs` are the keepalived.conf of r1, r2 …; `@CHECK@` in them
    becomes the check script that `script` makes fail, pass or hang. What the instances of the routers `logs` said is
    kept in rN.log.
    """

    def __init__(self, folder: Path, configs: Sequence[str], interfaces: int = 1, *, logs: Sequence[int] = ()) -> None:
        self.folder = folder
        self._configs = configs
        self._count = len(configs)
        self._interfaces = interfaces
        self._logs = logs
        self._tag = f"fidelity{os.getpid()}"
        self._events: list[dict[str, Any]] = []
        self._transitions: list[dict[str, Any]] = []
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._reloads = 0
        self._captures: list[subprocess.Popen[bytes]] = []
        self._readers: list[threading.Thread] = []
        self.zero = 0.0

    def __enter__(self) -> Lab:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            self._build()
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end = self._now()
        self._clean()
        if error is None:
            self._write(end)

    # What a scenario does -------------------------------------------------------------------------------

    def until(self, seconds: float) -> None:
        """Wait until so long after the beginning."""
        time.sleep(max(0.0, self.zero + seconds - time.time()))

    def start(self, *routers: int) -> None:
        """Start keepalived on each."""
        for number in routers:
            self._note("start", number)
            files = [f"-{key}{self.folder}/r{number}.{name}" for key, name in (("p", "pid"), ("r", "vrrp.pid"))]
            space = ("ip", "netns", "exec", self._space(number))
            daemon = ("keepalived", "-n", "-l", "-D", "-G", "-P", "-f", f"{self.folder}/r{number}.run.conf")
            process = subprocess.Popen(
                [*space, *PROMPTLY, *daemon, *files],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                bufsize=1,
                start_new_session=True,  # else the end of one wakes those that are paused
            )
            self._running[number] = process
            reader = threading.Thread(target=self._read, args=(number, process), daemon=True)
            reader.start()
            self._readers.append(reader)

    def crash(self, number: int) -> None:
        """kill -9 of all its processes at once; its addresses stay."""
        self._note("crash", number)
        self._kill(number)

    def crash_child(self, number: int) -> None:
        """kill -9 of the VRRP process alone; its parent starts another."""
        self._note("crash-child", number)
        os.kill(self._children(self._running[number].pid)[0], signal.SIGKILL)

    def stop(self, number: int) -> None:
        """SIGTERM, and wait for its end."""
        self._note("stop", number)
        process = self._running.pop(number)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        self._note("stopped", number)

    def pause(self, number: int) -> None:
        """SIGSTOP to all its processes."""
        self._note("pause", number)
        self._signal(number, signal.SIGSTOP)

    def resume(self, number: int) -> None:
        """SIGCONT."""
        self._note("resume", number)
        self._signal(number, signal.SIGCONT)

    def reload(self, number: int, config: str | None = None) -> None:
        """SIGHUP, with another configuration or the same."""
        known: dict[str, str] = {}
        if config is not None:
            self._reloads += 1
            known["config"] = f"r{number}.reloaded{self._reloads}.conf"
            self._configure(number, config, known["config"])
        self._note("reload", number, **known)
        self._running[number].send_signal(signal.SIGHUP)

    def link(self, number: int, up: bool, interface: int = 0) -> None:
        """Plug the cable in or out: the router's carrier follows."""
        self._note(f"link-{'up' if up else 'down'}", number, interface=f"eth{interface}")
        self._port(number, interface, "up" if up else "down")

    def script(self, number: int, outcome: str) -> None:
        """Make its check script "fail", "pass", "hang", or "unhang"."""
        self._note(f"script-{outcome}", number)
        fail, hang = (self.folder / f"r{number}.{what}" for what in ("fail", "hang"))
        for flag, wanted in ((fail, outcome == "fail"), (hang, outcome == "hang")):
            flag.touch() if wanted else flag.unlink(missing_ok=True)

    def partition(self, *away: int) -> None:
        """Move these routers' eth0 to the other side; their carrier stays up."""
        self._note("partition", None, away=[f"r{number}" for number in away])
        for number in away:
            self._port(number, 0, "master", "brx")

    def heal(self, *back: int) -> None:
        """Move them back."""
        self._note("heal", None, back=[f"r{number}" for number in back])
        for number in back:
            self._port(number, 0, "master", "br0")

    def _port(self, number: int, interface: int, *change: str) -> None:
        """Change a port of the LAN, as soon after the event's time as can be."""
        sh(*PROMPTLY, "ip", "-n", self._space(0), "link", "set", f"p{number}_{interface}", *change)

    # Building and cleaning ------------------------------------------------------------------------------

    def _space(self, number: int) -> str:
        return f"{self._tag}{f'r{number}' if number else 'lan'}"

    def _build(self) -> None:
        settle = (
            "cd /proc/sys/net/ipv6/conf; for d in all default; do echo {} > $d/disable_ipv6; echo 0 > $d/accept_dad;"
            " echo 0 > $d/router_solicitations; done; ip link set lo up"
        )
        for number in range(self._count + 1):
            sh("ip", "netns", "add", self._space(number))
            sh("ip", "netns", "exec", self._space(number), "sh", "-c", settle.format(0 if number else 1))
        lan = self._space(0)
        for bridge in ("br0", "br1", "brx"):
            still = ("type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
            sh("ip", "-n", lan, "link", "add", bridge, *still)
            sh("ip", "-n", lan, "link", "set", bridge, "up")
        for number in range(1, self._count + 1):
            for interface in range(self._interfaces):
                self._plug(number, interface)
            self._configure(number, self._configs[number - 1], f"r{number}.conf")
        for bridge, name in (("br0", "lan0"), ("br1", "lan1"), ("brx", "lanx"))[:: 1 if self._interfaces > 1 else 2]:
            command = ("tcpdump", "-i", bridge, "-U", "--immediate-mode", "--time-stamp-precision", "nano")
            only = ("-w", f"{self.folder}/{name}.pcap", "vrrp or ah or arp or ip6")
            space = ("ip", "netns", "exec", lan)
            silent = subprocess.DEVNULL
            self._captures.append(subprocess.Popen([*space, *PROMPTLY, *command, *only], stdout=silent, stderr=silent))
        time.sleep(0.5)
        self.zero = time.time()

    def _plug(self, number: int, interface: int) -> None:
        lan, space, port, name = self._space(0), self._space(number), f"p{number}_{interface}", f"eth{interface}"
        mac = f"02:00:00:00:{interface:02x}:{number:02x}"
        peer = ("peer", "name", name, "address", mac, "netns", space)
        sh("ip", "-n", lan, "link", "add", port, "type", "veth", *peer)
        sh("ip", "-n", lan, "link", "set", port, "master", f"br{interface}", "up")
        sh("ip", "-n", space, "link", "set", name, "addrgenmode", "none")
        sh("ip", "-n", space, "link", "set", name, "up")
        for address, *more in (self._addresses(number)[name],):
            sh("ip", "-n", space, "addr", "add", address, "dev", name)
            for other in more:
                sh("ip", "-n", space, "addr", "add", other, "dev", name, "nodad")

    def _addresses(self, number: int) -> dict[str, list[str]]:
        return {f"eth{k}": [f"10.{k}.0.{number}/24", f"fe80::{number}/64"] for k in range(self._interfaces)}

    def _configure(self, number: int, text: str, name: str) -> None:
        """Keep the file as it is to be read later, and run one that knows where the check script is."""
        script = self.folder / f"r{number}.check"
        script.write_text(
            f"#!/bin/sh\n[ -e {self.folder}/r{number}.hang ] && sleep 30\n[ ! -e {self.folder}/r{number}.fail ]\n"
        )
        script.chmod(0o755)
        (self.folder / name).write_text(text.replace("@CHECK@", "/etc/keepalived/check.sh"))
        (self.folder / f"r{number}.run.conf").write_text(text.replace("@CHECK@", str(script)))

    def _clean(self) -> None:
        for number in list(self._running):
            self._kill(number)
        for reader in self._readers:
            reader.join(2)
        for capture in self._captures:
            capture.terminate()
            capture.wait(5)
        for number in range(self._count, -1, -1):
            sh("ip", "netns", "del", self._space(number), check=False)
        for name in ("pid", "vrrp.pid", "fail", "hang", "check", "run.conf"):
            for file in self.folder.glob(f"r*.{name}"):
                file.unlink()

    # Processes ------------------------------------------------------------------------------------------

    def _children(self, pid: int) -> list[int]:
        try:
            found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []
        return [one for child in found for one in (child, *self._children(child))]

    def _signal(self, number: int, what: signal.Signals) -> None:
        pid = self._running[number].pid
        for one in (pid, *self._children(pid)):
            os.kill(one, what)

    def _kill(self, number: int) -> None:
        process = self._running.pop(number)
        if process.poll() is not None:
            return
        os.kill(process.pid, signal.SIGSTOP)  # else it starts its child again
        for child in self._children(process.pid):
            os.kill(child, signal.SIGKILL)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for name in ("pid", "vrrp.pid"):
            (self.folder / f"r{number}.{name}").unlink(missing_ok=True)

    def _read(self, number: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))  # of this thread: a line is stamped as it comes
        with (self.folder / f"r{number}.log" if number in self._logs else Path(os.devnull)).open("a") as log:
            for line in process.stdout:
                at = self._now()
                message = line.rstrip().partition(": ")[2] if line[:3].isalpha() else line.rstrip()
                if number in self._logs and message.startswith("("):
                    log.write(f"{at:.6f} {message}\n")
                found = STATE.search(message)
                if found:
                    self._transitions.append(
                        {"t": at, "router": f"r{number}", "instance": found["instance"], "to": found["state"]}
                        | {"init": found["init"] is not None}
                    )

    # Writing --------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return round(time.time() - self.zero, 6)

    def _note(self, action: str, number: int | None, **more: object) -> None:
        who = {} if number is None else {"router": f"r{number}"}
        self._events.append({"t": self._now(), "action": action, **more, **who})

    def _write(self, end: float) -> None:
        captures = sorted(file.name for file in self.folder.glob("lan*.pcap") if file.stat().st_size > 24)
        for file in self.folder.glob("lan*.pcap"):
            if file.name not in captures:
                file.unlink()
        numbers = range(1, self._count + 1)
        routers = {f"r{n}": {"config": f"r{n}.conf", "interfaces": self._addresses(n)} for n in numbers}
        seen = [one for one in self._transitions if one["t"] <= end]
        lines = [
            f'{{"name": {json.dumps(self.folder.name)}',
            f'"program": {json.dumps(PROGRAM)}',
            f'"t0_unix": {self.zero!r}',
            f'"routers": {_rows(routers)}',
            f'"captures": {json.dumps(captures)}',
            f'"events": {_rows(self._events)}',
            f'"transitions": {_rows(sorted(seen, key=lambda one: one["t"]))}',
            f'"end": {end}}}\n',
        ]
        (self.folder / "recording.json").write_text(",\n ".join(lines))


def _rows(value: dict[str, Any] | list[Any]) -> str:
    """JSON with one entry a line."""
    if isinstance(value, dict):
        return "{\n  " + ",\n  ".join(f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()) + "}"
    return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "]"
