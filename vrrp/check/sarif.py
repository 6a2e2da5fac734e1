"""Findings as SARIF 2.1.0 (OASIS), which code review tools read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from vrrp import __version__
from vrrp.check.finding import Edit, Finding, Place
from vrrp.check.rule import Rule, catalogue

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """The log: one run, with the rules that were found."""
    found = list(findings)
    known = catalogue()
    rules = [known[rule] for rule in dict.fromkeys(one.rule for one in found) if rule in known]
    index = {rule.id: position for position, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "vrrp check", "version": __version__, "rules": [_rule(one) for one in rules]}
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, index) for one in found],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\n{rule.mend}\n\nSource: {rule.source}"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    text = f"{finding.message}. {finding.why} {finding.mend}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [_location(Place(finding.file, finding.line))],
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.related:
        result["relatedLocations"] = [_location(place) for place in finding.related]
    if finding.fix:
        files = dict.fromkeys(edit.file for edit in finding.fix)
        changes = [
            {
                "artifactLocation": {"uri": _uri(file)},
                "replacements": [_replacement(edit) for edit in finding.fix if edit.file == file],
            }
            for file in files
        ]
        result["fixes"] = [{"description": {"text": finding.mend}, "artifactChanges": changes}]
    return result


def _location(place: Place) -> dict[str, Any]:
    # SARIF counts lines from 1: what is about a whole file has no region.
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line > 0:
        physical["region"] = {"startLine": place.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.says:
        location["message"] = {"text": place.says}
    return location


def _replacement(edit: Edit) -> dict[str, Any]:
    if edit.after is None:
        return {"deletedRegion": {"startLine": edit.line, "startColumn": 1, "endLine": edit.line + 1, "endColumn": 1}}
    region = {"startLine": edit.line, "startColumn": 1, "endLine": edit.line, "endColumn": len(edit.before) + 1}
    return {"deletedRegion": region, "insertedContent": {"text": edit.after}}


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
