"""The same stories under the five profiles: where they differ, and by how much.

r1 200, r2 100, interval 1 s, frames take 50 us, processes ideal. The formulas stand in test_whole.py.
"""

from __future__ import annotations

import pytest
from networks import MS, S, changes, event, network, router, states, tap

from sim.result import Result
from vrrp.wire.arp import ArpPacket

DELAY = 50_000
VERSIONS = {"rfc3768": 2, "rfc5798": 3, "rfc9568": 3, "keepalived": 2, "frr": 3}
DOWN = dict.fromkeys(VERSIONS, (3_218_750_000, 3_609_375_000)) | {"frr": (3_210 * MS, 3_600 * MS)}
"""Master_Down_Interval of r1 and r2: 3 s and 56/256 s or 156/256 s; FRR rounds the skew down to centiseconds."""

profiles = pytest.mark.parametrize("profile", VERSIONS)


def run(profile: str, *events: dict[str, object], until_ns: int = 20 * S) -> tuple[Result, list[int]]:
    """The result, and when gratuitous ARPs were sent."""
    configs = {name: router(p, version=VERSIONS[profile]) for name, p in (("r1", 200), ("r2", 100))}
    net = network(configs, profile=profile, events=list(events), duration="60s")
    seen = tap(net)
    result = net.run(until_ns)
    return result, [at for at, f in seen if isinstance(f.content, ArpPacket) and f.content.gratuitous]


@profiles
def test_crash(profile: str) -> None:
    result, _ = run(profile, event("10s", "crash", "r1"))
    first, down = DOWN[profile]
    assert states(result, "r1")[1] == (first, "MASTER")
    assert states(result, "r2")[1] == (first + 6 * S + DELAY + down, "MASTER")


@profiles
def test_stop(profile: str) -> None:
    result, _ = run(profile, event("10s", "stop", "r1"))
    skew = DOWN[profile][1] - 3 * S
    assert states(result, "r2")[1] == (10 * S + DELAY + skew, "MASTER")


@profiles
def test_a_lost_link(profile: str) -> None:
    result, _ = run(profile, event("10s", "link-down", "r1", interface="eth0"))
    first, down = DOWN[profile]
    assert states(result, "r2")[1] == (first + 6 * S + DELAY + down, "MASTER")
    after = {
        # RFC 3768, 5798, 9568 know no such event; section 6.4.3's Shutdown is what fits.
        "rfc3768": [(10 * S, "INITIALIZE")],
        "rfc5798": [(10 * S, "INITIALIZE")],
        "rfc9568": [(10 * S, "INITIALIZE")],
        "keepalived": [(10_004 * MS, "FAULT")],
        # FRR 8.4.4 does not watch its interface.
        "frr": [],
    }
    assert states(result, "r1")[2:] == after[profile]


@profiles
def test_what_a_master_does_about_a_weaker_one(profile: str) -> None:
    """A partition heals such that r2's advertisement is the first to cross."""
    first, down = DOWN[profile]
    taken = first + 6 * S + DELAY + down
    healed = taken + 6 * S + 900 * MS
    events = [
        event("10s", "partition", segment="lan", groups=[["r1"], ["r2"]]),
        event(f"{healed}ns", "heal", segment="lan"),
    ]
    result, arps = run(profile, *events, until_ns=40 * S)
    crossing = taken + 7 * S + DELAY
    regular = first + 17 * S
    assert healed < crossing < regular
    answers = profile in {"rfc9568", "keepalived"}
    # Without an answer r2 goes on until it hears r1's next regular advertisement.
    assert states(result, "r2")[-1] == ((crossing if answers else regular) + DELAY, "BACKUP")
    announced = [at for at in arps if crossing <= at < crossing + S]
    assert len(announced) == (5 if profile == "keepalived" else 0)


@profiles
def test_how_often_a_new_master_announces_its_address(profile: str) -> None:
    _, arps = run(profile)
    # keepalived: five at once and five more 5 s later; the others one.
    assert len(arps) == (10 if profile == "keepalived" else 1)
    assert arps[0] == DOWN[profile][0] + 400_000


@pytest.mark.parametrize(
    ("profile", "state_master", "at_ns"),
    [
        ("rfc3768", False, 0),
        ("rfc5798", False, 0),
        ("rfc9568", False, 0),
        ("keepalived", True, 0),
        # 3 s + 1/256 s: an owner that starts as backup.
        ("keepalived", False, 3_003_906_250),
        ("frr", False, 3_000 * MS),
    ],
)
def test_an_owner_is_master_at_once_or_not(profile: str, state_master: bool, at_ns: int) -> None:
    version = VERSIONS[profile]
    owner = router(255, version=version, addresses=["10.0.0.1"], state_master=state_master)
    other = router(100, version=version, addresses=["10.0.0.1"])
    result = network({"r1": owner, "r2": other}, profile=profile).run(10 * S)
    assert states(result, "r1")[-1] == (at_ns, "MASTER")
    if at_ns == 0:
        assert changes(result, "r1") == [(0, "r1", "MASTER", "owner of the addresses (priority 255)")]
    assert states(result, "r2") == [(0, "BACKUP")]


def test_a_node_may_have_a_profile_of_its_own() -> None:
    interfaces = {"eth0": {"segment": "lan", "addresses": ["10.0.0.1/24"]}}
    nodes = {
        "r1": {"keepalived": "none", "interfaces": interfaces, "profile": "frr"},
        "r2": {
            "keepalived": "none",
            "interfaces": {"eth0": {"segment": "lan", "addresses": ["10.0.0.2/24"]}},
        },
    }
    net = network(
        {"r1": router(200, version=3), "r2": router(100, version=3)},
        nodes=nodes,
        profile="keepalived",
        events=[event("10s", "link-down", "r1", interface="eth0")],
    )
    result = net.run(20 * S)
    assert states(result, "r1") == [(0, "BACKUP"), (3_210 * MS, "MASTER")]
    assert result.counters["r2"]["VI_1"]["discarded"] == {}


def test_checksums_that_two_profiles_understand_differently() -> None:
    # RFC 9568: no pseudo-header over IPv4. keepalived takes only sums with one: each is master of its own.
    net = network(
        {"r1": router(200, version=3), "r2": router(100, version=3)},
        nodes={
            f"r{n}": {
                "keepalived": "none",
                "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{n}/24"]}},
                "profile": profile,
            }
            for n, profile in ((1, "rfc9568"), (2, "keepalived"))
        },
    )
    result = net.run(10 * S)
    assert not result.healthy_at_end
    assert result.counters["r2"]["VI_1"]["discarded"] == {"CHECKSUM": 7}
    # r2 speaks once, at 3.609375 s: with keepalived even a refused packet restarts a master's timer, and r1's come
    # each second.
    assert result.counters["r1"]["VI_1"]["discarded"] == {"CHECKSUM": 1}
