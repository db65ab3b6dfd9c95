"""A run that was killed at any instant goes on at the exact batch and ends with the very same weights."""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from convoscope import Run, train
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.runs.checkpoint import load_checkpoint, save_checkpoint
from convoscope.training.progress import Listener
from tests.training.listeners import Killer, StopsAfter

# All that has a state: momentum, Muon, a moving average, augmentation, batch normalisation, early stopping.
RECIPE = (
    "default:optimizer=muon,muon_learning_rate=0.05,learning_rate=0.05,ema=0.9,rotate=10,elastic=8,patience=30,"
    "focus=1,focus_from=0.1,precise_norm=true"
)
KILLS = 10
STEPS = 16
"""Steps in an epoch of the bundled digits."""
IMPORTED = ("convoscope.training.worker", "lightning_fabric", "torch._dynamo", "matplotlib.figure")
"""What a training imports only when it needs it."""


def train_in_a_process(out: Path, *, kill_after: float | None = None, resume: bool = False) -> int | None:
    """Train on the bundled 8x8 digits in a process of its own, which kills itself `kill_after` seconds on.

    The processes are forked from one that has imported everything, which takes longer than their training.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *IMPORTED])
    process = context.Process(target=_train, args=(out, kill_after, resume))
    process.start()
    process.join(timeout=300)
    code = process.exitcode
    process.kill()  # one that hangs
    return code


def _train(out: Path, kill_after: float | None, resume: bool) -> None:
    if resume:
        train(resume=out, listener=Killer(kill_after))
    else:
        train("digits", recipe=RECIPE, epochs=20, seed=3, out=out, checkpoint_seconds=0.05, listener=Killer(kill_after))


@pytest.mark.slow
def test_ten_random_kills_change_not_one_bit(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train_in_a_process(whole) == 0
    chance = random.Random(20261124)
    kills = 0
    code = train_in_a_process(killed, kill_after=0.3)
    while kills < KILLS:
        assert code == -signal.SIGKILL
        kills += 1
        after = chance.uniform(0.02, 0.35) if kills < KILLS else None
        code = train_in_a_process(killed, kill_after=after, resume=True)
    assert code == 0
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert _untimed(Run(whole)) == _untimed(Run(killed))
    results = [json.loads((path / "metrics.json").read_text()) for path in (whole, killed)]
    for key in ("test_error", "test_loss", "validation_error", "best_epoch", "epochs", "train_flops"):
        assert results[0][key] == results[1][key], key


@pytest.mark.parametrize(
    ("model", "recipe"),
    [
        ("lenet5", "steady"),
        ("typical:blocks=2,width=8", "default"),
        ("convnet", "default:optimizer=sgd,learning_rate=0.05"),
        ("convnet", "default:optimizer=adamw"),
        ("convnet", "default:optimizer=adadelta"),
    ],
)
def test_every_optimizer_goes_on_where_it_was_to_the_bit(tmp_path: Path, model: str, recipe: str) -> None:
    """The fused ones read what they remember in the order of memory, which a file does not keep."""
    whole = train("digits", model, recipe, epochs=3, out=tmp_path / "whole")
    stopped = train("digits", model, recipe, epochs=3, out=tmp_path / "stopped", listener=StopsAfter(20))
    assert stopped.metrics is not None
    assert stopped.metrics["interrupted"]
    resumed = train(resume=stopped.path)
    assert resumed.folder.weights_file.read_bytes() == whole.folder.weights_file.read_bytes()
    assert resumed.curves[-1]["train_loss"] == whole.curves[-1]["train_loss"]


def test_a_run_stopped_after_the_last_step_of_an_epoch_ends_that_epoch(tmp_path: Path) -> None:
    whole = train("digits", recipe=RECIPE, epochs=3, out=tmp_path / "whole")
    # Asked to stop at a step, a training stops after the next.
    stopped = train("digits", recipe=RECIPE, epochs=3, out=tmp_path / "stopped", listener=StopsAfter(2 * STEPS - 1))
    assert len(stopped.curves) == 2
    assert stopped.metrics is not None
    assert stopped.metrics["interrupted"]
    resumed = train(resume=stopped.path)
    assert _untimed(resumed) == _untimed(whole)
    assert resumed.folder.weights_file.read_bytes() == whole.folder.weights_file.read_bytes()


def test_a_run_stopped_after_its_very_last_step_is_complete(tmp_path: Path) -> None:
    run = train("digits", "dense-800", epochs=2, out=tmp_path / "run", listener=StopsAfter(2 * STEPS - 1))
    assert run.metrics is not None
    assert not run.metrics["interrupted"]


def test_no_checkpoint_takes_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a kill, between the two files of the second would tear the first."""
    steps = []

    def noted(*asked: Any, total_step: int, **more: Any) -> None:
        steps.append(total_step)
        save_checkpoint(*asked, total_step=total_step, **more)

    monkeypatch.setattr("convoscope.training.worker.save_checkpoint", noted)
    train("digits", "dense-800", epochs=2, checkpoint_seconds=0, out=tmp_path / "run")
    assert steps == list(range(1, 2 * STEPS + 1))


def _untimed(run: Run) -> list[dict[str, object]]:
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in run.curves]


@pytest.fixture
def stopped(tmp_path: Path) -> Run:
    """A run that was interrupted in its third epoch."""
    steps = 2 * STEPS + 5
    run = train("digits", recipe=RECIPE, epochs=4, out=tmp_path / "run", listener=StopsAfter(steps))
    assert run.metrics is not None
    assert run.metrics["interrupted"]
    assert len(run.curves) == 2
    return run


def test_an_interrupted_run_keeps_and_tests_its_best_weights_and_goes_on(stopped: Run) -> None:
    assert stopped.metrics is not None
    assert stopped.metrics["test_count"] > 300
    assert stopped.predict(stopped_image(stopped))[0].label in stopped.classes
    done = train(resume=stopped.path)
    assert done.metrics is not None
    assert not done.metrics["interrupted"]
    assert [line["epoch"] for line in done.curves] == [1, 2, 3, 4]


def stopped_image(run: Run) -> object:
    import numpy as np

    return np.zeros(run.preprocessing.input_shape, np.uint8)


def checkpoints(run: Run) -> list[Path]:
    return sorted((run.path / "checkpoint").glob("*.safetensors"))


def test_a_torn_checkpoint_is_passed_over_for_the_last_good_one(
    stopped: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = checkpoints(stopped)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    notes = Notes()
    with using_language("en"):
        done = train(resume=stopped.path, listener=notes)
    assert any(newest.stem in note for note in notes.told)
    assert len(done.curves) == 4


def test_without_a_whole_checkpoint_the_sentence_says_so(stopped: Run) -> None:
    for path in checkpoints(stopped):
        path.write_bytes(b"torn")
    with using_language("en"), pytest.raises(RequestError, match=r"No checkpoint in .* is whole"):
        train(resume=stopped.path)


def test_a_checkpoint_of_another_run_is_refused(stopped: Run, tmp_path: Path) -> None:
    other = train("digits", recipe=RECIPE, epochs=4, out=tmp_path / "other", listener=StopsAfter(3 * 16 + 2))
    for path in (other.path / "checkpoint").iterdir():
        (stopped.path / "checkpoint" / path.name).write_bytes(path.read_bytes())
    with using_language("en"), pytest.raises(RequestError, match="belongs to another run"):
        train(resume=stopped.path)


def test_a_complete_run_is_given_back_as_it_is(tmp_path: Path) -> None:
    run = train("digits", recipe=RECIPE, epochs=1, out=tmp_path / "run")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    again = train(resume=run.path)
    assert again.metrics == run.metrics
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


class Notes(Listener):
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_note(self, text: str) -> None:
        self.told.append(text)


@pytest.mark.parametrize("harm", ["deleted", "torn", "NaN"])
def test_lost_weights_are_given_back_by_the_checkpoint_of_their_epoch(tmp_path: Path, harm: str) -> None:
    run = train("digits", "dense-800", "plain:validation=0", epochs=2, out=tmp_path / "run")
    before, metrics = run.folder.weights_file.read_bytes(), run.metrics
    damage(run, harm)
    with using_language("en"), pytest.raises(RequestError, match="--resume"):
        Run(run.path).predict(stopped_image(run))  # type: ignore[arg-type]
    notes = Notes()
    with using_language("en"):
        again = train(resume=run.path, listener=notes)
    assert "The weights could not be read and were written anew from the checkpoint." in notes.told
    assert again.folder.weights_file.read_bytes() == before
    assert metrics is not None
    assert again.metrics is not None
    assert again.metrics["test_errors"] == metrics["test_errors"]
    assert len(again.curves) == 2


def damage(run: Run, harm: str) -> None:
    file = run.folder.weights_file
    if harm == "deleted":
        file.unlink()
    elif harm == "torn":
        file.write_bytes(file.read_bytes()[:1000])
    else:
        save_file({name: tensor * math.nan for name, tensor in load_file(file).items()}, file)


def test_lost_weights_of_an_earlier_epoch_are_not_made_up(tmp_path: Path) -> None:
    run = train("digits", "dense-800", "plain:validation=0", epochs=2, out=tmp_path / "run")
    newest, _ = load_checkpoint(run.folder.checkpoints, run=run.config["id"])
    assert newest is not None
    older = replace(newest, facts={**newest.facts, "best_epoch": 1})
    save_checkpoint(run.folder.checkpoints, older, run=run.config["id"], total_step=1000)
    run.folder.weights_file.unlink()
    words = "its checkpoint, of epoch 2, does not hold those of its best epoch, 1"
    with using_language("en"), pytest.raises(RequestError, match=words):
        train(resume=run.path)
    shutil.rmtree(run.folder.checkpoints)
    with using_language("en"), pytest.raises(RequestError, match="it has no checkpoint to give them back"):
        train(resume=run.path)
    assert not run.folder.weights_file.exists()


def test_a_damaged_result_is_measured_again_once_it_is_removed(tmp_path: Path) -> None:
    run = train("digits", "dense-800", "plain", epochs=1, out=tmp_path / "run")
    metrics = run.metrics
    run.folder.metrics_file.write_text("{")
    with using_language("en"), pytest.raises(RequestError, match=r"metrics\.json is damaged .* Remove it"):
        train(resume=run.path)
    run.folder.metrics_file.unlink()
    assert train(resume=run.path).metrics == metrics


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with using_language("en"), pytest.raises(RequestError, match="holds no run"):
        train(resume=tmp_path)


def test_a_full_disk_leaves_the_earlier_checkpoint_intact(tmp_path: Path) -> None:
    """The file size limit of the process stands in for a full disk: the write fails half way, as it does there."""
    script = f"""
        import resource, sys
        from convoscope import train
        from convoscope.core.errors import RequestError
        from convoscope.training.progress import Listener

        class Fill(Listener):
            def on_epoch(self, line):
                if line["epoch"] == 2:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

        try:
            train("digits", epochs=4, out={str(tmp_path / "run")!r}, checkpoint_seconds=1e6, listener=Fill())
        except RequestError as error:
            sys.exit(f"{{error.key}}: {{error}}")
    """
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stderr.startswith("core.disk_full"), done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "run").rglob("*.part"))
    assert [path.stem for path in checkpoints(Run(tmp_path / "run"))] == ["step-00000016"]
    assert len(train(resume=tmp_path / "run").curves) == 4
