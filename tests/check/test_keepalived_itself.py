"""What the rules say keepalived does with a file, keepalived 2.2.7 does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from check.confs import files
from conftest import PROGRAM_PATH
from vrrp.check.rule import Rule
from vrrp.check.rulebook import rulebook

pytestmark = [pytest.mark.root, pytest.mark.program("keepalived", "unshare", "ip")]

# Silent, or not complained about by `keepalived -t` alone.
SILENT = {
    "VRRP-W002": "a comment is a comment",
    "VRRP-N099": "nothing is wrong",
    "VRRP-E023": "include names files that may be there",
    "VRRP-W010": "it warns, and ends well",
    "VRRP-N036": "keepalived takes the host's name for the id",
    "VRRP-W032": "defaults are told, and taken",
    "VRRP-W027": "the tests below switch enable_script_security on",
}
READER = [rule for rule in rulebook("reader").values() if rule.id not in SILENT]


def inside(command: str, *, timeout: float = 30) -> tuple[int, str]:
    """A shell command in a network of its own with eth0 and eth1; its exit status and what it said."""
    links = "ip link add eth0 type veth peer name eth1; ip addr add 10.0.0.11/24 dev eth0; "
    up = "ip link set eth0 up; ip link set eth1 up; "
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", links + up + command],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={"PATH": PROGRAM_PATH},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ending(example: str, folder: Path) -> tuple[int, str]:
    """How `keepalived -t` ends with the example's keepalived.conf."""
    (text,) = (text for name, text in files(example).items() if name == "a.conf")
    file = folder / "keepalived.conf"
    # Scripts that exist, run by root and looked at, so that nothing else is complained about.
    text = (
        text.replace("/usr/bin/chk", "/bin/true")
        .replace("/usr/bin/a", "/bin/true")
        .replace("/usr/bin/b", "/bin/false")
    )
    if "global_defs" not in text:
        text = text + "global_defs {\n script_user root\n enable_script_security\n}\n"
    file.write_text(text)
    return inside(f"keepalived -t -f {file}")


@pytest.mark.parametrize("rule", READER, ids=[rule.id for rule in READER])
def test_it_complains_of_the_bad_example_and_not_of_the_good_one(rule: Rule, tmp_path: Path) -> None:
    status, said = ending(rule.bad, tmp_path)
    assert status != 0, said
    if rule.id != "VRRP-W022":  # strict mode off: the good example has no script_user
        status, said = ending(rule.good, tmp_path)
        assert status == 0, said


@pytest.mark.parametrize("rule", sorted(SILENT))
def test_it_says_nothing_of_some(rule: str, tmp_path: Path) -> None:
    status, said = ending(rulebook("reader")[rule].bad, tmp_path)
    assert status in {0, 5}, said


def test_scripts_without_security_end_with_a_status_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(SCRIPTS.replace("    enable_script_security\n", ""))
    status, said = inside(f"keepalived -t -f {file}")
    assert status == 6, said


SCRIPTS = """\
vrrp_script both {
    script "/bin/true && /bin/false"
}
vrrp_script either {
    script "/bin/false || exit 0"
}
vrrp_script port {
    script "</dev/tcp/127.0.0.1/8022"
}
vrrp_script shell {
    script "/bin/sh -c '/bin/false || exit 0'"
}
global_defs {
    script_user root
    enable_script_security
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.0.0.100
    }
    track_script {
        both
        either
        port
        shell
    }
}
"""


def test_a_shell_s_operators_are_words_to_it(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(SCRIPTS)
    pids = f"-p {tmp_path}/a.pid -r {tmp_path}/b.pid -c {tmp_path}/c.pid"
    listen = "import socket, time; server = socket.create_server(('127.0.0.1', 8022)); time.sleep(4)"
    listener = f'ip link set lo up; {sys.executable} -c "{listen}" & sleep 0.5; '
    _, said = inside(f"{listener}timeout -s TERM 3 keepalived -P -n -l -D -f {file} {pids}; wait")
    results = dict(re.findall(r"VRRP_Script\((\w+)\) (succeeded|failed)", said))
    # Somebody listens on the port; which shell sh is decides whether that is found out.
    port = "failed" if Path("/bin/sh").resolve().name == "dash" else "succeeded"
    assert results == {"both": "succeeded", "either": "failed", "port": port, "shell": "succeeded"}, said
