"""The stack of which runs were recorded: three nodes, each with an API server, HAProxy and keepalived, and a client.

The configurations are those of the recorded runs to the word. A stack is written as a scenario with its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NODES = ("n1", "n2", "n3")
VIP = "10.77.0.50"

HAPROXY = """\
global
    log stdout format raw local0
defaults
    mode                    http
    log                     global
    option                  httplog
    option                  dontlognull
    option http-server-close
    option forwardfor       except 127.0.0.0/8
    option                  redispatch
    retries                 1
    timeout http-request    10s
    timeout queue           20s
    timeout connect         5s
    timeout client          20s
    timeout server          20s
    timeout http-keep-alive 10s
    timeout check           10s
frontend apiserver
    bind *:8443
    mode tcp
    option tcplog
    default_backend apiserverbackend
backend apiserverbackend
    option httpchk GET /healthz
    http-check expect status 200
    mode tcp
    option ssl-hello-chk
    balance     roundrobin
SERVERS
listen stats
    bind *:8404
    mode http
    stats enable
    stats uri /stats
    timeout client 5s
"""
NO_REDISPATCH = HAPROXY.replace(
    "    option                  redispatch\n    retries                 1\n",
    "    no option redispatch\n    retries 3\n",
)
THREE_RETRIES = HAPROXY.replace("retries                 1", "retries 3")
TUNED = HAPROXY.replace("timeout connect         5s", "timeout connect         500ms").replace(
    "option httpchk GET /healthz\n    http-check expect status 200\n    mode tcp\n    option ssl-hello-chk",
    "option httpchk\n    http-check connect ssl\n    http-check send meth GET uri /healthz\n"
    "    http-check expect status 200\n    mode tcp",
)
TUNED_SERVER = "check inter 1s fastinter 250ms fall 2 rise 2 verify none"

KEEPALIVED = """\
global_defs {
    router_id LVS_DEVEL
    script_user root
    enable_script_security
}
vrrp_script check_apiserver {
  script "/etc/keepalived/check_apiserver.sh"
  interval INTERVAL
  weight WEIGHT
  fall FALL
  rise RISE
}
vrrp_instance VI_1 {
    state STATE
    interface eth0
    virtual_router_id 51
    priority PRIORITY
    authentication {
        auth_type PASS
        auth_pass 42
    }
    virtual_ipaddress {
        10.77.0.50
    }
    track_script {
        check_apiserver
    }
}
"""
CHECK = """\
#!/bin/sh
errorExit() {
    echo "*** $*" 1>&2
    exit 1
}
curl --silent --max-time 2 --insecure https://localhost:8443/ -o /dev/null || errorExit "Error GET https://localhost:8443/"
if ip addr | grep -q 10.77.0.50; then
    curl --silent --max-time 2 --insecure https://10.77.0.50:8443/ -o /dev/null || errorExit "Error GET https://10.77.0.50:8443/"
fi
"""
FAST = {"interval": 1, "weight": -2, "fall": 2, "rise": 2}
SEED = {"interval": 3, "weight": -2, "fall": 10, "rise": 2}


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack and its course.

    Attributes:
        haproxy: its configuration, with the word SERVERS in it; `server` is what follows each server's address.
        script: interval, weight, fall and rise of the check script, in seconds and runs.
        timeout_s: the clients'.
        forwarding: whether nodes pass on what is not theirs.
        keepalived_s: when each node's begins, from the start, in seconds; in the scenario that is when nodes start.
        haproxies_s, apis_s: when each node's HAProxy and API server were started, for who can start them alone.
        client_s: when the clients begin.
        events: each with `at` in seconds and the keys that the scenario has.
        duration_s: until when.
        seed: the run's.
    """

    duration_s: float
    events: Sequence[Mapping[str, object]]
    haproxy: str = HAPROXY
    server: str = "check"
    script: Mapping[str, int] = field(default_factory=lambda: FAST)
    timeout_s: float = 0.5
    forwarding: bool = False
    haproxies_s: Sequence[float] = (0.0, 0.0, 0.0)
    keepalived_s: Sequence[float] = (0.0, 0.0, 0.0)
    apis_s: Sequence[float] = (0.1, 0.1, 0.1)
    client_s: float = 5.0
    seed: int = 1

    def write(self, folder: Path) -> Path:
        """Write the scenario with its files; its path."""
        servers = "\n".join(f"        server {n} 10.77.0.{i}:6443 {self.server}" for i, n in enumerate(NODES, 1))
        (folder / "haproxy.cfg").write_text(self.haproxy.replace("SERVERS", servers))
        (folder / "check_apiserver.sh").write_text(CHECK)
        for place, name in enumerate(NODES):
            state, priority = ("MASTER", 101) if place == 0 else ("BACKUP", 100)
            text = KEEPALIVED.replace("STATE", state).replace("PRIORITY", str(priority))
            for key, value in self.script.items():
                text = text.replace(key.upper(), str(value))
            (folder / f"{name}.conf").write_text(text)
        file = folder / "scenario.toml"
        file.write_text("".join(self._sections()))
        return file

    def _sections(self) -> Sequence[str]:
        found = [f'title = "Three nodes"\nduration = "{self.duration_s}s"\nseed = {self.seed}\n\n[segments.lan]\n']
        for place, name in enumerate(NODES):
            address = f'interfaces.eth0 = {{ segment = "lan", addresses = ["10.77.0.{place + 1}/24"] }}\n'
            found.append(
                f'\n[nodes.{name}]\nkeepalived = "{name}.conf"\nhaproxy = "haproxy.cfg"\n{address}'
                f'start = "{self.keepalived_s[place]}s"\nforwarding = {str(self.forwarding).lower()}\n'
            )
            found.append(f'\n[servers.api{place + 1}]\nnode = "{name}"\nlisten = [6443]\ntls = true\n')
        for host, name, kind in ((4, "new", ""), (5, "ka", "keep_alive = true\n")):
            every = "50ms" if kind else "20ms"
            found.append(
                f'\n[clients.{name}]\ninterfaces.eth0 = {{ segment = "lan", addresses = ["10.77.0.{host}/24"] }}\n'
                f'target = "{VIP}:8443"\nevery = "{every}"\ntimeout = "{self.timeout_s}s"\ntls = true\n{kind}'
                f'path = "/healthz"\nstart = "{self.client_s}s"\n'
            )
        for event in self.events:
            keys = [f'{key} = "{value}{"s" * (key == "at")}"\n' for key, value in event.items()]
            found.append("\n[[events]]\n" + "".join(keys))
        return found
