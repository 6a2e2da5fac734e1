"""What web servers and name servers answer, and whether that will do."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.lvs.model import Url
from vrrp.lvs.dns_query import query, response_code
from vrrp.lvs.http_answer import LONGEST_HEADER, LONGEST_SEARCHED, HttpAnswer, request, unknown_options

HELLO = hashlib.md5(b"hello").digest()
STATUS, DIGEST, REGEX = "HTTP status code", "MD5 digest", "Regex match"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def judge(answer: HttpAnswer) -> tuple[bool, str]:
    search = answer.search
    return answer.judge() if search is None else answer.judge(search.find())


def judged(data: bytes, piece: int = 7, **url: object) -> tuple[bool, str]:
    answer = HttpAnswer(Url(path="/", **url))  # type: ignore[arg-type]  # the tests below name its fields
    for start in range(0, len(data), piece):
        assert answer.feed(data[start : start + piece])
    return judge(answer) if answer.begun else (False, "")


# What keepalived 2.2.7 made of each (recorded).
ANSWERS: tuple[tuple[bytes, dict[str, object], tuple[bool, str]], ...] = (
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", {}, (True, STATUS)),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", {}, (True, STATUS)),
    (b"HTTP/1.1 299 Odd\r\n\r\nhello", {}, (True, STATUS)),
    (b"HTTP/1.1 300 Odd\r\n\r\nhello", {}, (False, STATUS)),
    (b"HTTP/1.1 199 Odd\r\n\r\nhello", {}, (False, STATUS)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", {}, (True, STATUS)),
    (b"ICY 200 OK\r\n\r\nhello", {}, (True, STATUS)),
    (b"HTTP/1.1 \r\n\r\nhello", {}, (False, STATUS)),
    (b"garbage\r\n\r\nhello", {}, (False, STATUS)),
    (b"HTTP/1.1 200 OK\n\nhello", {}, (False, "")),
    (b"HTTP/1.1 200 OK\r\nContent-Le", {}, (False, "")),
    (b"HTTP/1.1 404 No\r\n\r\nno", {"status_codes": ((404, 404),)}, (True, STATUS)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"digests": (bytes(16), HELLO)}, (True, DIGEST)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"digests": (bytes(16),)}, (False, DIGEST)),
    (b"HTTP/1.1 404 No\r\n\r\nno", {"digests": (HELLO,)}, (False, STATUS)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"digests": (HELLO,), "status_codes": ((404, 404),)}, (False, STATUS)),
    (CHUNKED, {}, (True, STATUS)),
    (CHUNKED, {"digests": (HELLO,)}, (False, DIGEST)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"options": (("regex", '"hel+o"'),)}, (True, REGEX)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"options": (("regex", "xyz"),)}, (False, REGEX)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"options": (("regex", "xyz"), ("regex_no_match", ""))}, (True, REGEX)),
    (b"HTTP/1.1 200 OK\r\n\r\nhello", {"options": (("regex", "HEL"), ("regex_options", "caseless"))}, (True, REGEX)),
)


@pytest.mark.parametrize("piece", [1, 7, 4096])
@pytest.mark.parametrize(("data", "url", "found"), ANSWERS)
def test_an_answer(data: bytes, url: dict[str, object], found: tuple[bool, str], piece: int) -> None:
    assert judged(data, piece, **url) == found


SEARCHES: tuple[tuple[bool, dict[str, str]], ...] = (
    (True, {"regex": "ell", "regex_min_offset": "39"}),
    (False, {"regex": "ell", "regex_min_offset": "40"}),
    (False, {"regex": "ell", "regex_max_offset": "38"}),
    (True, {"regex": "ell", "regex_max_offset": "39"}),
    (True, {"regex": "ell", "regex_min_offset": "odd", "regex_max_offset": "9" * 5000}),
    (False, {"regex": "^hello"}),
    (False, {"regex": "hello$"}),
    (False, {"regex": "hello$", "regex_options": "multiline"}),
    (True, {"regex": "Content"}),
    (True, {"regex": "h e l", "regex_options": "extended"}),
    (True, {"regex": "HEL.o", "regex_options": "caseless dotall"}),
)


@pytest.mark.parametrize(("found", "options"), SEARCHES)
def test_where_a_regex_is_looked_for(found: bool, options: dict[str, str]) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert judged(data, options=tuple(options.items())) == (found, REGEX)


@pytest.mark.parametrize("piece", [100, 40000])
def test_a_header_without_end(piece: int) -> None:
    answer = HttpAnswer(Url(path="/"))
    data = b"HTTP/1.1 200 OK\r\nX-A: " + b"y" * 20000 + b"\r\n\r\nhello"
    taken = 0
    while answer.feed(data[taken : taken + piece]):
        taken += piece
    assert taken <= LONGEST_HEADER
    assert not answer.begun


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_any_octets_are_judged_alike_in_any_pieces(pieces: list[bytes], start: bytes) -> None:
    url = Url(path="/", digests=(bytes(16),), options=(("regex", "a.*b"),))
    found = []
    for split in ([start, *pieces], [start + b"".join(pieces)]):
        answer = HttpAnswer(url)
        assert all(answer.feed(one) for one in split)
        found.append((answer.begun, answer.status, judge(answer)))
    assert found[0] == found[1]


def test_a_long_body_is_not_kept() -> None:
    answer = HttpAnswer(Url(path="/", options=(("regex", "end"),)))
    answer.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(20):
        answer.feed(bytes(LONGEST_SEARCHED // 10))
    answer.feed(b"end")
    assert judge(answer) == (False, REGEX)


def test_options_that_are_not_followed() -> None:
    assert unknown_options(Url(path="/", options=(("regex_options", "caseless ungreedy utf"),))) == ("ungreedy", "utf")


def test_a_regex_that_is_none() -> None:
    with pytest.raises(ValueError, match="regex"):
        HttpAnswer(Url(path="/", options=(("regex", "("),)))


def test_requests_are_keepaliveds() -> None:
    assert request("/d", "127.0.0.1:80", "1.0") == (
        b"GET /d HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:80\r\n\r\n"
    )
    assert request("/d", "bar.example", "1.0C") == (
        b"GET /d HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: bar.example\r\n\r\n"
    )
    assert request("/d", "foo.example", "1.1") == (
        b"GET /d HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: foo.example\r\n\r\n"
    )


def test_queries_are_keepaliveds() -> None:
    recorded = "9fb301000001000000000000076578616d706c6503636f6d0000010001"
    assert query(0x9FB3, "example.com", "A").hex() == recorded
    assert query(1, ".", "SOA").endswith(b"\0\0\x06\0\x01")
    with pytest.raises(ValueError, match="63"):
        query(1, "a" * 64, "A")


def test_what_answers_a_query() -> None:
    asked = query(7, "example.com", "A")
    assert response_code(7, asked) is None
    assert response_code(7, asked[:2] + b"\x81\x80" + asked[4:]) == 0
    assert response_code(7, asked[:2] + b"\x81\x83" + asked[4:]) == 3
    assert response_code(8, asked[:2] + b"\x81\x80" + asked[4:]) is None
    assert response_code(7, b"abc") is None
