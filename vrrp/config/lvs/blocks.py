"""The blocks that only IPVS is for, gathered as they stand in the file and settled at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.fields import Field, set_field, word
from vrrp.config.host import Host
from vrrp.config.lvs.checkers import Preceding
from vrrp.config.lvs.completion import complete_virtual_server
from vrrp.config.lvs.model import MiscCheck, SslContext, VirtualServer, VirtualServerGroup
from vrrp.config.lvs.virtual_server import VirtualServerDraft, read_virtual_server
from vrrp.config.lvs.virtual_server_group import virtual_server_group
from vrrp.config.script_security import Runnable, ScriptUsers, disabled_scripts
from vrrp.config.subjects import is_told
from vrrp.config.tree import Block

_SSL_NAMES = {"ca": "cafile", "certificate": "certfile", "key": "keyfile", "password": "password"}
_SSL: Mapping[str, Field] = {
    keyword: Field(keyword, word(f"SSL {name} missing")) for keyword, name in _SSL_NAMES.items()
}


class Balancing:
    """The virtual servers of one file, and what they need.

    Args:
        host: the machine.
        users: as whom commands run.
        report: takes the diagnostics.
    """

    def __init__(self, host: Host, users: ScriptUsers, report: Report) -> None:
        self._host = host
        self._report = report
        self._drafts: list[VirtualServerDraft] = []
        self.preceding = Preceding(users, report)
        self.groups: dict[str, VirtualServerGroup] = {}
        self.servers: tuple[VirtualServer, ...] = ()
        self.ssl: SslContext | None = None

    @property
    def blocks(self) -> Mapping[str, Callable[[Block], None]]:
        """What reads which block."""
        return {
            "SSL": self._ssl,
            "bfd_instance": self._bfd_instance,
            "track_file": self._track_file,
            "virtual_server": self._server,
            "virtual_server_group": self._group,
            "vrrp_track_file": self._track_file,
        }

    def settle(self, secure: bool) -> None:
        """Put what was read together; nothing can be read afterwards.

        Args:
            secure: whether enable_script_security is given.
        """
        settled = [complete_virtual_server(draft, self.groups) for draft in self._drafts]
        self.servers = tuple(server for server in settled if server is not None)
        disabled_scripts(self._runnables(), secure, self._host, self._report, "check scripts")

    def _runnables(self) -> Iterator[Runnable]:
        for line, command in self._commands():
            if command:
                yield Runnable(command, "", line, self.preceding.identities[line, command])

    def _commands(self) -> Iterator[tuple[int, str | None]]:
        for server in self.servers:
            yield from ((server.line, command) for command in (server.quorum_up, server.quorum_down))
            for real in server.real_servers:
                yield from ((real.line, command) for command in (real.notify_up, real.notify_down))
                yield from ((one.line, one.command) for one in real.checkers if isinstance(one, MiscCheck))

    def _server(self, block: Block) -> None:
        self._drafts.append(read_virtual_server(block, self.preceding))

    def _group(self, block: Block) -> None:
        group = virtual_server_group(block, self._report) if block.arguments else None
        if group is not None:
            self.groups.setdefault(group.name, group)

    def _track_file(self, block: Block) -> None:
        self.preceding.track_files.update(block.arguments[:1])

    def _bfd_instance(self, block: Block) -> None:
        if is_told("checker", block):
            self.preceding.bfd_instances.update(block.arguments[:1])

    def _ssl(self, block: Block) -> None:
        if self.ssl is not None:
            told = "SSL context already specified - replacing"
            self._report.warning(block.line, told, "keepalived uses the last block")
        fields: dict[str, Any] = dict.fromkeys(_SSL_NAMES)
        for entry in block.entries():
            if fields[entry.keyword] is not None:
                told = f"SSL {_SSL_NAMES[entry.keyword]} already specified - replacing"
                self._report.warning(entry.line, told, "keepalived uses the last one")
            set_field(entry, _SSL, fields, self._report)
        self.ssl = SslContext(**fields, line=block.line)
