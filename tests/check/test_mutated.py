"""Damaged files of every kind through every check and every output: no traceback, one line for each message."""

from __future__ import annotations

import json
import random

import pytest

from check.confs import clusters, files
from vrrp.check.lint import lint, texts
from vrrp.check.mending import mended
from vrrp.check.rule import catalogue
from vrrp.check.sarif import sarif
from vrrp.check.static import CHECKS
from vrrp.cli.findings import Sources, as_json, clusters_as_json, told, workflow_command

EXAMPLES = [example for rule in catalogue().values() for example in (rule.bad, rule.good)]
LINES = [line for example in EXAMPLES for line in example.split("\n")]
WORDS = [word for line in LINES for word in line.split()]
NOISE = "{}#!\"'\\\x00\x1b \t\udcff\u00e9$@~0123456789.:/[]"


def damaged(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(chance.randint(0, 8)):
        at = chance.randrange(len(lines))
        kind = chance.randrange(6)
        if kind == 0:
            lines[at] = chance.choice(LINES)
        elif kind == 1:
            lines.insert(at, chance.choice(LINES))
        elif kind == 2:
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            lines[at] = " ".join(words)
        elif kind == 3 and len(lines) > 1:
            del lines[at]
        elif kind == 4:
            lines[at] = lines[at].replace(".", ".9").replace("1", "99999999999")
        else:
            lines[at] = "".join(chance.choice(NOISE) for _ in range(20))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        contents = {
            name: damaged(text, chance)
            for example in chance.sample(EXAMPLES, 2)
            for name, text in files(example).items()
        }
        read = clusters(contents)
        found = lint(read, checks=CHECKS, advice=True)
        for one in found:
            assert one.message
            assert "\n" not in one.message
        shown = [*told(found, Sources(texts(read))), *map(workflow_command, found)]
        assert all(line.replace("\x1b", "").isprintable() for line in shown)
        json.dumps([sarif(found), clusters_as_json(read), *map(as_json, found)]).encode()
        mended(texts(read), found)
