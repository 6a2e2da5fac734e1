"""check and track_check, which only `vrrp run` knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.oracle import debian_12, differences, measured, our_reading
from vrrp.config import load, parse
from vrrp.config.diagnostics import Severity
from vrrp.config.lvs.model import FileCheck, MiscCheck, TcpCheck, WebCheck
from vrrp.config.model import TrackedCheck
from vrrp.config.router_config import convert
from vrrp.protocol.settings import ProcessConfig, TrackedProcess

CHECKS = """\
check web {
    HTTP_GET {
        connect_ip 10.0.0.2
        url { path /
        }
    }
}
track_file f {
    file /tmp/f
}
check file { FILE_CHECK { track_file f
    }
}
"""
INSTANCE = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    %s
    virtual_ipaddress {
        10.0.0.100/24
    }
    priority 90
}
"""
TRACKING = "track_check {\n web weight 10\n file weight -20 reverse\n web weight 5 noreverse\n }"
GROUP = "vrrp_sync_group G {\n group {\n VI_1\n }\n track_check {\n web\n }\n}\n"


def said(text: str) -> list[str]:
    """What there is to say of the additions, without the notes that they are some."""
    found = parse(text, additions=True).diagnostics
    return [f"{one.line} {one.message}" for one in found if one.severity is not Severity.NOTE]


def test_what_is_read() -> None:
    parsed = parse(CHECKS + INSTANCE % TRACKING + GROUP, additions=True)
    config = parsed.config
    assert {name: type(check.checker) for name, check in config.checks.items()} == {"web": WebCheck, "file": FileCheck}
    instance, group = ("vrrp_instance", "VI_1"), ("vrrp_sync_group", "G")
    assert config.tracked_checks == (
        TrackedCheck(instance, "web", 10, line=18),
        TrackedCheck(instance, "file", -20, reverse=True, line=19),
        TrackedCheck(group, "web", line=32),
    )
    # What stands behind the block is read, though keepalived would take its brace for the instance's.
    assert config.instances[0].priority == 90
    router = convert(config).router
    assert router.processes == (
        ProcessConfig(name="check web", judged=True),
        ProcessConfig(name="check file", judged=True),
    )
    assert router.virtual_routers[0].track_processes[:2] == (
        TrackedProcess("check web", 10),
        TrackedProcess("check file", -20, True),
    )
    assert router.sync_groups[0].track_processes == (TrackedProcess("check web"),)
    notes = [one for one in parsed.diagnostics if one.severity is Severity.NOTE]
    assert [(one.line, one.message) for one in notes] == [
        (1, "check"),
        (11, "check"),
        (17, "track_check"),
        (31, "track_check"),
    ]
    assert all("keepalived does not know this word" in one.instead for one in notes)


@pytest.mark.root
@pytest.mark.program("keepalived")
def test_keepalived_knows_neither(tmp_path: Path) -> None:
    """What stands behind the brace that ends a track_check is outside of the instance."""
    file = tmp_path / "keepalived.conf"
    file.write_text(CHECKS + INSTANCE % TRACKING, encoding="ascii")
    parsed = load(file, host=debian_12({"eth0"}))
    (theirs,) = measured([file], {"eth0"})
    assert differences(our_reading(parsed), theirs) == []
    unknown = {(one.line, one.message) for one in parsed.diagnostics if "only vrrp run knows it" in one.instead}
    assert unknown == {
        (1, "Unknown keyword 'check'"),
        (11, "Unknown keyword 'check'"),
        (17, "Unknown keyword 'track_check'"),
    }
    assert parsed.config.instances[0].priority == 100
    assert not parsed.config.checks


def test_keepaliveds_reading_of_the_rest_is_the_same() -> None:
    text = "global_defs {\n router_id x\n unknown\n}\n" + INSTANCE % ""
    assert parse(text, additions=True) == parse(text)


TCP = "check a { TCP_CHECK { connect_ip 10.0.0.2\n } }\n"
FAULTS: tuple[tuple[str, list[str]], ...] = (
    ("check a { }\n", ["1 check a has no checkers"]),
    ("check a { TCP_CHECK { }\n PING_CHECK { }\n }\n", ["1 check a has 2 checkers"]),
    ("check a { TCP_CHECK { }\n }\n", ["1 check a has no connect_ip"]),
    ("check { TCP_CHECK { }\n }\n", ["1 check must have a name - skipping"]),
    (TCP + TCP, ["3 check a already defined"]),
    (
        "check a { HTTP_GET { }\n }\n",
        ["1 HTTP/SSL_GET checker has no urls specified - ignoring", "1 check a has no checkers"],
    ),
    ("check a { word\n TCP_CHECK { connect_ip 10.0.0.2\n } }\n", ["1 Unknown keyword 'word'"]),
    (TCP + INSTANCE % "track_check {\n a\n a weight 2\n }", ["8 (VI_1) check a is followed already"]),
    (TCP + INSTANCE % "track_check {\n b\n }", ["7 (VI_1) there is no check b"]),
    (TCP + INSTANCE % "track_check {\n a 10\n }", ["7 (VI_1) 10 is nothing that can be said of a check"]),
    (TCP + INSTANCE % "track_check {\n a weight\n }", ["7 (VI_1) weight is nothing that can be said of a check"]),
    (
        TCP + INSTANCE % "track_check {\n a weight 254\n }",
        ["7 (VI_1) weight 254 is nothing that can be said of a check"],
    ),
    (
        TCP + INSTANCE % "track_check {\n a weight 1 odd\n }",
        ["7 (VI_1) weight 1 odd is nothing that can be said of a check"],
    ),
)


@pytest.mark.parametrize(("text", "wanted"), FAULTS)
def test_what_is_wrong(text: str, wanted: list[str]) -> None:
    assert said(text)[: len(wanted)] == wanted


@pytest.mark.parametrize(
    "text",
    ["check a {", "check a { TCP_CHECK {", "check", "track_check {\n a\n}\n", "}\n}\ncheck a {\n}\n", "check a\n"],
)
def test_what_never_ends_or_begins(text: str) -> None:
    assert not parse(text, additions=True).config.tracked_checks


def test_where_the_words_are_ours_and_where_not() -> None:
    text = "vrrp_script check {\n script /bin/true\n}\n" + TCP + INSTANCE % "track_script {\n check weight 2\n }"
    config = parse(text, additions=True).config
    assert list(config.scripts) == ["check"]
    assert isinstance(config.checks["a"].checker, TcpCheck)
    assert config.instances[0].track_scripts[0].name == "check"


def test_scripts() -> None:
    checker = (
        parse('check a { MISC_CHECK { misc_path "/bin/true x"\n } }\n', additions=True).config.checks["a"].checker
    )
    assert isinstance(checker, MiscCheck)
    assert checker.command == "/bin/true x"
