"""The notebooks run from top to bottom in a fresh kernel, and are stored as a student first sees them: no outputs."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

FOLDER = ROOT / "notebooks"
NAMES = (
    "01-one-advertisement",
    "02-election-and-failover",
    "03-kubernetes-traps",
    "04-what-happened-last-night",
    "05-where-do-the-eleven-seconds-go",
)
NEEDED = ("nbclient", "nbformat", "ipykernel")
SECONDS_PER_CELL = 300  # measuring coverage on a busy machine; else the longest takes 5

every_notebook = pytest.mark.parametrize("name", NAMES)


def need(*modules: str) -> None:
    """Skip where a module is absent; where everything is to be tested, absence is failure."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if not absent:
        return
    message = f"needs {', '.join(absent)}: pip install 'vrrp[test]'"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message}; CI=true allows no skipping", pytrace=False)
    pytest.skip(message)


def stored(name: str) -> dict[str, Any]:
    """A notebook as the file has it."""
    notebook: dict[str, Any] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return notebook


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The notebook with its outputs, run where it lies. `folder` stands in for the user's Jupyter settings."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(folder / variable.lower()))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    nbformat = importlib.import_module("nbformat")
    nbclient = importlib.import_module("nbclient")
    notebook: dict[str, Any] = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(FOLDER)}}
    nbclient.NotebookClient(notebook, timeout=SECONDS_PER_CELL, resources=resources).execute()
    return notebook


def test_these_are_all_the_notebooks() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


@every_notebook
def test_runs_and_draws_and_warns_of_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(*NEEDED)
    outputs = [output for cell in code_cells(run(name, tmp_path, monkeypatch)) for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []


@every_notebook
def test_no_output_is_stored(name: str) -> None:
    for cell in code_cells(stored(name)):
        assert cell["outputs"] == [], cell["id"]
        assert cell["execution_count"] is None, cell["id"]


@every_notebook
def test_last_code_cell_asserts_what_was_shown(name: str) -> None:
    last = ast.parse("".join(code_cells(stored(name))[-1]["source"]))
    assert any(isinstance(node, ast.Assert) for node in ast.walk(last))


@every_notebook
def test_is_a_valid_notebook_for_any_python_3(name: str) -> None:
    need("nbformat")
    notebook = stored(name)
    importlib.import_module("nbformat").validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@every_notebook
def test_calls_no_shell(name: str) -> None:
    lines = [line for cell in code_cells(stored(name)) for line in "".join(cell["source"]).splitlines()]
    assert [line for line in lines if line.lstrip().startswith(("!", "%"))] == ["%matplotlib inline"]


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_an_absent_module_skips_but_not_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="needs no_such_module: pip install"):
        need("json", "no_such_module")
