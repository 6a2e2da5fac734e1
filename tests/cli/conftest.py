"""The command line as a fixture."""

from __future__ import annotations

import pytest

from cli.command import Vrrp


@pytest.fixture
def vrrp(capsys: pytest.CaptureFixture[str]) -> Vrrp:
    """`vrrp` in this process: called with arguments, it gives status and output."""
    return Vrrp(capsys)
