"""This kernel's IPVS, where it has one."""

from __future__ import annotations

import errno
import logging
import os

from pyroute2.netlink import CTRL_CMD_GETFAMILY, GENL_ID_CTRL, NETLINK_GENERIC, ctrlmsg
from pyroute2.netlink.generic.ipvs import GENL_NAME

from vrrp.linux.lvs.messages import Change, command_line, flush_message, message
from vrrp.linux.netlink import Netlink
from vrrp.lvs.effects import (
    AddDestination,
    AddService,
    EditDestination,
    EditService,
    RemoveDestination,
    RemoveService,
)

log = logging.getLogger("vrrp.ipvs")

_GONE = frozenset({errno.ESRCH, errno.ENOENT})


class Ipvs:
    """Generic netlink's family IPVS. OSError(ENOENT) where this kernel has none."""

    def __init__(self) -> None:
        self._netlink = Netlink(family=NETLINK_GENERIC)
        try:
            self._family = _family(self._netlink)
        except OSError:
            self._netlink.close()
            raise

    def carry_out(self, change: Change) -> None:
        """Make a change; one that the kernel does not make is logged.

        What it has already, because an earlier run left it, is changed instead; what it has no more is no loss.
        """
        try:
            try:
                self._ask(change)
            except FileExistsError:
                self._ask(_again(change))
        except OSError as error:
            if not (isinstance(change, RemoveService | RemoveDestination) and error.errno in _GONE):
                log.error("IPVS: %s: %s", command_line(change), (error.strerror or str(error)).lower())

    def flush(self) -> None:
        """Have no services at all, whoever put them there."""
        try:
            self._netlink.ask(self._family, flush_message())
        except OSError as error:
            log.error("IPVS: ipvsadm -C: %s", (error.strerror or str(error)).lower())

    def close(self) -> None:
        """Let it go; what it was told stays."""
        self._netlink.close()

    def _ask(self, change: Change) -> None:
        self._netlink.ask(self._family, message(change))


def _again(change: Change) -> Change:
    """The change of what is there already, in the place of its addition."""
    match change:
        case AddService(service):
            return EditService(service)
        case AddDestination(service, destination):
            return EditDestination(service, destination)
    return change


def _family(netlink: Netlink) -> int:
    """The number that the kernel gave the family (genetlink). OSError(ENOENT) where there is none of that name."""
    asked = ctrlmsg()
    asked["cmd"], asked["version"] = CTRL_CMD_GETFAMILY, 1
    asked["attrs"] = [("CTRL_ATTR_FAMILY_NAME", GENL_NAME)]
    for _, answer in netlink.question(GENL_ID_CTRL, asked):
        number = answer.get_attr("CTRL_ATTR_FAMILY_ID")
        assert isinstance(number, int)
        return number
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
