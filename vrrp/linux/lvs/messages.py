"""IPVS' messages over generic netlink (Linux' include/uapi/linux/ip_vs.h), built with pyroute2's.

They are keepalived 2.2.7's to the byte. pyroute2's own description of IPVS sends the tunnel's port in the machine's
byte order and reads IPv6's persistence granularity as an address, so that the attributes are described here.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import Any

from pyroute2.netlink import NLA_F_NESTED, genlmsg, nla
from pyroute2.netlink.generic import ipvs

from vrrp.config.lvs.model import Forwarding
from vrrp.config.values import Address
from vrrp.lvs.effects import (
    AddDestination,
    AddService,
    EditDestination,
    EditService,
    RemoveDestination,
    RemoveService,
)
from vrrp.lvs.service import Destination, Service

Change = AddService | EditService | RemoveService | AddDestination | EditDestination | RemoveDestination

_COMMANDS: dict[type[Change], int] = {
    AddService: ipvs.IPVS_CMD_NEW_SERVICE,
    EditService: ipvs.IPVS_CMD_SET_SERVICE,
    RemoveService: ipvs.IPVS_CMD_DEL_SERVICE,
    AddDestination: ipvs.IPVS_CMD_NEW_DEST,
    EditDestination: ipvs.IPVS_CMD_SET_DEST,
    RemoveDestination: ipvs.IPVS_CMD_DEL_DEST,
}
_OPTIONS: dict[type[Change], str] = {
    AddService: "-A",
    EditService: "-E",
    RemoveService: "-D",
    AddDestination: "-a",
    EditDestination: "-e",
    RemoveDestination: "-d",
}
_PROTOCOL_OPTIONS = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}
_METHOD_OPTIONS = {"NAT": "-m", "TUN": "-i", "DR": "-g"}
_PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
_FAMILIES = {4: 2, 6: 10}
_METHODS = {"NAT": 0, "TUN": 2, "DR": 3}
_TUNNELS = {"ipip": 0, "gue": 1, "gre": 2}
_CHECKSUMS = {"nocsum": 0, "csum": 1, "remcsum": 2}
_PERSISTENT, _ONE_PACKET = 0x1, 0x4
_SCHEDULER_FLAGS = {
    "flag-1": 0x8,
    "sh-fallback": 0x8,
    "mh-fallback": 0x8,
    "flag-2": 0x10,
    "sh-port": 0x10,
    "mh-port": 0x10,
    "flag-3": 0x20,
}
_ALL_FLAGS = 0xFFFFFFFF


class Message(genlmsg):  # type: ignore[misc]  # pyroute2 is not typed
    """One command. Addresses are 16 bytes, IPv4's in front; ports are in the network's byte order."""

    prefix = "IPVS_CMD_ATTR_"
    nla_map = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "service"),
        ("IPVS_CMD_ATTR_DEST", "destination"),
    )

    class service(nla):  # type: ignore[misc]  # noqa: N801 (the name that nla_map has)
        """Which service, and how it balances."""

        nla_flags = NLA_F_NESTED
        prefix = "IPVS_SVC_ATTR_"
        nla_map = (
            ("IPVS_SVC_ATTR_UNSPEC", "none"),
            ("IPVS_SVC_ATTR_AF", "uint16"),
            ("IPVS_SVC_ATTR_PROTOCOL", "uint16"),
            ("IPVS_SVC_ATTR_ADDR", "cdata"),
            ("IPVS_SVC_ATTR_PORT", "be16"),
            ("IPVS_SVC_ATTR_FWMARK", "uint32"),
            ("IPVS_SVC_ATTR_SCHED_NAME", "asciiz"),
            ("IPVS_SVC_ATTR_FLAGS", "cdata"),
            ("IPVS_SVC_ATTR_TIMEOUT", "uint32"),
            ("IPVS_SVC_ATTR_NETMASK", "cdata"),
            ("IPVS_SVC_ATTR_STATS", "none"),
            ("IPVS_SVC_ATTR_PE_NAME", "asciiz"),
        )

    class destination(nla):  # type: ignore[misc]  # noqa: N801 (the name that nla_map has)
        """Which server of it, and its share."""

        nla_flags = NLA_F_NESTED
        prefix = "IPVS_DEST_ATTR_"
        nla_map = (
            ("IPVS_DEST_ATTR_UNSPEC", "none"),
            ("IPVS_DEST_ATTR_ADDR", "cdata"),
            ("IPVS_DEST_ATTR_PORT", "be16"),
            ("IPVS_DEST_ATTR_FWD_METHOD", "uint32"),
            ("IPVS_DEST_ATTR_WEIGHT", "uint32"),
            ("IPVS_DEST_ATTR_U_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_L_THRESH", "uint32"),
            ("IPVS_DEST_ATTR_ACTIVE_CONNS", "none"),
            ("IPVS_DEST_ATTR_INACT_CONNS", "none"),
            ("IPVS_DEST_ATTR_PERSIST_CONNS", "none"),
            ("IPVS_DEST_ATTR_STATS", "none"),
            ("IPVS_DEST_ATTR_ADDR_FAMILY", "uint16"),
            ("IPVS_DEST_ATTR_STATS64", "none"),
            ("IPVS_DEST_ATTR_TUN_TYPE", "uint8"),
            ("IPVS_DEST_ATTR_TUN_PORT", "be16"),
            ("IPVS_DEST_ATTR_TUN_FLAGS", "uint16"),
        )


def message(change: Change) -> Message:
    """The command that has IPVS make a change."""
    said = Message()
    said["cmd"], said["version"] = _COMMANDS[type(change)], ipvs.GENL_VERSION
    whole = not isinstance(change, AddDestination | EditDestination | RemoveDestination)
    said["attrs"] = [("IPVS_CMD_ATTR_SERVICE", {"attrs": list(_service(change.service, whole))})]
    if isinstance(change, AddDestination | EditDestination | RemoveDestination):
        said["attrs"].append(("IPVS_CMD_ATTR_DEST", {"attrs": _destination(change.destination)}))
    return said


def flush_message() -> Message:
    """The command that has IPVS forget all services."""
    said = Message()
    said["cmd"], said["version"] = ipvs.IPVS_CMD_FLUSH, ipvs.GENL_VERSION
    return said


def command_line(change: Change) -> str:
    """The same command as ipvsadm(8) has it, for people."""
    words = ["ipvsadm", _OPTIONS[type(change)], *_name(change.service)]
    if isinstance(change, AddDestination | EditDestination | RemoveDestination):
        words += ["-r", _place(change.destination.address, change.destination.port)]
    match change:
        case AddService(service) | EditService(service):
            words += ["-s", service.scheduler]
            words += ["-b", ",".join(sorted(service.flags))] if service.flags else []
            words += ["-o"] if service.one_packet else []
            words += ["-p", str(service.persistence_s)] if service.persistence_s else []
            words += ["-M", str(service.persistence_granularity)] if service.persistence_granularity else []
            words += ["--pe", service.persistence_engine] if service.persistence_engine else []
        case AddDestination(_, destination) | EditDestination(_, destination):
            words += [_METHOD_OPTIONS[destination.forwarding.method], "-w", str(destination.weight)]
            words += _tunnel_words(destination.forwarding)
            words += ["-x", str(destination.upper_connections)] if destination.upper_connections else []
            words += ["-y", str(destination.lower_connections)] if destination.lower_connections else []
    return " ".join(words)


def _name(service: Service) -> list[str]:
    if service.fwmark:
        return ["-f", str(service.fwmark), *(["-6"] if service.family == 6 else [])]
    return [_PROTOCOL_OPTIONS[service.protocol or "TCP"], _place(service.address, service.port)]


def _place(address: Address | None, port: int) -> str:
    return f"[{address}]:{port}" if address is not None and address.version == 6 else f"{address}:{port}"


def _tunnel_words(forwarding: Forwarding) -> list[str]:
    if forwarding.method != "TUN" or forwarding.tunnel == "ipip":
        return []
    port = ["--tun-port", str(forwarding.port)] if forwarding.tunnel == "gue" else []
    return ["--tun-type", forwarding.tunnel, *port, f"--tun-{forwarding.checksum}"]


def _service(service: Service, whole: bool) -> list[tuple[str, Any]]:
    """Which service; with a destination keepalived leaves out what makes it persistent."""
    attributes: list[tuple[str, Any]] = [("IPVS_SVC_ATTR_AF", _FAMILIES[service.family])]
    if service.fwmark:
        attributes.append(("IPVS_SVC_ATTR_FWMARK", service.fwmark))
    else:
        attributes += [
            ("IPVS_SVC_ATTR_PROTOCOL", _PROTOCOLS[service.protocol or "TCP"]),
            ("IPVS_SVC_ATTR_ADDR", _address(service.address)),
            ("IPVS_SVC_ATTR_PORT", service.port),
        ]
    attributes.append(("IPVS_SVC_ATTR_SCHED_NAME", service.scheduler))
    if whole and service.persistence_engine is not None:
        attributes.append(("IPVS_SVC_ATTR_PE_NAME", service.persistence_engine))
    persistent = whole and service.persistence_s
    flags = sum({_SCHEDULER_FLAGS[one] for one in service.flags})
    flags += (_ONE_PACKET if service.one_packet else 0) + (_PERSISTENT if persistent else 0)
    granularity = service.persistence_granularity if whole else None
    if granularity is None:
        granularity = IPv4Address(0xFFFFFFFF) if service.family == 4 else 128
    mask = granularity.packed if isinstance(granularity, IPv4Address) else struct.pack("=I", granularity)
    return [
        *attributes,
        ("IPVS_SVC_ATTR_FLAGS", struct.pack("=II", flags, _ALL_FLAGS)),
        ("IPVS_SVC_ATTR_TIMEOUT", service.persistence_s if persistent else 0),
        ("IPVS_SVC_ATTR_NETMASK", mask),
    ]


def _destination(destination: Destination) -> list[tuple[str, Any]]:
    forwarding = destination.forwarding
    attributes = [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", _FAMILIES[destination.address.version]),
        ("IPVS_DEST_ATTR_ADDR", _address(destination.address)),
        ("IPVS_DEST_ATTR_PORT", destination.port),
        ("IPVS_DEST_ATTR_FWD_METHOD", _METHODS[forwarding.method]),
        ("IPVS_DEST_ATTR_WEIGHT", destination.weight),
    ]
    if forwarding.method == "TUN":
        attributes.append(("IPVS_DEST_ATTR_TUN_TYPE", _TUNNELS[forwarding.tunnel]))
        if forwarding.tunnel == "gue":
            attributes.append(("IPVS_DEST_ATTR_TUN_PORT", forwarding.port))
        if forwarding.tunnel != "ipip":
            attributes.append(("IPVS_DEST_ATTR_TUN_FLAGS", _CHECKSUMS[forwarding.checksum]))
    return [
        *attributes,
        ("IPVS_DEST_ATTR_U_THRESH", destination.upper_connections),
        ("IPVS_DEST_ATTR_L_THRESH", destination.lower_connections),
    ]


def _address(address: Address | None) -> bytes:
    return b"".ljust(16, b"\0") if address is None else address.packed.ljust(16, b"\0")
