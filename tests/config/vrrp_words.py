"""Words that generated VRRP configurations are made of: plausible, at the ends of their ranges, and wrong."""

from __future__ import annotations

INTERFACES = ("eth0", "eth1", "eth2", "eth3", "ens3", "ens4")
# Of the programs, one is not there, and one is not looked for.
COMMANDS = ("/bin/true", "/bin/nosuch", "true", '"/bin/true a b"', '"</dev/tcp/127.0.0.1/80"', "nosuch")
NUMBERS = (
    *(
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "50",
        "99",
        "100",
        "101",
        "150",
        "200",
        "253",
        "254",
        "255",
        "256",
        "1000",
        "1001",
    ),
    *(
        "4094",
        "4294",
        "4295",
        "65535",
        "65536",
        "86400",
        "86401",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
    ),
    *("-1", "-2", "-20", "-253", "-254", "-255", "+7", "0x10", "007", "5x", "x", "1e3", "''", '""', "1.5"),
)
SECONDS = (
    "0",
    "0.001",
    "0.01",
    "0.015",
    "0.5",
    "1",
    "1.5",
    "2.25",
    "5",
    "40.95",
    "40.96",
    "41",
    "255",
    "255.1",
    "256",
)
WORDS = ("on", "off", "true", "no", "yes", "false", "x", "all", "none", "eth0", "MASTER", "BACKUP", "10.0.0.1")
ADDRESSES_V4 = (
    "10.0.0.1",
    "10.0.0.2/24",
    "10.0.0.3/32",
    "10.0.0.4/33",
    "10.0.0.256",
    "192.168.200.9/24",
    "224.0.0.5",
)
ADDRESSES_V6 = ("fe80::1", "fe80::2/64", "2001:db8::1/64", "fe80::3/129", "ff02::5", "::1")
ADDRESS_OPTIONS = (
    *("dev eth1", "dev nosuch0", "dev", "label eth0:1", "scope link", "scope x", "brd +", "brd -", "brd 10.0.0.255"),
    *("brd x", "no_track", "peer 10.0.0.9", "peer x", "foo", "use_vmac", "home", "label abcdefghijklmnopqrst", "brd"),
    *(
        "preferred_lft 5",
        "preferred_lft x",
        "peer fe80::9",
        "-nodad",
        "dev eth1 dev eth2",
        "scope global",
        "deprecated",
    ),
)
