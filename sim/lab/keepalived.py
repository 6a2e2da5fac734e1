"""keepalived as an engine, and ours beside it: they read the same file and write the same phrases into their logs."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from sim.lab.engine import Engine, Entered, Program, Remark, Reprioritized, Said
from vrrp.config import write
from vrrp.config.model import KeepalivedConfig
from vrrp.whole_file import write_text

_STAMP = re.compile(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ")
_ENTERED = re.compile(r"\((?P<instance>.+?)\) Entering (?P<state>\w+) STATE")
_PRIORITY = re.compile(r"\((?P<instance>.+?)\) Changing effective priority from (?P<old>\d+) to (?P<new>\d+)")
_OF_INSTANCE = re.compile(r"\((?P<instance>.+?)\) (?P<text>.+)")


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
    has_children = True
    _PIDS = (("-p", "keepalived.pid"), ("-r", "vrrp.pid"))

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
    cannot: Mapping[str, str] = {
        "crash-parent": "vrrp is one process; crash kills it",
        "crash-child": "vrrp is one process; crash kills it",
    }

    def programs(self) -> Sequence[Program]:
        """By this Python, so that it is this version."""
        start = "from vrrp.cli.main import main; main()"
        return [Program((sys.executable, "-c", start, "run", "-f", str(self.folder / "keepalived.conf")))]

    def forget(self) -> None:
        """What a killed one leaves in the kernel, the next finds there itself."""
