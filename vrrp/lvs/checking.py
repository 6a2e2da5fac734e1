"""When a checker asks, and what its answers mean, sans IO: keepalived's rules (2.2.7, measured).

The first check is a second and part of the warm-up after the start. The next one is `interval` after the end of the
last (a script's: after its begin, if it has ended by then). What is found first counts at once, without retries;
afterwards one that is up is asked `retries` times again, `retry_delay` apart, before it counts as down, and a single
success brings it up. A web checker asks for its urls one after the other, an interval apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.lvs.model import MiscCheck, SmtpCheck, WebCheck
from vrrp.lvs.phrases import Outcome, phrases_of
from vrrp.lvs.target import Target

FIRST_CHECK_NS = 1_000_000_000
"""From the start to the first check, without the warm-up (keepalived, measured)."""
NEVER = 1 << 63
"""A deadline that does not come."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer changed: the lines to log, and whether the verdict or the weight is another now."""

    lines: tuple[str, ...] = ()
    changed: bool = False


class Checking:
    """One checker. `deadline_ns` says when to ask again: then `begin`, and `finish` with what became of it.

    Args:
        target: the checker and what it checks.
        waited: which part of the warm-up passes before the first check, from 0 to 1 (keepalived draws it).

    Attributes:
        up: the verdict.
        weight: what it asks for beyond a verdict; None: nothing.
        known: whether `up` was found out, and not only assumed.
        asking: whether a check goes on.
        last: the last answer; None before the first.
        checks, failures: how many checks have ended, and how many of them badly.
        duration_ns: how long the last one took.
        reason: the line that told of the verdict last.
    """

    def __init__(self, target: Target, waited: float = 0.0) -> None:
        self.target = target
        self.up = not target.checker.alpha
        self.weight: int | None = None
        self.known = False
        self.asking = False
        self.last: Outcome | None = None
        self.checks = self.failures = self.duration_ns = 0
        self.reason = ""
        self.deadline_ns = NEVER
        self._waited = waited
        self._begun_ns = 0
        # Only mail servers are asked again even at first.
        self._tries = 0 if isinstance(target.checker, SmtpCheck) else target.checker.retries
        self._phrases = phrases_of(target)

    def start(self, now_ns: int) -> None:
        """Begin to keep time."""
        self.deadline_ns = now_ns + FIRST_CHECK_NS + int(self.target.checker.warmup_ns * self._waited)

    def begin(self, now_ns: int) -> None:
        """It is asked now."""
        self._begun_ns = now_ns
        self.asking = True
        self.deadline_ns = NEVER

    def skip(self, now_ns: int) -> None:
        """It could not be asked, and nothing is known of it: again in an interval (keepalived, measured)."""
        self.asking = False
        self.deadline_ns = now_ns + self.target.checker.interval_ns

    def finish(self, now_ns: int, outcome: Outcome) -> Judgement:
        """What became of a check."""
        self.asking = False
        self.last = outcome
        self.checks += 1
        self.duration_ns = now_ns - self._begun_ns
        weight, self.weight = self.weight, outcome.weight if outcome.ok else self.weight
        judgement = self._succeeded(now_ns) if outcome.ok else self._failed(now_ns, outcome)
        if judgement.changed or weight == self.weight:
            return judgement
        return Judgement(judgement.lines, changed=True)

    def _succeeded(self, now_ns: int) -> Judgement:
        self._next(now_ns, self.target.checker.interval_ns)
        return self._passed()

    def _passed(self) -> Judgement:
        """All is well."""
        self._tries = 0
        if self.up and self.known:
            return Judgement()
        changed, self.up, self.known = not self.up, True, True
        self.reason = self._phrases.success()
        return Judgement(() if self._phrases.silent else (self.reason,), changed)

    def _failed(self, now_ns: int, outcome: Outcome) -> Judgement:
        checker = self.target.checker
        self.failures += 1
        if not self.up and self.known:
            self._next(now_ns, checker.interval_ns)
            return Judgement()
        each = self._phrases.each(outcome, self._tries) if self.target.log_all_failures else ""
        if self._tries < checker.retries:
            self._tries += 1
            self.known = True
            self.deadline_ns = now_ns + checker.retry_delay_ns
            return Judgement((each,) if each else ())
        self.reason = self._phrases.failure(outcome, retried=self.known)
        changed, self.up, self.known, self._tries = self.up, False, True, 0
        self._next(now_ns, checker.interval_ns)
        return Judgement((each, self.reason) if each else (self.reason,), changed)

    def _next(self, now_ns: int, after_ns: int) -> None:
        since_ns = self._begun_ns if isinstance(self.target.checker, MiscCheck) else now_ns
        self.deadline_ns = max(now_ns, since_ns + after_ns)


class WebChecking(Checking):
    """A web checker: it is up when all urls answered well in a row.

    A url that fails is asked again until it succeeds; then all of them from the first on. With `fast_recovery` there
    is no interval between them until they have, at first, too.
    """

    def __init__(self, target: Target, waited: float = 0.0) -> None:
        super().__init__(target, waited)
        assert isinstance(target.checker, WebCheck)
        self._checker = target.checker
        self._url = 0
        self._recovering = False

    @property
    def url(self) -> int:
        """Which of the urls is next."""
        return self._url

    def _succeeded(self, now_ns: int) -> Judgement:
        assert self.last is not None  # it is what succeeded
        down = self.known and not self.up
        hurries = self._checker.fast_recovery and not (self.known and self.up)
        self._next(now_ns, 0 if hurries else self._checker.interval_ns)
        if down and not self._recovering:
            self._recovering, self._url = True, 0
            return Judgement((self.last.said,))
        self._url = (self._url + 1) % len(self._checker.urls)
        said = (self.last.said,) if down else ()
        if self._url:
            self._tries = 0 if self.known else self._tries
            return Judgement(said)
        self._next(now_ns, self._checker.interval_ns)
        self._recovering = False
        passed = self._passed()
        return Judgement((*said, *passed.lines), passed.changed)

    def _failed(self, now_ns: int, outcome: Outcome) -> Judgement:
        self._recovering = False
        return super()._failed(now_ns, outcome)


def checking_of(target: Target, waited: float = 0.0) -> Checking:
    """The state of a checker that was never asked."""
    return (WebChecking if isinstance(target.checker, WebCheck) else Checking)(target, waited)
