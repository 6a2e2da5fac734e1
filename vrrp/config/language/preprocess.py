"""What keepalived does to the text of a configuration before it looks at keywords (2.2.7, measured).

Comments go, @ID chooses lines, $NAME is defined and put in place, ~SEQ and ~LST repeat the rest of their line, include
reads other files in between; and what is left is cut at the braces. What stands behind a brace is treated as a line of
its own, with all of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.language.definitions import LONGEST_EXPANSION, Definitions, Trouble, size
from vrrp.config.language.includes import read_include, read_include_check
from vrrp.config.language.lexer import Code, Fragment, first_fragment, without_comment
from vrrp.config.language.open_files import LONGEST_LINE, Cut, OpenFiles
from vrrp.config.language.sequences import Sequence, SequenceError, is_sequence, read_sequence
from vrrp.config.language.words import split_words

# Lines that repetitions and definitions may make in one configuration. Some people's make a third of a million.
MOST_STEPS = 500_000
# So many values to put in place are as much work as a line.
_REPLACEMENTS_A_STEP = 20
# How deep they may stand in each other; deeper goes only what never ends.
DEEPEST_NESTING = 1_000
# How often a line may be looked at again because what was put in place has to be expanded itself.
_MOST_ROUNDS = 1000

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)[^{}]*\}")
_CONDITION = re.compile(r"@(\^?)([^ \t]*)[ \t]+")
_ENDLESS = "keepalived never comes to the end of it"


class Preprocessor:
    """Reads one configuration. It never raises, and its work is bounded.

    Args:
        files: the files; the first is open.
        report: takes the diagnostics.
        definitions: takes and gives the values of $NAME.
        config_id: what @ID is compared with; None when it is not known.
        environment: values for ${NAME}, put into the files' lines before anything else, as a template's.

    Attributes:
        diverges: whether the copy of the files, which keepalived's other processes read, means something else.
    """

    def __init__(
        self,
        files: OpenFiles,
        report: Report,
        definitions: Definitions,
        config_id: str | None,
        environment: Mapping[str, str],
    ) -> None:
        self._files = files
        self._report = report
        self._definitions = definitions
        self._config_id = config_id
        self._environment = environment
        # What is to be read before the files go on: the rest of a line, of a definition, of a repetition.
        self._waiting: list[Iterator[str]] = []
        self._steps_left = MOST_STEPS
        self._literal = False
        self._fragments: list[Fragment] = []
        self._words = ""
        self._blocks: list[tuple[str, int]] = []
        self._asked = False
        self.diverges = False

    def fragments(self) -> tuple[Fragment, ...]:
        """All fragments of the configuration, in the order in which keepalived sees them."""
        while (text := self._next()) is not None:
            while text:
                line = self._read(text)
                include = read_include(line) if line.startswith("include") else None
                if include is None:
                    text = self._cut(line) if line else ""
                    self._literal = False
                    continue
                self.diverges |= not self._literal
                self._files.include(include)
                break
        if self._blocks:
            self._report.error(
                self._blocks[-1][1],
                f"There are {len(self._blocks)} missing '}}'s or extra '{{'s",
                "this '{' is never closed; keepalived closes it at the end of the file",
                Voice.PLAIN,
            )
        return tuple(self._fragments)

    def _next(self) -> str | None:
        """The next line that waits, or else the next of the files; None at their end."""
        self._literal = False
        while self._waiting:
            self._steps_left -= 1
            if self._steps_left < 0:
                self._report.error(
                    self._files.line,
                    f"more than {MOST_STEPS} lines come of repetitions and definitions",
                    "the rest is not read",
                    Voice.OURS,
                )
                self._blocks.clear()
                return None
            text = next(self._waiting[-1], None)
            if text is not None:
                self._files.step()
                return text
            self._waiting.pop()
        raw = self._files.next()
        return None if raw is None else self._line(raw)

    def _line(self, raw: str) -> str:
        """A line of a file without its comment, which is also what the other processes get to read."""
        if self._files.cut is not Cut.NOT:
            self._cut_off(raw)
        if self._environment and "${" in raw:
            raw = _PLACEHOLDER.sub(self._filled, raw)
        if not raw:
            if self._definitions.goes_on:
                self._definitions.go_on("")
            self._files.copy.append("")
            return ""
        code = self._code(raw)
        if code.comment > 0 and not self._files.copied:
            self._comment_in_word(raw, code.comment)
        self._literal = read_include(code.text) is not None
        self.diverges |= not code.text and self._definitions.goes_on
        self.diverges |= "\\" in raw and without_comment(code.text).text != code.text
        self._files.copy.append("" if self._literal else code.text)
        return code.text

    def _filled(self, found: re.Match[str]) -> str:
        """The value of a placeholder: ${NAME}, or ${_ENV NAME}, which releases after 2.2.7 fill by themselves."""
        words = found[0][2:-1].split()
        return self._environment.get(words[-1] if words[0] == "_ENV" else found[1], found[0])

    def _code(self, text: str) -> Code:
        code = without_comment(text)
        if code.unterminated:
            self._report.error(
                self._files.line,
                f"Unterminated quote '{code.unterminated}'",
                "keepalived ignores the words from the last quote on",
            )
        return code

    def _cut_off(self, text: str) -> None:
        """A line that does not end as lines do: keepalived does not count it, and counts otherwise in the copy."""
        self.diverges = True
        line = self._files.next_line
        if self._files.cut is Cut.NUL:
            self._report.warning(line, "embedded NUL character", "keepalived ignores the rest of the line", Voice.OURS)
        elif self._files.cut is Cut.LONG:
            self._report.warning(
                line,
                f"line of more than {LONGEST_LINE} bytes",
                f"keepalived reads {LONGEST_LINE} and takes what follows for another line",
                Voice.OURS,
            )

    def _comment_in_word(self, line: str, position: int) -> None:
        if line[position - 1].isspace() or line[position - 1] in '{}"':
            return
        read = line[:position].split()
        word = read[-1] + line[position:].split(maxsplit=1)[0]
        what = "the password" if read[0] == "auth_pass" else "the word"
        self._report.warning(
            self._files.line,
            f"comment character '{line[position]}' inside the word '{word}'",
            f"keepalived reads {what} as '{read[-1]}'; write it in \"quotes\" to keep the rest",
            Voice.OURS,
        )

    def _read(self, text: str) -> str:
        """What a line says when everything is put in place; "" when that is nothing more to be read now."""
        definitions = self._definitions
        if definitions.goes_on:
            definitions.go_on(text)
            return ""
        if text[0] not in "@$~" and "$" not in text:
            return text
        length = size(text)
        for _ in range(_MOST_ROUNDS):
            if text[0] == "@":
                found = _CONDITION.match(text)
                if found is None or not self._holds(found):
                    return ""
                length -= found.end()
                text = self._moved(text, found, length)
            if not text or (text[0] == "$" and definitions.define(text)):
                return ""
            if is_sequence(text):
                self._sequence(text)
                return ""
            if text[0] == "~" or "$" not in text:
                break
            expansion = definitions.expand(text)
            self._waiting += [iter(lines) for lines in expansion.following]
            text = expansion.text
            if len(self._waiting) > DEEPEST_NESTING:
                return self._trouble(text, Trouble.ENDLESS)
            if expansion.trouble is not None:
                return self._trouble(text, expansion.trouble)
            if not expansion.replacements:
                break
            self._steps_left -= expansion.replacements // _REPLACEMENTS_A_STEP
            text = self._code(text).text
            if not text or (text[0] != "@" and "$" not in text):
                break
        else:
            return self._trouble(text, Trouble.ENDLESS)
        if "${" in text:
            self._placeholders(text)
        return text

    def _holds(self, condition: re.Match[str]) -> bool:
        """Whether what stands behind @ID is to be read."""
        if self._config_id is None and not self._asked:
            self._asked = True
            self._report.note(
                self._files.line,
                f"{condition[0].strip()} asks for the configuration id, which is not given",
                "it is read as for a node with another id; give one as config_id",
            )
        return (condition[2] == self._config_id) != bool(condition[1])

    def _moved(self, text: str, condition: re.Match[str], length: int) -> str:
        """What stands behind @ID, as far as keepalived moves it to the front.

        Args:
            text: the line.
            condition: its beginning.
            length: what keepalived takes for the length of the rest: it does not count what was put in place.
        """
        rest = text[condition.end() :]
        if length >= size(rest):
            return rest
        condition_text = condition[0].strip()
        if length < -1:
            self._dies(
                f"{condition_text} comes out of a definition", "keepalived 2.2.7 overwrites its memory, and may die"
            )
            return rest
        garbled = rest[: length + 1] + text[length + 1 :]
        self._report.warning(
            self._files.line,
            f"{condition_text} comes out of a definition",
            f"keepalived 2.2.7 reads the line as '{garbled}'; write the condition in the line itself",
            Voice.OURS,
        )
        return garbled

    def _sequence(self, text: str) -> None:
        try:
            sequence = read_sequence(text, self._definitions.expand)
        except SequenceError as error:
            for message in error.messages:
                self._report.error(self._files.line, f"{message} '{text}'", "keepalived leaves the line out")
            return
        self._waiting.append(self._repeat(sequence))

    def _repeat(self, sequence: Sequence) -> Iterator[str]:
        for row in sequence.rows:
            for name, value in zip(sequence.names, row, strict=True):
                self._definitions.set(name, value)
            yield sequence.text

    def _trouble(self, text: str, trouble: Trouble) -> str:
        if trouble is Trouble.TOO_LONG:
            self._report.warning(
                self._files.line,
                f"with its definitions put in place the line is longer than {LONGEST_EXPANSION} bytes",
                f"keepalived puts in no more, and reads '{text}'",
                Voice.OURS,
            )
            return text
        if trouble is Trouble.ENDLESS:
            self._dies("a definition is put in place of itself", "keepalived 2.2.7 never comes to an end")
        else:
            self._dies(
                "${_RANDOM MIN MAX} with a MAX of one less than MIN", "keepalived 2.2.7 divides by zero and dies"
            )
        self._waiting.clear()
        self._blocks.clear()
        self._files.close()
        return ""

    def _dies(self, message: str, instead: str) -> None:
        self._report.die(self._files.line, message, instead)

    def _placeholders(self, text: str) -> None:
        """Tell of ${NAME} that has no value, most likely a template's."""
        if self._files.copied:
            return
        for found in _PLACEHOLDER.finditer(text):
            quoted = text.count('"', 0, found.start()) % 2
            keepalived = "keepalived 2.2.7, unlike later releases," if found[1] == "_ENV" else "keepalived"
            self._report.error(
                self._files.line,
                f"placeholder {found[0]} has no value",
                f"give one in environment; {keepalived} reads it as written"
                + (", and its braces as those of a block" if not quoted else ""),
                Voice.OURS,
            )

    def _cut(self, line: str) -> str:
        """Take the first fragment off a line; what is left is another line."""
        fragment, kind, rest = first_fragment(line)
        here = self._files.line
        if fragment == "{":
            self._blocks.append((self._words, here))
        elif fragment == "}" and self._blocks:
            self._blocks.pop()
        elif fragment == "}":
            self._report.error(here, "Extra '}' found", "there is no '{' that it could close")
        else:
            self._statement(fragment, here)
        if kind is not None:
            self._fragments.append(Fragment(here, kind, fragment))
        if rest:
            self._files.step()
        return rest

    def _statement(self, text: str, line: int) -> None:
        if text.count('"') % 2:
            self._report.error(line, f"Unmatched quote: '{text}'", "keepalived ignores the words from the quote on")
        self._words = text
        if text.startswith("include_check") and [words for words, _ in self._blocks] == ["global_defs"]:
            words = split_words(text)
            if words[0] == "include_check":
                self._files.checks, told = read_include_check(self._files.checks, words[1:])
                for message in told:
                    self._report.error(line, message, "keepalived ignores the word")
