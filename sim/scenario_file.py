"""Where things stand in a TOML file, and errors that say so.

`tomllib` gives values without positions, so the lines of tables and keys are found by a scan of the text that
knows just enough of TOML: headers and the keys that begin a line.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")

Path = tuple[str | int, ...]


class ScenarioError(ValueError):
    """Bad input, in one line: file, line where known, what is wrong, what would be right."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line


class Lines:
    """The line each table and key of a TOML text stands on."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        prefix: Path = ()
        counts: dict[Path, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            header = _HEADER.fullmatch(line)
            if header:
                prefix = _parts(header[2])
                if header[1] == "[[":
                    index = counts[prefix] = counts.get(prefix, -1) + 1
                    prefix = (*prefix, index)
                self._lines.setdefault(prefix, number)
            elif key := _KEY.match(line):
                path = prefix
                for part in _parts(key[1]):
                    path = (*path, part)
                    self._lines.setdefault(path, number)

    def of(self, path: Path) -> int | None:
        """The line of the deepest part of a path that has one; None when not even its table has."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def path_text(path: Path) -> str:
    """A path as people write it: nodes.lb1, events[2]."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
