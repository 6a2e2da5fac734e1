"""What runs on a node: the programs of an engine, their files, and what their logs tell."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.lab.namespace import PROGRAM_PATH, LabError
from vrrp.config.model import KeepalivedConfig


@dataclass(frozen=True, slots=True)
class Entered:
    """A log says that a virtual router entered a state."""

    instance: str
    state: str


@dataclass(frozen=True, slots=True)
class Reprioritized:
    """A log says that an effective priority changed."""

    instance: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A log says something else of a virtual router: perhaps the reason of what follows."""

    instance: str
    text: str


Said = Entered | Reprioritized | Remark


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start; the next is started when the file `ready` is there."""

    words: tuple[str, ...]
    ready: Path | None = None


class Engine(ABC):
    """An implementation of VRRP that runs on a node. One object for each node.

    Attributes:
        name: as the command line calls it.
        profile: whose behaviour the prediction takes for it; None: as the scenario says.
        needs: the programs without which it does not run.
        cannot: the actions on a node that mean nothing to it, and why.
        settings: of sysctl, for its node's namespace.
    """

    name: str
    profile: str | None = None
    needs: tuple[str, ...] = ()
    cannot: Mapping[str, str] = {}
    settings: Mapping[str, int] = {}

    def __init__(self, node: str, label: str, folder: Path) -> None:
        self.node = node
        self.label = label
        """The namespace's name."""
        self.folder = folder

    @classmethod
    def missing(cls) -> str | None:
        """One phrase about the program that this machine lacks; None when nothing is missing."""
        for need in cls.needs:
            if shutil.which(need, path=PROGRAM_PATH) is None:
                return f"engine {cls.name} needs the program {need}, which is not installed"
        return None

    def able(self, config: KeepalivedConfig) -> tuple[KeepalivedConfig, list[str]]:
        """What the engine can do of a configuration, and one line for each thing that it cannot."""
        return config, []

    @abstractmethod
    def configure(self, config: KeepalivedConfig) -> None:
        """Write its files for this configuration; again before a reload."""

    def devices(self, config: KeepalivedConfig) -> list[str]:
        """Commands of ip(8) that make the devices that it expects to find."""
        return []

    @abstractmethod
    def programs(self) -> Sequence[Program]:
        """What to start, the one that speaks VRRP last."""

    @abstractmethod
    def forget(self) -> None:
        """Remove what tells it of a life that was ended by force."""

    @abstractmethod
    def read(self, line: str) -> Said | None:
        """What a line of its log says."""


def require(engine: type[Engine]) -> None:
    """LabError when a program of the engine is missing."""
    missing = engine.missing()
    if missing is not None:
        raise LabError(missing)
