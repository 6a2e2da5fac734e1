"""Diagnostics are one line for a person, in the order of the file."""

from __future__ import annotations

import pytest

from vrrp.config.diagnostics import Diagnostic, Report, Severity, Verdict, Voice
from vrrp.words import printable


def test_a_diagnostic_is_one_line() -> None:
    one = Diagnostic("a.conf", 7, Severity.WARNING, "unknown state 'SLAVE'", "defaults to BACKUP")
    assert str(one) == "a.conf:7: warning: unknown state 'SLAVE'; defaults to BACKUP"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ("two\nlines", "two\\nlines"),
        ("\ufeffmark", "\\ufeffmark"),
        ("\udc80byte", "\\udc80byte"),
        ("x" * 500, "x" * 400 + "..."),
    ],
)
def test_everything_can_be_printed(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode("utf-8")


def test_the_order_is_the_files() -> None:
    report = Report("a.conf")
    report.note(9, "n", "")
    report.error(2, "e", "")
    report.refuse(5, "r")
    report.warning(2, "w", "")
    assert [(one.line, one.message, one.fatal) for one in report.diagnostics()] == [
        (2, "e", False),
        (2, "w", False),
        (5, "r", True),
        (9, "n", False),
    ]


def test_the_verdict_of_each() -> None:
    report = Report("a.conf")
    report.note(1, "n", "")
    report.warning(2, "ours", "", Voice.OURS)
    report.error(3, "e", "")
    report.refuse(4, "r")
    report.unsafe(5, "u", "")
    report.stop(6, "s")
    report.done()
    report.stop(7, "nobody but us sees it")
    assert [(one.verdict, one.voice) for one in report.diagnostics()] == [
        (Verdict.CLEAN, Voice.OURS),
        (Verdict.CLEAN, Voice.OURS),
        (Verdict.COMPLAINTS, Voice.LINE),
        (Verdict.COMPLAINTS, Voice.PLAIN),
        (Verdict.SCRIPTS_UNSAFE, Voice.PLAIN),
        (Verdict.FATAL, Voice.LINE),
        (Verdict.CLEAN, Voice.OURS),
    ]
