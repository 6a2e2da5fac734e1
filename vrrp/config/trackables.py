"""What a file defines for instances and groups to follow, as it stands before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from vrrp.config.diagnostics import Report
from vrrp.config.following import Weight
from vrrp.config.model import BfdSession, TrackFile, TrackProcess, VrrpScript
from vrrp.config.script_security import Runnable, ScriptUsers
from vrrp.config.scripts import vrrp_script
from vrrp.config.subjects import BfdDraft, is_told, track_file, track_process
from vrrp.config.tree import Block


class Definitions:
    """Scripts, files, processes and BFD sessions, of each name the first.

    Args:
        users: as whom scripts run that name nobody.
        report: takes the diagnostics.

    Attributes:
        scripts, files, processes: by name.
        weights: what each weighs, by the keyword of the block that follows it, and by name.
        runnables: what the scripts run, the later ones of a name too, for keepalived looks at them all.
    """

    def __init__(self, users: ScriptUsers, report: Report) -> None:
        self._users = users
        self._report = report
        self._bfd: list[BfdSession] = []
        self._bfd_addresses: set[tuple[str, str]] = set()
        self.scripts: dict[str, VrrpScript] = {}
        self.files: dict[str, TrackFile] = {}
        self.processes: dict[str, TrackProcess] = {}
        self.weights: dict[str, dict[str, Weight]] = {
            keyword: {} for keyword in ("track_script", "track_file", "track_process", "track_bfd")
        }
        self.runnables: list[Runnable] = []

    @property
    def blocks(self) -> Mapping[str, Callable[[Block], None]]:
        """What reads which block in the VRRP process."""
        return {
            "bfd_instance": self._bfd_name,
            "track_file": self._file,
            "vrrp_script": self._script,
            "vrrp_track_file": self._file,
            "vrrp_track_process": self._process,
        }

    @property
    def bfd_sessions(self) -> tuple[BfdSession, ...]:
        """Those that the BFD process runs."""
        return tuple(self._bfd)

    def drop(self, scripts: Iterable[str]) -> None:
        """Scripts that keepalived does not run."""
        for name in scripts:
            self.scripts.pop(name, None)

    def _script(self, block: Block) -> None:
        read = vrrp_script(block, self._users, self._report)
        if read is None:
            return
        script, runnable = read
        self.runnables.append(runnable)
        known = self.scripts.setdefault(script.name, script)
        self.weights["track_script"].setdefault(script.name, Weight(script.weight, script.reverse))
        if known is not script:
            self._report.note(
                script.line,
                f"vrrp_script {script.name} is defined on line {known.line} already",
                "keepalived uses the first",
            )

    def _file(self, block: Block) -> None:
        found = track_file(block, self._report)
        if found is not None:
            self.files.setdefault(found.name, found)
            self.weights["track_file"].setdefault(found.name, Weight(found.weight, found.reverse))

    def _process(self, block: Block) -> None:
        found = track_process(block, self._report)
        if found is not None:
            self.processes.setdefault(found.name, found)
            self.weights["track_process"].setdefault(found.name, Weight(found.weight, found.reverse))

    def _bfd_name(self, block: Block) -> None:
        """The VRRP process takes the name and the weight; what is wrong with the rest, the BFD process says."""
        draft = BfdDraft(block.arguments[0], block.line)
        draft.read(block, self._report, {"weight"})
        if is_told("vrrp", block):
            self.weights["track_bfd"].setdefault(draft.name, draft.weight)

    def look_at_file(self, block: Block) -> None:
        """The checker process complains of a track_file as well."""
        track_file(block, self._report)

    def bfd_session(self, block: Block) -> None:
        """Take in a block as the BFD process reads it."""
        draft = BfdDraft(block.arguments[0], block.line)
        draft.read(block, self._report)
        session = draft.close(block.end, self._bfd_addresses, self._report)
        if session is not None:
            self._bfd.append(session)
