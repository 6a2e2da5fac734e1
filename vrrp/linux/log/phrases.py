"""keepalived's phrases for what a virtual router hears, so that rules that people have for its log go on working.

As 2.2.7 writes them with -D, without the "(VI_1) " before them; the tests have both programs hear the same packets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from vrrp.protocol.settings import OWNER_PRIORITY
from vrrp.protocol.state import State
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import is_multicast, text
from vrrp.wire.advertisement import AUTH_SIZE, AUTHENTICATION_HEADER, HEADER_SIZE, TTL
from vrrp.wire.frame import Datagram

Phrase: TypeAlias = Callable[[VirtualRouter, Datagram], str]
NAMELESS = frozenset({Discard.TOO_SHORT, Discard.AH_SPI})
"""keepalived writes of these without saying whom they were for."""
_IPV4_HEADER = 20
_AUTH_TYPES = range(3)


def refused(virtual_router: VirtualRouter, datagram: Datagram, why: Discard) -> str:
    """Why a packet is not taken; in our words where keepalived has none."""
    phrase = _REFUSED.get(why)
    return (
        f"discarded an advert from {text(datagram.source)}: {why.value}"
        if phrase is None
        else phrase(virtual_router, datagram)
    )


def heard(virtual_router: VirtualRouter, datagram: Datagram) -> str | None:
    """What an advertisement that is taken means to a virtual router, before it acts; None for the usual."""
    state = virtual_router.state
    if state is State.BACKUP:
        return _heard_as_backup(virtual_router, datagram)
    return _heard_as_master(virtual_router, datagram) if state is State.MASTER else None


def _heard_as_backup(virtual_router: VirtualRouter, datagram: Datagram) -> str | None:
    priority, config = datagram.payload[2], virtual_router.config
    if not priority:
        return "Backup received priority 0 advertisement"
    # With a delay it may be that the weaker one is let be for now; it cannot be told from outside.
    if priority < virtual_router.priority and config.preempt and not config.preempt_delay_ns:
        return f"received lower priority ({priority}) advert from {text(datagram.source)} - discarding"
    if config.version == 3:
        interval_cs = int.from_bytes(datagram.payload[4:6], "big") & 0xFFF
        if interval_cs != virtual_router.master_interval_cs:
            old_ms, new_ms = virtual_router.master_interval_cs * 10, interval_cs * 10
            return f"advertisement interval updated from {old_ms}ms to {new_ms}ms by master"
    return None


def _heard_as_master(virtual_router: VirtualRouter, datagram: Datagram) -> str | None:
    theirs, ours, sender = datagram.payload[2], virtual_router.priority, text(datagram.source)
    if not theirs:
        return "Master received priority 0 message"
    if theirs == ours == OWNER_PRIORITY:
        return (
            "CONFIGURATION ERROR: local instance and a remote instance are both configured as address owner, "
            "please fix - reducing local priority"
        )
    if theirs > ours:
        return f"Master received advert from {sender} with higher priority {theirs}, ours {ours}"
    if theirs == ours and datagram.source > virtual_router.source:
        return f"Master received advert from {sender} with same priority {theirs} but higher IP address than ours"
    election = "" if virtual_router.config.lower_prio_no_advert else ", forcing new election"
    return f"Received advert from {sender} with lower priority {theirs}, ours {ours}{election}"


def _too_short(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    family = "IPv4" if virtual_router.config.width == 4 else "IPv6"
    return f"{family} VRRP packet too short - {_size(datagram, len(datagram.payload))} bytes"


def _length(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    payload = datagram.payload
    tail = AUTH_SIZE if payload[0] >> 4 == 2 else 0
    expected = HEADER_SIZE + len(datagram.source) * payload[3] + tail
    how = "long" if len(payload) > expected else "short"
    return f"vrrp packet too {how}, length {_size(datagram, len(payload))} and expect {_size(datagram, expected)}"


def _size(datagram: Datagram, payload: int) -> int:
    """The length of a packet as keepalived counts it: IPv4's header comes along, IPv6's does not."""
    return payload + (_IPV4_HEADER if len(datagram.source) == 4 else 0)


def _auth_type(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    theirs = datagram.payload[4]
    if theirs not in _AUTH_TYPES:
        return f"Invalid auth type: {theirs}"
    return f"received a {theirs} auth, expecting {virtual_router.config.auth_type}!"


def _ah_presence(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    if virtual_router.config.auth_type == AUTHENTICATION_HEADER:
        return "No AH header but auth type is AH"
    return "Received AH header but auth type not AH"


def _ah_sequence(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    header = datagram.authentication
    assert header is not None  # what has none is refused for that
    sole = Discard.AH_SEQUENCE in virtual_router.profile.checks
    ours = virtual_router.ah_sequence.last if sole else virtual_router.ah_sequence.heard.get(datagram.source, 0)
    return f"IPSEC-AH : sequence number {header.sequence} already processed. Packet dropped. Local({ours})"


def _ah_spi(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    header = datagram.authentication
    assert header is not None  # what has none is refused for that
    return f"IPSEC AH : invalid IPSEC SPI value. {header.spi} and expect {int.from_bytes(datagram.source, 'big')}"


def _interval(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    ours_s = virtual_router.wire_interval_cs // 100
    return f"advertisement interval mismatch mine={ours_s} sec rcv'd={datagram.payload[5]} sec"


def _address_list(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    width = len(datagram.source)
    listed = datagram.payload[HEADER_SIZE : HEADER_SIZE + width * datagram.payload[3]]
    theirs = {listed[at : at + width] for at in range(0, len(listed), width)}
    missing = next((one for one in virtual_router.config.addresses if one not in theirs), b"")
    vrid, which = virtual_router.config.vrid, text(missing) if missing else "none"
    return f"ip address associated with VRID {vrid} not present in MASTER advert: {which}"


def _destination(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    ours = "un" if virtual_router.config.unicast_peers else "mult"
    theirs = "mult" if is_multicast(datagram.destination) else "un"
    return f"Expected {ours}icast packet but received {theirs}icast packet"


def _peer_ttl(virtual_router: VirtualRouter, datagram: Datagram) -> str:
    peer = next(one for one in virtual_router.config.peer_ttls if one.address == datagram.source)
    return f"TTL/HL {datagram.ttl} not in range {peer.lowest} - {peer.highest}"


_REFUSED: dict[Discard, Phrase] = {
    Discard.TOO_SHORT: _too_short,
    Discard.LENGTH: _length,
    Discard.TTL: lambda router, datagram: f"invalid TTL/HL. Received {datagram.ttl} and expect {TTL}",
    Discard.VERSION: lambda router, datagram: (
        f"wrong version. Received {datagram.payload[0] >> 4} and expect {router.config.version}"
    ),
    Discard.TYPE: lambda router, datagram: f"Invalid packet type. {datagram.payload[0] & 15} and expect 1",
    Discard.CHECKSUM: lambda router, datagram: f"Invalid VRRPv{datagram.payload[0] >> 4} checksum",
    Discard.AUTH_TYPE: _auth_type,
    Discard.AH_PRESENCE: _ah_presence,
    Discard.AH_SPI: _ah_spi,
    Discard.AH_SEQUENCE: _ah_sequence,
    Discard.AH_REPLAY: _ah_sequence,
    Discard.AH_ICV: lambda router, datagram: (
        "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !"
    ),
    Discard.PASSWORD: lambda router, datagram: "received an invalid passwd!",
    Discard.INTERVAL: _interval,
    Discard.ADDRESS_COUNT: lambda router, datagram: (
        f"received an unexpected ip number count {datagram.payload[3]}, expected {len(router.config.addresses)}!"
    ),
    Discard.ADDRESS_LIST: _address_list,
    Discard.ADDRESS_LIST_UNLESS_OWNER: _address_list,
    Discard.DESTINATION: _destination,
    Discard.UNICAST_SOURCE: lambda router, datagram: (
        f"unicast source address {text(datagram.source)} not a unicast peer"
    ),
    Discard.PEER_TTL: _peer_ttl,
}
