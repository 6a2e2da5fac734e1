"""haproxy.cfg: sections, words, what is inherited, binds and servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrrp.config.haproxy import parse_haproxy, split_address, words_of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  bind *:80  # all", ("bind", "*:80")),
        ('log-format "%ci # %{x}"', ("log-format", "%ci # %{x}")),
        (r"stats realm HAProxy\ Statistics", ("stats", "realm", "HAProxy Statistics")),
        ("a 'b c' d'e'f", ("a", "b c", "def")),
        (r"a \# b", ("a", "#", "b")),
        ('open "never closed', ("open", "never closed")),
        ("trailing \\", ("trailing",)),
        ("", ()),
        ("# only", ()),
    ],
)
def test_words(line: str, words: tuple[str, ...]) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("*:80", ("*", "80")),
        (":443", ("", "443")),
        ("10.0.0.1", ("10.0.0.1", "")),
        ("[fd00::1]:80", ("fd00::1", "80")),
        ("ipv6@:::80", ("::", "80")),
        ("ipv4@10.0.0.1:8000-8010", ("10.0.0.1", "8000-8010")),
        ("*:${PORT}", ("*", "${PORT}")),
        ("/run/haproxy.sock", ("/run/haproxy.sock", "")),
        ("", ("", "")),
    ],
)
def test_addresses(text: str, parts: tuple[str, str]) -> None:
    assert split_address(text) == parts


CFG = """\
lost
global
    daemon
defaults
    mode http
    timeout client 1s
    option redispatch
frontend f
    bind *:80,10.0.0.1:8000-8010 transparent
    bind
    no option redispatch
    default_backend b
defaults tuned
    mode tcp
    default-server check inter 2s
backend b from tuned
    server s1 10.0.0.1:80 weight 2
    server s2 [fd00::1] no-check
    server broken
listen l
    mode http
peers p
    peer x 10.0.0.1:1024
"""


def test_sections_and_their_defaults() -> None:
    config = parse_haproxy(CFG, filename="x.cfg")
    assert [(one.kind, one.name, one.line) for one in config.sections] == [
        ("global", "", 2),
        ("defaults", "", 4),
        ("frontend", "f", 8),
        ("defaults", "tuned", 13),
        ("backend", "b", 16),
        ("listen", "l", 20),
        ("peers", "p", 22),
    ]
    frontend, backend, listen = (config.sections[number] for number in (2, 4, 5))
    assert frontend.mode == "http"
    assert backend.mode == "tcp"
    assert listen.mode == "http"
    assert frontend.find("option", "redispatch") is None
    assert listen.find("option", "redispatch") is None  # of the last defaults before it
    assert frontend.find("timeout", "client") is not None
    assert config.sections[0].find("mode") is None
    assert config.backend("b") is backend
    assert config.backend("l") is listen
    assert config.backend("x") is None


def test_binds_and_servers() -> None:
    config = parse_haproxy(CFG)
    frontend, backend = config.sections[2], config.sections[4]
    assert [(bind.address, bind.ports, bind.options) for bind in frontend.binds] == [
        ("", (80, 80), ("transparent",)),
        ("10.0.0.1", (8000, 8010), ("transparent",)),
    ]
    assert frontend.binds[1].has(8005)
    assert not frontend.binds[1].has(8011)
    first, second = backend.servers
    assert (first.name, first.address, first.port, first.line) == ("s1", "10.0.0.1", 80, 17)
    assert first.options == ("weight", "2", "check", "inter", "2s")
    assert (second.address, second.port, second.options) == ("fd00::1", None, ("no-check", "inter", "2s"))


@pytest.mark.parametrize(
    "text", ["", "\0", "{" * 50, "frontend", "bind x\nfrontend from", 'frontend "', "defaults from x"]
)
def test_any_text_is_read(text: str) -> None:
    for section in parse_haproxy(text).sections:
        assert section.mode
        assert section.binds == ()
        assert section.servers == ()


def test_every_capture_is_read(shared: Path) -> None:
    found = [path for path in (shared / "captures").rglob("*.cfg") if path.is_file()]
    assert found
    for path in found:
        config = parse_haproxy(path.read_text(errors="surrogateescape"), filename=str(path))
        for section in config.sections:
            assert all(server.name for server in section.servers)
            assert all(bind.line for bind in section.binds)
