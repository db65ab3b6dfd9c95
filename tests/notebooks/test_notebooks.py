"""The notebooks of the lesson: both files of each in step, both languages with the same code, and all of it runs."""

from __future__ import annotations

import ast
import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager

import convoscope as cs
from convoscope import data, models
from convoscope.convolution import kernels
from convoscope.league import registry as league_rows
from convoscope.runs.views import registry as views
from notebooks import pair

TEXTS = pair.texts()
ENGLISH = [path for path in TEXTS if path.parent.name == "en"]

# A string that names one of these is part of the program, and the same in both languages.
_NAMES = {*kernels, *data.registry, *models.registry, *views, *league_rows, "same", "valid", "max", "avg"}
_IDS = {path: f"{path.parent.name}/{path.stem}" for path in TEXTS}


def cells(path: Path, kind: str) -> list[Any]:
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def test_there_are_14_in_both_languages():
    stems = [[path.stem for path in TEXTS if path.parent.name == language] for language in pair.LANGUAGES]
    assert stems[0] == stems[1]
    assert [int(stem[:2]) for stem in stems[0]] == list(range(1, 15))


@pytest.mark.parametrize("path", TEXTS, ids=_IDS.get)
def test_both_files_hold_the_same(path):
    text, stored = path.read_text("utf-8"), path.with_suffix(".ipynb").read_text("utf-8")
    assert pair.written(pair.notebook_of(text)) == stored, "run: make notebooks"
    assert pair.text_of(nbformat.reads(stored, as_version=4)) == text, "run: make notebooks"
    jupytext.compare.compare_notebooks(jupytext.reads(stored, fmt="ipynb"), jupytext.reads(text, fmt="md"), fmt="md")


@pytest.mark.parametrize("path", TEXTS, ids=_IDS.get)
def test_nothing_of_a_machine_is_stored(path):
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    assert set(notebook.metadata) == {"kernelspec"}
    for cell in notebook.cells:
        assert not cell.metadata
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def test_a_changed_cell_changes_only_its_own_id():
    text = "# Title\n\n```python\n1 + 1\n```\n\n```python\n1 + 1\n```\n\nEnd.\n"
    before, after = (pair.notebook_of(one).cells for one in (text, text.replace("End", "The end")))
    assert [one.id for one in before[:3]] == [one.id for one in after[:3]]
    assert before[3].id != after[3].id
    assert before[1].id != before[2].id


@pytest.mark.parametrize("path", TEXTS, ids=_IDS.get)
def test_it_runs_anywhere(path):
    for cell in cells(path, "code"):
        assert not re.search(r"^\s*[%!?]", cell.source, re.MULTILINE), "no magic, no shell"
        assert "/home/" not in cell.source


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_both_languages_run_the_same_code(path):
    spanish = path.parents[1] / "es" / path.name
    kinds = [
        [cell.cell_type for cell in nbformat.read(each.with_suffix(".ipynb"), as_version=4).cells]
        for each in (path, spanish)
    ]
    assert kinds[0] == kinds[1]
    for english, other in zip(cells(path, "code"), cells(spanish, "code"), strict=True):
        assert _bare(english.source) == _bare(other.source)


@pytest.mark.parametrize("path", TEXTS, ids=_IDS.get)
def test_prose_is_in_its_language_and_leads_somewhere(path):
    prose = "\n".join(cell.source for cell in cells(path, "markdown"))
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        assert (path.parent / target).is_file(), target
    words = re.findall(r"\b(the|and|of|is)\b" if path.parent.name == "es" else r"\b(el|los|una|es)\b", prose)
    assert not words
    first = cells(path, "code")[0].source
    assert f'cs.set_language("{path.parent.name}")' in first
    assert first.startswith("# %pip install ../..")


def test_the_exercises_of_the_lesson_are_asked():
    asked = [name for path in ENGLISH for name in _exercises(path)]
    assert len(asked) == len(set(asked)) >= 25
    assert set(asked) <= {entry.name for entry in cs.exercises()}


def _exercises(path: Path) -> list[str]:
    return [name for cell in cells(path, "code") for name in re.findall(r'cs\.exercise\("([\w-]+)"\)', cell.source)]


def _bare(source: str) -> str:
    """The code without comments and sentences; what an f-string puts in counts, in any order."""

    class Mask(ast.NodeTransformer):
        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            parts = [self.visit(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
            return ast.Set(elts=sorted(parts, key=ast.dump))

        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            known = isinstance(node.value, str) and node.value.partition(":")[0] in _NAMES
            return node if known or not isinstance(node.value, str) else ast.Constant("")

    return ast.dump(Mask().visit(ast.parse(source)))


def test_code_that_differs_is_found():
    assert _bare('f"{a}: {b}"') == _bare('f"un {b} de {a}"')
    assert _bare('cs.kernels["sharpen"]') != _bare('cs.kernels["emboss"]')
    assert _bare("f(1)") != _bare("f(2)")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Every notebook, run in a kernel; what went wrong, or nothing.

    Both languages work in one folder, so that the second finds the trainings of the first, as a student does who opens
    a notebook again; and in one kernel, emptied in between, which has loaded PyTorch. Two chapters are run at a time.
    """
    folder = tmp_path_factory.mktemp("lesson")
    environment = {key: value for key, value in os.environ.items() if key != "CONVOSCOPE_DATA"}
    # One thread each, since two work at once: the same numbers on every machine of a kind, and no waiting.
    environment |= {"CONVOSCOPE_CACHE": str(folder / "cache"), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}

    async def run(path: Path, kernel: AsyncKernelManager) -> str:
        notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
        place = {"metadata": {"path": str(folder)}}
        client = nbclient.NotebookClient(notebook, km=kernel, timeout=900, resources=place)
        try:
            await client.async_execute(env=environment)
        except nbclient.exceptions.CellExecutionError as error:
            return str(error)
        finally:
            await client.kc.execute_interactive("get_ipython().reset()", timeout=60)
            client.kc.stop_channels()
        said = [out.text for cell in cells_of(notebook) for out in cell.outputs if out.get("name") == "stderr"]
        return "\n".join(said)

    async def chapter(stem: str) -> dict[Path, str]:
        kernel = AsyncKernelManager(kernel_name="python3")
        found = {path: await run(path, kernel) for path in TEXTS if path.stem == stem}
        await kernel.shutdown_kernel(now=True)
        return found

    # Chapter 12 opens the network of chapter 10: one after the other, in one line of work.
    stems = [path.stem for path in ENGLISH]
    lines = [stems[0::2], stems[1::2]]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda line: [asyncio.run(chapter(stem)) for stem in line], lines)
        return {path: said for line in found for one in line for path, said in one.items()}


def cells_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow
@pytest.mark.parametrize("path", TEXTS, ids=_IDS.get)
def test_it_runs_and_its_claims_hold(path, executed):
    assert not executed[path]
