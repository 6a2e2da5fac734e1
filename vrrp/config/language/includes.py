"""include and its variants, include_check, and the files that their patterns name (keepalived 2.2.7, measured).

What a missing file costs depends on the checks that are asked for, by the keyword's last letter or by include_check:
without them keepalived names the file and goes on, with them `keepalived -t` fails.
"""

from __future__ import annotations

import enum
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_MATCHES = 10_000
MOST_SCANNED = 1_000

_INCLUDE = re.compile(r"include([rmwba]?)\s[ \t]*(.*)", re.DOTALL)
_BRACED = re.compile(r"\\.|[{},]", re.DOTALL)
# To glob(3) a backslash, too, makes a name that is to be looked for in its directory.
_WILDCARD = re.compile(r"[*?\[\\]")
_OPENING = re.compile(r"(?:\\.|[^\\{])*\{", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Check(enum.Flag):
    """What is asked of an include."""

    NONE = 0
    READABLE = 1
    MATCH = 2
    WILDCARD = 4
    BRACE = 8
    ALL = 15


_LETTERS = {
    "": Check.NONE,
    "r": Check.READABLE,
    "m": Check.READABLE | Check.MATCH,
    "w": Check.READABLE | Check.MATCH | Check.WILDCARD,
    "b": Check.READABLE | Check.BRACE,
    "a": Check.ALL,
}
_WORDS = {
    "read": Check.READABLE,
    "match": Check.MATCH,
    "wildcard_match": Check.WILDCARD,
    "brace_match": Check.BRACE,
}


@dataclass(frozen=True, slots=True)
class Include:
    """An include line: the pattern that names the files, and the checks of its keyword."""

    pattern: str
    checks: Check


def read_include(text: str) -> Include | None:
    """The include that a line is, if it is one."""
    found = _INCLUDE.fullmatch(text)
    return Include(found[2], _LETTERS[found[1]]) if found else None


def read_include_check(current: Check, words: tuple[str, ...]) -> tuple[Check, list[str]]:
    """What an include_check statement makes of the checks that hold, and what keepalived says about it.

    Args:
        current: the checks that hold.
        words: the words behind include_check.
    """
    if not words:
        return Check.ALL, []
    told = []
    for number, word in enumerate(words):
        signed = word[:1] in {"+", "-"}
        if not signed and number:
            told.append(f"Duplicate include_check '{word}' specified - ignoring")
            continue
        name = word[signed:]
        if not signed:
            current = Check.NONE
        if name not in _WORDS:
            told.append(f"Unknown include_check type '{name}' - ignoring")
        elif word[0] == "-":
            current &= ~_WORDS[name]
        else:
            current |= _WORDS[name] if signed else _WORDS[name] | Check.READABLE
    return current, told


@dataclass(slots=True)
class Matches:
    """The files that a pattern names.

    Attributes:
        names: as the pattern spells them, a directory's with a slash at the end.
        missing: whether a file or directory was named that is not there.
        braced: whether the pattern has a brace.
        scanned: how many directories were read.
        cut: whether there were too many files, directories or alternatives.
    """

    names: list[str]
    missing: bool = False
    braced: bool = False
    scanned: int = 0
    cut: bool = False


def find_files(pattern: str, folder: Path) -> Matches:
    """The files that a pattern names, as glob(3) with GLOB_BRACE and GLOB_MARK finds them.

    Args:
        pattern: with * ? [...] and {a,b}; a backslash takes away a character's meaning.
        folder: what relative names are relative to.
    """
    matches = Matches([], braced=_OPENING.match(pattern) is not None)
    for number, one in enumerate(_expand_braces(pattern)):
        if number == MOST_MATCHES:
            matches.cut = True
            break
        for name in sorted(_walk(one, folder, matches)):
            if len(matches.names) >= MOST_MATCHES:
                matches.cut = True
                break
            matches.names.append(name + "/" if (folder / name).is_dir() else name)
    return matches


def _expand_braces(pattern: str) -> Iterator[str]:
    """a{b,c}d as abd and acd, one after the other, inner braces too; {} and a brace without its end stay."""
    waiting = [(pattern, 0)]
    while waiting:
        text, start = waiting.pop()
        alternatives = _first_brace(text, start)
        if alternatives is None:
            yield text
            continue
        opening, closing, commas = alternatives
        ends = [*commas, closing]
        begins = [opening + 1, *(comma + 1 for comma in commas)]
        parts = [
            text[:opening] + text[begin:end] + text[closing + 1 :] for begin, end in zip(begins, ends, strict=True)
        ]
        waiting += [(part, opening) for part in reversed(parts)]


def _first_brace(text: str, start: int) -> tuple[int, int, list[int]] | None:
    """Where the first brace that is to be expanded opens and closes, and its own commas."""
    opening, depth, commas = -1, 0, []
    for found in _BRACED.finditer(text, start):
        if found[0] == "{" and not text.startswith("{}", found.start()):
            if not depth:
                opening = found.start()
            depth += 1
        elif found[0] == "," and depth == 1:
            commas.append(found.start())
        elif found[0] == "}" and depth and text[found.start() - 1] != "{":
            depth -= 1
            if not depth:
                return opening, found.start(), commas
    return None


def _walk(pattern: str, folder: Path, matches: Matches) -> list[str]:
    """The names that match a pattern without braces."""
    found = ["/"] if pattern.startswith("/") else [""]
    parts = [part for part in pattern.split("/") if part]
    for number, part in enumerate(parts):
        inner = number < len(parts) - 1
        reached: list[str] = []
        for prefix in found:
            for name in _names(part, folder / prefix, matches, inner=inner):
                if len(reached) < MOST_MATCHES:
                    reached.append(prefix + name + "/" * inner)
        found = reached
    if pattern.endswith("/"):
        found = [name.removesuffix("/") or name for name in found if (folder / name).is_dir()]
    return found if parts or pattern else []


def _names(part: str, directory: Path, matches: Matches, *, inner: bool) -> list[str]:
    """What one part of a path stands for in a directory."""
    if not _WILDCARD.search(part):
        there = inner or os.path.lexists(directory / part)
        matches.missing |= not there
        return [part] if there else []
    matches.scanned += 1
    if matches.scanned > MOST_SCANNED:
        matches.cut = True
        return []
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        matches.missing = True
        return []
    shape = re.compile(fnmatch.translate(_escaped(part)))
    hidden = part.startswith((".", "\\."))
    kept = [name for name in names if (hidden or not name.startswith(".")) and shape.match(name)]
    return [name for name in kept if not inner or (directory / name).is_dir()]


def _escaped(part: str) -> str:
    """A part of a pattern in fnmatch's terms, which has no backslashes and no [^...]."""
    text = _ESCAPE.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    return text.replace("[^", "[!")


def is_plain_file(path: Path) -> bool:
    """Whether keepalived reads a file: it must be a regular one that nobody may execute."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) and not mode & 0o111
