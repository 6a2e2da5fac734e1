"""What the reader of keepalived.conf has to say, as findings: each diagnostic under a rule of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from vrrp.check.cluster import Cluster, Node
from vrrp.check.finding import Edit, Finding, Place
from vrrp.check.rule import Rule, check
from vrrp.check.rulebook import rulebook, tables
from vrrp.config.diagnostics import Diagnostic, Severity
from vrrp.config.keyword_versions import is_newer, missing_keywords
from vrrp.config.values import octets

_TEMPLATE_MARK = re.compile(r"(?m)^[^#!\n]*?(\{\{[^{}\n]*\}\}|\{%[^%\n]*%\})")
_LONGEST_PASSWORD = 8
_RULES = rulebook("reader")
_BY_MESSAGE = tuple(
    (_RULES[key], re.compile(table["message"])) for key, table in tables("reader").items() if "message" in table
)
_TEMPLATE = _RULES["VRRP-E029"]
_PLACEHOLDER = _RULES["VRRP-E009"]
_UNUSED = _RULES["VRRP-W010"]
_REFUSED = _RULES["VRRP-E008"]
_UNKNOWN_TO_RELEASE = _RULES["VRRP-E190"]
_OTHERWISE = {
    Severity.ERROR: _RULES["VRRP-E097"],
    Severity.WARNING: _RULES["VRRP-W098"],
    Severity.NOTE: _RULES["VRRP-N099"],
}


def rule_of(diagnostic: Diagnostic) -> Rule:
    """The rule that a diagnostic belongs to."""
    for rule, pattern in _BY_MESSAGE:
        if pattern.search(diagnostic.message):
            return rule
    return _REFUSED if diagnostic.fatal else _OTHERWISE[diagnostic.severity]


@check(*(rule for rule in _RULES.values() if rule is not _UNKNOWN_TO_RELEASE))
def read(cluster: Cluster) -> Iterator[Finding]:
    """Each diagnostic of each file."""
    for node in cluster.nodes:
        template = _TEMPLATE_MARK.search(node.text)
        if template is not None:
            line = node.text.count("\n", 0, template.start(1)) + 1
            yield _TEMPLATE.finding(node.place(line), f"{template[1]} belongs to a template")
            continue
        newer = _newer(node, cluster.facts.release)
        unfilled = {(one.file, one.line) for one in node.parsed.diagnostics if rule_of(one) is _PLACEHOLDER}
        ignored = {
            node.config.scripts[entry.name].line
            for instance in node.config.instances
            for entry in instance.ignored_scripts
            if entry.name in node.config.scripts
        }
        for one in node.parsed.diagnostics:
            rule = rule_of(one)
            # Whatever else is wrong with a line that was never filled in will not be when it is; and that an ignored
            # script is not run is told where it is ignored.
            if rule is not _PLACEHOLDER and (one.file, one.line) in unfilled:
                continue
            if rule is _UNUSED and one.line in ignored:
                continue
            if one.line in newer and one.message == f"Unknown keyword '{newer[one.line]}'":
                continue
            yield rule.finding(
                Place(one.file, one.line),
                one.message,
                severity=one.severity,
                instead=one.instead,
                fix=_fix(rule, node, one),
            )


@check(_UNKNOWN_TO_RELEASE)
def releases(cluster: Cluster) -> Iterator[Finding]:
    """Each keyword that the nodes' release of keepalived lacks."""
    release = cluster.facts.release
    for node in cluster.nodes if release is not None else ():
        assert release is not None  # or there would be no nodes to look at
        for one in missing_keywords(node.parsed, release):
            place = Place(one.file, one.line)
            yield _UNKNOWN_TO_RELEASE.finding(place, one.message, severity=one.severity, instead=one.instead)


def _newer(node: Node, release: str | None) -> Mapping[int, str]:
    """The lines with a keyword that keepalived 2.2.7 lacks, when it is known whether the nodes' release does."""
    return {} if release is None else {line: word for line, word in node.parsed.keywords if is_newer(word)}


def _fix(rule: Rule, node: Node, diagnostic: Diagnostic) -> tuple[Edit, ...]:
    mend = _FIXES.get(rule.id)
    if mend is None:
        return ()
    lines = node.texts.get(diagnostic.file, "").split("\n")
    if not 1 <= diagnostic.line <= len(lines):
        return ()
    before = lines[diagnostic.line - 1]
    after = mend(before)
    return () if after is None or after == before else (Edit(diagnostic.file, diagnostic.line, before, after),)


def _backup(line: str) -> str | None:
    """`state SLAVE` or `state backup` says what keepalived takes it for; `state master` does not."""
    found = re.fullmatch(r"(\s*state\s+)(\S+)(.*)", line)
    return f"{found[1]}BACKUP{found[3]}" if found and found[2].lower() in {"slave", "backup", "standby"} else None


def _shortened(line: str) -> str | None:
    """The part of the password that is sent."""
    found = re.fullmatch(r'(\s*auth_pass\s+"?)([^\s"#!]+)(.*)', line)
    return found and f"{found[1]}{_first(found[2])}{found[3]}"


def _first(password: str) -> str:
    return octets(password)[:_LONGEST_PASSWORD].decode("utf-8", "surrogateescape")


# Not here: quotes around a password that # cuts. They change what is sent: until all nodes have them, two are master.
_FIXES: Mapping[str, Callable[[str], str | None]] = {
    "VRRP-W003": _backup,
    "VRRP-W004": _shortened,
}
