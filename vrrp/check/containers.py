"""keepalived in a container: what a compose file or a Kubernetes manifest must give it.

The files are looked at as text; only indentation tells what belongs to a container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrrp.check.cluster import Cluster, Sidecar
from vrrp.check.finding import Finding
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook

_RULES = rulebook("containers")
_IMAGE = re.compile(r"^([ \t]*(?:-[ \t]+)?)image:[ \t]*[\"']?(\S*keepalived[^\s\"']*)", re.MULTILINE)
_HOST_NETWORK = re.compile(r"\bhostNetwork:\s*true\b|\bnetwork_mode:\s*[\"']?host\b")
_PRIVILEGED = re.compile(r"\bprivileged:\s*true\b")
_KEY = re.compile(r"\s*(?:-\s+)?(\w+):")
_CAPABILITY = re.compile(r"\b(?:CAP_)?(NET_ADMIN|NET_RAW|ALL)\b")
_MANIFEST = re.compile(r"^[ \t]*(?:-[ \t]+)?image:[ \t]*\S*keepalived", re.MULTILINE)


def is_manifest(text: str) -> bool:
    """Whether a text runs keepalived's image."""
    return _MANIFEST.search(text) is not None


@check(*_RULES.values())
def containers(cluster: Cluster) -> Iterator[Finding]:
    """Each container of keepalived."""
    for file in cluster.beside:
        if file.haproxy is None and not file.frr:
            for image in _IMAGE.finditer(file.text):
                yield from _container(file, image)


def _container(file: Sidecar, image: re.Match[str]) -> Iterator[Finding]:
    number = file.text.count("\n", 0, image.start()) + 1
    block = _block(file.text.split("\n"), number - 1, len(image[1]))
    granted, dropped = _capabilities(block)
    if "ALL" not in granted and not any(_PRIVILEGED.search(line) for line in block):
        # Runtimes leave NET_RAW to a container that does not drop it.
        needed = ["NET_ADMIN", *(["NET_RAW"] if dropped & {"ALL", "NET_RAW"} else [])]
        missing = [name for name in needed if name not in granted]
        if missing:
            yield _RULES["VRRP-E160"].finding(file.place(number), f"{image[2]} runs without {' and '.join(missing)}")
    if not _HOST_NETWORK.search(file.text):
        yield _RULES["VRRP-W161"].finding(file.place(number), f"{image[2]} runs outside of the host's network")


def _capabilities(block: list[str]) -> tuple[set[str], set[str]]:
    """What is added and what is dropped."""
    lists: dict[str, set[str]] = {"add": set(), "drop": set()}
    current = ""
    for line in block:
        key = _KEY.match(line)
        if key:
            current = key[1].removeprefix("cap_")
        if current in lists:
            lists[current].update(_CAPABILITY.findall(line))
    return lists["add"], lists["drop"]


def _block(lines: list[str], at: int, indent: int) -> list[str]:
    """The lines around one, as far as they are indented as much."""

    def inside(line: str) -> bool:
        return not line.strip() or len(line) - len(line.lstrip(" -")) >= indent

    def begins(line: str) -> bool:
        """Whether the container is an item of a list that begins here."""
        return line.lstrip().startswith("- ") and len(line) - len(line.lstrip()) < indent

    first = at
    while first > 0 and inside(lines[first - 1]) and not begins(lines[first]):
        first -= 1
    last = at + 1
    while last < len(lines) and inside(lines[last]) and not begins(lines[last]):
        last += 1
    return lines[first:last]
