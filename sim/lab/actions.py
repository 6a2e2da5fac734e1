"""What an event of a scenario is, for real: its actions as one table, beside that of the simulator."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sim.network import reload_key
from sim.process import ScriptOutcome
from sim.scenario import EventSpec

if TYPE_CHECKING:
    from sim.lab.laboratory import Laboratory

_Act = Callable[["Laboratory", EventSpec], None]


def _start(lab: Laboratory, event: EventSpec) -> None:
    lab.start(event.node or "")


def _stop(lab: Laboratory, event: EventSpec) -> None:
    lab.nodes[event.node or ""].stop()
    lab.ended(event.node or "", "stopped (SIGTERM)")


def _crash(lab: Laboratory, event: EventSpec) -> None:
    lab.nodes[event.node or ""].crash()
    lab.ended(event.node or "", "killed (SIGKILL)")


def _crash_one(child: bool) -> _Act:
    def act(lab: Laboratory, event: EventSpec) -> None:
        lab.nodes[event.node or ""].crash_one(child)
        lab.ended(event.node or "", "killed (SIGKILL)" if child else "its parent was killed")

    return act


def _signal(what: signal.Signals) -> _Act:
    def act(lab: Laboratory, event: EventSpec) -> None:
        lab.nodes[event.node or ""].signal(what)

    return act


def _script(outcome: ScriptOutcome) -> _Act:
    def act(lab: Laboratory, event: EventSpec) -> None:
        lab.nodes[event.node or ""].controls.set_script(outcome, event.script)

    return act


def _processes(otherwise: int | None) -> _Act:
    def act(lab: Laboratory, event: EventSpec) -> None:
        count = otherwise if event.count is None else event.count
        lab.nodes[event.node or ""].controls.set_processes(event.process, count)

    return act


def _link(up: bool) -> _Act:
    return lambda lab, event: lab.set_link(event.node or "", event.interface or "", up)


def _balancer(method: str) -> _Act:
    def act(lab: Laboratory, event: EventSpec) -> None:
        getattr(lab.services.balancers[event.node or ""], method)()

    return act


def _server_kill(lab: Laboratory, event: EventSpec) -> None:
    lab.services.servers[event.server or ""].kill()


def _server_slow(lab: Laboratory, event: EventSpec) -> None:
    assert event.delay is not None  # a needed key
    lab.services.servers[event.server or ""].behave(latency=event.delay)


def _server_status(lab: Laboratory, event: EventSpec) -> None:
    lab.services.servers[event.server or ""].behave(status=event.status)


def _server_silent(lab: Laboratory, event: EventSpec) -> None:
    lab.services.servers[event.server or ""].silence()


def _reload(lab: Laboratory, event: EventSpec) -> None:
    lab.nodes[event.node or ""].reload(lab.setting.later_configs.get(reload_key(event)))


def _file_set(lab: Laboratory, event: EventSpec) -> None:
    lab.nodes[event.node or ""].controls.set_file(event.file or "", event.value or 0)


ACTIONS: Mapping[str, _Act] = {
    "start": _start,
    "stop": _stop,
    "crash": _crash,
    "crash-parent": _crash_one(child=False),
    "crash-child": _crash_one(child=True),
    "reload": _reload,
    "power-off": lambda lab, event: lab.power_off(event.node or ""),
    "pause": _signal(signal.SIGSTOP),
    "resume": _signal(signal.SIGCONT),
    "link-down": _link(up=False),
    "link-up": _link(up=True),
    "script-fail": _script(ScriptOutcome.FAIL),
    "script-pass": _script(ScriptOutcome.PASS),
    "script-hang": _script(ScriptOutcome.HANG),
    "file-set": _file_set,
    "process-die": _processes(0),
    "process-start": _processes(None),
    "partition": lambda lab, event: lab.switches[event.segment or ""].partition(event.groups or ()),
    "heal": lambda lab, event: lab.switches[event.segment or ""].partition(()),
    "loss": lambda lab, event: lab.switches[event.segment or ""].lose(event.rate or 0.0),
    "server-down": _server_kill,
    "server-up": lambda lab, event: lab.serve(event.server or ""),
    "server-slow": _server_slow,
    "server-status": _server_status,
    "server-silent": _server_silent,
    "haproxy-kill": _balancer("kill"),
    "haproxy-start": _balancer("start"),
    "haproxy-stop": _balancer("stop"),
    "haproxy-reload": _balancer("reload"),
}
"""What an event of a scenario is, for real; `delay` is none of them."""
BY_SIGNAL = frozenset(
    {
        "stop", "crash", "crash-child", "crash-parent", "power-off", "reload", "pause", "resume",
        "server-down", "haproxy-kill", "haproxy-stop",
    }
)  # fmt: skip
"""Those that are done the moment a signal is sent."""
