"""keepalived as an engine, and ours beside it: they read the same file and write the same phrases into their logs."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.lab.engine import Engine, Entered, Program, Remark, Reprioritized, Said
from vrrp.config import write
from vrrp.config.model import KeepalivedConfig
from vrrp.whole_file import write_text

_STAMP = re.compile(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ")
_ENTERED = re.compile(r"\((?P<instance>.+?)\) Entering (?P<state>\w+) STATE")
_PRIORITY = re.compile(r"\((?P<instance>.+?)\) Changing effective priority from (?P<old>\d+) to (?P<new>\d+)")
_OF_INSTANCE = re.compile(r"\((?P<instance>.+?)\) (?!(?:removing|setting) |Sending|Found matching)(?P<text>.+)")
"""What it does after a transition is not the reason of the next."""


def read_line(line: str) -> Said | None:
    """What a line of keepalived's log says; with its time in front or without."""
    message = _STAMP.sub("", line)
    if found := _ENTERED.match(message):
        return Entered(found["instance"], found["state"])
    if found := _PRIORITY.match(message):
        return Reprioritized(found["instance"], int(found["old"]), int(found["new"]))
    if found := _OF_INSTANCE.match(message):
        return Remark(found["instance"], found["text"])
    return None


class _ReadsKeepalivedConf(Engine):
    """An engine that is told by a keepalived.conf."""

    def configure(self, config: KeepalivedConfig) -> None:
        """Write the keepalived.conf."""
        write_text(self.folder / "keepalived.conf", write(config))

    def read(self, line: str) -> Said | None:
        """In keepalived's phrases."""
        return read_line(line)


class Keepalived(_ReadsKeepalivedConf):
    """keepalived, in the foreground, its VRRP part only."""

    name = "keepalived"
    needs = ("keepalived",)
    cannot: Mapping[str, str] = {
        "process-die": "keepalived hears of processes outside of network namespaces only",
        "process-start": "keepalived hears of processes outside of network namespaces only",
    }
    _PIDS = (("-p", "keepalived.pid"), ("-r", "vrrp.pid"))

    def able(self, config: KeepalivedConfig) -> tuple[KeepalivedConfig, list[str]]:
        """All but processes: the kernel tells of those in the first network namespace only (netlink's connector)."""
        if not config.track_processes:
            return config, []
        without = replace(
            config,
            track_processes={},
            instances=tuple(replace(one, track_processes=()) for one in config.instances),
            sync_groups=tuple(replace(one, track_processes=()) for one in config.sync_groups),
        )
        return without, [f"{self.node}: keepalived follows no processes in a network namespace; it runs without"]

    def programs(self) -> Sequence[Program]:
        """Its pid files are its own, so that one runs on each node."""
        pids = [word for option, name in self._PIDS for word in (option, str(self.folder / name))]
        conf = str(self.folder / "keepalived.conf")
        return [Program(("keepalived", "-n", "-l", "-D", "-P", "-f", conf, *pids))]

    def forget(self) -> None:
        """Its pid files: a machine that starts anew has none."""
        for _, name in self._PIDS:
            (self.folder / name).unlink(missing_ok=True)


class Ours(_ReadsKeepalivedConf):
    """`vrrp run`."""

    name = "vrrp"
    profile = "vrrp"
    cannot: Mapping[str, str] = {
        "crash-parent": "vrrp is one process; crash kills it",
        "crash-child": "vrrp is one process; crash kills it",
    }

    def able(self, config: KeepalivedConfig) -> tuple[KeepalivedConfig, list[str]]:
        """All of it; processes as they are found where the kernel does not tell of them."""
        looks = f"{self.node}: vrrp looks for processes twice a second in a network namespace"
        return config, [looks] if config.track_processes else []

    def programs(self) -> Sequence[Program]:
        """By this Python, so that it is this version."""
        start = "from vrrp.cli.main import main; main()"
        files = ("-f", str(self.folder / "keepalived.conf"), "--state-dir", str(self.folder / "state"))
        return [Program((sys.executable, "-c", start, "run", *files))]

    def forget(self) -> None:
        """What a killed one leaves in the kernel, the next finds there itself."""
