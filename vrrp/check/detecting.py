"""A server that is gone: how soon HAProxy finds out, and how long clients wait for it until then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrrp.check.cluster import Cluster, Sidecar
from vrrp.check.finding import Finding, Place
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.diagnostics import Severity
from vrrp.config.haproxy.checks import CheckMethod, Connect, Expect, SendRequest, ServerCheck
from vrrp.config.haproxy.model import Backend, Server, Timeouts
from vrrp.protocol.timers import SECOND_NS

_RULES = rulebook("detecting")
_SLOW_NS = 10 * SECOND_NS
_VERY_SLOW_NS = 30 * SECOND_NS
_BY_HASH = frozenset({"source", "uri", "url_param", "hdr", "rdp-cookie"})
_API_SERVER = 6443
# What an API server tells those who do not log in; anything else is 403 to them.
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version")


@dataclass(frozen=True, slots=True)
class Detection:
    """How long after a server's death it is DOWN: it depends on when its last check was."""

    soonest_ns: int
    latest_ns: int

    def __str__(self) -> str:
        return f"{seconds(self.soonest_ns)} to {seconds(self.latest_ns)} s"


def when_refused(one: ServerCheck) -> Detection:
    """Of a server whose host answers for it with a RST: `fall` checks fail, all but the first after fastinter."""
    decided_ns = (one.fall - 1) * one.fastinter_ns
    return Detection(decided_ns, one.inter_ns + decided_ns)


def when_silent(one: ServerCheck, timeouts: Timeouts) -> Detection:
    """Of a server whose host is gone: each check takes its whole time before it fails.

    That is inter; with a `timeout check` the connect timeout, if that is less.
    """
    refused, tries_ns = when_refused(one), one.fall * time_for_connecting_ns(one, timeouts)
    return Detection(refused.soonest_ns + tries_ns, refused.latest_ns + tries_ns)


def time_for_connecting_ns(one: ServerCheck, timeouts: Timeouts) -> int:
    """How long a check waits for its connection."""
    if timeouts.check_ns is None or timeouts.connect_ns is None:
        return one.inter_ns
    return min(one.inter_ns, timeouts.connect_ns)


@dataclass(frozen=True, slots=True)
class Wait:
    """What a client that meets a silent server waits for, before the checks have found it.

    Attributes:
        ns: how long.
        tries: how often HAProxy tries to connect meanwhile.
        served: whether another server answers then; else it is a 503, in mode tcp the end of the connection.
    """

    ns: int
    tries: int
    served: bool


def wait(backend: Backend) -> Wait | None:
    """How long a client waits at most; None when there is no connect timeout: for ever.

    Who belongs to no server goes elsewhere at the first failure, who has its cookie when its retries say so; a hash
    chooses the same server again.
    """
    if backend.timeouts.connect_ns is None:
        return None
    tries, served = backend.retries + 1, False
    if backend.redispatch is not None and backend.retries and backend.balance.algorithm not in _BY_HASH:
        every = backend.redispatch if backend.redispatch > 0 else backend.retries + 1 + backend.redispatch
        if backend.cookie is None:
            tries, served = 1, True
        elif 0 < every <= backend.retries:
            tries, served = every, True
    return Wait(tries * backend.timeouts.connect_ns, tries, served)


def choices(backend: Backend) -> list[Server]:
    """The servers that may be asked."""
    return [one for one in backend.servers if not one.disabled]


def backends(cluster: Cluster) -> Iterator[tuple[Sidecar, Backend]]:
    """Each backend that is in use, with its file."""
    for file in cluster.beside:
        if file.balancer is not None:
            yield from ((file, one) for one in file.balancer.model.backends if not one.disabled)


def called(backend: Backend) -> str:
    """The section's kind and name."""
    return f"{'listen' if backend.listen else 'backend'} {backend.name}"


def seconds(duration_ns: int) -> str:
    """Seconds with what they need of two decimal places."""
    return f"{duration_ns / SECOND_NS:.2f}".rstrip("0").removesuffix(".")


@check(_RULES["VRRP-N270"])
def noticed(cluster: Cluster) -> Iterator[Finding]:
    """How soon a server that is gone is DOWN."""
    alike: dict[tuple[str, str, bool], list[tuple[Backend, Server]]] = {}
    for file, backend in backends(cluster):
        checked = [(one, one.check) for one in backend.servers if one.check is not None]
        if len(choices(backend)) < 2 or not checked:
            continue
        server, one = max(checked, key=lambda pair: when_silent(pair[1], backend.timeouts).latest_ns)
        silent = when_silent(one, backend.timeouts)
        if silent.latest_ns <= _SLOW_NS:
            continue
        pauses = f"inter {seconds(one.inter_ns)} s"
        if one.fastinter_ns != one.inter_ns:
            pauses += f", fastinter {seconds(one.fastinter_ns)} s"
        says = (
            f"a server whose host is gone is noticed after {silent}, one that refuses connections after "
            f"{when_refused(one)} (fall {one.fall}, {pauses}, "
            f"{seconds(time_for_connecting_ns(one, backend.timeouts))} s for each try)"
        )
        alike.setdefault((file.file, says, silent.latest_ns > _VERY_SLOW_NS), []).append((backend, server))
    for (name, says, very), found in alike.items():
        yield _RULES["VRRP-N270"].finding(
            Place(name, found[0][1].line),
            f"{_named([backend for backend, _ in found])}: {says}",
            severity=Severity.WARNING if very else None,
            related=[Place(name, server.line) for _, server in found[1:]],
        )


@check(_RULES["VRRP-W271"], _RULES["VRRP-W272"])
def waited(cluster: Cluster) -> Iterator[Finding]:
    """What a client gets that meets a server which is gone."""
    alike: dict[tuple[str, str], list[Backend]] = {}
    for file, backend in backends(cluster):
        if len(choices(backend)) < 2:
            continue
        if not backend.retries:
            yield _RULES["VRRP-W271"].finding(
                file.place(backend.line),
                f"{called(backend)} has retries 0: whoever meets a server that is gone fails"
                + (", and option redispatch changes nothing" if backend.redispatch is not None else ""),
            )
        longest = wait(backend)
        if longest is not None and longest.ns > _SLOW_NS:
            says = (
                f"a client that meets a server whose host is gone waits {seconds(longest.ns)} s ({longest.tries} x "
                f"timeout connect {seconds(longest.ns // longest.tries)} s), and then {_then(backend, longest)}"
            )
            alike.setdefault((file.file, says), []).append(backend)
    for (name, says), found in alike.items():
        yield _RULES["VRRP-W272"].finding(
            Place(name, found[0].line),
            f"{_named(found)}: {says}",
            related=[Place(name, backend.line) for backend in found[1:]],
        )


def _named(found: list[Backend]) -> str:
    """The first of those that are alike, and how many more there are."""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{called(found[0])}{more}"


def _then(backend: Backend, longest: Wait) -> str:
    if longest.served:
        return "another server answers"
    end = "gets a 503" if backend.mode == "http" else "is hung up on"
    by_hash = backend.redispatch is not None and backend.balance.algorithm in _BY_HASH
    return f"{end}: balance {backend.balance.algorithm} chooses the same one again" if by_hash else end


@check(_RULES["VRRP-E273"], _RULES["VRRP-W274"])
def asked(cluster: Cluster) -> Iterator[Finding]:
    """Checks that no server passes."""
    for file, backend in backends(cluster):
        method = backend.check
        if method.kind == "ssl-hello":
            over_tls = [one for one in backend.servers if one.check is not None and one.check.ssl]
            if over_tls:
                yield _RULES["VRRP-E273"].finding(
                    file.place(over_tls[0].line),
                    f"{called(backend)}: option ssl-hello-chk says its hello inside of the TLS of {over_tls[0].name}",
                    related=[file.place(method.line)],
                )
        elif method.kind == "http":
            refused = _denied(method)
            to_api = [one for one in backend.servers if one.check and _port(one, one.check, method) == _API_SERVER]
            if refused is not None and to_api:
                yield _RULES["VRRP-W274"].finding(
                    file.place(refused.line or method.line),
                    f"{called(backend)}: the check asks {refused.method} {refused.uri} of an API server, which it "
                    "answers with 403",
                    related=[file.place(to_api[0].line)],
                )


def _port(server: Server, one: ServerCheck, method: CheckMethod) -> int:
    connects = (step.port for step in method.steps if isinstance(step, Connect) and step.port)
    return next(connects, one.port or server.port)


def _denied(method: CheckMethod) -> SendRequest | None:
    """The request that an API server answers with 403 while the check wants something else."""
    for step in method.steps:
        if isinstance(step, Expect) and (step.kind != "status" or _allows_403(step)):
            return None
    asks = [step for step in method.steps if isinstance(step, SendRequest)]
    if len(asks) != 1 or asks[0].uri.startswith(_PUBLIC):
        return None
    logged_in = any(name.lower() == "authorization" for name, _ in asks[0].headers)
    return None if logged_in else asks[0]


def _allows_403(step: Expect) -> bool:
    return any(lowest <= 403 <= highest for lowest, highest in step.statuses) is not step.negated
