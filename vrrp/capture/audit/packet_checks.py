"""What is wrong with one packet, whatever came before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.audit.findings import Findings
from vrrp.capture.audit.meaning import Broken, Said, Sum
from vrrp.wire.address import text

_SUMS = {
    Sum.WRONG: "checksum",
    Sum.OLD_UNICAST: "checksum-old-unicast",
}


def check_said(
    findings: Findings,
    where: str,
    said: Said,
    times_ns: NDArray[np.int64],
    numbers: NDArray[np.int64],
    last_sequence: int | None,
    key: bytes | None,
) -> None:
    """Report what any correct receiver would reject or notice in these repetitions of one packet.

    `last_sequence` is the virtual router's last AH sequence number (all its routers count on from each other's),
    `key` the password to verify AH with; None for neither.
    """
    who = text(said.source)
    now_ns, number, count = int(times_ns[0]), int(numbers[0]), len(numbers)
    found: list[tuple[str, str]] = []
    # A unicast sender may choose its TTL (unicast_ttl), and its packets may be routed.
    if said.ttl != 255 and not said.unicast:
        found.append(("ttl", f"{who} sends TTL {said.ttl}"))
    if said.checksum in _SUMS:
        found.append((_SUMS[said.checksum], f"{who} sends a checksum {said.checksum.value}"))
    elif said.checksum is Sum.PLAIN and said.advertisement.version == 3:
        found.append(("checksum-plain", f"{who} sums the message only"))
    if said.trailer is not None:
        found.append(("hmac-trailer", f"{who}: {said.trailer.describe()}"))
    for code, detail in found:
        finding = findings.add(code, where, said.source, now_ns, number, detail, count)
        if finding is not None:
            finding.add(int(numbers[-1]), int(times_ns[-1]), 0)
    header = said.authentication
    if header is None:
        return
    if header.spi.to_bytes(4, "big") != said.source:
        findings.add(
            "ah-spi",
            where,
            said.source,
            now_ns,
            number,
            f"{who} sends SPI {header.spi:#010x}, which is not its address",
        )
    if key is not None and not header.verify(key):
        findings.add("ah-icv", where, said.source, now_ns, number, f"{who} does not use the given password")
    if last_sequence is not None and header.sequence <= last_sequence:
        detail = f"{who} sends sequence {header.sequence} after {last_sequence}"
        findings.add("ah-sequence", where, said.source, now_ns, number, detail)


def check_broken(findings: Findings, broken: Broken, time_ns: int, number: int) -> None:
    """Report a packet of VRRP's protocol that is no advertisement."""
    where = "capture" if broken.vrid is None else f"vrid {broken.vrid}"
    detail = f"{text(broken.source)}: {broken.reason.value}" + (f" ({broken.detail})" if broken.detail else "")
    findings.add("malformed", where, (broken.source, broken.reason), time_ns, number, detail)
