"""The check that proves: a cluster's nodes simulated through every single and double failure, and what that shows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sim.inputs import Inputs, from_configs
from sim.network import Network
from sim.proof.campaign import Campaign, campaign
from sim.proof.cause import why_it_stays
from sim.proof.downtime import Downtime, concerns, downtimes
from sim.proof.failure import Failure, Kind
from sim.proof.problem import Problem, Wrong, smallest
from sim.proof.rig import OutOfTimeError, Rig
from sim.proof.rulebook import RULES
from sim.proof.table import combination_text, table_data, table_lines
from sim.proof.trial import Plan, Trial
from sim.scenario import Scenario
from sim.scenario_file import ScenarioError
from sim.scenario_text import scenario_text
from sim.timeline import duration_text
from vrrp.check import Cluster, Finding, Node, Place, Rule, check

MOST_NODES = 12
"""Of more, not even all single failures would be done in time."""
BUDGET_S = 20.0
"""How long the combinations of one cluster may take, in seconds of real time."""
MEASURING_S = 10.0
"""How long the times without service may take to be measured after that."""
SLOW_NS = 10_000_000_000
_LISTED = 8
_AFTER_NS = 5_000_000_000
"""What is added to the end of a scenario, so that its picture shows the rest."""

_RULE_OF = {
    Wrong.NOBODY: "VRRP-P003",
    Wrong.TWO: "VRRP-P004",
    Wrong.RESTLESS: "VRRP-P003",
    Wrong.AWAY: "VRRP-P005",
    Wrong.RACE: "VRRP-P006",
}
_HELD = frozenset({"VRRP-P001", "VRRP-P002", "VRRP-P003", "VRRP-P004"})
"""What these find goes on until somebody mends it."""
_PHRASES = {
    Wrong.NOBODY: "nobody holds {address} though {usable} could",
    Wrong.TWO: "{masters} hold {address} at once",
    Wrong.RESTLESS: "the masters of {address} change without end",
    Wrong.AWAY: "{address} does not come back to {elected} but stays on {masters}",
    Wrong.RACE: "{racers} take {address} at the same moment",
}


@check(*RULES.values(), proof=True)
def prove(cluster: Cluster) -> Iterator[Finding]:
    """Simulate a cluster of keepalived nodes and tell what is proved; nothing for a node alone."""
    nodes = [node for node in cluster.nodes if node.config.instances]
    if len(nodes) < 2:
        return
    refused = [node for node in nodes if node.parsed.refused]
    unproved = RULES["VRRP-P010"]
    if refused:
        yield unproved.finding(
            refused[0].place(0), f"nothing is proved: keepalived does not start with this file on {refused[0].name}"
        )
        return
    if len(nodes) > MOST_NODES:
        yield unproved.finding(nodes[0].place(0), f"nothing is proved: {len(nodes)} nodes are more than {MOST_NODES}")
        return
    try:
        inputs = from_configs(
            {node.name: node.parsed for node in nodes}, {node.name: Path(node.file).resolve() for node in nodes}
        )
        rig = Rig(
            inputs.scenario, inputs.source, inputs.configs, {node.name: node.config.ignored_scripts for node in nodes}
        )
    except ScenarioError as error:
        yield unproved.finding(nodes[0].place(0), f"nothing is proved: it cannot be simulated: {error}")
        return
    yield from _Proof({node.name: node for node in nodes}, inputs, rig).findings()


CHECKS = (prove,)


@dataclass
class _Proof:
    """The findings of one cluster."""

    nodes: Mapping[str, Node]
    inputs: Inputs
    rig: Rig
    _ran: Campaign = field(default_factory=lambda: Campaign((), 0))
    _unmeasured: bool = False

    def findings(self) -> Iterator[Finding]:
        """First the elected state; only when that is sound, what failures do to it."""
        self.rig.until_s = time.monotonic() + BUDGET_S
        try:
            elected = self.rig.run(Plan(()))
        except OutOfTimeError:
            message = f"nothing is proved: after {BUDGET_S:g} s of simulation the nodes have not come to rest"
            yield RULES["VRRP-P010"].finding(self._somewhere, message)
            return
        unsound = list(self._unsound(elected))
        yield from unsound
        if unsound:
            return
        self._ran = campaign(self.rig, BUDGET_S)
        singles = [trial for trial in self._ran.trials if len(trial.plan.failures) == 1]
        yield from self._moves(smallest(self._ran.trials))
        rows = list(self._downtimes(singles))
        yield from self._slow(rows)
        yield from self._times(rows, elected)
        yield from self._left_out()

    def _downtimes(self, singles: Sequence[Trial]) -> Iterator[Downtime]:
        """Those of the single failures, and of scripts that hang; as many as there is time for."""
        self.rig.until_s, self.rig.most_s = time.monotonic() + MEASURING_S, math.inf
        scripts = [failure for trial in singles for failure in trial.plan.failures if failure.kind is Kind.SCRIPT]
        try:
            yield from downtimes(self.rig, singles)
            for script in scripts:
                yield from downtimes(self.rig, [self.rig.run(Plan((replace(script, kind=Kind.HANG),), mended=False))])
        except OutOfTimeError:
            self._unmeasured = True

    def _left_out(self) -> Iterator[Finding]:
        """What there was no time for, in so many words."""
        rule = RULES["VRRP-P010"]
        if not self._ran.complete:
            alone = {trial.plan.failures for trial in self._ran.trials}
            never = [str(failure) for failure in self.rig.failures if (failure,) not in alone]
            yield rule.finding(
                self._somewhere,
                f"not all combinations of failures were run: {len(self._ran.trials)} of {self._ran.planned} "
                f"in {BUDGET_S:g} s; " + ("none with those below" if never else "every single failure is among them"),
                detail=never,
            )
        if self._unmeasured:
            message = f"the time without service was not measured for all failures: {MEASURING_S:g} s were not enough"
            yield rule.finding(self._somewhere, message)

    def _unsound(self, elected: Trial) -> Iterator[Finding]:
        stage = elected.elected
        for address, fate in stage.fates.items():
            place = self._place(address, self.rig.providers[address][0].node, "priority")
            related = [self._place(address, p.node, "priority") for p in self.rig.providers[address][1:]]
            if not stage.settled:
                yield self._finding(
                    "VRRP-P008", place, f"the masters of {address} change without end", elected, related
                )
            elif len(fate.masters) != 1:
                who = " and ".join(fate.masters) or "nobody"
                verb = "are master" if len(fate.masters) > 1 else "is master"
                yield self._finding(
                    "VRRP-P008", place, f"{who} {verb} of {address} though nothing failed", elected, related
                )

    def _moves(self, found: Mapping[tuple[Wrong, str], Sequence[Problem]]) -> Iterator[Finding]:
        for (wrong, address), problems in found.items():
            if wrong is Wrong.STAYS:
                yield from self._stays(address, problems)
                continue
            first = problems[0]
            fate = first.stage.fates[address]
            elected = first.trial.elected.fates[address].masters
            message = _PHRASES[wrong].format(
                address=address,
                usable=" or ".join(fate.usable),
                masters=" and ".join(fate.masters),
                elected=" and ".join(elected),
                racers=" and ".join(fate.racers),
            )
            yield self._found(_RULE_OF[wrong], self._place(address, elected[0], "priority"), message, problems)

    def _stays(self, address: str, problems: Sequence[Problem]) -> Iterator[Finding]:
        """Stays where it should not: for all checks together if they never move it, else for what it takes."""
        checks = [t for t in self._ran.trials if all(f.kind is Kind.SCRIPT for f in t.plan.failures)]
        moved = any(
            stage.fates[address].masters != trial.elected.fates[address].masters
            for trial in checks
            for stage in trial.stages
        )
        first = problems[0]
        why, mend = why_it_stays(self.rig, first)
        holder = first.stage.fates[address].masters[0]
        place = self._place(address, holder, "priority")
        if not moved and len(first.failures) == 1 and any(f.kind is Kind.SCRIPT for f in first.failures):
            message = (
                f"no single or double failure of the checks moves {address} away from {holder} "
                f"({len(checks)} combinations run)"
            )
            yield self._finding("VRRP-P001", place, message, first.trial, why=why, mend=mend, detail=_listed(problems))
            return
        for count in (1, 2):
            some = [problem for problem in problems if len(problem.failures) == count]
            if some:
                where = some[0].stage.fates[address].masters[0]
                why, mend = why_it_stays(self.rig, some[0])
                place = self._place(address, where, "priority")
                yield self._found("VRRP-P002", place, f"{address} stays on {where}", some, why=why, mend=mend)

    def _slow(self, rows: Sequence[Downtime]) -> Iterator[Finding]:
        """Each single failure that takes too long; of pairs the worst, where no single failure does."""
        for address in self.rig.providers:
            pair = max(self._pairs(), key=lambda trial: _longest_ns(trial, address), default=None)
            if pair is None or any((row.worst_ns or 0) > SLOW_NS for row in rows if row.address == address):
                continue
            if (longest_ns := _longest_ns(pair, address)) > SLOW_NS:
                message = (
                    f"{address} is without service for {duration_text(longest_ns)} after: {combination_text(pair)}"
                )
                yield self._finding("VRRP-P007", self._pair_place(address, pair), message, pair)
        for row in rows:
            if row.worst_ns is None or row.worst_ns <= SLOW_NS:
                continue
            if row.failure.kind is Kind.HANG:
                continue  # the script that fails, and is found already, or nearly
            trial = next(t for t in self._ran.trials if t.plan.failures == (row.failure,))
            seconds = duration_text(row.worst_detection_ns or 0)
            message = (
                f"{row.failure}: {row.address} is without service for up to {duration_text(row.worst_ns)}, "
                f"typically {duration_text(row.typical_ns or 0)}; {seconds} of it pass before it is noticed"
            )
            yield self._finding("VRRP-P007", self._cause_place(row.address, row.failure), message, trial)

    def _times(self, rows: Sequence[Downtime], elected: Trial) -> Iterator[Finding]:
        for address, fate in elected.elected.fates.items():
            same = [other for other, nodes in self.rig.providers.items() if nodes == self.rig.providers[address]]
            if same[0] != address:
                continue
            own = [row for row in rows if row.address == address]
            singles = [trial for trial in self._ran.trials if len(trial.plan.failures) == 1]
            quiet = sum(not concerns(trial, address) for trial in singles)
            detail = [*table_lines(own), f"{quiet} other single failures do not interrupt it"]
            if pairs := self._pairs():
                worst = max(pairs, key=lambda trial: _longest_ns(trial, address))
                detail.append(
                    f"the longest of {len(pairs)} pairs, as far as service returns: "
                    f"{duration_text(_longest_ns(worst, address))}, {combination_text(worst)}"
                )
            yield RULES["VRRP-P009"].finding(
                self._place(address, fate.masters[0]),
                f"{', '.join(same)} on {fate.masters[0]}: time without service after each of "
                f"{len(singles)} single failures",
                detail=detail,
                data=table_data(row for row in rows if row.address in same),
            )

    def _pairs(self) -> list[Trial]:
        return [trial for trial in self._ran.trials if len(trial.plan.failures) == 2]

    # Places and words -----------------------------------------------------------------------------------

    @property
    def _somewhere(self) -> Place:
        """For what concerns no line: the first file."""
        return next(iter(self.nodes.values())).place(0)

    def _place(self, address: str, name: str, *keywords: str) -> Place:
        """The line of a keyword, or the first, of the instance by which a node has an address."""
        node = self.nodes[name]
        provider = next(p for p in self.rig.providers[address] if p.node == name)
        instance = next(one for one in node.config.instances if one.name == provider.instance)
        line = next((instance.lines[keyword] for keyword in keywords if keyword in instance.lines), instance.line)
        return node.place(line)

    def _cause_place(self, address: str, failure: Failure) -> Place:
        """What makes it slow: the script's definition, else how often the node advertises."""
        if failure.kind is Kind.SCRIPT:
            node = self.nodes[failure.node]
            return node.place(node.config.scripts[failure.what].line)
        return self._place(address, self.rig.providers[address][0].node, "advert_int")

    def _pair_place(self, address: str, pair: Trial) -> Place:
        scripts = [failure for failure in pair.plan.failures if failure.kind is Kind.SCRIPT]
        return self._cause_place(address, (scripts or pair.plan.failures)[-1])

    def _found(
        self, rule: str, place: Place, what: str, problems: Sequence[Problem], *, why: str = "", mend: str = ""
    ) -> Finding:
        """A finding about the problems of one kind; the scenario and the picture are the first one's."""
        more = len(problems) - 1
        tail = f" (and after {more} other combination{'s' * (more != 1)})" if more else ""
        trial = problems[0].trial
        title = f"{what} after: {combination_text(trial)}"
        detail = _listed(problems)
        return self._finding(rule, place, title + tail, trial, title=title, why=why, mend=mend, detail=detail)

    def _finding(
        self,
        rule: str,
        place: Place,
        message: str,
        trial: Trial,
        related: Iterable[Place] = (),
        *,
        title: str = "",
        why: str = "",
        mend: str = "",
        detail: Sequence[str] = (),
    ) -> Finding:
        of: Rule = RULES[rule]
        ran = f"{self._ran.planned} single and double failures run" if self._ran.complete else ""
        if self._ran.trials and not ran:
            ran = f"{len(self._ran.trials)} of {self._ran.planned} single and double failures run"
        shown = self._shown(title or message, trial, rule in _HELD)
        return of.finding(
            place,
            message,
            why=f"{why} {of.why}" if why else "",
            mend=mend,
            related=related,
            detail=[*detail, *([ran] if self._ran.trials else [])],
            scenario=scenario_text(
                shown,
                title=shown.title,
                duration_ns=shown.duration,
                events=shown.events,
                comment="Run it with `vrrp sim --ideal` to see what was proved, to the nanosecond",
            ),
            draw=self._drawing(shown),
        )

    def _shown(self, title: str, trial: Trial, held: bool) -> Scenario:
        """The scenario of a trial. What is `held` lasts so long before it is mended that nobody doubts it."""
        wait_ns = self.rig.settling.patience_ns if held else 0
        events = [
            event.model_copy(update={"at": event.at + wait_ns}) if event.at >= trial.worst.to_ns else event
            for event in trial.events
        ]
        duration_ns = trial.duration_ns + wait_ns + _AFTER_NS
        update = {"title": title, "events": tuple(events), "duration": duration_ns}
        return self.inputs.scenario.model_copy(update=update)

    def _drawing(self, scenario: Scenario) -> Callable[[Path], None]:
        def draw(path: Path) -> None:
            from sim.plots import save_plot  # noqa: PLC0415  # matplotlib takes half a second to load

            save_plot(Network(scenario, self.inputs.source, dict(self.inputs.configs), ideal=True).run(), path)

        return draw


def _longest_ns(trial: Trial, address: str) -> int:
    """The longest stage without service in a trial, of those in which service returns."""
    return max(
        (
            fate.without_ns
            for stage in trial.stages
            if (fate := stage.fates[address]).masters and set(fate.masters) <= set(fate.usable)
        ),
        default=0,
    )


def _listed(problems: Sequence[Problem]) -> list[str]:
    lines = [combination_text(problem.trial) for problem in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"and {len(problems) - _LISTED} more")
    return lines
