"""What the recordings do not show of pools: weights that checkers set, groups that change, who runs what."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from vrrp.config import parse
from vrrp.config.lvs.model import VirtualServer, VirtualServerGroup
from vrrp.config.script_security import ROOT, Identity
from vrrp.lvs.balancer import Balancer
from vrrp.lvs.effects import (
    AddDestination,
    AddService,
    EditDestination,
    EditService,
    Effect,
    Effects,
    QuorumChanged,
    RemoveDestination,
    RemoveService,
    Said,
    ServerChanged,
)
from vrrp.lvs.pool import Pool
from vrrp.lvs.target import CheckKey

VS = "[10.0.0.1]:tcp:80"
DYNAMIC = 'MISC_CHECK {\n misc_path "/bin/true"\n misc_dynamic\n }'
SORRY = "sorry_server 10.0.0.9 8080"
Servers = tuple[tuple[VirtualServer, ...], tuple[VirtualServerGroup, ...]]


def conf(*servers: str, head: str = SORRY, address: str = "10.0.0.1 80", before: str = "") -> str:
    blocks = [f"real_server 10.0.0.{number} 80 {{\n {one}\n }}" for number, one in enumerate(servers, 2)]
    lines = ["lvs_sched rr", "lvs_method NAT", "protocol TCP", head, *blocks]
    return "\n".join([before, f"virtual_server {address} {{", *lines, "}"])


def servers_of(text: str) -> Servers:
    config = parse(text).config
    return config.virtual_servers, config.virtual_server_groups


def started(text: str) -> Balancer:
    balancer = Balancer(*servers_of(text))
    balancer.start(0)
    return balancer


def only(balancer: Balancer) -> Pool:
    (pool,) = balancer.pools.values()
    return pool


def key(number: int, index: int = 0) -> CheckKey:
    return CheckKey(VS, f"[10.0.0.{number}]:tcp:80", index)


def plain(effects: Effects) -> list[str]:
    """The effects in a word or two each, addresses by their last number."""
    return [re.sub(r"\[10\.0\.0\.(\d)\]:tcp:80(80)?", r"R\1", _plain(effect).replace(VS, "VS")) for effect in effects]


def _plain(effect: Effect) -> str:
    match effect:
        case Said(message):
            return message
        case AddService(service) | EditService(service) | RemoveService(service):
            return f"{type(effect).__name__} {service.address or service.fwmark}"
        case AddDestination(service, server) | EditDestination(service, server) | RemoveDestination(service, server):
            where = f"{service.address or service.fwmark} {str(server.address)[-1]}"
            return f"{type(effect).__name__} {where} weight {server.weight}"
        case QuorumChanged(_, up) | ServerChanged(_, _, up):
            return f"{type(effect).__name__} {up}"


def test_a_script_sets_the_weight() -> None:
    balancer = started(conf(f"weight 5\n {DYNAMIC}", "weight 2", head=f"{SORRY}\n quorum 6"))
    assert plain(balancer.report(0, key(2), True, 7)) == [
        "Changing weight from 5 to 7 for active service R2 of VS VS",
        "EditDestination 10.0.0.1 2 weight 7",
    ]
    assert plain(balancer.report(0, key(2), True, 0)) == [
        "Changing weight from 7 to 0 for active service R2 of VS VS",
        "EditDestination 10.0.0.1 2 weight 0",
        "Lost quorum 6-0=6 > 2 for VS VS",
        "Adding sorry server R9 to VS VS",
        "Removing alive servers from the pool for VS VS",
        "RemoveDestination 10.0.0.1 2 weight 0",
        "RemoveDestination 10.0.0.1 3 weight 2",
        "AddDestination 10.0.0.1 9 weight 1",
        "QuorumChanged False",
    ]
    assert only(balancer).sorry == ("[10.0.0.9]:tcp:8080", True)
    assert plain(balancer.report(0, key(2), True, None))[:2] == [
        "Changing weight from 0 to 5 for active service R2 of VS VS",
        "Gained quorum 6+0=6 <= 7 for VS VS",
    ]
    assert only(balancer).sorry == ("[10.0.0.9]:tcp:8080", False)


def test_two_scripts_that_set_weights_add_up_and_one_that_fails_has_no_say() -> None:
    balancer = started(conf(f"weight 5\n {DYNAMIC}\n {DYNAMIC}", head=""))
    balancer.report(0, key(2), True, 7)
    assert (
        plain(balancer.report(0, key(2, 1), True, 10))[0]
        == "Changing weight from 7 to 12 for active service R2 of VS VS"
    )
    assert plain(balancer.report(0, key(2), False, None)) == [
        "Removing service R2 from VS VS",
        "RemoveDestination 10.0.0.1 2 weight 10",
        "ServerChanged False",
        "Lost quorum 1-0=1 > 0 for VS VS",
        "QuorumChanged False",
    ]
    assert only(balancer).members["[10.0.0.2]:tcp:80"].failing == 1
    assert only(balancer).sorry is None


def test_a_weight_that_is_set_while_it_is_down_is_said_before_it_rises() -> None:
    balancer = started(conf(f"weight 5\n inhibit_on_failure\n {DYNAMIC}", "", head=""))
    balancer.report(0, key(2), False, None)
    assert plain(balancer.report(0, key(2), True, 2)) == [
        "Changing weight from 5 to 2 for inactive service R2 of VS VS",
        "Enabling service R2 of VS VS",
        "EditDestination 10.0.0.1 2 weight 2",
        "ServerChanged True",
    ]


def test_another_weight_in_the_file_is_what_scripts_begin_from() -> None:
    balancer = started(conf(f"weight 5\n {DYNAMIC}"))
    balancer.report(0, key(2), True, 7)
    effects = balancer.reload(0, *servers_of(conf(f"weight 8\n {DYNAMIC}")))
    assert plain(effects)[:2] == [
        "Changing weight from 7 to 8 for active service R2 of VS VS",
        "EditDestination 10.0.0.1 2 weight 8",
    ]
    balancer.report(0, key(2), True, 7)
    again = balancer.reload(0, *servers_of("\n" + conf(f"weight 8\n {DYNAMIC}")))
    assert [one for one in plain(again) if "ctivating" not in one] == []


def test_limits_of_connections_change_at_a_reload() -> None:
    balancer = started(conf("", ""))
    (edit,) = balancer.reload(0, *servers_of(conf("uthreshold 10\n lthreshold 5", "")))
    assert isinstance(edit, EditDestination)
    assert (edit.destination.upper_connections, edit.destination.lower_connections) == (10, 5)


def test_another_checker_in_the_place_of_one_knows_what_that_knew() -> None:
    balancer = started(conf("TCP_CHECK {\n }\n HTTP_GET {\n url {\n path /\n }\n }"))
    balancer.report(0, key(2), False, None)
    balancer.reload(0, *servers_of(conf("PING_CHECK {\n }\n HTTP_GET {\n url {\n path /\n }\n }")))
    member = only(balancer).members["[10.0.0.2]:tcp:80"]
    assert (member.alive, member.failing) == (False, 1)
    balancer.report(0, key(2), True, None)
    balancer.reload(
        0, *servers_of(conf("PING_CHECK {\n }\n HTTP_GET {\n url {\n path /\n }\n }\n TCP_CHECK {\n alpha\n }"))
    )
    assert only(balancer).members["[10.0.0.2]:tcp:80"].alive


def test_what_goes_with_a_dead_server_says_nothing_of_it() -> None:
    balancer = started(conf("TCP_CHECK {\n }", "TCP_CHECK {\n }", head=f"{SORRY}\n inhibit_on_failure"))
    balancer.report(0, key(2), False, None)
    effects = balancer.reload(0, *servers_of(conf("", "TCP_CHECK {\n }").replace("10.0.0.2 80", "10.0.0.4 80")))
    assert plain(effects)[:2] == ["service R2 no longer exist", "RemoveDestination 10.0.0.1 2 weight 1"]


def test_a_virtual_server_that_goes_takes_its_sorry_server_along() -> None:
    balancer = started(conf("TCP_CHECK {\n }"))
    balancer.report(0, key(2), False, None)
    assert plain(balancer.reload(0, (), ())) == [
        "Removing Virtual Server VS",
        "RemoveDestination 10.0.0.1 9 weight 1",
        "RemoveService 10.0.0.1",
    ]
    assert balancer.report(0, key(2), True, None) == ()


GROUP = "virtual_server_group G {{\n {}\n fwmark 7\n}}"


def test_a_group_gains_and_loses_addresses() -> None:
    before = conf("", address="group G", before=GROUP.format("10.0.0.5-6 80"))
    after = conf("", address="group G", before=GROUP.format("10.0.0.6-7 80")).replace("sched rr", "sched lc")
    balancer = started(before)
    assert plain(balancer.reload(0, *servers_of(after))) == [
        "RemoveDestination 10.0.0.5 2 weight 1",
        "RemoveService 10.0.0.5",
        "EditService 10.0.0.6",
        "EditService 7",
        "AddService 10.0.0.7",
        "AddDestination 10.0.0.7 2 weight 1",
    ]
    assert plain(balancer.stop(0))[-3:] == ["RemoveService 10.0.0.6", "RemoveService 10.0.0.7", "RemoveService 7"]


def test_a_sorry_server_that_serves_comes_along_to_new_addresses() -> None:
    text = conf("TCP_CHECK {\n }", address="group G", before=GROUP.format("10.0.0.5 80"))
    balancer = started(text)
    balancer.report(0, CheckKey("[G]:0", "[10.0.0.2]:tcp:80", 0), False, None)
    effects = balancer.reload(0, *servers_of(text.replace("10.0.0.5 80", "10.0.0.5-6 80")))
    assert "AddDestination 10.0.0.6 9 weight 1" in plain(effects)


def test_without_a_sorry_server_a_reload_that_lacks_the_quorum_says_that_it_is_lost() -> None:
    balancer = started(conf("", "TCP_CHECK {\n }", head="quorum 1"))
    balancer.report(0, key(3), False, None)
    assert plain(balancer.reload(0, *servers_of(conf("", "TCP_CHECK {\n }", head="quorum 2"))))[:2] == [
        "Lost quorum 2-0=2 > 1 for VS VS",
        "QuorumChanged False",
    ]


def test_with_hysteresis_a_reload_leaves_the_quorum_between_its_limits_as_it_is() -> None:
    text = conf("TCP_CHECK {\n }", "", "", head=f"{SORRY}\n quorum 2\n hysteresis 1")
    balancer = started(text)
    balancer.report(0, key(2), False, None)
    assert only(balancer).has_quorum
    assert all("ctivating" in one for one in plain(balancer.reload(0, *servers_of(text))))


def test_who_runs_what_is_told_with_what_happened() -> None:
    head = f"{SORRY}\n quorum_down /bin/false nobody"
    balancer = started(conf("notify_down '/bin/false' root\n notify_up /bin/true\n TCP_CHECK {\n }", head=head))
    down = [one for one in balancer.report(0, key(2), False, None) if isinstance(one, ServerChanged | QuorumChanged)]
    server, quorum = down
    assert (server.command, server.identity) == ("/bin/false", ROOT)
    assert quorum.command == "/bin/false"
    assert isinstance(quorum.identity, Identity)
    up = [one for one in balancer.report(0, key(2), True, None) if isinstance(one, ServerChanged | QuorumChanged)]
    assert [one.command for one in up] == ["/bin/true", None]


def test_checkers_rest_where_the_address_is_not() -> None:
    text = conf(
        "TCP_CHECK {\n }\n FILE_CHECK {\n track_file f\n }", head="ha_suspend", before="track_file f {\n file /f\n}"
    )
    servers, groups = servers_of(text)
    balancer = Balancer(servers, groups)
    assert plain(balancer.start(0))[-1] == "Deactivating healthchecker for service R2 for VS VS"
    assert balancer.checked == ()
    assert plain(balancer.set_addresses([ip_address("10.0.0.1")])) == [
        "Activating healthchecker for service R2 for VS VS"
    ]
    assert balancer.checked == servers
    assert balancer.set_addresses([ip_address("10.0.0.1"), ip_address("10.0.0.8")]) == ()
    assert plain(balancer.set_addresses([])) == ["Suspending healthchecker for service R2 for VS VS"]


@pytest.mark.parametrize("key", [CheckKey("[10.9.9.9]:tcp:80", "", 0), key(7), key(2, 1)])
def test_a_verdict_on_what_is_gone_is_no_news(key: CheckKey) -> None:
    assert started(conf("TCP_CHECK {\n }")).report(0, key, False, None) == ()


def test_of_two_virtual_servers_that_are_the_same_the_first_is_run() -> None:
    balancer = started(conf("", head="quorum 1") + conf("", "", head=""))
    assert len(only(balancer).members) == 1


def test_since_when_is_kept() -> None:
    balancer = started(conf("TCP_CHECK {\n }"))
    balancer.report(5, key(2), False, None)
    pool = only(balancer)
    assert (pool.since_ns, pool.members["[10.0.0.2]:tcp:80"].since_ns) == (5, 5)
    assert list(pool.keys) == ["[10.0.0.2]:tcp:80"]


def test_without_quorum_and_sorry_server_it_goes_without_a_word_of_them() -> None:
    balancer = started(conf("TCP_CHECK {\n alpha\n }", head=""))
    assert plain(balancer.reload(0, (), ())) == ["Removing Virtual Server VS", "RemoveService 10.0.0.1"]


def test_of_new_servers_that_are_up_it_is_told_where_that_is_asked_for() -> None:
    both = conf("TCP_CHECK {\n }", "TCP_CHECK {\n alpha\n }", head="")
    balancer = Balancer(*servers_of(both), tells_new=True)
    assert plain(balancer.start(0))[1:3] == ["AddDestination 10.0.0.1 2 weight 1", "ServerChanged True"]
    three = balancer.reload(0, *servers_of(both.replace("10.0.0.3 80", "10.0.0.3 81").replace("alpha", "")), True)
    assert [one.real_server for one in three if isinstance(one, ServerChanged)] == ["[10.0.0.3]:tcp:81"]
