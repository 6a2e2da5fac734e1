"""Real captures whose story is known: each is told exactly, and healthy ones are not complained about.

The stories are those of the recordings' own events and of keepalived's log, not of the audit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import SHARED
from vrrp.capture.audit.findings import Severity
from vrrp.capture.audit.report import Audit, audit
from vrrp.capture.audit.watch import Cause
from vrrp.capture.reader import open_capture
from vrrp.wire.address import text

DATA = Path(__file__).parent / "data"
CRASH = {"takeover-without-goodbye"}
HEALTHY: set[str] = set()

OWN = {
    "password_mismatch": {"password", "silent-second-master"},
    "partition": {"cut-off", "two-masters"},
    "graceful_stop": HEALTHY,
    "crash": CRASH,
    "frozen": {"frozen"} | CRASH,
}
KEEPALIVED = {
    "advint_mismatch_v2": {"interval", "silent-second-master"},
    "auth_mismatch": {"password", "silent-second-master"},
    "auth_one_side": {"authentication-type", "silent-second-master"},
    "auth_pass_9_vs_8": HEALTHY,
    "auth_pass_long": HEALTHY,
    "auth_pass_ok": CRASH,
    "auth_pass_quoted": HEALTHY,
    "auth_v3": HEALTHY,
    "basic3_v2": CRASH,
    "equal_prio": HEALTHY,
    "equal_prio_unordered_start": HEALTHY,
    "frozen_master": {"frozen"} | CRASH,
    "garp_interval": {"cut-off", "two-masters"},
    "garp_interval_global": HEALTHY,
    "ipv6_version2": HEALTHY,
    "jitter_v2_1s": {"flapping"} | CRASH,
    "jitter_v2_1s_prio1": {"flapping"} | CRASH,
    "jitter_v3_1s": {"flapping"} | CRASH,
    "kill_parent_only": HEALTHY,
    "mixed_vips_excluded": HEALTHY,
    "nopreempt": CRASH,
    "nopreempt_state_master": HEALTHY,
    "notify_scripts": {"no-master"} | CRASH,
    "owner_255_both": HEALTHY,
    "owner_255_start": HEALTHY,
    "owner_255_two_masters": {"two-owners"},
    "preempt_delay": CRASH,
    "script_hang_default_timeout": HEALTHY,
    "seed_k8s_backup": HEALTHY,
    "split_brain2": {"cut-off", "two-masters"},
    "state_master_start": HEALTHY,
    "sync_group": {"slow-takeover"},
    "track_interface": HEALTHY,
    "unicast_v2": CRASH,
    "v2_adv_fraction": HEALTHY,
    "v3_adv_100ms": {"flapping"} | CRASH,
    "v3_basic": CRASH,
    "version_mismatch": {"version", "silent-second-master"},
    "vmac_v2": CRASH,
    "vmac_v3_xmit_base": HEALTHY,
    "weight_neg_1_1_1": HEALTHY,
    "weight_neg_3_10_2": HEALTHY,
    "weight_pos": HEALTHY,
    "weight_zero_fault": HEALTHY,
}
CAPTURED = {
    "v2_advert_int_mismatch": {"interval", "silent-second-master"},
    "v2_ah": HEALTHY,
    "v2_auth_mismatch_split_brain": {"password", "silent-second-master"},
    "v2_equal_prio": HEALTHY,
    "v2_none_kill9": CRASH,
    "v2_pass_failover_stop": HEALTHY,
    "v2_split_brain_link": {"cut-off", "two-masters"},
    "v2_vip_mismatch": {"address-list", "duplicate-vrid"},
    "v2_vmac": HEALTHY,
    "v3_ipv4": CRASH,
    "v3_ipv4_int100": HEALTHY,
    "v3_ipv6": HEALTHY,
    "v3_unicast": HEALTHY,
}
FRR = {
    "dp_frr_frr": CRASH,
    "dp_frr_ka": {"no-gratuitous-arp"} | CRASH,
    "frr_v3_nopreempt": CRASH,
    "frr_v3": {"flapping"} | CRASH,
    "mixed_v2_auth": {"authentication-type", "silent-second-master"},
    "mixed_v3": {"no-gratuitous-arp"} | CRASH,
    "mixed_v3_addrmismatch": {"address-list", "silent-second-master"},
    "mixed_v3_kaver2": {"version", "two-masters"},
    "mixed_v3_vmac_only": CRASH,
    "mixed_v3_vmac_ka_first": HEALTHY,
}
HAPROXY = dict.fromkeys(
    ("api_kill", "api_kill_retr3", "check_timing", "hap_kill", "hap_kill_r2", "hap_kill_r3", "ka_term", "ka_term_r2"),
    HEALTHY,
) | {"link_down": CRASH}
OTHERS = {
    "captures/the-tcpdump-group/tcpdump/tests/vrrp.pcap": HEALTHY,
    "captures/ntop/nDPI/tests/cfgs/default/pcap/vrrp3.pcapng": HEALTHY,
    "captures/the-tcpdump-group/tcpdump/tests/HSRP_coup.pcap": HEALTHY,
}

STORIES = [
    *((DATA / f"{name}.pcap", codes) for name, codes in OWN.items()),
    *((SHARED / f"recordings/keepalived/{name}/lan0.pcap", codes) for name, codes in KEEPALIVED.items()),
    *((SHARED / f"captures/_captured/{name}.pcap", codes) for name, codes in CAPTURED.items()),
    *((SHARED / f"recordings/frr/{name}.pcap", codes) for name, codes in FRR.items()),
    *((SHARED / f"recordings/haproxy/{name}.pcap", codes) for name, codes in HAPROXY.items()),
    *((SHARED / name, codes) for name, codes in OTHERS.items()),
]


def told(path: Path) -> Audit:
    if SHARED in path.parents and not SHARED.is_dir():
        pytest.skip("no recordings: there is no ../shared beside the project")
    with open_capture(path) as capture:
        return audit(capture)


def complaints(result: Audit) -> set[str]:
    return {finding.code for finding in result.findings if finding.kind.severity is not Severity.NOTE}


@pytest.mark.parametrize(("path", "codes"), STORIES, ids=[f"{p.parent.name}-{p.stem}" for p, _ in STORIES])
def test_the_story_is_told_exactly(path: Path, codes: set[str]) -> None:
    result = told(path)
    assert complaints(result) == codes
    assert result.wrong is bool(codes)
    assert result.damage is None


def test_every_finding_names_packets_that_there_are() -> None:
    for path, _ in STORIES:
        if path.exists():
            result = told(path)
            for finding in result.findings:
                assert finding.packets
                assert all(1 <= number <= result.packets for number in finding.packets)
                assert result.first_ns <= finding.first_ns <= finding.last_ns <= result.last_ns


def test_who_was_master_when(shared: Path) -> None:
    # Against keepalived's own log of the three routers: stop of r3, crash of r2, returns, link down and up.
    result = told(shared / "recordings/keepalived/basic3_v2/lan0.pcap")
    moves = [(text(t.new), t.cause) for t in result.watches[0].takeovers]
    one, two, three = "10.0.0.1", "10.0.0.2", "10.0.0.3"
    assert moves == [
        (one, Cause.FIRST),
        (two, Cause.PREEMPTED),
        (three, Cause.PREEMPTED),
        (two, Cause.RESIGNED),
        (one, Cause.SILENCE),
        (three, Cause.PREEMPTED),
        (two, Cause.SILENCE),
        (three, Cause.PREEMPTED),
    ]
    resigned = result.watches[0].takeovers[3]
    assert resigned.measured_ns is not None
    assert resigned.formula_ns is not None
    assert abs(resigned.measured_ns - resigned.formula_ns["keepalived"]) < 2_000_000
    assert resigned.formula_ns["keepalived"] == 605_468_750


def test_clients_are_sent_where_the_last_announcement_said() -> None:
    result = told(DATA / "crash.pcap")
    watch = result.watches[0]
    (holder,) = result.pointed(watch)
    assert [result.who(watch, pointing.mac) for pointing in holder.pointings] == ["10.99.0.11", "10.99.0.12"]


def test_a_silent_second_master_is_seen_by_its_announcements() -> None:
    result = told(DATA / "password_mismatch.pcap")
    finding = next(f for f in result.findings if f.code == "silent-second-master")
    assert "they differ in password" in finding.detail
    assert "gratuitous announcements" in finding.detail


def test_what_a_partitioned_router_sent_elsewhere_is_counted() -> None:
    # keepalived's log: b was master on its side of the cut from 9.2 to 12.0 s, three advertisements.
    finding = next(f for f in told(DATA / "partition.pcap").findings if f.code == "cut-off")
    assert "10.99.0.12 had sent 3 packets before packet 18" in finding.detail
