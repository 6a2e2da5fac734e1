"""The keywords of keepalived.conf and where each may stand: keepalived 2.2.7, measured keyword by keyword.

Keywords of later versions are named with the version that brought them: 2.2.7 calls them unknown.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from vrrp.config.context import Context, Naming, word_set
from vrrp.config.lvs.grammar import LVS_CONTEXTS

_LONGEST_KEYWORD = 40

_NOTIFY = frozenset({"notify", "notify_backup", "notify_fault", "notify_master", "notify_stop"})
_TRACK = frozenset({"track_bfd", "track_file", "track_interface", "track_process", "track_script"})

AUTHENTICATION = Context("authentication", frozenset({"auth_type", "auth_pass"}))

VRRP_INSTANCE = Context(
    "vrrp_instance",
    _NOTIFY
    | word_set("""
        accept advert_int check_unicast_src debug dont_track_primary down_timer_adverts garp_extra_if
        garp_lower_prio_delay garp_lower_prio_repeat garp_master_delay garp_master_refresh
        garp_master_refresh_repeat garp_master_repeat higher_prio_send_advert interface kernel_rx_buf_size
        linkbeat_use_polling lower_prio_no_advert lvs_sync_daemon_interface mcast_dst_ip mcast_src_ip
        native_ipv6 no_accept nopreempt notify_deleted notify_master_rx_lower_pri notify_priority_changes
        old_unicast_checksum preempt preempt_delay priority promote_secondaries skip_check_adv_addr smtp_alert
        state strict_mode track_src_ip unicast_fault_no_peer unicast_src_ip unicast_ttl use_ipvlan use_vmac
        use_vmac_addr version virtual_router_id vmac_garp_intvl vmac_xmit_base vrf
        """),
    tables={"authentication": AUTHENTICATION},
    lists=_TRACK | word_set("unicast_peer virtual_ipaddress virtual_ipaddress_excluded virtual_routes virtual_rules"),
    newer={
        "auth_hmac": "2.4.0",
        "owner_ignore_adverts": "2.3.3",
        "timer_expired_backup": "2.2.8",
        "v3_checksum_as_v2": "2.2.8",
    },
    naming=Naming("vrrp_instance must have a name", alone=True, taken="vrrp instance {} already defined"),
)

VRRP_SYNC_GROUP = Context(
    "vrrp_sync_group",
    _NOTIFY | {"global_tracking", "notify_priority_changes", "smtp_alert", "sync_group_tracking_weight"},
    lists=_TRACK | {"group"},
    once=frozenset({"group"}),
    naming=Naming(
        "vrrp_sync_group must have a name - skipping", alone=True, taken="vrrp sync group {} already defined"
    ),
)

VRRP_SCRIPT = Context(
    "vrrp_script",
    frozenset({"fall", "init_fail", "interval", "rise", "script", "timeout", "user", "weight"}),
    naming=Naming(),
)

TRACK_FILE = Context("track_file", frozenset({"file", "init_file", "weight"}), naming=Naming())
# The old name of the same.
VRRP_TRACK_FILE = replace(TRACK_FILE, name="vrrp_track_file")

VRRP_TRACK_PROCESS = Context(
    "vrrp_track_process",
    word_set("""
        delay fork_delay full_command param_match process quorum quorum_max terminate_delay weight
        """),
    naming=Naming(),
)

BFD_INSTANCE = Context(
    "bfd_instance",
    word_set(
        "checker hoplimit idle_tx max_hops min_rx min_tx multiplier neighbor_ip passive source_ip ttl vrrp weight"
    ),
    newer={"multihop": "2.3.0"},
    naming=Naming(
        crashes=True,
        taken="BFD {0} already specified: Configuration error: BFD instance {0} already configured - ignoring",
        longest=31,
        too_long="BFD name {0} too long: Configuration error: BFD instance {0} name too long (maximum length is"
        " 31 characters) - ignoring",
    ),
)

TRACK_GROUP = Context(
    "track_group",
    frozenset(),
    lists=frozenset({"group"}),
    once=frozenset({"group"}),
    naming=Naming("track_group must have a name - skipping", alone=True, taken="track_group {} already defined"),
)

GARP_GROUP = Context(
    "garp_group", frozenset({"garp_interval", "gna_interval", "interface"}), lists=frozenset({"interfaces"})
)

GLOBAL_DEFS = Context(
    "global_defs",
    word_set("""
        bfd_cpu_affinity bfd_no_swap bfd_priority bfd_process_name bfd_rlimit_rtime bfd_rlimit_rttime
        bfd_rt_priority checker_cpu_affinity checker_log_all_failures checker_no_swap checker_priority
        checker_process_name checker_rlimit_rtime checker_rlimit_rttime checker_rt_priority config_save_dir
        data_use_instance dbus_service_name default_interface disable_local_igmp dynamic_interfaces enable_dbus
        enable_script_security enable_snmp_checker enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2
        enable_snmp_rfcv3 enable_snmp_vrrp enable_traps fifo_write_vrrp_states_on_reload include_check
        log_unknown_vrids lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_netlink_cmd_rcv_bufs
        lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force
        lvs_notify_fifo lvs_notify_fifo_script lvs_process_name lvs_sync_daemon lvs_timeouts max_auto_priority
        min_auto_priority_delay nftables nftables_counters nftables_ifindex nftables_ipvs
        nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_priority no_checker_emails no_email_faults
        notification_email_from notify_fifo notify_fifo_script process_monitor_rcv_bufs
        process_monitor_rcv_bufs_force process_name process_names random_seed reload_check_config reload_file
        reload_repeat reload_time_file router_id rs_init_notifies script_user shutdown_script
        shutdown_script_timeout smtp_alert smtp_alert_checker smtp_alert_vrrp smtp_connect_timeout
        smtp_helo_name smtp_server snmp_socket startup_script startup_script_timeout tmp_config_directory umask
        vmac_addr_prefix vmac_prefix vrrp_check_unicast_src vrrp_cpu_affinity vrrp_down_timer_adverts
        vrrp_garp_extra_if vrrp_garp_interval vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat
        vrrp_garp_master_delay vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat
        vrrp_garp_master_repeat vrrp_gna_interval vrrp_higher_prio_send_advert vrrp_iptables
        vrrp_lower_prio_no_advert vrrp_mcast_group4 vrrp_mcast_group6 vrrp_min_garp
        vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
        vrrp_netlink_monitor_rcv_bufs_force vrrp_no_swap vrrp_notify_fifo vrrp_notify_fifo_script
        vrrp_notify_priority_changes vrrp_priority vrrp_process_name vrrp_rlimit_rtime vrrp_rlimit_rttime
        vrrp_rt_priority vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy vrrp_skip_check_adv_addr
        vrrp_startup_delay vrrp_strict vrrp_version vrrp_vmac_garp_intvl
        """),
    lists=frozenset({"notification_email"}),
    newer={"v3_checksum_as_v2": "2.2.8", "vrrp_delay_after_boot": "2.4.0", "vrrp_owner_ignore_adverts": "2.3.3"},
)

FILE = Context(
    "",
    word_set("""
        child_wait_time instance linkbeat_use_polling namespace_with_ipsets net_namespace net_namespace_ipvs
        use_pid_dir
        """),
    tables={
        context.name: context
        for context in (
            GLOBAL_DEFS,
            VRRP_SCRIPT,
            VRRP_SYNC_GROUP,
            VRRP_INSTANCE,
            TRACK_FILE,
            VRRP_TRACK_FILE,
            VRRP_TRACK_PROCESS,
            BFD_INSTANCE,
            TRACK_GROUP,
            GARP_GROUP,
            *LVS_CONTEXTS,
        )
    },
    lists=word_set("""
        interface_up_down_delays linkbeat_interfaces static_ipaddress static_routes static_rules
        """),
    named_lists=frozenset({"virtual_server_group"}),
)


@dataclass(frozen=True, slots=True)
class Process:
    """One of keepalived's processes: each reads the whole file again, and these of its blocks; it skips the others.

    What it says of a file depends on it where a brace is missing or too many.
    """

    name: str
    reads: frozenset[str]


PARENT = Process("parent", frozenset({"global_defs"}))
CHECKER = Process(
    "checker", word_set("SSL bfd_instance track_file virtual_server virtual_server_group vrrp_track_file")
)
VRRP = Process(
    "vrrp",
    word_set("""
        bfd_instance garp_group interface_up_down_delays linkbeat_interfaces static_ipaddress static_routes
        static_rules track_file track_group vrrp_instance vrrp_script vrrp_sync_group vrrp_track_file
        vrrp_track_process
        """),
)
BFD = Process("bfd", frozenset({"bfd_instance"}))
# In the order in which `keepalived -t` has them read the file.
PROCESSES = (PARENT, CHECKER, VRRP, BFD)

# What `vrrp run` reads beyond keepalived; see `additions`.
ADDITIONS = frozenset({"check", "track_check"})

# Newer keywords that are read all the same.
HONOURED = frozenset({"owner_ignore_adverts", "v3_checksum_as_v2", "vrrp_owner_ignore_adverts"})

CONTEXTS = (FILE, *FILE.tables.values(), AUTHENTICATION)


def advice(word: str, context: Context) -> str:
    """What the writer of an unknown keyword may have meant.

    Args:
        word: the keyword.
        context: the block in which it stands.

    Returns:
        A clause to hang on a sentence, or "" when nothing is near.
    """
    if word in context.newer:
        since = context.newer[word]
        if word in HONOURED:
            return f" before version {since}; it is read here as {since} reads it"
        return f"; it needs keepalived {since} or later"
    if "vrrp_" + word in GLOBAL_DEFS.statements:
        return f"; global_defs has 'vrrp_{word}'"
    if word in ADDITIONS:
        return "; only vrrp run knows it"
    homes = [other for other in CONTEXTS if word in other.keywords()]
    if homes:
        return f"; it belongs in {homes[0].name}" if homes[0].name else "; it belongs outside of all blocks"
    if len(word) <= _LONGEST_KEYWORD:
        for near in difflib.get_close_matches(word, sorted(context.keywords()), n=1):
            return f"; did you mean '{near}'?"
    return ""
