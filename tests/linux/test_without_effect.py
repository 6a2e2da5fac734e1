"""Every keyword that keepalived has is acted on, refused, or told to be without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrrp.config.context import word_set
from vrrp.config.grammar import CONTEXTS, FILE, GLOBAL_DEFS, VRRP_INSTANCE, VRRP_SYNC_GROUP
from vrrp.config.host import KnownHost
from vrrp.linux.configuration import read_configuration
from vrrp.linux.plan import plan
from vrrp.linux.without_effect import WITHOUT_EFFECT

REFUSED = frozenset({"use_ipvlan", "use_vmac_addr"})
CHECKERS = word_set("""
    checker_log_all_failures lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_notify_fifo lvs_notify_fifo_script
    rs_init_notifies
    """)
ACTED = {
    "global_defs": word_set("""
        default_interface dynamic_interfaces enable_script_security include_check no_email_faults notification_email
        notification_email_from notify_fifo notify_fifo_script router_id script_user shutdown_script
        shutdown_script_timeout smtp_alert smtp_alert_vrrp smtp_connect_timeout smtp_helo_name smtp_server
        startup_script startup_script_timeout vrrp_check_unicast_src vrrp_cpu_affinity vrrp_down_timer_adverts
        vrrp_garp_interval vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_garp_master_delay
        vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_gna_interval
        vrrp_higher_prio_send_advert vrrp_lower_prio_no_advert vrrp_mcast_group4 vrrp_mcast_group6 vrrp_min_garp
        vrrp_no_swap vrrp_notify_fifo vrrp_notify_fifo_script vrrp_notify_priority_changes vrrp_priority
        vrrp_rt_priority vrrp_skip_check_adv_addr vrrp_startup_delay vrrp_strict vrrp_version
        """),
    "vrrp_instance": word_set("""
        accept advert_int check_unicast_src dont_track_primary down_timer_adverts garp_lower_prio_delay
        garp_lower_prio_repeat garp_master_delay garp_master_refresh garp_master_refresh_repeat garp_master_repeat
        higher_prio_send_advert interface lower_prio_no_advert mcast_dst_ip mcast_src_ip native_ipv6 no_accept
        nopreempt notify notify_backup notify_deleted notify_fault notify_master notify_master_rx_lower_pri
        notify_priority_changes notify_stop preempt preempt_delay priority skip_check_adv_addr smtp_alert state
        strict_mode track_bfd track_file track_interface track_process track_script unicast_fault_no_peer unicast_peer
        unicast_src_ip unicast_ttl use_vmac version virtual_ipaddress virtual_ipaddress_excluded virtual_router_id
        virtual_routes virtual_rules vmac_xmit_base
        """),
    "vrrp_sync_group": word_set("""
        global_tracking group notify notify_backup notify_fault notify_master notify_priority_changes notify_stop
        smtp_alert sync_group_tracking_weight track_bfd track_file track_interface track_process track_script
        """),
    "": word_set("""
        interface_up_down_delays static_ipaddress static_routes static_rules
        """),
}


@pytest.mark.parametrize("context", [FILE, GLOBAL_DEFS, VRRP_INSTANCE, VRRP_SYNC_GROUP], ids=lambda one: one.name)
def test_every_keyword_is_accounted_for(context: object) -> None:
    found = next(one for one in CONTEXTS if one is context)
    keywords = found.statements | found.lists
    ways = (ACTED[found.name], REFUSED, CHECKERS, WITHOUT_EFFECT.keys())
    assert {one for one in keywords if sum(one in way for way in ways) != 1} == set()
    assert keywords >= ACTED[found.name]


def test_none_is_of_no_context() -> None:
    known = {keyword for one in CONTEXTS for keyword in (*one.statements, *one.lists, *one.tables)}
    assert WITHOUT_EFFECT.keys() <= known


def test_it_is_told_once_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    instance = "vrrp_instance V {\ninterface eth0\ndebug 3\nvirtual_router_id 5\nvirtual_ipaddress {\n10.0.0.5\n}\n}\n"
    other = instance.replace("V", "W").replace("5", "6")
    file.write_text(f"global_defs {{\nenable_snmp_vrrp\n}}\n{instance}{other}")
    configuration = read_configuration(file, KnownHost(frozenset({"eth0"})))
    told = [
        f"{file}:2: enable_snmp_vrrp has no effect here: --http has metrics for Prometheus",
        f"{file}:6: debug has no effect here: the log has always the same",
    ]
    assert list(configuration.notes) == told
    assert list(plan(configuration, {"eth0": ["10.0.0.1"]}))[-2:] == told
