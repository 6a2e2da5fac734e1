"""The text of a check script, with what is known of its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+|readonly[ \t]+)?(\w+)=([\"']?)([\w.:/-]*)\2[ \t]*(?:#.*)?$", re.MULTILINE
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def filled(text: str, environment: Mapping[str, str]) -> str:
    """A script with its variables filled in, as far as plain assignments and the environment tell; lines stay."""
    values = {name: value for name, value in environment.items() if "\n" not in value}
    values |= {found[1]: found[3] for found in _ASSIGNED.finditer(text)}
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)
