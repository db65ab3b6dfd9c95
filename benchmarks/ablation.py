"""What each part of a recipe is worth: the recipe with one thing changed at a time, judged by pictures set aside.

    python -m benchmarks.ablation --data mnist --recipe fast --seeds 3
    python -m benchmarks.ablation --data cifar10 --recipe quick:images_seen=130000,min_epochs=3 --seeds 2

A tenth of the training set is set aside, and the error is that of the last weights on it: the test set decides nothing.
The seconds are those of the whole training. Trainings that are done are not done again; ``--out`` is where they lie.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.records import dated_back, put, record, spread
from benchmarks.train import run_once
from convoscope.data import load
from convoscope.training.processes import precision_for
from convoscope.training.recipe import setting_from

SET_ASIDE = 0.1


@dataclass(frozen=True)
class Change:
    """One thing done in another way: values of the recipe, of its model, or both; a model's value None is left out."""

    name: str
    recipe: str = ""
    model: dict[str, str | None] | None = None


NONE = Change("as it is")
BOTH = (
    Change("without focus", "focus=0"),
    Change("AdamW instead of Muon", "optimizer=adamw"),
    Change("without label smoothing", "label_smoothing=0"),
    Change("without warm-up", "warmup=0"),
    Change("ReLU instead of GELU", model={"activation": "relu"}),
)
GREY = (
    Change("first convolution with padding", model={"stem_padding": None}),
    Change("batches of 250", "batch_size=250,muon_learning_rate=0.24"),
    Change("without augmentation", "rotate=0,scale=0,shear=0,shift=0"),
    Change("with elastic distortion", "elastic=30,elastic_sigma=4"),
)
COLOUR = (
    Change("all at full resolution", "resolutions=none"),
    Change("the rate's course counted in computing", "course=computing"),
    Change("without whitening", model={"whiten": None}),
    Change("mirrored by chance", "flip=random"),
    Change("without augmentation", "flip=none,shift=0"),
)


def main() -> None:
    """Train with each change and each seed, seeds first, and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/ablation"))
    asked = parser.parse_args()
    channels, precision = load(asked.data).shape[0], precision_for("auto")
    command = f"python -m benchmarks.ablation --data {asked.data} --recipe {asked.recipe} --seeds {asked.seeds}"
    for change in (NONE, *BOTH, *(GREY if channels == 1 else COLOUR)):
        recipe, model = changed(asked.recipe, change, channels)
        results = [run_once(asked.data, recipe, seed, asked.out, model, precision) for seed in range(asked.seeds)]
        errors = [last_validation_error(result) for result in results]
        error, deviation = spread(errors)
        made = record(
            f"recipe {asked.recipe}: {change.name}",
            asked.data,
            command,
            validation_error=error,
            validation_error_std=deviation,
            errors=errors,
            seeds=list(range(asked.seeds)),
            validation=SET_ASIDE,
            precision=precision,
            recipe=recipe,
            model=model,
            seconds=median(result["seconds"] for result in results),
            train_flops=results[0]["train_flops"],
        )
        put("ablation", dated_back(made, results))
        print(f"{change.name}: {error:.2%}, {made['seconds']:.0f} s", flush=True)


def changed(recipe: str, change: Change, channels: int) -> tuple[str, str]:
    """The recipe and the model, as the command line takes them, with `change` and pictures set aside."""
    values = ",".join(part for part in (f"validation={SET_ASIDE}", change.recipe) if part)
    model = setting_from(recipe, channels)[1].model
    family, _, rest = model.partition(":")
    parameters: dict[str, str | None] = dict(item.split("=") for item in rest.split(",") if item)
    parameters |= change.model or {}
    given = ",".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return recipe + ("," if ":" in recipe else ":") + values, f"{family}:{given}" if given else family


def last_validation_error(result: dict[str, Any]) -> float:
    """The error of the last epoch's weights on what was set aside."""
    lines = (Path(result["run"]) / "curves.jsonl").read_text("utf-8").splitlines()
    return float(json.loads(lines[-1])["validation_error"])


if __name__ == "__main__":
    main()
