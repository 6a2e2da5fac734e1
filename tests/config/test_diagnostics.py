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
    report.done()
    report.warning(6, "what keepalived does not come to", "")
    assert [(one.verdict, one.voice) for one in report.diagnostics()] == [
        (Verdict.CLEAN, Voice.OURS),
        (Verdict.CLEAN, Voice.OURS),
        (Verdict.COMPLAINTS, Voice.LINE),
        (Verdict.COMPLAINTS, Voice.PLAIN),
        (Verdict.SCRIPTS_UNSAFE, Voice.PLAIN),
        (Verdict.CLEAN, Voice.OURS),
    ]


def test_each_process_reads_the_file_again() -> None:
    report = Report("a.conf")
    report.warning(9, "both", "")
    report.done()
    report.end_of_process()
    report.warning(9, "both", "")
    report.refuse(1, "r")
    assert [(one.message, one.voice) for one in report.diagnostics()] == [("r", Voice.PLAIN), ("both", Voice.LINE)]


def test_nobody_sees_what_follows_a_stop() -> None:
    report = Report("a.conf")
    report.warning(8, "an earlier process said it", "")
    report.end_of_process()
    report.warning(7, "after", "")
    report.stop(6, "second stop")
    report.stop(5, "stop")
    report.warning(4, "before", "")
    report.refuse(3, "at the end")
    report.end_of_process()
    report.warning(2, "a later process", "")
    assert [(one.message, one.voice, one.verdict) for one in report.diagnostics()] == [
        ("a later process", Voice.OURS, Verdict.CLEAN),
        ("at the end", Voice.OURS, Verdict.CLEAN),
        ("before", Voice.LINE, Verdict.COMPLAINTS),
        ("stop", Voice.LINE, Verdict.FATAL),
        ("second stop", Voice.OURS, Verdict.CLEAN),
        ("after", Voice.OURS, Verdict.CLEAN),
        ("an earlier process said it", Voice.LINE, Verdict.COMPLAINTS),
    ]
