"""The devices of virtual routers, made in a namespace of this test's own."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from linux.namespaces import alone, sh
from vrrp.config import parse
from vrrp.config.router_config import convert
from vrrp.linux.attachments import Attachment, Attachments
from vrrp.linux.firewall import FirewallError
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import GROUPS, Links
from vrrp.linux.macvlan import private_macvlans
from vrrp.linux.netlink import Netlink
from vrrp.wire.ethernet import virtual_mac

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "sysctl")]

MAC = virtual_mac(5, 4)


def instance(name: str, address: str = "10.0.0.100", lines: str = "use_vmac", interface: str = "eth0") -> str:
    return (
        f"vrrp_instance {name} {{\n interface {interface}\n virtual_router_id 5\n version 3\n {lines}\n"
        f" virtual_ipaddress {{\n  {address}\n }}\n}}\n"
    )


class Bench:
    """eth0 and eth1, and what attaches virtual routers to them; `told` are nft's scripts."""

    def __init__(self, journal: JournalFile) -> None:
        self.journal = journal
        self.events, self.netlink = Netlink(GROUPS), Netlink()
        self.links = Links(self.events, self.netlink, self.changed)
        self.told: list[str] = []
        self.bars = True
        self.attachments = Attachments(
            self.netlink, self.links.by_name, journal, self.links.read_events, run_nft=self.nft
        )
        self.links.read_all()

    def changed(self, name: str) -> None:
        self.attachments.renew(name)

    def nft(self, script: str) -> None:
        self.told.append(script)
        if not self.bars:
            raise FirewallError("nft: no")

    def run(self, *texts: str) -> dict[str, Attachment]:
        """Have these instances; where each is."""
        config = parse("".join(texts)).config
        self.attachments.plan(config)
        self.attachments.settle()
        return {one.name: self.attachments.of(one) for one in convert(config).router.virtual_routers}

    def there(self) -> set[str]:
        return {one.name for one in private_macvlans(self.netlink)}

    def close(self) -> None:
        """As after a crash: nothing is taken away."""
        self.events.close()
        self.netlink.close()


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """One run of a daemon."""
    with closing(JournalFile(folder / "kernel", place="here")) as journal, closing(Bench(journal)) as made:
        yield made


@pytest.fixture(autouse=True)
def _interfaces() -> Iterator[None]:
    with alone():
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        for name in ("eth0", "eth1"):
            sh("ip", "link", "set", name, "up")
        yield


def test_names_and_places(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        places = made.run(
            instance("PLAIN", "10.0.0.99", "", "eth1").replace("id 5", "id 9"),
            instance("V4"),
            instance("V6", "fe80::100"),
            instance("W4", "10.0.0.102", interface="eth1"),
            instance("W6", "fe80::101", interface="eth1"),
            instance("BASE", "10.0.0.103", "use_vmac mine\n vmac_xmit_base").replace("id 5", "id 6"),
            instance(
                "UNI", "10.0.0.104", "use_vmac\n unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.2\n }"
            ).replace("id 5", "id 7"),
        )
        assert places == {
            "PLAIN": Attachment("eth1", "eth1", "eth1", "eth1"),
            "V4": Attachment("eth0", "vrrp.5", "vrrp.5", "vrrp.5"),
            "V6": Attachment("eth0", "vrrp6.5", "vrrp6.5", "vrrp6.5"),
            "W4": Attachment("eth1", "vrrp1.5", "vrrp1.5", "vrrp1.5"),
            "W6": Attachment("eth1", "vrrp2.5", "vrrp2.5", "vrrp2.5"),
            "BASE": Attachment("eth0", "mine", "eth0", "mine"),
            "UNI": Attachment("eth0", "eth0", "eth0", "vrrp.7"),
        }
        assert made.there() == {"vrrp.5", "vrrp6.5", "vrrp1.5", "vrrp2.5", "mine", "vrrp.7"}
        assert made.attachments.holders["BASE"] == "mine"
        assert all(made.links.by_name[name].up for name in made.there())
        made.run(instance("PLAIN", lines=""))
        assert not made.there()


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    sh("ip", "link", "add", "vrrp.5", "type", "veth", "peer", "name", "other")
    with bench(tmp_path) as made:
        assert made.run(instance("V4"))["V4"].hold == "vrrp1.5"
        with pytest.raises(OSError, match="interface other is there already and is not what use_vmac would make"):
            made.run(instance("V4", lines="use_vmac other"))


def test_what_an_earlier_run_left_is_used_or_taken_away(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.run(instance("V4", lines="use_vmac mine"), instance("V6", "fe80::100"))
        index = made.links.by_name["mine"].index
    sh("ip", "link", "del", "vrrp.5")
    with (tmp_path / "kernel").open("a") as notes:
        notes.write("+ macvlan lo eth0 zz\n+ macvlan lo eth0 00005e000105\n")
    with bench(tmp_path) as made:
        made.run(instance("V4", lines="use_vmac mine"))
        assert made.links.by_name["mine"].index == index
        made.attachments.close()
        assert not made.there()
    assert "lo" in sh("ip", "-br", "link")


def test_without_its_notes_it_is_found_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with bench(tmp_path) as made:
        made.run(instance("V4"))
    (tmp_path / "kernel").unlink()
    with bench(tmp_path) as made:
        assert made.run(instance("V4"))["V4"].hold == "vrrp.5"
        assert "vrrp.5 is there already, and is used" in caplog.messages
        made.attachments.close()
        assert not made.there()


def test_what_somebody_removes_is_made_again(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.run(instance("V4"), instance("V6", "fe80::100"))
        sh("ip", "link", "del", "vrrp.5")
        made.links.read_events()
        assert made.there() == {"vrrp.5", "vrrp6.5"}
        sh("ip", "link", "del", "eth0")
        made.links.read_events()
        assert not made.there()
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        made.links.read_events()
        assert made.there() == {"vrrp.5", "vrrp6.5"}


def test_a_link_local_address_that_comes_later_is_lent(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.run(instance("V6", "fe80::100"))
        sh("ip", "addr", "add", "fe80::77/64", "dev", "eth0", "nodad")
        end = time.monotonic() + 10
        while "fe80::77/64 scope link nodad deprecated" not in sh("ip", "addr", "show", "dev", "vrrp.5"):
            assert time.monotonic() < end
            made.links.read_events()


def test_what_another_virtual_router_has_on_the_interface_is_not_lent(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        both = instance("V6", "fe80::100"), instance("OTHER", "fe80::99", "").replace("id 5", "id 9")
        for address in ("fe80::1", "fe80::99"):
            sh("ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        made.links.read_events()
        made.run(*both)
        lent = sh("ip", "addr", "show", "dev", "vrrp.5")
        assert "fe80::1/64" in lent
        assert "fe80::99/64" not in lent


def test_a_macvlan_whose_mac_another_one_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sh("ip", "link", "add", "thief", "link", "eth0", "address", MAC.hex(":"), "type", "macvlan", "mode", "bridge")
    sh("ip", "link", "set", "thief", "up")
    complaint = "cannot set vrrp.5 up: Address already in use"
    with bench(tmp_path) as made:
        with pytest.raises(OSError, match=re.escape(complaint)):
            made.run(instance("V4"))
        sh("ip", "link", "set", "eth0", "mtu", "1400")
        made.links.read_events()
        assert complaint in caplog.messages
        sh("ip", "link", "del", "thief")
        sh("ip", "link", "set", "eth0", "mtu", "1500")
        made.links.read_events()
        assert made.links.by_name["vrrp.5"].up


def test_a_macvlan_that_cannot_be_made(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        sh("ip", "link", "add", "below", "link", "eth0", "type", "macvlan", "mode", "passthru")
        with pytest.raises(OSError, match=r"cannot make vrrp\.5 on eth0: Device or resource busy|Invalid argument"):
            made.run(instance("V4"))


def test_addresses_are_barred_on_the_interface_where_they_are(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.run(instance("V6", "fe80::100", "use_vmac\n no_accept"), instance("V4", "10.0.0.9 dev eth1", "no_accept"))
        index = made.links.by_name["vrrp.5"].index
        assert f"ip6 daddr . iif {{ fe80::100 . {index} }} drop" in made.told[0]
        assert "ip daddr { 10.0.0.9 } drop" in made.told[0]
        made.bars = False
        sh("ip", "link", "del", "vrrp.5")
        made.links.read_events()
        assert made.there() == {"vrrp.5"}


def test_what_cannot_be_taken_away_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with bench(tmp_path) as made, caplog.at_level(logging.ERROR):
        made.run(instance("V4"))
        monkeypatch.setattr(made.netlink, "ask", refuse)
        made.attachments.close()
        assert caplog.messages == ["cannot remove vrrp.5: Operation not permitted"]
    assert "macvlan vrrp.5 eth0" in (tmp_path / "kernel").read_text()
