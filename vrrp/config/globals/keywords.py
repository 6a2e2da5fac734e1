"""The one-line keywords of global_defs that take nothing unusual, and of what kind each is."""

from __future__ import annotations

from collections.abc import Mapping

from vrrp.config.kinds import Flag, Kind, Seconds, Switch, Whole, Word

LONGEST_US = 2**32 - 1
LONGEST_PROCESS_NAME = 15


def _counters(owner: str) -> dict[str, Kind]:
    """Numbers that an instance and global_defs have in common."""
    positive = Whole(
        complaint=owner + "{keyword} '{value}' invalid - ignoring",
        zero=owner + "{keyword} must be greater than 0, setting to 1",
    )
    return {
        "down_timer_adverts": Whole(1, 100, owner + "Invalid {keyword} [1:100] '{value}'"),
        "garp_lower_prio_delay": Whole(0, 4294, owner + "{keyword} '{value}' invalid - ignoring"),
        "garp_lower_prio_repeat": Whole(high=2**31 - 1, complaint=owner + "Invalid {keyword} '{value}'"),
        "garp_master_delay": Whole(0, 4294, owner + "{keyword} '{value}' invalid - ignoring"),
        "garp_master_refresh": Whole(complaint=owner + "Invalid {keyword} '{value}' - ignoring"),
        "garp_master_refresh_repeat": positive,
        "garp_master_repeat": positive,
    }


COUNTERS: Mapping[str, Kind] = _counters("({owner}): ")

_ON_OR_OFF = Switch("Invalid value for {keyword} specified")
_NAMED_ON_OR_OFF = Switch("Invalid value '{value}' for global {keyword} specified")
_BUFFERS = Whole(complaint="{keyword} size ({value}) invalid", missing="{keyword} size missing")
_PROCESS_NAME = Word(longest=LONGEST_PROCESS_NAME, too_long="Process name {value} more than 15 characters, truncating")
_SCRIPT_TIMEOUT = Whole(
    1, 1000, "{keyword} '{value}' must be in [1, 1000] - ignoring", missing="{keyword} requires value"
)


def _process_keywords() -> dict[str, Kind]:
    """What each of the processes has for itself."""
    kinds: dict[str, Kind] = {}
    for process in ("bfd", "checker", "vrrp"):
        limit = Whole(1, complaint=f"Invalid {process} real-time limit - {{value}}")
        kinds |= {
            f"{process}_no_swap": Flag(),
            f"{process}_priority": Whole(
                -20,
                19,
                f"Invalid {process} process priority specified",
                missing=f"No {process} process priority specified",
            ),
            f"{process}_process_name": _PROCESS_NAME,
            f"{process}_rlimit_rtime": limit,
            f"{process}_rlimit_rttime": limit,
        }
    return kinds


GLOBAL_KEYWORDS: Mapping[str, Kind] = {
    **{f"vrrp_{keyword}": kind for keyword, kind in _counters("").items()},
    **_process_keywords(),
    **dict.fromkeys(("vrrp_lower_prio_no_advert", "vrrp_higher_prio_send_advert", "vrrp_min_garp"), _ON_OR_OFF),
    **dict.fromkeys(
        (
            "lvs_netlink_cmd_rcv_bufs_force",
            "lvs_netlink_monitor_rcv_bufs_force",
            "no_checker_emails",
            "process_monitor_rcv_bufs_force",
            "rs_init_notifies",
            "smtp_alert",
            "smtp_alert_checker",
            "smtp_alert_vrrp",
            "vrrp_netlink_cmd_rcv_bufs_force",
            "vrrp_netlink_monitor_rcv_bufs_force",
            "vrrp_notify_priority_changes",
        ),
        _NAMED_ON_OR_OFF,
    ),
    **dict.fromkeys(
        (
            "lvs_netlink_cmd_rcv_bufs",
            "lvs_netlink_monitor_rcv_bufs",
            "process_monitor_rcv_bufs",
            "vrrp_netlink_cmd_rcv_bufs",
            "vrrp_netlink_monitor_rcv_bufs",
        ),
        _BUFFERS,
    ),
    **dict.fromkeys(
        (
            "disable_local_igmp",
            "enable_dbus",
            "enable_script_security",
            "enable_snmp_checker",
            "enable_snmp_keepalived",
            "enable_snmp_rfc",
            "enable_snmp_rfcv2",
            "enable_snmp_rfcv3",
            "enable_snmp_vrrp",
            "enable_traps",
            "fifo_write_vrrp_states_on_reload",
            "log_unknown_vrids",
            "lvs_flush",
            "nftables_counters",
            "nftables_ifindex",
            "no_email_faults",
            "process_names",
            "reload_check_config",
            "reload_file",
            "reload_repeat",
            "smtp_helo_name",
            "v3_checksum_as_v2",
            "vrrp_check_unicast_src",
            "vrrp_owner_ignore_adverts",
            "vrrp_skip_check_adv_addr",
            "vrrp_strict",
        ),
        Flag(),
    ),
    "checker_log_all_failures": _ON_OR_OFF,
    "config_save_dir": Word(),
    # The misspelling is keepalived's.
    "data_use_instance": Switch("Invalid value '{value}' for global date_use_instance specified"),
    "dbus_service_name": Word("dbus_service_name missing - ignoring"),
    "default_interface": Word("default_interface requires interface name"),
    "lvs_process_name": _PROCESS_NAME,
    "max_auto_priority": Whole(-1, 99, "{keyword} '{value}' must be in [0, 99] (or -1 to disable) - ignoring"),
    "min_auto_priority_delay": Whole(
        1,
        10_000_000,
        "{keyword} '{value}' must be in [1, 10000000] - ignoring",
        missing="min_auto_priority_delay requires delay time",
    ),
    "nftables_ipvs_priority": Whole(-(2**31), 2**31 - 1, "invalid ipvs nftables chain priority '{value}'"),
    "nftables_ipvs_start_fwmark": Whole(1, complaint="invalid ipvs nftables start_fwmark priority '{value}'"),
    "nftables_priority": Whole(-(2**31), 2**31 - 1, "invalid nftables chain priority '{value}'"),
    "notification_email_from": Word("emailfrom missing - ignoring"),
    "process_name": _PROCESS_NAME,
    "random_seed": Whole(complaint="random_seed {value} invalid"),
    "router_id": Word("routerid name missing - ignoring"),
    "shutdown_script_timeout": _SCRIPT_TIMEOUT,
    "smtp_connect_timeout": Whole(
        0,
        4294,
        "{keyword} '{value}' must be in [0, 4294] - ignoring",
        # The misspelling is keepalived's.
        zero="smtp_conect_timeout must be greater than 0, setting to 1",
    ),
    "startup_script_timeout": _SCRIPT_TIMEOUT,
    "tmp_config_directory": Word("{keyword} missing directory name", again="{keyword} already specified - ignoring"),
    "vmac_addr_prefix": Word(again="vmac_addr prefix has already been specified - ignoring {value}"),
    "vmac_prefix": Word(again="vmac prefix has already been specified - ignoring {value}"),
    "vrrp_garp_interval": Seconds(1, LONGEST_US, "{keyword} '{value}' is invalid"),
    "vrrp_gna_interval": Seconds(1, LONGEST_US, "{keyword} '{value}' is invalid"),
    "vrrp_startup_delay": Seconds(1000, LONGEST_US, "{keyword} '{value}' is invalid"),
    "vrrp_version": Whole(2, 3, "VRRP Error: Version must be either 2 or 3", whole_only=True),
}
