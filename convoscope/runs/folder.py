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

import json
import os
from pathlib import Path
from typing import Any

from convoscope.core.errors import RequestError
from convoscope.core.files import read_json, write_atomically, write_json

FORMAT = 1
"""Version of the run folder; a reader refuses a newer one."""


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
        if folder.config_file.exists():
            raise RequestError("runs.folder_has_run", path=str(path))
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RequestError("runs.folder_not_empty", path=str(path))
            folder.checkpoints.mkdir()
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestError("core.not_writable", path=str(path), reason=reason) from error
        if not os.access(path, os.W_OK):
            raise RequestError("core.not_writable", path=str(path), reason="permissions")
        return folder

    def read_config(self) -> dict[str, Any]:
        """What ``run.json`` says.

        Raises:
            RequestError: the folder holds no run, or one of a newer format.
        """
        if not self.config_file.is_file():
            raise RequestError("runs.not_a_run", path=str(self.path))
        config = read_json(self.config_file)
        if not isinstance(config, dict) or not isinstance(config.get("format"), int):
            raise RequestError("runs.not_a_run", path=str(self.path))
        if config["format"] > FORMAT:
            raise RequestError("runs.newer_format", path=str(self.path), found=config["format"], known=FORMAT)
        return config

    def write_config(self, config: dict[str, Any]) -> None:
        """Write ``run.json``; its presence makes the folder a run."""
        write_json(self.config_file, {"format": FORMAT, **config})

    def read_metrics(self) -> dict[str, Any] | None:
        """The result, or None while the run is not complete."""
        if not self.metrics_file.is_file():
            return None
        metrics: dict[str, Any] = read_json(self.metrics_file)
        return metrics

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write the result, which completes the run."""
        write_json(self.metrics_file, metrics)

    def read_curves(self) -> list[dict[str, Any]]:
        """One dict an epoch; a torn last line (the run is being written, or was killed) is left out."""
        if not self.curves_file.is_file():
            return []
        lines = []
        for line in self.curves_file.read_text("utf-8").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                break
        return lines

    def write_curves(self, curves: list[dict[str, Any]]) -> None:
        """Replace the curves, atomically: they are short, and so never torn."""
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in curves)
        write_atomically(self.curves_file, text.encode())
