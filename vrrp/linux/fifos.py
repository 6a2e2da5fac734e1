"""The FIFOs that a configuration has written, and the scripts that read them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from vrrp.config.script_security import Runnable
from vrrp.linux.child import Child, Children, Command
from vrrp.linux.fifo import Fifo
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.vetting import allowed

log = logging.getLogger("vrrp.notify")


class Fifos:
    """Those of one service.

    Args:
        children: runs what reads them.
        made: which of them are ours to remove.
        keywords: what the configuration calls them, and the script that reads each, if one is to be run.
    """

    def __init__(self, children: Children, made: MadeFifos, keywords: Mapping[str, str | None]) -> None:
        self._children = children
        self._made = made
        self._keywords = keywords
        self._fifos: dict[Runnable, Fifo] = {}
        self._readers: dict[Command, Child] = {}

    def open(self, runnables: Mapping[str, Runnable], secure: bool) -> None:
        """Have those open that `runnables` names, by keyword, and no others. OSError for one that cannot be."""
        wanted = {fifo: keyword for keyword in self._keywords if (fifo := runnables.get(keyword)) is not None}
        for gone in self._fifos.keys() - wanted.keys():
            self._fifos.pop(gone).close()
        for fifo, keyword in wanted.items():
            if fifo not in self._fifos:
                self._fifos[fifo] = Fifo(fifo.command, fifo.identity, self._made)
            reader = runnables.get(self._keywords[keyword] or "")
            if reader is not None:
                self._read(Command.of(reader.command, reader.identity).with_arguments(fifo.command), secure)

    def write(self, line: str) -> None:
        """Add a line to each."""
        for fifo in self._fifos.values():
            fifo.write(line)

    def close(self) -> None:
        """Write no more: who reads sees the end."""
        self._readers.clear()
        for fifo in self._fifos.values():
            fifo.close()
        self._fifos.clear()

    def _read(self, command: Command, secure: bool) -> None:
        if command not in self._readers and allowed(command, secure):
            child = self._children.begin(command, lambda status: self._reader_ended(command, status))
            if child is not None:
                self._readers[command] = child

    def _reader_ended(self, command: Command, status: int) -> None:
        if self._readers.pop(command, None) is not None:
            log.warning("FIFO notify script %s ended with status %d", command.words[0], status)
