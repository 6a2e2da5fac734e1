"""What this process may do (capabilities(7))."""

from __future__ import annotations

from pathlib import Path

NEEDED = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}
"""To set addresses, and to send and receive packets of our own; each with its bit."""


def missing_rights(status: Path = Path("/proc/self/status")) -> tuple[str, ...]:
    """The names of the capabilities that a daemon needs and this process has not."""
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    effective = int(next(line.split()[1] for line in lines if line.startswith("CapEff:")), 16)
    return tuple(name for name, bit in NEEDED.items() if not effective >> bit & 1)
