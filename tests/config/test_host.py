"""What depends on the machine: its interfaces, users, scripts and processors. As keepalived 2.2.7 was seen to."""

from __future__ import annotations

import pytest

from config.confs import instance
from vrrp.config import ParsedConfig, Verdict, Voice, parse
from vrrp.config.host import KnownHost, Program

HOST = KnownHost(
    interfaces=frozenset({"eth0", "eth1", "lo"}),
    users={"root": 0, "games": 5},
    groups={"root": 0, "nogroup": 65534},
    programs={
        "/usr/bin/true": Program.FOUND,
        "/usr/bin/open": Program.UNSAFE,
        "/usr/bin/folder": Program.NO_FILE,
    },
    links={"/bin": "/usr/bin"},
    processor_count=2,
)
SECURE = "global_defs {\nscript_user root\nenable_script_security\n}\n"


def read(text: str) -> ParsedConfig:
    return parse(text, host=HOST)


def said(parsed: ParsedConfig) -> list[str]:
    return [one.message for one in parsed.diagnostics if one.voice is not Voice.OURS]


def script(command: str, user: str = "") -> str:
    return f"vrrp_script chk {{\nscript {command}\n{user}\n}}\n" + instance("track_script {\nchk\n}")


@pytest.mark.parametrize(
    ("text", "verdict", "told"),
    [
        (script("/bin/true"), Verdict.SCRIPTS_UNSAFE, "SECURITY VIOLATION"),
        (script("true"), Verdict.SCRIPTS_UNSAFE, "SECURITY VIOLATION"),
        (script("/bin/open"), Verdict.SCRIPTS_UNSAFE, "There are insecure scripts."),
        (SECURE + script("/bin/true"), Verdict.CLEAN, ""),
        (SECURE + script("/bin/open"), Verdict.COMPLAINTS, "Disabling track script chk due to insecure"),
        (SECURE + script("/bin/folder"), Verdict.COMPLAINTS, "Disabling track script chk due to insecure"),
        (script("/bin/nosuch"), Verdict.COMPLAINTS, "Disabling track script chk since not found/accessible"),
        (script('"</dev/tcp/127.0.0.1/80"'), Verdict.CLEAN, ""),
        (script("/bin/true", "user games"), Verdict.FATAL, ""),
        (script("/bin/true", "user root nogroup"), Verdict.FATAL, ""),
        (script("/bin/true", "user nobody"), Verdict.COMPLAINTS, "Unable to set uid/gid for script '/bin/true'"),
        (
            "global_defs {\nenable_script_security\n}\n" + script("/bin/true"),
            Verdict.COMPLAINTS,
            "Unable to set default user keepalived_script for script",
        ),
        ("global_defs {\nscript_user nobody\n}\n", Verdict.COMPLAINTS, "Error setting global script uid/gid"),
        ("global_defs {\nstartup_script /bin/true\n}\n", Verdict.SCRIPTS_UNSAFE, "start/shutdown scripts"),
        (instance("notify /bin/true"), Verdict.SCRIPTS_UNSAFE, "SECURITY VIOLATION"),
        (instance("notify /bin/nosuch"), Verdict.CLEAN, ""),
        (instance("notify /bin/true nobody"), Verdict.CLEAN, ""),
        (instance("notify /bin/true games"), Verdict.FATAL, ""),
        (instance("interface eth7"), Verdict.COMPLAINTS, "Non-existent interface specified in configuration"),
        ("global_defs {\ndynamic_interfaces\n}\n" + instance("interface eth7"), Verdict.CLEAN, ""),
        (instance("track_interface {\neth7\n}"), Verdict.COMPLAINTS, "(VI_1) tracked interface eth7 doesn't exist"),
        (instance("virtual_ipaddress {\n10.0.0.3 dev eth7\n}"), Verdict.COMPLAINTS, "for ip address 10.0.0.3 doesn't"),
        (instance("use_vmac eth1"), Verdict.COMPLAINTS, "is not a private macvlan"),
        (instance("use_ipvlan eth1 10.0.0.5"), Verdict.COMPLAINTS, "is not an l2 ipvlan"),
        ("linkbeat_interfaces {\neth7\n}\n", Verdict.FATAL, "unknown interface eth7 specified for linkbeat interface"),
        (
            "interface_up_down_delays {\neth7 1\n}\n",
            Verdict.FATAL,
            "eth7 specified for up/down delay",
        ),
        ("nonsense\nlinkbeat_interfaces {\neth7\n}\n", Verdict.COMPLAINTS, "Unknown keyword 'nonsense'"),
        ("garp_group {\ngarp_interval 1\ninterface eth7\n}\n", Verdict.COMPLAINTS, "for garp_group doesn't exist"),
        (
            "global_defs {\nvrrp_cpu_affinity 0 1 2\n}\n",
            Verdict.COMPLAINTS,
            "Invalid cpu_id:2 specified",
        ),
        (
            "global_defs {\nsmtp_server mail.example.com\n}\n",
            Verdict.COMPLAINTS,
            "Invalid smtp server",
        ),
        ("global_defs {\nsmtp_server localhost\n}\n", Verdict.CLEAN, ""),
    ],
)
def test_verdicts(text: str, verdict: Verdict, told: str) -> None:
    parsed = read(text)
    assert parsed.verdict is verdict, said(parsed)
    assert told in "\n".join(said(parsed))
    assert bool(told) == bool(said(parsed))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("vrf eth7", "(VI_1) WARNING - VRF interface eth7 doesn't exist"),
        ("vrf lo", "(VI_1) cannot use a loopback interface (lo) for VRF - ignoring"),
        ("vrf eth1\nvrf eth1", "(VI_1) VRF interface already specified as 'eth1' - ignoring"),
        ("vrf abcdefghijklmnopqrst", "(VI_1) VRF interface name 'abcdefghijklmnopqrst' too long - ignoring"),
        (
            "use_vmac\nunicast_peer {\n10.0.0.2\n}",
            "(VI_1): Cannot use VMAC/ipvlan with unicast and no interface - clearing use_vmac",
        ),
    ],
)
def test_without_an_interface(line: str, told: str) -> None:
    assert told in said(read(instance(line, base="virtual_router_id 51\n")))


def test_a_script_that_is_not_run_is_followed_by_nobody() -> None:
    parsed = read(script("/bin/nosuch"))
    assert parsed.config.scripts == {}
    assert parsed.config.instances[0].track_scripts == ()
