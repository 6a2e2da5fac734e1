"""Which keywords must be written for a model's fields: those whose value would be another without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from vrrp.config.model import GlobalDefs, VrrpInstance
from vrrp.config.values import SECOND_NS
from vrrp.config.writer.text import on_off, seconds, statement, word

Settings = TypeVar("Settings", GlobalDefs, VrrpInstance)


def needed(
    wanted: Settings,
    table: Mapping[str, Callable[[Settings], str]],
    read: Callable[[list[str]], Settings | None],
) -> list[str]:
    """The lines that make keepalived read these settings.

    Args:
        wanted: what is to be read.
        table: by the field's name, the line that sets it.
        read: what is read with these lines; None when keepalived would not run it.
    """
    lines: dict[str, str] = {}
    # One after the other: a setting may be the default of one that stands behind it.
    while True:
        found = read(list(lines.values()))
        differing = (name for name in table if getattr(found, name, None) != getattr(wanted, name))
        name = next((name for name in differing if name not in lines), None)
        if name is None:
            break
        lines[name] = table[name](wanted)
    return list(lines.values())


def _seconds(keyword: str, field: str) -> Callable[[Settings], str]:
    return lambda settings: statement(keyword, seconds(getattr(settings, field)))


def _whole_seconds(keyword: str, field: str) -> Callable[[Settings], str]:
    return lambda settings: statement(keyword, getattr(settings, field) // SECOND_NS)


def _value(keyword: str, field: str) -> Callable[[Settings], str]:
    return lambda settings: statement(keyword, getattr(settings, field))


def _switch(keyword: str, field: str) -> Callable[[Settings], str]:
    return lambda settings: statement(keyword, on_off(getattr(settings, field)))


def _word(keyword: str, field: str) -> Callable[[Settings], str]:
    return lambda settings: statement(keyword, word(getattr(settings, field)))


def _alone(keyword: str) -> Callable[[Settings], str]:
    return lambda _: keyword


def _paired(field: str, keyword: str, opposite: str) -> Callable[[Settings], str]:
    return lambda settings: keyword if getattr(settings, field) else opposite


GLOBAL_SETTINGS: Mapping[str, Callable[[GlobalDefs], str]] = {
    "router_id": _word("router_id", "router_id"),
    "enable_script_security": _alone("enable_script_security"),
    "script_user": _value("script_user", "script_user"),
    "dynamic_interfaces": _alone("dynamic_interfaces"),
    "version": _value("vrrp_version", "version"),
    "multicast_group_v4": _value("vrrp_mcast_group4", "multicast_group_v4"),
    "multicast_group_v6": _value("vrrp_mcast_group6", "multicast_group_v6"),
    "strict": _alone("vrrp_strict"),
    "startup_delay_ns": _seconds("vrrp_startup_delay", "startup_delay_ns"),
    "delay_after_boot_ns": _seconds("vrrp_delay_after_boot", "delay_after_boot_ns"),
    "lower_prio_no_advert": _switch("vrrp_lower_prio_no_advert", "lower_prio_no_advert"),
    "higher_prio_send_advert": _switch("vrrp_higher_prio_send_advert", "higher_prio_send_advert"),
    "down_timer_adverts": _value("vrrp_down_timer_adverts", "down_timer_adverts"),
    "skip_check_adv_addr": _alone("vrrp_skip_check_adv_addr"),
    "check_unicast_src": _alone("vrrp_check_unicast_src"),
    "garp_master_delay_ns": _whole_seconds("vrrp_garp_master_delay", "garp_master_delay_ns"),
    "garp_master_repeat": _value("vrrp_garp_master_repeat", "garp_master_repeat"),
    "garp_master_refresh_ns": _whole_seconds("vrrp_garp_master_refresh", "garp_master_refresh_ns"),
    "garp_master_refresh_repeat": _value("vrrp_garp_master_refresh_repeat", "garp_master_refresh_repeat"),
    "garp_lower_prio_delay_ns": _whole_seconds("vrrp_garp_lower_prio_delay", "garp_lower_prio_delay_ns"),
    "garp_lower_prio_repeat": _value("vrrp_garp_lower_prio_repeat", "garp_lower_prio_repeat"),
    "garp_interval_ns": _seconds("vrrp_garp_interval", "garp_interval_ns"),
    "gna_interval_ns": _seconds("vrrp_gna_interval", "gna_interval_ns"),
    "v3_checksum_as_v2": _alone("v3_checksum_as_v2"),
    "owner_ignore_adverts": _alone("vrrp_owner_ignore_adverts"),
}

INSTANCE_SETTINGS: Mapping[str, Callable[[VrrpInstance], str]] = {
    "version": _value("version", "version"),
    "strict": _switch("strict_mode", "strict"),
    "initial_state": _value("state", "initial_state"),
    "priority": _value("priority", "priority"),
    "interval_cs": lambda one: statement("advert_int", seconds(one.interval_cs * SECOND_NS // 100)),
    "preempt": _paired("preempt", "preempt", "nopreempt"),
    "preempt_delay_ns": _seconds("preempt_delay", "preempt_delay_ns"),
    "accept": _paired("accept", "accept", "no_accept"),
    "unicast_source": _value("unicast_src_ip", "unicast_source"),
    "multicast_source": _value("mcast_src_ip", "multicast_source"),
    "multicast_group": _value("mcast_dst_ip", "multicast_group"),
    "unicast_ttl": _value("unicast_ttl", "unicast_ttl"),
    "unicast_fault_no_peer": _alone("unicast_fault_no_peer"),
    "check_unicast_src": _alone("check_unicast_src"),
    "vmac_xmit_base": _alone("vmac_xmit_base"),
    "dont_track_primary": _alone("dont_track_primary"),
    "garp_master_delay_ns": _whole_seconds("garp_master_delay", "garp_master_delay_ns"),
    "garp_master_repeat": _value("garp_master_repeat", "garp_master_repeat"),
    "garp_master_refresh_ns": _whole_seconds("garp_master_refresh", "garp_master_refresh_ns"),
    "garp_master_refresh_repeat": _value("garp_master_refresh_repeat", "garp_master_refresh_repeat"),
    "garp_lower_prio_delay_ns": _whole_seconds("garp_lower_prio_delay", "garp_lower_prio_delay_ns"),
    "garp_lower_prio_repeat": _value("garp_lower_prio_repeat", "garp_lower_prio_repeat"),
    "lower_prio_no_advert": _switch("lower_prio_no_advert", "lower_prio_no_advert"),
    "higher_prio_send_advert": _switch("higher_prio_send_advert", "higher_prio_send_advert"),
    "down_timer_adverts": _value("down_timer_adverts", "down_timer_adverts"),
    "timer_expired_backup": _value("timer_expired_backup", "timer_expired_backup"),
    "skip_check_adv_addr": _alone("skip_check_adv_addr"),
    "v3_checksum_as_v2": _alone("v3_checksum_as_v2"),
    "owner_ignore_adverts": _alone("owner_ignore_adverts"),
}
