"""keepalived.conf, as keepalived 2.2.7 reads it: text in, model and diagnostics out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import Host
from vrrp.config.language.open_files import LARGEST_FILE, decode
from vrrp.config.language.source import Source
from vrrp.config.model import KeepalivedConfig, ParsedConfig
from vrrp.config.reader import Reader


def parse(
    text: str,
    *,
    filename: str = "<string>",
    environment: Mapping[str, str] | None = None,
    host: Host | None = None,
    config_id: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 1,
    additions: bool = False,
) -> ParsedConfig:
    """Read a configuration. No text makes it raise.

    Args:
        text: what stands in the file.
        filename: the name that diagnostics carry.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.
        config_id: what lines that begin with @ID are for, as keepalived's option -i; keepalived takes the first part
            of the host's name when it has no such option, we take none of them.
        folder: where the files are that the text includes; when None they are not read, and that is noted.
        seed: where ${_RANDOM} begins; the same seed gives the same numbers. keepalived begins with the time.
        additions: whether `check` and `track_check` are read, which keepalived does not know.

    Returns:
        What keepalived 2.2.7 would make of it, and what there is to say about it.
    """
    report = Report(filename)
    return _read(text, report, environment, host, config_id, None if folder is None else Path(folder), seed, additions)


def load(
    path: str | os.PathLike[str],
    *,
    environment: Mapping[str, str] | None = None,
    host: Host | None = None,
    config_id: str | None = None,
    seed: int = 1,
    additions: bool = False,
) -> ParsedConfig:
    """Read a configuration file and those that it includes, of at most 16 MiB; more is diagnosed and not read.

    Args:
        path: the file; diagnostics carry this name, and for an included file the name that was written, as seen from
            the current directory.
        environment: values for ${NAME} placeholders; none when None.
        host: the machine that is to run it; when None, one on which everything exists that the file names.
        config_id: see `parse`.
        seed: see `parse`.
        additions: see `parse`.

    Raises:
        OSError: the file cannot be read. An included one is diagnosed instead.
    """
    filename = os.fspath(path)
    with Path(path).open("rb") as handle:
        raw = handle.read(LARGEST_FILE + 1)
    report = Report(filename)
    if len(raw) > LARGEST_FILE:
        report.error(0, "the file is larger than 16 MiB", "it is not read", Voice.OURS)
        return ParsedConfig(KeepalivedConfig(filename), report.diagnostics(), texts=report.texts)
    text = decode(raw, filename, report)
    return _read(text, report, environment, host, config_id, Path(filename).parent, seed, additions)


def _read(
    text: str,
    report: Report,
    environment: Mapping[str, str] | None,
    host: Host | None,
    config_id: str | None,
    folder: Path | None,
    seed: int,
    additions: bool,
) -> ParsedConfig:
    source = Source(report.file, text, folder=folder, environment=environment or {}, config_id=config_id, seed=seed)
    reader = Reader(report, host or Host(), additions=additions)
    config = reader.read(source, report.file)
    return ParsedConfig(config, report.diagnostics(), reader.keywords(), report.texts, config_id)
