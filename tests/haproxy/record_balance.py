"""Records which server the real HAProxy takes, connection by connection: data/balance.json, data/hashes.json.

As root: `python -m haproxy.record_balance` in tests/. Each scene is a backend and a list of inputs; `chosen` has one
entry for each "open": the index of the server, or None when the connection found none.
"""

from __future__ import annotations

import random
import socket
from typing import Any, TypeAlias

from haproxy.program import Program, haproxy, keep, listeners
from linux.namespaces import alone, sh

Scene: TypeAlias = dict[str, Any]

_FIRST = 6101
_MOST = 6
_DYNAMIC = ("roundrobin", "leastconn", "first", "random", "source consistent")


def _server(number: int, server: dict[str, Any]) -> str:
    words = [f"  server s{number} 127.0.0.1:{_FIRST + number} weight {server['weight']}"]
    words += ["backup"] if server.get("backup") else []
    words += [f"maxconn {server['maxconn']}"] if server.get("maxconn") else []
    return " ".join(words) + "\n"


def backend_of(scene: Scene, port: int) -> str:
    """The proxy of a scene."""
    return (
        f"listen b\n  bind 127.0.0.1:{port}\n  mode tcp\n  balance {scene['balance']}\n"
        + (f"  hash-type {scene['hash_type']}\n" if scene.get("hash_type") else "")
        + "  option redispatch 1\n  retries 3\n"
        + ("  option allbackups\n" if scene.get("allbackups") else "")
        + "".join(_server(number, server) for number, server in enumerate(scene["servers"]))
    )


class _Player:
    """Plays the inputs of one scene to a HAProxy."""

    def __init__(self, program: Program, servers: Any, port: int, total: int) -> None:
        self._program, self._servers, self._port, self._total = program, servers, port, total
        self._held: dict[int, socket.socket] = {}
        self._opened = 0
        self.chosen: list[int | None] = []

    def open(self, source: str = "127.0.0.1") -> None:
        """A connection, held; note who answers it."""
        client = socket.create_connection(("127.0.0.1", self._port), timeout=5, source_address=(source, 0))
        name = client.recv(64)
        self.chosen.append(int(name) - _FIRST if name else None)
        if name:
            self._held[self._opened] = client
        else:
            client.close()
        self._opened += 1

    def close(self, which: int) -> None:
        """A held connection ends, and HAProxy knows."""
        client = self._held.pop(which, None)
        if client is not None:
            client.close()
            self._program.until(lambda: self._program.rows()["b", "BACKEND"]["scur"] == str(len(self._held)))

    def weight(self, server: int, weight: int) -> None:
        """Another weight."""
        self._say(f"set server b/s{server} weight {weight}")

    def state(self, server: int, state: str) -> None:
        """Up or in maintenance."""
        self._say(f"set server b/s{server} state {state}")

    def die(self, server: int) -> None:
        """Nobody listens any more."""
        self._servers.close(_FIRST + server)

    def rise(self, server: int) -> None:
        """Somebody listens again."""
        self._servers.open(_FIRST + server)

    def _say(self, command: str) -> None:
        assert not self._program.command(command).strip(), command

    def end(self) -> None:
        """Let go of everything."""
        for client in self._held.values():
            client.close()


def play(scene: Scene, port: int = 8001) -> list[int | None]:
    """Which servers a new HAProxy takes in this scene."""
    ports = range(_FIRST, _FIRST + len(scene["servers"]))
    with listeners(ports) as servers, haproxy(backend_of(scene, port)) as program:
        player = _Player(program, servers, port, len(scene["servers"]))
        for name, *arguments in scene["inputs"]:
            getattr(player, name)(*arguments)
        player.end()
        return player.chosen


def draw(stream: random.Random, balance: str, inputs: int) -> Scene:
    """A scene by chance: a few servers, and what happens to them between connections."""
    static = balance in {"static-rr", "source"}
    count = stream.randint(2, _MOST)
    most = stream.choice([1, 3, 10, 256])
    weights = [stream.randint(0 if stream.random() < 0.2 else 1, most) for _ in range(count)]
    weights[0] = max(weights[0], 1)
    spare = stream.random() < 0.4
    servers = [
        {"weight": weight, "backup": spare and number > 0 and stream.random() < 0.6}
        for number, weight in enumerate(weights)
    ]
    scene: Scene = {"balance": balance, "allbackups": spare and stream.random() < 0.5, "servers": servers}
    script: list[list[Any]] = []
    resting: set[int] = set()
    dead: set[int] = set()
    opened = 0
    holds = balance in {"leastconn", "first"}
    while len(script) < inputs:
        chance = stream.random()
        which = stream.randrange(count)
        if chance < 0.8:
            opened += 1
            source = [f"127.{stream.randrange(256)}.{stream.randrange(256)}.{stream.randint(1, 254)}"]
            script.append(["open", *(source if balance.startswith("source") else [])])
            if not holds or stream.random() < 0.45:
                script.append(["close", stream.randrange(opened) if holds else opened - 1])
        elif chance < 0.88 and which not in dead:
            if which in resting:
                resting.discard(which)
            elif len(resting) + 1 < count:
                resting.add(which)
            script.append(["state", which, "maint" if which in resting else "ready"])
        elif chance < 0.95 and not (static and weights[which] == 0):
            script.append(["weight", which, stream.choice([0, weights[which]]) if static else stream.randint(0, most)])
        elif not spare and balance != "source" and count - len(resting) > 2 and (dead or which not in resting):
            script.append(["rise", dead.pop()] if dead else ["die", which])
            if script[-1][0] == "die":
                dead.add(which)
    scene["inputs"] = script
    return scene


def _chopping(seed: int) -> Scene:
    """Few servers and often another weight, so that some change while they wait for the next round."""
    stream = random.Random(seed)
    count = stream.randint(2, 4)
    weights = [stream.choice([1, 1, 2, 5, 20, 256]) for _ in range(count)]
    script: list[list[Any]] = []
    for _ in range(60):
        opens = stream.random() < 0.7
        script.append(["open"] if opens else ["weight", stream.randrange(count), stream.choice([1, 2, 5, 20, 256])])
    return {"balance": "roundrobin", "servers": [{"weight": weight} for weight in weights], "inputs": script}


def scenes() -> list[Scene]:
    """All scenes of data/balance.json."""
    plain = [[1, 1, 1], [3, 1], [5, 3, 1], [256, 1, 100], [1, 2, 3, 4, 5], [10, 0, 5], [7, 7, 2, 1]]
    found: list[Scene] = [
        {
            "balance": balance,
            "servers": [{"weight": weight} for weight in weights],
            "inputs": [one for number in range(40) for one in (["open"], ["close", number])],
        }
        for balance in ("roundrobin", "static-rr", "leastconn")
        for weights in plain
    ]
    for balance, limits in (("roundrobin", [2, 1, 3]), ("leastconn", [1, 2, 2]), ("static-rr", [2, 2, 1])):
        servers = [{"weight": 2 + number, "maxconn": limit} for number, limit in enumerate(limits)]
        script = [["open"]] * sum(limits) + [["close", 1], ["open"], ["close", 2], ["close", 3], ["open"], ["open"]]
        found.append({"balance": balance, "servers": servers, "inputs": script})
    stair = [{"weight": 1, "maxconn": limit} for limit in (2, 1, 3)]
    script = [["open"]] * 6 + [["close", 2], ["open"], ["close", 0], ["close", 1], ["open"], ["open"]]
    found.append({"balance": "first", "servers": stair, "inputs": script})
    pair = [{"weight": 1, "maxconn": 1}, {"weight": 1}]
    dying: list[list[Any]] = [["open"], ["die", 1], ["open"], ["rise", 1], ["open"], ["close", 0], ["open"], ["open"]]
    full: list[list[Any]] = [["open"], ["open"], ["open"], ["open"], ["close", 0], ["open"]]
    limited = [{"weight": 1, "maxconn": 1}, {"weight": 2, "maxconn": 2}]
    for balance in ("roundrobin", "static-rr", "leastconn", "first"):
        found.append({"balance": balance, "servers": pair, "inputs": dying})
        found.append({"balance": balance, "servers": limited, "inputs": full})
    three = [{"weight": 2}, {"weight": 1}, {"weight": 1}]
    sources = [["open", f"127.0.{number}.{7 * number + 1}"] for number in range(24)]
    away = [["state", number, "maint"] for number in range(3)]
    script = [*sources, ["die", 1], *sources, ["rise", 1], *away, sources[0], ["state", 2, "ready"], *sources[:4]]
    found.append({"balance": "source", "hash_type": "consistent", "servers": three, "inputs": script})
    found.append({"balance": "source", "servers": three, "inputs": [*sources[:9], *away, *sources[:1]]})
    stream = random.Random(6)
    for balance, count in (("roundrobin", 16), ("static-rr", 6), ("leastconn", 8), ("first", 2), ("source", 4)):
        found += [draw(stream, balance, 90) for _ in range(count)]
    for _ in range(3):
        found.append(draw(stream, "source", 90) | {"hash_type": "map-based sdbm avalanche"})
        found.append(draw(stream, "source", 90) | {"hash_type": "consistent"})
    for step in (2, 3):
        script = [["open"], ["open"]]
        for number in range(45):
            script += [["weight", 0, 1 + number % step], ["open"], ["weight", 1, 3 + number % 2], ["open"]]
        found.append(
            {"balance": "roundrobin", "servers": [{"weight": 1}, {"weight": 3}, {"weight": 2}], "inputs": script}
        )
    found += [_chopping(seed) for seed in (2, 4, 8, 22, 25, 36)]
    script = [["open"], ["weight", 0, 3], ["open"], ["weight", 1, 2], *[["open"]] * 9]
    found.append({"balance": "roundrobin", "servers": [{"weight": 0}, {"weight": 0}], "inputs": script})
    return found


def main() -> None:
    """Record them all."""
    with alone():
        sh("ip", "addr", "replace", "127.0.0.1/8", "dev", "lo")
        found = [scene | {"chosen": play(scene)} for scene in scenes()]
    keep("balance", found)


if __name__ == "__main__":
    main()
