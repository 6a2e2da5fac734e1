"""Which addresses are on a node's interfaces, as its kernel tells of each that comes and goes (ip monitor)."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Callable, Collection

from sim.lab.listener import Listener
from sim.lab.namespace import Namespace

_TOLD = re.compile(r"(?P<gone>Deleted )?\d+: (?P<interface>\S+)\s+inet6? (?P<address>[0-9a-f.:]+)")


class Holdings:
    """Follows one node. `tell` is called with time, node, address (text) and whether it is there now.

    `of_interest` are the addresses (text) to tell of.
    """

    def __init__(
        self,
        node: str,
        namespace: Namespace,
        of_interest: Collection[str],
        tell: Callable[[int, str, str, bool], None],
    ) -> None:
        self._node = node
        self._namespace = namespace
        self._of_interest = of_interest
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, listener: Listener) -> None:
        """Begin to follow."""
        words = ["ip", "-o", "monitor", "address"]
        self._process = self._namespace.start(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None  # a pipe, as asked for
        listener.follow(self._process.stdout, self.take)

    def take(self, at_ns: int, line: str) -> None:
        """A line of ip monitor."""
        found = _TOLD.match(line)
        if found is not None:
            address = str(ipaddress.ip_address(found["address"]))
            if address in self._of_interest:
                self._tell(at_ns, self._node, address, found["gone"] is None)

    def end(self) -> None:
        """Follow no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
