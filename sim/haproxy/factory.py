"""The haproxy.cfg files of a scenario, read and made into balancers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from sim.haproxy.process import Haproxy
from sim.scenario_file import ScenarioError
from vrrp.config.diagnostics import Severity
from vrrp.config.haproxy import ParsedHaproxy, load_haproxy

if TYPE_CHECKING:
    from sim.flow.flows import Flows
    from sim.network import MakeBalancer
    from sim.node import Node
    from sim.scenario import Scenario, ScenarioSource


def read_balancers(scenario: Scenario, source: ScenarioSource, notes: list[str]) -> dict[str, ParsedHaproxy]:
    """What stands in each node's haproxy.cfg, by node; `notes` gets what there is to say about it.

    ScenarioError, with file and line, for a file with which HAProxy would not start.
    """
    found = {}
    for name, node in scenario.nodes.items():
        if node.haproxy is None:
            continue
        file = source.folder / node.haproxy
        try:
            parsed = load_haproxy(file, environment=node.environment)
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or str(error)).lower()
            raise source.error(("nodes", name, "haproxy"), f"{file}: {why}") from error
        for one in parsed.diagnostics:
            if one.severity is Severity.ERROR and one.fatal:
                message = f"{one.message}; {one.instead}" if one.instead else one.message
                raise ScenarioError(one.file, one.line, message)
        notes += [note for one in parsed.diagnostics if (note := str(one)) not in notes]
        found[name] = parsed
    return found


def makers(balancers: Mapping[str, ParsedHaproxy]) -> dict[str, MakeBalancer]:
    """What makes the balancer of each node."""
    return {name: partial(_make, parsed) for name, parsed in balancers.items()}


def _make(parsed: ParsedHaproxy, node: Node, flows: Flows) -> Haproxy:
    return Haproxy(node, flows, parsed.model, parsed.file)
