"""Rigs for tests: clusters of short configurations."""

from __future__ import annotations

from pathlib import Path

from check.confs import clusters, files
from sim.inputs import from_configs
from sim.proof.rig import Rig


def rig(text: str, folder: Path = Path(), profile: str = "keepalived") -> Rig:
    """The one cluster that an example's files make; `folder` is where they are."""
    (cluster,) = clusters(files(text))
    inputs = from_configs(
        {node.name: node.parsed for node in cluster.nodes},
        {node.name: folder / node.file for node in cluster.nodes},
        profile=profile,
    )
    ignored = {node.name: node.config.ignored_scripts for node in cluster.nodes}
    return Rig(inputs.scenario, inputs.source, inputs.configs, ignored)
