"""Pictures that a unit or a class answers to most strongly, made by climbing its gradient.

Erhan, Bengio, Courville, Vincent 2009, "Visualizing higher-layer features of a deep network"; kept from mere noise as
in Olah, Mordvintsev, Schubert 2017, "Feature visualization": the picture is shifted a little at every step, and rough
and far-out pictures cost something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from convoscope.data.types import Pixels
from convoscope.models.shadow import shadow
from convoscope.runs.run import Run

ROUGH, FAR = 0.02, 0.005
"""What roughness (total variation) and distance from the mean picture cost, in shares of the first gradient."""

_RATE, _NOISE = 0.08, 0.1
_SHIFTS = 14  # the picture is shifted by up to so many parts of its side: 2 pixels of 28


@dataclass(frozen=True, eq=False)
class Maximised:
    """One unit's picture.

    Args:
        unit: its number in the layer.
        pixels: (C, H, W) uint8.
        start: its output on the noise that was started from; of a map, the mean over its places.
        reached: its output on the picture.
        prediction: the class that the net gives to the picture, and its probability.
    """

    unit: int
    pixels: Pixels
    start: float
    reached: float
    prediction: tuple[str, float]


def maximise(run: Run, layer: str, units: Sequence[int], *, steps: int, seed: int) -> tuple[Maximised, ...]:
    """Climb for all `units` of `layer` at once, each in a picture of its own.

    Equal arguments give equal pictures on one machine.

    Args:
        run: the trained network.
        layer: a layer's name.
        units: numbers of maps, or of single units.
        steps: how many.
        seed: decides the noise at the start and the shifts.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    p, net = run.preprocessing, shadow(run.model)
    mean, std = (torch.tensor(numbers).view(1, -1, 1, 1) for numbers in (p.scaling.mean, p.scaling.std))
    low, high = (0 - mean) / std, (1 - mean) / std
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(units), *p.input_shape, generator=generator) * _NOISE
    picture = torch.clamp(noise, low, high).requires_grad_()
    places = torch.tensor(units)
    shift = min(p.height, p.width) // _SHIFTS
    with _heard(net, layer) as heard, torch.enable_grad():
        start = _answers(net, heard, picture, places).detach()
        optimizer = torch.optim.Adam([picture], lr=_RATE)
        scale = None
        for _ in range(steps):
            by = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
            answers = _answers(net, heard, torch.roll(picture, by, (2, 3)), places)
            (climb,) = torch.autograd.grad(answers.sum(), picture)
            if not climb.isfinite().all():
                raise run.folder.damaged(run.folder.weights_file, "NaN")
            # Units of all layers count alike: each gradient in units of its own first length.
            scale = climb.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1) if scale is None else scale
            (cost,) = torch.autograd.grad(ROUGH * _roughness(picture) + FAR * picture.square().sum(), picture)
            picture.grad = cost - climb / scale
            optimizer.step()
            with torch.no_grad():
                picture.copy_(torch.clamp(picture, low, high))
    pixels = ((picture.detach() * std + mean) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    with _heard(net, layer) as heard, torch.no_grad():
        # What is told is told of the picture as it is given, in whole numbers from 0 to 255.
        given = torch.from_numpy(pixels.astype(np.float32)) / 255
        reached = _answers(net, heard, (given - mean) / std, places)
        shares = heard[1].double().softmax(dim=1)
    if not shares.isfinite().all():
        raise run.folder.damaged(run.folder.weights_file, "NaN")
    best = shares.argmax(dim=1)
    return tuple(
        Maximised(
            unit, pixels[at], float(start[at]), float(reached[at]), (run.classes[best[at]], float(shares[at, best[at]]))
        )
        for at, unit in enumerate(units)
    )


def _answers(net: nn.Module, heard: list[Tensor], picture: Tensor, places: Tensor) -> Tensor:
    """(B,) what unit places[b] says to picture b; of a map, the mean."""
    heard.clear()
    logits = net(picture)
    output = heard[0]
    heard[:] = [output, logits]
    own = output[torch.arange(len(places)), places]
    return own.flatten(1).mean(dim=1) if own.dim() > 1 else own


def _roughness(picture: Tensor) -> Tensor:
    down = (picture[:, :, 1:] - picture[:, :, :-1]).square().sum()
    return down + (picture[:, :, :, 1:] - picture[:, :, :, :-1]).square().sum()


class _heard:  # noqa: N801  # a context manager, used as a word
    """A ``with`` block that hears the output of a layer: the list's first element, once the net has worked."""

    def __init__(self, net: nn.Module, layer: str) -> None:
        self._module = net.get_submodule(layer)

    def __enter__(self) -> list[Tensor]:
        outputs: list[Tensor] = []
        self._hook = self._module.register_forward_hook(lambda _, __, output: outputs.append(output))
        return outputs

    def __exit__(self, *_: object) -> None:
        self._hook.remove()
