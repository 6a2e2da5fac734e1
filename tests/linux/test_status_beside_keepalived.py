"""keepalived's keepalived.json and our status, of the same configuration after the same packets."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM_PATH
from linux.namespaces import Cable, cable, sh
from linux.test_log_beside_keepalived import CONF, JOINED, SENDER, bad, send
from vrrp.linux.status.control import asking

# What ours does not have: a password is nobody's business; what it heard last is told as `now.master`; names of
# virtual MAC devices, mail and routes are other parts' affair; what it follows is told by name, as `now.scripts`.
LEFT_OUT = {
    "auth_data",
    "master_priority",
    "vmac_ifname",
    "promote_secondaries",
    "smtp_alert",
    "notify_deleted",
    "track_script",
}
MOMENTS = {"last_transition"}


def heard_all(ends: Cable) -> None:
    until = time.monotonic() + 20
    while JOINED not in sh("ip", "netns", "exec", ends.one, "cat", "/proc/net/igmp"):
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.2)
    send(ends, bad())
    time.sleep(0.1)


@pytest.mark.root
@pytest.mark.program("keepalived")
def test_names_and_values_are_keepalived_s(tmp_path: Path) -> None:
    conf = tmp_path / "k.conf"
    conf.write_text(CONF)
    with cable() as ends:
        sh("ip", "-n", ends.one, "addr", "add", "10.0.0.1/24", "dev", "eth0")
        sh("ip", "-n", ends.other, "addr", "add", f"{SENDER}/24", "dev", "eth0")
        files = [word for name in ("p", "r") for word in (f"-{name}", tmp_path / f"{name}.pid")]
        keepalived = ends.run(
            ends.one, "env", f"TMPDIR={tmp_path}", "keepalived", "-n", "-l", "-P", "-f", conf, *files
        )
        heard_all(ends)
        words = ["keepalived", "--signum=JSON"]
        signum = subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": PROGRAM_PATH}).stdout
        keepalived.send_signal(int(signum))
        written = tmp_path / "keepalived.json"
        until = time.monotonic() + 10
        while not written.exists() or not written.read_text().rstrip().endswith("]"):
            assert time.monotonic() < until
            time.sleep(0.02)
        keepalived.terminate()
        keepalived.communicate(timeout=20)
        theirs: list[dict[str, Any]] = json.loads(written.read_text())

        vrrp = [sys.executable, "-c", "from vrrp.cli.main import main; main()"]
        running = ends.run(ends.one, *vrrp, "run", "-f", conf, "--state-dir", tmp_path / "state")
        heard_all(ends)
        with asking(tmp_path / "state") as answers:
            ours = next(answers)["vrrp"]
        running.terminate()
        running.communicate(timeout=20)
    assert len(ours) == len(theirs) == 2
    for our, their in zip(ours, theirs, strict=True):
        assert set(their["data"]) - set(our["data"]) <= LEFT_OUT
        same = set(their["data"]) - LEFT_OUT - MOMENTS
        assert {name: our["data"][name] for name in same} == {name: their["data"][name] for name in same}
        invalid = their["stats"].pop("invalid_authtype") + our["stats"].pop("invalid_authtype")
        their["stats"]["authtype_mismatch"] += invalid  # ours counts an unknown type as a mismatch, which it is too
        assert their["stats"].pop("advert_interval_err") == 0  # it does not count the one that it refused
        assert our["stats"].pop("advert_interval_err") == (our["data"]["version"] == 2)
        assert our["stats"] == their["stats"]
