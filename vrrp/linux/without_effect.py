"""Keywords of keepalived.conf that this daemon reads and does nothing with: nobody is to believe that they work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrrp.config.context import word_set
from vrrp.config.language.line import file_of
from vrrp.config.model import ParsedConfig

_SNMP = "--http has metrics for Prometheus"
_DBUS = "`vrrp status --json` tells the states"
_NETLINK = "the buffers for netlink have 4 MiB"
_NFTABLES = "the tables are called vrrp"
_NAMES = "the processes keep their names"
_NAMESPACE = "the daemon stays in its network namespace; `ip netns exec` starts it in another"
_VMAC_NAMES = "the interfaces are called vrrp.VRID"
_EXTRA = "addresses are announced as garp_master_refresh says, by the interface that they are on"
_RELOAD = "SIGHUP reads the file that was named at the start"
_BFD = "BFD sessions are taken to be up"
_LVS = "the kernel's IPVS is not told of it"
_MAIL = "mail is written of virtual routers; quorum_up, notify_up and the others run scripts"
_ONE_PROCESS = "all is one process, for which the settings that begin with vrrp_ hold"

WITHOUT_EFFECT: Mapping[str, str] = {
    **dict.fromkeys(
        word_set("""
        enable_snmp_checker enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3
        enable_snmp_vrrp enable_traps snmp_name snmp_socket
        """),
        _SNMP,
    ),
    **dict.fromkeys(("dbus_service_name", "enable_dbus"), _DBUS),
    **dict.fromkeys(
        word_set("""
        process_monitor_rcv_bufs process_monitor_rcv_bufs_force vrrp_netlink_cmd_rcv_bufs
        vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
        """),
        _NETLINK,
    ),
    **dict.fromkeys(
        word_set("""
        nftables nftables_counters nftables_ifindex nftables_priority vrrp_iptables
        """),
        _NFTABLES,
    ),
    **dict.fromkeys(
        word_set(
            "bfd_process_name checker_process_name lvs_process_name process_name process_names vrrp_process_name"
        ),
        _NAMES,
    ),
    **dict.fromkeys(("namespace_with_ipsets", "net_namespace", "net_namespace_ipvs"), _NAMESPACE),
    **dict.fromkeys(("vmac_addr_prefix", "vmac_prefix"), _VMAC_NAMES),
    **dict.fromkeys(("garp_extra_if", "vmac_garp_intvl", "vrrp_garp_extra_if", "vrrp_vmac_garp_intvl"), _EXTRA),
    **dict.fromkeys(
        ("config_save_dir", "reload_check_config", "reload_file", "reload_repeat", "reload_time_file"), _RELOAD
    ),
    **dict.fromkeys(
        word_set("""
        bfd_cpu_affinity bfd_instance bfd_no_swap bfd_priority bfd_rlimit_rtime bfd_rlimit_rttime bfd_rt_priority
        """),
        _BFD,
    ),
    **dict.fromkeys(
        word_set("""
        lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force
        lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force lvs_sync_daemon
        lvs_sync_daemon_interface lvs_timeouts nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark
        """),
        _LVS,
    ),
    **dict.fromkeys(
        word_set("""
        checker_cpu_affinity checker_no_swap checker_priority checker_rlimit_rtime checker_rlimit_rttime
        checker_rt_priority
        """),
        _ONE_PROCESS,
    ),
    "child_wait_time": "there are no child processes but scripts, which have a second to end",
    "data_use_instance": "no data is written to files; `vrrp status` tells it",
    "debug": "the log has always the same",
    "disable_local_igmp": "groups are reported as the kernel does",
    "fifo_write_vrrp_states_on_reload": "a reload is told only as far as it changes states",
    "garp_group": "vrrp_garp_interval holds for each interface",
    "instance": "the name changes no paths; --state-dir does",
    "kernel_rx_buf_size": "the kernel's own size holds",
    "linkbeat_interfaces": "the carrier is what netlink says",
    "linkbeat_use_polling": "the carrier is what netlink says",
    "log_unknown_vrids": "`vrrp status` counts them",
    "max_auto_priority": "vrrp_rt_priority gives a priority",
    "min_auto_priority_delay": "vrrp_rt_priority gives a priority",
    "old_unicast_checksum": "the checksum of version 3 has the pseudo-header, or v3_checksum_as_v2",
    "promote_secondaries": "with the first address of a network its others go, as the kernel has it",
    "random_seed": "nothing is drawn by lot",
    "tmp_config_directory": "what is read is not kept",
    **dict.fromkeys(("no_checker_emails", "smtp_alert_checker"), _MAIL),
    "track_src_ip": "an interface without any address to send from is as one that is down",
    "umask": "what scripts make is readable for their user alone",
    "use_pid_dir": "--state-dir says where the process number is",
    "vrf": "an instance needs an interface",
    "vrrp_rlimit_rtime": "vrrp_rt_priority has no limit",
    "vrrp_rlimit_rttime": "vrrp_rt_priority has no limit",
    "vrrp_rx_bufs_multiplier": "the kernel's own size holds",
    "vrrp_rx_bufs_policy": "the kernel's own size holds",
}
"""What is so instead, by keyword."""


def without_effect(parsed: ParsedConfig) -> Iterator[str]:
    """One line for each such keyword of a configuration, with the first place where it stands."""
    told = set()
    for line, keyword in parsed.keywords:
        if keyword in WITHOUT_EFFECT and keyword not in told:
            told.add(keyword)
            where = f"{file_of(line, parsed.config.filename)}:{line}"
            yield f"{where}: {keyword} has no effect here: {WITHOUT_EFFECT[keyword]}"
    alerts = [
        line
        for server in parsed.config.virtual_servers
        for line, wanted in (
            (server.line, server.smtp_alert),
            *((one.line, one.smtp_alert) for one in server.real_servers),
        )
        if wanted
    ]
    for line in alerts[:1]:
        yield f"{file_of(line, parsed.config.filename)}:{line}: smtp_alert has no effect here: {_MAIL}"
