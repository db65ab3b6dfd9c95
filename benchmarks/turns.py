"""Trainings side by side: each in its own process, one at a time at work, in turns of an epoch.

The next turn goes to the training of which the smallest share is done, so that all are begun and ended together and a
slow hour of the machine meets all of them. What is finished is kept in files and not run again; what was killed goes
on at its last epoch.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, peer
from benchmarks.records import origin
from convoscope import data as data_room
from convoscope.core.files import write_json
from convoscope.core.spec import parse_spec
from convoscope.training.recipe import setting_from

ROOT = Path(__file__).parents[1]


@dataclass
class Training:
    """One training of one contender.

    Args:
        who: a recipe or a peer, with changes if wished; `RECIPE@MODEL` trains another network than the recipe's own.
        data: name of a data set.
        seed: as for `convoscope train`.
        place: the folder in which all trainings of a comparison are kept.
        stop: after how many epochs to leave it unfinished; 0: never.
        precision: what products are computed in while it learns.

    Attributes:
        reached: what it said last.
    """

    who: str
    data: str
    seed: int
    place: Path
    stop: int = 0
    precision: str = "float32"
    reached: dict[str, Any] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        """Where it keeps its state. What decides the training is part of the name: changed, it is another training."""
        words = re.sub(r"[^\w.]+", "-", f"{self.who}-{self.precision}")
        return (self.place / f"{self.data}-{words}-{deciding(self.who, self.data)}-{self.seed}").absolute()

    @property
    def result(self) -> dict[str, Any] | None:
        """What it reached in the end; None while it hasn't."""
        return _read(self._beside("result"))

    @property
    def share_done(self) -> float:
        """The share of its epochs that is done."""
        return self.reached["done"] / self.reached["epochs"] if self.reached else 0.0

    @property
    def finished(self) -> bool:
        """Whether it needs no further turn."""
        return self.result is not None or bool(self.stop and self.reached.get("done", 0) >= self.stop)

    def turn(self) -> None:
        """Let it work until it has done an epoch more, or is done."""
        notes = self._beside("turns")
        spent = _read(notes) or {"seconds_whole": 0.0, "peak_memory_bytes": 0}
        begun = time.monotonic()
        said = self._ask()
        spent["seconds_whole"] += time.monotonic() - begun
        spent["peak_memory_bytes"] = max(spent["peak_memory_bytes"], said.pop("peak_memory_bytes"))
        write_json(notes, spent)
        if "result" in said:
            write_json(self._beside("result"), {**said["result"], **spent, **origin()})
            self.end()
        else:
            self.reached = {**said, **spent}

    def _beside(self, what: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{what}.json")

    def _ask(self) -> dict[str, Any]:
        if self._process is None:
            asked = {"who": self.who, "data": self.data, "seed": self.seed, "folder": str(self.folder)}
            asked |= {"precision": self.precision}
            self.place.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.contender", json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("your turn\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.who} on {self.data}, seed {self.seed}, ended with exit code {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def end(self) -> None:
        """Let its process go; what it has saved stays."""
        if self._process is not None:
            if self._process.poll() is None and self.result is None:
                self._process.terminate()
            self._process.communicate()
            self._process = None


def side_by_side(trainings: list[Training]) -> None:
    """Give turns until all are finished."""
    try:
        while waiting := [each for each in trainings if not each.finished]:
            one = min(waiting, key=lambda each: each.share_done)
            one.turn()
            done = one.result or one.reached
            state = "done" if one.result else f"{done['done']} of {done['epochs']} epochs"
            print(f"  {one.who}, seed {one.seed}: {state}, {done['seconds']:.1f} s", flush=True)
            if one.finished:
                one.end()
    finally:
        for each in trainings:
            each.end()


def recipe_and_model(who: str) -> tuple[str, str]:
    """What is asked for as `RECIPE@MODEL`; no model where it is the recipe's own."""
    recipe, _, model = who.partition("@")
    return recipe, model


def deciding(who: str, data: str) -> str:
    """A short checksum of what decides a training: the values of the recipe, or the peer's source."""
    recipe, model = recipe_and_model(who)
    spec = parse_spec(recipe)
    if spec.name in PEERS:
        text = inspect.getsource(peer) + inspect.getsource(sys.modules[PEERS[spec.name].__module__])
    else:
        text = model + setting_from(recipe, data_room.registry.get(data).shape[0])[1].model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
