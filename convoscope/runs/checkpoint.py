"""Checkpoints: all that a run needs to go on at the exact batch, as safetensors beside JSON.

A checkpoint is two files, ``step-00001234.safetensors`` and ``step-00001234.json``. The JSON is written last and holds
the checksum of both, so a checkpoint is whole or it is not one. The last two are kept: if the newest was torn, the
one before it serves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically, write_json

KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run between two steps.

    Attributes:
        tensors: model, optimizer and moving average, flat, by name.
        facts: JSON-ready: epoch, step, sums of the epoch so far, the best so far, optimizer's numbers, curves.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, run: str, total_step: int) -> None:
    """Write `checkpoint` of the run with id `run`, taken after `total_step` steps, and drop all but the last two.

    Raises:
        RequestError: the disk is full or the folder can't be written; the earlier checkpoints are intact.
    """
    stem = folder / f"step-{total_step:08d}"
    content = save({name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()})
    write_atomically(stem.with_suffix(".safetensors"), content)
    seal = {"run": run, "sha256": _checksum(content, run, checkpoint.facts), "facts": checkpoint.facts}
    write_json(stem.with_suffix(".json"), seal)
    for old in _steps(folder)[:-KEPT]:
        (folder / f"{old}.json").unlink(missing_ok=True)  # first: without it there is no checkpoint that could be torn
    drop_unfinished(folder)


def drop_unfinished(folder: Path) -> None:
    """Remove tensors without their JSON: a kill came before it was written, or after it was dropped."""
    whole = _steps(folder)
    for file in folder.glob("step-*.safetensors"):
        if file.stem not in whole:
            file.unlink(missing_ok=True)


def load_checkpoint(folder: Path, *, run: str) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole and belongs to the run with id `run`.

    Returns:
        the checkpoint, or None if the run was killed before its first; and the names of newer ones that were torn.

    Raises:
        RequestError: a checkpoint belongs to another run, or there are some and none is whole.
    """
    torn: list[str] = []
    for stem in reversed(_steps(folder)):
        found = _read(folder / stem)
        if found is None:
            torn.append(stem)
            continue
        owner, checkpoint = found
        if owner != run:
            raise RequestError("runs.checkpoint_foreign", path=str(folder / stem))
        return checkpoint, torn
    if torn:
        raise RequestError("runs.checkpoint_torn", path=str(folder), names=", ".join(torn))
    return None, []


def _steps(folder: Path) -> list[str]:
    """Stems of the checkpoints, oldest first. One whose JSON was never written was never finished, so is none."""
    return sorted(path.stem for path in folder.glob("step-*.json"))


def _read(stem: Path) -> tuple[str, Checkpoint] | None:
    try:
        seal = json.loads(stem.with_suffix(".json").read_text("utf-8"))
        content = stem.with_suffix(".safetensors").read_bytes()
        run, facts = seal["run"], seal["facts"]
        if _checksum(content, run, facts) != seal["sha256"]:
            return None
        return run, Checkpoint(load(content), facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _checksum(content: bytes, run: str, facts: dict[str, Any]) -> str:
    """One for both files: a number that flipped in the JSON would change the result as much as one in the tensors."""
    checksum = hashlib.sha256(content)
    checksum.update(json.dumps([run, facts], sort_keys=True).encode())
    return checksum.hexdigest()
