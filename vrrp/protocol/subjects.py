"""All that the virtual routers of a host follow, and who follows what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from vrrp.protocol.settings import (
    RouterConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.tracking import FileTracker, Link, ProcessTracker, ScriptTracker, Subject

Timed: TypeAlias = ScriptTracker | ProcessTracker | Link
Tracked: TypeAlias = TrackedScript | TrackedInterface | TrackedFile | TrackedProcess


class Followed(NamedTuple):
    """Something followed, and what it weighs there."""

    subject: Subject
    weight: int
    reverse: bool

    @property
    def influence(self) -> int | None:
        """What it adds to the priority now; None: it holds its follower in FAULT."""
        return self.subject.influence(self.weight, self.reverse)


class Subjects:
    """The scripts, links, files and processes of one host, by name."""

    def __init__(self, config: RouterConfig, interfaces: Iterable[str]) -> None:
        self.scripts = {script.name: ScriptTracker(script) for script in config.scripts}
        delays = {one.name: (one.up_ns, one.down_ns) for one in config.link_delays}
        self.links = {name: Link(name, *delays.get(name, ())) for name in interfaces}
        self.files = {file.name: FileTracker(file) for file in config.files}
        self.processes = {process.name: ProcessTracker(process) for process in config.processes}
        self.timed: tuple[Timed, ...] = (
            *self.scripts.values(),
            *self.processes.values(),
            *(link for name, link in self.links.items() if name in delays),
        )
        """Those with a time of their own to wake up."""

    def remember(self, before: Subjects) -> None:
        """Take over what was known of those of the same name."""
        for name, script in self.scripts.items():
            if name in before.scripts:
                script.remember(before.scripts[name])
        for name, link in self.links.items():
            if name in before.links:
                link.settle(before.links[name].up)
        for name, file in self.files.items():
            if name in before.files:
                file.value = before.files[name].value
        for name, process in self.processes.items():
            if name in before.processes:
                process.found(before.processes[name].count)

    def followed_by(self, config: VirtualRouterConfig, group: SyncGroupConfig | None) -> tuple[Followed, ...]:
        """What a virtual router, a member of `group` or of none, follows; ValueError for what there is not.

        An owner's priority moves for nothing, so what has a weight is not even looked at.
        """
        own = list(self._find(config))
        if group is not None and not group.tracking_weight:
            own = [one for one in map(_unweighted, own) if one is not None]
        subjects = {one.subject for one in own}
        theirs = self._find(group) if group is not None else ()
        followed = [*own, *(one for one in theirs if one.subject not in subjects)]
        if config.owner:
            followed = [one for one in followed if not one.weight]
        primary = Followed(self.links[config.interface], 0, False)
        if config.track_own_interface and primary not in followed:
            followed.append(primary)
        return tuple(followed)

    def _find(self, follower: VirtualRouterConfig | SyncGroupConfig) -> Iterator[Followed]:
        kinds: tuple[tuple[str, tuple[Tracked, ...], Mapping[str, Subject]], ...] = (
            ("track script", follower.track_scripts, self.scripts),
            ("interface", follower.track_interfaces, self.links),
            ("track file", follower.track_files, self.files),
            ("track process", follower.track_processes, self.processes),
        )
        for kind, tracked, known in kinds:
            for one in tracked:
                if one.name not in known:
                    tail = " to track" if kind == "interface" else ""
                    raise ValueError(f"{follower.name}: there is no {kind} {one.name!r}{tail}")
                yield Followed(known[one.name], one.weight, one.reverse)


def _unweighted(one: Followed) -> Followed | None:
    """What is left of something with a weight where the sync group alone gives weights; None: nothing."""
    if not one.weight or isinstance(one.subject, ProcessTracker):
        return one
    return Followed(one.subject, 0, one.reverse) if isinstance(one.subject, Link) else None
