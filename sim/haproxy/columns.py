"""The columns of HAProxy 2.6's `show stat`, in its order: what a row has that says nothing else.

For each: what stands in rows of frontends, servers and backends; `.` is nothing, `h` is 0 in mode http and nothing
in mode tcp. What is not simulated stays so: errors inside HAProxy, compression, caches, denials by rules, HTTP/2, and
the octets that its multiplexers count (2.6.12, as recorded).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["frontend", "server", "backend"]
KINDS: tuple[Kind, ...] = ("frontend", "server", "backend")

_TABLE = """
pxname . . .
svname . . .
qcur . 0 0
qmax . 0 0
scur 0 0 0
smax 0 0 0
slim 0 . 0
stot 0 0 0
bin 0 0 0
bout 0 0 0
dreq 0 . 0
dresp 0 0 0
ereq 0 . .
econ . 0 0
eresp . 0 0
wretr . 0 0
wredis . 0 0
status OPEN . .
weight . 0 0
act . 0 0
bck . 0 0
chkfail . . .
chkdown . . 0
lastchg . 0 0
downtime . . .
qlimit . . .
pid 1 1 1
iid . . .
sid 0 0 0
throttle . . .
lbtot . 0 0
tracked . . .
type 0 2 1
rate 0 0 0
rate_lim 0 . .
rate_max 0 0 0
check_status . . .
check_code . . .
check_duration . . .
hrsp_1xx h h h
hrsp_2xx h h h
hrsp_3xx h h h
hrsp_4xx h h h
hrsp_5xx h h h
hrsp_other h h h
hanafail . . .
req_rate 0 . .
req_rate_max 0 . .
req_tot 0 h h
cli_abrt . 0 0
srv_abrt . 0 0
comp_in 0 . 0
comp_out 0 . 0
comp_byp 0 . 0
comp_rsp 0 . 0
lastsess . -1 -1
last_chk . . .
last_agt . . .
qtime . 0 0
ctime . 0 0
rtime . 0 0
ttime . 0 0
agent_status . . .
agent_code . . .
agent_duration . . .
check_desc . . .
agent_desc . . .
check_rise . . .
check_fall . . .
check_health . . .
agent_rise . . .
agent_fall . . .
agent_health . . .
addr . . .
cookie . . .
mode . . .
algo . . .
conn_rate 0 . .
conn_rate_max 0 . .
conn_tot 0 . .
intercepted h . .
dcon 0 . .
dses 0 . .
wrew 0 0 0
connect . 0 0
reuse . 0 0
cache_lookups h . h
cache_hits h . h
srv_icur . 0 .
src_ilim . . .
qtime_max . 0 0
ctime_max . 0 0
rtime_max . 0 0
ttime_max . 0 0
eint 0 0 0
idle_conn_cur . 0 .
safe_conn_cur . 0 .
used_conn_cur . 0 .
need_conn_est . 0 .
uweight . 0 0
agg_server_status . . 0
agg_server_check_status . . 0
agg_check_status . . 0
- - - -
ssl_sess 0 0 0
ssl_reused_sess 0 0 0
ssl_failed_handshake 0 0 0
h2_headers_rcvd 0 . 0
h2_data_rcvd 0 . 0
h2_settings_rcvd 0 . 0
h2_rst_stream_rcvd 0 . 0
h2_goaway_rcvd 0 . 0
h2_detected_conn_protocol_errors 0 . 0
h2_detected_strm_protocol_errors 0 . 0
h2_rst_stream_resp 0 . 0
h2_goaway_resp 0 . 0
h2_open_connections 0 . 0
h2_backend_open_streams 0 . 0
h2_total_connections 0 . 0
h2_backend_total_streams 0 . 0
h1_open_connections 0 . 0
h1_open_streams 0 . 0
h1_total_connections 0 . 0
h1_total_streams 0 . 0
h1_bytes_in 0 . 0
h1_bytes_out 0 . 0
h1_spliced_bytes_in 0 . 0
h1_spliced_bytes_out 0 . 0
"""
_LINES = [line.split() for line in _TABLE.split("\n") if line]
COLUMNS: tuple[str, ...] = tuple(name for name, *_ in _LINES)


def blank(kind: Kind, mode: str) -> dict[str, str]:
    """A row that says nothing: each column with what it has then."""
    at = 1 + KINDS.index(kind)
    zeros: Mapping[str, str] = {".": "", "h": "0" if mode == "http" else ""}
    return {line[0]: zeros.get(line[at], line[at]) for line in _LINES}
