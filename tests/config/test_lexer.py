"""Text to fragments: comments, braces, quotes, placeholders, lines that are not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.diagnostics import Report
from vrrp.config.lexer import LONGEST_LINE, Kind, Lexer


def cut(text: str, **environment: str) -> tuple[list[str], list[str]]:
    """Fragments as LINE TEXT, and the diagnostics as SEVERITY LINE MESSAGE."""
    report = Report("f")
    fragments = Lexer(text, report, environment).fragments()
    told = [f"{one.severity.value} {one.line} {one.message}" for one in report.diagnostics()]
    return [f"{one.line} {one.text}" for one in fragments], told


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", []),
        ("\n \t\r\n", []),
        ("a b\n\nc", ["1 a b", "3 c"]),
        ("a { b c }", ["1 a", "1 {", "1 b c", "1 }"]),
        ("a{b}c", ["1 a", "1 {", "1 b", "1 }", "1 c"]),
        ('a "{" # }', ['1 a "{"']),
        ("a # b\n! c\n #", ["1 a"]),
        ('a "#b!" c', ['1 a "#b!" c']),
        ("a {# b\n}! c", ["1 a", "1 {", "2 }"]),
        ('a "b"# c', ['1 a "b"']),
    ],
)
def test_fragments(text: str, fragments: list[str]) -> None:
    assert cut(text) == (fragments, [])


def test_a_brace_in_quotes_is_a_word() -> None:
    fragments = Lexer('"{" }', Report("f"), {}).fragments()
    assert [one.kind for one in fragments] == [Kind.WORDS, Kind.CLOSE]


@pytest.mark.parametrize(
    ("text", "message", "instead"),
    [
        ("auth_pass P@##D321! x", "comment character '#' inside the word 'P@##D321!'", "the password as 'P@'"),
        ("interface et!h0", "comment character '!' inside the word 'et!h0'", "the word as 'et'"),
    ],
)
def test_comment_in_a_word(text: str, message: str, instead: str) -> None:
    report = Report("f")
    Lexer(text, report, {}).fragments()
    (one,) = report.diagnostics()
    assert one.message == message
    assert instead in one.instead


@pytest.mark.parametrize(
    ("text", "fragments", "told"),
    [
        ('a "b', ['1 a "b'], ["error 1 Unterminated quote 'a \"b'"]),
        ('a "b\\" c', ['1 a "b\\" c'], ["error 1 Unterminated quote 'a \"b\\\" c'"]),
        ('a "b\\', ['1 a "b\\'], ["error 1 Unterminated quote 'a \"b\\'"]),
        ('a "b\\"c"', ['1 a "b\\"c"'], ['warning 1 Unmatched quote: \'a "b\\"c"\'']),
        ("a }", ["1 a", "1 }"], ["error 1 Extra '}' found"]),
        ("a {\nb {", ["1 a", "1 {", "2 b", "2 {"], ["error 2 There are 2 missing '}'s or extra '{'s"]),
        ("ab\0c\nd", ["1 ab", "2 d"], ["warning 1 embedded NUL character"]),
        ("\ufeffa", ["1 \ufeffa"], ["error 1 the file begins with a byte order mark (BOM)"]),
    ],
)
def test_what_is_wrong(text: str, fragments: list[str], told: list[str]) -> None:
    assert cut(text) == (fragments, told)


def test_a_long_line_goes_on_as_another() -> None:
    fragments, told = cut("a" * LONGEST_LINE + "b # c")
    assert fragments == ["1 " + "a" * LONGEST_LINE, "1 b"]
    assert told == [f"warning 1 line of {LONGEST_LINE + 5} characters"]
    assert cut("a" * LONGEST_LINE + "\r\n") == (["1 " + "a" * LONGEST_LINE], [])


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("state ${STATE}", ["1 state MASTER"]),
        ("a ${STATE}${STATE} b", ["1 a MASTERMASTER b"]),
        ('a "${STATE}"', ['1 a "MASTER"']),
        ("${BLOCK}\n}", ["1 a", "1 {", "1 b", "2 }"]),
        ("${LINES} c\nd", ["1 a\nb c", "2 d"]),
        ("# ${NOTHING}", []),
    ],
)
def test_placeholders_are_filled(text: str, fragments: list[str]) -> None:
    assert cut(text, STATE="MASTER", BLOCK="a { b", LINES="a\nb") == (fragments, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "state ${STATE} ${X}",
            ["error 1 placeholder ${STATE} has no value", "error 1 placeholder ${X} has no value"],
        ),
        ('a "${STATE} {"', ["warning 1 placeholder ${STATE} has no value"]),
        (
            "a ${_PWD} ${_RANDOM 1 5}",
            ["note 1 ${_PWD} is not read by this version", "note 1 ${_RANDOM 1 5} is not read by this version"],
        ),
    ],
)
def test_placeholders_without_value(text: str, told: list[str]) -> None:
    assert cut(text) == ([f"1 {text}"], told)


def test_what_is_no_placeholder() -> None:
    assert cut("a $b ${ ${}")[0] == ["1 a $b $", "1 {", "1 $", "1 {", "1 }"]


@pytest.mark.parametrize(
    ("text", "fragments", "told"),
    [
        ("include a/*.conf\nb", ["2 b"], ["note 1 include of another file is not read by this version"]),
        (" includea x", [], ["note 1 includea of another file is not read by this version"]),
        ("@main state MASTER\nb", ["2 b"], ["note 1 condition @main is not read by this version"]),
        ("@^main a {\nb { c }\n}\nd", ["4 d"], ["note 1 condition @^main is not read by this version"]),
        ("@main }\nd", ["2 d"], ["note 1 condition @main is not read by this version"]),
        ("$A=5\nb $A", ["2 b $A"], ["note 1 definition of $A is not read by this version"]),
        ("$A= \\\n one \\\n two\nb", ["4 b"], ["note 1 definition of $A is not read by this version"]),
        ("a ~SEQ(x, 1, 2) b\nc", ["2 c"], ["note 1 repetition ~SEQ is not read by this version"]),
        ("includes x", ["1 includes x"], []),
        ("# include x", [], []),
        ("a # ~LST(x)", ["1 a"], []),
    ],
)
def test_lines_that_are_not_read(text: str, fragments: list[str], told: list[str]) -> None:
    assert cut(text) == (fragments, told)


@given(st.text(st.sampled_from("ab \t\n\r{}#!\"'\\$@~=_0SEQ(\0"), max_size=300))
def test_any_text_keeps_its_order(text: str) -> None:
    fragments = Lexer(text, Report("f"), {}).fragments()
    numbers = [one.line for one in fragments]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= text.count("\n") + 1 for number in numbers)
    assert all(one.text for one in fragments)
