"""Words of statements and of commands; the expectations are what keepalived 2.2.7 was measured to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.language.words import shown_command, split_command, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  a\tb  ", ("a", "b")),
        ('"a b"c', ("a b", "c")),
        ('a"b c"', ("a", "b c")),
        ('"a""b"', ("a", "b")),
        ("'a b'", ("'a", "b'")),
        ('"a\'b"', ("a'b",)),
        ('a "b', ("a",)),
        ('a"b', ("a",)),
        ('"a\\"', ("a\\",)),
        ('x ""', ("x", "")),
        ("a\\ b", ("a\\", "b")),
    ],
)
def test_statement(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("script /bin/true a", ("script", "/bin/true", "a")),
        ('script "/bin/true a b"', ("script", "/bin/true a b")),
        ("script '/bin/true a'", ("script", "/bin/true a")),
        ('script /bin/"true a" root', ("script", "/bin/true a", "root")),
        ("\"/bin/true a 'b c' d\" ", ("/bin/true a 'b c' d",)),
        ("/bin/true\\ a", ("/bin/true a",)),
        ("x ''", ("x", "")),
        (r"\x41\102\t\q\"\\", ('AB\tq"\\',)),
        (r"\a\b\E\f\n\r\v\cA", ("\a\b\x1b\f\n\r\v\x01",)),
        (r"\x", ("x",)),
        (r"\x1234\777", ("4\xff",)),
        ("\\'a'", ("'a",)),
        ("a '", ("a", "")),
        ("'a\\t", ("a\t",)),
        (r'"a\"b"', ('a"b',)),
    ],
)
def test_command(text: str, words: tuple[str, ...]) -> None:
    assert split_command(text) == (words, None)


@pytest.mark.parametrize(
    ("text", "quote"), [('a "b', '"'), ("a 'b\"", "'"), ('"a\\"b', '"'), ("a\\", "\\"), ("'a\\", "\\")]
)
def test_command_with_an_open_quote(text: str, quote: str) -> None:
    assert split_command(text) == ((), quote)


@given(st.lists(st.text(st.characters(exclude_characters='"', exclude_categories=("Cc", "Cs")))))
def test_quoted_words_come_back(words: list[str]) -> None:
    assert split_words(" ".join(f'"{word}"' for word in words)) == tuple(words)


@given(st.lists(st.text(st.characters(exclude_characters="'\\"))))
def test_quoted_command_words_come_back(words: list[str]) -> None:
    assert split_command(" ".join(f"'{word}'" for word in words)) == (tuple(words), None)


@pytest.mark.parametrize(
    ("command", "shown"),
    [("/bin/a", "'/bin/a'"), ("a  'b c' d", "'a' 'b c' 'd'"), ("</dev/tcp/1/2", "</dev/tcp/1/2"), ("", "")],
)
def test_commands_are_shown_in_words(command: str, shown: str) -> None:
    assert shown_command(command) == shown
