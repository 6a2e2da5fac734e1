"""The files given to `vrrp check`: which is which, told by what stands in them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vrrp.check.cluster import Cluster, Facts, Sidecar, assemble
from vrrp.check.containers import is_manifest
from vrrp.config import ParsedConfig, load
from vrrp.config.frr import parse_frr
from vrrp.config.haproxy import parse_haproxy
from vrrp.config.open_files import LARGEST_FILE

_HAPROXY = re.compile(r"^\s*(?:global|defaults|frontend|backend|listen)\b(?!.*[{}])", re.MULTILINE)
_KEEPALIVED = re.compile(
    r"^\s*(?:global_defs|vrrp_\w+|virtual_server\w*|static_\w+|track_file|bfd_instance|include\w*)\b", re.MULTILINE
)
_FRR = re.compile(r"^(?:frr version|\s+(?:no )?vrrp [0-9]+|vrrp (?:autoconfigure|default))\b", re.MULTILINE)
_SYSCTL = re.compile(r"\s*-?([a-z0-9_]+(?:[./][\w*-]+)+)\s*=\s*(.*?)\s*")


class Kind(enum.Enum):
    """What a file is."""

    KEEPALIVED = "keepalived"
    HAPROXY = "haproxy"
    FRR = "frr"
    SYSCTL = "sysctl"
    OTHER = "other"
    """A script, a container's manifest: what is looked at as text."""


@dataclass
class Inputs:
    """What was given: keepalived.conf files as (name, text, meaning), those beside them, and what is known."""

    keepalived: list[tuple[str, str, ParsedConfig]] = field(default_factory=list)
    beside: list[Sidecar] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)

    def add(self, name: str, text: str, parsed: Callable[[], ParsedConfig]) -> None:
        """Take one file in.

        Args:
            name: the file's.
            text: what stands in it.
            parsed: reads it, if it is a keepalived.conf.
        """
        kind = kind_of(text)
        if kind is Kind.KEEPALIVED:
            self.keepalived.append((name, text, parsed()))
        elif kind is Kind.HAPROXY:
            self.beside.append(Sidecar(name, text, parse_haproxy(text, filename=name)))
        elif kind is Kind.FRR:
            self.beside.append(Sidecar(name, text, frr=parse_frr(text)))
        elif kind is Kind.SYSCTL:
            self.facts = replace(self.facts, sysctl=settings_of(text) | dict(self.facts.sysctl))
        else:
            self.beside.append(Sidecar(name, text))

    def clusters(self) -> list[Cluster]:
        """What is checked together."""
        return assemble(self.keepalived, beside=self.beside, facts=self.facts)


def kind_of(text: str) -> Kind:
    """What a text is; keepalived.conf when nothing tells."""
    if _KEEPALIVED.search(text):
        return Kind.KEEPALIVED
    if text.lstrip().startswith("#!/") or is_manifest(text):
        return Kind.OTHER
    if _FRR.search(text):
        return Kind.FRR
    if _HAPROXY.search(text):
        return Kind.HAPROXY
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] not in "#;"]
    if lines and all(_SYSCTL.fullmatch(line) for line in lines):
        return Kind.SYSCTL
    return Kind.KEEPALIVED


def settings_of(text: str) -> dict[str, str]:
    """The kernel settings of a sysctl.conf: name with dots to value."""
    found = (_SYSCTL.fullmatch(line) for line in text.splitlines() if line.strip()[:1] not in {"#", ";"})
    return {one[1].replace("/", "."): one[2] for one in found if one}


def read_inputs(
    files: Iterable[Path], environment: Mapping[str, str] | None = None, facts: Facts | None = None
) -> Inputs:
    """Read the files.

    Args:
        files: any mixture of keepalived.conf, haproxy.cfg, frr.conf, sysctl.conf, scripts and manifests.
        environment: values for ${NAME} placeholders.
        facts: what is known of the machines; its kernel settings win over those of the files.

    Raises:
        OSError: a file cannot be read.
    """
    inputs = Inputs(facts=facts or Facts())
    for path in files:
        with path.open("rb") as handle:
            text = handle.read(LARGEST_FILE).decode("utf-8", "surrogateescape")
        inputs.add(str(path), text, partial(load, path, environment=environment))
    return inputs
