"""The configuration that a daemon runs: a keepalived.conf as it stands on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vrrp.config import Diagnostic, Host, KeepalivedConfig, ParsedConfig, load
from vrrp.config.devices import named_devices
from vrrp.config.language.line import file_of
from vrrp.config.reader import NO_SUCH_INTERFACE
from vrrp.config.router_config import ConversionError, convert
from vrrp.config.routing.model import Route, Rule
from vrrp.linux.routing.request import refusal
from vrrp.linux.without_effect import without_effect
from vrrp.protocol.settings import RouterConfig


class ConfigurationError(ValueError):
    """Why a configuration cannot be run, in one line that names file and line."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What stands in the file, what a router makes of it, and notes on what it does not make of it."""

    parsed: ParsedConfig
    router: RouterConfig
    notes: tuple[str, ...] = ()


Reader: TypeAlias = Callable[[], Configuration]
"""Reads the configuration, at start and at each reload; ConfigurationError for one that cannot be run."""


def read_configuration(
    path: Path,
    host: Host,
    environment: Mapping[str, str] | None = None,
    config_id: str | None = None,
) -> Configuration:
    """Read a keepalived.conf for this host. ConfigurationError for one with which keepalived would not start."""
    try:
        if not (path.is_dir() or path.is_file()):
            path.stat()  # which says that there is none
            raise ConfigurationError(f"{path}: this is no regular file; a reload could not read it again")
        parsed = load(path, environment=environment, host=host, config_id=config_id, additions=True)
    except OSError as error:
        raise ConfigurationError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    fatal = next((one for one in parsed.diagnostics if one.fatal), None)
    if fatal is not None:
        raise ConfigurationError(_line(fatal))
    if not parsed.config.instances and not parsed.config.virtual_servers:
        raise ConfigurationError(f"{path}: there is no vrrp_instance and no virtual_server in it")
    _find_interfaces(parsed.diagnostics)
    _refuse(parsed.config)
    try:
        conversion = convert(parsed.config)
    except ConversionError as error:
        raise ConfigurationError(f"{path}:{error.line}: {error}") from error
    return Configuration(parsed, conversion.router, (*conversion.notes, *without_effect(parsed)))


_UNKNOWN = {
    "use_ipvlan": "use_ipvlan is not possible; use_vmac is",
    "use_vmac_addr": "use_vmac_addr is not possible; use_vmac gives all addresses of the instance one MAC address",
}
"""What asks for devices that are not made here: a virtual router would run otherwise than the file says."""


def _refuse(config: KeepalivedConfig) -> None:
    """ConfigurationError for what asks for a device that is not made here, or for what the kernel is not told."""
    for instance in config.instances:
        refused = [(instance.lines[keyword], why) for keyword, why in _UNKNOWN.items() if keyword in instance.lines]
        refused += [
            (one.line, "use_vmac of one address is not possible; use_vmac of the instance is")
            for one in (*instance.addresses, *instance.excluded_addresses)
            if one.use_vmac and not instance.use_vmac
        ]
        refused += _refused(instance.routes, instance.rules)
        for line, why in refused:
            raise ConfigurationError(f"{file_of(line, config.filename)}:{line}: ({instance.name}) {why}")
    for line, why in _refused(config.static_routes, config.static_rules):
        raise ConfigurationError(f"{file_of(line, config.filename)}:{line}: static {why}")


def _refused(routes: Iterable[Route], rules: Iterable[Rule]) -> Iterator[tuple[int, str]]:
    lines: list[Route | Rule] = [*routes, *rules]
    for one in lines:
        why = refusal(one)
        if why is not None:
            yield one.line, why


def _find_interfaces(diagnostics: Sequence[Diagnostic]) -> None:
    """ConfigurationError for an interface that is named and not there, unless it may come later."""
    if any(one.message == NO_SUCH_INTERFACE for one in diagnostics):
        first = next(one for one in diagnostics if one.message.endswith("doesn't exist"))
        what = first.message.removeprefix("WARNING - ")
        raise ConfigurationError(
            f"{first.file}:{first.line}: {what}; if it comes later, global_defs needs dynamic_interfaces"
        )


def interfaces_of(config: KeepalivedConfig) -> Iterator[str]:
    """The interfaces that a configuration names."""
    for instance in config.instances:
        yield instance.interface
        yield from (one.name for one in instance.track_interfaces)
    for group in config.sync_groups:
        yield from (one.name for one in group.track_interfaces)
    yield from named_devices(config)


def _line(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.file}:{diagnostic.line}: {diagnostic.message}"
