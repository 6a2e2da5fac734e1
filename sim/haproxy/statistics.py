"""`show stat` of a simulated HAProxy: a row for each frontend, server and backend, in HAProxy's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sim.haproxy.columns import COLUMNS, blank
from sim.haproxy.health import State
from sim.haproxy.status import CheckResult
from vrrp.protocol.timers import SECOND_NS

if TYPE_CHECKING:
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.frontend_state import FrontendState
    from sim.haproxy.process import HaproxyProcess
    from sim.haproxy.server_state import ServerState
    from sim.haproxy.watch import Watch

Row: TypeAlias = Mapping[str, str]
_RESPONSES = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")
_MS = 1_000_000


def rows(process: HaproxyProcess, now_ns: int) -> list[Row]:
    """All rows as they are now, in the order of the proxies in the file."""
    process.catch_up()
    model = process.model
    lines = {one.name: one.line for one in model.backends} | {one.name: one.line for one in model.frontends}
    found: list[Row] = []
    for name in sorted(lines, key=lambda name: lines[name]):
        frontend, backend = process.frontends.get(name), process.backends.get(name)
        if frontend is not None:
            found.append(_frontend(frontend, now_ns))
        if backend is not None:
            found += [_server(server, now_ns) for server in backend.servers]
            found.append(_backend(backend, now_ns))
    return found


def csv(table: Iterable[Row]) -> str:
    """As the socket gives it: a header that begins with #, a line for each row, and an empty one."""
    return "".join(_lines(table)) + "\n"


def _lines(table: Iterable[Row]) -> Iterator[str]:
    yield f"# {','.join(COLUMNS)},\n"
    for row in table:
        yield "".join(f"{_quoted(row[name])}," for name in COLUMNS) + "\n"


def _quoted(value: str) -> str:
    if any(one in value for one in ',"\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _filled(row: dict[str, str], **values: object) -> dict[str, str]:
    """The row with these values; None leaves what is there."""
    for name, value in values.items():
        if value is not None:
            row[name] = str(value)
    return row


def _frontend(one: FrontendState, now_ns: int) -> Row:
    spec = one.spec
    row = blank("frontend", spec.mode)
    rate = one.rate.read(now_ns)
    if spec.mode == "http":
        _responses(row, one.hrsp)
        _filled(
            row,
            intercepted=one.intercepted,
            h1_open_connections=one.scur,
            h1_total_connections=one.stot,
            h1_total_streams=one.req_tot,
        )
    return _filled(
        row,
        pxname=spec.name,
        svname="FRONTEND",
        scur=one.scur,
        smax=one.smax,
        slim=one.maxconn,
        stot=one.stot,
        bin=one.bin,
        bout=one.bout,
        ereq=one.ereq,
        iid=spec.id,
        rate=rate,
        rate_lim=spec.rate_limit_sessions,
        rate_max=one.rate.most,
        req_rate=one.req_rate.read(now_ns),
        req_rate_max=one.req_rate.most,
        req_tot=one.req_tot,
        mode=spec.mode,
        conn_rate=rate,
        conn_rate_max=one.rate.most,
        conn_tot=one.stot,
    )


def _server(one: ServerState, now_ns: int) -> Row:
    spec, backend, health = one.spec, one.backend, one.health
    row = blank("server", backend.spec.mode)
    if backend.spec.mode == "http":
        _responses(row, one.hrsp)
        _filled(row, req_tot=one.req_tot, reuse=one.reuse)
    weight = one.weight_16ths // 16
    if health.check is not None:
        _filled(
            row,
            chkfail=health.chkfail,
            chkdown=health.chkdown,
            downtime=health.downtime_ns(now_ns) // SECOND_NS,
            **_watched("check", health.check),
        )
    if health.agent is not None:
        _filled(row, **_watched("agent", health.agent))
    return _filled(
        row,
        pxname=backend.spec.name,
        svname=spec.name,
        qcur=len(one.queue),
        qmax=one.qmax,
        scur=one.served,
        smax=one.smax,
        slim=spec.maxconn or None,
        stot=one.stot,
        bin=one.bin,
        bout=one.bout,
        econ=one.econ,
        eresp=one.eresp,
        wretr=one.wretr,
        wredis=one.wredis,
        status=health.status_text,
        weight=weight,
        act=int(not spec.backup),
        bck=int(spec.backup),
        lastchg=(now_ns - health.lastchg_ns) // SECOND_NS,
        qlimit=spec.maxqueue or None,
        iid=backend.spec.id,
        sid=one.id,
        throttle=health.throttle,
        lbtot=one.lbtot,
        tracked="/".join(spec.track) if spec.track is not None else None,
        rate=one.rate.read(now_ns),
        rate_max=one.rate.most,
        hanafail=health.hanafail if spec.observe is not None else None,
        cli_abrt=one.cli_abrt,
        srv_abrt=one.srv_abrt,
        lastsess=_since(one.last_session_ns, now_ns),
        **_times(one, one.stot),
        addr=f"{spec.host if spec.address is None else spec.address}:{spec.port}",
        cookie=spec.cookie or None,
        mode=backend.spec.mode,
        connect=one.connect,
        srv_icur=len(one.idle),
        idle_conn_cur=len(one.idle),
        used_conn_cur=one.served,
        need_conn_est=one.smax,
        uweight=health.weight,
    )


def _watched(what: str, watch: Watch) -> dict[str, object]:
    """The columns of checks or of the agent."""
    last = watch.last
    status = last.status.name if last is not None else "INI"
    return {
        f"{what}_status": f"* {status}" if watch.running else status,
        f"{what}_code": last.code if last is not None else None,
        f"{what}_duration": last.duration_ns // _MS if last is not None else None,
        f"{what}_desc": last.status.value if last is not None else "Initializing",
        f"{what}_rise": watch.rise,
        f"{what}_fall": watch.fall,
        f"{what}_health": watch.health,
        "last_chk" if what == "check" else "last_agt": _text(last),
    }


def _text(last: CheckResult | None) -> str | None:
    return last.text if last is not None else None


def _backend(one: BackendState, now_ns: int) -> Row:
    spec = one.spec
    row = blank("backend", spec.mode)
    if spec.mode == "http":
        _responses(row, one.hrsp)
        _filled(
            row,
            req_tot=one.req_tot,
            reuse=one.reuse,
            h1_open_connections=sum(len(server.idle) + server.served for server in one.servers),
            h1_total_connections=one.connect,
            h1_total_streams=one.connect + one.reuse,
        )
    live = [server for server in one.servers if server.health.state is State.UP]
    active = [server for server in live if not server.backup]
    backups = [server for server in live if server.backup]
    weights = [(server.weight_16ths // 16, server.health.weight) for server in active or backups[:1]]
    if spec.cookie is not None:
        _filled(row, cookie=spec.cookie.name)
    down_ns = one.downtime_ns + (0 if one.up else now_ns - one.lastchg_ns)
    return _filled(
        row,
        pxname=spec.name,
        svname="BACKEND",
        qcur=len(one.queue),
        qmax=one.qmax,
        scur=one.scur,
        smax=one.smax,
        slim=one.fullconn,
        stot=one.stot,
        bin=one.bin,
        bout=one.bout,
        dresp=one.dresp,
        econ=one.econ,
        eresp=one.eresp,
        wretr=one.wretr,
        wredis=one.wredis,
        status="UP" if one.up else "DOWN",
        weight=sum(weight for weight, _ in weights),
        act=len(active),
        bck=len(backups),
        chkdown=one.chkdown,
        lastchg=(now_ns - one.lastchg_ns) // SECOND_NS,
        downtime=down_ns // SECOND_NS if spec.servers else None,
        iid=spec.id,
        lbtot=one.lbtot,
        rate=one.rate.read(now_ns),
        rate_max=one.rate.most,
        cli_abrt=one.cli_abrt,
        srv_abrt=one.srv_abrt,
        lastsess=_since(one.last_session_ns, now_ns),
        **_times(one, one.stot),
        mode=spec.mode,
        algo=spec.balance.algorithm,
        connect=one.connect,
        uweight=sum(weight for _, weight in weights),
    )


def _responses(row: dict[str, str], counted: Sequence[int]) -> None:
    row.update((name, str(count)) for name, count in zip(_RESPONSES, counted, strict=True))


def _since(then_ns: int, now_ns: int) -> int:
    return -1 if then_ns < 0 else (now_ns - then_ns) // SECOND_NS


def _times(one: ServerState | BackendState, samples: int) -> dict[str, object]:
    """The four times, averaged, and the greatest of each."""
    names = ("qtime", "ctime", "rtime", "ttime")
    averages = dict(zip(names, one.times.read(samples), strict=True))
    return {**averages, **{f"{name}_max": most for name, most in zip(names, one.times.most, strict=True)}}
