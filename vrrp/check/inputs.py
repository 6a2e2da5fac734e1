"""The files given to `vrrp check`: which is which, told by what stands in them."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vrrp.check.cluster import Cluster, Facts, Node, Sidecar, assemble, node_names
from vrrp.check.containers import is_manifest
from vrrp.config import ParsedConfig, load
from vrrp.config.frr import parse_frr
from vrrp.config.haproxy import parse_haproxy, read_haproxy
from vrrp.config.host import Host
from vrrp.config.language.open_files import LARGEST_FILE

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
    """What was given.

    Attributes:
        keepalived: the nodes; one named with its configuration id has that, the others have no name yet.
        beside: the other files.
        facts: what is known of the machines.
    """

    keepalived: list[Node] = field(default_factory=list)
    beside: list[Sidecar] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)

    def add(
        self,
        name: str,
        text: str,
        parse: Callable[[str | None], ParsedConfig],
        config_ids: Sequence[str | None] = (None,),
        environment: Mapping[str, str] | None = None,
        exists: Callable[[str], bool] | None = None,
    ) -> None:
        """Take one file in.

        Args:
            name: the file's.
            text: what stands in it.
            parse: reads it with a configuration id, if it is a keepalived.conf.
            config_ids: it is read with each: one file for several nodes.
            environment: values for "${NAME}" in a haproxy.cfg.
            exists: tells whether a file is there that a haproxy.cfg names; without it every one is.
        """
        kind = kind_of(text)
        if kind is Kind.KEEPALIVED:
            for config_id in config_ids:
                parsed = parse(config_id)
                included = {file: other for file, other in parsed.texts.items() if file != name}
                self.keepalived.append(Node(config_id or "", name, text, parsed, included))
        elif kind is Kind.HAPROXY:
            balancer = read_haproxy(text, filename=name, environment=environment, exists=exists)
            self.beside.append(Sidecar(name, text, parse_haproxy(text, filename=name), balancer))
        elif kind is Kind.FRR:
            self.beside.append(Sidecar(name, text, frr=parse_frr(text)))
        elif kind is Kind.SYSCTL:
            self.facts = replace(self.facts, sysctl=settings_of(text) | dict(self.facts.sysctl))
        else:
            self.beside.append(Sidecar(name, text))

    def drop_included(self) -> None:
        """A file that another one includes is a part of that, and no node of its own."""
        included = {Path(file).resolve() for node in self.keepalived for file in node.included}
        kept = [node for node in self.keepalived if Path(node.file).resolve() not in included]
        # Of files that include each other all are nodes.
        self.keepalived = kept or self.keepalived

    def clusters(self) -> list[Cluster]:
        """What is checked together."""
        names = node_names([node.file for node in self.keepalived], [node.name for node in self.keepalived])
        nodes = [replace(node, name=name) for node, name in zip(self.keepalived, names, strict=True)]
        return assemble(nodes, beside=self.beside, facts=self.facts)


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
    files: Iterable[Path],
    environment: Mapping[str, str] | None = None,
    facts: Facts | None = None,
    config_ids: Sequence[str] = (),
    host: Host | None = None,
) -> Inputs:
    """Read the files.

    Args:
        files: any mixture of keepalived.conf, haproxy.cfg, frr.conf, sysctl.conf, scripts and manifests.
        environment: values for ${NAME} placeholders.
        facts: what is known of the machines; its kernel settings win over those of the files.
        config_ids: those of the nodes that share each keepalived.conf; none is a single node without one.
        host: the machine that the files are for; None when it is not at hand.

    Raises:
        OSError: a file cannot be read.
    """
    inputs = Inputs(facts=replace(facts or Facts(), environment=environment or {}))
    for path in dict.fromkeys(files):
        with path.open("rb") as handle:
            text = handle.read(LARGEST_FILE).decode("utf-8", "surrogateescape")
        inputs.add(
            str(path),
            text,
            partial(_load, path, environment, host),
            config_ids or (None,),
            environment,
            os.path.exists if host is not None else None,
        )
    inputs.drop_included()
    return inputs


def _load(path: Path, environment: Mapping[str, str] | None, host: Host | None, config_id: str | None) -> ParsedConfig:
    return load(path, environment=environment, host=host, config_id=config_id)
