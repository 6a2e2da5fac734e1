"""Where things stand in a TOML file, and errors that say so.

`tomllib` gives values without positions, so the lines of tables and keys are found by a scan of the text that
knows just enough of TOML: headers, the keys that begin a line, strings and brackets that go on over several.
"""

from __future__ import annotations

import re

from vrrp.words import printable

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_MULTI_LINE = ('"""', "'''")
_TOKEN = re.compile(r"""\"{3}|'{3}|"(?:\\.|[^"\\])*"|'[^']*'|\#.*|[\[\]{}]""")

Path = tuple[str | int, ...]


class ScenarioError(ValueError):
    """Bad input, in one line: file, line where known, what is wrong, what would be right."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        super().__init__(printable(f"{file}:{line}: {message}" if line else f"{file}: {message}"))
        self.file = file
        self.line = line


class Lines:
    """The line each table and key of a TOML text stands on."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        prefix: Path = ()
        counts: dict[Path, int] = {}
        quote, depth = "", 0
        for number, line in enumerate(text.splitlines(), 1):
            start = 0
            if not quote and not depth:
                header = _HEADER.fullmatch(line)
                if header:
                    prefix = _parts(header[2])
                    if header[1] == "[[":
                        index = counts[prefix] = counts.get(prefix, -1) + 1
                        prefix = (*prefix, index)
                    self._lines.setdefault(prefix, number)
                    continue
                if key := _KEY.match(line):
                    start = key.end()
                    path = prefix
                    for part in _parts(key[1]):
                        path = (*path, part)
                        self._lines.setdefault(path, number)
            quote, depth = _left_open(line, start, quote, depth)

    def of(self, path: Path) -> int | None:
        """The line of the deepest part of a path that has one; None when not even its table has."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None


def _left_open(line: str, position: int, quote: str, depth: int) -> tuple[str, int]:
    """The multi-line string (its quotes) and the brackets still open after the rest of a line."""
    while True:
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return quote, depth
            quote, position = "", end + len(quote)
        token = _TOKEN.search(line, position)
        if token is None:
            return "", depth
        position = token.end()
        if token[0] in _MULTI_LINE:
            quote = token[0]
        else:
            depth += (token[0] in "[{") - (token[0] in "]}")


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def path_text(path: Path) -> str:
    """A path as people write it: nodes.lb1, events[2]."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
