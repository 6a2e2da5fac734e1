"""HTTP_GET and SSL_GET, and the urls in them (measured)."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.fields import IGNORES, Field, choice, set_field, switch, unsigned, word
from vrrp.config.lvs.checkers import CheckerDraft, Surroundings, end_of_connection, take_common
from vrrp.config.lvs.model import Url, WebCheck
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import SECOND_NS

_DIGEST_DIGITS = 32
_STATUS = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)
_LOWEST_STATUS, _HIGHEST_STATUS = 100, 599


def web_checker(block: Block, around: Surroundings) -> CheckerDraft | None:
    """One HTTP_GET or SSL_GET, or None when it has no urls and keepalived drops it, which is reported."""
    draft = CheckerDraft(WebCheck, block.line, {"retry_delay_ns": 3 * SECOND_NS}, connection={})
    draft.own["protocol"] = block.keyword
    assert draft.connection is not None
    urls = []
    for entry in block.body:
        if isinstance(entry, Block):
            found = _url(entry, around.report)
            urls += [found] if found else []
        elif entry.keyword == "nb_get_retry":
            around.report.warning(
                entry.line, "nb_get_retry is deprecated - please use 'retry'", "keepalived takes it for retry"
            )
            set_field(entry, _RETRY, draft.timing, around.report)
        elif not take_common(entry, draft, around):
            set_field(entry, _WEB, draft.own, around.report)
    draft.own["urls"] = tuple(urls)
    if urls:
        end_of_connection(draft.connection, block.end, around)
        return draft
    around.report.error(
        block.end,
        "HTTP/SSL_GET checker has no urls specified - ignoring",
        "keepalived drops the checker; write url { path / } in it",
    )
    return None


def _version(entry: Statement, report: Report) -> str | None:
    if not entry.arguments:
        report.warning(entry.line, "Missing http_protocol version", IGNORES)
        return None
    found = _read_version(entry, report)
    return found if isinstance(found, str) else None


def _url(block: Block, report: Report) -> Url | None:
    fields: dict[str, Any] = {}
    codes: list[tuple[int, int]] = []
    digests: dict[bytes, None] = {}
    options: list[tuple[str, str]] = []
    for entry in block.entries():
        if entry.keyword == "status_code":
            codes += _status_codes(entry, report)
        elif entry.keyword == "digest":
            digest = _digest(entry, digests, report)
            if digest is not None:
                digests[digest] = None
        elif not set_field(entry, _URL, fields, report):
            options.append((entry.keyword, " ".join(entry.arguments)))
    if "path" in fields:
        return Url(
            **fields, status_codes=tuple(codes), digests=tuple(digests), options=tuple(options), line=block.line
        )
    report.error(block.end, "HTTP/SSL_GET checker url has no path - ignoring", "keepalived drops the url")
    return None


def _status_codes(entry: Statement, report: Report) -> list[tuple[int, int]]:
    codes = []
    for text in entry.arguments:
        found = _STATUS.fullmatch(text)
        low = int(found[1]) if found else 0
        high = int(found[2]) if found and found[2] else low
        if _LOWEST_STATUS <= low <= high <= _HIGHEST_STATUS:
            codes.append((low, high))
        else:
            report.warning(entry.line, f"Invalid HTTP_GET status code '{text}'", "keepalived ignores the word")
    return codes


def _digest(entry: Statement, known: Collection[bytes], report: Report) -> bytes | None:
    text = argument(entry, report)
    if text is None:
        return None
    fault = next((at for at, digit in enumerate(text) if digit not in string.hexdigits), None)
    if len(text) != _DIGEST_DIGITS:
        told = f"digest '{text}' character length should be {_DIGEST_DIGITS} rather than {len(text)}"
    elif fault is not None:
        pair = fault // 2 * 2
        told = f"Unable to interpret hex digit in '{text}' at offset {pair}/{pair + 1}"
    elif (digest := bytes.fromhex(text)) in known:
        told = f"Digest '{text}' is a duplicate"
    else:
        return digest
    report.warning(entry.line, told, IGNORES)
    return None


_read_version = choice(("1.0", "1.0C", "1.1"), "Invalid http_protocol version {value}", fold=True)
_RETRY: Mapping[str, Field] = {"nb_get_retry": Field("retries", unsigned("Invalid nb_get_retry value '{value}'"))}
_WEB: Mapping[str, Field] = {
    "enable_sni": Field("enable_sni", switch("Invalid enable_sni parameter {value}")),
    "fast_recovery": Field("fast_recovery", switch("Invalid fast_recovery parameter {value}")),
    "http_protocol": Field("version", _version),
    "virtualhost": Field("virtual_host", word("HTTP_GET virtualhost name missing")),
}
_URL: Mapping[str, Field] = {
    "path": Field("path", word()),
    "virtualhost": Field("virtual_host", word("Missing HTTP_GET virtualhost name")),
}
