from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.hmac_trailer import HmacTrailer, parse_trailer

TRAILERS = st.builds(
    HmacTrailer,
    key_id=st.integers(1, 255),
    seconds=st.integers(0, 0xFFFF_FFFF),
    fraction=st.integers(0, 0xFFFF),
    counter=st.integers(0, 0xFFFF),
    digest=st.binary(min_size=16, max_size=16),
    reserved=st.integers(0, 0xFFFF),
)
T = HmacTrailer(3, 0x65000000, 0x8000, 9, bytes(range(16)))
MESSAGES = {
    (2, 4): encode(Advertisement(2, 51, 100, 100, ["10.0.0.100"])),
    (3, 4): encode(Advertisement(3, 51, 100, 100, ["10.0.0.100"]), source="10.0.0.1", destination="224.0.0.18"),
    (3, 16): encode(Advertisement(3, 51, 100, 100, ["fe80::1", "fd00::1"]), source="fe80::2", destination="ff02::12"),
}


@given(TRAILERS, st.sampled_from(sorted(MESSAGES)))
def test_what_is_built_is_read(trailer: HmacTrailer, kind: tuple[int, int]) -> None:
    assert parse_trailer(MESSAGES[kind] + trailer.build(), kind[1]) == trailer


def test_the_layout() -> None:
    assert T.build().hex() == "01030000" + "65000000" + "80000009" + bytes(range(16)).hex()
    assert len(T.build()) == HmacTrailer.SIZE == 28
    assert T.describe() == "keepalived HMAC trailer key 3 time 1694498816 counter 9"


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_no_trailer(kind: tuple[int, int]) -> None:
    message, width = MESSAGES[kind], kind[1]
    whole = message + T.build()
    assert parse_trailer(message, width) is None
    assert parse_trailer(whole[:-1], width) is None
    assert parse_trailer(whole + b"\0", width) is None
    assert parse_trailer(message + bytes((2,)) + T.build()[1:], width) is None
    assert parse_trailer(message + bytes((1, 0)) + T.build()[2:], width) is None
    assert parse_trailer(b"", width) is None


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_decode_names_it_instead_of_calling_the_message_too_long(kind: tuple[int, int]) -> None:
    source = bytes(kind[1])
    for tail, reason in ((T.build(), DecodeReason.HMAC_TRAILER), (bytes(28), DecodeReason.TOO_LONG)):
        with pytest.raises(DecodeError) as caught:
            decode(MESSAGES[kind] + tail, source=source)
        assert (caught.value.reason, caught.value.vrid) == (reason, 51)


def test_fields_out_of_range() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 2"):
        HmacTrailer(1, 0, 0, 0, bytes(2)).build()
    with pytest.raises(ValueError, match="out of its range"):
        HmacTrailer(256, 0, 0, 0, bytes(16)).build()
