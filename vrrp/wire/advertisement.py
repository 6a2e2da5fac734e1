"""The VRRP advertisement: bytes to meaning, meaning to bytes, and one line of text.

Version 2 (RFC 3768 section 5.1, with RFC 2338's authentication)::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
    |   Auth Type   |   Adver Int   |          Checksum             |
    |                  IP addresses, 4 bytes each                   |
    |             authentication data, always 8 bytes               |

Version 3 (RFC 5798 section 5.1, RFC 9568 section 5.1)::

    |Version| Type  | Virtual Rtr ID|   Priority    | Count IPvX Adr|
    |  rsv  |     Max Adver Int     |          Checksum             |
    |              IP addresses, 4 or 16 bytes each                 |

The address family is the IP header's; the message never states it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import TYPE_CHECKING

from vrrp.wire.address import AnyAddress, IpAddress, pack, text, unpack
from vrrp.wire.checksum import PROTOCOL, ChecksumForm, ChecksumPolicy, complement, pseudo_residue
from vrrp.wire.errors import DecodeError, DecodeReason

HEADER_SIZE = 8
AUTH_SIZE = 8
NO_AUTHENTICATION = 0
SIMPLE_PASSWORD = 1
AUTHENTICATION_HEADER = 2
TTL = 255
HMAC_TRAILER_SIZE = 28
HMAC_TRAILER_TYPE = 1
"""What keepalived 2.4 appends with `auth_hmac`; see `vrrp.wire.hmac_trailer`."""
MAX_ADDRESSES = 255
MAX_INTERVAL_CS = {2: 25_500, 3: 4_095}

_HEADER = struct.Struct("!BBBBHH")
_unpack_header = _HEADER.unpack_from
_pack_header = _HEADER.pack
_from_bytes = int.from_bytes
_NO_AUTH_DATA = bytes(AUTH_SIZE)
_VERSION_2 = 0x21
_VERSION_3 = 0x31
# Names of the module, because reaching a member through its Enum class costs 0.1 us each time.
_PLAIN = ChecksumForm.PLAIN
_PSEUDO = ChecksumForm.PSEUDO_HEADER
_ONLY_PLAIN = ChecksumPolicy.PLAIN
_ONLY_PSEUDO = ChecksumPolicy.PSEUDO_HEADER
_UNCHECKED = ChecksumPolicy.UNCHECKED


@dataclass(frozen=True, slots=True)
class Advertisement:
    """One advertisement, every field of it. Immutable and hashable; equal when it means the same.

    `addresses` may be given as text, `ipaddress` objects or packed bytes and is kept packed, in order.
    `checksum_form` tells which sum verified (None: not verified, or not decoded) and is what `encode`
    reproduces; it takes no part in equality. ValueError for a field out of its range.
    """

    version: int
    """2 or 3."""
    vrid: int
    """Virtual router identifier, 1 to 255."""
    priority: int
    """255 the address owner, 1 to 254 a backup's, 0 "I am leaving"."""
    interval_cs: int
    """Advertisement interval in centiseconds: whole seconds in version 2 (0 to 25500), 0 to 4095 in 3."""
    addresses: tuple[bytes, ...]
    """The virtual addresses, packed, all of one family, at most 255."""
    auth_type: int = NO_AUTHENTICATION
    """Version 2: 0 none, 1 simple password, 2 IP Authentication Header (RFC 2338 section 5.3.6)."""
    auth_data: bytes = b""
    """Version 2: the authentication data; padded with zeros to 8 bytes. Always empty in version 3."""
    reserved: int = 0
    """Version 3: the four reserved bits, sent as 0 and ignored on receipt."""
    checksum_form: ChecksumForm | None = field(default=None, compare=False)

    if TYPE_CHECKING:

        def __init__(
            self,
            version: int,
            vrid: int,
            priority: int,
            interval_cs: int,
            addresses: Iterable[AnyAddress],
            auth_type: int = NO_AUTHENTICATION,
            auth_data: bytes = b"",
            reserved: int = 0,
            checksum_form: ChecksumForm | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        packed = tuple(pack(address) for address in self.addresses)
        object.__setattr__(self, "addresses", packed)
        if self.version not in MAX_INTERVAL_CS:
            raise ValueError(f"version is 2 or 3, not {self.version}")
        for name, low, high in (
            ("vrid", 1, 255),
            ("priority", 0, 255),
            ("interval_cs", 0, MAX_INTERVAL_CS[self.version]),
            ("auth_type", 0, 255 if self.version == 2 else 0),
            ("reserved", 0, 15 if self.version == 3 else 0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} of version {self.version} is {low} to {high}, not {value}")
        if len(packed) > MAX_ADDRESSES:
            raise ValueError(f"an advertisement lists at most {MAX_ADDRESSES} addresses, not {len(packed)}")
        if len({len(address) for address in packed}) > 1:
            raise ValueError("an advertisement lists addresses of one family only")
        if self.version == 2:
            if self.interval_cs % 100:
                raise ValueError(f"version 2 sends whole seconds, not {self.interval_cs} cs")
            if packed and len(packed[0]) == 16:
                raise ValueError("version 2 knows no IPv6; use version 3")
            if len(self.auth_data) > AUTH_SIZE:
                raise ValueError(f"authentication data has 8 bytes, not {len(self.auth_data)}")
            object.__setattr__(self, "auth_data", self.auth_data.ljust(AUTH_SIZE, b"\0"))
        elif self.auth_data:
            raise ValueError("version 3 has no authentication data")

    @property
    def ip_addresses(self) -> tuple[IpAddress, ...]:
        """The virtual addresses as `ipaddress` objects, in the order of the message."""
        return tuple(unpack(address) for address in self.addresses)

    def describe(self) -> str:
        """One line for people: what the message says."""
        parts = [f"VRRPv{self.version} vrid {self.vrid} priority {self.priority}"]
        parts.append(
            f"interval {self.interval_cs // 100} s" if self.version == 2 else f"interval {self.interval_cs} cs"
        )
        parts.append("addresses " + (",".join(map(text, self.addresses)) or "none"))
        if self.auth_type == SIMPLE_PASSWORD:
            password = self.auth_data.rstrip(b"\0").decode("latin-1").encode("unicode_escape").decode("ascii")
            parts.append(f'password "{password}"')
        elif self.auth_type:
            parts.append(f"auth type {self.auth_type}")
        return " ".join(parts)


class _Draft:
    """A writable twin of `Advertisement`, turned into one by assigning `__class__`.

    A frozen dataclass sets each field through `object.__setattr__`: 1.4 us for nine fields, more than the
    rest of `decode` together; filling the twin in takes 0.1. The bytes were checked already, so nothing is skipped.
    """

    __slots__ = tuple(f.name for f in fields(Advertisement))

    if TYPE_CHECKING:
        version: int
        vrid: int
        priority: int
        interval_cs: int
        addresses: tuple[bytes, ...]
        auth_type: int
        auth_data: bytes
        reserved: int
        checksum_form: ChecksumForm | None


def decode(
    data: bytes,
    *,
    source: AnyAddress | None = None,
    destination: AnyAddress | None = None,
    ttl: int | None = None,
    checksum: ChecksumPolicy = ChecksumPolicy.EITHER,
) -> Advertisement:
    """The advertisement in `data`, the payload of one IP packet without its header or Ethernet padding.

    `source` and `destination` are the IP header's; they tell the family and enter the pseudo-header, which
    cannot be verified without them. `ttl` is the TTL or hop limit, checked when given. `checksum` chooses among
    the sums of version 3 over IPv4, or UNCHECKED for none at all. Raises DecodeError, and nothing else whatever
    the bytes, with the first failure in RFC 9568 section 7.1's order: TTL, version, type, length, checksum; then
    a zero VRID. ValueError for an address that is none.
    """
    size = len(data)
    if ttl is not None and ttl != TTL:
        raise DecodeError(DecodeReason.TTL, data[1] if size > 1 else None, f"{ttl} instead of 255")
    if size < HEADER_SIZE:
        raise DecodeError(DecodeReason.TOO_SHORT, data[1] if size > 1 else None, f"{size} bytes")
    version_type, vrid, priority, count, word, _ = _unpack_header(data)
    if source is not None and type(source) is not bytes:
        source = pack(source)
    if version_type == _VERSION_2 and (source is None or len(source) == 4):
        expected = HEADER_SIZE + 4 * count + AUTH_SIZE
        if size != expected:
            raise _wrong_size(data, vrid, expected)
        form: ChecksumForm | None = _PLAIN
        if checksum is _UNCHECKED:
            form = None
        elif _from_bytes(data, "big") % 0xFFFF:
            raise DecodeError(DecodeReason.CHECKSUM, vrid, f"0x{data[6:8].hex()}")
        if not vrid:
            raise DecodeError(DecodeReason.VRID, 0)
        twin = _Draft()
        twin.version = 2
        twin.interval_cs = (word & 0xFF) * 100
        twin.addresses = (data[8:12],) if count == 1 else _addresses(4, count)(data, HEADER_SIZE)
        twin.auth_type = word >> 8
        twin.auth_data = data[-AUTH_SIZE:]
        twin.reserved = 0
    elif version_type == _VERSION_3:
        width = len(source) if source is not None else _width(size, count)
        if width != 4 and width != 16:  # noqa: PLR1714  # a set look-up costs twice as much
            raise ValueError(f"a packed address has 4 or 16 bytes, not {width}")
        expected = HEADER_SIZE + width * count
        if size != expected:
            raise _wrong_size(data, vrid, expected)
        if destination is not None and type(destination) is not bytes:
            destination = pack(destination)
        form = _verify_v3(data, width, source, destination, checksum)
        if not vrid:
            raise DecodeError(DecodeReason.VRID, 0)
        twin = _Draft()
        twin.version = 3
        twin.interval_cs = word & 0x0FFF
        twin.addresses = (data[8:12],) if expected == 12 else _addresses(width, count)(data, HEADER_SIZE)
        twin.auth_type = NO_AUTHENTICATION
        twin.auth_data = b""
        twin.reserved = word >> 12
    elif version_type >> 4 not in (2, 3) or (version_type >> 4 == 2 and source is not None and len(source) == 16):
        raise DecodeError(DecodeReason.VERSION, vrid, f"version {version_type >> 4}")
    else:
        raise DecodeError(DecodeReason.TYPE, vrid, f"type {version_type & 15}")
    twin.vrid = vrid
    twin.priority = priority
    twin.checksum_form = form
    twin.__class__ = Advertisement  # type: ignore[assignment]  # see _Draft
    return twin  # type: ignore[return-value]  # see _Draft


@lru_cache(512)
def _addresses(width: int, count: int) -> Callable[[bytes, int], tuple[bytes, ...]]:
    """What cuts `count` addresses of `width` bytes out of a message, from a position on."""
    return struct.Struct(f"{width}s" * count).unpack_from


def _wrong_size(data: bytes, vrid: int, expected: int) -> DecodeError:
    size = len(data)
    if size < expected:
        reason = DecodeReason.TRUNCATED
    elif size == expected + HMAC_TRAILER_SIZE and data[expected] == HMAC_TRAILER_TYPE:
        reason = DecodeReason.HMAC_TRAILER
    else:
        reason = DecodeReason.TOO_LONG
    return DecodeError(reason, vrid, f"{size} bytes, {expected} expected")


def _width(size: int, count: int) -> int:
    """Bytes per address where the IP header is unknown: what fits the size."""
    return 16 if count and size == HEADER_SIZE + 16 * count else 4


def _verify_v3(
    data: bytes, width: int, source: bytes | None, destination: bytes | None, policy: ChecksumPolicy
) -> ChecksumForm | None:
    """Which form of checksum verifies; None when the policy asks for no check. Raises DecodeError."""
    if policy is _UNCHECKED:
        return None
    plain = _from_bytes(data, "big")
    if source is not None and destination is not None and (width == 16 or policy is not _ONLY_PLAIN):
        pseudo = _from_bytes(source + destination, "big") + PROTOCOL + len(data)
        if not (plain + pseudo) % 0xFFFF:
            return _PSEUDO
    if not plain % 0xFFFF and width == 4 and policy is not _ONLY_PSEUDO:
        return _PLAIN
    raise DecodeError(DecodeReason.CHECKSUM, data[1], f"0x{data[6:8].hex()}")


def encode(
    advertisement: Advertisement,
    *,
    source: AnyAddress | None = None,
    destination: AnyAddress | None = None,
    checksum: ChecksumForm | None = None,
) -> bytes:
    """The message as bytes, checksum included; `decode` of the result gives an equal advertisement.

    `source` and `destination` of the IP header are needed where the sum covers the pseudo-header: version 3
    over IPv6 always, and over IPv4 unless `checksum` (or, left out, the advertisement's own
    `checksum_form`) is PLAIN. Version 2 sums the message alone. ValueError when they are missing.
    """
    a = advertisement
    body = b"".join(a.addresses) + a.auth_data
    if a.version == 2:
        word = a.auth_type << 8 | a.interval_cs // 100
        total = 0
    else:
        word = a.reserved << 12 | a.interval_cs
        total = 0
        form = checksum or a.checksum_form or _PSEUDO
        width = len(a.addresses[0]) if a.addresses else len(pack(source or bytes(4)))
        if form is _PSEUDO or width == 16:
            if source is None or destination is None:
                raise ValueError("a checksum with pseudo-header needs source and destination")
            total = pseudo_residue(pack(source), pack(destination), HEADER_SIZE + len(body))
    header = (a.version << 4 | 1, a.vrid, a.priority, len(a.addresses), word)
    total += _from_bytes(_pack_header(*header, 0) + body, "big")
    return _pack_header(*header, complement(total)) + body
