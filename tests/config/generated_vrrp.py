"""VRRP configurations made up at random: plausible ones, with values at and beyond their ranges, and broken ones.

python -m config.generated_vrrp SEED COUNT      what differs from the installed keepalived (needs root)
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from config.oracle import ADDRESSES, Namespace, Totals, differences, measured, our_reading
from config.vrrp_words import (
    ADDRESS_OPTIONS,
    ADDRESSES_V4,
    ADDRESSES_V6,
    COMMANDS,
    INTERFACES,
    NUMBERS,
    SECONDS,
    WORDS,
)
from vrrp.config import load
from vrrp.config.grammar import GLOBAL_DEFS, VRRP_INSTANCE, VRRP_SYNC_GROUP

# Keywords that need more of the machine than a test has, or write to it.
_LEFT_OUT = frozenset({"config_save_dir", "net_namespace", "net_namespace_ipvs", "tmp_config_directory", "vrf"})


class Writer:
    """Writes one configuration after the other.

    Args:
        seed: the same seed gives the same configurations.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lines: list[str] = []

    def configuration(self) -> str:
        """The next one."""
        self._lines = []
        family = 6 if self._chance(0.15) else 4
        blocks: list[Callable[[], None]] = []
        if self._chance(0.6):
            blocks.append(self._global_defs)
        blocks += [self._script] * self._pick((0, 0, 1, 2))
        blocks += [self._track_file] * self._chance(0.2)
        blocks += [self._track_process] * self._chance(0.2)
        blocks += [self._bfd] * self._chance(0.15)
        blocks += [self._garp_group] * self._chance(0.05)
        blocks += [self._track_group] * self._chance(0.05)
        blocks += [self._link_blocks] * self._chance(0.1)
        blocks += [self._top_level] * self._chance(0.1)
        instances = self._pick((0, 1, 1, 1, 2, 2, 3))
        blocks += [partial(self._instance, number, family) for number in range(instances)]
        blocks += [self._group] * self._pick((0, 0, 0, 1, 1, 2))
        if self._chance(0.15):
            self._random.shuffle(blocks)
        for block in blocks:
            block()
        self._break()
        return "\n".join(self._lines) + "\n"

    def _chance(self, part: float) -> bool:
        return self._random.random() < part

    def _pick(self, choices: Sequence[int]) -> int:
        return self._random.choice(choices)

    def _word(self, choices: Sequence[str]) -> str:
        return self._random.choice(choices)

    def _open(self, *words: str) -> None:
        head = " ".join(word for word in words if word)
        if self._chance(0.03):
            self._lines += [head, "{"]
        elif self._chance(0.01):
            self._lines.append(head)
        else:
            self._lines.append(f"{head} {{")

    def _close(self) -> None:
        if not self._chance(0.006):
            self._lines.append("}")

    def _number(self, usual: Sequence[str]) -> str:
        return self._word(NUMBERS) if self._chance(0.2) else self._word(usual)

    def _any(self) -> str:
        some = [*NUMBERS, *SECONDS, *WORDS]
        count = self._random.choice((0, 1, 1, 1, 2))
        return " ".join(self._random.choice(some) for _ in range(count))

    def _global_defs(self) -> None:
        self._open("global_defs")
        if self._chance(0.5):
            self._lines += ["script_user root", "enable_script_security"]
        if self._chance(0.25):
            self._lines.append("vrrp_strict")
        if self._chance(0.2):
            self._lines.append(f"vrrp_version {self._word(('2', '3'))}")
        keywords = sorted(GLOBAL_DEFS.statements - _LEFT_OUT)
        for _ in range(self._random.randrange(4)):
            self._lines.append(f"{self._word(keywords)} {self._any()}".strip())
        if self._chance(0.2):
            self._open("notification_email")
            self._lines += ["a@example.com"] * self._random.randrange(3)
            self._close()
        if self._chance(0.1):
            self._lines.append(self._word(("priority 5", "bogus", "garp_master_delay 3", "vrrp_instance")))
        self._close()

    def _script(self) -> None:
        self._open(
            "vrrp_script", self._word(("s1", "s1", "s2", "")) if self._chance(0.05) else self._word(("s1", "s2"))
        )
        if not self._chance(0.05):
            self._lines.append(f"script {self._word(COMMANDS)}")
        for keyword, usual in (("interval", ("1", "2", "5")), ("weight", ("0", "2", "-5")), ("rise", ("2",))):
            if self._chance(0.5):
                self._lines.append(f"{keyword} {self._number(usual)}")
        for line in ("fall 3", "timeout 2", "init_fail", "user root", "user nosuchuser", "weight 5 reverse", "bogus"):
            if self._chance(0.08):
                self._lines.append(line)
        self._close()

    def _track_file(self) -> None:
        self._open(self._word(("track_file", "vrrp_track_file")), "f1")
        if not self._chance(0.1):
            self._lines.append("file /nosuch/file")
        for line in (f"weight {self._any()}", "init_file", f"init_file {self._any()}", "bogus", "file x"):
            if self._chance(0.2):
                self._lines.append(line)
        self._close()

    def _track_process(self) -> None:
        self._open("vrrp_track_process", "p1")
        if not self._chance(0.1):
            self._lines.append("process sshd")
        for keyword in ("weight", "quorum", "quorum_max", "delay", "fork_delay", "terminate_delay", "param_match"):
            if self._chance(0.2):
                self._lines.append(f"{keyword} {self._any()}".strip())
        self._close()

    def _bfd(self) -> None:
        self._open("bfd_instance", "b1")
        if not self._chance(0.1):
            self._lines.append(f"neighbor_ip {self._word(ADDRESSES_V4 + ADDRESSES_V6)}")
        if self._chance(0.4):
            self._lines.append(f"source_ip {self._word(ADDRESSES_V4 + ADDRESSES_V6)}")
        for keyword in (
            "min_rx",
            "min_tx",
            "idle_tx",
            "multiplier",
            "ttl",
            "hoplimit",
            "max_hops",
            "weight",
            "passive",
        ):
            if self._chance(0.15):
                self._lines.append(f"{keyword} {self._word(NUMBERS)}")
        self._close()

    def _garp_group(self) -> None:
        self._open("garp_group")
        if not self._chance(0.2):
            self._lines.append(f"{self._word(('garp_interval', 'gna_interval'))} {self._word(SECONDS)}")
        if self._chance(0.7):
            self._open("interfaces")
            self._lines += self._random.sample(INTERFACES, 2)
            self._close()
        self._close()

    def _track_group(self) -> None:
        self._open("track_group", self._word(("T1", "T1", "")))
        self._open("group")
        self._lines += self._random.sample(("VI_0", "VI_1", "VI_9"), self._random.randrange(3))
        self._close()
        self._close()

    def _link_blocks(self) -> None:
        self._open(self._word(("linkbeat_interfaces", "interface_up_down_delays")))
        for _ in range(self._random.randrange(3)):
            extra = self._word(("", "MII", "ETHTOOL", "foo", *SECONDS))
            self._lines.append(f"{self._word((*INTERFACES, 'nosuch0'))} {extra}".strip())
        self._close()

    def _top_level(self) -> None:
        keyword = self._word(
            ("instance", "use_pid_dir", "child_wait_time", "linkbeat_use_polling", "bogus", "priority")
        )
        self._lines.append(f"{keyword} {self._any()}".strip())

    def _addresses(self, family: int) -> None:
        addresses: tuple[str, ...] = ADDRESSES_V6 if family == 6 else ADDRESSES_V4
        if self._chance(0.06):
            addresses = (*ADDRESSES_V4, *ADDRESSES_V6, "x")
        usual = addresses[:3]
        for _ in range(self._pick((0, 1, 1, 1, 2, 3))):
            address = self._word(addresses if self._chance(0.3) else usual)
            extra = ""
            if self._chance(0.25):
                extra = self._word(ADDRESS_OPTIONS)
            self._lines.append(f"{address} {extra}".strip())

    def _instance(self, number: int, family: int) -> None:
        name = f"VI_{number}"
        if self._chance(0.02):
            name = self._word(("VI_0", "", "A B", '"a b"'))
        self._open("vrrp_instance", name)
        if not self._chance(0.03):
            self._lines.append(f"interface {self._word(INTERFACES)}")
        if not self._chance(0.03):
            vrid = str(number + 1) if self._chance(0.8) else self._number(("1", "51"))
            self._lines.append(f"virtual_router_id {vrid}")
        if self._chance(0.6):
            self._lines.append(f"state {self._word(('MASTER', 'BACKUP', 'BACKUP', 'SLAVE', 'master'))}")
        if self._chance(0.6):
            self._lines.append(f"priority {self._number(('100', '101', '150', '254', '255'))}")
        if self._chance(0.4):
            self._lines.append(f"advert_int {self._word(SECONDS) if self._chance(0.3) else '1'}")
        if self._chance(0.1):
            self._lines.append(f"version {self._word(('2', '3', '3', '4'))}")
        if self._chance(0.2):
            self._authentication()
        if self._chance(0.2):
            self._unicast(family)
        keywords = sorted(VRRP_INSTANCE.statements - _LEFT_OUT)
        for _ in range(self._pick((0, 0, 1, 2, 3))):
            self._lines.append(self._instance_line(self._word(keywords)))
        if self._chance(0.1):
            self._lines.append(
                self._word(("bogus 3", "vrrp_garp_interval 1", "router_id x", "weight 5", "notify_email x"))
            )
        if self._chance(0.93):
            self._open("virtual_ipaddress")
            self._addresses(family)
            self._close()
        if self._chance(0.1):
            self._open("virtual_ipaddress_excluded")
            self._addresses(self._random.choice((4, 6)))
            self._close()
        self._tracking()
        self._close()

    def _instance_line(self, keyword: str) -> str:
        if keyword.startswith("notify"):
            return f"{keyword} {self._word((*COMMANDS, '/bin/true root', '/bin/true nosuchuser', ''))}".strip()
        if keyword == "state":
            return f"state {self._word(WORDS)}"
        if keyword == "interface":
            return f"interface {self._word((*INTERFACES, 'nosuch0', 'lo', 'abcdefghijklmnopqrst'))}"
        if keyword in {"mcast_src_ip", "unicast_src_ip", "mcast_dst_ip"}:
            return f"{keyword} {self._word((*ADDRESSES_V4, *ADDRESSES_V6))}"
        if keyword in {"use_vmac", "use_ipvlan"}:
            some = (
                "",
                "vm1",
                "vm1 vm2",
                "02:00:00:00:00:01",
                "01:00:00:00:00:01",
                "10.0.0.5",
                "abcdefghijklmnopqrst",
                "bridge",
            )
            return f"{keyword} {self._word(some)}".strip()
        return f"{keyword} {self._any()}".strip()

    def _authentication(self) -> None:
        self._open("authentication")
        if not self._chance(0.1):
            self._lines.append(f"auth_type {self._word(('PASS', 'PASS', 'PASS', 'AH', 'pass', ''))}".strip())
        if not self._chance(0.1):
            self._lines.append(f"auth_pass {self._word(('secret', '1111', 'muchtoolong', '', 'a#b', 'a!b'))}".strip())
        self._close()

    def _unicast(self, family: int) -> None:
        addresses = ADDRESSES_V6 if family == 6 else ADDRESSES_V4
        if self._chance(0.5):
            self._lines.append(f"unicast_src_ip {self._word(addresses[:2])}")
        self._open("unicast_peer")
        for _ in range(self._random.randrange(3)):
            extra = self._word(("", "", "", "min_ttl 5", "max_ttl 300", "min_ttl", "foo 5", "min_ttl 9 max_ttl 3"))
            self._lines.append(
                f"{self._word(addresses[:3] if self._chance(0.9) else (*addresses, 'x'))} {extra}".strip()
            )
        self._close()

    def _tracking(self) -> None:
        names = {
            "track_script": ("s1", "s2", "s3"),
            "track_interface": INTERFACES,
            # Of a name that no track_file has, keepalived 2.2.7 crashes or runs round in circles.
            "track_file": ("f1",),
            "track_process": ("p1", "p9"),
            "track_bfd": ("b1", "b9"),
        }
        for keyword, chance in (
            ("track_script", 0.3),
            ("track_interface", 0.3),
            ("track_file", 0.1),
            ("track_process", 0.1),
            ("track_bfd", 0.1),
        ):
            if not self._chance(chance):
                continue
            self._open(keyword)
            for _ in range(self._random.choice((0, 1, 1, 2))):
                extra = ""
                if self._chance(0.5):
                    weight = self._number(("2", "-5", "20", "0"))
                    extra = self._word(
                        (f"weight {weight}", f"weight {weight}", f"weight {weight} reverse", "weight", "foo")
                    )
                self._lines.append(f"{self._word(names[keyword])} {extra}".strip())
            self._close()

    def _group(self) -> None:
        self._open("vrrp_sync_group", self._word(("G1", "G2", "G2", "")) if self._chance(0.2) else "G1")
        for _ in range(self._random.choice((0, 1, 1, 1, 1, 2))):
            self._open("group")
            self._lines += self._random.sample(("VI_0", "VI_1", "VI_2", "VI_9"), self._random.choice((0, 1, 2, 2, 3)))
            self._close()
        keywords = sorted(VRRP_SYNC_GROUP.statements)
        if self._chance(0.3):
            self._lines.append(self._instance_line(self._word(keywords)))
        if self._chance(0.4):
            self._tracking()
        self._close()

    def _break(self) -> None:
        """Now and then, what a slip of the hand does."""
        if not self._lines or not self._chance(0.25):
            return
        where = self._random.randrange(len(self._lines))
        what = self._random.randrange(7)
        if what == 0:
            del self._lines[where]
        elif what == 1:
            self._lines.insert(where, self._lines[where])
        elif what == 2:
            self._lines.insert(where, self._word(("}", "{", "} }", "{ }", "x {")))
        elif what == 3:
            other = self._random.randrange(len(self._lines))
            self._lines[where], self._lines[other] = self._lines[other], self._lines[where]
        elif what == 4:
            self._lines[where] = self._lines[where].split(" ")[0]
        elif what == 5:
            self._lines[where] += self._word((" {", " }", " extra", " # comment", " ! comment", ' "', " ' "))
        else:
            self._lines[where] = self._lines[where].replace(" ", "", 1)


def compare(seed: int, count: int) -> tuple[Totals, list[str]]:
    """The totals of so many configurations, and what differs from the installed keepalived, file by file."""
    writer = Writer(seed)
    texts = [writer.configuration() for _ in range(count)]
    told = []
    totals = Totals()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.conf") for number in range(count)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        host = Namespace({*INTERFACES, *ADDRESSES})
        for path, text, theirs in zip(paths, texts, measured(paths, INTERFACES), strict=True):
            ours = our_reading(load(path, host=host))
            totals.add(ours, theirs)
            found = differences(ours, theirs)
            if found:
                numbered = [f"{number:4} {line}" for number, line in enumerate(text.splitlines(), 1)]
                told.append("\n".join([f"== {path.name}", *numbered, *found]))
    return totals, told


if __name__ == "__main__":
    TOTALS, TOLD = compare(int(sys.argv[1]), int(sys.argv[2]))
    print("\n".join(TOLD))
    print(TOTALS)
