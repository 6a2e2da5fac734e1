"""Which release of keepalived brought which keyword, from 1.2.7 to 2.4.3: where its sources' parsers first have it.

A keyword is one wherever it stands: that an old one may stand in a new place is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrrp.config.diagnostics import Diagnostic, Report
from vrrp.config.model import ParsedConfig

_NAMES = """
    1.2.7 1.2.8 1.2.9 1.2.10 1.2.11 1.2.12 1.2.13 1.2.14 1.2.15 1.2.16 1.2.17 1.2.18 1.2.19 1.2.20 1.2.21
    1.2.22 1.2.23 1.2.24 1.3.0 1.3.2 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.4.0 1.4.1 1.4.2 1.4.3 1.4.4
    1.4.5 2.0.0 2.0.1 2.0.2 2.0.3 2.0.4 2.0.5 2.0.6 2.0.7 2.0.8 2.0.9 2.0.10 2.0.11 2.0.12 2.0.13 2.0.14
    2.0.15 2.0.16 2.0.17 2.0.18 2.0.19 2.0.20 2.1.0 2.1.1 2.1.2 2.1.3 2.1.4 2.1.5 2.2.0 2.2.1 2.2.2 2.2.3
    2.2.4 2.2.5 2.2.6 2.2.7 2.2.8 2.3.0 2.3.1 2.3.2 2.3.3 2.3.4 2.4.0 2.4.1 2.4.2 2.4.3
"""
RELEASES = tuple(_NAMES.split())
# What the sources have after the last of these releases, and none of them.
UNRELEASED = "after"

# Those of the first release may be older.
_BROUGHT: Mapping[str, str] = {
    "1.2.7": """
        HTTP_GET MISC_CHECK SMTP_CHECK SSL SSL_GET TCP_CHECK advert_int alpha auth_pass auth_type
        authentication bindto ca certificate connect_ip connect_port connect_timeout debug
        delay_before_retry delay_loop digest dont_track_primary enable_traps fall garp_master_delay
        global_defs global_tracking group ha_suspend helo_name host hysteresis inhibit_on_failure interface
        interval key lb_algo lb_kind linkbeat_use_polling lthreshold lvs_method lvs_sched
        lvs_sync_daemon_interface mcast_src_ip misc_dynamic misc_path misc_timeout nat_mask native_ipv6
        nb_get_retry nopreempt notification_email notification_email_from notify notify_backup notify_down
        notify_fault notify_master notify_stop notify_up omega password path persistence_granularity
        persistence_timeout plugin_dir preempt preempt_delay priority protocol quorum quorum_down quorum_up
        real_server retry rise router_id script smtp_alert smtp_connect_timeout smtp_server sorry_server
        state static_ipaddress static_routes status_code timeout track_interface track_script url use_vmac
        uthreshold virtual_ipaddress virtual_ipaddress_excluded virtual_router_id virtual_routes
        virtual_server virtual_server_group virtualhost vrrp_instance vrrp_script vrrp_sync_group weight
        """,
    "1.2.8": "ops unicast_peer",
    "1.2.10": "garp_master_refresh unicast_src_ip vmac_xmit_base vrrp_mcast_group4 vrrp_mcast_group6",
    "1.2.13": "bind_port fwmark sorry_server_inhibit warmup",
    "1.2.14": "garp_master_refresh_repeat garp_master_repeat",
    "1.2.17": "accept version",
    "1.2.20": """
        checker_no_swap checker_priority enable_snmp_checker enable_snmp_keepalived enable_snmp_rfc
        enable_snmp_rfcv2 enable_snmp_rfcv3 garp_lower_prio_delay garp_lower_prio_repeat ip_family
        lower_prio_no_advert lvs_sync_daemon persistence_engine skip_check_adv_addr smtp_helo_name
        snmp_socket static_rules strict_mode virtual_rules vrrp_check_unicast_src vrrp_garp_lower_prio_delay
        vrrp_garp_lower_prio_repeat vrrp_garp_master_delay vrrp_garp_master_refresh
        vrrp_garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_ipsets vrrp_iptables
        vrrp_lower_prio_no_advert vrrp_no_swap vrrp_priority vrrp_skip_check_adv_addr vrrp_strict
        vrrp_version
        """,
    "1.2.21": "garp_group garp_interval gna_interval interfaces vrrp_garp_interval vrrp_gna_interval",
    "1.2.23": "lvs_flush",
    "1.2.24": "default_interface instance lvs_timeouts net_namespace use_pid_dir",
    "1.3.0": """
        DNS_CHECK enable_dbus enable_script_security flag-1 flag-2 flag-3 hashed name namespace_with_ipsets
        no_accept promote_secondaries script_user sh-fallback sh-port type user
        """,
    "1.3.2": "init_fail",
    "1.3.5": "higher_prio_send_advert vrrp_higher_prio_send_advert",
    "1.3.6": """
        lvs_notify_fifo lvs_notify_fifo_script notify_fifo notify_fifo_script sorry_server_lvs_method
        vrrp_notify_fifo vrrp_notify_fifo_script
        """,
    "1.3.7": "bind_if dbus_service_name old_unicast_checksum",
    "1.4.3": "enable_sni",
    "2.0.0": """
        BFD_CHECK bfd_instance bfd_no_swap bfd_priority bfd_rlimit_rtime bfd_rt_priority checker
        checker_rlimit_rtime checker_rt_priority child_wait_time dynamic_interfaces enable_snmp_vrrp file
        hoplimit idle_tx init_file lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force
        lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force max_hops min_rx min_tx multiplier
        neighbor_ip neighbour_ip no_checker_emails no_email_faults passive rs_init_notifies
        smtp_alert_checker smtp_alert_vrrp source_ip sync_group_tracking_weight track_bfd track_file
        track_src_ip ttl vrrp vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force
        vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force vrrp_rlimit_rtime vrrp_rt_priority
        vrrp_track_file
        """,
    "2.0.3": "kernel_rx_buf_size track_group vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy",
    "2.0.6": "notify_master_rx_lower_pri",
    "2.0.7": "regex regex_max_offset regex_min_offset regex_no_match regex_options regex_stack",
    "2.0.9": "umask",
    "2.0.11": """
        checker_log_all_failures delay full_command log_all_failures nftables nftables_counters
        nftables_ifindex nftables_priority process process_monitor_rcv_bufs process_monitor_rcv_bufs_force
        track_process vrrp_track_process
        """,
    "2.0.12": "vrrp_min_garp",
    "2.0.13": "linkbeat_interfaces",
    "2.0.14": "vrrp_startup_delay",
    "2.0.15": "lvs_flush_onstop random_seed",
    "2.0.16": """
        bfd_process_name fork_delay log_unknown_vrids lvs_process_name notify_priority_changes param_match
        process_name process_names quorum_max terminate_delay vrrp_notify_priority_changes vrrp_process_name
        """,
    "2.0.17": """
        bfd_cpu_affinity checker_cpu_affinity fast_recovery http_protocol use_ipvlan vrrp_cpu_affinity
        """,
    "2.0.20": "mh-fallback mh-port",
    "2.1.0": """
        FILE_CHECK PING_CHECK UDP_CHECK bfd_rlimit_rttime check_unicast_src checker_rlimit_rttime
        max_auto_priority min_auto_priority_delay net_namespace_ipvs notify_deleted reload_repeat
        reload_time_file require_reply shutdown_script shutdown_script_timeout startup_script
        startup_script_timeout unicast_ttl vrrp_rlimit_rttime
        """,
    "2.2.0": """
        checker_process_name disable_local_igmp include_check lvs_flush_on_stop max_reply_length
        min_reply_length payload reload_check_config reload_file tmp_config_directory use_vmac_addr
        vmac_addr_prefix vmac_garp_intvl vmac_prefix vrrp_vmac_garp_intvl
        """,
    "2.2.2": "nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark",
    "2.2.3": """
        config_save_dir data_use_instance down_timer_adverts garp_extra_if interface_up_down_delays
        snmp_name vrrp_down_timer_adverts vrrp_garp_extra_if
        """,
    "2.2.5": "fifo_write_vrrp_states_on_reload mcast_dst_ip unicast_fault_no_peer vrf",
    "2.2.8": """
        json_version multihop no_virtual_ipaddress timer_expired_backup tls_compliant v3_checksum_as_v2
        """,
    "2.3.0": """
        dbus_no_interface_name snmp_rs_stats_update_interval snmp_vs_stats_update_interval use_symlink_paths
        """,
    "2.3.2": "iproute_etc_dir iproute_usr_dir thread_timer_expired",
    "2.3.3": """
        json_dump_file owner_ignore_adverts state_dump_file stats_dump_file vrrp_owner_ignore_adverts
        """,
    "2.4.0": "active_key anti_replay auth_hmac mode time_window vrrp_delay_after_boot",
    UNRELEASED: "set_supplementary_groups sni_name",
}
# The first release without them.
_REMOVED: Mapping[str, str] = {"nat_mask": "1.2.20", "plugin_dir": "1.2.20"}

# keyword -> the release that brought it
_FIRST: Mapping[str, str] = {word: release for release, words in _BROUGHT.items() for word in words.split()}
_READ_AS = "2.2.7"
_ORDER: Mapping[str, int] = {release: number for number, release in enumerate((*RELEASES, UNRELEASED))}


def release_named(text: str) -> str:
    """The release that a version means: 2.2.7 itself, 2.0 and 2 the first of those.

    Raises:
        ValueError: there is none, or none of which the keywords are known; the nearest is named.
    """
    wanted = text.removeprefix("v")
    for release in RELEASES:
        if release == wanted or (release.startswith(f"{wanted}.") and wanted):
            return release
    raise ValueError(f"the keywords of keepalived {text} are not known; the nearest release is {_nearest(wanted)}")


def _nearest(wanted: str) -> str:
    numbers = [int(part) for part in wanted.split(".")[:3] if part.isascii() and part.isdigit() and len(part) < 9]
    before = [one for one in RELEASES if [int(part) for part in one.split(".")] <= numbers]
    return before[-1] if before else RELEASES[0] if numbers else RELEASES[-1]


def is_newer(word: str) -> bool:
    """Whether keepalived 2.2.7, as which all is read here, does not know a keyword yet."""
    return word in _FIRST and _ORDER[_FIRST[word]] > _ORDER[_READ_AS]


def missing_keywords(parsed: ParsedConfig, release: str) -> tuple[Diagnostic, ...]:
    """What of a configuration a release does not know, each use with its line.

    Args:
        parsed: the configuration.
        release: one of RELEASES.
    """
    report = Report(parsed.config.filename)
    for line, word in parsed.keywords:
        for fault in _faults(word, release):
            report.error(line, fault, f"keepalived {release} calls it unknown and ignores the line")
    return report.diagnostics()


def _faults(word: str, release: str) -> Iterator[str]:
    first, removed = _FIRST.get(word), _REMOVED.get(word)
    if first is not None and _ORDER[first] > _ORDER[release]:
        since = f"a release after {RELEASES[-1]}" if first == UNRELEASED else f"keepalived {first}"
        yield f"'{word}' needs {since}; {release} does not have it"
    if removed is not None and _ORDER[removed] <= _ORDER[release]:
        yield f"'{word}' is gone since keepalived {removed}"
