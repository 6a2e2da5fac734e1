"""Addresses with their words, and what is kept as text so that nothing is lost."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields
from ipaddress import ip_address

import pytest

from config.confs import ADDRESS_V6, global_defs, group, instance, only, pair, read, script, told
from vrrp.config import BfdSession, Option, Verdict, Voice, parse


def virtual(line: str) -> tuple[object, ...]:
    (one,) = read(addresses=f"virtual_ipaddress {{\n{line}\n}}\n").addresses
    return tuple(getattr(one, field.name) for field in fields(one))


A = ip_address("10.0.0.1")
V6 = ip_address("fe80::1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10.0.0.1", (A, 32, None, None, None, None, None, False, False, 5, None)),
        (
            "10.0.0.1/24 dev ens3 label e:1 scope link",
            (A, 24, "ens3", None, "e:1", "link", None, False, False, 5, None),
        ),
        ("10.0.0.1/24 brd +", (A, 24, None, ip_address("10.0.0.255"), None, None, None, False, False, 5, None)),
        ("10.0.0.1/24 broadcast -", (A, 24, None, ip_address("10.0.0.0"), None, None, None, False, False, 5, None)),
        ("10.0.0.1 brd 10.9.9.9", (A, 32, None, ip_address("10.9.9.9"), None, None, None, False, False, 5, None)),
        ("10.0.0.1 peer 10.0.0.9", (A, 32, None, None, None, None, ip_address("10.0.0.9"), False, False, 5, None)),
        ("10.0.0.1 scope 7 no_track home", (A, 32, None, None, None, "7", None, True, False, 5, None)),
        (
            "fe80::1/64 use_vmac -nodad preferred_lft forever",
            (V6, 64, None, None, None, None, None, False, True, 5, 2**32 - 1),
        ),
        ("fe80::1 preferred_lft 0", (V6, 128, None, None, None, None, None, False, False, 5, 0)),
    ],
)
def test_words_behind_an_address(line: str, expected: tuple[object, ...]) -> None:
    assert virtual(line) == expected


def test_an_ipv6_address_has_no_broadcast() -> None:
    text = instance(addresses="virtual_ipaddress {\nfe80::1 brd fe80::ff\nfe80::2\n}\n")
    assert [str(one.address) for one in only(parse(text)).addresses] == ["fe80::2"]
    message = "VRRP is trying to assign a broadcast brd to the IPv6 address fe80::1 !!?? WTF... skipping VIP..."
    assert told(text) == [(5, message)]


def test_the_256th_address_is_not_advertised() -> None:
    lines = "".join(f"10.0.{n >> 8}.{n & 255}\n" for n in range(256))
    text = instance("virtual_ipaddress_excluded {\n10.9.9.9\n}", addresses=f"virtual_ipaddress {{\n{lines}}}\n")
    found = only(parse(text))
    assert len(found.addresses) == 255
    assert [str(one.address) for one in found.excluded_addresses] == ["10.9.9.9", "10.0.0.255"]
    assert "(VI_1) Number of VIPs (256) exceeds maximum" in told(text)[0][1]


def test_the_90th_ipv6_address_is_not_advertised() -> None:
    lines = "".join(f"fe80::{n + 1:x}\n" for n in range(90))
    assert len(read(addresses=f"virtual_ipaddress {{\n{lines}}}\n").addresses) == 89


def test_an_address_twice_is_noted() -> None:
    text = instance(addresses="virtual_ipaddress {\n10.0.0.1\n10.0.0.1\n10.0.0.1/24\n}\n")
    assert told(text) == [(6, "(VI_1) 10.0.0.1 is listed twice")]
    assert len(only(parse(text)).addresses) == 3


def test_what_only_the_kernel_uses_is_kept() -> None:
    body = "promote_secondaries\nvirtual_routes {\n10.0.0.0/8 via 10.0.0.1\n}\nuse_vmac v1\ndebug 3\nauth_hmac x"
    text = (
        "net_namespace blue\n"
        + global_defs("vrrp_priority -5\nnotification_email {\na@example.com\n}")
        + instance(body)
        + instance(name="VI_2", base="interface ens3\nvirtual_router_id 5\n")
        + group("track_file {\nf weight 3\n}\nsmtp_alert yes")
        + "bfd_instance b {\nneighbor_ip 10.0.0.3\n}\n"
    )
    config = parse(text).config
    assert config.options == (Option("net_namespace", "blue", 1),)
    assert config.globals.options == (
        Option("vrrp_priority", "-5", 5),
        Option("notification_email", "a@example.com", 7),
    )
    assert config.instances[0].options == (
        Option("promote_secondaries", "", 16),
        Option("use_vmac", "v1", 20),
        Option("debug", "3", 21),
        Option("auth_hmac", "x", 22),
    )
    assert [(one.text, one.tracked, one.line) for one in config.instances[0].routes] == [
        ("10.0.0.0/8 via 10.0.0.1", False, 18)
    ]
    assert config.sync_groups[0].options == (Option("smtp_alert", "yes", 40),)
    assert config.bfd_sessions == (BfdSession("b", "10.0.0.3", None, 0, False, 42),)


# What keepalived 2.2.7 shows of such sessions when it runs.
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("neighbor_ip 10.0.0.2", (10_000_000, 10_000_000, 1_000_000_000, 5, 255, 0, False)),
        (
            "neighbor_ip 10.0.0.3\nmin_rx 20.5\nmin_tx 30.0004\nidle_tx 2000\n"
            "multiplier 7\npassive\nttl 9\nmax_hops 3",
            (20_500_000, 30_000_000, 2_000_000_000, 7, 9, 3, True),
        ),
        ("neighbor_ip 10.0.0.21\nttl 9\nmax_hops 10", (10_000_000, 10_000_000, 1_000_000_000, 5, 9, 9, False)),
        ("neighbor_ip fe80::23\nmax_hops -1", (10_000_000, 10_000_000, 1_000_000_000, 5, 64, 64, False)),
        ("neighbor_ip 10.0.0.24\nmax_hops -1", (10_000_000, 10_000_000, 1_000_000_000, 5, 255, 255, False)),
        (
            "neighbor_ip fe80::26\nmin_rx 15.0005\nmin_tx 15.00049\nidle_tx 1000.5\n"
            "hoplimit 8\npassive no\nmax_hops 8",
            (15_001_000, 15_000_000, 1_000_500_000, 5, 8, 8, True),
        ),
        (
            "neighbor_ip 10.0.0.25\nmin_rx 0.0004\nmultiplier 300",
            (10_000_000, 10_000_000, 1_000_000_000, 5, 255, 0, False),
        ),
    ],
)
def test_a_bfd_session(lines: str, expected: tuple[object, ...]) -> None:
    (one,) = parse(f"bfd_instance b {{\n{lines}\n}}\n").config.bfd_sessions
    numbers = (one.min_rx_ns, one.min_tx_ns, one.idle_tx_ns, one.multiplier, one.ttl, one.max_hops, one.passive)
    assert numbers == expected


def test_more_hops_than_the_ttl_allows_are_complained_of() -> None:
    text = "bfd_instance b {\nneighbor_ip fe80::2\nmax_hops 100\n}\n"
    assert told(text) == [(4, "BFD instance b: max_hops exceeds ttl/hoplimit - setting to ttl/hoplimit")]


def test_a_bfd_session_twice() -> None:
    session = "bfd_instance {} {{\nneighbor_ip 10.0.0.2\n{}}}\n"
    alone = session.format("a", "") + session.format("b", "")
    assert told(alone) == [
        (6, "Configuration error: BFD instance b has duplicate neighbor address 10.0.0.2, ignoring instance")
    ]
    source = "source_ip 10.0.0.1\n"
    assert told(session.format("a", source) + session.format("b", source)) == [
        (
            8,
            "Configuration error: BFD instance b has duplicate source/neighbor address 10.0.0.1/10.0.0.2,"
            " ignoring instance",
        )
    ]


def test_as_whom_notify_commands_run() -> None:
    lines = "notify_master /bin/true\nnotify_backup /bin/true root\nnotify_fault /bin/true root root more\n"
    config = parse(
        instance(lines) + instance(name="VI_2", base="interface e\nvirtual_router_id 5\n") + group(lines)
    ).config
    users = {"notify_backup": "root", "notify_fault": "root root"}
    assert (config.instances[0].notify_users, config.sync_groups[0].notify_users) == (users, users)


@pytest.mark.parametrize(("line", "priority"), [("", 254), (" 100", 100), (" 255", 0), (" 0", 0), (" x", 0)])
def test_an_expired_timer_of_a_later_release(line: str, priority: int) -> None:
    parsed = parse(instance(f"timer_expired_backup{line}"))
    assert parsed.config.instances[0].timer_expired_backup == priority
    assert len(parsed.diagnostics) == (1 if priority else 2)
    assert parsed.config.instances[0].options == ()


@pytest.mark.parametrize(("line", "delay_ns"), [(" 1.5", 1_500_000_000), ("", 0), (" x", 0), (" 0.0001", 0)])
def test_a_delay_after_boot_of_a_later_release(line: str, delay_ns: int) -> None:
    parsed = parse(global_defs(f"vrrp_delay_after_boot{line}") + instance())
    assert parsed.config.globals.delay_after_boot_ns == delay_ns
    assert [one.message for one in parsed.diagnostics][:1] == ["Unknown keyword 'vrrp_delay_after_boot'"]
    assert len(parsed.diagnostics) == (1 if delay_ns else 2)


def test_a_script_without_its_quote_is_removed() -> None:
    # keepalived 2.2.7 says the first of these and crashes.
    text = "vrrp_script chk {\nscript '/bin/true\n}\n"
    parsed = parse(text)
    assert [(one.line, one.message, one.ends) for one in parsed.diagnostics] == [
        (2, "String 'script '/bin/true': missing terminating '", True),
        (3, "No script set for vrrp_script chk - removing", False),
    ]
    assert parsed.verdict is Verdict.FATAL


def test_scripts_of_a_refused_instance_are_not_called_unused() -> None:
    text = script() + instance("track_script {\nchk\n}", base="interface eth0\n")
    assert told(text) == [(5, "(VI_1) the virtual router id must be set")]


@pytest.mark.parametrize(
    ("text", "followed", "ignored"),
    [
        (instance("priority 255\ntrack_script {\nchk weight -2\n}"), (), ("chk",)),
        (instance("priority 255\ntrack_script {\nchk\n}"), ("chk",), ()),
        (instance("priority 254\ntrack_script {\nchk weight -2\n}"), ("chk",), ()),
        (pair("track_script {\nchk weight 2\n}") + group(), (), ("chk",)),
    ],
)
def test_tracked_scripts_of_no_effect_are_kept_apart(
    text: str, followed: tuple[str, ...], ignored: tuple[str, ...]
) -> None:
    one = parse(script() + text).config.instances[0]
    assert tuple(tracked.name for tracked in one.track_scripts) == followed
    assert tuple(tracked.name for tracked in one.ignored_scripts) == ignored


def test_a_group_of_refused_instances_only_is_left_out() -> None:
    parsed = parse(instance(base="interface eth0\n") + group(members="VI_1"))
    assert parsed.config.sync_groups == ()
    assert [one.message for one in parsed.diagnostics if one.voice is not Voice.OURS] == [
        "(VI_1) the virtual router id must be set"
    ]


def test_a_second_list_of_members_is_ignored() -> None:
    text = pair() + group("group {\nVI_2\n}")
    assert told(text) == [(22, "Group list already specified for sync group G1"), (25, "Unknown keyword '}'")]
    assert parse(text).config.sync_groups[0].members == ("VI_1", "VI_2")


@pytest.mark.parametrize(
    ("body", "told_of"),
    [
        ("state MASTER", "(VI_1) state MASTER without a priority"),
        ("include x", "include x is not read"),
    ],
)
def test_notes(body: str, told_of: str) -> None:
    (one,) = parse(instance(body)).diagnostics
    assert (one.line, one.severity.value, one.message) == (7, "note", told_of)


def test_a_script_defined_twice_is_noted() -> None:
    text = script() + script("weight 3") + instance("track_script {\nchk\n}")
    assert told(text) == [(5, "vrrp_script chk is defined on line 1 already")]


def test_global_multicast_groups() -> None:
    text = global_defs("vrrp_mcast_group4 224.0.0.19\nvrrp_mcast_group6 ff02::13")
    assert only(parse(text + instance())).multicast_group == ip_address("224.0.0.19")
    assert only(parse(text + instance(addresses=ADDRESS_V6))).multicast_group == ip_address("ff02::13")


def test_a_configuration_is_frozen_and_travels() -> None:
    parsed = parse(global_defs("") + script() + pair("track_script {\nchk\n}") + group())
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert copy.deepcopy(parsed) == parsed
    with pytest.raises(FrozenInstanceError):
        parsed.config.instances[0].priority = 3  # type: ignore[misc]  # what is tested


def test_where_each_keyword_stands() -> None:
    config = parse(
        "global_defs {\n vrrp_version 3\n}\nvrrp_script c {\n script /bin/true\n fall 2\n}\n"
        "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n priority 2\n priority 3\n"
        " virtual_ipaddress {\n 10.0.0.1\n }\n}\n"
    ).config
    (instance,) = config.instances
    assert config.globals.lines == {"vrrp_version": 2}
    assert config.scripts["c"].lines == {"script": 5, "fall": 6}
    assert instance.lines == {"interface": 9, "virtual_router_id": 10, "priority": 12, "virtual_ipaddress": 13}
