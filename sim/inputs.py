"""From what the user names - a scenario file, or the nodes' keepalived.conf files - to what a run needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.faults import FAULTS
from sim.haproxy.factory import read_balancers
from sim.network import ReloadKey, reload_key
from sim.scenario import Scenario, ScenarioSource, load_scenario, read_scenario
from sim.scenario_file import ScenarioError
from sim.script import Step
from sim.script_file import MAX_SCRIPT_SIZE, ScriptFileError, read_script
from sim.topology import lay_out
from vrrp.config import Diagnostic, ParsedConfig, Severity, Verdict, load
from vrrp.config.haproxy import ParsedHaproxy
from vrrp.config.language.line import file_of
from vrrp.config.router_config import ConversionError, convert
from vrrp.durations import duration_text, parse_duration
from vrrp.protocol.profile import profile_named
from vrrp.protocol.settings import RouterConfig

AFTER_LAST_EVENT_NS = 20_000_000_000
SHORTEST_NS = 30_000_000_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """A checked scenario with each node's router configuration, the files it came from, and what to tell the user.

    `files` has the nodes' in their order, then those of reloads, then each haproxy.cfg.
    """

    scenario: Scenario
    source: ScenarioSource
    configs: Mapping[str, RouterConfig]
    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...]
    notes: tuple[str, ...]
    reloads: Mapping[ReloadKey, RouterConfig] = field(default_factory=dict)
    """The configurations that reload events change to."""
    parsed: Mapping[str, ParsedConfig] = field(default_factory=dict)
    """What stands in each node's file."""
    parsed_reloads: Mapping[ReloadKey, ParsedConfig] = field(default_factory=dict)

    scripts: Mapping[str, Mapping[str, Sequence[Step]]] = field(default_factory=dict)
    """What the check scripts look at that stand beside a node's keepalived.conf, by node and name."""
    balancers: Mapping[str, ParsedHaproxy] = field(default_factory=dict)
    """What stands in each node's haproxy.cfg."""

    @property
    def texts(self) -> Mapping[str, str]:
        """What stands in each configuration file, read now: only a report shows it. Raises OSError."""
        return {str(file): file.read_text(encoding="utf-8", errors="replace") for file in self.files}


def from_scenario(path: Path) -> Inputs:
    """Read a scenario file and the configurations it names. ScenarioError for anything wrong, in one line."""
    try:
        scenario, source = load_scenario(path)
    except OSError as error:
        raise ScenarioError(str(path), None, _os_phrase(error)) from error
    return _gather(scenario, source, {})


def from_files(
    files: Sequence[Path],
    *,
    events: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    profile: str = "keepalived",
    seed: int = 1,
) -> Inputs:
    """A scenario made of the nodes' keepalived.conf files alone, and events as "10s a crash".

    Each file is a node named after it (after its folder where the files are all named alike), and read for the
    configuration id of that name; interfaces that share a VRID share a segment; addresses nobody gave are taken from
    the virtual addresses' networks.
    """
    names = _node_names(files)
    parsed = {}
    for name, file in zip(names, files, strict=True):
        parsed[name] = _load(file, environment or {}, name, ScenarioSource(str(file), "", Path()), ())
    named = dict(zip(names, files, strict=True))
    return from_configs(parsed, named, events=events, environment=environment, profile=profile, seed=seed)


def from_configs(
    parsed: Mapping[str, ParsedConfig],
    files: Mapping[str, Path],
    *,
    events: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    profile: str = "keepalived",
    seed: int = 1,
) -> Inputs:
    """The same of configurations read already, each with at least one instance, by the names of their nodes."""
    data: dict[str, Any] = lay_out({name: one.config for name, one in parsed.items()})
    for name, one in parsed.items():
        data["nodes"][name] |= {"keepalived": str(files[name]), "environment": dict(environment or {})}
        if one.config_id not in {None, name}:
            data["nodes"][name]["config_id"] = one.config_id
    data["events"] = [_parse_event(event) for event in events]
    longest_ns = max([parse_duration(event["at"]) for event in data["events"]], default=0)
    duration_ns = max(SHORTEST_NS, longest_ns + AFTER_LAST_EVENT_NS)
    title = " ".join(parsed)
    data |= {"title": title, "duration": duration_text(duration_ns), "seed": seed, "profile": profile}
    source = _CommandLine("--event", "", Path())
    return _gather(read_scenario(data, source), source, parsed)


class _CommandLine(ScenarioSource):
    """Errors about a scenario nobody wrote: they name the option instead of a file and line."""

    def error(self, path: tuple[str | int, ...], message: str) -> ScenarioError:
        """An error about an event names the option; about the topology, the node."""
        return ScenarioError(self.file if path and path[0] == "events" else "topology", None, message)


def _gather(scenario: Scenario, source: ScenarioSource, known: Mapping[str, ParsedConfig]) -> Inputs:
    reader = _Reader(scenario, source)
    configs: dict[str, RouterConfig] = {}
    parsed: dict[str, ParsedConfig] = {}
    where: tuple[str | int, ...]
    for name, node in scenario.nodes.items():
        where = ("nodes", name, "keepalived")
        configs[name], parsed[name] = reader.read(name, node.keepalived, node.environment, where, known.get(name))
    reloads: dict[ReloadKey, RouterConfig] = {}
    parsed_reloads: dict[ReloadKey, ParsedConfig] = {}
    for index, event in enumerate(scenario.events):
        key, spec = reload_key(event), scenario.nodes.get(event.node or "")
        changes = event.keepalived is not None or event.environment is not None
        if event.action == "reload" and changes and spec is not None and key not in reloads:
            where = ("events", index, "keepalived")
            environment = spec.environment | (event.environment or {})
            file = event.keepalived or spec.keepalived
            reloads[key], parsed_reloads[key] = reader.read(key[0], file, environment, where)
    notes = reader.notes
    balancers = read_balancers(scenario, source, notes)
    scripts = {
        name: read_scripts(one, source.folder / node.keepalived, node.environment, notes)
        for (name, node), one in zip(scenario.nodes.items(), parsed.values(), strict=True)
    }
    return Inputs(
        scenario,
        source,
        configs,
        files=(*reader.files, *(Path(one.file) for one in balancers.values())),
        diagnostics=tuple(reader.diagnostics),
        notes=tuple(notes),
        reloads=reloads,
        parsed=parsed,
        parsed_reloads=parsed_reloads,
        scripts=scripts,
        balancers=balancers,
    )


def read_scripts(
    parsed: ParsedConfig, file: Path, environment: Mapping[str, str], notes: list[str]
) -> dict[str, tuple[Step, ...]]:
    """What the check scripts of a file look at that stand beside it; `notes` gets a line for each not understood."""
    found = {}
    for script in parsed.config.scripts.values():
        words = script.command.split()
        beside = file.parent / Path(words[0]).name if words else file
        if not words or not beside.is_file():
            continue
        try:
            with beside.open("rb") as opened:
                text = opened.read(MAX_SCRIPT_SIZE).decode("utf-8", "replace")
            found[script.name] = read_script(text, environment)
        except ScriptFileError as error:
            notes.append(f"{beside}:{error.line}: {error}; script {script.name} passes unless an event says otherwise")
        except OSError as error:
            notes.append(f"{beside}: {_os_phrase(error)}; script {script.name} passes unless an event says otherwise")
    return found


class _Reader:
    """Reads the configurations that a scenario names, and collects what there is to say about them."""

    def __init__(self, scenario: Scenario, source: ScenarioSource) -> None:
        self._scenario = scenario
        self._source = source
        self.files: list[Path] = []
        self.diagnostics: list[Diagnostic] = []
        self.notes: list[str] = []

    def read(
        self,
        node: str,
        name: str,
        environment: Mapping[str, str],
        where: tuple[str | int, ...],
        parsed: ParsedConfig | None = None,
    ) -> tuple[RouterConfig, ParsedConfig]:
        """A node's router by the file of this name, and what the file says; ScenarioError: what is wrong with it."""
        file = self._source.folder / name
        spec = self._scenario.nodes[node]
        parsed = parsed or _load(file, environment, spec.config_id or node, self._source, where)
        # Who may write the scripts changes nothing of what happens.
        self.diagnostics += [one for one in parsed.diagnostics if one.verdict is not Verdict.SCRIPTS_UNSAFE]
        try:
            profile = profile_named(spec.profile or self._scenario.profile)
            conversion = convert(parsed.config, profile)
        except ConversionError as error:
            raise ScenarioError(file_of(error.line or 0, str(file)), error.line, str(error)) from error
        self.notes += conversion.notes
        self.files += [file, *(Path(name) for name in parsed.texts if name != str(file))]
        return conversion.router, parsed


def _load(
    file: Path, environment: Mapping[str, str], config_id: str, source: ScenarioSource, where: tuple[str | int, ...]
) -> ParsedConfig:
    try:
        parsed = load(file, environment=environment, config_id=config_id)
    except OSError as error:
        message = f"{file}: {_os_phrase(error)}" if where else _os_phrase(error)
        raise source.error(where, message) from error
    except ValueError as error:
        raise source.error(where, f"{str(file)!r} is no file name: {error}") from error
    if parsed.refused or not parsed.config.instances:
        errors = [d for d in parsed.diagnostics if d.severity is Severity.ERROR]
        first = next((d for d in errors if d.fatal), errors[0] if errors else None)
        message = f"{first.message}; {first.instead}" if first else "no vrrp_instance in it; nothing to run"
        raise ScenarioError(first.file if first else str(file), first.line if first else None, message)
    return parsed


def _os_phrase(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _node_names(files: Sequence[Path]) -> list[str]:
    """File stems, or folder names where the stems are alike; numbered where even those are."""
    for names in ([file.stem for file in files], [file.resolve().parent.name for file in files]):
        if len(set(names)) == len(names):
            return names
    return [f"{file.stem}{number}" for number, file in enumerate(files, 1)]


def _parse_environment(word: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in word.split(",")]
    if not all(name and equals for name, equals, _ in pairs):
        raise ValueError(word)
    return {name: value for name, _, value in pairs}


def _parse_event(text: str) -> dict[str, Any]:
    """An event of the command line: time, node, action and what the action needs, in that order.

    "10s a crash", "10s a link-down eth0", "5s lan partition a,b|c", "5s lan loss 0.3".
    """
    words = text.split()
    if len(words) < 3:
        raise ScenarioError("--event", None, f'{text!r}: write time, node and action, like "10s a crash"')
    at, subject, action, *rest = words
    try:
        parse_duration(at)
    except ValueError as error:
        raise ScenarioError("--event", None, str(error)) from error
    event: dict[str, Any] = {"at": at, "action": action}
    fault = FAULTS.get(action)
    keys = list(fault.needs + fault.may) if fault is not None else ["node"]
    event[keys[0]] = subject
    if len(rest) > len(keys) - 1:
        raise ScenarioError("--event", None, f"{text!r}: {action} takes no {rest[len(keys) - 1]!r}")
    for key, word in zip(keys[1:], rest, strict=False):
        read, example = _WORDS.get(key, (str, ""))
        try:
            event[key] = read(word)
        except ValueError as error:
            raise ScenarioError("--event", None, f"{text!r}: {word!r} is no {key}; write {example}") from error
    return event


_WORDS: dict[str, tuple[Callable[[str], object], str]] = {
    "groups": (lambda word: [part.split(",") for part in word.split("|")], ""),
    "rate": (float, "0.3"),
    "value": (int, "-5"),
    "count": (int, "2"),
    "environment": (_parse_environment, "STATE=BACKUP,PRIO=99"),
}
"""How the words of an event that are not simply names are read, and what a good one looks like."""
