"""HAProxy in the laboratory: its file against `haproxy -c`, and the whole stack for real beside its prediction."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.command import finished, spawn
from haproxy.stack import NODES, Stack
from sim.inputs import from_scenario
from sim.lab.certificate import PEM
from sim.lab.haproxy import within_laboratory
from sim.lab.namespace import LabError
from sim.lab.session import require_programs

REACHING = """\
global
    daemon
    user nobody-at-all
    chroot /does/not/exist
    log /dev/log local0
    stats socket /does/not/exist/either.sock mode 660
    maxconn 1000

defaults
    mode http
    log global
    log 192.0.2.1 local0
    errorfile 503 /nor/does/this.http
    timeout connect 1s
    timeout client 1s
    timeout server 1s

frontend web
    bind 127.0.0.1:18443 ssl crt /no/such/site.pem alpn h2
    default_backend app

backend app
    option httpchk
    server a 127.0.0.1:18444 check ssl verify required ca-file /no/such/ca.pem
    server b 127.0.0.1:18445 check backup
"""


def rewritten(folder: Path, text: str) -> Path:
    certificate, file = folder / "ours.pem", folder / "haproxy.cfg"
    certificate.write_text(PEM)
    file.write_text(within_laboratory(text, folder / "ours.sock", certificate))
    return file


def test_nothing_outside_is_reached_for(tmp_path: Path) -> None:
    text = rewritten(tmp_path, REACHING).read_text()
    for outside in ("/does", "/nor", "/no/such", "nobody-at-all", "192.0.2.1", "daemon", "/dev/log"):
        assert outside not in text
    for kept in (
        "maxconn 1000",
        "log global",
        "default_backend app",
        "alpn h2",
        "server b 127.0.0.1:18445 check backup",
    ):
        assert kept in text
    assert text.count("stats socket") == 1


@pytest.mark.program("haproxy")
def test_what_remains_is_valid(tmp_path: Path) -> None:
    file = rewritten(tmp_path, REACHING)
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_file_without_a_global_section_gets_one(tmp_path: Path) -> None:
    lines = rewritten(tmp_path, "defaults\n    mode tcp\n").read_text().splitlines()
    assert lines == [
        "global",
        f"    stats socket {tmp_path}/ours.sock mode 600 level admin",
        "defaults",
        "    mode tcp",
    ]


@pytest.mark.parametrize(("absent", "why"), [("haproxy", "n3 runs it"), ("curl", "check scripts of n3 get URLs")])
def test_programs_that_are_missing_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str, why: str
) -> None:
    (tmp_path / "bin").mkdir()
    for program in {"haproxy", "curl"} - {absent}:
        (tmp_path / "bin" / program).touch(mode=0o755)
    monkeypatch.setattr("sim.lab.session.PROGRAM_PATH", str(tmp_path / "bin"))
    with pytest.raises(LabError, match=f"needs the program {absent}, which is not installed: {why}"):
        require_programs(from_scenario(Stack(1, []).write(tmp_path)))


def lab(scenario: Path, *arguments: str) -> dict[str, Any]:
    """What `vrrp lab` tells of a scenario."""
    outcome = finished(spawn("lab", scenario, "--engine", "keepalived", "--json", "-", *arguments))
    assert outcome.code in {0, 1}, outcome.err
    told: dict[str, Any] = json.loads(outcome.out)
    return told


STOPPED_S = 7.0
AFTER_S = 6.5


@pytest.mark.root
@pytest.mark.program("ip", "keepalived", "haproxy", "curl")
def test_the_whole_stack_is_as_predicted(tmp_path: Path) -> None:
    """A dead API server that nobody notices, HAProxy killed on the holder, and a keepalived that is stopped.

    Who of two equal backups comes first is chance, and decides what a client sees, so priorities differ here; a busy
    machine may keep somebody from being on time, so there are three attempts, and the tolerance is 50 ms for a
    takeover, 150 ms for a client's longest gap, and 5 % of its requests.
    """
    events = [
        {"at": 5.0, "action": "server-down", "server": "api2"},
        {"at": STOPPED_S, "action": "haproxy-kill", "node": "n1"},
        {"at": STOPPED_S + AFTER_S, "action": "haproxy-start", "node": "n1"},
        {"at": STOPPED_S + AFTER_S, "action": "server-up", "server": "api2"},
    ]
    scenario = Stack(duration_s=STOPPED_S + AFTER_S + 5.5, events=events, client_s=4.0).write(tmp_path)
    last = tmp_path / f"{NODES[2]}.conf"
    last.write_text(last.read_text().replace("priority 100", "priority 99").replace("weight -2", "weight -4"))
    told = attempted(scenario, tmp_path)
    [run] = told["runs"]
    assert run["complaints"] == []
    predicted, measured = (run[key]["clients"]["new"] for key in ("prediction", "measured"))
    assert measured["longest_gap"] == pytest.approx(predicted["longest_gap"], abs=0.15)
    assert 3.6 < measured["longest_gap"] < 5.6
    assert measured["failed"] == pytest.approx(predicted["failed"], abs=0.05 * measured["sent"])
    assert measured["errors"]["tcp:refused"] == pytest.approx(predicted["errors"]["tcp:refused"], abs=15)
    kept = {path.name for path in tmp_path.glob("kept*/keepalived/*")}
    assert {"n1.haproxy.cfg", "n1.haproxy.log", "n1.keepalived.conf", "new.requests.csv", "ka.requests.csv"} <= kept
    assert [one["text"].split()[0] for one in run["measured"]["events"]] == ["server", "haproxy", "haproxy", "server"]


def attempted(scenario: Path, folder: Path) -> dict[str, Any]:
    for attempt in range(2):
        told = lab(scenario, "--keep", str(folder / f"kept{attempt}"))
        if told["as_predicted"]:
            return told
    return lab(scenario)
