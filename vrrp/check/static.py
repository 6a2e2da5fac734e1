"""The checks that only read: every rule of this package."""

from __future__ import annotations

from vrrp.check import mismatch, reader
from vrrp.check.rule import Check

CHECKS: tuple[Check, ...] = (reader.read, mismatch.compare, mismatch.unicast)
