"""The words of the rules that are proved, from rules.toml."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from vrrp.check import Rule, Severity

_KEYS = ("title", "why", "mend", "source", "bad", "good")


def _rules() -> dict[str, Rule]:
    text = files("sim.proof").joinpath("rules.toml").read_text(encoding="utf-8")
    return {
        key: Rule(id=key, severity=Severity[table["severity"].upper()], **{word: table[word] for word in _KEYS})
        for key, table in tomllib.loads(text).items()
    }


RULES = _rules()
"""The rules by id, in the order of the file."""
