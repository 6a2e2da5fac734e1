"""The words of the rules, from the files of the folder `rules`: one table for each rule, named by its id.

The keys are the fields of `vrrp.check.rule.Rule`; the id's letter says how bad it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from vrrp.check.rule import Rule
from vrrp.config.diagnostics import Severity

_SEVERITIES = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}


@cache
def tables(name: str) -> Mapping[str, Mapping[str, Any]]:
    """What stands in rules/NAME.toml, by the rules' ids."""
    return tomllib.loads(files("vrrp.check").joinpath("rules", f"{name}.toml").read_text(encoding="utf-8"))


@cache
def rulebook(name: str) -> Mapping[str, Rule]:
    """The rules of rules/NAME.toml, by their ids."""
    return {
        key: Rule(
            id=key,
            severity=_SEVERITIES[key[5]],
            advice=table.get("advice", False),
            **{field: table[field] for field in ("title", "why", "mend", "source", "bad", "good")},
        )
        for key, table in tables(name).items()
    }
