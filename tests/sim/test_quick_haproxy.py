"""Quiet time worked out ahead gives what going step by step gives, with HAProxy in between."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network, router, scenario_data
from test_quick import DELAYS, servers_and_faults

from sim.haproxy.factory import makers
from sim.haproxy.snapshots import haproxies
from vrrp.config.haproxy import read_haproxy

CONFIG = """defaults
  mode {mode}
  timeout connect {connect}
  timeout client {client}
  timeout server {server}
  timeout queue 200ms
  {http}
  retries {retries}
  {redispatch}
frontend web
  bind :8443{ssl}
  maxconn {maxconn}
  {rule}
  default_backend app
backend app
  balance {balance}
  {cookie}
  {check}
  default-server check inter 500ms fastinter 100ms maxconn {most} {tls} {down}
  server s1 10.0.0.51:6443 cookie a
  server s2 10.0.0.52:6443 cookie b
"""


HTTP = ["option httpclose", "option http-server-close", "http-reuse never", "http-reuse always", "no log"]


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, str]:
    """What HAProxy is told: whatever changes what it does with connections and requests."""
    mode = draw(st.sampled_from(["tcp", "http"]))
    http = mode == "http"
    return {
        "mode": mode,
        "connect": draw(st.sampled_from(["50ms", "300ms", "1200ms"])),
        "client": draw(st.sampled_from(["100ms", "700ms", "5s"])),
        "server": draw(st.sampled_from(["30ms", "200ms", "5s"])),
        "http": draw(st.sampled_from(HTTP)) if http else "",
        "retries": draw(st.sampled_from(["0", "1", "3"])),
        "redispatch": draw(st.sampled_from(["option redispatch", "option redispatch 1", "no option redispatch"])),
        "ssl": draw(st.sampled_from(["", "", " ssl crt /etc/haproxy/a.pem"])),
        "maxconn": draw(st.sampled_from(["2", "2000"])),
        "rule": "use_backend app if { path_beg / }" if http and draw(st.booleans()) else "",
        "balance": draw(st.sampled_from(["roundrobin", "leastconn", "source", "first", "random"])),
        "cookie": draw(st.sampled_from(["cookie S insert indirect", "cookie S prefix", ""])) if http else "",
        "check": draw(st.sampled_from(["option httpchk", "option tcp-check", "option ssl-hello-chk"])),
        "most": draw(st.sampled_from(["0", "1", "3"])),
        "tls": draw(st.sampled_from(["", "", "ssl verify none"])),
        "down": draw(st.sampled_from(["on-marked-down shutdown-sessions", "observe layer4 error-limit 2", ""])),
    }


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Two routers that share an address, each with HAProxy, two servers, clients of all habits, up to eight faults."""
    tls = draw(st.sampled_from([None, "1.2", "1.3"]))
    clients = {
        f"c{number}": {
            "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{200 + number}/24"]}},
            "target": "10.0.0.100:8443",
            "every": draw(st.sampled_from(["20ms", "50ms", "130ms"])),
            "timeout": draw(st.sampled_from(["40ms", "500ms", "1.2s"])),
            "start": draw(st.sampled_from(["3.9s", "4s", "4.00005s"])),
            "tls": tls is not None and draw(st.booleans()),
            "keep_alive": draw(st.booleans()),
            "cookies": draw(st.booleans()),
            "retries": draw(st.integers(0, 2)),
        }
        for number in range(draw(st.integers(2, 3)))
    }
    servers, events = draw(servers_and_faults(tls))
    segments = {"lan": {"delay": draw(st.sampled_from(DELAYS))}}
    data = scenario_data(
        ["r1", "r2"], segments=segments, clients=clients, servers=servers, events=events, duration="6.5s"
    )
    for name in ("r1", "r2"):
        data["nodes"][name] |= {"haproxy": "haproxy.cfg", "forwarding": draw(st.booleans())}
    return data


def run(data: dict[str, Any], text: str, *, quick: bool) -> tuple[dict[str, list[Any]], list[Any]]:
    configs = {"r1": router(101), "r2": router(100)}
    parsed = read_haproxy(text)
    assert parsed.valid, parsed.diagnostics
    net = network(configs, data=data, balancers=makers(dict.fromkeys(configs, parsed)), quick=quick)
    result = net.run()
    rows = {name: list(one.requests.rows("new")) for name, one in net.clients.items()}
    return rows, [result.balancers, result.said, [one.running for one in haproxies(net).values()]]


@settings(max_examples=60)
@given(scenarios(), configurations())
def test_ahead_or_step_by_step_is_the_same(data: dict[str, Any], given: dict[str, str]) -> None:
    text = CONFIG.format(**given)
    ahead, statistics = run(data, text, quick=True)
    step_by_step, others = run(data, text, quick=False)
    for name, rows in ahead.items():
        assert rows == step_by_step[name]
    assert statistics == others
