"""Text to fragments: comments, braces, quotes, @ID, $NAME, ~SEQ, ~LST, placeholders. What is expected was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.confs import fragments
from vrrp.config.diagnostics import Report, Verdict, Voice
from vrrp.config.language import preprocess
from vrrp.config.language.definitions import LONGEST_EXPANSION
from vrrp.config.language.lexer import Kind
from vrrp.config.language.line import order_of
from vrrp.config.language.open_files import LONGEST_LINE


def cut(text: str, config_id: str | None = "main", **environment: str) -> tuple[list[str], list[str]]:
    """Fragments as LINE TEXT, and the diagnostics as SEVERITY LINE MESSAGE."""
    report = Report("f")
    found = fragments(text, report, environment, config_id)
    told = [f"{one.severity.value} {one.line} {one.message}" for one in report.diagnostics()]
    return [f"{one.line} {one.text}" for one in found], told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \t\r\n", []),
        ("a b\n\nc\n", ["1 a b", "3 c"]),
        ("a { b c }\n", ["1 a", "1 {", "1 b c", "1 }"]),
        ("a{b}c {\n}\n", ["1 a", "1 {", "1 b", "1 }", "1 c", "1 {", "2 }"]),
        ('a "{" # }\n', ['1 a "{"']),
        ("a # b\n! c\n #\n", ["1 a"]),
        ("a {# b\n}! c\n", ["1 a", "1 {", "2 }"]),
        ("a\r\nb\r\n", ["1 a", "2 b"]),
    ],
)
def test_fragments(text: str, expected: list[str]) -> None:
    assert cut(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "message", "instead"),
    [
        ("auth_pass P@##D321! x\n", "comment character '#' inside the word 'P@##D321!'", "the password as 'P@'"),
        ("interface et!h0\n", "comment character '!' inside the word 'et!h0'", "the word as 'et'"),
    ],
)
def test_comment_in_a_word(text: str, message: str, instead: str) -> None:
    report = Report("f")
    fragments(text, report)
    (one,) = report.diagnostics()
    assert (one.message, one.voice) == (message, Voice.OURS)
    assert instead in one.instead


@pytest.mark.parametrize(
    ("text", "expected", "told"),
    [
        ('a "b\n', ['1 a "b'], ["error 1 Unterminated quote 'a \"b'", "error 1 Unmatched quote: 'a \"b'"]),
        ('a "b\\"c"\n', ['1 a "b\\"c"'], ['error 1 Unmatched quote: \'a "b\\"c"\'']),
        ('" a\nb\n', ["2 b"], ["error 1 Unterminated quote '\" a'", "error 1 Unmatched quote: '\" a'"]),
        ("a }\n", ["1 a", "1 }"], ["error 1 Extra '}' found"]),
        ("a {\nb {\n", ["1 a", "1 {", "2 b", "2 {"], ["error 2 There are 2 missing '}'s or extra '{'s"]),
        ("ab\0c\nd\n", ["0 ab", "1 d"], ["warning 1 embedded NUL character"]),
        ("\ufeffa\n", ["1 \ufeffa"], ["error 1 the file begins with a byte order mark (BOM)"]),
        ("a\nb }", ["1 a", "1 b", "1 }"], ["error 1 Extra '}' found"]),
    ],
)
def test_what_is_wrong(text: str, expected: list[str], told: list[str]) -> None:
    assert cut(text) == (expected, told)


def test_a_long_line_goes_on_as_another() -> None:
    found, told = cut("a" * LONGEST_LINE + "b # c\nd\n")
    assert found == ["0 " + "a" * LONGEST_LINE, "1 b", "2 d"]
    assert told == [f"warning 1 line of more than {LONGEST_LINE} bytes"]
    assert cut("é" * (LONGEST_LINE // 2) + "\n")[1] == []
    assert cut("é" * (LONGEST_LINE // 2 + 1) + "\n")[1] != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state ${STATE}\n", ["1 state MASTER"]),
        ("a ${STATE}${STATE} b\n", ["1 a MASTERMASTER b"]),
        ('a "${STATE}"\n', ['1 a "MASTER"']),
        ("${BLOCK}\n}\n", ["1 a", "1 {", "1 b", "2 }"]),
        ("${LINES} c\nd\n", ["1 a\nb c", "2 d"]),
        ("# ${NOTHING}\n", []),
        ("a ${_ENV STATE} ${_ENV  LINES}\n", ["1 a MASTER a\nb"]),
        ("$STATE=x\na ${STATE} $STATE\n", ["2 a MASTER x"]),
    ],
)
def test_placeholders_are_filled(text: str, expected: list[str]) -> None:
    assert cut(text, STATE="MASTER", BLOCK="a { b", LINES="a\nb") == (expected, [])


def test_a_placeholder_without_value() -> None:
    report = Report("f")
    found = fragments('a "${B} {" ${C}\n', report)
    assert [one.text for one in found] == ['a "${B} {" $', "{", "C", "}"]
    assert [(one.message, one.instead.endswith("a block"), one.voice) for one in report.diagnostics()] == [
        ("placeholder ${B} has no value", False, Voice.OURS),
        ("placeholder ${C} has no value", True, Voice.OURS),
    ]


def test_what_later_releases_fill() -> None:
    report = Report("f")
    fragments('a "${_ENV HOME}"\n', report)
    (one,) = report.diagnostics()
    assert "keepalived 2.2.7, unlike later releases" in one.instead


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@main a\n@other b\n@^main c\n@^other d\n", ["1 a", "4 d"]),
        ("@main\n@\n@^\n@ e\n@^ f\n", ["5 f"]),
        (" @main g\n@main\th\n@main{ i\n", ["1 g", "2 h"]),
        ("@main @other i\n", ["1 @other i"]),
        ("a { @main b }\nc { @other d }\ne\n", ["1 a", "1 {", "1 b", "1 }", "2 c", "2 {", "3 e"]),
        ("@main $A=1\n@other $A=2\na $A\n", ["3 a 1"]),
        ("$IF=@main\n${IF} foo\n", ["2 foo"]),
        ("$IF=@other\n$IF foo\n", []),
    ],
)
def test_conditions(text: str, expected: list[str]) -> None:
    assert cut(text)[0] == expected


def test_a_condition_without_an_id_to_compare() -> None:
    assert cut("@main a\n@^main b\n", None) == (
        ["2 b"],
        ["note 1 @main asks for the configuration id, which is not given"],
    )


def test_a_condition_out_of_a_definition_is_garbled() -> None:
    assert cut("$IF=@main\n$IF priority 240\n") == (
        ["2 priority 24ity 240"],
        ["warning 2 @main comes out of a definition"],
    )
    assert cut("$IF=@main\n$IF k\n")[0] == ["2 @main k"]
    report = Report("f")
    assert [one.text for one in fragments("$A=@main z\n$A\n", report, config_id="main")] == ["z"]
    (one,) = report.diagnostics()
    assert (one.fatal, one.voice, one.verdict) == (True, Voice.OURS, Verdict.FATAL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A=v\n$A,b\n$A)b\n$A.b\nx$A\tz$A\n", ["2 v,b", "3 v)b", "4 $A.b", "5 xv\tzv"]),
        ("$A=v\nb${A}c {\n}\n", ["2 bvc", "2 {", "3 }"]),
        ("$A= \\\none \\\n two \\\n\n$A\nthree\n", ["5 one", "5 two", "6 three"]),
        ("$A=x \\\ny\n$A\n", ["3 x", "3 y"]),
        ("$A=x \\\n# c\ny \\\nz\n$A\n", ["5 x", "5 y", "5 z"]),
        ("$A= \\\nsingle\nw $A z\n", ["3 w single z"]),
        ("$A= \\\ny \\\nz\nw $A\nw $A v\n", ["4 w y", "4 z", "5 w $A v"]),
        ("$M= \\\n$X=y \\\nc $X\n$M\n", ["4 c y"]),
        ("$B= \\\nb1 \\\nb2\n$A= \\\n$B \\\na2\n$A\n", ["7 b1", "7 b2", "7 a2"]),
        ('$A=a # c\n$A\n$B="x # y"\n$B\n', ["2 a", '4 "x # y"']),
        ("$_HASH\n${_BANG}x\na${_BANG}b\n${_INSTANCE}\n", ["3 a", "4 main"]),
        ("$_HASH=x\na $_HASH\n", ["2 a x"]),
        ("$E=\na${E}b\n$E\n", ["2 ab"]),
    ],
)
def test_definitions(text: str, expected: list[str]) -> None:
    assert cut(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~SEQ(v,1,3) s$v\n", ["1 s1", "1 s2", "1 s3"]),
        (
            "~SEQ(v,1,2) ~SEQ(w,1,2) a${v}${w} { b }\n",
            [f"1 {word}" for row in ("11", "12", "21", "22") for word in (f"a{row}", "{", "b", "}")],
        ),
        ("~SEQ(i,1,2) @main t$i\n~SEQ(i,1,2) @other u$i\n", ["1 t1", "1 t2"]),
        ("@main ~SEQ(i,1,2) s$i\n", ["1 s1", "1 s2"]),
        ("a { ~LST(v,b,c) $v\n}\n", ["1 a", "1 {", "1 b", "1 c", "2 }"]),
        ("~LST({v,w},{1,2},{3,4}) m${v}${w}\n", ["1 m12", "1 m34"]),
        ("~LST(v,1,2) ~SEQ(w,1,2) t${v}_${w}\n", ["1 t1_1", "1 t1_2", "1 t2_1", "1 t2_2"]),
        ("$S=~SEQ(i,1,2)\n$S e${i}\n$S f\n", ["2 e1", "2 e2", "3 ~SEQ(i,1,2) f"]),
        ("$M= \\\n~SEQ(i,1,2) g${i} \\\nh\n~SEQ(j,1,2) $M\n", ["4 g1", "4 g2", "4 h", "4 g1", "4 g2", "4 h"]),
        ("~XYZ ${_HASH}\nfoo ~SEQ(v,1,2)\n", ["1 ~XYZ $", "1 {", "1 _HASH", "1 }", "2 foo ~SEQ(v,1,2)"]),
        ("$N=2\n~SEQ(v,1,$N) y$v\n~SEQ(v,${N}) z$v\n", ["2 y1", "2 y2", "3 z1", "3 z2"]),
    ],
)
def test_repetitions(text: str, expected: list[str]) -> None:
    assert cut(text)[0] == expected


def test_a_repetition_that_is_none() -> None:
    assert cut("~SEQ(v,3,1,1) f\n~LST(v\ng\n") == (
        ["3 g"],
        [
            "error 1 Invalid ~SEQ values '~SEQ(v,3,1,1) f'",
            "error 1 Invalid ~SEQ specification '~SEQ(v,3,1,1) f'",
            "error 2 Invalid ~LST specification '~LST(v'",
        ],
    )


def test_a_line_that_grows_too_long() -> None:
    found, told = cut("$A=${A}x\n$A\nb\n")
    assert found[-1] == "3 b"
    assert told[0] == f"warning 2 with its definitions put in place the line is longer than {LONGEST_EXPANSION} bytes"


@pytest.mark.parametrize(
    "text",
    [
        "$A=$A\n$A\nb\n",
        "$A=$B\n$B=$A\nx $A\nb\n",
        "$A= \\\nx \\\n$A\n$A\nb\n",
        "$A= \\\n$A \\\nx\n$A\nb\n",
        "$A= \\\n~SEQ(i,1,2) $A \\\nx\n$A\nb\n",
    ],
)
def test_what_never_ends(text: str) -> None:
    report = Report("f")
    found = fragments(text, report)
    last = report.diagnostics()[-1]
    assert (last.fatal, last.verdict) == (True, Verdict.FATAL)
    assert all(one.text != "b" for one in found)


def test_what_is_divided_by_zero() -> None:
    report = Report("f")
    assert fragments("${_RANDOM 5 4}\nb\n", report) == ()
    (one,) = report.diagnostics()
    assert one.verdict is Verdict.FATAL


def test_too_many_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "MOST_STEPS", 1000)
    report = Report("f")
    found = fragments("c {\n~SEQ(i,1,999999999) ~SEQ(j,1,999999999) a\nb\n", report)
    assert 900 < len(found) <= 1002
    assert {one.text for one in found[2:]} == {"a"}
    (one,) = report.diagnostics()
    assert one.message == "more than 1000 lines come of repetitions and definitions"
    assert one.voice is Voice.OURS


def test_an_include_without_a_folder() -> None:
    assert cut("include /etc/passwd\na\n") == (["2 a"], ["note 1 include /etc/passwd is not read"])


@given(st.text(st.sampled_from("ab \t\n\r{}#!\"'\\$@~=_0SEQLT(),\0"), max_size=300))
def test_any_text_keeps_its_order(text: str) -> None:
    found = fragments(text, Report("f"), config_id="a")
    numbers = [one.line for one in found]
    assert numbers == sorted(numbers)
    assert all(0 <= number <= text.count("\n") + 1 for number in numbers)
    orders = [order_of(one.line) for one in found]
    assert len(set(orders)) == len(orders)
    assert orders == sorted(orders)
    assert all(one.text for one in found)
    assert {one.kind for one in found} <= set(Kind)
