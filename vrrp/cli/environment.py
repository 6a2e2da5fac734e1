"""NAME=VALUE arguments."""

from __future__ import annotations

import click


def parse_environment(pairs: tuple[str, ...]) -> dict[str, str]:
    """The mapping that NAME=VALUE arguments make; a usage error for one that is none."""
    for pair in pairs:
        if "=" not in pair[1:]:
            raise click.UsageError(f"{pair!r} is no NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)
