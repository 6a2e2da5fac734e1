"""What keepalived 2.2.7 puts on the wire (section 8 of the measurements): packets, and announcements.

Expected values are those of the recordings, which name the tests; the simulation has to show the same.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import pytest

from fidelity.recording import MS_NS
from fidelity.story import S_NS, Advert, Story, both, folder_of
from vrrp.config import load
from vrrp.wire.address import text
from vrrp.wire.arp import REQUEST, ArpPacket
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.ethernet import BROADCAST
from vrrp.wire.neighbor import NeighborAdvertisement


def ip_packet(advert: Advert) -> bytes:
    """The IPv4 packet in an advertisement's frame, which may be padded."""
    raw = advert.frame.raw
    return raw[14 : 14 + int.from_bytes(raw[16:18], "big")]


def burst(story: Story, router: str) -> tuple[Advert, list[int]]:
    """A new master's first advertisement, and when its first announcements came after it, in nanoseconds."""
    first = story.from_router(router)[0]
    ours = [a.at_ns for a in story.announcements if a.router in (router, "virtual")]
    return first, [at_ns - first.at_ns for at_ns in ours if first.at_ns <= at_ns < first.at_ns + 50 * MS_NS]


def test_basic3_v2_is_40_bytes_for_one_address_with_eight_of_authentication() -> None:
    for story in both("basic3_v2"):
        for advert in story.adverts:
            packet = ip_packet(advert)
            assert len(packet) == 40
            assert packet[20] == 0x21
            assert packet[32:] == bytes(8)


def test_auth_pass_ok_the_checksum_of_version_2_is_plain_and_covers_the_password() -> None:
    for story in both("auth_pass_ok"):
        for advert in story.adverts:
            message = ip_packet(advert)[20:]
            words = sum(int.from_bytes(message[at : at + 2], "big") for at in range(0, len(message), 2))
            assert words % 0xFFFF == 0


def test_basic3_v2_the_header_ttl_tos_no_fragmentation_flag_no_options() -> None:
    for story in both("basic3_v2"):
        for advert in story.adverts:
            packet = ip_packet(advert)
            assert (packet[0], packet[1], packet[6:8], packet[8]) == (0x45, 0xC0, bytes(2), 255)
            assert advert.frame.destination == bytes.fromhex("01005e000012")


def test_seed_k8s_backup_packets_are_numbered_from_1_and_the_goodbye_too() -> None:
    for story in both("seed_k8s_backup"):
        for router in ("r1", "r2"):
            numbers = [advert.identification for advert in story.from_router(router)]
            assert numbers == list(range(1, len(numbers) + 1))
        assert story.from_router("r1")[-1].priority == 0


def test_sync_group_each_virtual_router_numbers_its_own_packets() -> None:
    for story in both("sync_group"):
        for vrid in (51, 52):
            numbers = [advert.identification for advert in story.from_router("r1", before_ns=6 * S_NS, vrid=vrid)]
            assert numbers == [1, 2, 3]


def test_mixed_sync_partition_goodbyes_that_cannot_leave_are_numbered_all_the_same() -> None:
    """VI_2 said two into the cut cable and VI_1 one: the next of VI_2 has a number more."""
    for story in both("mixed_sync_partition"):
        last = [story.from_router("r1", 22 * S_NS, vrid=vrid)[-1].identification for vrid in (51, 52)]
        assert last == [20, 21]


def test_v3_basic_the_checksum_of_version_3_covers_a_pseudo_header() -> None:
    for story in both("v3_basic"):
        assert {advert.advertisement.checksum_form for advert in story.adverts} == {ChecksumForm.PSEUDO_HEADER}
        assert {len(ip_packet(advert)) for advert in story.adverts} == {32}


def test_unicast_v3_the_pseudo_header_has_the_peers_address() -> None:
    for story in both("unicast_v3"):
        assert {advert.advertisement.checksum_form for advert in story.adverts} == {ChecksumForm.PSEUDO_HEADER}
        for advert in story.from_router("r1"):
            assert ip_packet(advert)[16:20] == bytes((10, 0, 0, 2))
            assert advert.frame.destination == bytes.fromhex("020000000002")


def test_unicast_v3_addresses_are_in_the_order_of_the_file() -> None:
    for story in both("unicast_v3"):
        for advert in story.adverts:
            assert [text(a) for a in advert.advertisement.addresses] == ["10.0.0.101", "10.0.0.100"]


def test_mixed_vips_excluded_are_not_listed_but_announced() -> None:
    for story in both("mixed_vips_excluded"):
        listed = ["10.0.0.100", "10.0.0.101", "10.0.0.99"]
        assert {tuple(text(a) for a in advert.advertisement.addresses) for advert in story.adverts} == {tuple(listed)}
        told = [one.address for one in story.batches("r1")[0]]
        assert told == [*listed, "2001:db8::5", "10.0.0.105"] * 5


def test_ipv6_version2_becomes_version_3_over_ipv6() -> None:
    for story in both("ipv6_version2"):
        for advert in story.adverts:
            raw = advert.frame.raw
            assert raw[12:14] == b"\x86\xdd"
            assert advert.advertisement.version == 3
            assert (raw[14] & 15) << 4 | raw[15] >> 4 == 0xC0
            assert raw[21] == 255
            assert advert.frame.destination == bytes.fromhex("333300000012")


def test_v6_pair_sends_from_the_virtual_mac_of_ipv6() -> None:
    for story in both("v6_pair"):
        assert {advert.frame.source for advert in story.adverts} == {bytes.fromhex("00005e000233")}


def test_auth_v3_version_3_has_no_authentication() -> None:
    for story in both("auth_v3"):
        assert {len(ip_packet(advert)) for advert in story.adverts} == {32}
    parsed = load(folder_of("auth_v3") / "r1.conf", environment={})
    assert any("does not support authentication" in d.message for d in parsed.diagnostics)


def test_vmac_v2_all_frames_come_from_the_virtual_mac() -> None:
    for story in both("vmac_v2"):
        assert {advert.frame.source for advert in story.adverts} == {bytes.fromhex("00005e000133")}
        assert {one.frame.source for one in story.announcements} == {bytes.fromhex("00005e000133")}


def test_vmac_v3_xmit_base_advertises_from_the_own_and_announces_from_the_virtual_mac() -> None:
    for story in both("vmac_v3_xmit_base"):
        assert {advert.frame.source[:5] for advert in story.adverts} == {bytes.fromhex("0200000000")}
        assert {one.frame.source for one in story.announcements} == {bytes.fromhex("00005e000133")}


def test_basic3_v2_announces_with_an_arp_request_to_all() -> None:
    for story in both("basic3_v2"):
        assert story.announcements
        for one in story.announcements:
            arp = one.frame.content
            assert isinstance(arp, ArpPacket)
            assert arp.operation == REQUEST
            assert arp.sender == arp.target == bytes((10, 0, 0, 100))
            assert (arp.sender_mac, arp.target_mac) == (one.frame.source, BROADCAST)
            assert one.frame.destination == BROADCAST


def test_ipv6_version2_announces_with_an_unsolicited_neighbor_advertisement() -> None:
    for story in both("ipv6_version2"):
        assert story.announcements
        for one in story.announcements:
            told = one.frame.content
            assert isinstance(told, NeighborAdvertisement)
            assert (told.router, told.solicited, told.override) == (False, False, True)
            assert text(one.frame.raw[22:38]) == "fe80::100"
            assert text(one.frame.raw[38:54]) == "ff02::1"


@pytest.mark.parametrize(
    ("name", "router"),
    [
        ("inject_master_v2", "r1"),
        ("v3_basic", "r1"),
        ("notify_scripts", "r1"),
        ("vmac_v2", "r2"),
        ("equal_prio", "r1"),
    ],
)
def test_the_first_advertisement_then_five_announcements(name: str, router: str) -> None:
    for story in both(name):
        first, after_ns = burst(story, router)
        assert first.priority
        assert len(after_ns) == 5
        assert 0.1 * MS_NS < after_ns[0] < 0.7 * MS_NS
        assert median(b - a for a, b in pairwise(after_ns)) < 0.1 * MS_NS


@pytest.mark.parametrize(("name", "router"), [("seed_k8s_backup", "r1"), ("unicast_v3", "r1"), ("own_link", "r2")])
def test_five_more_come_five_seconds_later(name: str, router: str) -> None:
    for story in both(name):
        batches = story.batches(router)[:2]
        if name != "unicast_v3":
            assert [len(batch) for batch in batches] == [5, 5]
            assert (batches[1][0].at_ns - batches[0][0].at_ns) / S_NS == pytest.approx(5.0, abs=0.002)
        else:
            # Two addresses, and stopped before the five seconds were over.
            assert [[one.address for one in batch] for batch in batches] == [["10.0.0.101", "10.0.0.100"] * 5]


def test_garp_refresh_comes_with_the_first_advertisement_after_its_time() -> None:
    """Two addresses, repeat 3, again after 2 s, refresh each 4 s with repeat 2; on the advertisements' beat."""
    for story in both("garp_refresh"):
        begun = story.became("r1", "MASTER")[0]
        seen = [(round((batch[0].at_ns - begun) / MS_NS), len(batch)) for batch in story.batches("r1")]
        assert [count for _, count in seen] == [6, 6, 4, 4, 4]
        assert [at_ms for at_ms, _ in seen] == [pytest.approx(at, abs=2) for at in (0, 2000, 4001, 8001, 12002)]
        for batch in story.batches("r1")[2:]:
            assert min(abs(batch[0].at_ns - advert.at_ns) for advert in story.adverts) < 0.5 * MS_NS


def test_garp_interval_global_collapses_the_repeats() -> None:
    """Two addresses five times each, 0.2 s apart: three packets."""
    for story in both("garp_interval_global"):
        told = story.announced("r2")
        assert [one.address for one in told] == ["10.0.0.100", "10.0.0.100", "10.0.0.101"] * 2
        times = [(one.at_ns - told[0].at_ns) / S_NS for one in told]
        assert times == [pytest.approx(at, abs=0.002) for at in (0, 0.2, 0.4, 3.0, 3.2, 3.4)]


def test_garp_paced_with_one_round_there_is_nothing_to_collapse() -> None:
    """Three addresses, 0.2 s apart: four packets for five rounds, three for one."""
    last = ["10.0.0.101", "10.0.0.102"]
    for story in both("garp_paced"):
        assert [one.address for one in story.announced("r1")] == ["10.0.0.100", "10.0.0.100", *last] * 2
        assert [one.address for one in story.announced("r2")] == ["10.0.0.100", *last] * 2


def test_garp_interval_in_an_instance_is_an_unknown_keyword() -> None:
    parsed = load(folder_of("garp_interval") / "r1.conf", environment={})
    assert any("garp_interval" in d.message and "nknown keyword" in d.message for d in parsed.diagnostics)
    for story in both("garp_interval"):
        first = story.batches("r1")[0]
        assert len(first) == 5
        assert first[-1].at_ns - first[0].at_ns < 1 * MS_NS
