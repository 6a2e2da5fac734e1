"""Which release has which keyword."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from vrrp.config import KeepalivedConfig, ParsedConfig, parse
from vrrp.config.keyword_versions import RELEASES, is_newer, missing_keywords, release_named

TEXT = """\
vrrp_instance V {
interface eth0
unicast_ttl 3
auth_hmac
}
virtual_server 10.0.0.1 80 {
nat_mask 255.255.255.0
real_server 10.0.0.2 80 {
HTTP_GET {
sni_name x
url {
path unicast_ttl
}
}
}
}
"""


def faults(release: str) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in missing_keywords(parse(TEXT, filename="a.conf"), release)]


def test_what_a_release_lacks() -> None:
    assert faults("2.0.0") == [
        (3, "'unicast_ttl' needs keepalived 2.1.0; 2.0.0 does not have it"),
        (4, "'auth_hmac' needs keepalived 2.4.0; 2.0.0 does not have it"),
        (7, "'nat_mask' is gone since keepalived 1.2.20"),
        (10, "'sni_name' needs a release after 2.4.3; 2.0.0 does not have it"),
    ]
    assert [line for line, _ in faults("1.2.19")] == [3, 4, 10]
    assert [line for line, _ in faults("2.4.3")] == [7, 10]
    (first, *_) = missing_keywords(parse(TEXT, filename="a.conf"), "2.0.0")
    assert str(first) == (
        "a.conf:3: error: 'unicast_ttl' needs keepalived 2.1.0; 2.0.0 does not have it;"
        " keepalived 2.0.0 calls it unknown and ignores the line"
    )


def has_keyword(release: str, word: str) -> bool:
    return not missing_keywords(ParsedConfig(KeepalivedConfig("a.conf"), (), ((1, word),)), release)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2", "2.0.0"),
        ("2.0", "2.0.0"),
        ("2.2.7", "2.2.7"),
        ("v2.4.3", "2.4.3"),
        ("1.2", "1.2.7"),
        ("1.2.20", "1.2.20"),
    ],
)
def test_a_version_names_a_release(text: str, release: str) -> None:
    assert release_named(text) == release


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("2.5", "2.4.3"),
        ("1.2.1", "1.2.7"),
        ("1.1", "1.2.7"),
        ("2.0.99", "2.0.20"),
        ("x", "2.4.3"),
        ("", "2.4.3"),
        ("9" * 99, "2.4.3"),
    ],
)
def test_an_unknown_version_is_told_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"nearest release is {nearest}"):
        release_named(text)


def test_the_table_is_that_of_the_sources(shared: Path) -> None:
    path = shared / "captures" / "_oracle" / "keepalived-keywords-by-version.tsv"
    with path.open(encoding="utf-8") as handle:
        rows = [row[:3] for row in csv.reader(handle, delimiter="\t")][1:]
    assert len(rows) == 365
    for word, first, last in rows:
        newest = RELEASES[-1] if last == "HEAD" else last.removeprefix("v")
        assert has_keyword(newest, word) is (first != "HEAD"), word
        if first not in {"HEAD", "v1.2.7"}:
            since = RELEASES.index(first.removeprefix("v"))
            assert has_keyword(RELEASES[since], word), word
            assert not has_keyword(RELEASES[since - 1], word), word
        if last != "HEAD":
            assert not has_keyword(RELEASES[RELEASES.index(newest) + 1], word), word
        assert is_newer(word) is not has_keyword("2.2.7", word) or last != "HEAD"
