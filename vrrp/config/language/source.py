"""A configuration's text, and how keepalived's processes come to read it (2.2.7, measured).

The first process reads the files and hands the others a copy without comments and include lines. Mostly that says the
same. It does not where lines are too long or do not end, where a definition goes on over a comment, where a backslash
before a # was taken off, and where an include was not written as such: the others then include the file once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.language.definitions import Definitions
from vrrp.config.language.lexer import Fragment
from vrrp.config.language.open_files import OpenFiles
from vrrp.config.language.preprocess import Preprocessor


class Source:
    """One configuration.

    Args:
        name: the first file's name, which diagnostics carry.
        text: what stands in it.
        folder: where the files are that it includes; None: they are not read.
        environment: values for ${NAME} placeholders.
        config_id: what @ID is compared with, and what ${_INSTANCE} is; None when it is not known.
        seed: where the numbers of ${_RANDOM} begin.
    """

    def __init__(
        self,
        name: str,
        text: str,
        *,
        folder: Path | None,
        environment: Mapping[str, str],
        config_id: str | None,
        seed: int,
    ) -> None:
        self._name = name
        self._text = text
        self._folder = folder
        self._environment = environment
        self._config_id = config_id
        self._seed = seed
        self._fragments: tuple[Fragment, ...] = ()
        self._copy: list[str] | None = None

    def for_the_first(self, report: Report) -> tuple[Fragment, ...]:
        """What the first process reads; whatever is wrong with it is told."""
        if self._text.startswith("\ufeff"):
            report.error(
                1,
                "the file begins with a byte order mark (BOM)",
                "keepalived reads it as part of the first word; save the file without it",
                Voice.OURS,
            )
        files = OpenFiles(report, follows=self._folder is not None)
        files.open_text(self._name, self._text, self._folder or Path())
        preprocessor = self._preprocessor(files, report)
        self._fragments = preprocessor.fragments()
        self._copy = files.copy if preprocessor.diverges else None
        return self._fragments

    def for_the_others(self, report: Report) -> tuple[Fragment, ...]:
        """What the other processes read after it."""
        if self._copy is None:
            return self._fragments
        files = OpenFiles(report, follows=self._folder is not None)
        files.open_copy(self._name, self._copy, self._folder or Path())
        return self._preprocessor(files, report).fragments()

    def _preprocessor(self, files: OpenFiles, report: Report) -> Preprocessor:
        definitions = Definitions(lambda: str(files.folder.resolve()), self._config_id or "", self._seed)
        return Preprocessor(files, report, definitions, self._config_id, self._environment)
