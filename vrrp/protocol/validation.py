"""Is this advertisement for us, and do we take it? One predicate per reason; a profile lists them in its order."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from vrrp.protocol.ah_sequence import AhSequence
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.wire.address import is_link_local, is_multicast
from vrrp.wire.advertisement import AUTH_SIZE, AUTHENTICATION_HEADER, HEADER_SIZE, SIMPLE_PASSWORD, TTL
from vrrp.wire.checksum import ChecksumPolicy, pseudo_residue, residue
from vrrp.wire.frame import Datagram


class Discard(enum.Enum):
    """Why a received packet was not acted upon. The value is the phrase shown to people."""

    UNKNOWN_VRID = "virtual router not configured here"
    TOO_SHORT = "too short for the fixed header"
    OWN_ADDRESS = "sent by this router itself"
    LENGTH = "length does not fit the address count"
    TTL = "TTL or hop limit is not 255"
    VERSION = "other version"
    TYPE = "type is not 1 (advertisement)"
    CHECKSUM = "checksum does not match"
    AUTH_TYPE = "other authentication type"
    AH_PRESENCE = "authentication header where none is configured, or the reverse"
    AH_SPI = "authentication header's SPI is not the sender's address"
    AH_SEQUENCE = "authentication header's sequence number was seen already"
    AH_REPLAY = "authentication header's sequence number was seen already from this sender"
    AH_ICV = "authentication header made with another password"
    PASSWORD = "other password"
    INTERVAL = "other advertisement interval"
    ZERO_INTERVAL = "advertisement interval of 0"
    NO_ADDRESS = "lists no address"
    ADDRESS_COUNT = "other number of addresses"
    ADDRESS_LIST = "other addresses"
    ADDRESS_LIST_UNLESS_OWNER = "other addresses, and not from the owner"
    FIRST_ADDRESS = "first IPv6 address is not link-local"
    DESTINATION = "sent to another group, or unicast where multicast is configured, or the reverse"
    UNICAST_SOURCE = "unicast, and not from one of the configured peers"
    OWNER = "this router owns the addresses"
    OWNER_DEAF = "this router owns the addresses and is told to hear nobody (owner_ignore_adverts)"
    PEER_TTL = "TTL or hop limit out of the bounds for this unicast peer"


class Receiver(Protocol):
    """What a check needs to know of the virtual router that received the packet."""

    @property
    def config(self) -> VirtualRouterConfig:
        """Its configuration."""

    @property
    def wire_interval_cs(self) -> int:
        """The interval its own advertisements state, in centiseconds."""

    @property
    def checksum_policy(self) -> ChecksumPolicy:
        """Which sums it takes in version 3 over IPv4."""

    @property
    def ah_sequence(self) -> AhSequence:
        """The sequence numbers of Authentication Headers that it knows."""

    @property
    def state(self) -> State:
        """Its state."""

    @property
    def master(self) -> bytes | None:
        """The packed source of the advertisement it accepted last; None before."""


def first_failure(receiver: Receiver, datagram: Datagram, checks: tuple[Discard, ...]) -> Discard | None:
    """The first of `checks` that the datagram fails, None when it passes all. Its VRID matches already."""
    for check in checks:
        if _FAILS[check](receiver, datagram):
            return check
    return None


def _version(datagram: Datagram) -> int:
    return datagram.payload[0] >> 4


def _addresses(datagram: Datagram) -> list[bytes]:
    width = len(datagram.source)
    end = HEADER_SIZE + width * datagram.payload[3]
    return [datagram.payload[i : i + width] for i in range(HEADER_SIZE, end, width)]


def _length(receiver: Receiver, datagram: Datagram) -> bool:
    tail = AUTH_SIZE if _version(datagram) == 2 else 0
    return len(datagram.payload) != HEADER_SIZE + len(datagram.source) * datagram.payload[3] + tail


def _ttl(receiver: Receiver, datagram: Datagram) -> bool:
    return datagram.ttl != TTL and not receiver.config.unicast_peers


def _checksum(receiver: Receiver, datagram: Datagram) -> bool:
    plain = residue(datagram.payload)
    if _version(datagram) == 2:
        return plain != 0
    pseudo = pseudo_residue(datagram.source, datagram.destination, len(datagram.payload))
    with_pseudo = (plain + pseudo) % 0xFFFF == 0
    policy = receiver.checksum_policy
    if len(datagram.source) == 16 or policy is ChecksumPolicy.PSEUDO_HEADER:
        return not with_pseudo
    if policy is ChecksumPolicy.EITHER:
        return plain != 0 and not with_pseudo
    return plain != 0


def _auth_type(receiver: Receiver, datagram: Datagram) -> bool:
    return _version(datagram) == 2 and datagram.payload[4] != receiver.config.auth_type


def _password(receiver: Receiver, datagram: Datagram) -> bool:
    config = receiver.config
    return config.auth_type == SIMPLE_PASSWORD and datagram.payload[-AUTH_SIZE:] != config.auth_data


def _ah_presence(receiver: Receiver, datagram: Datagram) -> bool:
    configured = receiver.config.auth_type == AUTHENTICATION_HEADER
    return (datagram.authentication is not None) is not configured


def _ah_spi(receiver: Receiver, datagram: Datagram) -> bool:
    header = datagram.authentication
    return header is not None and header.spi.to_bytes(4, "big") != datagram.source


def _ah_sequence(receiver: Receiver, datagram: Datagram) -> bool:
    header = datagram.authentication
    return header is not None and header.sequence <= receiver.ah_sequence.last


def _ah_replay(receiver: Receiver, datagram: Datagram) -> bool:
    header = datagram.authentication
    return header is not None and header.sequence <= receiver.ah_sequence.heard.get(datagram.source, 0)


def _ah_icv(receiver: Receiver, datagram: Datagram) -> bool:
    header = datagram.authentication
    return header is not None and not header.verify(receiver.config.ah_key)


def _interval(receiver: Receiver, datagram: Datagram) -> bool:
    return _version(datagram) == 2 and datagram.payload[5] * 100 != receiver.wire_interval_cs


def _address_list(receiver: Receiver, datagram: Datagram) -> bool:
    # What is skipped is a second look at the same master's list: a list that does not fit is never taken at first.
    known = receiver.state is State.BACKUP and datagram.source == receiver.master
    if receiver.config.skip_check_adv_addr and known:
        return False
    return not set(receiver.config.addresses) <= set(_addresses(datagram))


def _first_address(receiver: Receiver, datagram: Datagram) -> bool:
    return len(datagram.source) == 16 and not is_link_local(_addresses(datagram)[0])


def _destination(receiver: Receiver, datagram: Datagram) -> bool:
    """A unicast socket gets no multicast; a multicast socket gets its own group and nothing else."""
    config = receiver.config
    if config.unicast_peers:
        return is_multicast(datagram.destination)
    return datagram.destination != config.multicast_group


_FAILS: dict[Discard, Callable[[Receiver, Datagram], bool]] = {
    Discard.LENGTH: _length,
    Discard.TTL: _ttl,
    Discard.VERSION: lambda receiver, datagram: _version(datagram) != receiver.config.version,
    Discard.TYPE: lambda receiver, datagram: datagram.payload[0] & 15 != 1,
    Discard.CHECKSUM: _checksum,
    Discard.AUTH_TYPE: _auth_type,
    Discard.AH_PRESENCE: _ah_presence,
    Discard.AH_SPI: _ah_spi,
    Discard.AH_SEQUENCE: _ah_sequence,
    Discard.AH_REPLAY: _ah_replay,
    Discard.AH_ICV: _ah_icv,
    Discard.PASSWORD: _password,
    Discard.INTERVAL: _interval,
    Discard.ZERO_INTERVAL: lambda receiver, datagram: not int.from_bytes(datagram.payload[4:6], "big") & 0xFFF,
    Discard.NO_ADDRESS: lambda receiver, datagram: not datagram.payload[3],
    Discard.ADDRESS_COUNT: lambda receiver, datagram: datagram.payload[3] != len(receiver.config.addresses),
    Discard.ADDRESS_LIST: _address_list,
    Discard.ADDRESS_LIST_UNLESS_OWNER: lambda receiver, datagram: (
        datagram.payload[2] != 255 and _address_list(receiver, datagram)
    ),
    Discard.FIRST_ADDRESS: _first_address,
    Discard.DESTINATION: _destination,
    Discard.UNICAST_SOURCE: lambda receiver, datagram: (
        receiver.config.check_unicast_source and datagram.source not in receiver.config.unicast_peers
    ),
    Discard.OWNER: lambda receiver, datagram: receiver.config.owner,
    Discard.OWNER_DEAF: lambda receiver, datagram: receiver.config.owner and receiver.config.owner_ignore_adverts,
    Discard.PEER_TTL: lambda receiver, datagram: any(
        datagram.source == peer.address and not peer.lowest <= datagram.ttl <= peer.highest
        for peer in receiver.config.peer_ttls
    ),
}
