"""What a keepalived.conf has checked."""

from __future__ import annotations

from vrrp.config import parse
from vrrp.config.lvs.model import FileCheck, TcpCheck
from vrrp.lvs.target import CheckKey, CheckPlan

CHECK = "TCP_CHECK {\n connect_timeout 2\n }"
CONF = """\
global_defs {{
 script_user root
 {top}
}}
track_file level {{
 file /run/level
}}
virtual_server 10.0.0.100 80 {{
 protocol TCP
 virtualhost all.example
 real_server 10.0.0.1 80 {{
  weight 3
  {first}
 }}
 real_server 10.0.0.2 80 {{
  virtualhost own.example
  FILE_CHECK {{
   track_file level
  }}
  {second}
 }}
}}
virtual_server fwmark 7 {{
 protocol UDP
 real_server 10.0.0.1 53 {{
  {second}
 }}
}}
"""


def plan(text: str) -> CheckPlan:
    return CheckPlan.of(parse(text).config)


def test_each_checker_of_each_server_in_the_file_s_order() -> None:
    found = plan(CONF.format(top="enable_script_security", first=CHECK, second=CHECK))
    assert found.secure
    assert found.ssl is None
    service = "[10.0.0.100]:tcp:80"
    assert [one.key for one in found.targets] == [
        CheckKey(service, "[10.0.0.1]:tcp:80", 0),
        CheckKey(service, "[10.0.0.2]:tcp:80", 0),
        CheckKey(service, "[10.0.0.2]:tcp:80", 1),
        CheckKey("FWM 7", "[10.0.0.1]:none:53", 0),
    ]
    assert [(str(one.address), one.port, one.weight, one.virtual_host) for one in found.targets] == [
        ("10.0.0.1", 80, 3, "all.example"),
        ("10.0.0.2", 80, 1, "own.example"),
        ("10.0.0.2", 80, 1, "own.example"),
        ("10.0.0.1", 53, 1, None),
    ]
    first, read, *_ = (one.checker for one in found.targets)
    assert isinstance(first, TcpCheck)
    assert isinstance(read, FileCheck)
    assert (first.retries, read.retries, read.warmup_ns) == (1, 0, 0)
    assert found.targets[1].file is not None
    assert [one.log_all_failures for one in found.targets] == [False] * 4


def test_only_those_of_some_virtual_servers() -> None:
    config = parse(CONF.format(top="", first=CHECK, second=CHECK)).config
    assert len(CheckPlan.of(config, config.virtual_servers[1:]).targets) == 1
    assert CheckPlan.of(config, ()) == CheckPlan()


def test_what_only_moved_in_the_file_is_the_same() -> None:
    text = CONF.format(top="", first=CHECK, second=CHECK)
    assert plan(text) == plan(f"! another first line\n{text}")
    assert plan(text) != plan(CONF.format(top="", first=CHECK.replace("2", "3"), second=CHECK))


def test_all_failures_may_be_wanted_of_all() -> None:
    chatty = CHECK.replace("{", "{\n log_all_failures")
    for top, wanted in (("checker_log_all_failures", True), ("checker_log_all_failures off", False)):
        targets = plan(CONF.format(top=top, first=CHECK, second=chatty)).targets
        assert [one.log_all_failures for one in targets] == [wanted, wanted, True, True]


def test_checks_that_stand_by_themselves() -> None:
    text = "check web {\n TCP_CHECK {\n connect_ip 10.0.0.9\n connect_port 80\n }\n}\n"
    (only,) = CheckPlan.of_checks(parse(text, additions=True).config).targets
    assert only.key.real_server == "web"
    assert isinstance(only.checker, TcpCheck)
    assert str(only.checker.connection.address) == "10.0.0.9"
