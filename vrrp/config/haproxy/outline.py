"""haproxy.cfg, as far as it meets VRRP: sections, their lines, binds and servers.

A keyword that nobody asks for is kept as words; HAProxy 2.6 itself judges the rest (`haproxy -c`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_SECTION = re.compile(
    "backend|cache|crt-store|defaults|dynamic-update|fcgi-app|frontend|global|http-errors|listen|log-forward|"
    "log-profile|mailers|peers|program|resolvers|ring|traces|userlist"
)
_PROXIES = frozenset({"backend", "defaults", "frontend", "listen"})

# A word: quoted pieces, escaped characters and others, as they join.
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\#])+|(\#).*""", re.DOTALL)
_PIECE = re.compile(r""""((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)|([^"'\\]+|\\)""", re.DOTALL)
_ADDRESS = re.compile(r"(?:ipv4@|ipv6@)?(.*?)(?::(\$\{?\w+\}?|\d+(?:-\d+)?))?")


@dataclass(frozen=True, slots=True)
class HaproxyLine:
    """One line: its words without quotes."""

    line: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """Where a proxy listens: `address` "" is all, `ports` (first, last) or None when they are no numbers."""

    line: int
    address: str
    ports: tuple[int, int] | None
    options: tuple[str, ...]

    def has(self, port: int) -> bool:
        """Whether the port is one of its own."""
        return self.ports is not None and self.ports[0] <= port <= self.ports[1]


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a proxy: `port` is None when it is not given or no number."""

    line: int
    name: str
    address: str
    port: int | None
    options: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One section. `defaults` is the section whose lines hold where it has none of its own."""

    kind: str
    name: str
    line: int
    lines: tuple[HaproxyLine, ...]
    defaults: Section | None = None

    def own(self, *words: str) -> list[HaproxyLine]:
        """This section's lines that begin with these words."""
        return [one for one in self.lines if one.words[: len(words)] == words]

    def find(self, *words: str) -> HaproxyLine | None:
        """The last line that begins with these words, here or else in the defaults; None when `no` comes after it."""
        for one in reversed(self.lines):
            if one.words[: len(words)] == words:
                return one
            if one.words[: len(words) + 1] == ("no", *words):
                return None
        return self.defaults.find(*words) if self.defaults else None

    @property
    def mode(self) -> str:
        """`tcp`, if nothing else is said."""
        line = self.find("mode")
        return line.words[1] if line and len(line.words) > 1 else "tcp"

    @cached_property
    def binds(self) -> tuple[Bind, ...]:
        """Every address that a bind line names, each by itself."""
        return tuple(self._binds())

    def _binds(self) -> Iterator[Bind]:
        for one in self.own("bind"):
            for text in one.words[1].split(",") if len(one.words) > 1 else ():
                address, port = split_address(text)
                first, _, last = port.partition("-")
                ports = (int(first), int(last or first)) if first.isdecimal() else None
                yield Bind(
                    one.line, "" if address in {"*", "0.0.0.0", "::", "[::]"} else address, ports, one.words[2:]
                )

    @cached_property
    def servers(self) -> tuple[Server, ...]:
        """Its servers."""
        return tuple(self._servers())

    def _servers(self) -> Iterator[Server]:
        given = self.find("default-server")
        defaults = given.words[1:] if given else ()
        for one in self.own("server"):
            if len(one.words) < 3:
                continue
            address, port = split_address(one.words[2])
            number = int(port) if port.isdecimal() else None
            options = (*one.words[3:], *(word for word in defaults if f"no-{word}" not in one.words))
            yield Server(one.line, one.words[1], address, number, options)


@dataclass(frozen=True)
class HaproxyConfig:
    """A whole file. Lines before the first section are left out."""

    file: str
    sections: tuple[Section, ...]

    def kinds(self, *kinds: str) -> list[Section]:
        """The sections of these kinds."""
        return [one for one in self.sections if one.kind in kinds]

    def backend(self, name: str) -> Section | None:
        """The backend, or the listen section, of this name."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Section]:
        # Of several of one name the first.
        return {one.name: one for one in reversed(self.kinds("backend", "listen"))}


def split_address(text: str) -> tuple[str, str]:
    """An address and its port, "" where there is none, as they stand in `bind` and `server`."""
    found = _ADDRESS.fullmatch(text)
    assert found is not None  # the pattern takes any text without a line's end
    address = found[1]
    return address.removeprefix("[").removesuffix("]"), found[2] or ""


def words_of(line: str) -> tuple[str, ...]:
    """The words of a line, without quotes and comment."""
    words = []
    for found in _WORD.finditer(line):
        if found[1]:
            break
        pieces = _PIECE.findall(found[0])
        words.append("".join("".join(piece) for piece in pieces))
    return tuple(words)


def parse_haproxy(text: str, *, filename: str = "<string>") -> HaproxyConfig:
    """Read a haproxy.cfg. No text makes it raise; time is in proportion to the text."""
    sections: list[Section] = []
    head: tuple[str, str, int] | None = None
    lines: list[HaproxyLine] = []
    defaults: dict[str, Section] = {}
    latest: Section | None = None

    def close() -> None:
        nonlocal latest
        if head is None:
            return
        kind, name, line = head
        named, _, base = name.partition(" from ")
        inherited = (defaults.get(base) if base else latest) if kind in _PROXIES else None
        section = Section(kind, named, line, tuple(lines), inherited if kind != "defaults" or base else None)
        sections.append(section)
        if kind == "defaults":
            latest = section
            defaults[named] = section

    for number, content in enumerate(text.split("\n"), start=1):
        words = words_of(content.rstrip("\r"))
        if not words:
            continue
        if _SECTION.fullmatch(words[0]):
            close()
            head, lines = (words[0], _name(words[1:]), number), []
        else:
            lines.append(HaproxyLine(number, words))
    close()
    return HaproxyConfig(filename, tuple(sections))


def _name(words: tuple[str, ...]) -> str:
    """The section's name, and what it takes its defaults from."""
    if "from" in words[:-1]:
        position = words.index("from")
        return f"{words[0] if position else ''} from {words[position + 1]}"
    return words[0] if words else ""
