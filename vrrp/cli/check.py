"""`vrrp check`: what is wrong with the configurations of a cluster, before it is deployed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vrrp.cli.environment import parse_environment
from vrrp.cli.errors import BadInput, unreadable
from vrrp.interfaces import local_interfaces
from vrrp.whole_file import replacing, write_text
from vrrp.words import nearest, visible

if TYPE_CHECKING:
    from vrrp.check import Cluster, Finding
    from vrrp.check.inputs import Inputs

_RANKS = {"never": 0, "error": 1, "warning": 2, "note": 3}
# Simulating takes seconds for each cluster: of more files it is done only when asked for.
_MOST_PROVED = 8
_OUTPUT = click.Path(path_type=Path, allow_dash=True, dir_okay=False)


def _explain(context: click.Context, _: click.Parameter, name: str | None) -> None:
    """`--explain RULE`, which needs no files."""
    if name is None:
        return
    from vrrp.check.rule import catalogue
    from vrrp.cli.findings import explained

    rules = catalogue()
    wanted = name.upper() if name.upper().startswith("VRRP-") else f"VRRP-{name.upper()}"
    if wanted == "VRRP-ALL":
        for rule in rules.values():
            click.echo(f"{rule.id} {rule.severity.value:8}{rule.title}{' (--advice)' * rule.advice}")
    elif wanted in rules:
        for line in explained(rules[wanted]):
            click.echo(line)
    else:
        raise click.UsageError(f"there is no rule {name!r}; {nearest(wanted, rules)}", context)
    context.exit(0)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="Fills ${NAME} in the files.")
@click.option(
    "--config-id",
    "-i",
    multiple=True,
    metavar="ID",
    help="Reads lines that begin with @ID; given several times, each file is that of as many nodes.",
)
@click.option("--sysctl", multiple=True, metavar="NAME=VALUE", help="A kernel setting of the nodes.")
@click.option("--interfaces", is_flag=True, help="Also look whether this machine has the interfaces named.")
@click.option(
    "--local",
    is_flag=True,
    help="The files are for this machine: also its interfaces, users, scripts and kernel settings.",
)
@click.option("--cloud", is_flag=True, help="The nodes run where multicast and foreign MAC addresses are filtered.")
@click.option("--keepalived-version", metavar="VERSION", help="What the nodes run: names keywords that it lacks.")
@click.option("--select", multiple=True, metavar="RULES", help="Only these, by prefixes: VRRP-E,W012.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these, by prefixes.")
@click.option("--advice", is_flag=True, help="Also what could be better in a configuration that is right.")
@click.option("--proof/--no-proof", default=None, help="Prove what concerns behaviour by simulation [few files: yes].")
@click.option("--proofs", type=click.Path(path_type=Path, file_okay=False), help="Write scenarios and pictures here.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, in the files.")
@click.option("--diff", is_flag=True, help="Show what --fix would change; change nothing.")
@click.option("--format", "form", type=click.Choice(["text", "concise", "github"]), default="text", show_default=True)
@click.option("--json", "json_file", type=_OUTPUT, help="Write JSON; - is standard output.")
@click.option("--sarif", "sarif_file", type=_OUTPUT, help="Write SARIF 2.1.0; - is standard output.")
@click.option(
    "--fail-on",
    type=click.Choice(list(_RANKS)),
    default="warning",
    show_default=True,
    help="The least severity for exit status 1.",
)
@click.option(
    "--explain",
    metavar="RULE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="All about one rule, or all.",
)
def command(
    files: tuple[Path, ...],
    environment: tuple[str, ...],
    config_id: tuple[str, ...],
    sysctl: tuple[str, ...],
    interfaces: bool,
    local: bool,
    cloud: bool,
    keepalived_version: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    advice: bool,
    proof: bool | None,
    proofs: Path | None,
    fix: bool,
    diff: bool,
    form: str,
    json_file: Path | None,
    sarif_file: Path | None,
    fail_on: str,
) -> int:
    """Say what is wrong with a cluster's configurations, where, why it hurts, and what mends it.

    FILES are the keepalived.conf of all nodes together; beside them haproxy.cfg, frr.conf, sysctl.conf, check
    scripts and containers' manifests: what stands in a file tells which it is. Which nodes belong together is told by
    what their instances share, so the files of many sites may be given at once.

    A comment `# vrrp-check: ignore[VRRP-W012]` silences a line, `ignore-file[...]` a file.
    """
    from vrrp.check import Facts
    from vrrp.check.inputs import read_inputs
    from vrrp.check.lint import lint, texts
    from vrrp.check.silence import prefixes_of
    from vrrp.linux.machine import ThisMachine, kernel_settings

    rules = [prefixes_of(",".join(given)) for given in (select, ignore)]
    values = parse_environment(environment)
    release = None if keepalived_version is None else _release(keepalived_version)
    settings = (kernel_settings() if local else {}) | parse_environment(sysctl)
    facts = Facts(settings, cloud, local_interfaces() if interfaces or local else None, release)
    host = ThisMachine() if local else None

    def read() -> Inputs:
        try:
            return read_inputs(files, values, facts, config_id, host)
        except OSError as error:
            raise unreadable(error, error.filename) from error

    def checked(inputs: Inputs) -> tuple[list[Cluster], list[Finding]]:
        clusters = inputs.clusters()
        prove = len(inputs.keepalived) <= _MOST_PROVED if proof is None else proof
        with _progress() as show:
            found = lint(clusters, proof=prove, select=rules[0], ignore=rules[1], advice=advice, progress=show)
            return clusters, found

    clusters, found = checked(read())
    if fix or diff:
        mended = _mend(texts(clusters), found, write=not diff, show=form == "text")
        if mended and not diff:
            clusters, found = checked(read())
    if proofs is not None:
        _write_proofs(proofs, found)
    _write(json_file, sarif_file, clusters, found)
    if "-" not in {str(json_file), str(sarif_file)} and not diff:
        _show(found, clusters, len(files), form)
    return int(any(_RANKS[one.severity.value] <= _RANKS[fail_on] for one in found))


def _release(version: str) -> str:
    from vrrp.config.keyword_versions import release_named

    try:
        return release_named(version)
    except ValueError as error:
        raise BadInput(f"--keepalived-version: {error}") from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None] | None]:
    """What is being done, on a terminal."""
    from rich.console import Console

    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield None
        return
    with errors.status("reading") as status:
        yield status.update


def _mend(before: dict[str, str], found: Sequence[Finding], *, write: bool, show: bool) -> int:
    """Make the fixes; how many files they change."""
    from vrrp.check.mending import difference, mended

    after = mended(before, found)
    for file, text in after.items():
        if write:
            with replacing(Path(file).resolve()) as whole:
                whole.write(text.encode("utf-8", "surrogateescape"))
            if show:
                click.echo(f"mended {visible(file)}", err=True)
        else:
            for row in difference(file, before[file], text):
                click.echo(visible(row))
    return len(after)


def _write(
    json_file: Path | None, sarif_file: Path | None, clusters: Sequence[Cluster], found: Sequence[Finding]
) -> None:
    from vrrp.check.sarif import sarif
    from vrrp.cli.findings import as_json, clusters_as_json

    if json_file is not None:
        told = {"findings": [as_json(one) for one in found], "clusters": clusters_as_json(clusters)}
        write_text(json_file, json.dumps(told, indent=1) + "\n")
    if sarif_file is not None:
        write_text(sarif_file, json.dumps(sarif(found), indent=1) + "\n")


def _write_proofs(folder: Path, found: Sequence[Finding]) -> None:
    """The scenario of each finding that has one, and its picture."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder}: {(error.strerror or str(error)).lower()}") from error
    count: dict[str, int] = {}
    for one in found:
        if one.scenario or one.draw is not None:
            count[one.rule] = count.get(one.rule, 0) + 1
            name = f"{one.rule}-{count[one.rule]}"
            if one.scenario:
                write_text(folder / f"{name}.toml", one.scenario)
            if one.draw is not None:
                one.draw(folder / f"{name}.png")


def _show(found: Sequence[Finding], clusters: Sequence[Cluster], files: int, form: str) -> None:
    from vrrp.check.lint import by_severity, texts
    from vrrp.cli.findings import Sources, headline, told, workflow_command

    if form == "github":
        lines: Iterator[str] = map(workflow_command, found)
    elif form == "concise":
        lines = map(headline, found)
    else:
        lines = told(found, Sources(texts(clusters)))
    for line in lines:
        click.echo(line)
    if form == "github":
        return
    count = len(found)
    parts = [f"{n} {kind}{'s' * (n != 1)}" for kind, n in by_severity(found).items() if n]
    fixes = sum(bool(one.fix) for one in found)
    click.echo(
        f"{files} file{'s' * (files != 1)} read, {count or 'no'} finding{'s' * (count != 1)}"
        + (f": {', '.join(parts)}" if count else "")
        + (f"; --fix mends {fixes}" if fixes else "")
        + (f"; {len(clusters)} clusters that share no virtual router" if len(clusters) > 1 else "")
    )
