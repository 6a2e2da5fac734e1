"""Diagnostics are one line for a person, in the order of the file."""

from __future__ import annotations

import pytest

from vrrp.config.diagnostics import Diagnostic, Report, Severity
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


def test_an_explained_line_has_no_further_complaints() -> None:
    report = Report("a.conf")
    report.warning(3, "before", "")
    report.explain(3, "the reason", "")
    report.error(3, "what follows from it", "")
    report.explain(3, "another reason", "")
    report.error(4, "elsewhere", "")
    assert [one.message for one in report.diagnostics()] == [
        "before",
        "the reason",
        "another reason",
        "elsewhere",
    ]
