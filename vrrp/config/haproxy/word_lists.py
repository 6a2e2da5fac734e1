"""The words of HAProxy 2.6 of which only the names are needed, from the file words.toml beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def word_lists(table: str) -> Mapping[str, frozenset[str]]:
    """One table of the file: sets of words by their names."""
    text = files("vrrp.config.haproxy").joinpath("words.toml").read_text(encoding="utf-8")
    return {name: frozenset(words.split()) for name, words in tomllib.loads(text)[table].items()}
