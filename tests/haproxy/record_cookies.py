"""Records what the real HAProxy does with cookies: data/cookies.json.

As root: `python -m haproxy.record_cookies` in tests/. Servers c1, c2, c3 (s4 has no cookie) answer with the headers
that the request asks for, and tell which Cookie header they saw. After the requests of a row come the same with s2 in
maintenance, and drained.
"""

from __future__ import annotations

import json
import socket
import socketserver
from typing import Any

from haproxy.program import haproxy, keep, listeners
from linux.namespaces import alone

BACKENDS = {
    "insert": "cookie SRV insert",
    "insert indirect": "cookie SRV insert indirect",
    "insert indirect nocache": "cookie SRV insert indirect nocache",
    "insert preserve": "cookie SRV insert preserve",
    "insert indirect preserve": "cookie SRV insert indirect preserve",
    "insert postonly": "cookie SRV insert postonly",
    "insert attributes": "cookie SRV insert indirect httponly secure domain .a.example domain .b.example"
    ' attr "SameSite=Lax"',
    "prefix": "cookie SRV prefix",
    "prefix nocache": "cookie SRV prefix nocache",
    "rewrite": "cookie SRV rewrite",
    "rewrite nocache": "cookie SRV rewrite nocache",
    "passive": "cookie SRV",
    "passive indirect": "cookie SRV indirect",
}
REQUESTS: list[dict[str, Any]] = [
    {},
    {"cookie": "SRV=c2"},
    {"cookie": "SRV=zz"},
    {"cookie": "SRV="},
    {"cookie": "a=1; SRV=c3; b=2"},
    {"cookie": "a=1;SRV=c2"},
    {"cookie": 'SRV=c2; b="x y"'},
    {"cookie": "xSRV=c2; SRVx=c3"},
    {"cookie": "SRV=c2~abc"},
    {"cookie": "SRV=zz~abc; a=1"},
    {"cookie": "SRV=c2; SRV=c3"},
    {"answer": ["Set-Cookie: SRV=own; path=/"]},
    {"answer": ["Set-Cookie: SRV=own; path=/", "ETag: x"]},
    {"answer": ["Set-Cookie: SRV=; path=/"]},
    {"answer": ["Set-Cookie: other=1; path=/"]},
    {"answer": ["ETag: x"]},
    {"answer": ["ETag: x", "Cache-Control: max-age=60"]},
    {"answer": ["Cache-Control: max-age=60"]},
    {"answer": ["Last-Modified: x", "Cache-Control: private"]},
    {"answer": ["ETag: x", "Cache-Control: no-cache"]},
    {"answer": ["ETag: x"], "status": 404},
    {"answer": ["ETag: x"], "status": 500},
    {"cookie": "SRV=c2", "answer": ["Set-Cookie: SRV=own; path=/"]},
    {"cookie": "SRV=c2", "answer": ["ETag: x"]},
    {"method": "POST"},
    {"method": "POST", "cookie": "SRV=c2", "answer": ["ETag: x"]},
    {"method": "POST", "answer": ["ETag: x"]},
]
WITHOUT_SECOND = [{}, {"cookie": "SRV=c2"}, {"cookie": "SRV=c3"}, {"cookie": "SRV=c2~abc"}]


class Echo(socketserver.BaseRequestHandler):
    """Answers as X-Answer asks it to."""

    def handle(self) -> None:
        """One request."""
        lines = self.request.recv(65536).decode().split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        asked = dict(headers)
        seen = [value for name, value in headers if name == "cookie"]
        body = json.dumps([self.request.getsockname()[1] - 7000, seen])
        answer = json.loads(asked["x-answer"])
        head = [f"HTTP/1.1 {asked['x-status']} Fine", *answer, f"Content-Length: {len(body)}", "Connection: close"]
        self.request.sendall("\r\n".join([*head, "", body]).encode())


def ask(port: int, request: dict[str, Any]) -> dict[str, Any]:
    """One request, and what came of it: the server's number, the Cookie header it saw, the headers that came back."""
    lines = [
        f"{request.get('method', 'GET')} / HTTP/1.1",
        "Host: a",
        "Connection: close",
        f"X-Answer: {json.dumps(request.get('answer', []))}",
        f"X-Status: {request.get('status', 200)}",
        "Content-Length: 0",
    ]
    lines += [f"Cookie: {request['cookie']}"] if "cookie" in request else []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while some := client.recv(65536):
            answer += some
    head, _, body = answer.decode().partition("\r\n\r\n")
    server, seen = json.loads(body)
    wanted = ("set-cookie", "cache-control", "etag", "last-modified")
    headers = [line.split(": ", 1) for line in head.split("\r\n")[1:]]
    kept = [[name.lower(), value] for name, value in headers if name.lower() in wanted]
    return request | {"server": server, "seen": seen, "headers": kept}


def main() -> None:
    """Record all rows."""
    found: dict[str, Any] = {}
    servers = "".join(f"  server s{n} 127.0.0.1:{7000 + n}{f' cookie c{n}' if n < 4 else ''}\n" for n in (1, 2, 3, 4))
    text = "".join(
        f"listen b{number}\n  mode http\n  bind 127.0.0.1:{8000 + number}\n  {cookie}\n{servers}"
        for number, cookie in enumerate(BACKENDS.values())
    )
    with alone(), listeners(range(7001, 7005), Echo), haproxy(text) as program:
        for number, name in enumerate(BACKENDS):
            rows = [ask(8000 + number, request) for request in REQUESTS]
            for state in ("maint", "drain"):
                program.command(f"set server b{number}/s2 state {state}")
                rows += [ask(8000 + number, request) | {"second": state} for request in WITHOUT_SECOND]
            found[name] = {"cookie": BACKENDS[name], "rows": rows}
    keep("cookies", found)


if __name__ == "__main__":
    main()
