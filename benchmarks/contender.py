"""One training of a comparison, ours or a peer's, in a process that waits for its turn after each epoch.

It is started by `benchmarks.compare`, which lets one contender work at a time. Both talk in lines: a line on the
standard input is a turn; a line of JSON on the standard output is what has been reached. Waiting is in no figure.

    python -m benchmarks.contender '{"who": "default", "data": "mnist-5k", "seed": 0, "folder": "runs/x",
        "precision": "float32"}'
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

MIRRORED_VIEWS, TURNED_VIEWS = "flip-shift", "turn"
"""What is tested beside one view: pictures that may be mirrored with the six views of airbench94, others with turned
ones, where the recipe turned them in training too."""


def await_turn() -> None:
    """Wait for a line; end where there will be none any more."""
    if not sys.stdin.readline():
        sys.exit("nobody waits for this training any more; it can go on from its last epoch")


def tell(**reached: Any) -> None:
    """Say where the training stands."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**reached, "peak_memory_bytes": peak}), flush=True)


def main() -> None:
    """Train what was asked for, turn by turn, and tell the result."""
    await_turn()  # before anything is loaded: that is work, and waits for its turn too
    asked = json.loads(sys.argv[1])
    from benchmarks.peers import PEERS

    train = train_peer if asked["who"].partition(":")[0] in PEERS else train_ours
    tell(result=train(asked["who"], asked["data"], asked["seed"], Path(asked["folder"]), asked["precision"]))


def train_ours(who: str, data: str, seed: int, folder: Path, precision: str) -> dict[str, Any]:
    """A training by `convoscope train`, from its start or where it was left."""
    import convoscope as cs
    from benchmarks.planned import share_computed
    from benchmarks.turns import recipe_and_model

    recipe, model = recipe_and_model(who)
    loaded = cs.load(data)
    if (folder / "run.json").exists():
        run = cs.train(loaded, resume=folder, listener=_turns(loaded))
    else:
        # Checkpoints between epochs would fall into one contender's turn by chance.
        run = cs.train(
            loaded, model=model or None, recipe=recipe, seed=seed, out=folder, precision=precision,
            checkpoint_seconds=1e9, listener=_turns(loaded),
        )  # fmt: skip
    metrics = run.metrics or {}
    result = {
        "error": metrics["test_error"],
        "test_count": metrics["test_count"],
        "seconds": metrics["seconds"],
        "train_flops": metrics["train_flops"],
        "train_flops_computed": metrics["train_flops"]
        * (share_computed(run.config, loaded) if precision == "float32" else 1),
        "parameters": metrics["parameters"],
        "epochs": metrics["epochs"],
        "training_images": run.config["data"]["training_images"],
        "model": run.config["model"],
    }
    if loaded.mirrored or run.config["setting"]["augmentation"]["rotate"]:
        views = MIRRORED_VIEWS if loaded.mirrored else TURNED_VIEWS
        tested = run.evaluate(loaded, test_time_augmentation=views)
        result |= {"tta": views, "error_tta": tested["test_error"]}
    return result


def _turns(loaded: Any) -> Any:
    from benchmarks.planned import planned_flops
    from convoscope.training.progress import Listener

    class Turns(Listener):
        """Waits when the first step of an epoch is done: by then the epoch before is tested and saved."""

        def on_begin(self, config: dict[str, Any]) -> None:
            self.flops = planned_flops(config, loaded)

        def on_start(self, plan: Any, done_steps: int) -> None:
            self.epochs, self.epoch = plan.epochs, done_steps // plan.steps

        def on_epoch(self, line: dict[str, Any]) -> None:
            self.seconds = line["seconds"]

        def on_step(self, epoch: int, loss: float, images: int) -> None:
            if epoch > self.epoch:
                self.epoch = epoch
                flops = {"train_flops": self.flops[epoch - 1], "planned_flops": self.flops[-1]}
                tell(done=epoch, epochs=self.epochs, seconds=self.seconds, **flops)
                await_turn()

    return Turns()


def train_peer(who: str, data: str, seed: int, folder: Path, precision: str) -> dict[str, Any]:
    """A peer's training, from its start or where it was left."""
    import convoscope as cs
    from benchmarks.peers import PEERS
    from convoscope.core.spec import parse_spec
    from convoscope.training.processes import keep_freed_memory

    keep_freed_memory()  # as ours do: the peer at its best
    spec = parse_spec(who)
    peer = PEERS[spec.name](cs.load(data), seed, precision=precision, **spec.parameters)
    seconds = peer.restore(folder).get("seconds", 0.0)
    planned = peer.planned_flops()
    while peer.epochs_done < peer.epochs:
        begun = time.monotonic()
        peer.train_epoch()
        seconds += time.monotonic() - begun
        peer.save(folder, seconds=seconds)
        if peer.epochs_done < peer.epochs:
            reached = {"seconds": seconds, "train_flops": peer.flops, "planned_flops": planned}
            tell(done=peer.epochs_done, epochs=peer.epochs, **reached)
            await_turn()
    result = {
        "error": peer.test(),
        "test_count": len(peer.loaded.test),
        "seconds": round(seconds, 3),
        "train_flops": peer.flops,
        "parameters": sum(parameter.numel() for parameter in peer.model.parameters()),
        "epochs": peer.epochs,
        "training_images": len(peer.loaded.train),
    }
    if peer.views != "none":
        result |= {"tta": peer.views, "error_tta": peer.test(peer.views)}
    return result


if __name__ == "__main__":
    main()
