"""The characters of names, and what is probably meant by a word that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.words import nearest

_FOREIGN = re.compile(r"[^A-Za-z0-9_.:-]")


def check_name(name: str, what: str) -> None:
    """A name has only the characters that HAProxy takes in names.

    Raises:
        RefusedError: another is in it.
    """
    foreign = _FOREIGN.search(name)
    if foreign:
        raise RefusedError(
            "bad-name",
            f"{foreign[0]!r} may not stand in the name of {what}, {name!r}",
            "letters, digits and _ - . : may",
        )


def unknown(word: str, known: Iterable[str], what: str, instead: str = "") -> RefusedError:
    """A word that HAProxy does not know; `instead` where it is known what to write."""
    close = nearest(word, known)
    return RefusedError("unknown-keyword", f"{what} {word!r}", instead or (close if close.startswith("did") else ""))
