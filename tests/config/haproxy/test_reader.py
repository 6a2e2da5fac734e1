"""The file as a whole: sections, directives, variables, what ends the reading, and text that means no good."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.haproxy.oracle import of_haproxy, of_us
from config.haproxy.test_lines import CASES
from vrrp.config.diagnostics import Severity
from vrrp.config.haproxy import load_haproxy, read_haproxy
from vrrp.config.haproxy.lexer import split

VARIABLES = {"A": "va", "B": "x y", "E": "", "Q": "a'b \"c# \\n"}


def codes(text: str, **more: dict[str, str]) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in read_haproxy(text, **more).diagnostics]  # type: ignore[arg-type]  # as given


# What `.notice` printed of each.
@pytest.mark.parametrize(
    ("line", "word"),
    [
        (r"a\ b", "a b"),
        (r"a\tb", "a\tb"),
        (r"a\qb", r"a\qb"),
        (r'"a\qb"', r"a\qb"),
        (r"'a\qb'", r"a\qb"),
        (r'"a\$b"', "a$b"),
        (r"a\$b", r"a\$b"),
        ("""a"b c"d'e f'g""", "ab cde fg"),
        (r"\x41\x42", "AB"),
        ('"$A"', "va"),
        ('"${A}b"', "vab"),
        ('"${NONE-d e}"', "d e"),
        ('"${A-d}"', "va"),
        ('"${E-d}"', ""),
        ("$A", "$A"),
        ("'$A'", "$A"),
        ('"${Q}"', "a'b \"c# \\n"),
        ("a#b", "a"),
        ('"a#b"', "a#b"),
        (r"a\#b", "a#b"),
        ('"${B-D}}"', "x y}"),
        ("abc\\", "abc\\"),
        (r"'a\'b", r"a\b"),
        (r'"\"x"', '"x'),
        ('""', ""),
    ],
)
def test_a_word(line: str, word: str) -> None:
    assert split(line, VARIABLES).words == (word,)


def test_a_variable_of_several_words() -> None:
    assert split('a"${B[*]}"b "${E[*]}" "${NONE[*]-p}"', VARIABLES).words == ("ax", "yb", "", "p")
    assert split('"${NONE[*]-p q}"', VARIABLES).error


@pytest.mark.parametrize(
    "line", ['"a', "'a", r'"\x4"', r"\xg1", '"$"', '"$1"', '"${}"', '"${A"', '"${A:-d}"', '"${A.B}"', "a " * 65]
)
def test_a_line_that_cannot_be_read(line: str) -> None:
    assert split(line, VARIABLES).error
    assert codes(f"global\n {line}\n")[0] == (2, "unreadable-line")


def test_as_many_words_as_there_may_be() -> None:
    assert len(split("a " * 64, {}).words) == 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo\n", [(1, "out-of-section")]),
        ("listen\nfoo\n", [(1, "missing-argument")]),
        ("global x\n", [(1, "extra-argument")]),
        ("listen a\nlisten a\n", [(2, "duplicate-name")]),
        ("frontend a\nbackend b\nlisten a\n", [(3, "duplicate-name")]),
        ("listen a from b\n", [(1, "unknown-defaults")]),
        ("listen a!\n foo\n", [(1, "bad-name"), (2, "unknown-keyword")]),
        ("listen a :80\n foo\n", [(1, "extra-argument"), (2, "out-of-section")]),
        ("no maxconn 5\n", [(1, "no-negation"), (1, "out-of-section")]),
        ("no\n", [(1, "no-negation"), (1, "unknown-keyword")]),
        ("peers\n", [(1, "missing-argument")]),
        ("userlist u x\n", [(1, "extra-argument")]),
        ("# x", [(1, "truncated")]),
        ("global\n\0x\nfoo\n", [(2, "truncated")]),
        (
            "global\n maxconn 1\n maxconn 2\n uid 1\n user x\n",
            [(0, "no-listener"), (3, "already-set"), (5, "already-set")],
        ),
        ("global\n nbproc 2\n", [(2, "abolished")]),
        ("global\n zero-warning\nfrontend f\n bind :80\n", [(0, "zero-warning"), (3, "missing-timeouts")]),
        ("defaults a\nbackend x\nbackend y from a\n", [(0, "no-listener"), (3, "unknown-defaults")]),
        ("defaults a\ndefaults a\nbackend y from a\n", [(3, "unknown-defaults")]),
        ("global\n" + " foo\n" * 60, [*((line, "unknown-keyword") for line in range(2, 52)), (52, "too-many-errors")]),
    ],
)
def test_sections(text: str, expected: list[tuple[int, str]]) -> None:
    assert codes(text) == expected


def test_an_alert_that_is_no_error() -> None:
    parsed = read_haproxy("defaults a\nbackend x\nbackend y from a\n")
    (one,) = (one for one in parsed.diagnostics if one.severity is Severity.ERROR)
    assert (one.fatal, parsed.valid, parsed.exit_status) == (False, True, 2)


# Whether the first of two lines is read.
@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ("", False),
        ("1", True),
        ("0", False),
        ("-1", True),
        ("0x0", False),
        ("(1)", True),
        ("!1", False),
        ("!!1", True),
        ("1 && 0", False),
        ("1&&1", True),
        ("0 || 1", True),
        ("defined(A)", True),
        ("!defined(NONE)", True),
        ("feature(OPENSSL)", True),
        ("feature(X)", False),
        ("enabled(EPOLL)", True),
        ("streq(a,a)", True),
        ("strneq(a,b)", True),
        ("streq(a,b) || (strneq(a, b) && version_atleast(2.6))", True),
        ("version_before(2.6)", False),
        ("version_atleast(2.6.12-1)", True),
        ("openssl_version_atleast(1.1.1)", True),
        ("openssl_version_before(1.1.1)", False),
        ("ssllib_name_startswith(Open)", True),
        ('"defined(A)"', True),
    ],
)
def test_a_condition(condition: str, taken: bool) -> None:
    text = f".if {condition}\nfoo\n.else\nbar x\n.endif\n"
    assert [one.line for one in read_haproxy(text, environment=VARIABLES).diagnostics] == [2 if taken else 4]


@pytest.mark.parametrize(
    "text",
    [
        *(
            f".if {bad}\n.endif\n"
            for bad in ("foo", "foo(a)", "1x", "(1", "defined(", "defined(a,b)", "streq(a)", "1 &&")
        ),
        *(f".if {bad}\n.endif\n" for bad in ("1 2", "()", "enabled(foo)", "1.5", "(" * 70 + "1" + ")" * 70)),
        *(".else\n", ".endif\n", ".elif 1\n", ".else x\n", ".foo\n", ".if 1\n.else x\n.endif\n", ".notice a b\n"),
        *(
            ".if 1\n.else\n.else\n.endif\n",
            ".if 1\n.else\n.elif 1\n.endif\n",
            ".if 1\n.endif x\n",
            ".if 1\n",
            ".alert x\n",
        ),
    ],
)
def test_a_directive_that_is_refused(text: str) -> None:
    assert read_haproxy(text).exit_status == 1


def test_which_lines_are_read() -> None:
    text = (
        ".if 0\n foo\n.if foo\n foo\n.endif\n.elif 1\n.notice hi\n.warning w\n.if 1\n.else\n foo\n.endif\n.elif 1\n"
        ' foo\n.else\n foo\n.endif\nglobal\n.diag d\n.if 0\n foo "\n.endif\n'
    )
    assert codes(text) == [(8, "directive"), (21, "unreadable-line")]


def test_variables() -> None:
    text = (
        'global\n setenv X 80\n presetenv X 81\n presetenv Y 82\n unsetenv V\nfrontend f\n bind "*:${X}"\n'
        ' bind ":$Y"\n bind ":${Z-83}"\n bind ":84${W}"\n'
    )
    parsed = read_haproxy(text, environment={"Z": "1"})
    assert [one.port for one in parsed.model.frontends[0].binds] == [80, 82, 1, 84]
    assert [one.line for one in parsed.diagnostics if one.code == "unset-variable"] == [10]
    assert not read_haproxy('global\n resetenv A\nlisten a\n bind ":$B"\n', environment={"A": "1", "B": "2"}).valid
    assert read_haproxy('global\n resetenv A\nlisten a\n bind ":$A"\n', environment={"A": "1", "B": "2"}).valid


@pytest.mark.program("haproxy")
def test_the_files_of_these_tests_beside_haproxy(tmp_path: Path) -> None:
    texts = [
        "defaults a\ndefaults a\nbackend y from a\n",
        "listen a\n bind :80\n foo",
        ".if 0\n foo\n.elif 1\n.warning w\n.endif\nlisten a\n bind :80\n.if",
        'global\n setenv X 80\nlisten a\n bind "*:${X}"\n bind ":${Y-81}"\n',
        "global\n stats socket /tmp/x level admin\nbackend b\n server s 10.0.0.1:1 track c/t\n"
        "backend c\n server t 10.0.0.1:2\n",
        "backend b\n option httpchk\n http-check connect\n http-check connect\n http-check expect status 200\n",
    ]
    for number, text in enumerate(texts):
        file = tmp_path / f"{number}.cfg"
        file.write_text(text)
        assert of_us(file) == of_haproxy(file), (text, of_us(file).texts, of_haproxy(file).texts)


def test_loading(tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_bytes(b'listen a\n bind ":$P"\n # \xff\n')
    parsed = load_haproxy(file, environment={"P": "80"})
    assert (parsed.file, parsed.model.frontends[0].binds[0].port, parsed.valid) == (str(file), 80, True)
    with pytest.raises(OSError, match="No such file"):
        load_haproxy(tmp_path / "none.cfg")


def test_names_that_are_not_looked_up() -> None:
    text = "backend b\n server s web.example:80\n server t web.example:80 init-addr none\n server u a..b/c:80\n"
    found = {(one.line, one.code) for one in read_haproxy(text).diagnostics}
    assert {(2, "name-not-looked-up"), (4, "unresolved"), (0, "unresolved")} <= found
    assert not [line for line, _ in found if line == 3]


WORDS = sorted({word for case in CASES for word in case.line.split()})
LINE = st.lists(
    st.sampled_from([*WORDS, "listen", "defaults", "backend", "global", "from", "no", ".if", ".endif", '"']),
    max_size=9,
)


@given(st.lists(LINE, max_size=12))
@example([["listen", "a"], ["server", "s", "[", "source"]])
def test_no_mixture_of_words_makes_it_raise(lines: list[list[str]]) -> None:
    read_haproxy("listen l\n" + "".join(" ".join(line) + "\n" for line in lines))


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    read_haproxy(text)
    read_haproxy(f"listen l\n server s {text}\n bind {text}\n http-check expect {text}\n acl a {text}\n log {text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "defaults\n" + " option httpchk\n http-check send hdr a b\n" * 5_000 + "backend b{}\n" * 5_000,
        "defaults\n" + " stats scope x\n errorfiles y\n log 127.0.0.1 local0\n" * 5_000 + "listen b{}\n" * 5_000,
        "backend b\n" + " server s{} 10.0.0.1:80 track s{}1\n" * 15_000,
        "backend b\n" + " server s{} 10.0.0.1:80 id 7\n" * 15_000,
        "frontend f\n" + " bind :1-65535\n" * 1_000,
        "backend b\n" + " server-template x 1-999999 10.0.0.1:80\n" * 3,
        "listen l\n acl a path /" + "a" * 1_000_000 + "\n",
        "listen l\n log-format " + "%[src]" * 100_000 + "\n",
        "global\n log-tag " + '"$A' * 300_000 + "\n",
        ".if " + "!" * 300_000 + "1\n",
        ".if 1\n" * 100_000,
        "backend x{}\n id 9\n" * 10_000,
    ],
)
def test_time_is_in_proportion_to_the_text(text: str) -> None:
    lines = (line.replace("{}", str(number)) for number, line in enumerate(text.split("\n")))
    began = time.process_time()
    read_haproxy("\n".join(lines))
    assert time.process_time() - began < 20
