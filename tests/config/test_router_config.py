"""From keepalived.conf's model to what the protocol runs."""

from __future__ import annotations

import pytest

from vrrp.config import parse
from vrrp.config.router_config import Conversion, ConversionError, convert
from vrrp.protocol.profile import FRR, KEEPALIVED, RFC3768, RFC9568, Profile, profile_named
from vrrp.protocol.settings import (
    FileConfig,
    LinkDelays,
    PeerTtl,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.wire.address import pack
from vrrp.wire.checksum import ChecksumPolicy

SECOND_NS = 1_000_000_000


def converted(text: str, profile: Profile = KEEPALIVED) -> Conversion:
    return convert(parse(text, filename="k.conf").config, profile)


def instance(*lines: str, name: str = "VI_1", vrid: int = 51, addresses: str = "10.0.0.100/24") -> str:
    return "\n".join(
        [
            f"vrrp_instance {name} {{",
            "interface eth0",
            f"virtual_router_id {vrid}",
            *lines,
            f"virtual_ipaddress {{\n{addresses}\n}}",
            "}",
            "",
        ]
    )


def only(text: str, profile: Profile = KEEPALIVED) -> VirtualRouterConfig:
    (virtual_router,) = converted(text, profile).router.virtual_routers
    return virtual_router


def test_what_the_file_says_is_what_runs() -> None:
    one = only(instance("priority 150", "advert_int 2", "nopreempt", "use_vmac", "no_accept"))
    assert (one.name, one.interface, one.vrid, one.priority, one.interval_cs, one.version) == (
        "VI_1",
        "eth0",
        51,
        150,
        200,
        2,
    )
    assert (one.preempt, one.virtual_mac, one.accept, one.addresses) == (False, True, False, (pack("10.0.0.100"),))
    assert one.multicast_group == pack("224.0.0.18")


def test_the_password_is_the_one_on_the_wire() -> None:
    text = instance("authentication {\nauth_type PASS\nauth_pass P@##D321!\n}")
    assert (only(text).auth_type, only(text).auth_data) == (1, b"P@\0\0\0\0\0\0")


def test_the_password_of_an_authentication_header_is_never_sent() -> None:
    one = only(instance("authentication {\nauth_type AH\nauth_pass secret\n}"))
    assert (one.auth_type, one.auth_data, one.ah_key) == (2, bytes(8), b"secret")


def test_announcements_are_keepaliveds_under_its_profile_only() -> None:
    text = "global_defs {\nvrrp_garp_interval 0.2\nvrrp_garp_master_refresh 4\n}\n" + instance()
    plan = only(text).announcements
    assert plan is not None
    assert (plan.repeat, plan.again_after_ns, plan.refresh_ns) == (5, 5 * SECOND_NS, 4 * SECOND_NS)
    assert plan.spacing_ns == SECOND_NS // 5
    assert only(text, FRR).announcements is None


def test_ipv6_takes_the_other_spacing_and_group() -> None:
    text = "global_defs {\nvrrp_gna_interval 0.1\n}\n" + instance(addresses="fe80::100")
    plan = only(text).announcements
    assert plan is not None
    assert (plan.spacing_ns, only(text).version) == (SECOND_NS // 10, 3)
    assert only(text).multicast_group == pack("ff02::12")


def test_version_2_becomes_3_where_the_profile_speaks_nothing_else() -> None:
    done = converted(instance(), RFC9568)
    assert done.router.virtual_routers[0].version == 3
    assert done.notes == ("k.conf:1: (VI_1) profile rfc9568 speaks version 3, not 2",)
    assert converted(instance(), RFC3768).notes == ()


def test_unicast_peers_and_source() -> None:
    one = only(instance("unicast_src_ip 10.0.0.1", "unicast_peer {\n10.0.0.2\n}"))
    assert (one.source, one.unicast_peers) == (pack("10.0.0.1"), (pack("10.0.0.2"),))
    assert only(instance("mcast_src_ip 10.0.0.7")).source == pack("10.0.0.7")


def test_scripts_and_what_follows_them() -> None:
    script = 'vrrp_script chk {\nscript "/bin/true"\ninterval 3\ntimeout 2\nweight -2\nfall 10\nrise 2\n}\n'
    done = converted(script + instance("track_script {\nchk\n}", "track_interface {\neth1 weight 5\n}"))
    (config,) = done.router.scripts
    assert (config.interval_ns, config.timeout_ns, config.fall, config.rise) == (3 * SECOND_NS, 2 * SECOND_NS, 10, 2)
    assert done.router.virtual_routers[0].track_scripts == (TrackedScript("chk", -2),)
    assert done.router.virtual_routers[0].track_interfaces == (TrackedInterface("eth1", 5),)


def test_what_is_reversed() -> None:
    script = 'vrrp_script chk {\nscript "/bin/true"\nweight 3 reverse\n}\n'
    done = converted(script + instance("track_interface {\neth1 weight 5 reverse\n}", "track_script {\nchk\n}"))
    assert done.router.virtual_routers[0].track_interfaces == (TrackedInterface("eth1", 5, reverse=True),)
    assert done.router.virtual_routers[0].track_scripts == (TrackedScript("chk", 3, reverse=True),)


def test_a_sync_group_has_what_it_tracks() -> None:
    group = "vrrp_sync_group G1 {\ngroup {\nVI_1\nVI_2\n}\ntrack_interface {\neth9\n}\n}\n"
    done = converted(group + instance() + instance(name="VI_2", vrid=52, addresses="10.0.0.101/24"))
    (made,) = done.router.sync_groups
    assert made == SyncGroupConfig("G1", ("VI_1", "VI_2"), track_interfaces=(TrackedInterface("eth9"),))


def test_startup_delay_and_checksum() -> None:
    done = converted("global_defs {\nvrrp_startup_delay 4\n}\n" + instance("version 3", "v3_checksum_as_v2"))
    assert done.router.startup_delay_ns == 4 * SECOND_NS
    assert done.router.virtual_routers[0].checksum is ChecksumPolicy.PLAIN


def test_an_instance_without_addresses_cannot_be_run() -> None:
    config = parse("vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n}\n").config
    assert len(config.instances) == 1
    with pytest.raises(ValueError, match=r"^VI_1: a virtual router needs an address$") as caught:
        convert(config)
    assert isinstance(caught.value, ConversionError)
    assert caught.value.line == 1


def test_files_processes_and_what_follows_them() -> None:
    text = (
        "track_file load {\nfile /run/load\nweight -2 reverse\ninit_file 7\n}\n"
        "vrrp_track_process web {\nprocess nginx\nquorum 2\nquorum_max 9\ndelay 1.5\nweight 5\n}\n"
        "vrrp_sync_group G {\ngroup {\nVI_1\n}\ntrack_file {\nload weight 3\n}\ntrack_process {\nweb\n}\n}\n"
    )
    done = converted(text + instance("track_file {\nload\n}", "track_process {\nweb weight 0\n}"))
    assert done.router.files == (FileConfig("load", 7),)
    (web,) = done.router.processes
    assert (web.quorum, web.quorum_max, web.fork_delay_ns, web.terminate_delay_ns) == (
        2,
        9,
        1_500_000_000,
        1_500_000_000,
    )
    (group,) = done.router.sync_groups
    assert (group.track_files, group.track_processes) == (
        (TrackedFile("load", 3, reverse=True),),
        (TrackedProcess("web", 5),),
    )
    (one,) = done.router.virtual_routers
    assert one.track_processes == (TrackedProcess("web", 0),)


def test_bfd_is_noted() -> None:
    session = "bfd_instance peer {\nneighbor_ip 10.0.0.9\n}\n"
    done = converted(session + instance("track_bfd {\npeer\n}"))
    (note,) = done.notes
    assert note.endswith(": (VI_1) peer: BFD is not simulated; the session is taken to be up")


def test_ttls_of_unicast_peers() -> None:
    one = only(instance("unicast_ttl 64", "unicast_peer {\n10.0.0.2 min_ttl 60 max_ttl 70\n10.0.0.3\n}"))
    assert one.ttl == 64
    assert one.peer_ttls == (PeerTtl(pack("10.0.0.2"), 60, 70),)


def test_a_release_of_keepalived_announces_as_its_file_says() -> None:
    plan = converted(instance("garp_master_repeat 2"), profile_named("keepalived-2.3.4")).router.virtual_routers[0]
    assert plan.announcements is not None
    assert plan.announcements.repeat == 2


def test_delays_of_links() -> None:
    done = converted("interface_up_down_delays {\neth0 0.5 1.5\n}\n" + instance())
    assert done.router.link_delays == (LinkDelays("eth0", 1_500_000_000, 500_000_000),)


@pytest.mark.parametrize(
    ("lines", "longest_us"),
    [
        ("", 1_996_094),
        ("advert_int 2", 3_992_188),
        ("version 3\nadvert_int 0.5", 998_047),
        ("down_timer_adverts 2", 996_094),
        ("down_timer_adverts 1", 0),
        ("down_timer_adverts 5\nadvert_int 3", 11_988_282),
    ],
)
def test_delays_of_the_own_link_are_shortened(lines: str, longest_us: int) -> None:
    done = converted("interface_up_down_delays {\neth0 50 60\neth1 7\n}\n" + instance(lines))
    longest_ns = longest_us * 1000
    assert done.router.link_delays == (
        LinkDelays("eth0", longest_ns, longest_ns),
        LinkDelays("eth1", 0, 7_000_000_000),
    )


def test_unicast_without_peers_is_noted() -> None:
    text = instance("unicast_fault_no_peer")
    (note,) = converted(text).notes
    assert note.endswith("unicast_fault_no_peer: keepalived stays in FAULT without peers, here it is multicast")
    assert (
        converted(text.replace("unicast_fault_no_peer", "unicast_fault_no_peer\nunicast_peer {\n10.0.0.9\n}")).notes
        == ()
    )
