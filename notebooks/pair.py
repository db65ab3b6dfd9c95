"""Keep the two files of each notebook in step: ``python -m notebooks.pair``.

A notebook is written once as text (``.md``, to read, compare and review) and once as ``.ipynb`` (to
open). The second is a pure function of the first: no outputs, no execution counts, and ids made of
the cells, so that a changed cell changes nothing but itself. `jupytext --sync` brings what was changed
in Jupyter back into the text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "es")
_METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def texts() -> list[Path]:
    """The text of every notebook, by language and number."""
    return [path for language in LANGUAGES for path in sorted((FOLDER / language).glob("[0-9]*.md"))]


def notebook_of(text: str) -> Any:
    """The notebook that `text` (Jupytext Markdown) describes."""
    notebook = jupytext.reads(text, fmt="md")
    met: Counter[str] = Counter()
    for cell in notebook.cells:
        told = f"{cell.cell_type}\n{cell.source}"
        met[told] += 1
        cell.id = hashlib.sha256(f"{told}\n{met[told]}".encode()).hexdigest()[:8]
        cell.metadata = {}
    notebook.metadata = _METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def text_of(notebook: Any) -> str:
    """A notebook as Jupytext Markdown, without what a machine left in it."""
    bare = nbformat.from_dict({**notebook, "metadata": _METADATA})
    text: str = jupytext.writes(bare, fmt={"extension": ".md", "format_name": "markdown"})
    head, _, body = text.partition("\n---\n")
    kept = head[: head.index("  jupytext:")] + head[head.index("  kernelspec:") :]
    return f"{kept}\n---\n{body}"


def written(notebook: Any) -> str:
    """The content of an ``.ipynb`` file."""
    return str(nbformat.writes(notebook, indent=1, ensure_ascii=False)).rstrip("\n") + "\n"


def main() -> None:
    """Write every ``.ipynb`` anew from its text."""
    for path in texts():
        path.with_suffix(".ipynb").write_text(written(notebook_of(path.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
