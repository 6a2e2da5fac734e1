"""From what the user names to what a run needs, and one line for everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from networks import S

from sim.inputs import Inputs, from_files, from_scenario
from sim.network import Network
from sim.scenario_file import ScenarioError
from sim.scenario_text import scenario_text

CONF = """\
vrrp_script check {
    script "/bin/true"
    interval 1
    weight -20
}
vrrp_instance VI_1 {
    state ${STATE}
    interface eth0
    virtual_router_id 51
    priority PRIORITY
    virtual_ipaddress {
        10.0.0.100/24
    }
    track_script {
        check
    }
}
"""


def conf(priority: int = 100) -> str:
    return CONF.replace("PRIORITY", str(priority)).replace("${STATE}", "BACKUP")


def two(folder: Path) -> list[Path]:
    files = [folder / "a.conf", folder / "b.conf"]
    for number, file in enumerate(files):
        file.write_text(conf(101 - number))
    return files


def scenario(folder: Path, **more: str) -> Path:
    two(folder)
    file = folder / "x.toml"
    nodes = "".join(
        f'[nodes.{name}]\nkeepalived = "{more.get(name, name + ".conf")}"\n{more.get(name + "_keys", "")}\n'
        f'interfaces.eth0 = {{ segment = "lan", addresses = ["10.0.0.{host}/24"] }}\n'
        for name, host in (("a", 11), ("b", 12))
    )
    file.write_text(f'duration = "20s"\n{more.get("top", "")}\n[segments.lan]\n{nodes}')
    return file


def run(inputs: Inputs, until_ns: int | None = None) -> Any:
    return Network(inputs.scenario, inputs.source, dict(inputs.configs), ideal=True).run(until_ns)


def complaint(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        call(*arguments, **named)
    assert str(caught.value).isprintable()
    return str(caught.value)


# A scenario file ------------------------------------------------------------------------------------------


def test_a_scenario_with_its_configurations(tmp_path: Path) -> None:
    inputs = from_scenario(scenario(tmp_path))
    assert [c.virtual_routers[0].priority for c in inputs.configs.values()] == [101, 100]
    assert inputs.texts == {str(tmp_path / "a.conf"): conf(101), str(tmp_path / "b.conf"): conf(100)}
    assert (inputs.diagnostics, inputs.notes) == ((), ())
    assert run(inputs).transitions[2].node == "a"


def test_environment_fills_placeholders_of_one_node(tmp_path: Path) -> None:
    file = scenario(tmp_path, a_keys='environment = { STATE = "MASTER" }')
    (tmp_path / "a.conf").write_text(CONF.replace("PRIORITY", "255"))
    inputs = from_scenario(file)
    assert [c.virtual_routers[0].state_master for c in inputs.configs.values()] == [True, False]


def test_diagnostics_and_notes_are_collected(tmp_path: Path) -> None:
    file = scenario(tmp_path, a_keys='haproxy = "h.cfg"', b_keys='haproxy = "h.cfg"', top='profile = "rfc9568"')
    (tmp_path / "b.conf").write_text(conf() + "\nnonsense here\n")
    (tmp_path / "h.cfg").write_text("frontend f\n  bind :80\n")
    inputs = from_scenario(file)
    assert [d.file for d in inputs.diagnostics] == [str(tmp_path / "b.conf")]
    assert inputs.notes == (
        f"{tmp_path / 'a.conf'}:6: (VI_1) profile rfc9568 speaks version 3, not 2",
        f"{tmp_path / 'b.conf'}:6: (VI_1) profile rfc9568 speaks version 3, not 2",
        *[str(one) for one in inputs.balancers["a"].diagnostics],
    )


def test_a_nodes_own_profile_is_the_one_converted_for(tmp_path: Path) -> None:
    inputs = from_scenario(scenario(tmp_path, a_keys='profile = "frr"'))
    assert [c.virtual_routers[0].version for c in inputs.configs.values()] == [2, 2]
    assert [c.virtual_routers[0].announcements is None for c in inputs.configs.values()] == [True, False]


def test_text_that_is_not_utf_8_is_kept_as_far_as_it_goes(tmp_path: Path) -> None:
    file = scenario(tmp_path)
    (tmp_path / "a.conf").write_bytes(b"# \xe9\n" + conf().encode())
    assert from_scenario(file).texts[str(tmp_path / "a.conf")].startswith("# \ufffd\n")


def test_a_scenario_that_cannot_be_read(tmp_path: Path) -> None:
    assert complaint(from_scenario, tmp_path / "none.toml") == f"{tmp_path}/none.toml: no such file or directory"
    assert complaint(from_scenario, tmp_path) == f"{tmp_path}: is a directory"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.conf", None, "{file}:5: {conf}: no such file or directory"),
        (".", None, "{file}:5: {conf}: is a directory"),
        ("a.conf", "", "{conf}: no vrrp_instance in it; nothing to run"),
        ("a.conf", "static_routes {\n}\n", "{conf}: no vrrp_instance in it; nothing to run"),
    ],
)
def test_configurations_that_cannot_be_used(name: str, text: str | None, message: str, tmp_path: Path) -> None:
    file = scenario(tmp_path, a=name)
    if text is not None:
        (tmp_path / name).write_text(text)
    said = complaint(from_scenario, file)
    assert said == message.format(file=file, conf=tmp_path / name)


def test_a_configuration_whose_errors_leave_nothing(tmp_path: Path) -> None:
    file = scenario(tmp_path)
    (tmp_path / "a.conf").write_text("vrrp_instance VI_1 {\n    interface eth0\n}\n")
    said = complaint(from_scenario, file)
    assert said.startswith(f"{tmp_path}/a.conf:1: ")


def test_a_configuration_that_keepalived_refuses(tmp_path: Path) -> None:
    file = scenario(tmp_path)
    (tmp_path / "a.conf").write_text("vrrp_instance VI_1 {\n    interface eth0\n")
    said = complaint(from_scenario, file)
    assert said.startswith(f"{tmp_path}/a.conf:")


def test_a_configuration_the_profile_cannot_run(tmp_path: Path) -> None:
    file = scenario(tmp_path, top='profile = "rfc3768"')
    (tmp_path / "a.conf").write_text("global_defs {\n  vrrp_version 3\n}\n" + conf())
    said = complaint(lambda: run(from_scenario(file)))
    assert said == f"{file}:4: a: VI_1: profile rfc3768 does not speak version 3"


def test_an_interval_that_the_other_version_cannot_state(tmp_path: Path) -> None:
    file = scenario(tmp_path, top='profile = "rfc9568"')
    (tmp_path / "b.conf").write_text(conf().replace("interface eth0", "interface eth0\n    advert_int 60"))
    said = complaint(from_scenario, file)
    assert said.startswith(f"{tmp_path}/b.conf:6: VI_1: ")
    assert "interval" in said


def test_a_zero_byte_in_a_file_name(tmp_path: Path) -> None:
    assert complaint(from_scenario, scenario(tmp_path, a="a\\u0000.conf"))


# Configuration files alone ---------------------------------------------------------------------------------


def test_files_alone_make_a_scenario(tmp_path: Path) -> None:
    inputs = from_files(two(tmp_path))
    assert (inputs.scenario.title, inputs.scenario.duration, inputs.scenario.seed) == ("a b", 30 * S, 1)
    assert (inputs.scenario.profile, inputs.scenario.events) == ("keepalived", ())
    assert list(inputs.scenario.nodes) == ["a", "b"]
    assert [str(n.interfaces["eth0"].addresses[0]) for n in inputs.scenario.nodes.values()] == [
        "10.0.0.11/24",
        "10.0.0.12/24",
    ]
    assert list(inputs.texts) == [str(file) for file in two(tmp_path)]
    assert run(inputs).healthy_at_end


def test_environment_profile_and_seed_go_through(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text(CONF.replace("PRIORITY", "255"))
    inputs = from_files([file], environment={"STATE": "MASTER"}, profile="frr", seed=4)
    assert inputs.configs["a"].virtual_routers[0].state_master
    assert (inputs.scenario.profile, inputs.scenario.seed) == ("frr", 4)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["x/a.conf", "y/b.conf"], ["a", "b"]),
        (["n1/keepalived.conf", "n2/keepalived.conf"], ["n1", "n2"]),
        (["n1/keepalived.conf", "n1/b.conf", "n2/keepalived.conf"], ["keepalived1", "b2", "keepalived3"]),
        (["n/k.conf", "n/k.conf"], ["k1", "k2"]),
    ],
)
def test_nodes_are_named_after_their_files_or_folders(files: list[str], names: list[str], tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(conf())
    assert list(from_files([tmp_path / file for file in files]).scenario.nodes) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s a crash", {"at": 10 * S, "node": "a", "action": "crash"}),
        (
            "  1.5s   a  link-down eth0 ",
            {"at": 1_500_000_000, "node": "a", "action": "link-down", "interface": "eth0"},
        ),
        ("5s a script-fail", {"at": 5 * S, "node": "a", "action": "script-fail", "script": None}),
        ("5s a script-fail check", {"at": 5 * S, "action": "script-fail", "script": "check"}),
        ("5s lan partition a|b", {"at": 5 * S, "segment": "lan", "groups": (("a",), ("b",))}),
        ("5s lan partition a,b", {"at": 5 * S, "segment": "lan", "groups": (("a", "b"),)}),
        ("5s lan heal", {"at": 5 * S, "segment": "lan", "action": "heal"}),
        ("5s lan loss 0.3", {"at": 5 * S, "segment": "lan", "rate": 0.3}),
        ("5s lan delay 20ms", {"at": 5 * S, "segment": "lan", "action": "delay"}),
    ],
)
def test_events_of_the_command_line(text: str, expected: dict[str, object], tmp_path: Path) -> None:
    (event,) = from_files(two(tmp_path), events=[text]).scenario.events
    assert {key: getattr(event, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("at", "duration_ns"),
    [("1s", 30 * S), ("10s", 30 * S), ("11s", 31 * S), ("1m", 80 * S), ("60.000000007s", 80_000_000_007)],
)
def test_a_run_lasts_20_s_after_its_last_event(at: str, duration_ns: int, tmp_path: Path) -> None:
    inputs = from_files(two(tmp_path), events=[f"{at} a crash", "1s b stop"])
    assert inputs.scenario.duration == duration_ns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--event: '': write time, node and action, like \"10s a crash\""),
        ("10s crash", "--event: '10s crash': write time, node and action, like \"10s a crash\""),
        ("10s a crash now", "--event: '10s a crash now': crash takes no 'now'"),
        ("10s a link-down eth0 x", "--event: '10s a link-down eth0 x': link-down takes no 'x'"),
        ("10s a crush", "--event: there is no action 'crush'; did you mean 'crash'?"),
        ("10s a crush x", "--event: '10s a crush x': crush takes no 'x'"),
        ("10s c crash", "--event: there is no node 'c'; known: a, b"),
        ("10s a link-down", "--event: action 'link-down' needs 'interface'"),
        ("10s a link-down eth9", "--event: there is no interface 'eth9'; did you mean 'eth0'?"),
        ("10s lan loss", "--event: action 'loss' needs 'rate'"),
        ("10s lan loss much", "--event: '10s lan loss much': 'much' is no rate; write 0.3"),
        ("10s lan loss 2", "--event: events[0].rate: input should be less than or equal to 1, not 2.0"),
        (
            "10s lan delay slow",
            "--event: events[0].delay: 'slow' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h",
        ),
        ("10s lam heal", "--event: there is no segment 'lam'; did you mean 'lan'?"),
        ("10s lan partition a|c", "--event: there is no node 'c'; known: a, b"),
        ("10s a haproxy-kill", "--event: a runs no haproxy"),
        (
            "10s a reload b.conf STATE",
            "--event: '10s a reload b.conf STATE': 'STATE' is no environment; write STATE=BACKUP,PRIO=99",
        ),
        ("10s a file-set load much", "--event: '10s a file-set load much': 'much' is no value; write -5"),
        ("10s a process-die web some", "--event: '10s a process-die web some': 'some' is no count; write 2"),
        ("10s a file-set load 3", "--event: there is no file 'load'; known: none"),
        ("soon a crash", "--event: 'soon' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h"),
        ("9999999h a crash", "--event: '9999999h' is longer than a million hours"),
    ],
)
def test_events_of_the_command_line_that_cannot_be(text: str, message: str, tmp_path: Path) -> None:
    assert complaint(lambda: run(from_files(two(tmp_path), events=[text]), 0)) == message


def test_files_alone_that_cannot_be_used(tmp_path: Path) -> None:
    assert complaint(from_files, [tmp_path / "none.conf"]) == f"{tmp_path}/none.conf: no such file or directory"
    assert complaint(from_files, [tmp_path]) == f"{tmp_path}: is a directory"
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    assert complaint(from_files, [*two(tmp_path), empty]) == f"{empty}: no vrrp_instance in it; nothing to run"


def test_a_topology_that_cannot_be(tmp_path: Path) -> None:
    files = two(tmp_path)
    for file in files:
        file.write_text(file.read_text().replace("10.0.0.100/24", "10.0.0.101/30"))
    said = complaint(lambda: run(from_files(files)))
    assert said == "topology: b: VI_1: interface eth0 has no IPv4 address to send from"


def test_included_files_are_shown_and_named(tmp_path: Path) -> None:
    files = two(tmp_path)
    for file in files:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("    state", "    include part*.txt\n    state"), encoding="utf-8")
    part = tmp_path / "part.txt"
    part.write_text("nopreempt\n@a garbage\n", encoding="utf-8")
    inputs = from_files(files)
    assert inputs.texts[str(part)] == "nopreempt\n@a garbage\n"
    assert [(one.file, one.line) for one in inputs.diagnostics if "garbage" in one.message] == [(str(part), 2)]
    part.write_text("\nvirtual_router_id\n", encoding="utf-8")
    assert complaint(from_files, files).startswith(f"{part}:2: ")


def test_a_node_is_read_for_its_own_configuration_id(tmp_path: Path) -> None:
    file = scenario(tmp_path, b_keys='config_id = "c"')
    for name in ("a", "b"):
        (tmp_path / f"{name}.conf").write_text(conf().replace("priority 100", "@a priority 7\n@c priority 8"))
    inputs = from_scenario(file)
    assert [config.virtual_routers[0].priority for config in inputs.configs.values()] == [7, 8]
    assert 'config_id = "c"' in scenario_text(inputs.scenario, title="t", duration_ns=1_000_000_000, events=())


@pytest.mark.parametrize(
    ("option", "states"), [("", ["BACKUP", "MASTER", "FAULT"]), ("no_track", ["BACKUP", "MASTER"])]
)
def test_the_interface_of_an_address_goes_down(option: str, states: list[str], tmp_path: Path) -> None:
    """As keepalived 2.2.7 was measured to: FAULT, unless the address says no_track."""
    files = two(tmp_path)
    for file in files:
        text = file.read_text()
        file.write_text(
            text.replace("virtual_ipaddress {", f"virtual_ipaddress {{\n10.1.0.100/24 dev eth1 {option}\n")
        )
    if option:  # then nothing else tells of it
        files[0].write_text(
            files[0].read_text() + "vrrp_instance O {\ninterface eth1\nvirtual_router_id 9\n"
            "virtual_ipaddress {\n10.1.0.1\n}\n}\n"
        )
    result = run(from_files(files, events=["10s a link-down eth1"]), 12_000_000_000)
    own = [one for one in result.transitions if one.node == "a" and one.instance != "O"]
    assert [one.new for one in own] == states
    assert {one.new for one in result.transitions if one.node == "b"} == {"BACKUP", *(() if option else ("MASTER",))}
