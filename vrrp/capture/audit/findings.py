"""What an audit can find: the catalogue, and one finding with its packets.

Each entry says what it means for the service and what usually causes it. The catalogue is data: adding a check
means one entry here and the place that reports it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

_KEPT = 12


class Severity(enum.Enum):
    """How bad it is. An error or a warning makes `vrrp audit` exit with 1."""

    ERROR = "error"
    """The service is wrong, or will be at the next failure."""
    WARNING = "warning"
    """Users noticed, or somebody should look."""
    NOTE = "note"
    """Worth knowing; nothing is wrong."""


class Kind(NamedTuple):
    """One entry of the catalogue."""

    severity: Severity
    title: str
    meaning: str
    cause: str


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CATALOGUE: dict[str, Kind] = {
    "two-masters": Kind(
        _E,
        "two masters at once",
        "both answer for the same addresses; each client reaches one of them, whichever announced itself to it last",
        "advertisements do not get from one to the other: a firewall or security group that drops IP protocol 112 "
        "or 224.0.0.18, a switch that lost the group, a partition",
    ),
    "silent-second-master": Kind(
        _E,
        "a second master that hardly advertises",
        "both hold the addresses, though one router alone seems to speak: keepalived starts its advertisement timer "
        "anew at every advertisement it hears, even one that it rejects",
        "they reject each other's advertisements: password, authentication type, address list, interval or version "
        "differ",
    ),
    "cut-off": Kind(
        _E,
        "a master that this capture did not hear",
        "a router had been sending advertisements elsewhere before it was heard here: meanwhile both sides "
        "had a master",
        "a link or switch between them failed and came back",
    ),
    "frozen": Kind(
        _W,
        "a master that stood still and went on",
        "it had not been restarted: its packets go on counting where they stopped, and it did not know that it "
        "had been replaced",
        "a paused or snapshotted virtual machine, live migration, a stopped or starved process",
    ),
    "takeover-without-goodbye": Kind(
        _W,
        "takeover without a priority 0",
        "the old master fell silent; nobody answered for the addresses until Master_Down_Interval had passed",
        "a crash, kill -9, power or link failure of the old master; after kill -9 its addresses stay and it "
        "goes on answering ARP",
    ),
    "slow-takeover": Kind(
        _W,
        "takeover later than the formula",
        "the addresses had no master for longer than Master_Down_Interval or Skew_Time says",
        "the new master was starved or just starting, waits for the rest of its sync group, or has a preempt or "
        "startup delay",
    ),
    "no-master": Kind(
        _E,
        "nobody took over",
        "the last master fell silent or resigned, and no other followed",
        "no other router is running, none hears the group, or all are in FAULT",
    ),
    "flapping": Kind(
        _W,
        "mastership moves again and again",
        "each move costs clients their connections",
        "a check script at the edge of its timeout, without rise and fall; equal priorities; an unstable link",
    ),
    "address-list": Kind(
        _E,
        "the routers list different addresses",
        "keepalived up to 2.3.0 rejects the other's advertisements: both become master",
        "an address added on one node only, or an order of reloads",
    ),
    "duplicate-vrid": Kind(
        _E,
        "two clusters use the same VRID",
        "each hears the other's advertisements: at best their logs fill, at worst one never becomes master",
        "VRID 51 left as in everybody's example; choose another on one cluster",
    ),
    "interval": Kind(
        _E,
        "the routers state different intervals",
        "version 2 rejects such advertisements: both become master; version 3 follows the master's",
        "advert_int differs between the configurations",
    ),
    "version": Kind(
        _E,
        "the routers speak different versions",
        "each rejects the other's advertisements: both become master",
        "vrrp_version or `version` differs; IPv6 is always version 3",
    ),
    "authentication-type": Kind(
        _E,
        "the routers use different authentication",
        "each rejects the other's advertisements: both become master",
        "auth_type set on one node only, or PASS on one and AH on the other",
    ),
    "password": Kind(
        _E,
        "the routers use different passwords",
        "each rejects the other's advertisements: both become master",
        "auth_pass differs within its first 8 characters",
    ),
    "checksum-forms": Kind(
        _E,
        "the routers compute the version 3 checksum differently",
        "each takes the other's advertisements for damaged: both become master",
        "keepalived and FRR add the IPv4 pseudo-header, Cisco, Juniper and RFC 9568 do not; v3_checksum_as_v2 in "
        "keepalived and checksum-with-ipv4-pseudoheader in FRR choose",
    ),
    "checksum-plain": Kind(
        _N,
        "version 3 checksum without pseudo-header",
        "as RFC 9568, Cisco and Juniper do; keepalived and FRR reject it unless told otherwise, tcpdump calls it bad",
        "the sender's make, or v3_checksum_as_v2",
    ),
    "checksum-old-unicast": Kind(
        _E,
        "checksum of an old keepalived",
        "keepalived up to 1.3.6 put 224.0.0.18 into the pseudo-header of unicast packets; newer ones reject it",
        "keepalived 1.3.6 or older on the sender; old_unicast_checksum makes newer ones take it",
    ),
    "checksum": Kind(
        _E,
        "wrong checksum",
        "every receiver drops these packets",
        "a damaged packet, a broken sender, or checksum offloading at the place of capture",
    ),
    "ttl": Kind(
        _E,
        "TTL or hop limit is not 255",
        "multicast receivers drop these packets: they came through a router, or pretend to",
        "a router that forwards the group, a forged packet, unicast_ttl",
    ),
    "malformed": Kind(
        _E,
        "damaged advertisement",
        "every receiver drops these packets",
        "a broken or hostile sender, or a capture cut by its snapshot length",
    ),
    "mixed-addressing": Kind(
        _E,
        "some routers send unicast, others multicast",
        "a multicast listener does not get unicast packets, nor the reverse: both become master",
        "unicast_peer missing, empty or misspelt on one node: keepalived then falls back to multicast",
    ),
    "two-owners": Kind(
        _E,
        "two routers with priority 255",
        "the owner of the addresses is one router; two of them fight",
        "priority 255 copied to the other node",
    ),
    "no-gratuitous-arp": Kind(
        _E,
        "no gratuitous ARP after a takeover",
        "clients and switches go on sending to the old master until their ARP entries age",
        "gratuitous ARP filtered, garp_master_delay, an interface that was not up yet, a fault in the new master",
    ),
    "stale-arp": Kind(
        _E,
        "the loser announced the addresses last",
        "clients send to a router that is not master",
        "a delayed gratuitous ARP that crossed the takeover, or a master that did not notice that it lost",
    ),
    "address-elsewhere": Kind(
        _E,
        "somebody else announces a virtual address",
        "clients reach a station that takes no part in VRRP",
        "the address configured statically on a host, or left on a crashed one",
    ),
    "two-answers": Kind(
        _E,
        "two stations answer ARP for one address",
        "which one a client reaches is chance",
        "an address left behind by kill -9, two masters, or a static configuration",
    ),
    "lost-advertisements": Kind(
        _W,
        "advertisements missing",
        "two more in a row and a backup takes over",
        "loss on the way to the place of capture, a starved master, its advertisement timer put off",
    ),
    "late-advertisements": Kind(
        _N,
        "advertisements late",
        "the master sends, but its process wakes late",
        "a busy host or hypervisor, scripts or storage that block",
    ),
    "interval-not-kept": Kind(
        _W,
        "the real interval is not the stated one",
        "backups compute Master_Down_Interval from what is stated",
        "a fraction of a second with version 2, which knows whole seconds; another sender with the same address",
    ),
    "ah-sequence": Kind(
        _E,
        "the AH sequence number goes back",
        "receivers take it for a replay and drop it",
        "a replayed packet, or two senders with one address; a restarted sender begins again at 1",
    ),
    "ah-spi": Kind(
        _E,
        "the AH security parameter index is not the sender's address",
        "keepalived uses the address; another value means a forged packet or one changed on its way",
        "NAT between the routers, or a replay by somebody else",
    ),
    "ah-icv": Kind(
        _E,
        "the AH integrity check value is wrong",
        "receivers drop these packets",
        "another password, or a packet changed on its way",
    ),
    "hmac-trailer": Kind(
        _N,
        "carries keepalived 2.4's HMAC trailer",
        "older keepalived calls such packets too long; the signature cannot be verified without the key",
        "auth_hmac is configured",
    ),
    "carp-same-vrid": Kind(
        _E,
        "CARP uses the same identifier",
        "CARP and VRRP share protocol number and virtual MAC: switches see one MAC at two places",
        "a pfSense, OPNsense or OpenBSD firewall whose vhid equals this VRID",
    ),
    "carp": Kind(_N, "CARP is spoken here", "it shares VRRP's protocol number", "pfSense, OPNsense or OpenBSD"),
    "no-igmp-report": Kind(
        _W,
        "a router answers IGMP queries without VRRP's group",
        "a snooping switch stops sending it the advertisements after some minutes: it becomes a second master",
        "the daemon's socket did not join the group on this interface",
    ),
    "no-querier": Kind(
        _N,
        "hosts report groups, but nobody queries",
        "a snooping switch forgets its members after about 260 s without a querier, and drops the advertisements",
        "no IGMP querier on this VLAN",
    ),
    "equal-priorities": Kind(
        _N,
        "two routers have the same priority",
        "the higher address wins when both start at once; otherwise who is master stays",
        "priority left at its default",
    ),
    "time-backwards": Kind(
        _N,
        "the capture's clock goes back",
        "durations across that point mean nothing",
        "merged captures, or a clock that was set",
    ),
}


@dataclass(slots=True)
class Finding:
    """One entry of the catalogue, found. Grows while more packets show the same."""

    code: str
    where: str
    """Which virtual router or address, as shown to people."""
    detail: str
    """What exactly, in one line."""
    first_ns: int
    last_ns: int
    count: int = 0
    packets: list[int] = field(default_factory=list)
    """The numbers of the first packets that show it."""

    @property
    def kind(self) -> Kind:
        """Its entry in the catalogue."""
        return CATALOGUE[self.code]

    def add(self, number: int, time_ns: int, count: int = 1) -> None:
        """Another packet shows it, or `count` of which this is the first."""
        self.count += count
        self.last_ns = max(self.last_ns, time_ns)
        if len(self.packets) < _KEPT and number not in self.packets:
            self.packets.append(number)


class Findings:
    """Findings by what they are about, at most `LIMIT` of them; the rest is counted."""

    LIMIT = 2000

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Finding] = {}
        self.beyond_limit = 0

    def add(
        self, code: str, where: str, key: object, time_ns: int, number: int, detail: str = "", count: int = 1
    ) -> Finding | None:
        """Report a packet; findings of the same code, place and `key` are one. None beyond the limit."""
        assert code in CATALOGUE
        identity = (code, where, key)
        finding = self._found.get(identity)
        if finding is None:
            if len(self._found) >= self.LIMIT:
                self.beyond_limit += 1
                return None
            finding = self._found[identity] = Finding(code, where, detail, time_ns, time_ns)
        finding.add(number, time_ns, count)
        return finding

    def sorted(self) -> list[Finding]:
        """All of them: the worst first, then by time."""
        rank = list(Severity)
        return sorted(self._found.values(), key=lambda f: (rank.index(f.kind.severity), f.first_ns, f.code))
