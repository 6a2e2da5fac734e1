"""What is checked: the checkers of a file, each with what it must know of its servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from vrrp.config.lvs.endpoints import ServiceAddress, service_label
from vrrp.config.lvs.model import Checker, FileCheck, Forwarding, RealServer, SslContext, VirtualServer
from vrrp.config.model import KeepalivedConfig, TrackFile
from vrrp.config.values import Address

_LOG_ALL = "checker_log_all_failures"
_FILE_READ_NS = 1_000_000_000
_NO_SERVICE = "vrrp"
_NOWHERE = ServiceAddress(ip_address("127.0.0.1"))
_OFF = frozenset({"no", "off", "false"})


@dataclass(frozen=True, slots=True)
class CheckKey:
    """The virtual server and the real server, as keepalived writes them, and which of its checkers, from 0."""

    virtual_server: str
    real_server: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A checker, and what it checks unless it says otherwise: address and port of its real server.

    `weight` is the real server's. `virtual_host` is the real server's, or the virtual server's, for web checkers that
    name none. `file` is what a FILE_CHECK reads.
    """

    key: CheckKey
    checker: Checker
    address: Address | None = None
    port: int = 0
    weight: int = 1
    virtual_host: str | None = None
    file: TrackFile | None = None
    log_all_failures: bool = False


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """All that a configuration has checked: the targets, what SSL_GET shows, and whether scripts must be root's."""

    targets: tuple[Target, ...] = ()
    ssl: SslContext | None = None
    secure: bool = False

    @classmethod
    def of(cls, config: KeepalivedConfig, servers: Iterable[VirtualServer] | None = None) -> CheckPlan:
        """The checkers of these virtual servers, or of all that a file has, in the file's order."""
        checked = config.virtual_servers if servers is None else servers
        found = [one for virtual in checked for one in _targets(config, virtual)]
        return cls(tuple(found), config.ssl, config.globals.enable_script_security)

    @classmethod
    def of_checks(cls, config: KeepalivedConfig) -> CheckPlan:
        """The checks that stand by themselves, for virtual routers to follow; a check's name is its real server's."""
        found = [
            _target(
                config,
                CheckKey(_NO_SERVICE, name, 0),
                check.checker,
                RealServer(address=_NOWHERE, forwarding=Forwarding("NAT")),
            )
            for name, check in config.checks.items()
        ]
        return cls(tuple(found), config.ssl, config.globals.enable_script_security)


def _targets(config: KeepalivedConfig, virtual: VirtualServer) -> Iterator[Target]:
    service = service_label(virtual.address, virtual.protocol)
    for real in virtual.real_servers:
        name = service_label(real.address, virtual.protocol)
        for index, checker in enumerate(real.checkers):
            host = real.virtual_host or virtual.virtual_host
            yield _target(config, CheckKey(service, name, index), checker, real, host)


def _target(
    config: KeepalivedConfig, key: CheckKey, checker: Checker, real: RealServer, virtual_host: str | None = None
) -> Target:
    file = config.track_files.get(checker.track_file) if isinstance(checker, FileCheck) else None
    everywhere = any(one.keyword == _LOG_ALL and one.text not in _OFF for one in config.globals.options)
    return Target(
        key=key,
        checker=_timed(checker),
        address=real.address.address,
        port=real.address.port,
        weight=real.weight,
        virtual_host=virtual_host,
        file=file and replace(file, line=0),
        log_all_failures=everywhere or checker.log_all_failures,
    )


def _timed(checker: Checker) -> Checker:
    """It without its line: one that only moved in the configuration is the same.

    A file that is followed is simply read every so often.
    """
    if isinstance(checker, FileCheck):
        return replace(checker, line=0, interval_ns=_FILE_READ_NS, warmup_ns=0, retries=0)
    return replace(checker, line=0)
