"""What the tests share: the recordings beside the project, the needs of a test, hypothesis' profiles."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sim.proof import prove

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("VRRP_SHARED", ROOT / ".." / "shared")).resolve()

# Debian puts keepalived and tcpdump where only root's PATH looks.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

# Output is as wide as where there is no terminal: a shell may export its width, and pytest-xdist does.
os.environ.pop("COLUMNS", None)

# Neither has a deadline or minds slowness: a busy machine is not a bug of ours. "ci" draws the same examples
# each time; `pytest --hypothesis-profile thorough` looks for new ones.
settings.register_profile(
    "ci", derandomize=True, max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What xdist shares the tests out with."""
    from shares import Shares  # noqa: PLC0415  # who runs a single test need not have xdist

    return Shares(config, log)


def unmet_need(item: pytest.Item) -> str | None:
    """What the markers `root` and `program` of this test ask and this machine lacks, or None."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        return "needs root"
    for marker in item.iter_markers("program"):
        for name in marker.args:
            if shutil.which(name, path=PROGRAM_PATH) is None:
                return f"needs the program {name}, which is not installed"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A person without keepalived can run the rest; where everything is to be tested, absence is failure."""
    need = unmet_need(item)
    if need is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{need}, and CI=true allows no skipping", pytrace=False)
    pytest.skip(need)


def open_to_all(folder: Path) -> None:
    """Let other users reach a test's `tmp_path`, which pytest makes for its own user alone."""
    for one in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in one.parents:
            one.chmod(0o755)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared beside the project, or $VRRP_SHARED: recordings and captures not ours to ship."""
    if not SHARED.is_dir():
        pytest.skip("no recordings: there is no ../shared beside the project, and VRRP_SHARED names none")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _time_enough() -> None:
    """What `vrrp check` proves within so many seconds is not to depend on how busy the machine is."""
    prove.BUDGET_S = prove.MEASURING_S = 600.0
