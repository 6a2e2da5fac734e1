"""What check scripts ask, and of whom: themselves, HAProxy, a server behind it, or nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from vrrp.check.cluster import Cluster, Sidecar, addresses
from vrrp.check.detecting import called, choices, seconds, wait
from vrrp.check.finding import Finding, Place
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.check.script_text import filled
from vrrp.check.scripts import uses
from vrrp.config.diagnostics import Severity
from vrrp.config.haproxy.model import Backend, Bind, Frontend
from vrrp.protocol.timers import SECOND_NS

_RULES = rulebook("asking")
_CURL = re.compile(r"\bcurl\b[^|;&\n]*")
_JUDGES_STATUS = re.compile(r"\s-[A-Za-z]*f|\s--fail|http_code|response_code|\s-[A-Za-z]*w\b|\s--write-out")
_MAX_TIME = re.compile(r"\s(?:-[A-Za-z]*m|--max-time)[ =]?([0-9]{1,6}(?:\.[0-9]{1,9})?)\b")
_STRAY_RESULT = re.compile(r"^[ \t]*(?:echo|printf)\s+[\"']?[01][\"']?[ \t]*$", re.MULTILINE)
_SSH = 22
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)"
_ASKED = (
    re.compile(rf"\bhttps?://{_HOST}(?::([0-9]{{1,5}})\b)?(/[^\s\"'?]*)?"),
    re.compile(rf"/dev/tcp/{_HOST}/([0-9]{{1,5}})\b()"),
    re.compile(rf"\b(?:nc|ncat|netcat)(?:\s+-\w+(?:\s+[0-9.]+)?){{0,8}}\s+{_HOST}\s+([0-9]{{1,5}})\b()"),
)


@dataclass(frozen=True, slots=True)
class _Text:
    """Text that a check runs: a command line in keepalived.conf, or a script's file; `timeout_ns`: its time."""

    text: str
    file: str
    first_line: int
    timeout_ns: int

    def place(self, position: int) -> Place:
        return Place(self.file, self.first_line + self.text.count("\n", 0, position))


def _texts(cluster: Cluster) -> Iterator[_Text]:
    files = {PurePath(one.file).name: one for one in cluster.beside if one.haproxy is None}
    told: set[str] = set()
    for use in uses(cluster):
        command, timeout_ns = use.script.command, use.script.timeout_ns
        yield _Text(command, use.node.file, use.place("script").line, timeout_ns)
        for word in command.split():
            beside = files.get(PurePath(word).name)
            if beside is not None and beside.file not in told:
                told.add(beside.file)
                yield _Text(filled(beside.text, cluster.facts.environment), beside.file, 1, timeout_ns)


@dataclass(frozen=True, slots=True)
class _Question:
    """Whom a text asks: `port` None is the scheme's, `path` "" is none; `patience_ns`: after so long it gives up."""

    host: str
    port: int | None
    path: str
    what: str
    place: Place
    patience_ns: int

    @property
    def here(self) -> bool:
        """Whether it asks the machine that it runs on, whoever holds the addresses."""
        return self.host in {"localhost", "::1", "0.0.0.0"} or self.host.startswith("127.")


def _questions(one: _Text) -> Iterator[_Question]:
    for pattern in _ASKED:
        for found in pattern.finditer(one.text):
            begin = one.text.rfind("\n", 0, found.start()) + 1
            end = one.text.find("\n", found.end())
            given = _MAX_TIME.search(one.text, begin, end if end >= 0 else len(one.text))
            patience_ns = min(one.timeout_ns, int(float(given[1]) * SECOND_NS)) if given else one.timeout_ns
            port = int(found[2]) if found[2] else None
            what = found[0] if found[0].startswith("http") else f"{found[1]}:{found[2]}"
            yield _Question(found[1].strip("[]"), port, found[3] or "", what, one.place(found.start()), patience_ns)


@dataclass(frozen=True, slots=True)
class _Door:
    """A bind of a frontend that passes on to a backend, of a file."""

    file: Sidecar
    frontend: Frontend
    bind: Bind

    @property
    def called(self) -> str:
        return f"{'listen' if self.frontend.listen else 'frontend'} {self.frontend.name}"

    def behind(self) -> list[Backend]:
        """Where it may pass a connection on to."""
        assert self.file.balancer is not None  # the frontend is from there
        names = [self.frontend.default_backend, *(rule.name for rule in self.frontend.rules)]
        if self.frontend.listen:
            names.append(self.frontend.name)
        found = (self.file.balancer.model.backend(name) for name in dict.fromkeys(names) if name)
        return [one for one in found if one is not None]

    def elsewhere(self) -> list[Backend]:
        """Those of them with a server that is not on this machine."""
        return [one for one in self.behind() if any(not _loopback(server.host) for server in choices(one))]

    def reached_at(self, host: str) -> bool:
        """Whether who asks this machine at an address comes here."""
        if self.bind.address is None or str(self.bind.address) == host:
            return True
        return _loopback(host) and self.bind.address.is_loopback


def _loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _doors(cluster: Cluster) -> Iterator[_Door]:
    for file in cluster.beside:
        for frontend in file.balancer.model.frontends if file.balancer else ():
            if not frontend.disabled:
                yield from (_Door(file, frontend, bind) for bind in frontend.binds if bind.port)


@check(_RULES["VRRP-W079"], _RULES["VRRP-W080"])
def judged(cluster: Cluster) -> Iterator[Finding]:
    """What becomes of the answer."""
    for one in _texts(cluster):
        for curl in _CURL.finditer(one.text):
            if "http" in curl[0] and not _JUDGES_STATUS.search(curl[0]):
                yield _RULES["VRRP-W079"].finding(
                    one.place(curl.start()), "curl without -f: an answer 403, 500 or 503 counts as healthy"
                )
        for stray in _STRAY_RESULT.finditer(one.text):
            if not re.search(r"\bexit\b", one.text):
                yield _RULES["VRRP-W080"].finding(
                    one.place(stray.start()), f"{stray[0].strip()!r} prints a result where an exit status is wanted"
                )


@check(_RULES["VRRP-W081"], _RULES["VRRP-W082"], _RULES["VRRP-W275"], _RULES["VRRP-W277"])
def asked(cluster: Cluster) -> Iterator[Finding]:
    """Whom the checks ask."""
    virtual = {str(address) for member in cluster.members() for address in addresses(member.instance)}
    doors: dict[int, list[_Door]] = {}
    for door in _doors(cluster):
        doors.setdefault(door.bind.port, []).append(door)
    served = {_SSH} | {
        port
        for file in cluster.beside
        for backend in (file.balancer.model.backends if file.balancer else ())
        for server in backend.servers
        for port in (server.port, server.check.port if server.check else None)
    }
    for one in _texts(cluster):
        for question in _questions(one):
            proxied = "http" in question.what
            if question.host in virtual and proxied:
                yield _RULES["VRRP-W081"].finding(
                    question.place, f"the check asks for {question.what}, the virtual address itself"
                )
            at = doors.get(question.port or 0, [])
            told = question.here or question.host in virtual
            reached = [door for door in at if door.reached_at(question.host)] if told else at
            through = next((door for door in reached if _passed_on(door, question)), None) if proxied else None
            if through is not None:
                yield from _through(question, through, in_person=question.host in virtual)
            elif told and not reached and doors and question.port and question.port not in served:
                yield _nobody(question, at, question.host in virtual)


def _passed_on(door: _Door, question: _Question) -> bool:
    """Whether a server answers, and not HAProxy itself."""
    page = door.frontend.stats is not None and question.path.startswith(door.frontend.stats.uri)
    monitor = door.frontend.monitor_uri is not None and question.path == door.frontend.monitor_uri
    return not page and not monitor and bool(door.elsewhere())


def _through(question: _Question, door: _Door, *, in_person: bool) -> Iterator[Finding]:
    if not in_person:
        yield _RULES["VRRP-W082"].finding(
            question.place,
            f"the check asks for {question.what}: HAProxy's {door.called}, which asks any server",
            related=[door.file.place(door.frontend.line)],
        )
    for backend in door.elsewhere():
        longest = wait(backend)
        if longest is not None and longest.ns > question.patience_ns and len(choices(backend)) > 1:
            then = "asks another" if longest.served else "gives up"
            yield _RULES["VRRP-W277"].finding(
                question.place,
                f"the check gives {question.what} {seconds(question.patience_ns)} s, and HAProxy waits "
                f"{seconds(longest.ns)} s for a server of {called(backend)} whose host is gone before it {then}",
                related=[door.file.place(backend.line)],
            )
            return


def _nobody(question: _Question, at: list[_Door], virtual: bool) -> Finding:
    """A question that none of the files given answers; `at` are those with its port at other addresses."""
    if at:
        other = at[0]
        return _RULES["VRRP-W275"].finding(
            question.place,
            f"the check asks {question.what}, where HAProxy does not listen: {other.called} binds "
            f"{other.bind.address}:{other.bind.port}",
            related=[other.file.place(other.bind.line)],
        )
    # Another program may well listen on this machine; on the virtual address it is what the files are about.
    return _RULES["VRRP-W275"].finding(
        question.place,
        f"the check asks {question.what}, and no bind has port {question.port}",
        severity=None if virtual else Severity.NOTE,
    )
