"""Findings as people, GitHub and other programs read them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from vrrp.check import Cluster, Finding, Place, Rule, Severity
from vrrp.words import printable, visible

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDEST, _NARROWEST = 110, 50
_MOST_RELATED = 8


class Sources:
    """The lines of files.

    Args:
        texts: what stands in them, by their names.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._lines: dict[str, list[str]] = {}

    def line(self, place: Place) -> str:
        """What stands at a place; "" when that cannot be told."""
        if place.file not in self._lines:
            self._lines[place.file] = self._texts.get(place.file, "").split("\n")
        lines = self._lines[place.file]
        return lines[place.line - 1] if 1 <= place.line <= len(lines) else ""


def headline(finding: Finding) -> str:
    """FILE:LINE: severity RULE message; what keepalived does instead."""
    severity = click.style(finding.severity.value, fg=_COLORS[finding.severity], bold=True)
    where = click.style(f"{visible(finding.file)}:{finding.line}:", bold=True)
    instead = f"; {finding.instead}" if finding.instead else ""
    return f"{where} {severity} {click.style(finding.rule, bold=True)} {visible(finding.message + instead)}"


def told(findings: Iterable[Finding], sources: Sources) -> Iterator[str]:
    """The lines of a report: what is wrong, where, why it hurts and what mends it; the latter once for each rule.

    Notes are one line each.
    """
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 0)).columns))
    explained: set[tuple[str, str]] = set()
    for finding in findings:
        yield headline(finding)
        if finding.severity is not Severity.NOTE:
            yield from _shown(finding, sources)
            for label, text in (("why", finding.why), ("mend", finding.mend)):
                if (finding.rule, text) not in explained:
                    explained.add((finding.rule, text))
                    yield from _labelled(label, text, width)
            if finding.fix:
                yield from _labelled("fix", "--fix does it", width)
        yield from (f"        {printable(row)}" for row in finding.detail)
        if finding.severity is not Severity.NOTE or finding.detail:
            yield ""


def _shown(finding: Finding, sources: Sources) -> Iterator[str]:
    """The line itself, and those that it takes to see it."""
    shown = (Place(finding.file, finding.line), *finding.related[:_MOST_RELATED])
    for place in dict.fromkeys(shown):
        line = printable(sources.line(place).strip())
        if place.file == finding.file:
            where = f"{place.line:>6} | "
        else:
            where = f"        {visible(place.file)}:{place.line}: "
        if line or place.file != finding.file:
            says = click.style(f"  ({visible(place.says)})", fg="cyan") if place.says not in line else ""
            yield click.style(where, fg="blue") + line + says
    more = len(finding.related) - _MOST_RELATED
    if more > 0:
        yield click.style(f"        and {more} more", dim=True)


def _labelled(label: str, text: str, width: int) -> Iterator[str]:
    first, *rest = textwrap.wrap(visible(text), width - 8, break_long_words=False, break_on_hyphens=False)
    yield f"{click.style(f'{label:>6}', fg='blue')}: {first}"
    yield from (f"        {line}" for line in rest)


def explained(rule: Rule) -> Iterator[str]:
    """Everything there is to say about a rule."""
    severity = click.style(rule.severity.value, fg=_COLORS[rule.severity], bold=True)
    yield f"{click.style(rule.id, bold=True)} {rule.title} ({severity})"
    for text in (rule.why, rule.mend):
        yield ""
        yield from textwrap.wrap(text, 100)
    yield ""
    yield from textwrap.wrap(f"Source: {rule.source}", 100, subsequent_indent="  ")
    for title, example in (("Found in", rule.bad), ("Not found in", rule.good)):
        yield f"\n{click.style(title + ':', bold=True)}\n"
        yield textwrap.indent(example.rstrip("\n"), "    ")


def workflow_command(finding: Finding) -> str:
    """An annotation for GitHub Actions."""
    kind = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}[finding.severity]
    where = f"file={_property(finding.file)},line={max(1, finding.line)},title={_property(finding.rule)}"
    instead = f"; {finding.instead}" if finding.instead else ""
    text = "\n".join([visible(finding.message + instead), finding.why, finding.mend])
    return f"::{kind} {where}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_json(finding: Finding) -> dict[str, Any]:
    """One finding, for other programs."""
    return {
        "file": finding.file,
        "line": finding.line,
        "severity": finding.severity.value,
        "message": finding.message,
        "instead": finding.instead or finding.why,
        "rule": finding.rule,
        "why": finding.why,
        "mend": finding.mend,
        "related": [{"file": one.file, "line": one.line, "says": one.says} for one in finding.related],
        "fix": [{"file": one.file, "line": one.line, "before": one.before, "after": one.after} for one in finding.fix],
        "detail": list(finding.detail),
        "scenario": finding.scenario,
        "data": list(finding.data),
    }


def clusters_as_json(clusters: Sequence[Cluster]) -> list[dict[str, Any]]:
    """What was checked together, and why it was taken for one."""
    return [
        {
            "files": [node.file for node in cluster.nodes] + [one.file for one in cluster.beside],
            "virtual_routers": [
                {
                    "vrid": peers.vrid,
                    "family": peers.family,
                    "how": peers.how,
                    "members": [
                        {"file": member.node.file, "instance": member.instance.name} for member in peers.members
                    ],
                }
                for peers in cluster.peers
            ],
        }
        for cluster in clusters
    ]
