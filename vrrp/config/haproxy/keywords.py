"""The keywords of HAProxy 2.6's proxies and of `global`: where each may stand, and what became of those of old.

Measured: each keyword in each kind of section, with `haproxy -c`. A place is four characters, for `defaults`,
`frontend`, `listen` and `backend`: + it may stand there, - HAProxy refuses it, w it warns and ignores it, n only in a
`defaults` that has a name.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS = ("defaults", "frontend", "listen", "backend")

PLACES: Mapping[str, str] = {
    "acl": "n+++",
    "backlog": "+++w",
    "balance": "+w++",
    "bind": "-++w",
    "bind-process": "++++",
    "capture": "-++w",
    "clitcpka-cnt": "+++w",
    "clitcpka-idle": "+++w",
    "clitcpka-intvl": "+++w",
    "compression": "++++",
    "cookie": "+w++",
    "declare": "-++-",
    "default-server": "+-++",
    "default_backend": "+++w",
    "description": "-+++",
    "disabled": "++++",
    "dispatch": "-w++",
    "dynamic-cookie-key": "+w++",
    "email-alert": "++++",
    "enabled": "++++",
    "error-log-format": "+++w",
    "errorfile": "++++",
    "errorfiles": "++++",
    "errorloc": "++++",
    "errorloc302": "++++",
    "errorloc303": "++++",
    "external-check": "++++",
    "filter": "-+++",
    "force-persist": "-w++",
    "fullconn": "+w++",
    "hash-balance-factor": "++++",
    "hash-type": "+w++",
    "http-after-response": "n+++",
    "http-check": "+w++",
    "http-error": "++++",
    "http-request": "n+++",
    "http-response": "n+++",
    "http-reuse": "+w++",
    "http-send-name-header": "+w++",
    "id": "-+++",
    "ignore-persist": "-w++",
    "load-server-state-from-file": "+w++",
    "log": "++++",
    "log-format": "+++w",
    "log-format-sd": "+++w",
    "log-tag": "++++",
    "max-keep-alive-queue": "+w++",
    "max-session-srv-conns": "+++w",
    "maxconn": "+++w",
    "mode": "++++",
    "monitor": "-++w",
    "monitor-uri": "+++w",
    "option": "++++",
    "persist": "++++",
    "rate-limit": "+++w",
    "redirect": "-+++",
    "retries": "+w++",
    "retry-on": "+-++",
    "server": "--++",
    "server-state-file-name": "+w++",
    "server-template": "--++",
    "source": "+w++",
    "srvtcpka-cnt": "+w++",
    "srvtcpka-idle": "+w++",
    "srvtcpka-intvl": "+w++",
    "stats": "++++",
    "stick": "-w++",
    "stick-table": "-+++",
    "tcp-check": "+w++",
    "tcp-request": "n+++",
    "tcp-response": "n-++",
    "timeout": "++++",
    "unique-id-format": "++++",
    "unique-id-header": "++++",
    "use-fcgi-app": "--++",
    "use-server": "-w++",
    "use_backend": "-++w",
}

TIMEOUTS: Mapping[str, str] = {
    "check": "+w++",
    "client": "+++w",
    "client-fin": "+++w",
    "connect": "+w++",
    "http-keep-alive": "++++",
    "http-request": "++++",
    "queue": "+w++",
    "server": "+w++",
    "server-fin": "+w++",
    "tarpit": "++++",
    "tunnel": "+w++",
}

HTTP_FLAGS: Mapping[str, str] = {
    "accept-invalid-http-request": "+++w",
    "accept-invalid-http-response": "+w++",
    "checkcache": "+w++",
    "disable-h2-upgrade": "+++w",
    "http-buffer-request": "++++",
    "http-ignore-probes": "+++w",
    "http-no-delay": "++++",
    "http-pretend-keepalive": "+w++",
    "http-use-proxy-header": "+++w",
    "idle-close-on-response": "+++w",
    "prefer-last-server": "+w++",
}
"""The options that are on or off, and nothing in mode tcp."""

FLAGS: Mapping[str, str] = {
    **HTTP_FLAGS,
    "abortonclose": "+w++",
    "allbackups": "+w++",
    "clitcpka": "+++w",
    "contstats": "+++w",
    "dontlog-normal": "+++w",
    "dontlognull": "+++w",
    "h1-case-adjust-bogus-client": "+++w",
    "h1-case-adjust-bogus-server": "+w++",
    "independent-streams": "++++",
    "log-health-checks": "+w++",
    "log-separate-errors": "+++w",
    "logasap": "+++w",
    "nolinger": "++++",
    "persist": "+w++",
    "socket-stats": "+++w",
    "splice-auto": "++++",
    "splice-request": "++++",
    "splice-response": "++++",
    "srvtcpka": "+w++",
    "tcp-smart-accept": "+++w",
    "tcp-smart-connect": "+w++",
    "transparent": "+w++",
}

HTTP_CONNECTIONS: Mapping[str, str] = {
    "http-keep-alive": "keep-alive",
    "http-server-close": "server-close",
    "httpclose": "close",
}

CHECK_OPTIONS: Mapping[str, str] = {
    "external-check": "external",
    "httpchk": "http",
    "ldap-check": "ldap",
    "mysql-check": "mysql",
    "pgsql-check": "pgsql",
    "redis-check": "redis",
    "smtpchk": "smtp",
    "spop-check": "spop",
    "ssl-hello-chk": "ssl-hello",
    "tcp-check": "tcp-check",
}
"""The options that choose how servers are checked, and the kinds that they choose."""

OPTIONS = frozenset(
    {
        *FLAGS,
        *HTTP_CONNECTIONS,
        *CHECK_OPTIONS,
        "forwardfor",
        "http-restrict-req-hdr-names",
        "httplog",
        "httpslog",
        "originalto",
        "redispatch",
        "tcpka",
        "tcplog",
    }
)

ABOLISHED_OPTIONS: Mapping[str, str] = {
    "forceclose": "take it away, or write `option httpclose`",
    "http-tunnel": "take it away",
    "http_proxy": "write `http-request set-dst` and `http-request set-uri`",
}

ABOLISHED: Mapping[str, str] = {
    "appsession": "write `stick` rules",
    "block": "write `http-request deny`",
    "clitimeout": "write `timeout client`",
    "contimeout": "write `timeout connect`",
    "grace": "write `hard-stop-after` in global",
    "monitor-net": "write `http-request return status 200 if { src … }`",
    "redispatch": "write `option redispatch`",
    "srvtimeout": "write `timeout server`",
    **dict.fromkeys(("cliexp", "reqirep", "reqrep"), "write `http-request replace-path` or `replace-header`"),
    **dict.fromkeys(("reqadd",), "write `http-request add-header`"),
    **dict.fromkeys(("reqallow", "reqiallow"), "write `http-request allow`"),
    **dict.fromkeys(("reqdel", "reqidel"), "write `http-request del-header`"),
    **dict.fromkeys(("reqdeny", "reqideny"), "write `http-request deny`"),
    **dict.fromkeys(("reqpass", "reqipass"), "take it away"),
    **dict.fromkeys(("reqtarpit", "reqitarpit"), "write `http-request tarpit`"),
    **dict.fromkeys(("rspadd",), "write `http-response add-header`"),
    **dict.fromkeys(("rspdel", "rspidel"), "write `http-response del-header`"),
    **dict.fromkeys(("rspdeny", "rspideny"), "write `http-response deny`"),
    **dict.fromkeys(("rsprep", "rspirep", "srvexp"), "write `http-response replace-header`"),
}
"""What stood in files of HAProxy 1.x, and what is written today."""

ABOLISHED_TIMEOUTS: Mapping[str, str] = {
    "clitimeout": "write `timeout client`",
    "contimeout": "write `timeout connect`",
    "srvtimeout": "write `timeout server`",
}

SECTIONS = frozenset(
    {
        *KINDS,
        "cache",
        "fcgi-app",
        "global",
        "http-errors",
        "log-forward",
        "mailers",
        "namespace_list",
        "peers",
        "program",
        "resolvers",
        "ring",
        "userlist",
    }
)

NEGATABLE = frozenset(
    {"option", "log", "busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted", "numa-cpu-mapping"}
)
"""The keywords before which `no` and `default` may stand."""
