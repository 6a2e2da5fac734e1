"""Building configurations for the tests, and reading one thing out of them."""

from __future__ import annotations

from collections.abc import Mapping

from vrrp.config import Diagnostic, ParsedConfig, Verdict, VrrpInstance, parse
from vrrp.config.diagnostics import Report
from vrrp.config.language.lexer import Fragment
from vrrp.config.language.source import Source

ADDRESS = "virtual_ipaddress {\n10.0.0.100/24\n}\n"
ADDRESS_V6 = "virtual_ipaddress {\nfe80::100\n}\n"
PEER = "unicast_peer {\n10.0.0.12\n}\n"
BASE = "interface eth0\nvirtual_router_id 51\n"


def instance(body: str = "", name: str = "VI_1", base: str = BASE, addresses: str = ADDRESS) -> str:
    """A vrrp_instance of 7 lines without its body, which begins on line 7 when nothing stands before."""
    return f"vrrp_instance {name} {{\n{base}{addresses}{body}\n}}\n"


def global_defs(body: str) -> str:
    """A global_defs whose body begins on line 4."""
    return f"global_defs {{\nscript_user root\nenable_script_security\n{body}\n}}\n"


def script(body: str = "", name: str = "chk") -> str:
    """A vrrp_script of 4 lines without its body, which begins on line 3."""
    return f"vrrp_script {name} {{\nscript /bin/true\n{body}\n}}\n"


def pair(first: str = "", second: str = "") -> str:
    """VI_1 and VI_2, which do not disturb each other."""
    return instance(first) + instance(second, name="VI_2", base="interface ens3\nvirtual_router_id 52\n")


def group(body: str = "", members: str = "VI_1\nVI_2") -> str:
    """A vrrp_sync_group G1 with these members."""
    return f"vrrp_sync_group G1 {{\ngroup {{\n{members}\n}}\n{body}\n}}\n"


def only(parsed: ParsedConfig) -> VrrpInstance:
    """The one instance of a file."""
    (found,) = parsed.config.instances
    return found


def read(body: str = "", **parts: str) -> VrrpInstance:
    """The instance that `instance` writes."""
    return only(parse(instance(body, **parts)))


def told(text: str) -> list[tuple[int, str]]:
    """Line and message of everything that there is to say about a text, beside how its scripts are run."""
    return [(one.line, one.message) for one in parse(text).diagnostics if one.verdict is not Verdict.SCRIPTS_UNSAFE]


def complaints(parsed: ParsedConfig) -> list[Diagnostic]:
    """The diagnostics that are more than notes, and not about how the scripts are run."""
    return [
        one for one in parsed.diagnostics if one.severity.value != "note" and one.verdict is not Verdict.SCRIPTS_UNSAFE
    ]


def fragments(
    text: str, report: Report, environment: Mapping[str, str] | None = None, config_id: str | None = None
) -> tuple[Fragment, ...]:
    """What keepalived's first process cuts a text into."""
    source = Source("f", text, folder=None, environment=environment or {}, config_id=config_id, seed=1)
    return source.for_the_first(report)
