"""keepalived.conf, as keepalived 2.2.7 reads it: text in, model and diagnostics out.

Not read by this version, and noted where they stand: include, @conditions, $definitions, ~SEQ and ~LST.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import Host
from vrrp.config.lexer import Lexer
from vrrp.config.model import KeepalivedConfig, ParsedConfig
from vrrp.config.reader import Reader

LARGEST_FILE = 16 * 1024 * 1024


def parse(
    text: str,
    *,
    filename: str = "<string>",
    environment: Mapping[str, str] | None = None,
    host: Host | None = None,
) -> ParsedConfig:
    """Read a configuration. No text makes it raise.

    Args:
        text: what stands in the file.
        filename: the name that diagnostics carry.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.

    Returns:
        What keepalived 2.2.7 would make of it, and what there is to say about it.
    """
    report = Report(filename)
    fragments = Lexer(text, report, environment or {}).fragments()
    reader = Reader(report, host or Host())
    config = reader.read(fragments, filename)
    return ParsedConfig(config, report.diagnostics(), reader.keywords())


def load(
    path: str | os.PathLike[str], *, environment: Mapping[str, str] | None = None, host: Host | None = None
) -> ParsedConfig:
    """Read a configuration file of at most 16 MiB; a larger one is diagnosed and not read.

    Args:
        path: the file; diagnostics carry this name.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.

    Raises:
        OSError: the file cannot be read.
    """
    filename = os.fspath(path)
    with Path(path).open("rb") as handle:
        raw = handle.read(LARGEST_FILE + 1)
    report = Report(filename)
    if len(raw) > LARGEST_FILE:
        report.error(0, "the file is larger than 16 MiB", "it is not read", Voice.OURS)
        return ParsedConfig(KeepalivedConfig(filename), report.diagnostics())
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        report.warning(
            raw.count(b"\n", 0, fault.start) + 1,
            f"byte 0x{raw[fault.start]:02x} is not UTF-8",
            "keepalived reads the bytes as they are",
            Voice.OURS,
        )
        text = raw.decode("utf-8", "surrogateescape")
    fragments = Lexer(text, report, environment or {}).fragments()
    reader = Reader(report, host or Host())
    config = reader.read(fragments, filename)
    return ParsedConfig(config, report.diagnostics(), reader.keywords())
