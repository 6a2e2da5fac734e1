"""What there is to follow, and the blocks in which instances and groups say that they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vrrp.config.model import (
    BfdSession,
    KeepalivedConfig,
    SyncGroup,
    Tracked,
    TrackFile,
    TrackProcess,
    VrrpInstance,
    VrrpScript,
)
from vrrp.config.subjects import BFD_TTL
from vrrp.config.values import SECOND_NS
from vrrp.config.writer.text import block, command, seconds, some_block, statement, word

# By the keyword the field of a session that is written where it is not as usual.
_BFD_SETTINGS: Mapping[str, str] = {
    **{keyword: f"{keyword}_ns" for keyword in ("min_rx", "min_tx", "idle_tx")},
    **{keyword: keyword for keyword in ("multiplier", "ttl", "max_hops")},
}


@dataclass(frozen=True, slots=True)
class Weights:
    """What follows from the definitions: by the keyword of the block and by name, the weight and its reversal."""

    defined: Mapping[str, Mapping[str, tuple[int, bool]]]

    @classmethod
    def of(cls, config: KeepalivedConfig) -> Weights:
        """Those of a configuration; interfaces weigh nothing."""
        return cls(
            {
                "track_script": {one.name: (one.weight, one.reverse) for one in config.scripts.values()},
                "track_interface": {},
                "track_file": {one.name: (one.weight, one.reverse) for one in config.track_files.values()},
                "track_process": {one.name: (one.weight, one.reverse) for one in config.track_processes.values()},
                "track_bfd": {one.name: (one.weight, one.reverse) for one in config.bfd_sessions},
            }
        )

    def blocks(self, follower: VrrpInstance | SyncGroup) -> Iterator[str]:
        """The blocks with what an instance or group follows."""
        ignored = follower.ignored_scripts if isinstance(follower, VrrpInstance) else ()
        yield from self._block("track_interface", follower.track_interfaces)
        yield from self._block("track_script", (*follower.track_scripts, *ignored))
        yield from self._block("track_file", follower.track_files)
        yield from self._block("track_process", follower.track_processes)
        yield from self._block("track_bfd", follower.track_bfd)

    def _block(self, keyword: str, followed: Iterable[Tracked]) -> Iterator[str]:
        yield from some_block(keyword, (self._line(keyword, one) for one in followed))

    def _line(self, keyword: str, one: Tracked) -> str:
        weight, reverse = self.defined[keyword].get(one.name, (0, False))
        if (one.weight, one.reverse) == (weight, reverse):
            return word(one.name)
        turned = "" if one.reverse == reverse else "reverse" if one.reverse else "noreverse"
        return statement(word(one.name), "weight", one.weight, turned)


def definitions(config: KeepalivedConfig) -> Iterator[Iterator[str]]:
    """The blocks of what there is to follow."""
    yield from (_script(one) for one in config.scripts.values())
    yield from (_file(one) for one in config.track_files.values())
    yield from (_process(one) for one in config.track_processes.values())
    yield from (_bfd(one) for one in config.bfd_sessions)
    # A session that is not run may be followed all the same.
    run = {one.name for one in config.bfd_sessions}
    followers: list[VrrpInstance | SyncGroup] = [*config.instances, *config.sync_groups]
    followed = {entry.name: None for one in followers for entry in one.track_bfd}
    yield from (block(statement("bfd_instance", word(name))) for name in followed if name not in run)


def _weight(one: VrrpScript | TrackFile | TrackProcess | BfdSession, usual: int = 0) -> Iterator[str]:
    if one.weight != usual or one.reverse:
        yield statement("weight", one.weight, "reverse" if one.reverse else "")


def _script(one: VrrpScript) -> Iterator[str]:
    lines = [statement("script", command(one.command)), statement("interval", one.interval_ns // SECOND_NS)]
    if one.timeout_ns != one.interval_ns:
        lines.append(statement("timeout", one.timeout_ns // SECOND_NS))
    lines += _weight(one)
    lines += [statement(keyword, runs) for keyword, runs in (("rise", one.rise), ("fall", one.fall)) if runs != 1]
    if one.init_fail:
        lines.append("init_fail")
    if one.user is not None:
        lines.append(statement("user", one.user))
    return block(statement("vrrp_script", word(one.name)), lines)


def _file(one: TrackFile) -> Iterator[str]:
    lines = [statement("file", word(one.path)), *_weight(one, usual=1)]
    if one.initial is not None:
        lines.append(statement("init_file", one.initial, "overwrite" if one.overwrite else ""))
    return block(statement("track_file", word(one.name)), lines)


def _process(one: TrackProcess) -> Iterator[str]:
    lines = [statement("process", " ".join(word(part) for part in one.command.split(" "))), *_weight(one)]
    if one.full_command:
        lines.append("full_command")
    if one.match is not None:
        lines.append(statement("param_match", "" if one.match == "exact" else one.match))
    if one.quorum_max is not None:
        lines.append(statement("quorum_max", one.quorum_max))
    if one.quorum != 1:
        lines.append(statement("quorum", one.quorum))
    delays = (("fork_delay", one.fork_delay_ns), ("terminate_delay", one.terminate_delay_ns))
    lines += [statement(keyword, seconds(delay_ns)) for keyword, delay_ns in delays if delay_ns]
    return block(statement("vrrp_track_process", word(one.name)), lines)


def _bfd(one: BfdSession) -> Iterator[str]:
    lines = [statement("neighbor_ip", one.neighbor)]
    if one.source is not None:
        lines.append(statement("source_ip", one.source))
    usual = BfdSession("", "", None, 0, False, 0, ttl=BFD_TTL[6 if ":" in one.neighbor else 4])
    for keyword, field in _BFD_SETTINGS.items():
        value = getattr(one, field)
        if value != getattr(usual, field):
            lines.append(statement(keyword, _milliseconds(value) if field.endswith("_ns") else value))
    if one.passive:
        lines.append("passive")
    return block(statement("bfd_instance", word(one.name)), lines, _weight(one))


def _milliseconds(interval_ns: int) -> str:
    return f"{interval_ns // 10**6}.{interval_ns // 1000 % 1000:03d}".rstrip("0").rstrip(".")
