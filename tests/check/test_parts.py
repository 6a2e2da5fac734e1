"""The linter's smaller parts: which file is which, edits, the SARIF log, names of rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from check.confs import clusters, files
from vrrp.check import Check, Cluster, Edit, Facts, Finding, Place, Severity, assemble
from vrrp.check.inputs import Kind, kind_of, read_inputs, settings_of
from vrrp.check.lint import chosen, lint
from vrrp.check.mending import difference, mended
from vrrp.check.rule import catalogue
from vrrp.check.sarif import sarif
from vrrp.check.silence import names, prefixes_of
from vrrp.config.frr import parse_frr


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("vrrp_instance A {\n}\n", Kind.KEEPALIVED),
        ("! comment\nglobal_defs {\n}\n", Kind.KEEPALIVED),
        ("virtual_server 10.0.0.1 80 {\n}\n", Kind.KEEPALIVED),
        ("include x.conf\n", Kind.KEEPALIVED),
        ("#!/bin/sh\n# vrrp_instance\n", Kind.OTHER),
        ("  #!/bin/sh\n", Kind.OTHER),
        ("global\n    daemon\n", Kind.HAPROXY),
        ("# x\n\nfrontend web\n    bind *:80\n", Kind.HAPROXY),
        ("frr version 8.4\ninterface eth0\n vrrp 5\n", Kind.FRR),
        ("interface eth0\n no vrrp 5 preempt\n", Kind.FRR),
        ("# x\nnet.ipv4.ip_nonlocal_bind = 1\n;y\n-net/ipv4/ip_forward=0\n", Kind.SYSCTL),
        ("net.ipv4.ip_nonlocal_bind = 1\nx y\n", Kind.KEEPALIVED),
        ("services:\n  vip:\n    image: x/keepalived\n", Kind.OTHER),
        ("", Kind.KEEPALIVED),
        ("anything at all\n", Kind.KEEPALIVED),
    ],
)
def test_what_stands_in_a_file_tells_what_it_is(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind


def test_kernel_settings() -> None:
    text = "# c\n; c\nnet.ipv4.ip_nonlocal_bind = 1\n-net/ipv6/conf/all.x = a b \nnonsense\n"
    assert settings_of(text) == {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.conf.all.x": "a b"}


def test_what_is_given_wins_over_a_sysctl_file(tmp_path: Path) -> None:
    file = tmp_path / "sysctl.conf"
    file.write_text("a.b = 1\nc.d = 2\n")
    assert read_inputs([file], facts=Facts({"a.b": "3"})).facts.sysctl == {"a.b": "3", "c.d": "2"}


def test_files_beside_the_nodes_go_to_the_nearest() -> None:
    node = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id VRID\nvirtual_ipaddress {\n10.0.0.VRID\n}\n}\n"
    contents = {
        "rome/etc/keepalived/keepalived.conf": node.replace("VRID", "1"),
        "rome/etc/haproxy/haproxy.cfg": "global\n",
        "flat/a.conf": node.replace("VRID", "2"),
        "flat/b.conf": node.replace("VRID", "3"),
        "flat/haproxy.cfg": "frontend x\n    bind 10.0.0.3:80\n",
        "flat/other.cfg": "global\n",
        "elsewhere/haproxy.cfg": "global\n",
    }
    found = {one.nodes[0].file: [beside.file for beside in one.beside] for one in clusters(contents)}
    assert found == {
        "rome/etc/keepalived/keepalived.conf": ["rome/etc/haproxy/haproxy.cfg", "elsewhere/haproxy.cfg"],
        "flat/a.conf": ["flat/other.cfg"],
        "flat/b.conf": ["flat/haproxy.cfg"],
    }


def test_without_nodes_there_is_one_cluster() -> None:
    (one,) = clusters({"haproxy.cfg": "global\n"})
    assert (one.nodes, [beside.file for beside in one.beside]) == ((), ["haproxy.cfg"])
    (empty,) = assemble([])
    assert empty == Cluster(())


def finding(rule: str = "VRRP-W003", line: int = 1, **more: Any) -> Finding:
    return Finding(rule, Severity.WARNING, "a.conf", line, "message", "Why.", "Mend.", **more)


def test_edits_are_made_together_or_not_at_all() -> None:
    text = {"a.conf": "one\ntwo\nthree", "b.conf": "x"}
    first = finding(fix=(Edit("a.conf", 1, "one", "1\n1b"), Edit("a.conf", 3, "three", None)))
    same_line = finding(fix=(Edit("a.conf", 2, "two", "2"), Edit("a.conf", 1, "one", "uno")))
    same_edit = finding(fix=(Edit("a.conf", 1, "one", "1\n1b"),))
    stale = finding(fix=(Edit("b.conf", 1, "y", "z"), Edit("a.conf", 2, "two", "2")))
    outside = finding(fix=(Edit("c.conf", 1, "", ""), Edit("a.conf", 9, "", "")))
    assert mended(text, [first, same_line, same_edit, stale, outside, finding()]) == {"a.conf": "1\n1b\ntwo"}
    assert mended(text, []) == {}


def test_a_difference() -> None:
    assert difference("a", "one\ntwo\n", "one\n2\n")[:2] == ["--- a", "+++ a"]
    assert [row for row in difference("a", "one\ntwo\n", "one\n2\n")[3:] if row[0] != " "] == ["-two", "+2"]


@pytest.mark.parametrize(
    ("rule", "prefix", "named"),
    [
        ("VRRP-W012", "VRRP-W012", True),
        ("VRRP-W012", "W012", True),
        ("VRRP-W012", "W0", True),
        ("VRRP-W012", "VRRP", True),
        ("VRRP-W012", "all", True),
        ("VRRP-W012", "012", False),
        ("VRRP-W012", "E", False),
    ],
)
def test_prefixes_name_rules(rule: str, prefix: str, named: bool) -> None:
    assert names(rule, prefixes_of(prefix)) is named


def test_what_names_a_rule_more_closely_wins() -> None:
    assert chosen("VRRP-W012", (), ())
    assert chosen("VRRP-W012", ("W012",), ("W",))
    assert not chosen("VRRP-W012", ("W",), ("W012",))
    assert not chosen("VRRP-W012", ("E",), ())
    assert chosen("VRRP-W012", ("W",), ("W",))


def test_each_finding_is_told_once_and_proofs_only_when_asked_for() -> None:
    (cluster,) = clusters(files("vrrp_instance VI_1 {\n}\n"))
    rule = catalogue()["VRRP-W003"]
    place = Place("a.conf", 1)
    checks = [
        Check((rule,), lambda _: [rule.finding(place, "static"), rule.finding(place, "static")]),
        Check((rule,), lambda _: [rule.finding(place, "proved")], proof=True),
    ]
    told: list[str] = []
    assert [one.message for one in lint([cluster], checks=checks, progress=told.append)] == ["static", "proved"]
    assert told == ["cluster 1 of 1", "cluster 1 of 1, by simulation"]
    assert [one.message for one in lint([cluster], checks=checks, proof=False)] == ["static"]


LEVELS = {"none", "note", "warning", "error"}


def check_location(location: dict[str, Any]) -> None:
    physical = location["physicalLocation"]
    assert physical["artifactLocation"]["uri"]
    assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    assert location.get("message", {"text": "x"})["text"]


def check_log(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0 (sections 3.13 to 3.57) asks of the parts that are written."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        for rule in driver["rules"]:
            assert rule["shortDescription"]["text"]
            assert rule["fullDescription"]["text"]
            assert rule["help"]["text"]
            assert rule["defaultConfiguration"]["level"] in LEVELS
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["level"] in LEVELS
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert len(result["locations"]) == 1
            for location in (*result["locations"], *result.get("relatedLocations", [])):
                check_location(location)
            for fix in result.get("fixes", []):
                for change in fix["artifactChanges"]:
                    assert change["artifactLocation"]["uri"]
                    for replacement in change["replacements"]:
                        region = replacement["deletedRegion"]
                        start, end = (
                            (region["startLine"], region["startColumn"]),
                            (region["endLine"], region["endColumn"]),
                        )
                        assert (1, 1) <= start < end


def test_the_sarif_log_of_every_rule() -> None:
    found = []
    for rule in catalogue().values():
        fix = (Edit("a b.conf", 2, "x", "y"), Edit("/etc/c.conf", 3, "x", None))
        related = [Place("a b.conf", 7, "says"), Place("/etc/c.conf", 0)]
        found.append(rule.finding(Place("a b.conf", 2), "message", fix=fix, related=related))
    log = sarif(found)
    check_log(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(run["tool"]["driver"]["rules"]) == len(catalogue())
    result = run["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.conf"
    assert result["relatedLocations"][1] == {"physicalLocation": {"artifactLocation": {"uri": "file:///etc/c.conf"}}}
    first, second = result["fixes"][0]["artifactChanges"]
    assert first["replacements"] == [
        {
            "deletedRegion": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 2},
            "insertedContent": {"text": "y"},
        }
    ]
    assert "insertedContent" not in second["replacements"][0]


def test_an_empty_sarif_log() -> None:
    log = sarif([])
    check_log(log)
    assert log["runs"][0]["results"] == []


FRR = """\
frr version 8.4
vrrp default priority 7
interface eth0
 vrrp 5
 vrrp 5 priority 200
 vrrp 5 priority 255
 vrrp 5 advertisement-interval 1509
 no vrrp 5 preempt
 vrrp 5 ip 10.0.0.1
 vrrp 5 ipv6 fd00::1
 vrrp 5 ip nonsense
 vrrp 5 whatever
 vrrp 300
 vrrp x
 vrrp
interface eth1
 vrrp 5 version 2
 vrrp 5 version 9
 no vrrp 5 priority 3
 vrrp 5 preempt
 vrrp 5 ip
"""


def test_frr_s_virtual_routers() -> None:
    first, second = parse_frr(FRR)
    assert (first.vrid, first.interface, first.line, first.version) == (5, "eth0", 4, 3)
    assert (first.priority, first.interval_cs, first.preempt) == (200, 150, False)
    assert [str(address) for address in first.addresses] == ["10.0.0.1", "fd00::1"]
    assert (first.lines["vrrp"], first.lines["ipv6"]) == (4, 10)
    assert (second.interface, second.version, second.priority, second.preempt) == ("eth1", 2, 100, True)
    assert second.addresses == []


def test_a_file_that_another_includes_is_no_node(tmp_path: Path) -> None:
    main, part = tmp_path / "main.conf", tmp_path / "part.conf"
    main.write_text("vrrp_instance V {\ninclude part.conf\n}\n", encoding="utf-8")
    part.write_text("priority 7\n", encoding="utf-8")
    (node,) = read_inputs([part, main]).keepalived
    assert (node.file, node.included) == (str(main), {str(part): "priority 7\n"})
    part.write_text("include main.conf\n", encoding="utf-8")
    assert len(read_inputs([part, main]).keepalived) == 2
