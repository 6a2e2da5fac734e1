"""What a node's check scripts, files and processes do is the scenario's: the configuration is made to look at these.

Nothing that a configuration names is run or read: a check script is replaced by one that does as its control file
says, or looks at what the simulator takes the script to look at, a followed file by one of ours, a followed process
by a program of a name of its own; notify scripts are left out, and so is whatever else would reach out of the
laboratory.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim.lab.namespace import Namespace
from sim.process import ScriptOutcome
from vrrp.config.model import GlobalDefs, KeepalivedConfig, Option
from vrrp.whole_file import write_text

_SCRIPT = """\
#!/bin/sh
read -r outcome < {control}
case $outcome in
passes) exit 0 ;;
fails) exit 1 ;;
hangs) exec sleep 86400 ;;
esac
{looks}"""
_LOOKS = "looks"
_LASTING = "/bin/sleep"
_KEPT_OPTIONS = frozenset(
    {
        "checker_priority", "checker_rt_priority", "max_auto_priority", "min_auto_priority_delay", "random_seed",
        "vrrp_iptables", "vrrp_ipsets", "vrrp_min_garp", "vrrp_no_swap", "vrrp_priority", "vrrp_rlimit_rttime",
        "vrrp_rt_priority", "vrrp_rx_bufs_multiplier", "vrrp_rx_bufs_policy", "nftables", "vrrp_cpu_affinity",
        "vrrp_garp_extra_if", "vrrp_allow_no_vips", "disable_local_igmp", "v3_checksum_as_v2",
    }
)  # fmt: skip
"""Of what only the kernel side uses, the global settings that neither run a program nor write a file nor send mail."""


class Controls:
    """The check scripts, files and processes of one node.

    Args:
        number: of the node among those of its machine: programs of one name are counted wherever they run.
        namespace: where its programs run.
        folder: for the files.
        looks: what check scripts do that really look, as lines of shell, by their names; the others pass.
    """

    def __init__(
        self, number: str, namespace: Namespace, folder: Path, looks: Mapping[str, str] | None = None
    ) -> None:
        self._number = number
        self._namespace = namespace
        self._folder = folder
        self._looks = looks or {}
        self._scripts: dict[str, Path] = {}
        self._outcomes: dict[str, ScriptOutcome] = {}
        self._default: ScriptOutcome | None = None
        self._files: dict[str, Path] = {}
        self._programs: dict[str, Path] = {}
        self._quorums: dict[str, int] = {}
        self._running: dict[str, list[subprocess.Popen[bytes]]] = {}

    def take(self, config: KeepalivedConfig) -> KeepalivedConfig:
        """The configuration that looks at these instead; may be called again, for a reload."""
        scripts = {
            name: replace(script, command=f"/bin/sh {self._script(name)}") for name, script in config.scripts.items()
        }
        files = {name: replace(file, path=str(self._file(name))) for name, file in config.track_files.items()}
        processes = {}
        for name, process in config.track_processes.items():
            program = self._program(name, max(1, process.quorum))
            processes[name] = replace(process, command=str(program), full_command=False, match=None)
        return replace(
            config,
            globals=_quiet(config.globals),
            scripts=scripts,
            track_files=files,
            track_processes=processes,
            instances=tuple(replace(one, notify={}, options=_silent(one.options)) for one in config.instances),
            sync_groups=tuple(replace(one, notify={}, options=_silent(one.options)) for one in config.sync_groups),
            virtual_servers=(),
            virtual_server_groups=(),
            ssl=None,
            options=(),
        )

    def _place(self, kind: str, known: Mapping[str, Path], name: str) -> Path:
        return known.get(name) or self._folder / f"{kind}{len(known)}"

    def _script(self, name: str) -> Path:
        path = self._scripts[name] = self._place("script", self._scripts, name)
        write_text(path, _SCRIPT.format(control=f"{path}.control", looks=self._looks.get(name, "")))
        self._tell(name)
        return path

    def _tell(self, name: str) -> None:
        outcome = self._outcomes.get(name, self._default)
        write_text(Path(f"{self._scripts[name]}.control"), f"{_LOOKS if outcome is None else outcome.value}\n")

    def set_script(self, outcome: ScriptOutcome, name: str | None) -> None:
        """How a check script (None: each) behaves from its next run on."""
        if name is None:
            self._outcomes.clear()
            self._default = outcome
        else:
            self._outcomes[name] = outcome
        for known in self._scripts:
            self._tell(known)

    def _file(self, name: str) -> Path:
        path = self._files[name] = self._place("file", self._files, name)
        return path

    def set_file(self, name: str, value: int) -> None:
        """Another number stands in a followed file."""
        write_text(self._files[name], f"{value}\n")

    def _program(self, name: str, quorum: int) -> Path:
        """A program that does nothing for long, under a name of 15 characters at most, all that the kernel keeps."""
        path = self._programs[name] = self._place(f"v{self._number}p", self._programs, name)
        if not path.exists():
            path.symlink_to(_LASTING)
        self._quorums[name] = quorum
        return path

    def run_programs(self) -> None:
        """Before the node starts: of each followed process as many as are enough."""
        self.set_processes(None, None)

    def set_processes(self, name: str | None, count: int | None) -> None:
        """So many processes of a kind (None: of each) run now; None: as many as are enough."""
        for kind, path in self._programs.items():
            if name not in {None, kind}:
                continue
            running = self._running.setdefault(kind, [])
            wanted = self._quorums[kind] if count is None else count
            while len(running) > wanted:
                ended = running.pop()
                ended.send_signal(signal.SIGKILL)
                ended.wait()
            while len(running) < wanted:
                running.append(self._namespace.start([str(path), "1000000"]))

    def end(self) -> None:
        """End the processes."""
        self.set_processes(None, 0)


def _quiet(settings: GlobalDefs) -> GlobalDefs:
    """Without what runs programs, writes files or sends mail; scripts are ours, so root runs them."""
    kept = tuple(one for one in settings.options if one.keyword in _KEPT_OPTIONS)
    return replace(settings, options=kept, script_user="root", enable_script_security=False)


def _silent(options: Sequence[Option] | Iterable[Option]) -> tuple[Option, ...]:
    return tuple(one for one in options if not one.keyword.startswith(("notify", "smtp")))
