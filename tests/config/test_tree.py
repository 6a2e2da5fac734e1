"""Fragments to blocks, and what an unknown keyword may have meant."""

from __future__ import annotations

import time

import pytest

from config.confs import fragments, instance
from vrrp.config import parse
from vrrp.config.diagnostics import Report
from vrrp.config.grammar import CHECKER, FILE, GLOBAL_DEFS, PARENT, VRRP, VRRP_INSTANCE, Process, advice
from vrrp.config.tree import Block, Statement, TreeReader


def tree(text: str, process: Process = VRRP) -> tuple[Statement | Block, ...]:
    report = Report("f")
    return TreeReader(fragments(text, report), process, report).read()


def test_blocks_and_statements() -> None:
    instance_id, found = tree(
        "instance x\nvrrp_instance V {\npriority 7\nvirtual_ipaddress {\n10.0.0.1 dev eth0\n}\n}"
    )
    assert isinstance(instance_id, Statement)
    assert (instance_id.keyword, instance_id.arguments) == ("instance", ("x",))
    assert isinstance(found, Block)
    assert (found.line, found.keyword, found.arguments) == (2, "vrrp_instance", ("V",))
    priority, addresses = found.body
    assert isinstance(priority, Statement)
    assert priority.text == "priority 7"
    assert isinstance(addresses, Block)
    assert [entry.words for entry in addresses.entries()] == [("10.0.0.1", "dev", "eth0")]


def test_each_process_skips_what_others_read() -> None:
    text = "virtual_server 10.0.0.1 80 {\nreal_server x {\nfoo { bar }\n}\n}\nstatic_routes {\n}\nuse_pid_dir"
    assert [one.keyword for one in tree(text, PARENT)] == ["use_pid_dir"]
    assert [one.keyword for one in tree(text, CHECKER)] == ["virtual_server", "use_pid_dir"]
    assert [one.keyword for one in tree(text, VRRP)] == ["static_routes", "use_pid_dir"]


@pytest.mark.parametrize("text", ["bfd_instance x {", "vrrp_instance V {\nvirtual_ipaddress {", "static_routes"])
def test_the_end_of_the_file_closes_everything(text: str) -> None:
    assert len(tree(text)) == 1


def test_a_lone_quote_is_no_word() -> None:
    assert tree('"\nvrrp_instance V {\ntrack_script {\n"\n}\n}')[0].line == 2


@pytest.mark.parametrize(
    ("word", "context", "clause"),
    [
        ("garp_interval", VRRP_INSTANCE, "; global_defs has 'vrrp_garp_interval'"),
        ("prioritty", VRRP_INSTANCE, "; did you mean 'priority'?"),
        ("vrrp_version", VRRP_INSTANCE, "; it belongs in global_defs"),
        ("use_pid_dir", GLOBAL_DEFS, "; it belongs outside of all blocks"),
        ("auth_pass", VRRP_INSTANCE, "; it belongs in authentication"),
        ("vrrp_instnce", FILE, "; did you mean 'vrrp_instance'?"),
        ("timer_expired_backup", VRRP_INSTANCE, "; it needs keepalived 2.2.8 or later"),
        ("v3_checksum_as_v2", VRRP_INSTANCE, " before version 2.2.8; it is read here as 2.2.8 reads it"),
        ("qqqq", VRRP_INSTANCE, ""),
        ("priority" * 6, VRRP_INSTANCE, ""),
    ],
)
def test_advice(word: str, context: object, clause: str) -> None:
    assert context in (FILE, GLOBAL_DEFS, VRRP_INSTANCE)
    assert advice(word, next(one for one in (FILE, GLOBAL_DEFS, VRRP_INSTANCE) if one is context)) == clause


def test_only_the_first_hundred_get_advice() -> None:
    found = parse(instance("prioritty 7\n" * 150)).diagnostics
    assert sum("did you mean" in one.instead for one in found) == 100
    assert len(found) == 150


@pytest.mark.parametrize(
    "text",
    [
        "{" * 20_000,
        "}" * 20_000,
        "a {\n" * 20_000,
        "vrrp_instance V {\n" * 20_000,
        "virtual_server V {\n" * 20_000,
        'a "' * 20_000,
        "a \\\n" * 20_000,
        "vrrp_instance V {\ntrack_interface {\n" + "".join(f"i{n}\n" for n in range(20_000)),
        "vrrp_sync_group V {\ngroup {\n" + "".join(f"i{n}\n" for n in range(20_000)),
    ],
    ids=lambda text: text[:20],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    assert parse(text).diagnostics
    assert time.process_time() - began < 20
