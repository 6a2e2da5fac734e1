"""`show stat` and the page, from scenarios on disk and the command line; files with which HAProxy does not start."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from haproxy.balanced import config
from sim.haproxy.page import kind, proxies, server_cells
from sim.inputs import from_scenario
from sim.scenario_file import ScenarioError
from vrrp.cli.main import run

SCENARIO = """
duration = "9s"
[segments.lan]
[nodes.lb]
keepalived = "keepalived.conf"
haproxy = "haproxy.cfg"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.1/24"] }
[servers.s1]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.11/24"] }
listen = [80]
[clients.c]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }
target = "10.0.0.1:80"
start = "1s"
[[events]]
at = "2s"
server = "s1"
action = "server-down"
"""
KEEPALIVED = (
    "vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n 10.0.0.100\n }\n}\n"
)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "keepalived.conf").write_text(KEEPALIVED)
    (tmp_path / "haproxy.cfg").write_text(config(check="check inter 1s fall 2", count=1))
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO)
    return file


def test_files_of_show_stat(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report = tmp_path / "stats", tmp_path / "report.html"
    given = ["sim", str(scenario), "--haproxy-stats", str(folder)]
    assert run([*given, "--haproxy-stats-at", "1.5s,8s", "--report", str(report)]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["lb.1.5s.csv", "lb.8s.csv"]
    for name, status in (("lb.1.5s.csv", "UP"), ("lb.8s.csv", "DOWN")):
        rows = list(csv.DictReader(io.StringIO((folder / name).read_text().removeprefix("# "))))
        assert [(row["pxname"], row["svname"], row["status"]) for row in rows] == [
            ("web", "FRONTEND", "OPEN"),
            ("app", "s1", status),
            ("app", "BACKEND", status),
        ]
    page = report.read_text()
    assert "<summary>lb: app</summary>" in page
    assert '<tr class="down"><td>s1</td>' in page
    assert "L4CON in 0ms" in page
    assert "server app/s1 is DOWN" in capsys.readouterr().out
    assert run(given) == 0
    assert (folder / "lb.9s.csv").exists()


def test_times_after_the_end_are_refused(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["sim", str(scenario), "--haproxy-stats", "x", "--haproxy-stats-at"]
    assert run([*given, "10s"]) == 2
    assert run([*given, "soon"]) == 2
    assert "--haproxy-stats-at: the run ends at 9s; write earlier times" in capsys.readouterr().err


def test_a_file_with_which_haproxy_would_not_start_refuses_the_scenario(scenario: Path) -> None:
    file = scenario.parent / "haproxy.cfg"
    file.write_text(file.read_text() + "nonsense here\n")
    with pytest.raises(ScenarioError) as caught:
        from_scenario(scenario)
    assert str(caught.value).startswith(f"{file}:")
    file.unlink()
    with pytest.raises(ScenarioError, match=r"haproxy\.cfg: no such file"):
        from_scenario(scenario)


def test_rows_of_the_page() -> None:
    row = dict.fromkeys(["pxname", "lastchg", "downtime", "weight", "act", "bck", "chkfail", "chkdown"], "")
    checked = {"check_status": "L7STS", "check_code": "503", "check_duration": "2"}
    server = row | checked | {"svname": "s", "status": "DOWN 1/2", "lastchg": "5", "downtime": "65"}
    assert server_cells(server)[:2] == ("5s DOWN 1/2", "L7STS/503 in 2ms")
    assert server_cells(server)[-1] == "65s"
    kinds = [kind(server | {"status": status}) for status in ("UP", "UP 1/3", "DOWN 1/2", "MAINT", "no check")]
    assert kinds == ["up", "going-down", "down", "maint", "no-check"]
    assert [name for name, _ in proxies([server | {"pxname": "a"}, server | {"pxname": "b"}])] == ["a", "b"]
