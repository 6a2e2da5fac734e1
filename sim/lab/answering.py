"""Whoever connects to an address that somebody holds is answered: listening sockets on every node and server.

HAProxy is not run, as it is not simulated; a connection that reaches a node is accepted.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Iterable

from sim.lab.listener import urgently
from sim.lab.namespace import Namespace

_BACKLOG = 128


class Answering:
    """Accepts connections, and closes them at once, until `end`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ending, self._end = os.pipe()
        self._selector.register(self._ending, selectors.EVENT_READ)
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def listen(self, namespace: Namespace, ports: Iterable[int]) -> None:
        """Listen there on these ports, on whatever IPv4 address."""
        with namespace.entered():
            for port in sorted(set(ports)):
                opened = socket.create_server(("", port), backlog=_BACKLOG)
                opened.setblocking(False)
                self._sockets.append(opened)
                self._selector.register(opened, selectors.EVENT_READ)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def _run(self) -> None:
        with urgently():
            self._accept_all()

    def _accept_all(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    return
                try:
                    accepted, _ = key.fileobj.accept()
                except OSError:
                    continue  # it was gone before it was accepted
                accepted.close()

    def end(self) -> None:
        """Close them all."""
        os.write(self._end, b".")
        if self._thread.is_alive():
            self._thread.join(5)
        for opened in self._sockets:
            opened.close()
        self._selector.close()
        os.close(self._ending)
        os.close(self._end)
