"""The haproxy.cfg of others: what `haproxy -c` says of each, and what we say."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.haproxy.oracle import of_haproxy, of_us

# Where we say something else, and why. None of them is about what the model has.
UNLIKE = {
    "haproxy/haproxy/examples/games.cfg": "Lua: a service that a missing script would have brought is not missed",
    "haproxy/haproxy/examples/keylog-test.cfg": "rings: the lines of a section ring are kept, and not judged",
    "haproxy/haproxy/tests/conf/test-http-set-status-lua.cfg": "Lua: as above",
    "haproxy/haproxy/tests/conf/test-str2sa.cfg": "peers: whether this machine is one of them is not looked at",
}
AS_MANY_AS = 0.9


@pytest.mark.program("haproxy")
def test_the_same_verdict_on_each(shared: Path) -> None:
    folder = shared / "captures"
    files = sorted([*folder.rglob("*.cfg"), *folder.rglob("haproxy.conf")])
    assert files
    unlike = {}
    for file in files:
        ours, real = of_us(file, folder), of_haproxy(file, folder)
        if ours != real:
            unlike[str(file.relative_to(folder))] = (ours.texts, real.texts)
            # Valid or not, in any case, as far as what is modelled goes.
            assert (ours.exit_status == 1) == (real.exit_status == 1), file
    assert set(unlike) <= set(UNLIKE), unlike
    assert len(files) - len(unlike) >= AS_MANY_AS * len(files)
