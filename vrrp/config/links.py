"""Blocks about interfaces: linkbeat_interfaces, interface_up_down_delays and garp_group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from vrrp.config.diagnostics import Report, Voice, missing_parameter
from vrrp.config.host import Interfaces
from vrrp.config.model import LinkDelays, VrrpInstance
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, decimal_us

_LINKBEAT_KINDS = frozenset({"ETHTOOL", "IOCTL", "MII"})
_LONGEST_DELAY_US = 255_000_000
_LONGEST_GARP_INTERVAL_US = 2**31 - 1


def read_linkbeat(block: Block, interfaces: Interfaces, report: Report) -> None:
    """A linkbeat_interfaces block: INTERFACE [MII|ETHTOOL|IOCTL], which the kernel alone is for."""
    for entry in block.entries():
        if not interfaces.exist(entry.keyword):
            message = f"unknown interface {entry.keyword} specified for linkbeat interface"
            report.unusable(entry.line, message, "keepalived ignores the line")
        elif entry.arguments and (entry.arguments[0] not in _LINKBEAT_KINDS or len(entry.arguments) > 1):
            message = f"extra characters {entry.arguments[0]} in linkbeat interface"
            report.warning(entry.line, message, "keepalived ignores the words")


def link_delays(block: Block, interfaces: Interfaces, report: Report) -> Iterator[LinkDelays]:
    """The lines of interface_up_down_delays: INTERFACE DOWN_DELAY [UP_DELAY], in seconds."""
    for entry in block.entries():
        if not interfaces.exist(entry.keyword):
            message = f"unknown interface {entry.keyword} specified for up/down delay"
            report.unusable(entry.line, message, "keepalived ignores the line")
            continue
        delays_us = []
        for text in entry.arguments[:2]:
            number = decimal_us(text, 0, _LONGEST_DELAY_US, tail=True)
            if number.complaint:
                report.warning(entry.line, number.complaint, "keepalived ignores the line")
                break
            delays_us.append(number.read if number.value is None else number.value)
        else:
            if delays_us:
                down_us, up_us = (*delays_us, 0)[:2]
                yield LinkDelays(entry.keyword, up_us * MICROSECOND_NS, down_us * MICROSECOND_NS, entry.line)


def shortened(delays: LinkDelays, instances: Iterable[VrrpInstance], report: Report) -> LinkDelays:
    """The delays as keepalived uses them: it must notice before its backups do (keepalived 2.2.7, measured).

    Args:
        delays: as they are written.
        instances: those of the file.
        report: takes the diagnostics; keepalived only writes to its log.
    """
    for instance in instances:
        if instance.interface != delays.interface:
            continue
        interval_us = instance.interval_cs * 10_000
        adverts = instance.down_timer_adverts - 1
        longest_us = adverts * interval_us - interval_us // 256 if adverts else 0
        longest_ns = longest_us * MICROSECOND_NS
        if max(delays.up_ns, delays.down_ns) > longest_ns:
            report.warning(
                delays.line,
                f"{instance.name}: interface {delays.interface} debounce timer(s) not less that"
                f" {adverts} * advert_int - resetting",
                f"keepalived uses {longest_us / 1e6:g} s at the most",
                Voice.OURS,
            )
            shorter = min(delays.up_ns, longest_ns), min(delays.down_ns, longest_ns)
            delays = replace(delays, up_ns=shorter[0], down_ns=shorter[1])
    return delays


class GarpGroups:
    """The garp_group blocks of a file: interfaces that share one pace of announcements, which the kernel is for.

    Args:
        report: takes the diagnostics.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._grouped: set[str] = set()
        self._count = 0

    def read(self, block: Block, interfaces: Interfaces) -> None:
        """Take a block in."""
        paced = False
        named = False
        for entry in block.body:
            if isinstance(entry, Block):
                named = named or bool(entry.body)
                self._interfaces(entry, interfaces)
            elif argument(entry, self._report) is None:
                continue
            elif entry.keyword == "interface":
                named = True
                self._join(entry.arguments[0], entry.line, entry.arguments[0], interfaces)
            else:
                paced = self._interval(entry) or paced
        self._count += named
        if not paced:
            message = f"garp group {self._count} does not have any delay set - removing"
            self._report.warning(block.end, message, "keepalived ignores the block")

    def _interval(self, entry: Statement) -> bool:
        text = entry.arguments[0]
        number = decimal_us(text, 0, _LONGEST_GARP_INTERVAL_US, tail=True)
        complaint = f": garp_group {entry.keyword} '{text}' invalid" if number.value is None else ""
        if number.complaint:
            self._report.warning(entry.line, number.complaint + complaint, "keepalived reads on")
        return number.value is not None

    def _interfaces(self, block: Block, interfaces: Interfaces) -> None:
        names = [word for entry in block.entries() for word in entry.words]
        if not names:
            message = "Warning - empty garp_group interfaces block"
            self._report.warning(block.end, message, "keepalived ignores it")
        for name in names:
            # The second word is what keepalived names, whichever it means; without one it exits.
            if name in self._grouped and len(names) == 1:
                self._report.stop(block.end, missing_parameter(name))
                return
            self._join(name, block.end, names[1] if len(names) > 1 else name, interfaces)

    def _join(self, name: str, line: int, named: str, interfaces: Interfaces) -> None:
        if name in self._grouped:
            message = f"garp_group already specified for {named} - ignoring"
            self._report.warning(line, message, "keepalived uses the first")
        elif not interfaces.have(name):
            message = f"WARNING - interface {name} specified for garp_group doesn't exist"
            self._report.warning(line, message, "keepalived does not start")
        else:
            self._grouped.add(name)
