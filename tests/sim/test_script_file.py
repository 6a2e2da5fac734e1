"""Check scripts as files: what they look at."""

from __future__ import annotations

import pytest

from sim.script import Step
from sim.script_file import ScriptFileError, read_script
from vrrp.wire.address import pack

S = 1_000_000_000
LOCAL, VIP = pack("127.0.0.1"), pack("10.0.0.162")
KUBEADM = """#!/bin/sh

errorExit() {
    echo "*** $*" 1>&2
    exit 1
}

curl --silent --max-time 2 --insecure https://localhost:${APISERVER_DEST_PORT}/ -o /dev/null || errorExit "Error GET"
if ip addr | grep -q ${APISERVER_VIP}; then
    curl --silent --max-time 2 --insecure https://${APISERVER_VIP}:${APISERVER_DEST_PORT}/ -o /dev/null || exit 1
fi
"""


def test_the_script_of_kubeadm() -> None:
    environment = {"APISERVER_DEST_PORT": "8443", "APISERVER_VIP": "10.0.0.162"}
    local = Step(LOCAL, 8443, "/", tls=True, timeout_ns=2 * S)
    assert read_script(KUBEADM, environment) == (
        local,
        Step(VIP, 8443, "/", tls=True, timeout_ns=2 * S, when_holding=VIP),
    )


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (
            "curl -sfk -m 1.5 https://127.0.0.1:6443/healthz",
            Step(LOCAL, 6443, "/healthz", True, None, 1_500_000_000, fails_on_status=True),
        ),
        ("/usr/bin/curl -o /dev/null -s http://localhost || exit 1", Step(LOCAL, 80, "/")),
        (
            "curl --fail --max-time=3 http://10.0.0.162:80/x > /dev/null 2>&1",
            Step(VIP, 80, "/x", timeout_ns=3 * S, fails_on_status=True),
        ),
        ("curl -sm2 https://localhost:8443", Step(LOCAL, 8443, "/", True, None, 2 * S)),
        ("nc -z -w 2 localhost 8443 || exit 1", Step(LOCAL, 8443, timeout_ns=2 * S)),
        ("nc -zw1 10.0.0.162 443", Step(VIP, 443, timeout_ns=S)),
        ("killall -0 haproxy", Step(process="haproxy")),
        ("/usr/bin/pidof haproxy >/dev/null || exit 1", Step(process="haproxy")),
        ("systemctl is-active --quiet haproxy.service", Step(process="haproxy")),
    ],
)
def test_lines_that_are_known(line: str, step: Step) -> None:
    assert read_script(f"#!/bin/bash\nset -e\n{line}\nexit 0\n", {}) == (step,)


def test_variables_of_the_script_and_continued_lines() -> None:
    text = 'PORT=${PORT:-8443}\nexport HOST="127.0.0.1"\ncurl -k \\\n  https://$HOST:$PORT/\n'
    assert read_script(text, {}) == (Step(LOCAL, 8443, "/", tls=True),)
    assert read_script(text, {"PORT": "1"}) == (Step(LOCAL, 1, "/", tls=True),)


def test_an_address_looked_for_as_a_pattern() -> None:
    text = "if ip -4 addr show dev eth0 | grep -qw '10\\.0\\.0\\.162/24' ; then\npidof haproxy\nfi\npidof nginx\n"
    assert read_script(text, {}) == (Step(process="haproxy", when_holding=VIP), Step(process="nginx"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pidof a\nperl -e 'exit 1'\n", 2),
        ("curl https://api.example.org/\n", 1),
        ("curl http://localhost/ http://localhost:1/\n", 1),
        ("curl --quiet http://localhost/\n", 1),
        ("curl -m inf http://localhost/\n", 1),
        ("curl -m soon http://localhost/\n", 1),
        ("curl ftp://localhost/\n", 1),
        ("curl 'http://localhost/\n", 1),
        ("curl http://[::1]/\n", 1),
        ("\n\nnc -z localhost\n", 3),
        ("nc -z localhost http\n", 1),
        ("if ip addr | grep -q inet; then\n", 1),
        ("if [ -f /tmp/down ]; then\n", 1),
    ],
)
def test_lines_that_are_not(text: str, line: int) -> None:
    with pytest.raises(ScriptFileError) as caught:
        read_script(text, {})
    assert caught.value.line == line
    assert "is not understood" in str(caught.value)
