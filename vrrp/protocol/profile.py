"""Whose behaviour: five profiles, each difference one named field.

How we know: the RFCs' own text, or keepalived 2.2.7 and FRR 8.4.4 measured on the wire in network namespaces.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from functools import cache

from vrrp.protocol.lateness import FRR_LATENESS, KEEPALIVED_LATENESS, PUNCTUAL, Lateness
from vrrp.protocol.settings import Announcements
from vrrp.protocol.timers import SECOND_NS, SkewRule
from vrrp.protocol.validation import Discard
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy
from vrrp.words import nearest

_ONCE = Announcements()


class OwnerStart(enum.Enum):
    """What a router with priority 255 does at start."""

    MASTER = "master at once"
    """RFC 3768, 5798, 9568 section 6.4.1."""
    MASTER_IF_STATE_MASTER = "master at once with `state MASTER`, else backup"
    """keepalived, measured; and only when the process starts, not after a link returns."""
    BACKUP = "backup"
    """FRR: 255 cannot be reached."""


class LowerReply(enum.Enum):
    """What a master does about an advertisement weaker than its own."""

    NOTHING = "discard it"
    """RFC 3768, RFC 5798 section 6.4.3, FRR (measured)."""
    ADVERTISE = "advertise at once"
    """RFC 9568 section 6.4.3."""
    ADVERTISE_AND_ANNOUNCE = "advertise at once and announce the addresses"
    """keepalived (measured: within 1 ms, and five rounds of gratuitous ARP)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one specification or implementation behaves where they differ."""

    name: str
    versions: tuple[int, ...]
    """Versions it speaks, its default first."""
    checks: tuple[Discard, ...]
    """What it verifies of a received advertisement, in its order; the first failure is the one counted."""
    skew: SkewRule = SkewRule.EXACT
    owner_start: OwnerStart = OwnerStart.MASTER
    lower_reply: LowerReply = LowerReply.NOTHING
    checksum_form: ChecksumForm = ChecksumForm.PSEUDO_HEADER
    """Sent in version 3 over IPv4."""
    checksum_policy: ChecksumPolicy = ChecksumPolicy.EITHER
    """Taken in version 3 over IPv4."""
    announcements: Announcements = _ONCE
    announcements_configured: bool = False
    """keepalived.conf says how often; the others announce addresses in their own way whatever stands there."""
    any_packet_restarts_advert_timer: bool = False
    """Every packet for the VRID restarts a master's advertisement timer (keepalived, measured); not under
    lower_prio_no_advert."""
    refused_packet_restarts_advert_timer: bool = False
    """Refused ones do so, too (keepalived: measured, bad packets each 0.5 s silenced a master for 5.9 s)."""
    refused_advert_shortens_memory: bool = False
    """A refused advertisement makes a backup remember the time left as its full timer, so that a later change
    of priority moves the running timer by the wrong amount (keepalived: measured, +5.552 s for +3.57 s)."""
    priority_change_moves_timer: bool = False
    """A change of priority in BACKUP moves the running timer by the difference of the two Master_Down_Intervals
    (keepalived, measured); otherwise it counts from the next time the timer is set."""
    fault_state: bool = False
    """A lost interface or weight-0 script leads to FAULT (keepalived); otherwise to INITIALIZE."""
    goodbyes_on_fault: int = 1
    """Priority-0 advertisements sent on leaving MASTER for a fault of its own (keepalived: 2, 40 to 700 us apart);
    one that its sync group takes along sends a single one (measured)."""
    announces_source_after_fault: bool = False
    """Back from FAULT, a router with unicast peers announces the address it sends from (keepalived, measured)."""
    tracks_links: bool = True
    """FRR does not watch its interface: it stays master without carrier (measured)."""
    second_owner_yields: bool = False
    """Of two routers with priority 255, the one that hears the other first falls to 254 (keepalived)."""
    reserved_bits_in_interval: bool = False
    """The four reserved bits are read as part of the interval (FRR 8.4.4, measured: one packet stalls it)."""
    dont_fragment: bool = False
    """The DF bit of its IPv4 packets (FRR sets it, keepalived does not; measured)."""
    router_flag: bool = True
    """The R flag of its unsolicited neighbor advertisements (RFC 9568 and FRR set it, keepalived not)."""
    virtual_mac: bool = True
    """Sends from the virtual MAC without being told to (the RFCs and FRR; keepalived only with use_vmac)."""
    keeps_addresses: bool = False
    """The addresses are always on a device of their own, which is only silenced while the router is not master: what
    a switch floods to its MAC it takes, and answers (FRR: a macvlan in protodown; measured)."""
    base_hears_itself: bool = True
    """With a virtual MAC and advertisements from the interface's own, packets from another router that sends from
    the virtual MAC are heard. Not by keepalived: its private macvlan eats what comes from its own MAC (measured
    beside FRR: a split brain)."""
    first_ipv6_advertisement: bool = True
    """A new master's first advertisement over IPv6 is sent (not by FRR 8.4.4, whose device is still down then)."""
    lateness: Lateness = PUNCTUAL
    """A real process wakes this much after its timer, and sets the next one from then: periods drift, never early
    (`lateness` says what was measured). For simulations."""
    link_detection_ns: int = 0
    """From a carrier change to the router's reaction (keepalived: netlink, 3 to 5 ms measured)."""

    @property
    def timer_latency_ns(self) -> int:
        """How late after a timer a real process usually wakes."""
        return self.lateness.median_ns


_STRUCTURE_RFC = (Discard.TTL, Discard.VERSION, Discard.TYPE, Discard.LENGTH, Discard.CHECKSUM)

RFC3768 = Profile(
    name="rfc3768",
    versions=(2,),
    checks=(
        *_STRUCTURE_RFC,
        Discard.OWNER,
        Discard.AUTH_TYPE,
        Discard.PASSWORD,
        Discard.ADDRESS_LIST_UNLESS_OWNER,
        Discard.INTERVAL,
    ),
)
"""Version 2; section 7.1's order. A local owner refuses everything, and does not even answer priority 0."""

RFC5798 = Profile(
    name="rfc5798",
    versions=(3,),
    checks=(*_STRUCTURE_RFC, Discard.OWNER),
    checksum_policy=ChecksumPolicy.EITHER,
)
"""Version 3 of 2010. Its "pseudo-header" for IPv4 is read both ways in the field, so both sums are taken."""

RFC9568 = Profile(
    name="rfc9568",
    versions=(3,),
    checks=(*_STRUCTURE_RFC, Discard.NO_ADDRESS, Discard.ZERO_INTERVAL, Discard.FIRST_ADDRESS),
    lower_reply=LowerReply.ADVERTISE,
    checksum_form=ChecksumForm.PLAIN,
    checksum_policy=ChecksumPolicy.PLAIN,
)
"""Version 3 of 2024 with its verified errata 8298 to 8301; no pseudo-header over IPv4."""

KEEPALIVED = Profile(
    name="keepalived",
    versions=(2, 3),
    checks=(
        Discard.DESTINATION,  # its socket does not even get these
        Discard.AH_PRESENCE,
        Discard.LENGTH,
        Discard.TTL,
        Discard.VERSION,
        Discard.AUTH_TYPE,
        Discard.PASSWORD,
        Discard.AH_SPI,
        Discard.AH_SEQUENCE,
        Discard.AH_ICV,
        Discard.INTERVAL,
        Discard.TYPE,
        Discard.ADDRESS_COUNT,
        Discard.CHECKSUM,
        Discard.OWNER_DEAF,
        Discard.ADDRESS_LIST,
        Discard.UNICAST_SOURCE,
        Discard.PEER_TTL,
    ),
    owner_start=OwnerStart.MASTER_IF_STATE_MASTER,
    lower_reply=LowerReply.ADVERTISE_AND_ANNOUNCE,
    checksum_policy=ChecksumPolicy.PSEUDO_HEADER,
    announcements=Announcements(
        repeat=5,
        again_after_ns=5 * SECOND_NS,
        lower_repeat=5,
        lower_again_after_ns=5 * SECOND_NS,
    ),
    announcements_configured=True,
    any_packet_restarts_advert_timer=True,
    refused_packet_restarts_advert_timer=True,
    refused_advert_shortens_memory=True,
    priority_change_moves_timer=True,
    fault_state=True,
    goodbyes_on_fault=2,
    announces_source_after_fault=True,
    second_owner_yields=True,
    router_flag=False,
    virtual_mac=False,
    base_hears_itself=False,
    lateness=KEEPALIVED_LATENESS,
    link_detection_ns=4_000_000,
)
"""keepalived 2.2.7 (Debian 12), measured."""

FRR = Profile(
    name="frr",
    versions=(3, 2),
    checks=(
        Discard.DESTINATION,
        Discard.TTL,
        Discard.VERSION,
        Discard.TYPE,
        Discard.LENGTH,
        Discard.NO_ADDRESS,
        Discard.CHECKSUM,
        Discard.AUTH_TYPE,
        Discard.INTERVAL,
    ),
    skew=SkewRule.WHOLE_CENTISECONDS,
    owner_start=OwnerStart.BACKUP,
    checksum_policy=ChecksumPolicy.PSEUDO_HEADER,
    tracks_links=False,
    reserved_bits_in_interval=True,
    dont_fragment=True,
    keeps_addresses=True,
    first_ipv6_advertisement=False,
    lateness=FRR_LATENESS,
)
"""FRR 8.4.4 vrrpd (Debian 12), measured."""

OURS = replace(
    KEEPALIVED,
    name="vrrp",
    checks=tuple(Discard.AH_REPLAY if one is Discard.AH_SEQUENCE else one for one in KEEPALIVED.checks),
    refused_packet_restarts_advert_timer=False,
)
"""As our own daemon is: keepalived, but for what would keep two masters apart for ever. Those that send at the same
moment with the same sequence number each take the other's for seen already, and go on in step; and a packet that is
refused, whoever sent it, would silence a master for as long as more of them come."""

PROFILES = {profile.name: profile for profile in (RFC3768, RFC5798, RFC9568, KEEPALIVED, FRR)}
"""The five profiles by name."""
_KNOWN = {**PROFILES, OURS.name: OURS}

_LISTS_ARE_LOGGED = (2, 3, 4)
"""The first release of keepalived that we know to take an advertisement with other addresses (its source: it logs
and counts the difference). 2.3.0 still refused it; what is between we do not know."""


@cache
def profile_named(name: str) -> Profile:
    """The profile of this name: one of `PROFILES`, `OURS`, or keepalived of a certain release: "keepalived-2.3.4".

    KEEPALIVED itself is 2.2.7, and other releases are taken to do the same but for what we know of them. ValueError
    with the nearest name for what there is not.
    """
    if name in _KNOWN:
        return _KNOWN[name]
    release = name.removeprefix("keepalived-")
    if release == name or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){1,2}", release):
        raise ValueError(f"there is no profile {name[:40]!r}; {nearest(name, _KNOWN)}")
    refused = {Discard.ADDRESS_COUNT, Discard.ADDRESS_LIST}
    checks = KEEPALIVED.checks
    if tuple(map(int, release.split("."))) >= _LISTS_ARE_LOGGED:
        checks = tuple(check for check in checks if check not in refused)
    return replace(KEEPALIVED, name=name, checks=checks)
