"""From what keepalived.conf says to what the protocol runs."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.devices import followed_devices
from vrrp.config.model import KeepalivedConfig, SyncGroup, VrrpInstance
from vrrp.protocol.profile import KEEPALIVED, Profile
from vrrp.protocol.settings import (
    Announcements,
    FileConfig,
    LinkDelays,
    PeerTtl,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.wire.advertisement import AUTHENTICATION_HEADER, SIMPLE_PASSWORD
from vrrp.wire.checksum import ChecksumPolicy


@dataclass(frozen=True, slots=True)
class Conversion:
    """The router's configuration, and one line for each thing that is not as the file has it."""

    router: RouterConfig
    notes: tuple[str, ...]


class ConversionError(ValueError):
    """A vrrp_instance that no router can run; `line` is where it begins."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def convert(config: KeepalivedConfig, profile: Profile = KEEPALIVED) -> Conversion:
    """What a router of this profile runs with a keepalived.conf.

    Other profiles know no keepalived.conf; they take from it what they have, and announce addresses in their
    own way. A version 2 instance becomes version 3 where the profile speaks nothing else. ConversionError for an
    instance that cannot be run, such as one without addresses.
    """
    notes: list[str] = []
    routers = []
    for instance in config.instances:
        try:
            routers.append(_virtual_router(instance, config, profile, notes))
        except ValueError as error:
            raise ConversionError(instance.line, str(error)) from error
    return Conversion(
        RouterConfig(
            virtual_routers=tuple(routers),
            scripts=tuple(
                ScriptConfig(
                    name=script.name,
                    interval_ns=script.interval_ns,
                    timeout_ns=script.timeout_ns,
                    rise=script.rise,
                    fall=script.fall,
                    init_fail=script.init_fail,
                )
                for script in config.scripts.values()
            ),
            files=tuple(FileConfig(file.name, file.initial or 0) for file in config.track_files.values()),
            processes=tuple(
                ProcessConfig(
                    name=process.name,
                    quorum=process.quorum,
                    quorum_max=process.quorum_max,
                    fork_delay_ns=process.fork_delay_ns,
                    terminate_delay_ns=process.terminate_delay_ns,
                )
                for process in config.track_processes.values()
            )
            + tuple(ProcessConfig(name=check_name(name), judged=True) for name in config.checks),
            link_delays=tuple(LinkDelays(one.interface, one.up_ns, one.down_ns) for one in config.link_delays),
            sync_groups=tuple(
                SyncGroupConfig(
                    group.name,
                    group.members,
                    group.tracking_weight,
                    *_followed(config, group, f"{config.filename}:{group.line}: ({group.name})", notes),
                )
                for group in config.sync_groups
            ),
            startup_delay_ns=config.globals.startup_delay_ns,
        ),
        tuple(notes),
    )


def _virtual_router(
    instance: VrrpInstance,
    config: KeepalivedConfig,
    profile: Profile,
    notes: list[str],
) -> VirtualRouterConfig:
    where = f"{config.filename}:{instance.line}: ({instance.name})"
    version: int = instance.version
    if version == 2 and 2 not in profile.versions:
        version = profile.versions[0]
        notes.append(f"{where} profile {profile.name} speaks version {version}, not 2")
    if instance.unicast_fault_no_peer and not instance.unicast_peers:
        notes.append(f"{where} unicast_fault_no_peer: keepalived stays in FAULT without peers, here it is multicast")
    auth_type, auth_data, ah_key = 0, b"", b""
    if instance.authentication is not None and version == 2:
        auth_type, auth_data = SIMPLE_PASSWORD, instance.authentication.password
        if instance.authentication.kind == "AH":
            auth_type, auth_data, ah_key = AUTHENTICATION_HEADER, b"", auth_data
    source = instance.unicast_source or instance.multicast_source
    scripts, interfaces, files, processes = _followed(config, instance, where, notes)
    return VirtualRouterConfig(
        vrid=instance.vrid,
        name=instance.name,
        interface=instance.interface,
        version=version,
        priority=instance.priority,
        interval_cs=instance.interval_cs,
        addresses=[virtual.address for virtual in instance.addresses],
        excluded_addresses=[virtual.address for virtual in instance.excluded_addresses],
        preempt=instance.preempt,
        preempt_delay_ns=instance.preempt_delay_ns,
        accept=instance.accept,
        state_master=instance.initial_state == "MASTER",
        auth_type=auth_type,
        auth_data=auth_data,
        ah_key=ah_key,
        checksum=ChecksumPolicy.PLAIN if instance.v3_checksum_as_v2 else None,
        source=source,
        unicast_peers=instance.unicast_peers,
        check_unicast_source=instance.check_unicast_src and bool(instance.unicast_peers),
        ttl=instance.unicast_ttl,
        peer_ttls=tuple(PeerTtl(peer.packed, *bounds) for peer, bounds in instance.unicast_peer_ttl.items()),
        group=instance.multicast_group,
        announcements=_announcements(instance) if profile.announcements_configured else None,
        lower_prio_no_advert=instance.lower_prio_no_advert,
        higher_prio_send_advert=instance.higher_prio_send_advert,
        down_timer_adverts=instance.down_timer_adverts,
        skip_check_adv_addr=instance.skip_check_adv_addr,
        owner_ignore_adverts=instance.owner_ignore_adverts,
        virtual_mac=instance.use_vmac,
        transmit_from_base=instance.vmac_xmit_base,
        track_scripts=scripts,
        track_interfaces=interfaces + tuple(map(TrackedInterface, followed_devices(config, instance))),
        track_files=files,
        track_processes=processes,
        track_own_interface=not instance.dont_track_primary,
    )


def check_name(name: str) -> str:
    """What a check is called among what is followed: no process has a blank in its name."""
    return f"check {name}"


def _followed(
    config: KeepalivedConfig, follower: VrrpInstance | SyncGroup, where: str, notes: list[str]
) -> tuple[
    tuple[TrackedScript, ...],
    tuple[TrackedInterface, ...],
    tuple[TrackedFile, ...],
    tuple[TrackedProcess, ...],
]:
    """What an instance or group follows, as the protocol has it; a BFD session is noted, not followed.

    A check is to the protocol what a process is that runs once or not at all.
    """
    kind = "vrrp_instance" if isinstance(follower, VrrpInstance) else "vrrp_sync_group"
    notes += [f"{where} {one.name}: BFD is not simulated; the session is taken to be up" for one in follower.track_bfd]
    return (
        tuple(TrackedScript(one.name, one.weight, one.reverse) for one in follower.track_scripts),
        tuple(TrackedInterface(one.name, one.weight, one.reverse) for one in follower.track_interfaces),
        tuple(TrackedFile(one.name, one.weight, one.reverse) for one in follower.track_files),
        tuple(TrackedProcess(one.name, one.weight, one.reverse) for one in follower.track_processes)
        + tuple(
            TrackedProcess(check_name(one.name), one.weight, one.reverse)
            for one in config.tracked_checks
            if one.follower == (kind, follower.name)
        ),
    )


def _announcements(instance: VrrpInstance) -> Announcements:
    spacing_ns = instance.gna_interval_ns if instance.multicast_group.version == 6 else instance.garp_interval_ns
    return Announcements(
        repeat=instance.garp_master_repeat,
        again_after_ns=instance.garp_master_delay_ns,
        refresh_ns=instance.garp_master_refresh_ns,
        refresh_repeat=instance.garp_master_refresh_repeat,
        lower_repeat=instance.garp_lower_prio_repeat,
        lower_again_after_ns=instance.garp_lower_prio_delay_ns,
        spacing_ns=spacing_ns,
    )
