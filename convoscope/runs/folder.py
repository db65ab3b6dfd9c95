"""The files of a run and what is in each; only this module knows their names.

======================  ==================================================================================
``run.json``            config, resolved recipe, data fingerprint, preprocessing, classes, environment
``curves.jsonl``        one line an epoch
``model.safetensors``   the weights that ``predict`` uses: the best so far by the validation error
``checkpoint/``         where a killed run goes on
``metrics.json``        the result; there once the run is complete
``*.png``               pictures
======================  ==================================================================================
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convoscope.core.errors import RequestError
from convoscope.core.files import parse_json, read_json, write_atomically, write_json
from convoscope.core.locks import lock
from convoscope.runs.checkpoint import drop_unfinished
from convoscope.runs.config import problem_with, problem_with_metrics

FORMAT = 1
"""Version of the run folder; a reader refuses a newer one."""

PICTURES = ("curves.png", "confusion.png")
"""What a training draws of its result."""


class RunFolder:
    """Paths and reading and writing of one run's files.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config_file = self.path / "run.json"
        self.curves_file = self.path / "curves.jsonl"
        self.weights_file = self.path / "model.safetensors"
        self.metrics_file = self.path / "metrics.json"
        self.checkpoints = self.path / "checkpoint"

    @staticmethod
    def create(path: Path) -> RunFolder:
        """Make the folder for a new run.

        Raises:
            RequestError: it holds a run or other files, or can't be written.
        """
        folder = RunFolder(path)
        folder.check_free()
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder.checkpoints.mkdir()
        except OSError as error:
            raise _not_writable(path, error) from error
        return folder

    def check_free(self) -> None:
        """Make sure that a new run can begin here; nothing is written.

        Raises:
            RequestError: the folder holds a run or other files, or neither it nor what it would lie in can be written.
        """
        try:
            if self.path.exists():
                if self.config_file.exists():
                    raise RequestError("runs.folder_has_run", path=str(self.path))
                if any(self.path.iterdir()):
                    raise RequestError("runs.folder_not_empty", path=str(self.path))
        except OSError as error:
            raise _not_writable(self.path, error) from error
        self.check_writable()

    def check_writable(self) -> None:
        """Make sure that the folder, or what it would lie in, can be written; nothing is written.

        Raises:
            RequestError: it can't.
        """
        try:
            nearest = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        except OSError as error:
            raise _not_writable(self.path, error) from error
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            code = errno.EACCES if nearest.is_dir() else errno.ENOTDIR
            raise _not_writable(self.path, OSError(code, os.strerror(code)))

    @contextmanager
    def training(self) -> Iterator[None]:
        """Hold the folder for one training, until it ends or its process does.

        Raises:
            RequestError: another process trains in it.
        """
        with open(self.config_file, "rb") as file:
            try:
                lock(file, wait=False)
            except (BlockingIOError, PermissionError) as error:
                raise RequestError("runs.in_training", path=str(self.path)) from error
            except OSError:  # some network file systems have no locks
                pass
            yield

    def read_config(self) -> dict[str, Any]:
        """What ``run.json`` says.

        Raises:
            RequestError: the folder holds no run, one of a newer format, or a damaged one.
        """
        if not self.config_file.is_file():
            raise RequestError("runs.not_a_run", path=str(self.path))
        config = read_json(self.config_file)
        if not isinstance(config, dict) or not isinstance(config.get("format"), int):
            raise RequestError("runs.not_a_run", path=str(self.path))
        if config["format"] > FORMAT:
            raise RequestError("runs.newer_format", path=str(self.path), found=config["format"], known=FORMAT)
        if problem := problem_with(config):
            raise self.damaged(self.config_file, problem)
        return config

    def write_config(self, config: dict[str, Any]) -> None:
        """Write ``run.json``; its presence makes the folder a run."""
        write_json(self.config_file, {"format": FORMAT, **config})

    def read_metrics(self) -> dict[str, Any] | None:
        """The result, or None while the run is not complete.

        Raises:
            RequestError: it is damaged.
        """
        if not self.metrics_file.is_file():
            return None
        try:
            metrics = read_json(self.metrics_file)
        except RequestError as error:
            if error.key != "core.malformed":
                raise
            raise self._metrics_damaged(error.values["reason"]) from error
        if problem := problem_with_metrics(metrics):
            raise self._metrics_damaged(problem)
        return dict(metrics)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write the result, which completes the run."""
        write_json(self.metrics_file, metrics)

    def read_curves(self) -> list[dict[str, Any]]:
        """One dict an epoch; a torn last line (the run is being written, or was killed) is left out."""
        if not self.curves_file.is_file():
            return []
        lines = []
        for line in self.curves_file.read_text("utf-8", "replace").splitlines():
            try:
                lines.append(dict(parse_json(line)))
            except (ValueError, TypeError):
                break
        return lines

    def write_curves(self, curves: list[dict[str, Any]]) -> None:
        """Replace the curves, atomically: they are short, and so never torn."""
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in curves)
        write_atomically(self.curves_file, text.encode())

    def begin_training(self) -> None:
        """Make the folder one of a run in training.

        What a killed process had begun to write goes, and the result of an interrupted training, which will not be that
        of the weights any more.
        """
        self.checkpoints.mkdir(exist_ok=True)
        for result in (self.metrics_file, *(self.path / name for name in PICTURES)):
            result.unlink(missing_ok=True)
        for part in (*self.path.glob(".*.part"), *self.checkpoints.glob(".*.part")):
            part.unlink(missing_ok=True)
        drop_unfinished(self.checkpoints)

    def damaged(self, file: Path, reason: str) -> RequestError:
        """The error for a file of this run that does not hold what it should."""
        return RequestError("runs.damaged", path=str(self.path), what=file.name, reason=reason)

    def _metrics_damaged(self, reason: str) -> RequestError:
        # Unlike the rest of a run, it can be measured again.
        return RequestError("runs.metrics_damaged", file=str(self.metrics_file), path=str(self.path), reason=reason)


def _not_writable(path: Path, error: OSError) -> RequestError:
    return RequestError("core.not_writable", path=str(path), reason=error.strerror or str(error))
