"""Pools beside keepalived 2.2.7: its verdicts go in; what it logged, told and sent to IPVS comes out, in its order.

The recordings were made with `keepalived -C` in a network namespace, whose scripts looked for files, and with a
library preloaded that took all IPVS commands and wrote them down where the log went.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vrrp.config import Host, KeepalivedConfig, parse
from vrrp.config.lvs.model import MiscCheck
from vrrp.linux.lvs.messages import message
from vrrp.lvs.balancer import Balancer
from vrrp.lvs.effects import Effect, Effects, QuorumChanged, Said, ServerChanged
from vrrp.lvs.target import CheckKey

RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*.json"))
VERDICT = re.compile(
    r"Misc check for \[(?P<real>.+) VS (?P<virtual>.+)\] by \[(?P<command>.+)\] (?P<how>succeeded|failed)"
)
HEADER_OCTETS = 16
# Of real servers that a reload takes away keepalived tells that the quorum is lost, though it is not.
FALSE_ALARMS = {"reload_removes"}


class Replay:
    """A balancer that is told what a recording's keepalived found."""

    def __init__(self, configurations: list[str]) -> None:
        self.configurations = iter([parse(one, host=Host()).config for one in configurations])
        self.config: KeepalivedConfig = next(self.configurations)
        self.balancer = Balancer(self.config.virtual_servers, self.config.virtual_server_groups)

    def hear(self, line: str) -> Effects | None:
        """What a line of the log makes the balancer do; None for one that is no news to it."""
        if line == "Initializing ipvs":
            return self.balancer.start(0)
        if line == "Reinitializing ipvs":
            self.config = next(self.configurations)
            return self.balancer.reload(0, self.config.virtual_servers, self.config.virtual_server_groups)
        if line == "Stopping":
            return self.balancer.stop(0)
        found = VERDICT.match(line)
        return None if found is None else self.balancer.report(0, self.key(found), found["how"] == "succeeded", None)

    def key(self, found: re.Match[str]) -> CheckKey:
        for pool in self.balancer.pools.values():
            for key, member in pool.members.items():
                for index, checker in enumerate(member.server.checkers):
                    assert isinstance(checker, MiscCheck)
                    if (checker.command, member.label) == (found["command"], found["real"]):
                        return CheckKey(pool.label, key, index)
        raise AssertionError(found.string)


def lines(effects: Effects) -> Iterator[str]:
    for effect in effects:
        if isinstance(effect, Said):
            yield effect.message
        elif not isinstance(effect, ServerChanged | QuorumChanged):
            said = message(effect)
            said.encode()
            yield f"ipvs {said.data[HEADER_OCTETS:].hex()}"


def told(effect: Effect) -> str | None:
    if isinstance(effect, QuorumChanged):
        return f"VS {effect.virtual_server} {'UP' if effect.up else 'DOWN'}"
    if isinstance(effect, ServerChanged):
        return f"RS {effect.real_server} {effect.virtual_server} {'UP' if effect.up else 'DOWN'}"
    return None


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_as_keepalived(recording: Path) -> None:
    recorded = json.loads(recording.read_text())
    replay = Replay(recorded["configurations"])
    said: list[str] = []
    fifo: list[str] = []
    for line in recorded["log"]:
        effects = replay.hear(line)
        if effects is not None:
            said += [line, *lines(effects)]
            fifo += [line for line in map(told, effects) if line is not None]
    assert said == recorded["log"]
    if recording.stem not in FALSE_ALARMS:
        assert fifo == recorded["fifo"]
