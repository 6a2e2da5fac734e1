"""A line without its comment, and where its braces are, as keepalived 2.2.7 was measured to read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.language.lexer import Code, Kind, first_brace, kind_of, without_comment


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", Code("")),
        (" \ta b\t ", Code("a b")),
        ("a # b", Code("a", 2)),
        ("! c", Code("", 0)),
        ('a "#b!" c', Code('a "#b!" c')),
        ('a "b"# c', Code('a "b"', 5)),
        ('a # "c', Code("a", 2)),
        ("a\\#b c", Code("a#b c")),
        ("a\\!b # c", Code("a!b", 5)),
        ('"a\\#b"', Code('"a\\#b"')),
        ('"a\\"#b"', Code('"a\\"#b"')),
        ("a \\", Code("a\\")),
        ("a # b \\", Code("a\\", 2)),
        ("# b \\", Code("\\", 0)),
        ("a \\ ", Code("a \\")),
        ('a "b', Code('a "b', -1, 'a "b')),
        ('a "b # c \\', Code('a "b # c\\', -1, 'a "b # c ')),
    ],
)
def test_comments(line: str, code: Code) -> None:
    assert without_comment(line) == code


@pytest.mark.parametrize(
    ("text", "position"),
    [("a", -1), ("a {", 2), ("}", 0), ('"{" }', 4), ('a "{', -1), ('"a\\" {" }', 5), ('"" "}" {', 7)],
)
def test_braces(text: str, position: int) -> None:
    assert first_brace(text) == position


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", Kind.OPEN),
        ("}", Kind.CLOSE),
        ("a b", Kind.WORDS),
        ('"{" a', Kind.OPEN),
        ('"}"', Kind.CLOSE),
        ('"a" "{"', Kind.WORDS),
        ('""', Kind.WORDS),
        ('" a', None),
    ],
)
def test_kinds(text: str, kind: Kind | None) -> None:
    assert kind_of(text) is kind


@given(st.text(st.sampled_from('ab \t#!"\\{}$'), max_size=40))
def test_what_has_no_comment_stays(line: str) -> None:
    code = without_comment(line)
    assert len(code.text) <= len(line)
    if not set(line) & set('#!"\\'):
        assert code == Code(line.strip(" \t"))
