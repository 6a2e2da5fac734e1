"""What a web server answers, read as it comes and never kept: its status, the digest of its body, what it matches.

keepalived's reading (2.2.7, measured): the status is the second word of the first line, whatever the first one is;
lines end with CR LF; a header longer than its buffer is none; the body is all that follows until the server closes,
chunks and all, whatever Content-Length says. A status that is not asked for fails, with a digest, too. A regex is
looked for in the header as well, offsets count from its beginning, and nothing is ever at the end (`$`).
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from vrrp.config.lvs.model import Url
from vrrp.config.values import octets

LONGEST_HEADER = 4096
"""keepalived's buffer (measured: 4049 octets pass, 20029 do not)."""
LONGEST_SEARCHED = 65536
"""Octets of an answer that a regex is looked for in."""
_END = b"\r\n\r\n"
_USUAL = ((200, 299),)
_STATUS = re.compile(rb"[^ \r\n]* +([0-9]{1,3})(?![0-9])")
_BEHIND = b"\0"
"""What follows an answer when it is searched, so that it has no end."""
_OFFSET = re.compile("[0-9]{1,6}", re.ASCII)
_FLAGS = {"caseless": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL, "extended": re.VERBOSE}


class Search(NamedTuple):
    """A regex that is to be looked for in an answer.

    A pattern may backtrack without end over what a server sends: `find` is for a place where that holds up nobody.
    """

    pattern: bytes
    flags: int
    searched: bytes
    start: int

    def find(self) -> int:
        """Where it is found, -1 for nowhere."""
        found = re.compile(self.pattern, self.flags).search(self.searched, self.start)
        return -1 if found is None else found.start()


class HttpAnswer:
    """The answer of one url.

    ValueError for a regex that is none.
    """

    def __init__(self, url: Url) -> None:
        self._url = url
        self._head = bytearray()
        self._digest = hashlib.md5(usedforsecurity=False)
        self._searched = bytearray()
        self.status: int | None = None
        self.begun = False
        options = dict(url.options)
        self._pattern = _pattern(options)
        self._unwanted = "regex_no_match" in options
        self._lowest = _offset(options.get("regex_min_offset"), 0)
        self._highest = _offset(options.get("regex_max_offset"), LONGEST_SEARCHED)

    def feed(self, data: bytes) -> bool:
        """More of it; False where the header is too long to be one."""
        if self._pattern is not None:
            self._searched += data[: LONGEST_SEARCHED - len(self._searched)]
        if self.begun:
            self._digest.update(data)
            return True
        self._head += data
        end = self._head.find(_END)
        if end < 0 or end > LONGEST_HEADER:
            return end < 0 and len(self._head) <= LONGEST_HEADER
        self.begun = True
        found = _STATUS.match(self._head[:end])
        self.status = int(found[1]) if found else None
        self._digest.update(self._head[end + len(_END) :])
        del self._head[end:]
        return True

    @property
    def search(self) -> Search | None:
        """What must be looked for before it can be judged, when it has ended; None for nothing."""
        if self._pattern is None or self._failed:
            return None
        return Search(self._pattern.pattern, self._pattern.flags, bytes(self._searched + _BEHIND), self._lowest)

    def judge(self, found: int = -1) -> tuple[bool, str]:
        """Whether it is what the url should answer, when it has ended, and what was looked at last.

        `found` is what came of `search`.
        """
        if self._failed:
            return False, self._failed
        if self._pattern is not None:
            return (not 0 <= found <= self._highest) is self._unwanted, "Regex match"
        return True, "MD5 digest" if self._url.digests else "HTTP status code"

    @property
    def _failed(self) -> str:
        """What of it is not as it should be; "" while nothing is."""
        codes = self._url.status_codes or _USUAL
        if self.status is None or not any(low <= self.status <= high for low, high in codes):
            return "HTTP status code"
        if self._url.digests and self._digest.digest() not in self._url.digests:
            return "MD5 digest"
        return ""


def unknown_options(url: Url) -> tuple[str, ...]:
    """The regex_options of a url that are not followed here."""
    words = dict(url.options).get("regex_options", "").split()
    return tuple(word for word in words if word not in _FLAGS)


def _offset(text: str | None, otherwise: int) -> int:
    """A number that is none, or lies beyond all that is searched, is as good as the usual one."""
    return int(text) if text and _OFFSET.fullmatch(text) else otherwise


def _pattern(options: dict[str, str]) -> re.Pattern[bytes] | None:
    text = options.get("regex")
    if text is None:
        return None
    flags = 0
    for word in options.get("regex_options", "").split():
        flags |= _FLAGS.get(word, 0)
    try:
        return re.compile(octets(text.strip('"')), flags)
    except re.error as error:
        raise ValueError(f"regex {text!r}: {error}") from error


def request(path: str, host: str, version: str) -> bytes:
    """What is asked: keepalived's own request, octet for octet (2.2.7, measured)."""
    number = version.removesuffix("C")
    close = "" if version == "1.0" else "Connection: close\r\n"
    return octets(f"GET {path} HTTP/{number}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
