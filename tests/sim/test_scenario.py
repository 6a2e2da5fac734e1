"""The scenario file: what it means, and one line for everything wrong with it: file, line, what would be right."""

from __future__ import annotations

from ipaddress import ip_interface
from pathlib import Path

import pytest
from networks import S

from sim.delay import Constant, Lognormal, Uniform
from sim.scenario import MAX_FILE_SIZE, Scenario, ScenarioSource, load_scenario
from sim.scenario_file import Lines, ScenarioError, path_text

GOOD = """\
title = "All there is"
duration = "60s"
seed = 7
profile = "frr"

[segments.lan]
delay = { distribution = "lognormal", median = "100us", sigma = 0.3 }
loss = 0.01

[segments."back side"]
delay = { distribution = "uniform", low = "50us", high = "1ms" }

[nodes.lb1]
keepalived = "lb1/keepalived.conf"
haproxy = "lb1/haproxy.cfg"
environment = { STATE = "MASTER" }
interfaces.ens3 = { segment = "lan", addresses = ["10.0.0.11/24", "fe80::b/64"] }
start = "2s"
profile = "rfc9568"

[nodes.lb2]
keepalived = "lb2/keepalived.conf"
start = "never"

[nodes.lb2.interfaces.ens3]
segment = "lan"
addresses = ["10.0.0.12/24"]

[servers.api1]
interfaces.eth0 = { segment = "back side", addresses = ["10.0.0.21/24"] }
listen = [6443, 80]

[clients.kubectl]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }
target = "10.0.0.162:8443"
every = "10ms"
timeout = "2s"
start = "500ms"

[[events]]
at = "10s"
node = "lb1"
action = "link-down"
interface = "ens3"

[[events]]
at = "1m"
segment = "lan"
action = "partition"
groups = [["lb1"], ["lb2", "kubectl"]]
"""


def load(folder: Path, text: str | bytes) -> tuple[Scenario, ScenarioSource]:
    file = folder / "x.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_scenario(file)


def complaint(folder: Path, text: str | bytes) -> str:
    """What is wrong, as "LINE: message"; the file's name is checked here."""
    with pytest.raises(ScenarioError) as caught:
        load(folder, text)
    message = str(caught.value)
    name = str(folder / "x.toml")
    assert message.startswith(f"{name}:")
    assert message.splitlines() == [message]
    assert caught.value.file == name
    if caught.value.line is not None:
        assert message.startswith(f"{name}:{caught.value.line}: ")
    return message.removeprefix(f"{name}:")


def test_everything_a_scenario_can_say(tmp_path: Path) -> None:
    scenario, source = load(tmp_path, GOOD)
    assert (scenario.title, scenario.duration, scenario.seed, scenario.profile) == ("All there is", 60 * S, 7, "frr")
    assert scenario.segments["lan"].delay == Lognormal(100_000, 0.3)
    assert scenario.segments["lan"].loss == 0.01
    assert scenario.segments["back side"].delay == Uniform(50_000, 1_000_000)
    assert scenario.segments["back side"].loss == 0.0
    lb1, lb2 = scenario.nodes.values()
    assert (lb1.keepalived, lb1.haproxy, lb1.environment) == (
        "lb1/keepalived.conf",
        "lb1/haproxy.cfg",
        {"STATE": "MASTER"},
    )
    assert lb1.interfaces["ens3"].addresses == (ip_interface("10.0.0.11/24"), ip_interface("fe80::b/64"))
    assert (lb1.start, lb1.profile) == (2 * S, "rfc9568")
    assert (lb2.start, lb2.profile, lb2.haproxy, lb2.environment) == (None, None, None, {})
    assert scenario.servers["api1"].listen == (6443, 80)
    kubectl = scenario.clients["kubectl"]
    assert kubectl.target == (bytes((10, 0, 0, 162)), 8443)
    assert (kubectl.every, kubectl.timeout, kubectl.start) == (10_000_000, 2 * S, 500_000_000)
    first, second = scenario.events
    assert (first.at, first.node, first.action, first.interface) == (10 * S, "lb1", "link-down", "ens3")
    assert (second.at, second.segment, second.groups) == (60 * S, "lan", (("lb1",), ("lb2", "kubectl")))
    assert source.file == str(tmp_path / "x.toml")
    assert source.folder == tmp_path


LEAST = """\
duration = "1s"
[segments.lan]
[nodes.a]
keepalived = "a.conf"
interfaces.eth0 = { segment = "lan", addresses = [] }
"""


def test_the_least_a_scenario_says(tmp_path: Path) -> None:
    scenario, _ = load(tmp_path, LEAST)
    assert (scenario.title, scenario.seed, scenario.profile) == ("", 1, "keepalived")
    assert (scenario.servers, scenario.clients, scenario.events) == ({}, {}, ())
    assert scenario.segments["lan"].delay == Constant(100_000)
    assert scenario.nodes["a"].start == 0


def test_a_client_that_says_nothing_connects_at_once_each_100_ms_for_a_second(tmp_path: Path) -> None:
    scenario, _ = load(tmp_path, LEAST + '[clients.c]\ninterfaces = {}\ntarget = "10.0.0.1:1"\n')
    quiet = scenario.clients["c"]
    assert (quiet.start, quiet.every, quiet.timeout) == (0, S // 10, S)


def test_a_scenario_does_not_change_and_shares_nothing(tmp_path: Path) -> None:
    scenario, _ = load(tmp_path, LEAST)
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 2
    assert scenario.clients is not load(tmp_path, LEAST)[0].clients


# Every complaint ------------------------------------------------------------------------------------------


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def line_of(text: str) -> int:
    """The line of GOOD that begins so."""
    (number,) = [n for n, line in enumerate(GOOD.splitlines(), 1) if line.startswith(text)]
    return number


DURATION = "is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h"
COMPLAINTS: list[tuple[str, str, int | str, str]] = [
    # what is replaced, by what, the line (or how it begins), the message
    ('title = "All', 'titel = "All', 1, "unknown key 'titel'; did you mean 'title'?"),
    ('title = "All there is"', "title = 5", 1, "title: input should be a valid string, not 5"),
    (
        "seed = 7",
        'seed = "x"',
        3,
        "seed: input should be a valid integer, not 'x'",
    ),
    (
        "seed = 7",
        "seed = 1.5",
        3,
        "seed: input should be a valid integer, not 1.5",
    ),
    ('"frr"', '"fr"', 4, "profile: there is no profile 'fr'; did you mean 'frr'?"),
    ('"frr"', "7", 4, "profile: there is no profile '7'; known: rfc3768, rfc5798, rfc9568, keepalived, frr, vrrp"),
    ('"60s"', '"60"', 2, f"duration: '60' {DURATION}"),
    ('"60s"', "60", 2, f"duration: 60 {DURATION}"),
    ('"60s"', '"2000000h"', 2, "duration: '2000000h' is longer than a million hours"),
    ("loss = 0.01", "loss = 1.5", "loss", "segments.lan.loss: input should be less than or equal to 1, not 1.5"),
    ("loss = 0.01", "loss = -1", "loss", "segments.lan.loss: input should be greater than or equal to 0, not -1"),
    ("loss = 0.01", "lost = 0.01", "loss", "unknown key 'lost' in segments.lan; did you mean 'loss'?"),
    ("sigma = 0.3", "sigma = 9", 7, "segments.lan.delay: sigma is 0 to 5"),
    ('low = "50us"', 'low = "2ms"', 11, "segments.back side.delay: low is above high"),
    ('keepalived = "lb1', '# "lb1', "[nodes.lb1]", "nodes.lb1 needs 'keepalived'"),
    ("haproxy", "ha_proxy", "haproxy", "unknown key 'ha_proxy' in nodes.lb1; did you mean 'haproxy'?"),
    (
        'STATE = "MASTER"',
        "STATE = 1",
        "environment",
        "nodes.lb1.environment.STATE: input should be a valid string, not 1",
    ),
    ('"2s"', '"soon"', 'start = "2s"', f"nodes.lb1.start: 'soon' {DURATION}"),
    (
        '"rfc9568"',
        '"rfc9658"',
        'profile = "rfc9568"',
        "nodes.lb1.profile: there is no profile 'rfc9658'; did you mean 'rfc9568'?",
    ),
    (
        '{ segment = "lan", addresses = ["10.0.0.11/24", "fe80::b/64"] }',
        '{ segmnt = "lan" }',
        "interfaces.ens3",
        "unknown key 'segmnt' in nodes.lb1.interfaces.ens3; did you mean 'segment'?",
    ),
    (
        'addresses = ["10.0.0.11/24", "fe80::b/64"]',
        "addresses = [], mtu = 1500",
        "interfaces.ens3",
        "unknown key 'mtu' in nodes.lb1.interfaces.ens3; known: segment, addresses",
    ),
    (
        '"10.0.0.11/24", ',
        '"10.0.0.11", ',
        "interfaces.ens3",
        "nodes.lb1.interfaces.ens3.addresses[0]: '10.0.0.11' is no address with prefix length; write 10.0.0.11/24",
    ),
    (
        '"fe80::b/64"',
        '"fe80::g/64"',
        "interfaces.ens3",
        "nodes.lb1.interfaces.ens3.addresses[1]: 'fe80::g/64' does not appear to be an IPv4 or IPv6 interface",
    ),
    (
        '["10.0.0.12/24"]',
        "[12]",
        'addresses = ["10.0.0.12',
        "nodes.lb2.interfaces.ens3.addresses[0]: 12 is no address with prefix length; write 10.0.0.11/24",
    ),
    (
        '["10.0.0.12/24"]',
        '"10.0.0.12/24"',
        'addresses = ["10.0.0.12',
        "nodes.lb2.interfaces.ens3.addresses: input should be a valid tuple, not '10.0.0.12/24'",
    ),
    ("[6443, 80]", "[0]", "listen", "servers.api1.listen[0]: input should be greater than 0, not 0"),
    ("[6443, 80]", "[1, 65536]", "listen", "servers.api1.listen[1]: input should be less than 65536, not 65536"),
    ("listen = [6443, 80]", "", "[servers.api1]", "servers.api1 needs 'listen'"),
    (
        '"10.0.0.162:8443"',
        '"10.0.0.162"',
        "target",
        "clients.kubectl.target: '10.0.0.162' is no target; write an IPv4 address and a port: 10.0.0.100:443",
    ),
    (
        '"10.0.0.162:8443"',
        '"10.0.0.162:0"',
        "target",
        "clients.kubectl.target: '10.0.0.162:0' is no target; write an IPv4 address and a port: 10.0.0.100:443",
    ),
    (
        '"10.0.0.162:8443"',
        '"10.0.0.162:65536"',
        "target",
        "clients.kubectl.target: '10.0.0.162:65536' is no target; write an IPv4 address and a port: 10.0.0.100:443",
    ),
    (
        '"10.0.0.162:8443"',
        '"10.0.0.162:\u0668"',
        "target",
        "clients.kubectl.target: '10.0.0.162:\u0668' is no target; write an IPv4 address and a port: 10.0.0.100:443",
    ),
    (
        '"10.0.0.162:8443"',
        "8443",
        "target",
        "clients.kubectl.target: 8443 is no target; write an IPv4 address and a port: 10.0.0.100:443",
    ),
    ('"10.0.0.162:8443"', '"10.0.0:1"', "target", "clients.kubectl.target: Expected 4 octets in '10.0.0'"),
    ('every = "10ms"', 'evry = "10ms"', "every", "unknown key 'evry' in clients.kubectl; did you mean 'every'?"),
    ('action = "link-down"', "", 'at = "10s"', "events[0] needs 'action'"),
    ('at = "10s"', "at = 10", 'at = "10s"', f"events[0].at: 10 {DURATION}"),
    (
        'interface = "ens3"',
        'interfce = "ens3"',
        'interface = "ens3"',
        "unknown key 'interfce' in events[0]; did you mean 'interface'?",
    ),
    (
        'segment = "lan"\naction',
        'segmet = "lan"\naction',
        'at = "1m"',
        "unknown key 'segmet' in events[1]; did you mean 'segment'?",
    ),
    (
        '[["lb1"], ["lb2", "kubectl"]]',
        '["lb1"]',
        "groups",
        "events[1].groups[0]: input should be a valid tuple, not 'lb1'",
    ),
]


@pytest.mark.parametrize(("old", "new", "where", "message"), COMPLAINTS)
def test_one_line_says_what_is_wrong_and_where(
    old: str, new: str, where: int | str, message: str, tmp_path: Path
) -> None:
    line = where if isinstance(where, int) else line_of(where)
    if message.startswith("events[0] needs"):
        line -= 1  # its header: there is nothing to point at
    if "segmet" in message:
        line += 1
    assert complaint(tmp_path, changed(old, new)) == f"{line}: {message}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", " the scenario needs 'duration'"),
        ('duration = "1s"\n', " the scenario needs 'segments'"),
        ('duration = "1s"\nsegments = 5\n', "2: segments: input should be a valid dictionary, not 5"),
        (
            'duration = "1s"\n[segments]\n[nodes]\nlb1 = 1\n',
            "4: nodes.lb1: input should be a valid dictionary or instance of NodeSpec, not 1",
        ),
    ],
)
def test_what_a_scenario_cannot_do_without(text: str, what: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text) == what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ('duration = "1s"\n[segments.lan\n', 2),
        ('duration = "1s"\nduration = "2s"\n', 2),
        ("[a]\n[b]\n[a]\n", 3),
        ('a = "\n', 1),
        ('x = 1\na = """\n\n', 3),
        ("x = 1\r\na = 2\r\nb = [1,\r\n", 3),
        ("a = 2020-02-30\n", 1),
        ("\x00", 1),
    ],
)
def test_broken_toml(text: str, line: int, tmp_path: Path) -> None:
    where, _, what = complaint(tmp_path, text).partition(": ")
    assert what.startswith("not valid TOML: ")
    assert "(at " not in what
    assert int(where) in {line, line + 1}


def test_not_utf_8(tmp_path: Path) -> None:
    assert complaint(tmp_path, b"a = 1\nb = '\xe9'\n") == "2: not UTF-8; save the file as UTF-8"
    assert complaint(tmp_path, "\ufeffa=1".encode("utf-16")) == "1: not UTF-8; save the file as UTF-8"


def test_too_big(tmp_path: Path) -> None:
    assert complaint(tmp_path, b"#" * (MAX_FILE_SIZE + 1)) == " larger than 4 MiB: no scenario"
    assert complaint(tmp_path, b"#" * MAX_FILE_SIZE) == " the scenario needs 'duration'"


def test_too_deep(tmp_path: Path) -> None:
    assert complaint(tmp_path, "a = " + "[" * 100_000) == " nested too deeply"


@pytest.mark.parametrize("key", ["title", "nodes", "segments.lan.delay", "events"])
def test_a_value_too_deep_to_be_shown(key: str, tmp_path: Path) -> None:
    depth = ".a" * 3000
    assert complaint(tmp_path, f'{key}{depth} = 1\nduration = "1s"\n[segments.b]\n')


def test_a_number_too_long_for_python(tmp_path: Path) -> None:
    assert complaint(tmp_path, f"seed = {'1' * 5000}\n")


def test_a_seed_too_long_to_be_written_down(tmp_path: Path) -> None:
    assert complaint(tmp_path, f"seed = 0x{'f' * 5000}\n" + LEAST)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_loss_is_a_number(value: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, changed("loss = 0.01", f"loss = {value}")).startswith("8: segments.lan.loss: ")


def test_names_with_line_breaks_stay_on_one_line(tmp_path: Path) -> None:
    assert complaint(tmp_path, '[nodes."a\\nb"]\nx = 1\n')
    assert complaint(tmp_path, LEAST + '[nodes."a\\u001b[2Jb"]\nkeepalived = "x"\n')


def test_a_node_may_be_called_interfaces(tmp_path: Path) -> None:
    text = LEAST.replace("nodes.a", "nodes.interfaces") + "strt = '1s'\n"
    assert complaint(tmp_path, text) == "6: unknown key 'strt' in nodes.interfaces; did you mean 'start'?"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("'duration' = 6\n[segments]\n[nodes]\n", 1),
        ('"duration" = 6\n[segments]\n[nodes]\n', 1),
        ("\n  duration=6 # x\n[segments]\n[nodes]\n", 2),
        ("duration = '1s'\n[segments]\n [ nodes . \"a b\" ] # x\nkeepalived = 5\n", 4),
        (LEAST.replace("[segments.lan]", "[segments.lan]\ndelay . low = 5"), 3),
        (LEAST + '[[events]]\nat = "1s"\ngroups = [\n  ["a"],\n  ["b"]\n]\naction = 5\n', 12),
        ('title = """\nduration = 5\n"""\nduration = 6\n[segments]\n[nodes]\n', 4),
        ("title = '''\n[segments]\nduration = 5\n'''\nduration = 6\n[segments]\n[nodes]\n", 5),
    ],
)
def test_lines_are_found_in_toml_as_people_write_it(text: str, line: int, tmp_path: Path) -> None:
    assert complaint(tmp_path, text).startswith(f"{line}: ")


def test_a_file_that_cannot_be_read_is_the_callers_affair(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_scenario(tmp_path / "none.toml")
    with pytest.raises(IsADirectoryError):
        load_scenario(str(tmp_path))


def test_lines_of_tables_and_keys() -> None:
    lines = Lines("a = 1\n[t.u]\nb.c = 2\n[[e]]\nx = 1\n[[e]]\nx = 2\n[e.sub]\ny = 1\n# z = 1\n")
    assert [lines.of(path) for path in [("a",), ("t", "u"), ("t", "u", "b"), ("t", "u", "b", "c")]] == [1, 2, 3, 3]
    assert [lines.of(("e", 0)), lines.of(("e", 0, "x")), lines.of(("e", 1)), lines.of(("e", 1, "x"))] == [4, 5, 6, 7]
    assert lines.of(("t", "u", "b", "c", 4, "d")) == 3
    assert lines.of(("z",)) is None
    assert lines.of(()) is None


def test_paths_as_people_write_them() -> None:
    assert path_text(("nodes", "lb1")) == "nodes.lb1"
    assert path_text(("events", 2, "groups", 0)) == "events[2].groups[0]"
    assert path_text(()) == ""


def test_a_misspelt_key_is_told_as_that_and_not_as_missing(tmp_path: Path) -> None:
    text = LEAST.replace("duration", "duratoin")
    assert complaint(tmp_path, text) == "1: unknown key 'duratoin'; did you mean 'duration'?"
