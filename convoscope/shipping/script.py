"""A run's network and training as a script of plain PyTorch, so that nobody is locked in.

The network is written out layer by layer, in the names that its weights have, so that ``model.safetensors`` fits. Of
the training, the script has the optimizer, the rate, the batches and the augmentation by rotation, scale, shear, shift,
mirroring and cutout; what else the recipe uses is named in the script as left out.
"""

from __future__ import annotations

import textwrap
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convoscope.core.files import write_atomically
from convoscope.data.listing import as_text
from convoscope.shipping.export import check_place
from convoscope.shipping.network_source import network_source, source

if TYPE_CHECKING:
    from torch import nn

    from convoscope.runs.run import Run

_OPTIMIZERS = {
    "sgd": "torch.optim.SGD(groups, lr=0.0, momentum={momentum}, nesterov={nesterov})",
    "adamw": "torch.optim.AdamW(groups, lr=0.0, betas={betas})",
    "adadelta": "torch.optim.Adadelta(groups, lr=0.0)",
    "muon": "Muon(groups, momentum={muon_momentum})",
}


def write_script(run: Run, out: Path | None = None, *, overwrite: bool = False) -> Path:
    """Write the script of `run`, by default as ``train.py`` in its folder.

    Raises:
        RequestError: the file can't be written, or the network has a layer that can't be written out.
    """
    file = out or run.path / "train.py"
    check_place(file, ".py", overwrite=overwrite)
    write_atomically(file, script_of(run, file.name).encode())
    return file


def script_of(run: Run, name: str = "train.py") -> str:
    """The script, to be saved under `name`.

    Raises:
        RequestError: the network has a layer that can't be written out.
    """
    import torch

    from convoscope.data.augment import Augmentation

    setting, p = run.config["setting"], run.preprocessing
    changes = Augmentation(**setting["augmentation"])
    data = run.config["data"]
    model = run.model
    trained = data["training_images"]
    values = {
        "imports": _imports(model, setting),
        "title": _title(run),
        "torch": torch.__version__.partition("+")[0],
        "name": _in_docstring(name),
        "classes": _in_docstring(textwrap.fill(", ".join(run.classes), 110)),
        "height": p.height,
        "width": p.width,
        "mean": repr(list(p.scaling.mean)),
        "std": repr(list(p.scaling.std)),
        "epochs": run.config["epochs"],
        "batch_size": min(setting["batch_size"], max(trained // 16, 8)),
        "seed": run.config["seed"],
        "learning_rate": setting["learning_rate"],
        "bias_learning_rate": setting["bias_learning_rate"] or setting["learning_rate"],
        "weight_decay": setting["weight_decay"],
        "warmup": setting["warmup"],
        "decay": repr(setting["decay"]),
        "label_smoothing": setting["label_smoothing"],
        "rotate": changes.rotate,
        "scale": changes.scale,
        "shear": changes.shear,
        "shift": changes.shift,
        "flip": data["mirrored"] and changes.flip != "none",
        "cutout": changes.cutout,
        "beyond": repr("zeros" if changes.fill == "zero" else "reflection"),
        "frozen": repr([key for key, value in model.named_parameters() if not value.requires_grad]),
        "model": network_source(model, str(run.config["model"])),
        "optimizer": _optimizer_source(setting),
    }
    text = (resources.files("convoscope.shipping") / "script.txt").read_text("utf-8")
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", str(value))
    return text


def _in_docstring(text: str) -> str:
    """`text` between three quotation marks, which read it as it is; of a name that is no text, its bytes are told."""
    return as_text(text).replace("\\", "\\\\").replace('"', "'")


def _title(run: Run) -> str:
    config, setting = run.config, run.config["setting"]
    kept = {"flip": "none", "fill": "zero"}
    left_out = [
        word
        for word, used in (
            ("elastic distortion", setting["augmentation"]["elastic"]),
            ("showing missed pictures more often", setting.get("focus")),
            ("the moving average of the weights", setting["ema"]),
            ("batch normalisation's statistics of undistorted pictures", setting.get("precise_norm")),
            ("growing resolutions", setting["resolutions"]),
            ("a whitening bias that is trained for a part only", setting.get("whitening_until", 1) < 1),
            ("choosing by a validation set", setting["validation"]),
            ("alternating mirroring", setting["augmentation"]["flip"] not in ("random", kept["flip"])),
        )
        if used
    ]
    without = f" Left out of the recipe: {', '.join(left_out)}." if left_out else ""
    first = f"The network {config['model']} and its training, in plain PyTorch, written by Convoscope."
    told = f"From a run on {as_text(config['data']['name'])}. First weights are PyTorch's own.{without}"
    return f"{first}\n\n{textwrap.fill(told, 118)}".replace("\\", "/").replace('"', "'")


def _optimizer_source(setting: dict[str, Any]) -> str:
    """``make_optimizer(model)``, with the classes it needs."""
    from convoscope.training import optimizers

    muon = setting["optimizer"] == "muon"
    parts = [f"_BETAS = {optimizers._BETAS}"]
    if muon:
        parts[0] += f"\nSMALL = {optimizers.SMALL}  # parameters of a network whose steps are taken by one thread"
        taken = (
            optimizers.Muon, optimizers._few_threads, optimizers.orthogonalise, optimizers.normalised_kernels
        )  # fmt: skip
        parts += [source(part) for part in taken]
    call = _OPTIMIZERS[setting["optimizer"]].format(
        momentum=setting["momentum"],
        nesterov=setting["momentum"] > 0,
        betas="_BETAS",
        muon_momentum=setting["muon_momentum"],
    )
    kernels = "normalised_kernels(model)" if muon else "[]"
    parts.append(
        "\n".join(
            [
                "def make_optimizer(model):",
                '    """Weights, biases and normalised kernels, each with its highest rate."""',
                f"    kernels = {kernels}",
                "    taken = set(map(id, kernels))",
                "    others = [one for one in model.parameters() if one.requires_grad and id(one) not in taken]",
                "    weights = [one for one in others if one.ndim >= 2]",
                "    biases = [one for one in others if one.ndim < 2]",
                "    groups = [",
                '        {"params": weights, "peak": LEARNING_RATE, "weight_decay": WEIGHT_DECAY},',
                '        {"params": biases, "peak": BIAS_LEARNING_RATE, "weight_decay": 0.0},',
                *(
                    [
                        f'        {{"params": kernels, "peak": {setting["muon_learning_rate"]}, '
                        '"weight_decay": 0.0, "orthogonal": True},'
                    ]
                    if muon
                    else []
                ),
                "    ]",
                '    groups = [group for group in groups if group["params"]]',
                f"    return {call}",
            ]
        )
    )
    return "\n\n\n".join(parts)


def _imports(model: nn.Module, setting: dict[str, Any]) -> str:
    from convoscope.models.modules import TableConv2d
    from convoscope.models.whitening import Whitening

    whitened = any(isinstance(one, Whitening) for one in model.modules())
    muon = setting["optimizer"] == "muon"
    lines = ["from __future__ import annotations", "", "import argparse", "import math"]
    lines += ["from collections.abc import Iterable, Iterator"] * (muon or whitened)
    lines += ["from contextlib import contextmanager", "from typing import Any"] * muon
    lines += [
        "",
        "import numpy as np",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import Tensor, nn",
    ]
    lines += ["from torch.nn import functional"] * any(isinstance(one, TableConv2d) for one in model.modules())
    lines += ["from torch.optim import Optimizer", "from torch.optim.adamw import adamw"] * muon
    return "\n".join(lines)
