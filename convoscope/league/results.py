"""The folder of a league: one JSON and one NumPy file for each row and seed, whole or not there.

``results/lda-pairwise-0-KEY.json`` has the figures and what they depend on, ``results/lda-pairwise-0-KEY.npz`` the
predictions (N,) int64, ``runs/lenet5-0-KEY/`` are the run folders of networks. The table lies beside them.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically, write_json

_KEY_LETTERS = 12
_RECORD = re.compile(rf"[\w-]+-\d+-[0-9a-f]{{{_KEY_LETTERS}}}\.json")


class Results:
    """The finished rows and seeds in a folder.

    Args:
        folder: new, empty, or one that a league made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cells = folder / "results"

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            RequestError: it holds something else, or can't be written.
        """
        try:
            if self.folder.exists() and not self.folder.is_dir():
                raise RequestError("league.out_file", path=str(self.folder))
            if self.folder.is_dir() and not self._is_ours():
                raise RequestError("league.out_taken", path=str(self.folder))
            self._cells.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestError("core.not_writable", path=str(self.folder), reason=reason) from error

    def _is_ours(self) -> bool:
        """Whether the folder is empty or a league's: a folder ``results`` alone may be that of any project."""
        content = list(self.folder.iterdir())
        # A league that was killed before its first table has made nothing but an empty folder for its results.
        if all(each == self._cells and each.is_dir() and not any(each.iterdir()) for each in content):
            return True
        if self._cells.is_dir() and any(_RECORD.fullmatch(file.name) for file in self._cells.iterdir()):
            return True
        try:
            table = json.loads((self.folder / "league.json").read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(table, dict) and table.keys() >= {"rows", "quick", "command"}

    def seeds(self, row: str) -> list[int]:
        """The finished seeds of a row, by the names of their files: of what key, and whole or not, `read` says."""
        of_row = re.compile(rf"{re.escape(row)}-(\d+)-\w+\.json")
        found = (of_row.fullmatch(file.name) for file in self._cells.iterdir())
        return sorted({int(match[1]) for match in found if match})

    def run_folder(self, row: str, seed: int, key: str) -> Path:
        """Where the networks of a row and seed are trained."""
        return self.folder / "runs" / f"{row}-{seed}-{key[:_KEY_LETTERS]}"

    def write(self, row: str, seed: int, key: str, figures: dict[str, Any], predictions: NDArray[np.int64]) -> None:
        """Keep a finished seed; the figures come last, and say that it is finished."""
        content = io.BytesIO()
        np.savez_compressed(content, predictions=predictions)
        write_atomically(self._file(row, seed, key, "npz"), content.getvalue())
        write_json(self._file(row, seed, key, "json"), {"row": row, "seed": seed, "key": key, **figures})

    def read(self, row: str, seed: int, key: str, count: int) -> tuple[dict[str, Any], NDArray[np.int64]] | None:
        """Figures and predictions (count,) of a finished seed; None if it isn't, or if its files are damaged."""
        try:
            figures: dict[str, Any] = json.loads(self._file(row, seed, key, "json").read_text("utf-8"))
            content = io.BytesIO(self._file(row, seed, key, "npz").read_bytes())
            with np.load(content, allow_pickle=False) as file:
                predictions: NDArray[np.int64] = file["predictions"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        whole = isinstance(figures, dict) and figures.get("key") == key and predictions.shape == (count,)
        return (figures, predictions) if whole else None

    def _file(self, row: str, seed: int, key: str, suffix: str) -> Path:
        return self._cells / f"{row}-{seed}-{key[:_KEY_LETTERS]}.{suffix}"
