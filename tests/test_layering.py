"""Who may import whom, and the other habits of the house that a program can check.

A rule is a function from all the sources to one line for each breach. Further down, each is shown a house
that breaks it, to prove that it would tell.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

# Input and output, clocks, randomness, threads, and whatever brings them along: not for the core.
# fmt: off
FORBIDDEN_IN_CORE = frozenset(
    {
        "asyncio", "click", "concurrent", "ctypes", "datetime", "distributed", "fcntl", "glob",
        "http", "importlib", "io", "logging", "matplotlib", "multiprocessing", "netifaces", "numpy",
        "os", "pathlib", "platform", "pydantic", "pyroute2", "queue", "random", "rich", "sched",
        "secrets", "select", "selectors", "shutil", "signal", "simpy", "socket", "socketserver",
        "ssl", "subprocess", "sys", "sysconfig", "tempfile", "threading", "time", "tomllib",
        "urllib", "uuid", "warnings",
    }
)
# fmt: on
# The same, without an import.
FORBIDDEN_CALLS = frozenset({"open", "print", "input", "breakpoint", "__import__"})

CORE = ("vrrp.wire", "vrrp.protocol", "vrrp.lvs")
DPKT_USERS = ("vrrp.wire", "vrrp.capture")
SAYS_NOTHING = frozenset({"util", "utils", "helper", "helpers", "common", "misc"})
MAX_LINES = 450

TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore\b")
TYPE_IGNORE_EXPLAINED = re.compile(r"#\s*type:\s*ignore\[[\w, -]+\]\W+\w.{6,}")
NOQA = re.compile(r"#\s*(ruff:\s*|flake8:\s*)?noqa\b", re.IGNORECASE)
NOQA_EXPLAINED = re.compile(r"#\s*(ruff:\s*)?noqa:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\W+\w.{6,}")

Sources = Mapping[str, str]  # dotted module name -> its text; a package's __init__ goes by the package's name
Rule = Callable[[Sources], Iterator[str]]


def load(folder: Path) -> dict[str, str]:
    """Every module below this folder, which is itself the outermost package."""
    sources = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        sources[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return sources


def package_folder(name: str) -> Path:
    """Where Python finds this package: the checkout, or the place in which the wheel was installed."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def inside(module: str, *packages: str) -> bool:
    """Whether this is one of the packages, or below one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def imports(module: str, sources: Sources) -> set[str]:
    """Every module that an import here names, wherever it stands: in a function, under TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(sources[module])):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update({f"{node.module}.{alias.name}" for alias in node.names} & sources.keys())
    return found


def reached(module: str, sources: Sources) -> dict[str, str]:
    """Each module of ours that this one loads, by its imports and theirs -> the chain that leads there."""
    chains = {module: module}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        for name in sorted((imports(current, sources) & sources.keys()) - chains.keys()):
            chains[name] = f"{chains[current]} -> {name}"
            waiting.append(name)
    return chains


def impure_core(sources: Sources) -> Iterator[str]:
    """The core has no input and output, no clock, no randomness, and loads nothing of ours that has."""
    for module in filter(lambda name: inside(name, *CORE), sources):
        for name, chain in reached(module, sources).items():
            if name != module and inside(name, *CORE):
                continue  # it answers for itself
            for imported in sorted(imports(name, sources)):
                if imported.partition(".")[0] in FORBIDDEN_IN_CORE:
                    yield f"{chain} imports {imported}"
        for node in ast.walk(ast.parse(sources[module])):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                yield f"{module}:{node.lineno} calls {node.func.id}()"


def library_on_simulator(sources: Sources) -> Iterator[str]:
    """The simulator stands on the library, never the other way round."""
    for module in filter(lambda name: inside(name, "vrrp"), sources):
        if any(inside(name, "sim") for name in imports(module, sources)):
            yield f"{module} imports sim"


def stray_dpkt(sources: Sources) -> Iterator[str]:
    """In the library only these know how frames and captures are taken apart."""
    for module in filter(lambda name: inside(name, "vrrp") and not inside(name, *DPKT_USERS), sources):
        if any(inside(name, "dpkt") for name in imports(module, sources)):
            yield f"{module} imports dpkt, which is for {' and '.join(DPKT_USERS)}"


def relative_import(sources: Sources) -> Iterator[str]:
    """The rules above read full names."""
    for module, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield f"{module}:{node.lineno} has a relative import; write the full name"


def long_file(sources: Sources) -> Iterator[str]:
    """A file that is short enough to be read."""
    for module, text in sources.items():
        lines = len(text.splitlines())
        if lines >= MAX_LINES:
            yield f"{module} has {lines} lines; a file has fewer than {MAX_LINES}"


def name_that_says_nothing(sources: Sources) -> Iterator[str]:
    """A module is named for what it holds."""
    for module in sources:
        if SAYS_NOTHING.intersection(part.strip("_") for part in module.split(".")):
            yield f"{module}: name it for what it holds"


def unexplained_silence(sources: Sources) -> Iterator[str]:
    """Who silences a checker says which check, and why."""
    for module, text in sources.items():
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT:
                continue
            for silencer, explained in ((TYPE_IGNORE, TYPE_IGNORE_EXPLAINED), (NOQA, NOQA_EXPLAINED)):
                if silencer.search(token.string) and not explained.search(token.string):
                    yield f"{module}:{token.start[0]} {token.string}: name the code, then the reason"


LAYERS: tuple[Rule, ...] = (impure_core, library_on_simulator, stray_dpkt)
HABITS: tuple[Rule, ...] = (relative_import, long_file, name_that_says_nothing, unexplained_silence)


@pytest.fixture(scope="module")
def house() -> Sources:
    return load(package_folder("vrrp")) | load(package_folder("sim"))


def test_every_layer_is_found(house: Sources) -> None:
    assert {"vrrp", "vrrp.wire", "vrrp.protocol", "sim"} <= house.keys()


@pytest.mark.parametrize("rule", LAYERS + HABITS)
def test_the_house_keeps(rule: Rule, house: Sources) -> None:
    assert list(rule(house)) == []


@pytest.mark.parametrize("rule", HABITS)
def test_the_tests_keep(rule: Rule) -> None:
    assert list(rule(load(Path(__file__).parent))) == []


BREACHES: tuple[tuple[Rule, dict[str, str], str], ...] = (
    (impure_core, {"vrrp.wire.a": "import time"}, "vrrp.wire.a imports time"),
    (impure_core, {"vrrp.wire.a": "from os.path import join"}, "vrrp.wire.a imports os.path"),
    (impure_core, {"vrrp.protocol.a": "def f():\n    import random"}, "vrrp.protocol.a imports random"),
    (impure_core, {"vrrp.wire": "import asyncio as clock"}, "vrrp.wire imports asyncio"),
    (impure_core, {"vrrp.wire.a": "if True:\n    print(1)"}, "vrrp.wire.a:2 calls print()"),
    (
        impure_core,
        {
            "vrrp.protocol.a": "from vrrp import config",
            "vrrp.config": "import vrrp.b",
            "vrrp.b": "import socket",
        },
        "vrrp.protocol.a -> vrrp.config -> vrrp.b imports socket",
    ),
    (library_on_simulator, {"vrrp.cli.a": "from sim.kernel import run"}, "vrrp.cli.a imports sim"),
    (library_on_simulator, {"vrrp": "import sim"}, "vrrp imports sim"),
    (
        stray_dpkt,
        {"vrrp.config": "import dpkt.ip"},
        "vrrp.config imports dpkt, which is for vrrp.wire and vrrp.capture",
    ),
    (relative_import, {"sim.a": "\nfrom .b import c"}, "sim.a:2 has a relative import; write the full name"),
    (long_file, {"sim.a": "\n" * 450}, "sim.a has 450 lines; a file has fewer than 450"),
    (name_that_says_nothing, {"sim._utils.a": ""}, "sim._utils.a: name it for what it holds"),
    (
        unexplained_silence,
        {"sim.a": "x = 1  # type: ignore  # the stub is wrong"},
        "sim.a:1 # type: ignore  # the stub is wrong: name the code, then the reason",
    ),
    (
        unexplained_silence,
        {"sim.a": "x = 1  # type: ignore[misc]"},
        "sim.a:1 # type: ignore[misc]: name the code, then the reason",
    ),
    (unexplained_silence, {"sim.a": "x = 1  # noqa"}, "sim.a:1 # noqa: name the code, then the reason"),
    (
        unexplained_silence,
        {"sim.a": "x = 1  # noqa: E501"},
        "sim.a:1 # noqa: E501: name the code, then the reason",
    ),
    (
        unexplained_silence,
        {"sim.a": "x = 1  # noqa: E501, RUF012"},
        "sim.a:1 # noqa: E501, RUF012: name the code, then the reason",
    ),
)


@pytest.mark.parametrize(("rule", "sources", "breach"), BREACHES)
def test_a_breach_is_told(rule: Rule, sources: Sources, breach: str) -> None:
    assert list(rule(sources)) == [breach]


KEPT: tuple[tuple[Rule, dict[str, str]], ...] = (
    (impure_core, {"vrrp.wire.a": "import vrrp.wire.b, struct, dpkt", "vrrp.wire.b": "import vrrp.wire.a"}),
    (impure_core, {"vrrp.linux.a": "import socket\nopen('a')", "vrrp.wire.b": "import re\nre.compile('a')"}),
    (impure_core, {"vrrp.wireless": "import time", "vrrp.wire": "from timers import time"}),
    (library_on_simulator, {"vrrp.a": "import simple", "sim.a": "import vrrp, sim.b"}),
    (
        stray_dpkt,
        {"vrrp.wire.a": "import dpkt", "vrrp.capture": "from dpkt import pcap", "sim.a": "import dpkt"},
    ),
    (relative_import, {"sim.a": "from sim.b import c"}),
    (long_file, {"sim.a": "\n" * 449}),
    (name_that_says_nothing, {"sim.commons": "", "vrrp.miscount": ""}),
    (unexplained_silence, {"sim.a": "x = 1  # type: ignore[misc, arg-type]  # dpkt has no type hints"}),
    (unexplained_silence, {"sim.a": "x = 1  # noqa: E501, RUF012 - dpkt's own form"}),
    (unexplained_silence, {"sim.a": "x = '# noqa'  # an ordinary remark"}),
)


@pytest.mark.parametrize(("rule", "sources"), KEPT)
def test_what_is_allowed_is_not_told(rule: Rule, sources: Sources) -> None:
    assert list(rule(sources)) == []
