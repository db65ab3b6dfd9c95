"""What a training reaches, how long it takes, what the loop adds to bare arithmetic, and how fast the program starts.

    python -m benchmarks.train accuracy --data mnist --seeds 3
    python -m benchmarks.train overhead --data mnist
    python -m benchmarks.train start

`accuracy` runs the same command as a user, once a seed, each in a process of its own. A seed that is done is not run
again while what its recipe says stays the same: its result lies in the folder given by ``--out``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F

import convoscope as cs
from benchmarks.planned import costs_of
from benchmarks.records import dated_back, origin, put, record, spread
from benchmarks.turns import deciding
from convoscope import models
from convoscope.core.files import write_json
from convoscope.data.batches import Batches, Scaling
from convoscope.training.clock import Clock
from convoscope.training.optimizers import make_optimizer, rate_factor, set_rate
from convoscope.training.processes import keep_freed_memory, precision_for
from convoscope.training.progress import Listener
from convoscope.training.recipe import setting_from


def main() -> None:
    """Measure what was asked for, print it, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["accuracy", "overhead", "start"])
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--model", default="", help="a network in place of the recipe's own, of `accuracy`")
    parser.add_argument("--tta", nargs="+", default=["none"])
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16, of `accuracy`")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    asked = parser.parse_args()
    {"accuracy": accuracy, "overhead": overhead, "start": start}[asked.what](asked)


def accuracy(asked: argparse.Namespace) -> None:
    """Test error, seconds, FLOP and memory of the recipe over the seeds, for each kind of test-time augmentation."""
    precision = precision_for(asked.precision)
    results = [
        run_once(asked.data, asked.recipe, seed, asked.out, asked.model, precision) for seed in range(asked.seeds)
    ]
    command = f"python -m benchmarks.train accuracy --data {asked.data} --recipe {asked.recipe} --seeds {asked.seeds}"
    command += f" --model {asked.model}" if asked.model else ""
    network = f", {asked.model}" if asked.model else ""
    half = "" if precision == "float32" else f", {precision}"
    command += f" --precision {precision}"
    for views in asked.tta:
        tested = results if views == "none" else [evaluate(result["run"], views) for result in results]
        errors = [result["test_error"] for result in tested]
        error, deviation = spread(errors)
        made = record(
            f"convoscope train, recipe {asked.recipe}{network}{half}" + ("" if views == "none" else f", --tta {views}"),
            asked.data,
            command if views == "none" else f"{command} --tta none {views}",
            error=error,
            error_std=deviation,
            errors=errors,
            seeds=list(range(asked.seeds)),
            test_count=results[0]["test_count"],
            precision=precision,
            **({"model": asked.model} if asked.model else {}),
            seconds=median(result["seconds"] for result in results),
            seconds_whole_command=round(median(result["whole"] for result in results), 3),
            train_flops=results[0]["train_flops"],
            parameters=results[0]["parameters"],
            peak_memory_bytes=max(result["peak"] for result in results),
        )
        put("train", dated_back(made, [*results, *tested]))
        print(
            f"{asked.data}, {asked.recipe}, {views}: {error:.3%} over {asked.seeds} seeds, {made['seconds']:.1f} s each"
        )


def run_once(
    data: str, recipe: str, seed: int, out: Path, model: str = "", precision: str = "float32"
) -> dict[str, Any]:
    """One training as a user starts it, with the recipe's model or another; from its file if it was done before.

    What decides the training is part of the file's name: changed, it is another training.
    """
    given = [data, recipe, *[model] * bool(model), *[precision] * (precision != "float32")]
    words = "-".join([*given, deciding(recipe, data), str(seed)])
    folder = out / "".join(letter if letter.isalnum() else "-" for letter in words)
    done = folder.with_suffix(".json")
    if done.exists():
        return json.loads(done.read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    begin = ["--data", data, "--recipe", recipe, "--seed", str(seed), "--out", str(folder)]
    begin += ["--precision", precision]
    begin += ["--model", model] if model else []
    command = [sys.executable, "-m", "convoscope", "train", "--json"]
    command += ["--resume", str(folder)] if folder.exists() else begin
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the training of seed {seed} ended with exit code {process.returncode}")
    spent = {"whole": time.perf_counter() - begun, "peak": usage.ru_maxrss * 1024}
    result = {**json.loads(output), **spent, **origin()}
    write_json(done, result)
    return result


def evaluate(run: str, views: str) -> dict[str, Any]:
    """What a trained network gets wrong when several views of each picture are averaged."""
    command = [sys.executable, "-m", "convoscope", "evaluate", run, "--tta", views, "--json"]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return {**json.loads(output), **origin()}


class EpochTimes(Listener):
    """Seconds of each whole epoch: data, augmentation, steps, validation, weights and checkpoint."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_start(self, plan: Any, done_steps: int) -> None:
        self.ends.append(time.perf_counter())

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        if epoch == len(self.ends):  # the first step of the next epoch: the one before is done with its checkpoint
            self.ends.append(time.perf_counter())

    def on_end(self) -> None:
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        return [after - before for before, after in zip(self.ends, self.ends[1:], strict=False)]


def overhead(asked: argparse.Namespace) -> None:
    """Whole epochs against bare forward, backward and step of the same network on the same batches, in one process."""
    epochs = 3
    loaded = cs.load(asked.data)
    with tempfile.TemporaryDirectory() as place:
        listener = EpochTimes()
        cs.train(
            loaded, recipe=asked.recipe, epochs=epochs, out=Path(place) / "run", precision="float32", listener=listener
        )
    keep_freed_memory()  # as the training did, which gave it back at its end
    whole, bare = listener.seconds, bare_epochs(loaded, asked.recipe, epochs)
    ratio = median(whole) / median(bare)
    made = record(
        f"epoch against bare steps, recipe {asked.recipe}",
        asked.data,
        f"python -m benchmarks.train overhead --data {asked.data} --recipe {asked.recipe}",
        ratio=round(ratio, 4),
        seconds=round(median(whole), 3),
        seconds_bare=round(median(bare), 3),
        trials=len(whole),
    )
    put("train", made)
    print(f"{asked.data}: whole epoch {median(whole):.2f} s, bare {median(bare):.2f} s, ratio {ratio:.3f}")


def bare_epochs(loaded: cs.ImageData, recipe: str, epochs: int) -> list[float]:
    """Seconds of epochs of nothing but forward, backward and step, as a training takes them, on batches made before."""
    setting = setting_from(recipe, loaded.shape[0])[1]
    from convoscope.training.worker import faster, split

    rows, _ = split(loaded, setting, 0)
    batches = Batches(
        loaded.train.images,
        loaded.train.labels,
        rows,
        batch_size=setting.batch_for(len(rows)),
        scaling=Scaling.of(loaded.train.images, rows),
        augmentation=setting.augmentation,
        mirrored=loaded.mirrored,
        seed=0,
    )
    torch.manual_seed(0)
    model = models.build(setting.model, loaded.shape, len(loaded.classes)).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(setting, model)
    clock = Clock(epochs * batches.steps, setting.resolutions, loaded.shape[1:], costs_of(setting, loaded))
    seconds = []
    for epoch in range(epochs):
        steps = range(epoch * batches.steps, (epoch + 1) * batches.steps)
        made = [batches.batch(epoch, at, clock.side(step)) for at, step in enumerate(steps)]
        with faster(model, loaded.shape, epochs * len(rows), "float32"):
            begun = time.perf_counter()
            for step, (images, labels, _) in zip(steps, made, strict=True):
                set_rate(optimizer, rate_factor(setting, clock.course(step, setting.course)))
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels, label_smoothing=setting.label_smoothing).backward()
                optimizer.step()
            seconds.append(time.perf_counter() - begun)
    return seconds


def start(_: argparse.Namespace) -> None:
    """Seconds of ``import convoscope`` and of commands without and with PyTorch, each in fresh processes."""
    for name, words in {
        "import convoscope": ["-c", "import convoscope"],
        "convoscope --help": ["-m", "convoscope", "--help"],
        "convoscope summary typical": ["-m", "convoscope", "summary", "typical"],
    }.items():
        seconds = []
        for _trial in range(9):
            begun = time.perf_counter()
            subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
            seconds.append(time.perf_counter() - begun)
        put("start", record(name, "", "python -m benchmarks.train start", seconds=round(median(seconds), 4), trials=9))
        print(f"{name}: {median(seconds):.3f} s")


if __name__ == "__main__":
    main()
