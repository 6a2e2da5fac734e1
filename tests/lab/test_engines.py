"""What an engine is given of a configuration."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lab.scenes import CONF
from sim.lab.control import Controls
from sim.lab.engine import require
from sim.lab.frr import Frr
from sim.lab.keepalived import Keepalived, Ours
from sim.lab.namespace import LabError, Namespace
from sim.process import ScriptOutcome
from vrrp.config import parse, write
from vrrp.config.model import KeepalivedConfig

IPV6 = """\
vrrp_sync_group G {
    group {
        V6
    }
}
vrrp_instance V6 {
    interface eth0
    virtual_router_id 6
    priority 255
    version 3
    nopreempt
    unicast_peer {
        fe80::2
    }
    virtual_ipaddress {
        fe80::64/64
    }
}
"""


def config(text: str = CONF) -> KeepalivedConfig:
    return parse(text.replace("PRIORITY", "100").replace("ROUTER", "a")).config


def controls(folder: Path) -> Controls:
    return Controls("12300", Namespace("none"), folder)


def test_nothing_that_the_configuration_names_is_run(tmp_path: Path) -> None:
    text = write(controls(tmp_path).take(config()))
    for named in ("/does/not/exist", "/nor/does/this", "touch", "smtp", "example.org", "nobody", "security"):
        assert named not in text
    for kept in ("router_id a", "interval 1", "weight -20", "advert_int 0.2"):
        assert kept in text


def test_a_script_does_as_it_is_told(tmp_path: Path) -> None:
    controlled = controls(tmp_path)
    taken = controlled.take(config())
    assert taken.scripts["check"].command == f"/bin/sh {tmp_path}/script0"
    told = tmp_path / "script0.control"
    assert told.read_text() == "looks\n"
    controlled.set_script(ScriptOutcome.PASS, None)
    assert told.read_text() == "passes\n"
    controlled.set_script(ScriptOutcome.FAIL, None)
    assert told.read_text() == "fails\n"
    controlled.set_script(ScriptOutcome.HANG, "check")
    assert told.read_text() == "hangs\n"
    controlled.take(config())
    assert told.read_text() == "hangs\n"


@pytest.mark.parametrize(
    ("outcome", "looks", "status"),
    [
        (None, "exit 3\n", 3),
        (None, "", 0),
        (ScriptOutcome.PASS, "exit 3\n", 0),
        (ScriptOutcome.FAIL, "exit 3\n", 1),
    ],
)
def test_a_script_looks_unless_it_is_told_otherwise(
    tmp_path: Path, outcome: ScriptOutcome | None, looks: str, status: int
) -> None:
    controlled = Controls("1", Namespace("none"), tmp_path, {"check": looks})
    command = controlled.take(config()).scripts["check"].command
    if outcome is not None:
        controlled.set_script(outcome, "check")
    assert subprocess.run(command.split(), check=False).returncode == status


def test_a_file_has_the_number_it_is_given(tmp_path: Path) -> None:
    controlled = controls(tmp_path)
    path = Path(controlled.take(config()).track_files["level"].path)
    assert not path.exists()
    controlled.set_file("level", -5)
    assert path.read_text() == "-5\n"


def test_a_followed_process_has_a_name_that_the_kernel_keeps_whole(tmp_path: Path) -> None:
    process = controls(tmp_path).take(config()).track_processes["service"]
    assert len(Path(process.command).name) <= 15
    assert Path(process.command).resolve().name in {"sleep", "coreutils"}


def test_the_two_that_read_keepalived_conf_get_the_same(tmp_path: Path) -> None:
    texts = []
    for engine_type in (Keepalived, Ours):
        engine = engine_type("a", "label", tmp_path)
        engine.configure(config())
        texts.append((tmp_path / "keepalived.conf").read_text())
        assert engine.devices(config()) == []
        [program] = engine.programs()
        assert str(tmp_path / "keepalived.conf") in program.words
    assert texts[0] == texts[1]


def test_how_processes_are_followed_here(tmp_path: Path) -> None:
    assert Ours("a", "label", tmp_path).able(config()) == (
        config(),
        ["a: vrrp looks for processes twice a second in a network namespace"],
    )
    able, notes = Keepalived("a", "label", tmp_path).able(config())
    assert notes == ["a: keepalived follows no processes in a network namespace; it runs without"]
    assert able.instances[0].track_processes == ()
    without = parse(IPV6).config
    assert Keepalived("a", "label", tmp_path).able(without) == (without, [])


def test_a_killed_keepalived_is_forgotten(tmp_path: Path) -> None:
    for name in ("keepalived.pid", "vrrp.pid"):
        (tmp_path / name).touch()
    Keepalived("a", "label", tmp_path).forget()
    assert list(tmp_path.iterdir()) == []


def test_what_frr_lacks_is_told(tmp_path: Path) -> None:
    able, notes = Frr("a", "label", tmp_path).able(config())
    assert notes == ["a: (VI_1) frr knows no tracked scripts, no tracked files, no tracked processes; it runs without"]
    assert able.scripts == {}
    assert able.instances[0].track_scripts == ()
    able, notes = Frr("a", "label", tmp_path).able(config(IPV6))
    assert notes == [
        "a: (V6) frr knows no unicast peers; it runs without",
        "a: (V6) frr has priorities up to 254; it runs with that, not 255",
        "a: frr knows no sync groups; it runs without",
    ]
    assert able.instances[0].priority == 254


def test_frr_finds_a_device_with_the_virtual_mac(tmp_path: Path) -> None:
    engine = Frr("a", "label", tmp_path)
    able, _ = engine.able(config())
    assert engine.devices(able) == [
        "link add vrrp4-51 link eth0 address 00:00:5e:00:01:33 type macvlan mode bridge",
        "link set vrrp4-51 addrgenmode none",
        "address add 10.0.0.100/24 dev vrrp4-51",
        "link set vrrp4-51 up",
    ]
    able, _ = engine.able(config(IPV6))
    assert engine.devices(able)[2] == "address add fe80::64/64 dev vrrp6-6 nodad"
    zebra, vrrpd = engine.programs()
    assert zebra.ready is not None
    assert vrrpd.words[1:3] == ("-N", "label")


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keepalived, "needs", ("no-such-program",))
    with pytest.raises(LabError, match="engine keepalived needs the program no-such-program, which is not installed"):
        require(Keepalived)


def test_a_reload_keeps_the_places(tmp_path: Path) -> None:
    controlled = controls(tmp_path)
    first = controlled.take(config())
    other = replace(config(), scripts={"second": config().scripts["check"], **config().scripts})
    second = controlled.take(other)
    assert second.scripts["check"].command == first.scripts["check"].command
    assert second.scripts["second"].command != first.scripts["check"].command
