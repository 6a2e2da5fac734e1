"""Conditions of `use_backend`: what they make of a request, beside what HAProxy's manual says of each way to match."""

from __future__ import annotations

import pytest

from sim.flow.message import Request
from sim.haproxy.acls import Circumstances, Rules, unknown_lines
from vrrp.config.haproxy import read_haproxy
from vrrp.wire.address import pack


def holds(condition: str, *acls: str, path: str = "/api/v1/pods?watch=1", method: str = "GET") -> bool:
    """Whether `use_backend b if CONDITION` is taken."""
    lines = "".join(f"  acl {acl}\n" for acl in acls)
    text = f"frontend f\n  mode http\n  bind :80\n{lines}  use_backend b {condition}\nbackend b\n  mode http\n"
    parsed = read_haproxy(text)
    assert parsed.valid, parsed.diagnostics
    frontend = parsed.model.frontends[0]
    request = Request(1, method=method, path=path, cookies={"SRV": "a"})
    of = Circumstances(pack("10.0.0.200"), 80, request, "www.example.com:80")
    return Rules(frontend.acls).hold(frontend.rules[0].condition, of)


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ("path /api/v1/pods", True),
        ("path /api", False),
        ("path_beg /api /metrics", True),
        ("path_end .html pods", True),
        ("path_sub v1", True),
        ("path_dir v1", True),
        ("path_dir v", False),
        ("path_reg ^/api/v[0-9]+/", True),
        ("path -m beg /api", True),
        ("path_beg -i /API", True),
        ("path_beg /API", False),
        ("url_end watch=1", True),
        ("hdr(host) www.example.com:80", True),
        ("hdr_dom(host) example.com", True),
        ("hdr_beg(host) static.", False),
        ("req.cook(SRV) a", True),
        ("cook(other) -m found", False),
        ("method POST PUT", False),
        ("src 10.0.0.0/24 192.168.1.1", True),
        ("src 10.1.0.0/16", False),
        ("dst_port 80", True),
        ("base_beg www.example.com:80/api", True),
    ],
)
def test_criteria(criterion: str, expected: bool) -> None:
    assert holds("if one", f"one {criterion}") is expected
    assert holds(f"if {{ {criterion} }}") is expected
    assert holds(f"unless {{ {criterion} }}") is not expected
    assert holds("if !one", f"one {criterion}") is not expected


def test_terms_are_joined() -> None:
    acls = ("api path_beg /api", "post method POST", "api path_beg /v2")
    assert holds("if api !post", *acls)
    assert not holds("if api post", *acls)
    assert holds("if post || api", *acls)
    assert holds("if post or { path_end pods }", *acls)
    assert holds("if api", *acls, path="/v2/x")
    assert holds("if METH_GET TRUE !LOCALHOST")
    assert not holds("if METH_POST")
    assert holds("")


def test_what_is_not_simulated_does_not_hold_and_is_told() -> None:
    assert not holds("if slow", "slow nbsrv(b) lt 2")
    assert not holds("if !slow", "slow nbsrv(b) lt 2")
    parsed = read_haproxy("frontend f\n  bind :80\n  mode http\n  acl slow nbsrv(f) lt 2\n  acl api path /api\n")
    assert list(unknown_lines(parsed.model.frontends[0].acls)) == [(4, "nbsrv(f) lt 2")]
