"""haproxy.cfg, as HAProxy 2.6 reads it: text in, model and diagnostics out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vrrp.config.diagnostics import Severity, Voice
from vrrp.config.haproxy.addresses import Resolver
from vrrp.config.haproxy.arguments import FileExists, Surroundings
from vrrp.config.haproxy.build import Ids, backend_of, frontend_of
from vrrp.config.haproxy.completion import Whole, complete
from vrrp.config.haproxy.diagnostics import MOST_REFUSED_LINES, Complaints, HaproxyDiagnostic, RefusedError
from vrrp.config.haproxy.directives import Directives
from vrrp.config.haproxy.draft import ProxyDraft, begin
from vrrp.config.haproxy.global_lines import GlobalDraft, global_of, read_global_line
from vrrp.config.haproxy.keywords import KINDS, NEGATABLE, SECTIONS
from vrrp.config.haproxy.lexer import split
from vrrp.config.haproxy.model import HaproxyModel, Unmodelled
from vrrp.config.haproxy.names import check_name
from vrrp.config.haproxy.proxy_lines import read_proxy_line
from vrrp.config.haproxy.statement import Prefix, Statement
from vrrp.config.language.open_files import LARGEST_FILE

_NAMED = SECTIONS - frozenset({*KINDS, "global", "namespace_list", "userlist"})


@dataclass(frozen=True, slots=True)
class ParsedHaproxy:
    """What a haproxy.cfg means, and what there is to say about it.

    Attributes:
        file: its name.
        model: what it means; of lines that HAProxy refuses, what could be read.
        diagnostics: in the order of the lines.
        exit_status: that of `haproxy -c`: 0 it is valid, 1 it is not, 2 it is and nothing listens.
    """

    file: str
    model: HaproxyModel
    diagnostics: tuple[HaproxyDiagnostic, ...]
    exit_status: int

    @property
    def valid(self) -> bool:
        """Whether HAProxy takes it."""
        return self.exit_status != 1


def read_haproxy(
    text: str,
    *,
    filename: str = "<string>",
    environment: Mapping[str, str] | None = None,
    resolve: Resolver | None = None,
    exists: FileExists | None = None,
) -> ParsedHaproxy:
    """Read a haproxy.cfg. No text makes it raise; time is in proportion to the text.

    Args:
        text: what stands in the file.
        filename: the name that diagnostics carry.
        environment: values for "${NAME}"; none when None.
        resolve: looks the names of servers up; without it that is noted, and only localhost is known.
        exists: tells whether a file is there that the text names; without it every one is.
    """
    reader = _Reader(text, filename, environment, resolve, exists)
    reader.read()
    return reader.parsed()


def load_haproxy(
    path: str | os.PathLike[str],
    *,
    environment: Mapping[str, str] | None = None,
    resolve: Resolver | None = None,
    exists: FileExists | None = None,
) -> ParsedHaproxy:
    """Read a file of at most 16 MiB; see `read_haproxy`.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as handle:
        text = handle.read(LARGEST_FILE).decode("utf-8", "surrogateescape")
    return read_haproxy(text, filename=os.fspath(path), environment=environment, resolve=resolve, exists=exists)


class _Reader:
    def __init__(
        self,
        text: str,
        filename: str,
        environment: Mapping[str, str] | None,
        resolve: Resolver | None,
        exists: FileExists | None,
    ) -> None:
        self._text = text
        self._file = filename
        self._environment = dict(environment or {})
        self._complaints = Complaints(filename)
        self._around = Surroundings(self._complaints, resolve, exists)
        self._directives = Directives(self._complaints)
        self._global = GlobalDraft()
        self._section = ""
        self._section_name = ""
        self._proxy: ProxyDraft | None = None
        self._proxies: list[ProxyDraft] = []
        self._frontends: dict[str, ProxyDraft] = {}
        self._backends: dict[str, ProxyDraft] = {}
        self._defaults: dict[str, ProxyDraft] = {}
        self._latest: ProxyDraft | None = None
        self._ids: dict[int, ProxyDraft] = {}
        # The names of the sections of each other kind.
        self._names: dict[str, set[str]] = {"resolvers": {"default"}}
        self._unmodelled: list[Unmodelled] = []
        self._stopped = False
        self._named_twice: set[str] = set()
        # Of each defaults with a name, whether it was asked for by it, and whether it was taken as the last.
        self._used_defaults: dict[int, set[bool]] = {}

    def read(self) -> None:
        lines = self._text.split("\n")
        last = lines.pop()
        for number, text in enumerate(lines, start=1):
            if self._one(number, text):
                break
        else:
            if last:
                self._one(len(lines) + 1, last + "\0")
            number = len(lines) + bool(last)
        if self._directives.unfinished and not self._stopped:
            self._complaints.error(number, "bad-condition", "an '.if' has no '.endif'")
        if not self._complaints.aborted:
            self._complete()

    def _one(self, number: int, text: str) -> bool:
        """Read a line; whether it is the last one that is read."""
        if self._complaints.refused >= MOST_REFUSED_LINES:
            self._complaints.error(
                number, "too-many-errors", f"{MOST_REFUSED_LINES} lines with errors", "no more is read"
            )
            return True
        line, cut, _ = text.partition("\0")
        try:
            self._line(number, line)
        except RefusedError as why:
            self._complaints.refuse(number, why)
        if self._stopped or self._complaints.aborted:
            return True
        if cut:
            self._complaints.error(number, "truncated", "the last line has no end", "HAProxy takes it for cut off")
            return True
        return False

    def _line(self, number: int, text: str) -> None:
        found = split(text, self._environment)
        if found.error:
            raise RefusedError("unreadable-line", found.error)
        if not found.words or not found.words[0]:
            return
        statement = Statement(number, found.words)
        if found.words[0].startswith(".") or not self._directives.reading:
            try:
                if self._directives.take(statement, self._environment):
                    return
            except RefusedError:
                self._stopped = statement.keyword not in {".notice", ".warning", ".alert", ".diag"}
                raise
        for name in found.unset:
            self._complaints.note(number, "unset-variable", f"the variable {name} has no value here: it is empty")
        self._statement(_without_prefix(statement, self._complaints))

    def _statement(self, statement: Statement) -> None:
        if not statement.words or not statement.keyword:
            raise RefusedError("unknown-keyword", "no keyword")
        if statement.keyword in SECTIONS:
            self._begin(statement)
        elif not self._section:
            raise RefusedError(
                "out-of-section", f"{statement.keyword!r} stands in no section", "begin with global or defaults"
            )
        elif self._section == "global":
            read_global_line(statement, self._global, self._around, self._environment)
        elif self._section in KINDS:
            if self._proxy is None:
                raise RefusedError(
                    "out-of-section", f"{statement.keyword!r} stands in no section", "begin with listen"
                )
            self._proxy_line(statement, self._proxy)
        else:
            self._keep(statement)

    def _proxy_line(self, statement: Statement, proxy: ProxyDraft) -> None:
        if not read_proxy_line(statement, proxy, self._around):
            self._keep(statement)
        if statement.keyword == "id":
            other = self._ids.setdefault(proxy.own_id, proxy)
            if other is not proxy or proxy.lists.own_ids:
                raise RefusedError(
                    "duplicate-id",
                    f"id {proxy.own_id} is that of {other.called} in line {other.line}",
                    "choose another",
                )
            proxy.lists.own_ids += 1

    def _keep(self, statement: Statement) -> None:
        """A line that HAProxy heeds and the model has not."""
        section = f"{self._section} {self._section_name}".rstrip()
        self._unmodelled.append(Unmodelled(section, statement.words, statement.line))
        self._complaints.note(
            statement.line, "not-modelled", f"{section}: {statement.keyword} is not modelled", "HAProxy heeds it"
        )

    def _begin(self, statement: Statement) -> None:
        kind = statement.keyword
        if kind in KINDS:
            self._begin_proxy(statement)
            return
        self._section, self._section_name = kind, statement.argument(1)
        if kind == "global":
            self._global.line = self._global.line or statement.line
            statement.no_more_than(0)
        elif kind == "userlist":
            statement.no_more_than(1)
        elif kind in _NAMED:
            if not statement.argument(1):
                raise RefusedError("missing-argument", f"{kind!r} needs a name", abort=True)
            self._names.setdefault(kind, set()).add(statement.argument(1))

    def _begin_proxy(self, statement: Statement) -> None:
        kind, name = statement.keyword, statement.argument(1)
        self._section = kind
        if kind == "defaults":
            base = statement.argument(3) if statement.argument(2) == "from" else ""
            named = "" if name == "from" else name
            self._proxy = begin(kind, named, statement.line, self._named_defaults(base, kind, named))
            self._section_name = named
            self._latest = self._proxy
            if named in self._defaults:
                self._named_twice.add(named)
            if named:
                self._defaults[named] = self._proxy
            return
        if not name:
            raise RefusedError("missing-argument", f"{kind!r} needs a name", abort=True)
        try:
            check_name(name, kind)
        except RefusedError as why:
            # The section begins all the same.
            self._complaints.refuse(statement.line, why)
        words = statement.words[2:]
        base = words[1] if len(words) > 1 and words[0] == "from" else ""
        extra = words[2:] if base else words
        if kind != "backend" and extra:
            self._complaints.refuse(
                statement.line,
                RefusedError(
                    "extra-argument",
                    f"{kind} {name}: {extra[0]!r} stands behind the name",
                    "write `bind`",
                    fatal=False,
                ),
            )
            if not base:
                self._proxy = None
                return
        proxy = begin(kind, name, statement.line, self._named_defaults(base, kind, name) if base else self._latest)
        self._ambiguity(proxy, base)
        self._same_name(proxy)
        if proxy.rules_line and kind == "listen" and proxy.defaults is not None:
            self._complaints.error(
                statement.line, "not-here", f"listen {name} takes its defaults from a section with rules"
            )
        proxy.rules_line = 0
        self._proxy = proxy
        self._section_name = name
        self._proxies.append(proxy)

    def _named_defaults(self, base: str, kind: str, name: str) -> ProxyDraft | None:
        if not base:
            return None
        if base not in self._defaults:
            raise RefusedError(
                "unknown-defaults", f"{kind} {name}: there is no defaults {base!r} above it", abort=True
            )
        return self._defaults[base]

    def _ambiguity(self, proxy: ProxyDraft, base: str) -> None:
        """Two `defaults` of one name that is asked for; one that is asked for, and taken as the last as well."""
        defaults = proxy.defaults
        if defaults is None or not defaults.name:
            return
        if base in self._named_twice:
            self._complaints.error(
                proxy.line,
                "unknown-defaults",
                f"{proxy.called}: there are two defaults {base!r}",
                "name them otherwise",
            )
        used = self._used_defaults.setdefault(id(defaults), set())
        used.add(bool(base))
        if len(used) == 2:
            why = f"the defaults {defaults.name!r} are used by one section as the last and by another by their name"
            self._complaints.refuse(
                proxy.line, RefusedError("unknown-defaults", why, f"write from {defaults.name}", fatal=False)
            )

    def _same_name(self, proxy: ProxyDraft) -> None:
        """Two frontends, or two backends, of one name."""
        frontend = self._frontends.setdefault(proxy.name, proxy) if proxy.frontend else proxy
        backend = self._backends.setdefault(proxy.name, proxy) if proxy.backend else proxy
        # HAProxy lets a listen have the name of a backend before it.
        other = frontend if proxy.frontend else backend
        if other is not proxy:
            self._complaints.error(
                proxy.line, "duplicate-name", f"{proxy.called} has the name of {other.called} in line {other.line}"
            )

    def _complete(self) -> None:
        whole = Whole(tuple(self._proxies), self._global, self._names)
        complete(whole, self._around)

    def parsed(self) -> ParsedHaproxy:
        numbers = self._numbers()
        model = HaproxyModel(
            global_=global_of(self._global),
            frontends=tuple(frontend_of(one, numbers[id(one)]) for one in self._proxies if one.frontend),
            backends=tuple(backend_of(one, numbers[id(one)]) for one in self._proxies if one.backend),
            unmodelled=tuple(self._unmodelled),
        )
        status = self._status()
        if status == 2:
            self._complaints.note(0, "no-listener", "nothing listens", "HAProxy does not start with this file alone")
        return ParsedHaproxy(self._file, model, self._complaints.diagnostics(), status)

    def _status(self) -> int:
        found = self._complaints.diagnostics()
        words = self._global.words
        if any(one.fatal for one in found):
            return 1
        warned = any(one.severity is Severity.WARNING and one.voice is not Voice.OURS for one in found)
        if "zero-warning" in words and warned:
            self._complaints.error(
                0, "zero-warning", "zero-warning: HAProxy does not start with warnings", "", Voice.PLAIN
            )
            return 1
        # HAProxy warns of a bind in a backend, and counts it all the same.
        listens = any(one.lists.binds and not one.disabled for one in self._proxies)
        return 0 if listens or self._global.stats_socket or "master-worker" in words else 2

    def _numbers(self) -> dict[int, int]:
        """Each proxy's number: its own, or the next that is free."""
        # The proxy behind `stats socket` comes first.
        ids = Ids(1 + self._global.stats_socket, {one.own_id for one in self._proxies})
        return {id(one): ids.next(one.own_id) for one in self._proxies}


def _without_prefix(statement: Statement, complaints: Complaints) -> Statement:
    """`no` and `default` before a keyword."""
    first = statement.keyword
    if first not in {"no", "default"}:
        return statement
    prefix: Prefix = "no" if first == "no" else "default"
    words = statement.words[1:]
    if prefix == "default":
        # HAProxy 2.6 leaves the last word standing twice.
        words += statement.words[-1:]
    if not words or words[0] not in NEGATABLE:
        complaints.error(
            statement.line,
            "no-negation",
            f"{first!r} before {''.join(words[:1])!r}",
            "it stands before option and log",
        )
    return Statement(statement.line, words, prefix)
