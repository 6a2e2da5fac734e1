"""What belongs to keepalived's container, and what it is given."""

from __future__ import annotations

import pytest

from vrrp.check import Cluster, Sidecar
from vrrp.check.containers import containers, is_manifest

COMPOSE = """\
services:
  web:
    image: nginx
    cap_add: [NET_ADMIN, NET_RAW]
  vip:
    {before}
    image: "osixia/keepalived:2.0.20"
    {after}
    network_mode: host
"""


def told(text: str) -> list[str]:
    cluster = Cluster((), beside=(Sidecar("compose.yaml", text),))
    return [f"{finding.line} {finding.message}" for finding in containers.run(cluster)]


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        ("", "", "NET_ADMIN"),
        ("cap_add:\n      - NET_ADMIN", "", ""),
        ("", "cap_add: [NET_ADMIN]", ""),
        ("", "cap_add: [CAP_NET_ADMIN]", ""),
        ("", "privileged: true", ""),
        ("", "privileged: false", "NET_ADMIN"),
        ("", "cap_add: [ALL]", ""),
        ("cap_drop: [ALL]", "cap_add: [NET_ADMIN]", "NET_RAW"),
        ("cap_drop: [ALL]", "", "NET_ADMIN and NET_RAW"),
        ("cap_drop:\n      - ALL", "cap_add:\n      - NET_ADMIN\n      - NET_RAW", ""),
        ("cap_drop:\n      - NET_ADMIN", "", "NET_ADMIN"),
    ],
)
def test_capabilities_of_its_own_service(before: str, after: str, missing: str) -> None:
    text = COMPOSE.format(before=before, after=after)
    line = text[: text.index('image: "osixia')].count("\n") + 1
    expected = [f"{line} osixia/keepalived:2.0.20 runs without {missing}"] if missing else []
    assert told(text) == expected


def test_the_host_network_of_a_pod() -> None:
    pod = (
        "spec:\n  containers:\n  - image: x/keepalived\n    securityContext:\n      privileged: true\n"
        "  - image: other\n"
    )
    assert told(pod) == ["3 x/keepalived runs outside of the host's network"]
    assert told(pod.replace("spec:\n", "spec:\n  hostNetwork: true\n")) == []


@pytest.mark.parametrize(
    ("text", "manifest"), [("image: a/keepalived:1\n", True), ("image: nginx\n", False), ("# keepalived\n", False)]
)
def test_what_is_a_manifest(text: str, manifest: bool) -> None:
    assert is_manifest(text) is manifest
