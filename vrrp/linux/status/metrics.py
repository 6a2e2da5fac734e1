"""The status in Prometheus' text format, version 0.0.4. Names once given stay; all of them begin with vrrp_."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from vrrp.linux.status.document import Json

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATES = ("INITIALIZE", "BACKUP", "MASTER", "FAULT")
Sample: TypeAlias = tuple[dict[str, str], float]


@dataclass(frozen=True, slots=True)
class _Metric:
    """One metric: what it is, and its samples in a status document."""

    name: str
    kind: str
    explanation: str
    samples: Callable[[Json], Iterable[Sample]]


def _each(value: Callable[[Json], float | None]) -> Callable[[Json], Iterator[Sample]]:
    """One sample for each virtual router that has it."""

    def samples(document: Json) -> Iterator[Sample]:
        for row in document["vrrp"]:
            found = value(row)
            if found is not None:
                yield _labels(row), found

    return samples


def _labels(row: Json) -> dict[str, str]:
    data = row["data"]
    family = "ipv6" if any(":" in one for one in row["now"]["addresses"]) else "ipv4"
    return {"instance": data["iname"], "interface": data["ifp_ifname"], "vrid": str(data["vrid"]), "family": family}


def _states(document: Json) -> Iterator[Sample]:
    for row in document["vrrp"]:
        for state in _STATES:
            yield _labels(row) | {"state": state}, row["now"]["state"] == state


def _discarded(document: Json) -> Iterator[Sample]:
    for row in document["vrrp"]:
        for reason, count in row["now"]["discarded"].items():
            yield _labels(row) | {"reason": reason}, count


def _verdicts(heading: str, label: str) -> Callable[[Json], Iterator[Sample]]:
    def samples(document: Json) -> Iterator[Sample]:
        for row in document[heading]:
            if row["state"] != "unknown":
                yield {label: row["name"]}, row["state"] == "up"

    return samples


_Tables: TypeAlias = Mapping[str, tuple[str, ...]]
_CHECKS: _Tables = {"checks": ("virtual_server", "real_server", "check", "index"), "tracked_checks": ("name", "check")}
"""The tables of checkers, and what tells one from another in them."""
_VIRTUAL_SERVERS: _Tables = {"virtual_servers": ("virtual_server",)}
_REAL_SERVERS: _Tables = {"real_servers": ("virtual_server", "real_server")}


def _in(tables: _Tables, value: Callable[[Json], float | None]) -> Callable[[Json], Iterator[Sample]]:
    """One sample for each row that has it, where there are such tables."""

    def samples(document: Json) -> Iterator[Sample]:
        for heading, names in tables.items():
            for row in document.get(heading, ()):
                found = value(row)
                if found is not None:
                    yield {name: str(row[name]) for name in names}, found

    return samples


def _latency(row: Json) -> float | None:
    return None if row["latency_ms"] is None else row["latency_ms"] / 1000


_METRICS = (
    _Metric("vrrp_build_info", "gauge", "The daemon's version.", lambda d: [({"version": d["daemon"]["version"]}, 1)]),
    _Metric(
        "vrrp_start_time_seconds",
        "gauge",
        "When the daemon started, in seconds since 1970.",
        lambda d: [({}, d["daemon"]["started"])],
    ),
    _Metric(
        "vrrp_healthy", "gauge", "1 while no virtual router is in FAULT.", lambda d: [({}, d["daemon"]["healthy"])]
    ),
    _Metric("vrrp_instance_state", "gauge", "1 for the state that it is in, 0 for the others.", _states),
    _Metric(
        "vrrp_instance_last_transition_seconds",
        "gauge",
        "When its state changed last, in seconds since 1970.",
        _each(lambda row: row["now"]["since"]),
    ),
    _Metric(
        "vrrp_instance_priority",
        "gauge",
        "The effective priority, with what tracking adds and takes.",
        _each(lambda row: row["data"]["effective_priority"]),
    ),
    _Metric(
        "vrrp_instance_base_priority",
        "gauge",
        "The priority as configured.",
        _each(lambda row: row["data"]["base_priority"]),
    ),
    _Metric(
        "vrrp_instance_advert_interval_seconds",
        "gauge",
        "Between its own advertisements.",
        _each(lambda row: row["data"]["adver_int"]),
    ),
    _Metric(
        "vrrp_instance_addresses",
        "gauge",
        "How many virtual addresses it holds.",
        _each(lambda row: len(row["now"]["addresses"]) * row["data"]["vipset"]),
    ),
    _Metric(
        "vrrp_instance_adverts_sent_total",
        "counter",
        "Advertisements sent.",
        _each(lambda row: row["stats"]["advert_sent"]),
    ),
    _Metric(
        "vrrp_instance_adverts_received_total",
        "counter",
        "Advertisements that passed every check.",
        _each(lambda row: row["stats"]["advert_rcvd"]),
    ),
    _Metric(
        "vrrp_instance_priority_zero_sent_total",
        "counter",
        "Good-byes sent.",
        _each(lambda row: row["stats"]["pri_zero_sent"]),
    ),
    _Metric(
        "vrrp_instance_priority_zero_received_total",
        "counter",
        "Good-byes received.",
        _each(lambda row: row["stats"]["pri_zero_rcvd"]),
    ),
    _Metric("vrrp_instance_discarded_total", "counter", "Advertisements refused, by reason.", _discarded),
    _Metric(
        "vrrp_instance_became_master_total",
        "counter",
        "How often it became master.",
        _each(lambda row: row["stats"]["become_master"]),
    ),
    _Metric(
        "vrrp_instance_released_master_total",
        "counter",
        "How often it let go of being master.",
        _each(lambda row: row["stats"]["release_master"]),
    ),
    _Metric(
        "vrrp_strangers_total",
        "counter",
        "Packets that were for no virtual router here, by reason.",
        lambda d: [({"reason": reason}, count) for reason, count in d["daemon"]["strangers"].items()],
    ),
    _Metric("vrrp_script_up", "gauge", "1 while a track script succeeds.", _verdicts("track_scripts", "script")),
    _Metric(
        "vrrp_virtual_server_up",
        "gauge",
        "1 while a virtual server has its quorum.",
        _in(_VIRTUAL_SERVERS, lambda row: row["state"] == "up"),
    ),
    _Metric(
        "vrrp_virtual_server_weight",
        "gauge",
        "What its real servers that are up weigh together.",
        _in(_VIRTUAL_SERVERS, lambda row: row["weight"]),
    ),
    _Metric(
        "vrrp_real_server_up",
        "gauge",
        "1 while all checkers of a real server are up.",
        _in(_REAL_SERVERS, lambda row: row["state"] == "up"),
    ),
    _Metric(
        "vrrp_real_server_weight",
        "gauge",
        "What a real server weighs, with what checkers add and take.",
        _in(_REAL_SERVERS, lambda row: row["weight"]),
    ),
    _Metric("vrrp_interface_up", "gauge", "1 while an interface has a carrier.", _verdicts("interfaces", "interface")),
    _Metric(
        "vrrp_check_up",
        "gauge",
        "1 while a checker finds its server up.",
        _in(_CHECKS, lambda row: row["state"] == "up"),
    ),
    _Metric("vrrp_check_runs_total", "counter", "Checks that ended.", _in(_CHECKS, lambda row: row["checks"])),
    _Metric("vrrp_check_failures_total", "counter", "Checks that failed.", _in(_CHECKS, lambda row: row["failures"])),
    _Metric("vrrp_check_latency_seconds", "gauge", "How long the last check took.", _in(_CHECKS, _latency)),
)


def metrics(document: Json) -> str:
    """The whole text."""
    return "".join(line + "\n" for metric in _METRICS for line in _lines(metric, document))


def _lines(metric: _Metric, document: Json) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.explanation}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.samples(document):
        inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{{{inside}}} {_number(value)}" if inside else f"{metric.name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: Any) -> str:
    return repr(int(value)) if isinstance(value, bool | int) else repr(float(value))
