"""Records what the real HAProxy finds when it checks servers of many kinds: data/checks.json.

As root: `python -m haproxy.record_checks` in tests/. Each row is the text of a backend and its servers' options; the
answer for each kind of server is the row of `show stat`: status, check_status, check_code, last_chk.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from haproxy.kinds import PORTS, every_kind
from haproxy.program import haproxy, keep
from linux.namespaces import alone

_HTTP = "option httpchk\n  http-check send meth GET uri /healthz\n  "
ROWS: dict[str, tuple[str, str]] = {
    "tcp over tls": ("", "check-ssl verify none"),
    "ssl-hello over tls": ("option ssl-hello-chk", "check-ssl verify none"),
    "ssl-hello": ("option ssl-hello-chk", ""),
    "httpchk": ("option httpchk GET /healthz", ""),
    "httpchk HEAD": ("option httpchk HEAD /healthz", ""),
    "httpchk over tls": ("option httpchk GET /healthz", "check-ssl verify none"),
    "httpchk 404s": ("option httpchk GET /healthz\n  http-check disable-on-404", ""),
    "expect status range": (_HTTP + "http-check expect status 200-204,503", ""),
    "expect not status": (_HTTP + "http-check expect ! status 503", ""),
    "expect rstatus": (_HTTP + "http-check expect rstatus ^5", ""),
    "expect string": (_HTTP + "http-check expect string well", ""),
    "expect absent string": (_HTTP + "http-check expect string ill", ""),
    "expect not string": (_HTTP + "http-check expect ! string well", ""),
    "expect rstring": (_HTTP + "http-check expect rstring w.ll", ""),
    "expect absent rstring": (_HTTP + "http-check expect rstring i.l", ""),
    "connect tls, plain": (
        "option httpchk\n  http-check connect ssl\n  http-check send meth GET uri /healthz\n"
        "  http-check expect status 200\n  http-check connect\n  http-check send meth GET uri /healthz",
        "verify none",
    ),
    "tcp-check": ("option tcp-check", ""),
    "tcp-check connect": ("option tcp-check\n  tcp-check connect", ""),
    "tcp-check connect ssl": ("option tcp-check\n  tcp-check connect ssl", "verify none"),
    "tcp-check send": ("option tcp-check\n  tcp-check send PING\\r\\n", ""),
    "tcp-check pong": ("option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG", ""),
    "tcp-check connected pong": (
        "option tcp-check\n  tcp-check connect\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG",
        "",
    ),
    "tcp-check greeting": ("option tcp-check\n  tcp-check connect\n  tcp-check expect rstring ^2[0-9]*", ""),
    "tcp-check binary in answer": (
        "option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect binary 504F4E47",
        "",
    ),
    "tcp-check not in answer": (
        "option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect ! string fake",
        "",
    ),
    "expect header": (_HTTP + "http-check expect hdr name X-Kind value fake", ""),
    "expect absent header": (_HTTP + "http-check expect hdr name X-Kind value real", ""),
    "tcp-check not": ("option tcp-check\n  tcp-check expect ! string 220", ""),
    "tcp-check http over tls": (
        "option tcp-check\n  tcp-check connect ssl\n  tcp-check send GET\\ /healthz\\ HTTP/1.0\\r\\n\\r\\n\n"
        "  tcp-check expect rstring HTTP/1..\\ 200",
        "verify none",
    ),
    "tcp-check binary": ("option tcp-check\n  tcp-check expect binary 323230", ""),
    "smtpchk": ("option smtpchk", ""),
    "redis": ("option redis-check", ""),
    "mysql": ("option mysql-check", ""),
    "pgsql": ("option pgsql-check user postgres", ""),
    "ldap": ("option ldap-check", ""),
}


def main() -> None:
    """Record the matrix."""
    backends = "".join(
        f"backend b{number}\n  timeout check 500ms\n  {text}\n"
        + "".join(f"  server {kind} 127.0.0.1:{port} check inter 600ms {options}\n" for kind, port in PORTS.items())
        for number, (text, options) in enumerate(ROWS.values())
    )
    found: dict[str, dict[str, object]] = {}
    with alone(), tempfile.TemporaryDirectory() as folder, every_kind(Path(folder)), haproxy(backends) as program:
        time.sleep(5)
        rows = program.rows()
        for number, (name, (text, options)) in enumerate(ROWS.items()):
            answers = {
                kind: [
                    rows[f"b{number}", kind][column] for column in ("status", "check_status", "check_code", "last_chk")
                ]
                for kind in PORTS
            }
            found[name] = {"backend": text, "server": options, "answers": answers}
    keep("checks", found)


if __name__ == "__main__":
    main()
