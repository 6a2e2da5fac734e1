"""What holds for every message: bytes to meaning and back, held against the plain reading in `plain`."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vrrp.wire.address import AnyAddress
from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy, complement, pseudo_residue, residue
from vrrp.wire.errors import DecodeError, DecodeReason
from wire import plain
from wire.strategies import FORMS, addresses, advertisements, endpoints, mutilated, nearly_messages, said

SOURCE, DESTINATION = ip_address("10.0.0.2").packed, ip_address("224.0.0.18").packed
V2 = bytes.fromhex("21336401000170660a0000640000000000000000")


def tell(decoded: Advertisement) -> plain.Fields:
    a = decoded
    return plain.Fields(
        a.version, a.vrid, a.priority, a.interval_cs, a.addresses, a.auth_type, a.auth_data, a.reserved
    )


@given(
    st.one_of(st.binary(max_size=60), nearly_messages().map(lambda drawn: drawn[0])),
    addresses(),
    addresses(),
    st.one_of(st.none(), st.just(255), st.integers(0, 255)),
    st.sampled_from(ChecksumPolicy),
)
def test_any_bytes_give_an_advertisement_or_a_decode_error(
    data: bytes,
    source: AnyAddress | None,
    destination: AnyAddress | None,
    ttl: int | None,
    policy: ChecksumPolicy,
) -> None:
    try:
        decoded = decode(data, source=source, destination=destination, ttl=ttl, checksum=policy)
    except DecodeError as error:
        assert error.vrid == (data[1] if len(data) > 1 else None)  # noqa: PT017  # the other outcome is as good
        return
    # What decode lets through would pass the constructor's checks, though it does not run them.
    assert (
        Advertisement(
            decoded.version,
            decoded.vrid,
            decoded.priority,
            decoded.interval_cs,
            decoded.addresses,
            decoded.auth_type,
            decoded.auth_data,
            decoded.reserved,
        )
        == decoded
    )
    assert type(decoded) is Advertisement
    assert ttl in {None, 255}


@given(nearly_messages())
@example((b"\x22\x33" + bytes(14), bytes(16), bytes(16)))
def test_decode_judges_as_the_plain_reading_does(drawn: tuple[bytes, bytes, bytes]) -> None:
    data, source, destination = drawn
    if len(source) != len(destination):
        destination = source
    verdict = plain.verdict(data, source, destination)
    try:
        decoded = decode(data, source=source, destination=destination)
    except DecodeError as error:
        assert error.reason.name == verdict  # noqa: PT017  # the other outcome is as good
        return
    assert decoded.checksum_form is ChecksumForm[verdict]
    assert tell(decoded) == plain.fields(data, len(source))


@given(advertisements(), st.data())
def test_what_is_encoded_decodes_to_the_same(drawn: tuple[Advertisement, int], data: st.DataObject) -> None:
    advertisement, width = drawn
    source, destination = data.draw(endpoints(width))
    raw = encode(advertisement, source=source, destination=destination)
    decoded = decode(raw, source=source, destination=destination, ttl=255)
    assert decoded == advertisement
    assert hash(decoded) == hash(advertisement)
    assert decode(raw, source=source, checksum=ChecksumPolicy.UNCHECKED) == advertisement
    if advertisement.addresses:
        assert decode(raw, checksum=ChecksumPolicy.UNCHECKED) == advertisement


@given(said(), FORMS, st.data())
def test_what_is_decoded_encodes_to_the_same(
    drawn: tuple[plain.Fields, int], form: ChecksumForm, data: st.DataObject
) -> None:
    of, width = drawn
    source, destination = data.draw(endpoints(width))
    bare = plain.message(of)
    if of.version == 2:
        form = ChecksumForm.PLAIN
    elif width == 16:
        form = ChecksumForm.PSEUDO_HEADER
    header = plain.pseudo_header(source, destination, len(bare))
    assume(plain.ones_sum(header) != 0xFFFF)  # else both forms are the same sum
    raw = plain.with_checksum(bare, header if form is ChecksumForm.PSEUDO_HEADER else b"")
    decoded = decode(raw, source=source, destination=destination, ttl=255)
    assert tell(decoded) == of
    assert decoded.checksum_form is form
    assert encode(decoded, source=source, destination=destination) == raw
    assert encode(decoded, source=ip_address(source), destination=str(ip_address(destination))) == raw


@given(said().filter(lambda drawn: drawn[0].version == 2), st.data())
def test_no_single_flipped_bit_of_version_2_goes_unnoticed(
    drawn: tuple[plain.Fields, int], data: st.DataObject
) -> None:
    raw = plain.with_checksum(plain.message(drawn[0]))
    whole = decode(raw)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    flipped = bytearray(raw)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        decoded = decode(bytes(flipped))
    except DecodeError:
        return
    assert decoded != whole


def test_each_flipped_bit_of_a_message_is_refused() -> None:
    assert decode(V2).vrid == 51
    for bit in range(8 * len(V2)):
        flipped = (int.from_bytes(V2, "big") ^ 1 << bit).to_bytes(len(V2), "big")
        with pytest.raises(DecodeError):
            decode(flipped)


@given(st.data())
def test_unchecked_reads_what_the_checksum_would_refuse(data: st.DataObject) -> None:
    of, width = data.draw(said())
    source, destination = data.draw(endpoints(width))
    bare = plain.message(of)
    decoded = decode(bare, source=source, destination=destination, checksum=ChecksumPolicy.UNCHECKED)
    assert tell(decoded) == of
    assert decoded.checksum_form is None


@given(st.binary(max_size=60).map(lambda data: data + bytes(len(data) % 2)))
@example(b"\xff\xff")
@example(b"\x80\x00" * 3)
def test_residue_is_the_plain_loop(data: bytes) -> None:
    assert residue(data) == plain.ones_sum(data) % 0xFFFF


@given(st.sampled_from([4, 16]).flatmap(endpoints), st.integers(0, 0xFFFF), st.sampled_from([58, 112]))
def test_pseudo_residue_is_the_plain_loop_over_the_header(
    ends: tuple[bytes, bytes], length: int, protocol: int
) -> None:
    header = plain.pseudo_header(*ends, length, protocol)
    assert pseudo_residue(*ends, length, protocol) == plain.ones_sum(header) % 0xFFFF
    if protocol == 112:
        assert pseudo_residue(*ends, length) == pseudo_residue(*ends, length, 112)


@given(st.integers(0, 2**200))
def test_complement_completes_the_sum(total: int) -> None:
    assert 0 <= complement(total) < 0xFFFF
    assert (total + complement(total)) % 0xFFFF == 0


@pytest.mark.parametrize(
    ("data", "ttl", "reason", "vrid", "text"),
    [
        (b"", None, DecodeReason.TOO_SHORT, None, "too short for the fixed header: 0 bytes"),
        (b"!", 254, DecodeReason.TTL, None, "TTL or hop limit is not 255: 254 instead of 255"),
        (b"!3", 254, DecodeReason.TTL, 51, "TTL or hop limit is not 255: 254 instead of 255"),
        (b"!3", 255, DecodeReason.TOO_SHORT, 51, "too short for the fixed header: 2 bytes"),
        (b"!", None, DecodeReason.TOO_SHORT, None, "too short for the fixed header: 1 bytes"),
        (
            b"\x43\x33" + V2[2:],
            255,
            DecodeReason.VERSION,
            51,
            "version is neither 2 nor 3, or does not fit the address family: version 4",
        ),
        (b"\x2f" + V2[1:], 255, DecodeReason.TYPE, 51, "type is not 1 (advertisement): type 15"),
        (b"\x30" + V2[1:], 255, DecodeReason.TYPE, 51, "type is not 1 (advertisement): type 0"),
        (V2[:-1], 255, DecodeReason.TRUNCATED, 51, "shorter than its own address count says: 19 bytes, 20 expected"),
        (V2 + b"\0", 255, DecodeReason.TOO_LONG, 51, "longer than its own address count says: 21 bytes, 20 expected"),
        (V2[:-1] + b"\1", 255, DecodeReason.CHECKSUM, 51, "checksum does not match: 0x7066"),
        (b"\x31\x33\x64\0\0\x64\xab\xcd", 255, DecodeReason.CHECKSUM, 51, "checksum does not match: 0xabcd"),
        (
            plain.with_checksum(V2[:1] + b"\0" + V2[2:]),
            255,
            DecodeReason.VRID,
            0,
            "virtual router identifier is 0",
        ),
        (
            plain.with_checksum(b"\x31\0\x64\0\0\x64\0\0"),
            255,
            DecodeReason.VRID,
            0,
            "virtual router identifier is 0",
        ),
    ],
)
def test_refusal_says_why(data: bytes, ttl: int | None, reason: DecodeReason, vrid: int | None, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, ttl=ttl, source="10.0.0.2", destination="224.0.0.18")
    assert caught.value.reason is reason
    assert caught.value.vrid == vrid
    assert str(caught.value) == text


def test_version_2_over_ipv6_is_refused() -> None:
    with pytest.raises(DecodeError, match="does not fit the address family: version 2") as caught:
        decode(V2, source="fe80::1", destination="ff02::12")
    assert caught.value.reason is DecodeReason.VERSION


def test_pseudo_header_sum_needs_both_ends() -> None:
    a = Advertisement(3, 51, 100, 100, ["10.0.0.100"])
    raw = encode(a, source=SOURCE, destination=DESTINATION)
    assert decode(raw, source=SOURCE, destination=DESTINATION) == a
    for source, destination in ((SOURCE, None), (None, DESTINATION), (None, None)):
        with pytest.raises(DecodeError, match="checksum does not match"):
            decode(raw, source=source, destination=destination)
        with pytest.raises(ValueError, match=r"^a checksum with pseudo-header needs source and destination$"):
            encode(a, source=source, destination=destination)
    assert decode(encode(a, checksum=ChecksumForm.PLAIN)) == a


def test_plain_form_is_asked_for_or_carried_along() -> None:
    a = Advertisement(3, 51, 100, 100, ["10.0.0.100"], checksum_form=ChecksumForm.PLAIN)
    ends = SOURCE, DESTINATION
    assert encode(a) == encode(a, source=ends[0], destination=ends[1])
    assert decode(encode(a)).checksum_form is ChecksumForm.PLAIN
    other = encode(a, source=ends[0], destination=ends[1], checksum=ChecksumForm.PSEUDO_HEADER)
    assert decode(other, source=ends[0], destination=ends[1]).checksum_form is ChecksumForm.PSEUDO_HEADER


def test_ipv6_is_always_summed_with_the_pseudo_header() -> None:
    a = Advertisement(3, 51, 100, 100, ["fe80::100"], checksum_form=ChecksumForm.PLAIN)
    with pytest.raises(ValueError, match="needs source and destination"):
        encode(a, checksum=ChecksumForm.PLAIN)
    raw = encode(a, source="fe80::1", destination="ff02::12", checksum=ChecksumForm.PLAIN)
    assert decode(raw, source="fe80::1", destination="ff02::12").checksum_form is ChecksumForm.PSEUDO_HEADER
    with pytest.raises(DecodeError, match="checksum does not match"):
        decode(plain.with_checksum(raw), source="fe80::1", destination="ff02::12")


@pytest.mark.parametrize("form", ChecksumForm)
def test_ipv6_is_summed_with_the_pseudo_header_without_addresses_too(form: ChecksumForm) -> None:
    # The family is then the IP header's alone.
    empty = Advertisement(3, 51, 100, 100, [], checksum_form=form)
    raw = encode(empty, source="fe80::1", destination="ff02::12")
    assert decode(raw, source="fe80::1", destination="ff02::12") == empty


@given(st.data())
def test_padding_is_no_part_of_a_message(data: st.DataObject) -> None:
    longer = data.draw(mutilated(V2)) + bytes(20 + 4 * 255)
    with pytest.raises(DecodeError):
        decode(longer)


@pytest.mark.parametrize("source", [b"", b"abc", bytes(5)])
def test_a_source_that_is_no_address_is_the_callers_fault(source: bytes) -> None:
    message = bytes.fromhex("31016401006405fec0000201")
    with pytest.raises(ValueError, match="4 or 16 bytes") as caught:
        decode(message, source=source, destination=bytes(4))
    assert not isinstance(caught.value, DecodeError)
