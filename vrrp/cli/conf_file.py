"""A keepalived.conf given on the command line: read, and made a router, or told in one line why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vrrp.cli.errors import BadInput, unreadable
from vrrp.config import ParsedConfig, Severity, load
from vrrp.config.model import KeepalivedConfig
from vrrp.config.router_config import Conversion, ConversionError, convert
from vrrp.protocol.profile import Profile


def read_conf(file: Path, environment: Mapping[str, str], config_id: str | None, without: str) -> ParsedConfig:
    """A file with at least one instance that keepalived would run.

    Args:
        file: the file.
        environment: what fills ${NAME} in it.
        config_id: reads its lines that begin with @ID.
        without: what a file without instances is no good for.

    Raises:
        BadInput: it cannot be read, or keepalived would not start with it, or it has no instance.
    """
    try:
        parsed = load(file, environment=environment, config_id=config_id)
    except OSError as error:
        raise unreadable(error, file) from error
    if parsed.refused or not parsed.config.instances:
        errors = [d for d in parsed.diagnostics if d.severity is Severity.ERROR]
        first = next((d for d in errors if d.fatal), errors[0] if errors else None)
        if first is None:
            raise BadInput(f"{file}: no vrrp_instance in it; {without}")
        raise BadInput(f"{file}:{first.line}: {first.message}; {first.instead}")
    return parsed


def as_router(config: KeepalivedConfig, profile: Profile) -> Conversion:
    """What a router of this profile runs with it. BadInput where that is nothing."""
    try:
        return convert(config, profile)
    except ConversionError as error:
        raise BadInput(f"{config.filename}:{error.line}: {error}") from error
