"""The process in which regexes are looked for."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from vrrp.linux.checks.connection import UnaskedError
from vrrp.linux.checks.search_worker import ANSWER, HEAD, serve
from vrrp.linux.checks.searcher import Searcher, SearchError
from vrrp.lvs.http_answer import Search

FOUND = Search(b"L+", re.IGNORECASE, b"hello, hello", 5)
ENDLESS = Search(b"(a+)+b", 0, b"a" * 200, 0)


def run(act: Callable[[Searcher], Awaitable[None]]) -> None:
    async def running() -> None:
        searcher = Searcher()
        async with asyncio.timeout(20):
            await act(searcher)
            await searcher.close()
            await searcher.close()

    asyncio.run(running())


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def test_what_is_found_and_where() -> None:
    before = children()

    async def act(searcher: Searcher) -> None:
        same = await asyncio.gather(*(searcher.find(one) for one in (FOUND, FOUND._replace(pattern=b"x"), FOUND)))
        assert same == [9, -1, 9]
        assert FOUND.find() == 9
        assert len(children()) == len(before) + 1

    run(act)
    assert children() == before


def test_what_takes_too_long_is_given_up_and_the_next_has_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.linux.checks.searcher.LIMIT_S", 0.05)

    async def act(searcher: Searcher) -> None:
        assert await searcher.find(FOUND) == 9
        endless = asyncio.create_task(searcher.find(ENDLESS))
        after = asyncio.create_task(searcher.find(FOUND))
        with pytest.raises(SearchError, match=r"takes more than 0\.05 s"):
            await endless
        assert await after == 9

    run(act)


def test_a_checker_that_ends_meanwhile_takes_its_search_along() -> None:
    before = children()

    async def act(searcher: Searcher) -> None:
        endless = asyncio.create_task(searcher.find(ENDLESS))
        while children() == before:
            await asyncio.sleep(0.01)
        endless.cancel()
        assert await searcher.find(FOUND) == 9
        assert endless.cancelled()

    run(act)
    assert children() == before


def test_without_a_process_nothing_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    async def act(searcher: Searcher) -> None:
        with pytest.raises(UnaskedError, match="No such file"):
            await searcher.find(FOUND)

    run(act)


def test_requests_and_answers() -> None:
    one = HEAD.pack(len(FOUND.pattern), FOUND.flags, len(FOUND.searched), FOUND.start, 5) + FOUND.pattern
    answers = io.BytesIO()
    serve(io.BytesIO(2 * (one + FOUND.searched) + one[:7]), answers)
    assert answers.getvalue() == 2 * ANSWER.pack(9)
