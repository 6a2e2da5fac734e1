"""The names of profiles as an option's value."""

from __future__ import annotations

import click

from vrrp.protocol.profile import OURS, PROFILES, profile_named


class ProfileName(click.ParamType[str]):
    """A profile's name that `profile_named` knows."""

    name = "profile"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself; a usage error for what there is not."""
        try:
            profile_named(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """What the help shows: the five, our own daemon's, and that keepalived may have a release."""
        return f"[{'|'.join(PROFILES)}|{OURS.name}|keepalived-RELEASE]"
