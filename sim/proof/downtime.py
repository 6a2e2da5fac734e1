"""How long an address is not served after one failure: worst, typical and best over the phase of the failure.

What comes by chance is when in the advertisement interval and in a check's interval something fails, and how those two
lie to each other: processes drift. So each failure is tried at a lattice of phases, of which the median is the typical
time, and at the corners that the formulas name:

* A master that falls silent is missed Master_Down_Interval after its last advertisement: worst right after one, best
  right before the next.
* A check that fails is noticed with the `fall`-th bad run: worst right after a run, best right before one. Where the
  priority then falls, the old one has been heard until the last advertisement before: again worst right after
  one, best right before the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import median

from sim.proof.failure import SCRIPTED, Failure, Kind
from sim.proof.rig import Rig
from sim.proof.service import Provider
from sim.proof.trial import Fate, Plan, Trial
from vrrp.protocol.timers import CENTISECOND_NS

_POINTS, _STRIDE, _START = 55, 34, 44
"""A lattice that covers the square of two phases evenly (Fibonacci numbers), with a point in its very middle and
the others in pairs around it: so the median of what is linear in both is exact."""


@dataclass(frozen=True, slots=True)
class Downtime:
    """What one failure means for an address: times in nanoseconds, None where it is not served any more at all.

    `worst_detection_ns` is the part of the worst time that passes before anybody knows; `takers` are who serves it
    then, `samples` the number of phases tried.
    """

    failure: Failure
    address: str
    best_ns: int | None
    typical_ns: int | None
    worst_ns: int | None
    worst_detection_ns: int | None
    takers: tuple[str, ...]
    samples: int

    @property
    def ever(self) -> bool:
        """Whether it is served again while the failure lasts."""
        return self.worst_ns is not None


def downtimes(rig: Rig, trials: Iterable[Trial]) -> Iterator[Downtime]:
    """Each single failure that concerns an address; `trials` are those of the single failures, in order."""
    for trial in trials:
        (failure,) = trial.plan.failures
        stage = trial.worst
        done: dict[tuple[Provider, ...], Downtime] = {}
        for address, providers in rig.providers.items():
            if not concerns(trial, address):
                continue
            fate = stage.fates[address]
            # Addresses of one virtual router move together.
            known = done.get(providers)
            if known is None:
                served = bool(fate.masters) and set(fate.masters) <= set(fate.usable)
                never = Downtime(failure, address, None, None, None, None, (), 1)
                known = done[providers] = _Phases(rig, failure, address).measured() if served else never
            yield replace(known, address=address)


def concerns(trial: Trial, address: str) -> bool:
    """Whether a failure interrupts or moves an address that somebody could serve."""
    fate, before = trial.worst.fates[address], trial.elected.fates[address]
    return bool(fate.usable) and (fate.without_ns > 0 or fate.masters != before.masters)


class _Phases:
    """Trials of one failure at chosen phases, given by two times.

    `after_ns`: how long after a run of the script (from 1 ns to its interval) the failure comes. `age_ns`: how old the
    master's last advertisement is (from 1 ns to the advertisement interval) when its node notices the failure, or
    falls silent.
    """

    def __init__(self, rig: Rig, failure: Failure, address: str) -> None:
        self._rig = rig
        self._failure = failure
        self._address = address
        providers = rig.providers[address]
        # In a sync group the phase that counts is that of the member with the longest interval.
        routers = [
            router
            for provider in providers
            for router in rig.configs[provider.node].virtual_routers
            if router.name in provider.companions
        ]
        slowest = max(routers, key=lambda router: router.interval_cs)
        self._instance = slowest.name
        self._advert_ns = slowest.interval_cs * CENTISECOND_NS
        scripts = rig.configs[failure.node].scripts if failure.kind in SCRIPTED else ()
        self._script_ns = sum(script.interval_ns for script in scripts if script.name == failure.what)
        # It cannot tell the others: the link that fails is the one on which it would.
        self._silent = failure.kind is not Kind.STOP and not self._script_ns
        self._notice_ns = 0
        first = self._run(1, 1).worst.detected_ns
        own_link = failure.kind is Kind.LINK and any(router.interface == failure.what for router in routers)
        if first is not None and not own_link:
            self._silent, self._notice_ns = False, first

    def measured(self) -> Downtime:
        """The failure at all phases: the lattice and the corners."""
        period_ns = self._script_ns or self._advert_ns
        lattice = [
            self._run(
                (2 * point + 1) * period_ns // (2 * _POINTS),
                (2 * ((_STRIDE * point + _START) % _POINTS) + 1) * self._advert_ns // (2 * _POINTS),
            )
            for point in range(_POINTS)
        ]
        trials = [*lattice, self._run(1, 1), self._run(period_ns, self._advert_ns - 1)]
        worst = max(trials, key=self._without_ns)
        worst_ns = self._without_ns(worst)
        return Downtime(
            self._failure,
            self._address,
            best_ns=min(map(self._without_ns, trials)),
            typical_ns=int(median(map(self._without_ns, lattice))),
            worst_ns=worst_ns,
            worst_detection_ns=worst_ns if self._silent else min(worst.worst.detected_ns or 0, worst_ns),
            takers=tuple(dict.fromkeys(node for trial in trials for node in self._fate(trial).masters)),
            samples=len(trials),
        )

    def _fate(self, trial: Trial) -> Fate:
        return trial.worst.fates[self._address]

    def _without_ns(self, trial: Trial) -> int:
        return self._fate(trial).without_ns

    def _run(self, after_ns: int, age_ns: int) -> Trial:
        """One trial. Where the advertisements lie to the scripts is moved by when the election is."""
        rig = self._rig
        at_ns, adverts_ns = rig.elect(0)
        last_ns = adverts_ns[self._instance]
        if not self._script_ns:
            offset_ns = (last_ns + age_ns - self._notice_ns - at_ns) % self._advert_ns
            return rig.run(Plan((self._failure,), offset_ns=offset_ns, mended=False))
        # Scripts run from the start of the process on, whenever the election is.
        late_ns = at_ns + self._advert_ns + 2 * rig.settling.step_ns
        ran_ns = -(-late_ns // self._script_ns) * self._script_ns
        shift_ns = (ran_ns + 1 + self._notice_ns - age_ns - last_ns) % self._advert_ns
        offset_ns = ran_ns + after_ns - rig.elect(shift_ns)[0]
        return rig.run(Plan((self._failure,), offset_ns=offset_ns, shift_ns=shift_ns, mended=False))
