"""Scenarios short enough to be run for real, and their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

CONF = """\
global_defs {
    router_id ROUTER
    script_user nobody
    enable_script_security
    smtp_server 192.0.2.1
    notification_email {
        nobody@example.org
    }
    vrrp_startup_delay 0
}

vrrp_script check {
    script "/does/not/exist --at-all"
    interval 1
    weight -20
    fall 1
    rise 1
}

vrrp_track_process service {
    process /does/not/exist/either
    weight 30
}

vrrp_track_file level {
    file "/nor/does/this"
    weight 1
}

vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority PRIORITY
    advert_int 0.2
    version 3
    notify "/bin/touch /notified"
    virtual_ipaddress {
        10.0.0.100/24
    }
    track_script {
        check
    }
    track_process {
        service
    }
    track_file {
        level
    }
}
"""

SCENE = """\
title = "Two routers"
duration = "DURATION"

[segments.lan]
delay = "50us"

[nodes.a]
keepalived = "a.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.11/24", "fe80::11/64"] }

[nodes.b]
keepalived = "b.conf"
start = "500ms"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.12/24", "fe80::12/64"] }
"""

CLIENT = """
[clients.c]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }
target = "10.0.0.100:80"
every = "20ms"
start = "1500ms"
"""


def event(at: str, action: str, node: str = "", **more: object) -> str:
    """One event, in TOML; values as TOML has them."""
    keys = {"at": f'"{at}"', "action": f'"{action}"'} | ({"node": f'"{node}"'} if node else {}) | more
    return "\n[[events]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def write_scene(folder: Path, duration: str, events: Iterable[str] = (), *, client: bool = False) -> Path:
    """scene.toml, with a.conf (priority 100) and b.conf (90) beside it."""
    for name, priority in (("a", 100), ("b", 90)):
        conf = CONF.replace("PRIORITY", str(priority)).replace("ROUTER", name)
        (folder / f"{name}.conf").write_text(conf)
    file = folder / "scene.toml"
    file.write_text(SCENE.replace("DURATION", duration) + (CLIENT if client else "") + "".join(events))
    return file
