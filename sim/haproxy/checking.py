"""One check of one server, from the connection to the result: what HAProxy sends, and what it makes of the answers.

Sans IO: `begin` says what to do first; then tell it what happened (`connected`, `refused`, `received`) until `result`
is there. `deadline_ns` says when `expire` ends it for want of an answer. HAProxy 2.6.12, measured:
tests/haproxy/data/checks.json.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from sim.haproxy.dialogue import FAILURES, found, matches, place, shown, step_number, steps_of
from sim.haproxy.exchange import (
    Closed,
    HttpRequest,
    HttpResponse,
    Octets,
    Received,
    Reset,
    Sent,
    Ssl3Hello,
    TlsAlert,
    TlsHello,
    TlsReady,
)
from sim.haproxy.service import Service
from sim.haproxy.status import CheckResult, Status
from vrrp.config.haproxy.checks import CheckMethod, Connect, Expect, SendRequest
from vrrp.config.haproxy.model import Server, Timeouts
from vrrp.config.values import Address

_SHOWN = {"rstring": "(regex)", "rbinary": "(regex)", "binary": "(binary)"}
_CONTENT_KINDS = frozenset({"string", "rstring", "string-lf"})


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Connect to this address and port (None: the address is not known); report `connected` or `refused`, or nothing.

    A connection still open from an earlier step is closed.
    """

    address: Address | None
    port: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send this on the connection, inside TLS if that was agreed; report each answer to `received`."""

    what: Sent


CheckAction: TypeAlias = OpenConnection | Send
CheckActions: TypeAlias = tuple[CheckAction, ...]


class CheckRun:
    """A check that is going on.

    Attributes for readers: `result` (None while it runs), `deadline_ns` (None once it has ended).
    """

    def __init__(self, method: CheckMethod, server: Server, timeouts: Timeouts) -> None:
        """ValueError when `server` is not checked."""
        if server.check is None:
            raise ValueError(f"server {server.name} is not checked")
        self.result: CheckResult | None = None
        self.deadline_ns: int | None = None
        self._method = method
        self._steps = steps_of(method)
        self._server = server
        self._check = server.check
        self._timeouts = timeouts
        self._at = 0
        self._begun_ns = 0
        self._connecting = self._handshake = False
        self._ssl = False
        self._code: int | None = None
        self._text = ""
        self._sent = False
        self._closed = False
        self._response: HttpResponse | None = None
        self._data = b""

    # Inputs ---------------------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> CheckActions:
        """What to do first."""
        self._begun_ns = now_ns
        self.deadline_ns = now_ns + self._check.inter_ns
        return self._go_on(now_ns)

    def connected(self, now_ns: int) -> CheckActions:
        """The connection stands (SYN-ACK)."""
        if self.result is not None or not self._connecting:
            return ()
        self._connecting = False
        if self._ssl:
            self._handshake = True
            return (Send(TlsHello()),)
        return self._ready(now_ns)

    def refused(self, now_ns: int, text: str = "Connection refused") -> CheckActions:
        """There is no connection: a RST, or "No route to host"."""
        if self.result is None and self._connecting:
            self._end(now_ns, Status.L4CON, text + self._place())
        return ()

    def received(self, now_ns: int, what: Received) -> CheckActions:
        """This came from the server."""
        if self.result is not None or self._connecting:
            return ()
        if self._handshake:
            return self._shake(now_ns, what)
        if isinstance(what, Reset):
            self._end(now_ns, Status.SOCKERR, "Connection reset by peer" + self._place())
            return ()
        if isinstance(what, Closed):
            self._closed = True
        elif isinstance(what, HttpResponse):
            self._response = what
            self._data += what.data
        elif isinstance(what, Octets):
            self._data += what.data
        elif isinstance(what, TlsAlert):
            self._data += b"\x15"
        return self._go_on(now_ns)

    def expire(self, now_ns: int) -> CheckActions:
        """Time has passed. Harmless when early."""
        if self.deadline_ns is None or now_ns < self.deadline_ns:
            return ()
        if self._connecting:
            self._end(now_ns, Status.L4TOUT, self._place())
        elif self._handshake or self._method.kind == "ssl-hello":
            self._end(now_ns, Status.L6TOUT, self._place())
        else:
            self._end(now_ns, self._instead("tout_status", Status.L7TOUT), self._place())
        return ()

    # Steps ----------------------------------------------------------------------------------------------

    def _go_on(self, now_ns: int) -> CheckActions:
        """Do steps until one has to wait, or none is left."""
        actions: CheckActions = ()
        while self._at < len(self._steps):
            step = self._steps[self._at]
            if isinstance(step, Connect):
                return (*actions, self._connect(now_ns, step))
            if isinstance(step, Expect):
                if not self._met(now_ns, step):
                    return actions
            else:
                self._sent = True
                self._data, self._response = b"", None
                if isinstance(step, SendRequest):
                    actions += (Send(HttpRequest(step.method, step.uri, step.version)),)
                else:
                    actions += (Send(Octets(step.data)),)
            self._at += 1
        return actions + self._finish(now_ns)

    def _connect(self, now_ns: int, step: Connect) -> OpenConnection:
        check, server = self._check, self._server
        self._connecting, self._sent, self._closed = True, False, False
        self._data, self._response = b"", None
        self._ssl = step.ssl or (step.default and check.ssl)
        if self._timeouts.check_ns is not None and self._timeouts.connect_ns is not None:
            self.deadline_ns = min(self.deadline_ns or now_ns, now_ns + self._timeouts.connect_ns)
        return OpenConnection(step.address or check.address or server.address, step.port or check.port or server.port)

    def _ready(self, now_ns: int) -> CheckActions:
        """The connection, and TLS if any, stands."""
        if self._timeouts.check_ns is not None:
            self.deadline_ns = now_ns + self._timeouts.check_ns
        self._at += 1
        return self._go_on(now_ns)

    def _shake(self, now_ns: int, what: Received) -> CheckActions:
        if isinstance(what, TlsReady):
            self._handshake = False
            return self._ready(now_ns)
        self._end(now_ns, Status.L6RSP, "SSL handshake failure" + self._place())
        return ()

    def _met(self, now_ns: int, step: Expect) -> bool:
        """Whether an expectation is met; it may also end the check."""
        if not self._data:
            if self._closed:
                self._end_empty(now_ns, Status.L7RSP)
            return False
        return self._met_by_http(now_ns, step) if self._method.kind == "http" else self._met_by_data(now_ns, step)

    def _met_by_http(self, now_ns: int, step: Expect) -> bool:
        response = self._response
        if response is None:
            self._end(now_ns, Status.L7RSP)
            return False
        self._code = response.status
        if step.kind in _CONTENT_KINDS:
            match = found(step, response.body.encode())
            failure = "HTTP check matched unwanted content" if match else "HTTP content check did not match"
            status, code = Status.L7RSP, None
        elif step.kind in {"hdr", "fhdr"}:
            match = _header(step.pattern, response)
            failure, status, code = response.reason, Status.L7STS, response.status
        else:
            match = (
                matches(step.pattern, str(response.status))
                if step.kind == "rstatus"
                else any(low <= response.status <= high for low, high in step.statuses)
            )
            failure, status, code = response.reason, Status.L7STS, response.status
        if self._method.disable_on_404 and response.status == 404:
            self._end(now_ns, Status.L7OKC, response.reason, 404)
            return False
        if match is step.negated:
            self._end(now_ns, self._instead("error_status", status), failure, code)
            return False
        return True

    def _met_by_data(self, now_ns: int, step: Expect) -> bool:
        match = found(step, self._data)
        enough = self._closed or 0 <= step.min_recv <= len(self._data)
        if not match and not enough:
            return False
        if match is not step.negated:
            return True
        text = FAILURES.get(self._method.kind) or self._data.decode("latin-1").partition("\n")[0].strip()
        if self._method.kind == "tcp-check":
            what = _SHOWN.get(step.kind) or f"'{shown(step)}'"
            verb = "matched unwanted" if match else "did not match"
            text = f"TCPCHK {verb} content {what} at step {step_number(self._method, self._at)}"
        status = self._instead("error_status", Status.L7RSP)
        self._end(now_ns, status, text, 0 if status is Status.L7STS else None)
        return False

    def _finish(self, now_ns: int) -> CheckActions:
        """All steps are done: passed, unless a hello is still to be said."""
        if self._method.kind == "ssl-hello":
            return self._hello(now_ns)
        last = self._steps[-1]
        if isinstance(last, Connect):
            status = Status.L6OK if self._ssl else Status.L4OK
            self._end(now_ns, status, "(tcp-check)" if self._method.kind == "tcp-check" and last.line else "")
        elif self._method.kind == "http":
            self._end(now_ns, self._instead("ok_status", Status.L7OK), "", self._code)
        else:
            self._end(now_ns, self._instead("ok_status", Status.L7OK), *self._passed())
        return ()

    def _passed(self) -> tuple[str, int]:
        """Text and code of a check that passed by what was said."""
        if self._method.kind == "tcp-check":
            return "(tcp-check)", 0
        if self._method.kind == "redis":
            return "Redis server is ok", 0
        if self._method.kind == "smtp":
            words = self._data.decode("latin-1").strip()
            return words[4:], int(words[:3])
        return "", 0

    def _hello(self, now_ns: int) -> CheckActions:
        if not self._sent:
            self._sent = True
            return (Send(Ssl3Hello()),)
        if self._data:
            self._end(now_ns, Status.L6OK if self._data[0] in b"\x15\x16" else Status.L6RSP)
        elif self._closed:
            self._end_empty(now_ns, Status.L6RSP)
        return ()

    def _end_empty(self, now_ns: int, status: Status) -> None:
        """The server has closed the connection and said nothing."""
        status = self._instead("error_status", status)
        number = step_number(self._method, self._at)
        text = "" if self._method.kind == "http" else f"TCPCHK got an empty response at step {number}"
        self._end(now_ns, status, text, 0 if status is Status.L7STS else None)

    def _instead(self, which: str, status: Status) -> Status:
        """The status that the step asks for in place of this one."""
        step = self._steps[min(self._at, len(self._steps) - 1)]
        name = getattr(step, which, "")
        return Status.__members__.get(name, status)

    def _place(self) -> str:
        return place(self._method, self._at) if self._method.kind == "tcp-check" else ""

    def _end(self, now_ns: int, status: Status, text: str = "", code: int | None = None) -> None:
        self.result = CheckResult(status, code, text, now_ns - self._begun_ns)
        self.deadline_ns = None


def _header(pattern: str, response: HttpResponse) -> bool:
    """Whether the response has a header whose name or value holds this."""
    return any(pattern.lower() in f"{name}: {value}".lower() for name, value in response.headers)


def check(
    method: CheckMethod,
    server: Server,
    timeouts: Timeouts,
    service: Service | None,
    *,
    silent: bool = False,
    connect_ns: int = 0,
    answer_ns: int = 0,
) -> CheckResult:
    """The whole of a check at once against a server that behaves the same all along: for quiet times.

    `service` None refuses connections, `silent` answers nothing at all; a connection takes `connect_ns`, and each
    answer `answer_ns` from what it answers.
    """
    run = CheckRun(method, server, timeouts)
    speaker = service or Service(accepts_only=True)
    now_ns = 0
    actions = deque(run.begin(now_ns))
    inside_tls = False
    while actions and run.result is None:
        action = actions.popleft()
        answers: tuple[Received, ...] = ()
        if isinstance(action, OpenConnection):
            inside_tls = False
            if silent:
                continue
            now_ns = _until(run, now_ns + connect_ns)
            if service is None:
                actions.extend(run.refused(now_ns))
                continue
            answers = speaker.greet()
            actions.extend(run.connected(now_ns))
        else:
            answers = speaker.answer(action.what, inside_tls=inside_tls)
            now_ns = _until(run, now_ns + answer_ns) if answers else now_ns
        for answer in answers:
            inside_tls = inside_tls or isinstance(answer, TlsReady)
            actions.extend(run.received(now_ns, answer))
            if isinstance(answer, TlsReady):
                for greeting in speaker.greet(inside_tls=True):
                    actions.extend(run.received(now_ns, greeting))
    if run.deadline_ns is not None:
        run.expire(run.deadline_ns)
    assert run.result is not None  # it has expired at the latest
    return run.result


def _until(run: CheckRun, now_ns: int) -> int:
    """This moment, unless the check ends before."""
    if run.deadline_ns is not None and now_ns >= run.deadline_ns:
        now_ns = run.deadline_ns
        run.expire(now_ns)
    return now_ns
