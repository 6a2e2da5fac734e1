"""`vrrp check` of a haproxy.cfg: what `haproxy -c` would say, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import Vrrp

TIMEOUTS = "defaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n    option redispatch\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "haproxy.cfg"
    file.write_text(TIMEOUTS + text)
    return file


# Of each what stands in a listen section that begins in line 6, and what is told of line 8.
@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        (
            "server s1 10.0.0.1:80 check backupp",
            1,
            "error VRRP-E261 there is no keyword for servers 'backupp'; did you mean 'backup'?",
        ),
        ("server s1 10.0.0.1:80 check inter 0", 1, "error VRRP-E262 inter 0: 0 is no pause"),
        ("server s1 10.0.0.1:80 check ssl", 1, "error VRRP-E264 server s1 of listen web speaks TLS"),
        ("contimeout 5s", 1, "error VRRP-E141 'contimeout' is no more"),
        (
            "server s1 web.example:80 check",
            0,
            "note VRRP-N268 server s1 of listen web: whether web.example has an address",
        ),
        ('server s1 "$WEB:80" check', 0, "note VRRP-N268 the variable WEB has no value here: it is empty"),
        ("server s1 10.0.0.1:80 check", 0, ""),
        ("http-request deny", 1, "warning VRRP-W142 listen web is in mode tcp: rules http-request are ignored"),
        ("server ${NAME} 10.0.0.1:${PORT} check", 1, "error VRRP-E139 ${NAME} outside of quotes is not replaced"),
    ],
)
def test_what_is_told(line: str, status: int, told: str, tmp_path: Path, vrrp: Vrrp) -> None:
    file = written(tmp_path, f"listen web\n    bind *:80\n    {line}\n")
    outcome = vrrp("check", file)
    assert outcome.code == status
    of_line = [text for text in outcome.out.splitlines() if text.startswith(f"{file}:8: ")]
    assert [text.removeprefix(f"{file}:8: ")[: len(told)] for text in of_line] == ([told] if told else [])


def test_variables_are_filled(tmp_path: Path, vrrp: Vrrp) -> None:
    file = written(tmp_path, 'listen web\n    bind "*:${PORT}"\n    server s1 "$WEB:80" check\n')
    assert vrrp("check", file).code == 1
    assert vrrp("check", file, "-e", "PORT=80", "-e", "WEB=10.0.0.1").code == 0


def test_what_is_not_modelled_is_told_when_asked_for(tmp_path: Path, vrrp: Vrrp) -> None:
    file = written(tmp_path, "listen web\n    mode http\n    bind *:80\n    http-request deny\n")
    assert "VRRP-N269" not in vrrp("check", file).out
    assert f"{file}:9: note VRRP-N269 listen web: http-request is not modelled" in vrrp("check", file, "--advice").out


def test_files_that_are_named(tmp_path: Path, vrrp: Vrrp) -> None:
    file = written(tmp_path, "listen web\n    bind *:443 ssl crt /nowhere/site.pem\n")
    assert vrrp("check", file).code == 0
    assert "VRRP-E264" in vrrp("check", file, "--local").out


def test_as_json(tmp_path: Path, vrrp: Vrrp) -> None:
    file = written(tmp_path, "frontend web\n    bind *:80\n    retries 3\n")
    (one,) = json.loads(vrrp("check", file, "--json", "-").out)["findings"]
    assert (one["rule"], one["severity"], one["line"]) == ("VRRP-W267", "warning", 8)
    assert one["message"] == "'retries' means nothing to frontend web"
