"""Our recipes beside a peer, in one run on one machine: error, seconds, FLOP and memory, and what wins where.

    python -m benchmarks.compare --quick
    python -m benchmarks.compare --data mnist --ours fast best --seeds 3
    python -m benchmarks.compare --data cifar10 --ours fast "best:images_seen=600000" --peers airbench94
    python -m benchmarks.compare --data cifar10 --ours --peers airbench94 --epochs 1
    python -m benchmarks.compare --data cifar10 --ours fast --precision float32

Every point is a finished training with a whole schedule of its own: the error of its last (ours: its best by
validation) weights on the test set, which is looked at once a training, in one view of each picture and, where pictures
may be mirrored or a recipe turns them, in several. Seconds are those of training alone: batches, augmentation, steps,
and ours also validation; `seconds_whole` counts all from the start of Python to the tested network. What of the
training set ours keep to choose by is the recipe's `validation`; the peers learn from all of it, as their authors do.

`RECIPE@MODEL` trains another network than the recipe's own.

Trainings go in turns (`benchmarks.turns`); a comparison that was killed goes on where it was. With ``--epochs N`` each
is left unfinished after N epochs of its schedule: then there is no error, and the seconds of a whole training are
extrapolated by FLOP, under a name that says so.

All contenders compute in the same precision: float32, or bfloat16 where the machine multiplies in it, as `convoscope
train` does if not told otherwise.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.records import dated_back, put, record, spread
from benchmarks.turns import Training, recipe_and_model, side_by_side
from benchmarks.verdict import verdict
from convoscope.core.spec import parse_spec
from convoscope.training.processes import precision_for
from convoscope.training.recipe import recipe_names

Record = dict[str, Any]

USUAL_PEER = {"cifar10": "airbench94"}


def main() -> None:
    """Train, write the records, draw, and say who is ahead in what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument(
        "--ours", nargs="*", metavar="RECIPE", default=[each for each in recipe_names() if each != "plain"]
    )
    parser.add_argument("--peers", nargs="*", metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peer-seeds", type=int, help="of the peers, if fewer: they take longest")
    parser.add_argument("--epochs", type=int, default=0, help="leave each training after so many epochs")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16, for all contenders")
    parser.add_argument("--quick", action="store_true", help="mnist-5k with the default recipe, in minutes")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/compare"))
    asked = parser.parse_args()
    if asked.quick:
        asked.data, asked.ours, asked.seeds = "mnist-5k", ["default"], 1
    asked.peers = [USUAL_PEER.get(asked.data, "mnist-example")] if asked.peers is None else asked.peers
    asked.precision = precision_for(asked.precision)
    asked.peer_seeds = min(asked.seeds, asked.peer_seeds or asked.seeds)
    contenders = [*asked.peers, *asked.ours]
    seeds = dict.fromkeys(asked.ours, asked.seeds) | dict.fromkeys(asked.peers, asked.peer_seeds)
    of = {
        who: [Training(who, asked.data, seed, asked.out, asked.epochs, asked.precision) for seed in range(seeds[who])]
        for who in contenders
    }
    for seed in range(asked.seeds):
        print(f"{asked.data}, seed {seed}", flush=True)
        side_by_side([of[who][seed] for who in contenders if seed < seeds[who]])
    command = f"python -m benchmarks.compare {_words(asked)}"
    if asked.epochs:
        records = [_unfinished(who, asked.data, command, of[who]) for who in contenders]
    else:
        records = [_finished(who, asked.data, command, of[who]) for who in contenders]
        for who, made in zip(contenders, records, strict=True):
            if asked.peers and who not in asked.peers:
                made |= _ratios(of[who], records[0]["name"], of[asked.peers[0]])
    for made in records:
        put("compare", made)
    from benchmarks.drawing import draw_all

    draw_all()
    print(*verdict(records[len(asked.peers) :], records[: len(asked.peers)]), sep="\n")


def title(who: str, precision: str) -> str:
    """The name of a contender in a record; float32 goes without saying."""
    half = "" if precision == "float32" else f", {precision}"
    recipe, model = recipe_and_model(who)
    spec = parse_spec(recipe)
    if spec.name not in PEERS:
        return f"convoscope, recipe {recipe}" + (f", {model}" if model else "") + half
    epochs = spec.parameters.get("epochs")
    return PEERS[spec.name].title + (f", {epochs} epochs" if epochs else "") + half


def _finished(who: str, data: str, command: str, trainings: list[Training]) -> Record:
    """The record of a contender over its seeds."""
    results = [_result(training) for training in trainings]
    errors = [result["error"] for result in results]
    error, deviation = spread(errors)
    figures: Record = {"error": error, "error_std": deviation, "errors": errors}
    if "error_tta" in results[0]:
        averaged = [result["error_tta"] for result in results]
        figures["tta"] = results[0]["tta"]
        figures["error_tta"], figures["error_tta_std"] = spread(averaged)
        figures["errors_tta"] = averaged
    made = record(
        title(who, trainings[0].precision),
        data,
        command,
        **figures,
        contender=who,
        precision=trainings[0].precision,
        peer=_is_peer(who),
        source=PEERS[parse_spec(who).name].source if _is_peer(who) else None,
        seeds=[training.seed for training in trainings],
        test_count=results[0]["test_count"],
        training_images=results[0]["training_images"],
        epochs=mean(result["epochs"] for result in results),
        seconds=round(median(result["seconds"] for result in results), 3),
        seconds_each=[result["seconds"] for result in results],
        seconds_whole=round(median(result["seconds_whole"] for result in results), 3),
        train_flops=mean(result["train_flops"] for result in results),
        train_flops_computed=_mean_if_given(results, "train_flops_computed"),
        flops_counted="convoscope.models.summary: 2 a multiply-add of convolutions and dense layers, forward, for "
        "weights and for inputs; no gradients of what is frozen or of the picture; computed: by Winograd's algorithm "
        "where that is used",
        parameters=results[0]["parameters"],
        model=results[0].get("model"),
        peak_memory_bytes=max(result["peak_memory_bytes"] for result in results),
    )
    return dated_back(made, results)


def _unfinished(who: str, data: str, command: str, trainings: list[Training]) -> Record:
    """The record of trainings that were left after a few epochs: no error, and no seconds of a whole training."""
    reached = [training.reached or _as_reached(training) for training in trainings]
    done, epochs = reached[0]["done"], reached[0]["epochs"]
    whole = [each["seconds"] * each["planned_flops"] / each["train_flops"] for each in reached]
    return record(
        f"{title(who, trainings[0].precision)}: {done} of {epochs} epochs",
        data,
        command,
        contender=who,
        precision=trainings[0].precision,
        peer=_is_peer(who),
        seeds=[training.seed for training in trainings],
        epochs_done=done,
        epochs_planned=epochs,
        seconds_done=round(median(each["seconds"] for each in reached), 3),
        train_flops_done=reached[0]["train_flops"],
        train_flops_planned=reached[0]["planned_flops"],
        seconds_extrapolated=round(median(whole), 1),
        note="not trained to the end; seconds_extrapolated assumes that the rest runs at the FLOP a second of the part",
        peak_memory_bytes=max(each["peak_memory_bytes"] for each in reached),
    )


def _as_reached(training: Training) -> Record:
    """A finished training in place of one left early: it was run in an earlier comparison."""
    result = _result(training)
    flops = {"train_flops": result["train_flops"], "planned_flops": result["train_flops"]}
    return {**result, **flops, "done": result["epochs"]}


def _ratios(ours: list[Training], peer: str, theirs: list[Training]) -> Record:
    """Ours over the peer's, seed by seed of those it has; the median. A peer computes all that is counted."""
    pairs = [(_result(one), _result(other)) for one, other in zip(ours, theirs, strict=False)]

    def ratio(key: str, of_peer: str) -> float:
        return round(median(one[key] / other[of_peer] for one, other in pairs), 4)

    return {
        "against": peer,
        "seconds_ratio": ratio("seconds", "seconds"),
        "seconds_whole_ratio": ratio("seconds_whole", "seconds_whole"),
        "flops_ratio": ratio("train_flops", "train_flops"),
        "flops_computed_ratio": ratio("train_flops_computed", "train_flops"),
    }


def _result(training: Training) -> Record:
    result = training.result
    assert result is not None, training.who
    return result


def _mean_if_given(results: list[Record], key: str) -> float | None:
    return mean(result[key] for result in results) if key in results[0] else None


def _is_peer(who: str) -> bool:
    return parse_spec(recipe_and_model(who)[0]).name in PEERS


def _words(asked: argparse.Namespace) -> str:
    words = f"--data {asked.data} --ours {' '.join(asked.ours)} --peers {' '.join(asked.peers)} --seeds {asked.seeds}"
    words += f" --peer-seeds {asked.peer_seeds}" if asked.peers and asked.peer_seeds < asked.seeds else ""
    words += f" --precision {asked.precision}"
    return words.replace("  ", " ") + (f" --epochs {asked.epochs}" if asked.epochs else "")


if __name__ == "__main__":
    main()
