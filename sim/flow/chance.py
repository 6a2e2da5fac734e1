"""Chance by number: what is drawn for a request depends on its key alone, whoever asks first and how often."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def mixed(key: int) -> int:
    """64 bits that look random, from a number (splitmix64, public domain)."""
    key = (key + _STEP) & _MASK
    key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & _MASK
    return key ^ (key >> 31)


class Chance:
    """A stream of random numbers that begins with a key; what a `sim.delay.Delay` draws from."""

    __slots__ = ("_state",)

    def __init__(self, key: int) -> None:
        self._state = key

    def getrandbits(self, bits: int, /) -> int:
        """A number of so many bits, up to 64."""
        self._state = mixed(self._state)
        return self._state >> (64 - bits)

    def random(self) -> float:
        """A number from 0 to 1, without 1."""
        return self.getrandbits(53) / (1 << 53)
