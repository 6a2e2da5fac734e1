"""Nodes on two segments, with virtual routers of every kind, and what their kernels have and should have."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.damage import flood
from sim.lab.control import Controls
from sim.lab.engine import Engine, Program
from sim.lab.keepalived import Keepalived, Ours
from sim.lab.listener import Listener
from sim.lab.namespace import ENVIRONMENT, Namespace, ip
from sim.lab.node import Node
from sim.lab.site import Site, open_site
from sim.lab.switch import Switch
from sim.process import ScriptOutcome
from sim.scenario import InterfaceSpec
from vrrp.config import parse
from vrrp.config.model import KeepalivedConfig
from vrrp.linux.status.control import asking
from vrrp.whole_file import write_text

SEGMENTS = {"eth0": "front", "eth1": "back"}
SIDES = 3
QUIET_S = 2 * 3.7
"""Two Master_Down_Intervals of the slowest: version 2, one second, a low priority."""
SCRIPT, FILE = "check", "level"
_PATIENCE_S = 60.0
_SETTINGS = ("net/ipv4/conf", "net/ipv6/conf")
_IPV4_SETTINGS = ("arp_ignore", "arp_filter", "rp_filter", "accept_local", "arp_announce", "promote_secondaries")


@dataclass(frozen=True)
class Kind:
    """A virtual router that every node has. `lines` are its own; `checked`: FAULT while the script fails."""

    name: str
    vrid: int
    interface: str
    addresses: tuple[str, ...]
    lines: str
    checked: bool = False
    weighed: bool = False
    group: str | None = None
    unicast: bool = False
    vmac: bool = False
    preempts: bool = True

    @property
    def plain(self) -> tuple[str, ...]:
        """The addresses without their prefixes."""
        return tuple(one.partition("/")[0] for one in self.addresses)


_FAST = "version 3\n advert_int 0.1"
KINDS = (
    Kind(
        *("PASS", 2, "eth0", ("10.0.0.102/24",)),
        "version 2\n advert_int 1\n authentication {\n auth_type PASS\n auth_pass s3cret\n }",
        checked=True,
    ),
    Kind("AH", 3, "eth1", ("10.1.0.103/24",), "advert_int 1\n authentication {\n auth_type AH\n auth_pass s3cret\n }"),
    Kind(
        *("FAST", 4, "eth0", ("10.0.0.104/24", "10.0.0.204/32")),
        f"{_FAST}\n virtual_routes {{\n 192.0.2.0/24 via 10.0.0.77 dev eth0\n }}",
        weighed=True,
    ),
    Kind("SIX", 5, "eth0", ("fe80::105/64", "2001:db8::105/64"), _FAST),
    Kind("VMAC", 6, "eth0", ("10.0.0.106/24",), f"{_FAST}\n use_vmac", vmac=True),
    Kind("VMAC6", 7, "eth1", ("fe80::107/64",), f"{_FAST}\n use_vmac", vmac=True),
    Kind("CLOSED", 8, "eth0", ("10.0.0.108/24",), f"{_FAST}\n no_accept"),
    Kind("UNICAST", 9, "eth1", ("10.1.0.109/24",), _FAST, unicast=True),
    Kind("ONE", 10, "eth0", ("10.0.0.110/24",), _FAST, group="BOTH"),
    Kind("OTHER", 11, "eth1", ("10.1.0.111/24",), _FAST, group="BOTH"),
    Kind("STAYS", 12, "eth0", ("10.0.0.112/24",), f"{_FAST}\n nopreempt", preempts=False),
)


class Stepped(Ours):
    """`vrrp run`, with a wall clock that is stepped."""

    @property
    def clock(self) -> Path:
        """How many seconds it is wrong."""
        return self.folder / "clock"

    def programs(self) -> Sequence[Program]:
        """As ours."""
        (program,) = super().programs()
        own = (sys.executable, str(Path(__file__).with_name("stepped.py")), str(self.clock))
        return [Program((*own, *program.words[program.words.index("run") :]))]


@dataclass
class Member:
    """A node, and how it should be: what was done to it."""

    number: int
    node: Node
    base: int
    """Its priority in the file."""
    runs: bool = False
    paused: bool = False
    outcome: ScriptOutcome = ScriptOutcome.PASS
    level: int = 0
    linked: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SEGMENTS, True))
    before: dict[str, Any] = field(default_factory=dict)
    """What its kernel had before anything ran."""

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def ours(self) -> bool:
        """Whether vrrp runs on it."""
        return isinstance(self.node.engine, Ours)

    @property
    def lives(self) -> bool:
        return self.runs and not self.paused

    def able(self, kind: Kind) -> bool:
        """Whether it could be master of a virtual router."""
        others = [one for one in KINDS if kind.group is not None and one.group == kind.group]
        return self.lives and all(
            self.linked[one.interface] and not (one.checked and self.outcome is not ScriptOutcome.PASS)
            for one in (kind, *others)
        )

    def priority(self, kind: Kind) -> int:
        return self.base + (self.level if kind.weighed else 0)

    def addresses(self) -> dict[str, str]:
        """The interface of each address, as the kernel has them."""
        return {
            found["local"]: link["ifname"]
            for link in json.loads(ip("-n", self.node.namespace.name, "-j", "address"))
            for found in link["addr_info"]
            if "local" in found
        }


class Cluster:
    """Nodes n1, n2, … and the two segments; `keepalived` of them, the last, run the real keepalived."""

    def __init__(self, site: Site, count: int, keepalived: int = 0) -> None:
        self._site = site
        self.listener = Listener()
        self.switches = {
            segment: Switch(segment, site.namespace(f"segment-{segment}"), SIDES) for segment in SEGMENTS.values()
        }
        self.groups: dict[str, tuple[tuple[str, ...], ...]] = dict.fromkeys(self.switches, ())
        self.members: list[Member] = []
        self.flooding = ExitStack()
        for number in range(1, count + 1):
            engine_type: type[Engine] = Keepalived if number > count - keepalived else Stepped
            namespace = site.namespace(f"n{number}")
            folder = site.folder / f"n{number}"
            engine = engine_type(f"n{number}", namespace.name, folder)
            controls = Controls(f"{os.getpid() % 10_000}{number}", namespace, folder)
            node = Node(f"n{number}", namespace, engine, controls, lambda at_ns, node, said: None)
            self.members.append(Member(number, node, 100 + 10 * number))

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def named(self, name: str) -> Member:
        return next(one for one in self.members if one.name == name)

    # Building -------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Everything but the engines."""
        for switch in self.switches.values():
            switch.build()
        for member in self:
            member.node.build(self._specs(member), self.switches, self._macs(member), member.node.engine.settings)
            member.node.engine.folder.mkdir(parents=True)
            self.set_clock(member, 0)
            self.configure(member)
            member.node.controls.set_file(FILE, 0)
            member.before = self.kernel(member)
        self.listener.start()

    def _specs(self, member: Member) -> dict[str, InterfaceSpec]:
        return {
            interface: InterfaceSpec.model_validate({"segment": segment, "addresses": _own(member.number, place)})
            for place, (interface, segment) in enumerate(SEGMENTS.items())
        }

    def _macs(self, member: Member) -> dict[str, str]:
        return {name: f"02:00:00:00:{place:02x}:{member.number:02x}" for place, name in enumerate(SEGMENTS)}

    def configure(self, member: Member, text: str | None = None) -> None:
        """Write a node's file; `text` instead of what it should be."""
        engine = member.node.engine
        if text is not None:
            write_text(engine.folder / "keepalived.conf", text)
            return
        config = parse(self.conf(member)).config
        taken = member.node.controls.take(config)
        engine.configure(_with_notifiers(taken, config) if member.ours else taken)

    def conf(self, member: Member) -> str:
        """The keepalived.conf of a node."""
        folder = member.node.engine.folder
        fifo = f"notify_fifo {folder}/fifo\n notify_fifo_script {folder}/reader" if member.ours else ""
        if member.ours and not (folder / "reader").exists():
            write_text(folder / "reader", '#!/bin/sh\nexec cat "$1" > /dev/null\n')
            (folder / "reader").chmod(0o755)
        groups = {one.group for one in KINDS if one.group is not None}
        return "\n".join(
            (
                f"global_defs {{\n dynamic_interfaces\n script_user root\n {fifo}\n}}",
                f'vrrp_script {SCRIPT} {{\n script "/bin/true"\n interval 1\n timeout 1\n rise 1\n fall 1\n}}',
                f'vrrp_track_file {FILE} {{\n file "/nowhere"\n weight 1\n}}',
                *(self._instance(member, one) for one in KINDS),
                *(
                    f"vrrp_sync_group {name} {{\n group {{\n"
                    + "".join(f"  {one.name}\n" for one in KINDS if one.group == name)
                    + " }\n}"
                    for name in sorted(groups)
                ),
            )
        )

    def _instance(self, member: Member, kind: Kind) -> str:
        place = list(SEGMENTS).index(kind.interface)
        peers = [_own(other.number, place)[0].partition("/")[0] for other in self if other is not member]
        more = [kind.lines]
        if kind.unicast:
            more.append("unicast_peer {\n" + "\n".join(peers) + "\n }")
        if kind.checked:
            more.append(f"track_script {{\n {SCRIPT}\n }}")
        if kind.weighed:
            more.append(f"track_file {{\n {FILE}\n }}")
        addresses = "\n".join(f"  {one}" for one in kind.addresses)
        return (
            f"vrrp_instance {kind.name} {{\n interface {kind.interface}\n virtual_router_id {kind.vrid}\n"
            f" priority {member.base}\n " + "\n ".join(more) + f"\n virtual_ipaddress {{\n{addresses}\n }}\n}}"
        )

    def close(self) -> None:
        """End everything that runs."""
        with ExitStack() as stack:
            stack.callback(self.listener.end)
            for member in self:
                stack.callback(member.node.close)
            stack.callback(self.flooding.close)

    # What is done to it ---------------------------------------------------------------------------------

    def start(self, member: Member) -> None:
        """Start a node's engine, until it says that it has begun."""
        member.node.start(self.listener)
        self.hear(member, "Startup complete" if member.ours else "Entering ")
        member.runs = True

    def hear(self, member: Member, phrase: str, count: int = 1) -> None:
        """Wait until a node has said this so often since its start."""
        until = time.monotonic() + _PATIENCE_S
        while sum(phrase in line for line in list(member.node.words)) < count:
            assert member.node.runs, f"{member.name} has ended: {member.node.words}"
            assert time.monotonic() < until, f"{member.name} does not say {phrase!r}"
            time.sleep(0.02)

    def crash(self, member: Member) -> None:
        """kill -9."""
        member.node.crash()
        member.runs = member.paused = False

    def stop(self, member: Member) -> None:
        """SIGTERM."""
        member.node.stop()
        member.node.finish()
        member.runs = False

    def pause(self, member: Member, paused: bool) -> None:
        """SIGSTOP and SIGCONT."""
        member.node.signal(signal.SIGSTOP if paused else signal.SIGCONT)
        member.paused = paused

    def link(self, member: Member, interface: str, up: bool) -> None:
        """Plug a cable in or out."""
        member.node.set_link(interface, up)
        member.linked[interface] = up

    def partition(self, segment: str, groups: tuple[tuple[str, ...], ...]) -> None:
        """Nodes of one group hear each other only; no group: all do."""
        self.switches[segment].partition(groups)
        self.groups[segment] = groups

    def script(self, member: Member, outcome: ScriptOutcome) -> None:
        """How the check script ends from now on."""
        member.node.controls.set_script(outcome, None)
        member.outcome = outcome

    def set_level(self, member: Member, level: int) -> None:
        """What stands in the file that is followed."""
        member.node.controls.set_file(FILE, level)
        member.level = level

    def reload(self, member: Member, base: int) -> None:
        """SIGHUP with another priority."""
        member.base = base
        self.configure(member)
        member.node.reload(None)

    def set_clock(self, member: Member, seconds: int) -> None:
        """Step a node's wall clock."""
        write_text(member.node.engine.folder / "clock", str(seconds))

    def remake(self, member: Member, interface: str) -> None:
        """Delete an interface and make it anew; its segment is whole."""
        plug = member.node.plugs[interface]
        place = list(SEGMENTS).index(interface)
        ip("-n", member.node.namespace.name, "link", "del", interface)
        inside = member.node.namespace.name
        plug.switch.namespace.configure(
            (
                f"link add {plug.port} type veth peer name {interface}"
                f" address {self._macs(member)[interface]} netns {inside}",
                f"link set {plug.port} master {plug.switch.bridges[0]} up",
            )
        )
        member.node.namespace.configure(
            (
                f"link set {interface} addrgenmode none",
                f"link set {interface} up",
                *(
                    f"address add {one} dev {interface}{' nodad' if ':' in one else ''}"
                    for one in _own(member.number, place)
                ),
            )
        )
        member.linked[interface] = True

    def flood(self, frames: Mapping[str, Sequence[bytes]], rate: int) -> None:
        """Damaged packets on both segments, so many a second, until `calm`."""
        for segment, those in frames.items():
            out = self.flooding.enter_context(_packet_socket(self.switches[segment].namespace))
            self.flooding.enter_context(flood(out, those, rate // len(frames)))

    def calm(self) -> None:
        """No more of it."""
        self.flooding.close()

    # What it has ----------------------------------------------------------------------------------------

    def components(self, interface: str) -> list[list[Member]]:
        """The linked nodes of a segment that hear each other."""
        groups = self.groups[SEGMENTS[interface]]
        rest = tuple(one.name for one in self if not any(one.name in group for group in groups))
        return [
            those
            for group in (*groups, rest)
            if (those := [one for one in self if one.name in group and one.linked[interface]])
        ]

    def status(self, member: Member) -> dict[str, Any]:
        """What our daemon tells of itself."""
        with asking(member.node.engine.folder / "state") as answers:
            return next(answers)

    def kernel(self, member: Member) -> dict[str, Any]:
        """Everything that a daemon might have put into a node's kernel, as far as it does not count anything."""
        namespace = member.node.namespace
        found: dict[str, Any] = {
            link["ifname"]: sorted((one.get("local", ""), one.get("prefixlen", 0)) for one in link["addr_info"])
            for link in json.loads(ip("-n", namespace.name, "-j", "address"))
        }
        for family in ("-4", "-6"):
            found[f"routes {family}"] = sorted(
                re.sub(r" (linkdown|dead)", "", line).strip()
                for line in ip("-n", namespace.name, family, "route", "show", "table", "all").splitlines()
            )
            found[f"rules {family}"] = ip("-n", namespace.name, family, "rule")
        with namespace.entered():
            for folder in _SETTINGS:
                for path in Path("/proc/sys", folder).glob("*/*"):
                    if path.name in _IPV4_SETTINGS:
                        found[str(path)] = path.read_text(encoding="ascii").strip()
        found["nft"] = _nft(namespace)
        return found


def _own(number: int, place: int) -> list[str]:
    """The addresses of a node's own on an interface."""
    return [f"10.{place}.0.{number}/24", f"fe80::{place}:{number}/64"]


def _with_notifiers(taken: KeepalivedConfig, written: KeepalivedConfig) -> KeepalivedConfig:
    """With the FIFO, which the laboratory leaves out."""
    return replace(taken, globals=written.globals)


def _nft(namespace: Namespace) -> str:
    """The tables."""
    words = ["ip", "netns", "exec", namespace.name, "nft", "list", "tables"]
    return subprocess.run(words, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def _packet_socket(namespace: Namespace) -> socket.socket:
    """Into the first bridge of a segment."""
    with namespace.entered():
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    out.bind(("br0", 0))
    return out


@contextmanager
def cluster(count: int = 4, keepalived: int = 0) -> Iterator[Cluster]:
    """A cluster that is built; nothing of it is left in the end."""
    site, _ = open_site()
    try:
        made = Cluster(site, count, keepalived)
        try:
            made.build()
            yield made
        finally:
            made.close()
    finally:
        site.clear()
