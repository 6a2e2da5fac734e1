"""Whose codec is measured, and what each is asked: a job, or the reason why it cannot do it.

A caller who wants from another library what `vrrp.decode` gives has to verify by himself; what he would write
around the library is written here, as little of it as will do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from benchmarks.messages import Message

VERIFIED = "+ verification"
"""How a library is used that leaves the verification to its caller."""


@dataclass(frozen=True, slots=True)
class Job:
    """`call` is timed, on what `prepare` made of a message; `answer` tells what it returned in our terms.

    `how` stands behind the library's name; `note` is a phrase for readers.
    """

    prepare: Callable[[Message], Any]
    call: Callable[[Any], Any]
    answer: Callable[[Any], Any]
    how: str = ""
    note: str = ""


class Codec(Protocol):
    """One library. Text instead of a job is the reason why there is none."""

    @property
    def name(self) -> str:
        """For the table."""

    def decoding(self, version: int, width: int) -> Job | str:
        """From the bytes of a message to an object, verified; answers an `Answer`."""

    def encoding(self, version: int, width: int) -> Job | str:
        """From the library's object to bytes with the right checksum; answers bytes."""

    def framing(self) -> Job:
        """From an Ethernet frame with version 2 or 3 over IPv4 to an object; answers an `Answer`.

        Verified are the header checksum, the TTL and the message. `call` gets the bytes of the frame.
        """


def load(*names: str) -> tuple[ModuleType, ...] | None:
    """These modules of an optional package; None where it is not installed."""
    try:
        return tuple(importlib.import_module(name) for name in names)
    except ModuleNotFoundError:
        return None
