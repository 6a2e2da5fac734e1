"""What may stand behind a keyword of a `server` or `bind` line, and what it sets. Data for the tables of keywords."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.addresses import Resolver, endpoint
from vrrp.config.haproxy.diagnostics import Complaints, RefusedError
from vrrp.config.haproxy.values import INT_MAX, duration, forgiving

FileExists = Callable[[str], bool]
Setting = bool | int | str | None | tuple[object, ...] | object


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a line can be held against.

    Attributes:
        complaints: takes the diagnostics.
        resolve: looks names up; None when nobody can.
        exists: whether a file is there; None when nobody looks.
    """

    complaints: Complaints
    resolve: Resolver | None = None
    exists: FileExists | None = None

    def need_file(self, path: str, what: str) -> None:
        """A file has to be there.

        Raises:
            RefusedError: somebody looked, and it is not.
        """
        if self.exists is not None and not self.exists(path):
            raise RefusedError("missing-file", f"{what}: there is no file {path}")

    def duration_ns(self, line: int, text: str, what: str, unit: str = "ms") -> int:
        """A duration; what stands behind it is warned of.

        Raises:
            RefusedError: it is none.
        """
        ns, tail = duration(text, what, unit)
        if tail:
            self.complaints.warning(
                line, "bad-value", f"{what}: {tail!r} behind the duration {text} is not read", "", Voice.PLAIN
            )
        return ns


@dataclass(frozen=True, slots=True)
class Flag:
    """Sets `name` to `value` by being there; `more` words behind it are not looked at."""

    name: str = ""
    value: Setting = True
    more: int = 0

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, from `low` to `high`; `needed`: whether HAProxy misses it; `exact`: strictly."""

    name: str = ""
    low: int = -INT_MAX - 1
    high: int = INT_MAX
    needed: bool = True
    exact: bool = False
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The number."""
        text = _word(keyword, words, at, "a whole number") if self.needed else _or_nothing(words, at)
        number = forgiving(text)
        if self.exact and not text.lstrip("+-").isdecimal():
            raise RefusedError("bad-value", f"{keyword}: {text!r} is not a whole number")
        if not self.low <= number <= self.high:
            above = f"at least {self.low}" if self.high == INT_MAX else f"{self.low} to {self.high}"
            raise RefusedError("bad-value", f"{keyword} {text} is out of range", f"it may be {above}")
        return number


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration, in ns; `zero`: whether it may be 0."""

    name: str = ""
    zero: bool = True
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The duration."""
        text = _word(keyword, words, at, "a duration such as 5s")
        ns = around.duration_ns(line, text, keyword)
        if not ns and not self.zero:
            raise RefusedError("bad-value", f"{keyword} {text}: 0 is no pause")
        return ns


@dataclass(frozen=True, slots=True)
class Word:
    """Any word."""

    name: str = ""
    needed: bool = True
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The word."""
        return _word(keyword, words, at, "a word") if self.needed else _or_nothing(words, at)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words; `separated`: several, with this between them."""

    choices: Mapping[str, Setting]
    name: str = ""
    separated: str = ""
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """What the word stands for."""
        given = _or_nothing(words, at)
        for one in given.split(self.separated) if self.separated else (given,):
            if one not in self.choices:
                raise RefusedError(
                    "bad-value", f"{keyword} does not know {one!r}", f"known: {', '.join(self.choices)}"
                )
        return given if self.separated else self.choices[given]


@dataclass(frozen=True, slots=True)
class File:
    """A file that has to be there; `plain`: HAProxy says it once more without a line."""

    name: str = ""
    plain: bool = False
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The file."""
        path = _word(keyword, words, at, "a file")
        try:
            around.need_file(path, keyword)
        except RefusedError as why:
            if self.plain:
                around.complaints.error(line, why.code, f"{keyword} is not loaded", "", Voice.PLAIN)
            raise
        return path


@dataclass(frozen=True, slots=True)
class Host:
    """An address; `port`: whether one must stand with it."""

    name: str = ""
    port: bool = False
    more: int = 1

    def take(self, keyword: str, words: tuple[str, ...], at: int, line: int, around: Surroundings) -> Setting:
        """The endpoint."""
        text = _word(keyword, words, at, "an address")
        found = endpoint(text, port="given" if self.port else "any", resolve=around.resolve)
        if found.name == "missing":
            raise RefusedError("bad-address", f"{keyword}: {found.host!r} is no address, and no name that has one")
        return found


Kind = Flag | Integer | Duration | Word | OneOf | File | Host


def _or_nothing(words: tuple[str, ...], at: int) -> str:
    return words[at] if at < len(words) else ""


def _word(keyword: str, words: tuple[str, ...], at: int, what: str) -> str:
    word = _or_nothing(words, at)
    if not word:
        raise RefusedError("missing-argument", f"{keyword!r} needs {what}")
    return word


@dataclass(slots=True)
class Settings:
    """What the keywords of a line have set so far, by name."""

    values: dict[str, Setting] = field(default_factory=dict)

    def copy(self) -> Settings:
        """The same once more."""
        return Settings(dict(self.values))

    def number(self, name: str, otherwise: int = 0) -> int:
        """A number that was set."""
        value = self.values.get(name, otherwise)
        return value if isinstance(value, int) else otherwise

    def word(self, name: str, otherwise: str = "") -> str:
        """A word that was set."""
        value = self.values.get(name, otherwise)
        return value if isinstance(value, str) else otherwise

    def flag(self, name: str) -> bool:
        """Whether it was set."""
        return bool(self.values.get(name))
