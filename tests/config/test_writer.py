"""Configurations written and read again: the same model, but for the lines; and the same text when written again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.confs import global_defs, group, instance, only, script
from config.generated_lvs import Draw
from config.generated_vrrp import Writer
from config.test_leniencies import LENIENCIES, Leniency
from vrrp.config import KeepalivedConfig, load, parse, write

CONFS = sorted((Path(__file__).parent / "data" / "confs").glob("*.conf"))
_LINES = frozenset({"filename", "line", "lines", "text"})


def without_lines(value: Any) -> Any:
    """The value without what says where it stood."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.name not in _LINES]
        return type(value).__name__, {name: without_lines(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {key: without_lines(one) for key, one in value.items()}
    return [without_lines(one) for one in value] if isinstance(value, tuple) else value


def reads_the_same(config: KeepalivedConfig) -> str:
    text = write(config)
    again = parse(text).config
    assert without_lines(again) == without_lines(config), text
    assert write(again) == text
    return text


@pytest.mark.parametrize("case", LENIENCIES, ids=lambda case: case.name)
def test_what_was_forgiven(case: Leniency) -> None:
    reads_the_same(parse(case.text).config)


@pytest.mark.parametrize("path", CONFS, ids=lambda path: path.stem)
def test_recorded_configurations(path: Path) -> None:
    reads_the_same(load(path).config)


def test_public_configurations(shared: Path) -> None:
    paths = [
        path
        for path in sorted((shared / "captures").rglob("*"))
        if path.is_file() and ("keepalived" in path.name or path.suffix == ".conf")
    ]
    assert len(paths) > 40
    for path in paths:
        reads_the_same(load(path).config)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_generated_virtual_servers(first: int) -> None:
    for seed in range(first, first + 100):
        reads_the_same(parse(Draw(seed).text()).config)


def test_generated_vrrp_configurations() -> None:
    writer = Writer(1)
    configs = [parse(writer.configuration()).config for _ in range(300)]
    assert sum(len(config.instances) for config in configs) > 200
    for config in configs:
        reads_the_same(config)


GLOBAL_LINES = """
router_id "a b"
vrrp_version 3
vrrp_mcast_group4 224.0.0.19
vrrp_strict
vrrp_startup_delay 1.5
vrrp_lower_prio_no_advert
vrrp_higher_prio_send_advert
vrrp_down_timer_adverts 5
vrrp_min_garp
vrrp_garp_master_delay 7
vrrp_garp_master_repeat 3
vrrp_garp_lower_prio_delay 5
vrrp_garp_lower_prio_repeat 2
vrrp_garp_interval 0.25
vrrp_skip_check_adv_addr
dynamic_interfaces
smtp_server 10.0.0.1 25
""".strip().splitlines()
INSTANCE_LINES = """
state MASTER
state BACKUP
priority 255
priority 90
advert_int 0.5
advert_int 2
version 3
nopreempt
preempt_delay 30
no_accept
strict_mode
strict_mode off
unicast_src_ip 10.0.0.11
mcast_dst_ip 224.0.0.20
unicast_ttl 9
use_vmac vrrp.51
vmac_xmit_base
garp_master_delay 7
garp_lower_prio_delay 5
garp_master_refresh 60
lower_prio_no_advert off
higher_prio_send_advert
down_timer_adverts 4
check_unicast_src
dont_track_primary
notify_master "/bin/true 'a b' \\x22c" root
smtp_alert
unicast_peer { 10.0.0.12
authentication { auth_type PASS
authentication { auth_type AH
track_interface { eth1 weight -5
track_script { chk
track_script { chk weight 3 reverse
virtual_ipaddress_excluded { fd00::9/64 dev eth1
virtual_routes { 10.9.0.0/16 via 10.0.0.1 dev eth0
virtual_rules { from 10.0.0.0/8 table 7
""".strip().splitlines()


@given(
    st.lists(st.sampled_from(GLOBAL_LINES), max_size=8),
    st.lists(st.lists(st.sampled_from(INSTANCE_LINES), max_size=12), min_size=1, max_size=3),
    st.booleans(),
)
def test_settings_that_are_each_others_defaults(
    global_lines: list[str], instances: list[list[str]], grouped: bool
) -> None:
    text = global_defs("\n".join(global_lines)) + script("weight -2")
    for number, lines in enumerate(instances, 1):
        body = "\n".join(
            line + ("\nauth_pass x\n}" if "auth_type" in line else "\n}" * ("{" in line)) for line in lines
        )
        base = f"interface eth{number}\nvirtual_router_id {number}\n"
        text += instance(body, name=f"VI_{number}", base=base)
    members = "\n".join(f"VI_{number}" for number in range(1, len(instances) + 1))
    reads_the_same(parse(text + (group(members=members) if grouped else "")).config)


# What stands in files: no control characters, which none of keepalived's words survive.
WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"$~@'), min_size=1, max_size=12)
COMMANDS = st.text(st.characters(exclude_categories=["C"], exclude_characters="$~"), min_size=1, max_size=30)


@given(WORDS, COMMANDS)
def test_words_and_commands_of_all_kinds(name: str, command: str) -> None:
    one = only(parse(instance("authentication {\nauth_type PASS\nauth_pass x\n}\nnotify /bin/true")))
    assert one.authentication is not None
    secret = replace(one.authentication, password=name.encode()[:8].decode("utf-8", "ignore").encode())
    named = replace(one, name=name, notify={"notify": f"/bin/a {command}"}, authentication=secret)
    config = KeepalivedConfig("a.conf", instances=(named,))
    assert without_lines(parse(write(config)).config.instances) == without_lines((named,))


def test_it_is_short_and_in_order() -> None:
    text = (
        group(members="VI_1\nVI_2").replace("group {", "group  {")
        + "virtual_server 10.0.0.1 80 {\ndelay_loop 6\nlb_kind DR\nlb_algo rr\nprotocol TCP\n"
        "real_server 10.0.0.2 80 {\nweight 2\nTCP_CHECK {\nconnect_timeout 3\n}\n}\n}\n"
        + script("weight -2\ninterval 2")
        + instance("state MASTER\nadvert_int 1\nnotify_master '/bin/m x'\ntrack_script {\nchk\n}")
        + instance("priority 100", name="VI_2", base="interface ens3\nvirtual_router_id 52\n")
        + global_defs("vrrp_garp_master_repeat 2")
    )
    assert write(parse(text).config) == EXPECTED


EXPECTED = """\
global_defs {
    enable_script_security
    script_user root
    vrrp_garp_master_repeat 2
}

vrrp_script chk {
    script "/bin/true"
    interval 2
    weight -2
}

vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    state MASTER
    virtual_ipaddress {
        10.0.0.100/24
    }
    track_script {
        chk
    }
    notify_master "/bin/m x"
}

vrrp_instance VI_2 {
    interface ens3
    virtual_router_id 52
    virtual_ipaddress {
        10.0.0.100/24
    }
}

vrrp_sync_group G1 {
    group {
        VI_1
        VI_2
    }
}

virtual_server 10.0.0.1 80 {
    lvs_sched rr
    lvs_method DR
    protocol TCP
    real_server 10.0.0.2 80 {
        weight 2
        TCP_CHECK {
            connect_timeout 3
            delay_loop 6
        }
    }
}
"""


def test_what_is_kept_as_text() -> None:
    text = "net_namespace blue\n\ngarp_group {\n    garp_interval 0.5\n    interfaces {\n        eth0\n    }\n}\n"
    assert reads_the_same(parse(text).config) == text


def test_nothing_is_nothing() -> None:
    assert write(KeepalivedConfig("a.conf")) == ""


def test_what_there_is_to_follow() -> None:
    text = """\
track_file load {
    file "/tmp/a b"
    weight -1 reverse
    init_file 3 overwrite
}

vrrp_track_process web {
    process haproxy -f /etc/h
    weight 4
    full_command
    param_match initial
    quorum_max 5
    quorum 2
    fork_delay 0.5
    terminate_delay 2
}

vrrp_track_process exact {
    process x
    param_match
}

bfd_instance far {
    neighbor_ip 10.0.0.99
    source_ip 10.0.0.11
    min_rx 20.5
    min_tx 300
    idle_tx 2000
    multiplier 7
    ttl 64
    max_hops 3
    passive
    weight -3
}

bfd_instance near {
    neighbor_ip fe80::2
    ttl 255
}

vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.0.0.100
    }
    track_interface {
        eth1 weight -5 reverse
    }
    track_file {
        load weight -2 noreverse
    }
    track_process {
        web
        exact weight 3
    }
    track_bfd {
        far
    }
}
"""
    assert reads_the_same(parse(text).config) == text


def test_addresses_routes_and_rules_of_the_machine() -> None:
    text = """\
interface_up_down_delays {
    eth0 3 0.5
}

track_group G {
    group {
        VI_1
    }
}

static_ipaddress {
    10.0.0.5/24 brd 10.0.0.255 dev eth0 scope link label eth0:1 track_group G
}

static_routes {
    10.1.0.0/16 via 10.0.0.1 dev eth0 metric 3
}

static_rules {
    from 10.0.0.0/8 table 5 priority 16384
}
"""
    config = parse(text.replace(" priority 16384", "")).config
    assert reads_the_same(config) == text


def test_users_lifetimes_and_what_later_releases_know() -> None:
    text = """\
global_defs {
    vrrp_delay_after_boot 30.5
}

vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    timer_expired_backup 254
    virtual_ipaddress {
        fe80::1 preferred_lft 0
        fe80::2/64 preferred_lft 600
        fe80::3 preferred_lft forever
    }
    notify_backup "/bin/true" root
    notify_master "/bin/true"
}

vrrp_sync_group G1 {
    group {
        VI_1
    }
    notify "/bin/true" root root
}

virtual_server 10.0.0.1 80 {
    lvs_sched wlc
    lvs_method NAT
    protocol TCP
    quorum_up "/bin/true x" root
    quorum_down "/bin/true"
    real_server 10.0.0.2 80 {
        notify_up "/bin/true"
        notify_down "/bin/true" root root
    }
}
"""
    assert reads_the_same(parse(text).config) == text


def test_commands_of_global_defs_keep_their_arguments_and_their_users() -> None:
    lines = (
        "vrrp_notify_fifo /run/fifo root root\n"
        "vrrp_notify_fifo_script \"/bin/reader 'a b' c\" root\n"
        "startup_script '/bin/up now'\nshutdown_script /bin/down"
    )
    text = reads_the_same(parse(global_defs(lines) + instance()).config)
    runs = parse(text).config.globals.runnables
    assert {keyword: one.command for keyword, one in runs.items()} == {
        "vrrp_notify_fifo": "/run/fifo",
        "vrrp_notify_fifo_script": "/bin/reader 'a b' c",
        "startup_script": "/bin/up now",
        "shutdown_script": "/bin/down",
    }
