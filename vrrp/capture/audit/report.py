"""The result of an audit: what happened, as values and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vrrp.capture.audit.auditor import Auditor
from vrrp.capture.audit.findings import Finding, Severity
from vrrp.capture.audit.holders import Holder
from vrrp.capture.audit.judge import conclude
from vrrp.capture.audit.sender import Sender
from vrrp.capture.audit.watch import Takeover, Watch
from vrrp.capture.reader import Capture
from vrrp.protocol.timers import SECOND_NS
from vrrp.wire.address import text
from vrrp.wire.ethernet import mac_text, virtual_mac


@dataclass(frozen=True, slots=True)
class Audit:
    """What happened in a capture."""

    name: str
    packets: int
    first_ns: int
    last_ns: int
    watches: tuple[Watch, ...]
    holders: dict[tuple[int, tuple[int, ...], bytes], Holder]
    findings: tuple[Finding, ...]
    findings_dropped: int
    damage: str | None

    @property
    def wrong(self) -> bool:
        """Whether anything is worse than a note."""
        return any(finding.kind.severity is not Severity.NOTE for finding in self.findings)

    def at(self, time_ns: int) -> float:
        """Seconds since the first packet."""
        return (time_ns - self.first_ns) / SECOND_NS

    def pointed(self, watch: Watch) -> list[Holder]:
        """The virtual router's addresses of which anything was announced."""
        place = watch.place
        found = (self.holders.get((place.interface, place.vlans, address)) for address in watch.addresses)
        return [holder for holder in found if holder is not None]

    def who(self, watch: Watch, mac: bytes) -> str:
        """Whose MAC it is, as people say it."""
        if mac == virtual_mac(watch.place.vrid, watch.place.width):
            return "virtual MAC"
        owner = watch.owner(mac)
        return text(owner.source) if owner is not None else "no router heard here"

    def as_json(self) -> dict[str, Any]:
        """For machines: times in seconds since the first packet, packets by their number in the file."""
        return {
            "capture": {
                "file": self.name,
                "packets": self.packets,
                "start_epoch_s": self.first_ns / SECOND_NS,
                "duration_s": self.at(self.last_ns),
                "damage": self.damage,
            },
            "virtual_routers": [self._virtual_router(watch) for watch in self.watches],
            "findings": [self._finding(finding) for finding in self.findings],
            "findings_dropped": self.findings_dropped,
        }

    def _finding(self, finding: Finding) -> dict[str, Any]:
        kind = finding.kind
        return {
            "code": finding.code,
            "severity": kind.severity.value,
            "where": finding.where,
            "title": kind.title,
            "detail": finding.detail,
            "means": kind.meaning,
            "usual_cause": kind.cause,
            "from": self.at(finding.first_ns),
            "to": self.at(finding.last_ns),
            "count": finding.count,
            "packets": finding.packets,
        }

    def _virtual_router(self, watch: Watch) -> dict[str, Any]:
        place = watch.place
        return {
            "vrid": place.vrid,
            "family": "IPv4" if place.width == 4 else "IPv6",
            "vlans": list(place.vlans),
            "interface": place.interface,
            "addresses": [text(address) for address in watch.addresses],
            "routers": [self._sender(sender) for sender in watch.senders.values()],
            "masters": [
                {
                    "router": text(sender.source),
                    "from": self.at(span.first_ns),
                    "to": self.at(span.end_ns),
                    "packets": [span.first_number, span.last_number],
                    "advertisements": span.adverts,
                    "resigned": span.goodbye_ns is not None,
                }
                for sender in watch.senders.values()
                for span in sender.spans
            ],
            "takeovers": [self._takeover(takeover) for takeover in watch.takeovers],
            "takeovers_dropped": watch.takeovers_dropped,
            "clients": [
                {
                    "address": text(holder.address),
                    "mac": mac_text(pointing.mac),
                    "whose": self.who(watch, pointing.mac),
                    "from": self.at(pointing.first_ns),
                    "to": self.at(following.first_ns if following is not None else self.last_ns),
                    "announcements": pointing.announcements,
                    "packets": [pointing.first_number, pointing.last_number],
                }
                for holder in self.pointed(watch)
                for pointing, following in zip(holder.pointings, [*holder.pointings[1:], None], strict=True)
            ],
        }

    def _sender(self, sender: Sender) -> dict[str, Any]:
        advertisement = sender.said.advertisement
        jitter = sender.jitter
        return {
            "address": text(sender.source),
            "macs": [mac_text(mac) for mac in sender.macs if mac],
            "version": advertisement.version,
            "priorities": [p for p in sender.values.get("priority", {}) if isinstance(p, int)],
            "interval_s": advertisement.interval_cs / 100,
            "advertisements": sender.adverts,
            "gaps": {
                "count": jitter.gaps,
                "mean_s": (sender.interval_ns + jitter.mean_late_ns) / SECOND_NS if jitter.gaps else None,
                "deviation_s": jitter.deviation_ns / SECOND_NS if jitter.gaps else None,
                "shortest_s": jitter.shortest_ns / SECOND_NS if jitter.gaps else None,
                "longest_s": jitter.longest_ns / SECOND_NS if jitter.gaps else None,
            },
        }

    def _takeover(self, takeover: Takeover) -> dict[str, Any]:
        return {
            "t": self.at(takeover.time_ns),
            "packet": takeover.number,
            "from": text(takeover.old) if takeover.old is not None else None,
            "to": text(takeover.new),
            "priority": takeover.priority,
            "cause": takeover.cause.name.lower(),
            "measured_s": takeover.measured_ns / SECOND_NS if takeover.measured_ns is not None else None,
            "formula_s": {name: due_ns / SECOND_NS for name, due_ns in (takeover.formula_ns or {}).items()},
        }


def audit(
    capture: Capture, *, key: bytes | None = None, progress: Callable[[int], None] = lambda packets: None
) -> Audit:
    """Read a capture to its end and tell what happened in it.

    `key` is the password to verify authentication headers with; `progress` is called with the packets so far.
    """
    auditor = Auditor(key)
    for batch in capture.batches():
        auditor.feed(batch)
        progress(auditor.packets)
    conclude(auditor)
    return Audit(
        capture.name,
        auditor.packets,
        auditor.first_ns or 0,
        auditor.last_ns,
        tuple(watch for watch in auditor.watches.values() if watch.senders),
        auditor.holders,
        tuple(auditor.findings.sorted()),
        auditor.findings.beyond_limit,
        capture.damage,
    )
