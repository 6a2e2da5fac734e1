"""Records which server the real HAProxy finds by the hash of a request: data/hashes.json.

As root: `python -m haproxy.record_hashes` in tests/. Each scene is the text of a backend with its servers' weights,
and requests (URI, headers); `chosen` is the index of the server of each.
"""

from __future__ import annotations

import random
import socket
import socketserver
from typing import Any

from haproxy.program import haproxy, keep, listeners
from linux.namespaces import alone

WEIGHTS = ([1, 1, 1], [3, 1, 5, 2])
BALANCES = (
    "balance uri",
    "balance uri whole",
    "balance uri len 5",
    "balance uri depth 1",
    "balance uri depth 2 whole",
    "balance uri path-only",
    "balance url_param id",
    "balance hdr(X-User)",
    "balance hdr(Host) use_domain_only",
)
HASH_TYPES = ("map-based", "consistent", "map-based djb2", "map-based crc32 avalanche", "consistent djb2")


class Where(socketserver.BaseRequestHandler):
    """Answers with its port."""

    def handle(self) -> None:
        """One request."""
        self.request.recv(65536)
        body = str(self.request.getsockname()[1])
        self.request.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n{body}".encode())


def ask(port: int, uri: str, headers: dict[str, str]) -> int:
    """The index of the server that gets a request."""
    lines = [f"GET {uri} HTTP/1.1", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while some := client.recv(4096):
            answer += some
    return int(answer[-4:]) - 7001


def requests(stream: random.Random, count: int) -> list[tuple[str, dict[str, str]]]:
    """URIs and headers by chance; some lack what is hashed."""
    found = []
    for _ in range(count):
        word = ["".join(stream.choices("abcdefgh", k=stream.randint(1, 4))) for _ in range(6)]
        path = "/" + "/".join(word[: stream.randint(0, 3)])
        query = stream.choice(["", f"?id={word[3]}", f"?a=1&id={word[3]}&id=z", "?idx=3", "?id"])
        host = stream.choice(["www.{}.example", "{}.example:8080", "{}", "a.b.{}.example"]).format(word[4])
        headers = {"Host": host} | ({"X-User": word[5]} if stream.random() < 0.8 else {})
        prefix = f"http://{host}" if stream.random() < 0.2 else ""
        found.append((prefix + path + query, headers))
    return found


def main() -> None:
    """Record them all."""
    stream = random.Random(26)
    scenes: list[dict[str, Any]] = []
    for balance in BALANCES:
        for hash_type in HASH_TYPES if balance in {"balance uri", "balance hdr(X-User)"} else HASH_TYPES[:2]:
            scenes += [{"balance": balance, "hash_type": hash_type, "weights": weights} for weights in WEIGHTS]
    with alone(), listeners(range(7001, 7005), Where):
        for scene in scenes:
            servers = "".join(
                f"  server s{number} 127.0.0.1:{7001 + number} weight {weight}\n"
                for number, weight in enumerate(scene["weights"])
            )
            scene["backend"] = f"  {scene['balance']}\n  hash-type {scene['hash_type']}\n{servers}"
        text = "".join(
            f"listen b{number}\n  mode http\n  bind 127.0.0.1:{8000 + number}\n{scene['backend']}"
            for number, scene in enumerate(scenes)
        )
        with haproxy(text):
            for number, scene in enumerate(scenes):
                scene["requests"] = requests(stream, 25)
                scene["chosen"] = [ask(8000 + number, *request) for request in scene["requests"]]
    keep("hashes", scenes)


if __name__ == "__main__":
    main()
