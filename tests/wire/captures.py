"""The recordings as frames: three small ones beside these tests, the rest in ../shared where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest

from conftest import SHARED

DATA = Path(__file__).parent / "data"
PATTERNS = ("recordings/keepalived/*/lan*.pcap", "recordings/frr/*.pcap", "captures/_captured/*.pcap")


def paths() -> list[object]:
    """Each capture as a parameter of a test; in place of those in ../shared, where absent, one that is skipped."""
    own = [pytest.param(path, id=path.stem) for path in sorted(DATA.glob("*.pcap"))]
    others = [
        pytest.param(path, id=str(path.relative_to(SHARED).with_suffix("")))
        for pattern in PATTERNS
        for path in sorted(SHARED.glob(pattern))
    ]
    absent = pytest.param(
        None, id="shared", marks=pytest.mark.skip(reason="no recordings: there is no ../shared beside the project")
    )
    return [*own, *(others or [absent])]


def frames(path: Path) -> Iterator[bytes]:
    """The Ethernet frames of a pcap file."""
    with path.open("rb") as file:
        reader = dpkt.pcap.Reader(file)
        assert reader.datalink() == dpkt.pcap.DLT_EN10MB
        for _, raw in reader:
            yield raw
