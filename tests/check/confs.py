"""Configurations for the linter's tests: short ones, made whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from vrrp.check import Cluster, Facts
from vrrp.check.inputs import Inputs
from vrrp.config import ParsedConfig, parse

_ASSUMED = {
    "interface": "interface eth0",
    "virtual_router_id": "virtual_router_id 51",
    "virtual_ipaddress": "virtual_ipaddress { 10.0.0.100/24 }",
}


def files(text: str) -> dict[str, str]:
    """The files of an example: after a line `==> NAME <==` comes another; before the first, a.conf."""
    name = "a.conf"
    found: dict[str, str] = {}
    for line in text.splitlines(keepends=True):
        header = re.fullmatch(r"==> (\S+) <==\n?", line)
        if header:
            name = header[1]
        else:
            found[name] = found.get(name, "") + line
    return {name: whole(content) for name, content in found.items()}


def whole(text: str) -> str:
    """Instances given what they lack, at their ends."""

    def fill(block: re.Match[str]) -> str:
        missing = [line for keyword, line in _ASSUMED.items() if not re.search(rf"\b{keyword}\b", block[0])]
        return "".join(f"{line}\n" for line in [block[1], *missing, "}"])

    return re.sub(r"^(vrrp_instance [^\n]*\{.*?)\n\}\n?", fill, text, flags=re.DOTALL | re.MULTILINE)


def clusters(contents: Mapping[str, str], facts: Facts | None = None) -> list[Cluster]:
    """What these files make, read as `vrrp check` reads them."""
    inputs = Inputs(facts=facts or Facts())
    for name, text in contents.items():
        inputs.add(name, text, partial(_parse, name, text))
    return inputs.clusters()


def _parse(name: str, text: str, config_id: str | None) -> ParsedConfig:
    return parse(text, filename=name, config_id=config_id)
