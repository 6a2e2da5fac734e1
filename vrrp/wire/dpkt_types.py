"""Our decoder for dpkt users: after `register_dpkt()`, `dpkt.ip.IP` and `dpkt.ip6.IP6` hand protocol 112 to it.

dpkt's own `dpkt.vrrp` knows version 2 over IPv4 only: it reads a version 3 interval of 1000 cs as an
authentication type of 3, cuts IPv6 addresses into pieces of four bytes, and verifies nothing.
"""

from __future__ import annotations

import dpkt

from vrrp.wire.advertisement import Advertisement, decode
from vrrp.wire.checksum import PROTOCOL, ChecksumPolicy
from vrrp.wire.errors import DecodeError


class VRRP(dpkt.Packet):  # type: ignore[misc]  # dpkt has no type hints
    """A dpkt packet whose `advertisement` is ours. dpkt hands over no IP header, so sums stay unverified.

    Verify with `vrrp.decode(bytes(packet), source=ip.src, destination=ip.dst, ttl=ip.ttl)`.
    """

    __hdr__ = ()
    advertisement: Advertisement

    def unpack(self, buf: bytes) -> None:
        """Called by dpkt. Raises dpkt.UnpackError, on which dpkt keeps the bytes as they are."""
        try:
            self.advertisement = decode(bytes(buf), checksum=ChecksumPolicy.UNCHECKED)
        except DecodeError as error:
            raise dpkt.UnpackError(str(error)) from error
        self.data = bytes(buf)


def register_dpkt() -> None:
    """Teach dpkt's IP classes to parse protocol 112 with this library.

    Explicit, because it changes dpkt for the whole process; importing this module changes nothing.
    `dpkt.ip6.IP6` shares the table of `dpkt.ip.IP`.
    """
    dpkt.ip.IP.set_proto(PROTOCOL, VRRP)
