"""Which pixels a prediction comes from, by four methods of Captum, and how far each can be believed.

Gradient (Simonyan et al. 2013), integrated gradients (Sundararajan et al. 2017), Grad-CAM (Selvaraju et al. 2017) and
occlusion (Zeiler, Fergus 2014); infidelity and sensitivity of Yeh et al. 2019, "On the (in)fidelity and sensitivity of
explanations". A map of random numbers is judged beside them: a method that is no less unfaithful explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convoscope.data.batches import inputs_from
from convoscope.data.types import Pixels
from convoscope.inspection.filter_banks import banks_of
from convoscope.models.shadow import shadow
from convoscope.runs.run import Run

RADIUS = 0.05
"""How far the picture is moved, pixel by pixel, for the sensitivity; in standard deviations of the training pixels."""
_PATH, _MOVES, _DRAWS = 64, 4, 60
_LEAST_MAP = 2

Explanation = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Attribution:
    """One method's answer.

    Args:
        method: ``gradient``, ``integrated-gradients``, ``grad-cam``, ``occlusion`` or ``random``.
        values: (H, W) float32, summed over channels: what speaks for the class is above zero.
        infidelity: how badly the map's sum over a square foretells how far the class's logit falls when the square is
            made black, relative to that fall (mean squares over random squares): 0 is perfect, 1 as bad as a map of
            zeros. The map is scaled as suits it best.
        sensitivity: the most that the map changes when the picture hardly does, relative to the map.
    """

    method: str
    values: NDArray[np.float32]
    infidelity: float
    sensitivity: float


def grad_cam_layer(run: Run) -> str | None:
    """The layer that Grad-CAM looks at: the last maps of 2x2 or more that come out of a convolution's activation."""
    sizes = {layer.name: layer.output_shape for layer in run.layers}
    for bank in reversed(banks_of(run.model, run.layers)):
        name = bank.activation or bank.layer.name
        if min(sizes[name][1:]) >= _LEAST_MAP:
            return name
        if min(sizes[bank.layer.name][1:]) >= _LEAST_MAP:
            return bank.layer.name
    return None


def attributions(run: Run, pixels: Pixels, target: int, seed: int = 0) -> tuple[Attribution, ...]:
    """Every method that the net allows, and a random map, on a picture (C, H, W) uint8, for the class `target`.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    p, net = run.preprocessing, shadow(run.model)
    picture = inputs_from(pixels[None], p.scaling, (p.height, p.width), torch.device("cpu")).contiguous()
    black = inputs_from(np.zeros_like(pixels)[None], p.scaling, (p.height, p.width), torch.device("cpu"))
    if not net(picture).isfinite().all():
        raise run.folder.damaged(run.folder.weights_file, "NaN")
    found = []
    with torch.random.fork_rng(devices=[]):
        for name, explain in _methods(net, grad_cam_layer(run), black.contiguous(), target, seed).items():
            torch.manual_seed(seed)
            found.append(_judged(net, name, explain, picture, black, target))
    return tuple(found)


def _methods(net: nn.Module, layer: str | None, black: Tensor, target: int, seed: int) -> dict[str, Explanation]:
    from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency

    channels, height, width = black.shape[1:]
    side = max(1, min(height, width) // 6)
    step = max(1, side // 2)

    def gradient(x: Tensor) -> Tensor:
        values: Tensor = Saliency(net).attribute(x.detach().requires_grad_(), target=target, abs=False)
        return values

    def integrated(x: Tensor) -> Tensor:
        values: Tensor = IntegratedGradients(net).attribute(x, black.expand_as(x), target=target, n_steps=_PATH)
        return values

    def occlusion(x: Tensor) -> Tensor:
        window, strides = (channels, side, side), (channels, step, step)
        values: Tensor = Occlusion(net).attribute(
            x, window, strides, baselines=0, target=target, perturbations_per_eval=32
        )
        return values

    def random(x: Tensor) -> Tensor:
        one = torch.randn(1, *x.shape[1:], generator=torch.Generator().manual_seed(seed))
        return one.expand_as(x).contiguous()

    methods: dict[str, Explanation] = {"gradient": gradient, "integrated-gradients": integrated}
    if layer is not None:
        seen = LayerGradCam(net, net.get_submodule(layer))

        def grad_cam(x: Tensor) -> Tensor:
            small = seen.attribute(x, target=target, relu_attributions=False)
            large: Tensor = LayerAttribution.interpolate(small, (height, width), interpolate_mode="bilinear")
            return large.expand_as(x) / channels

        methods["grad-cam"] = grad_cam
    return {**methods, "occlusion": occlusion, "random": random}


def _judged(
    net: nn.Module, name: str, explain: Explanation, picture: Tensor, black: Tensor, target: int
) -> Attribution:
    from captum.metrics import sensitivity_max

    values = explain(picture).detach()

    def explained(given: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        # Captum hands pictures over as a tuple of one, and moved ones as they are; it takes tuples from either.
        return (explain(given if isinstance(given, Tensor) else given[0]).contiguous(),)

    moved = sensitivity_max(explained, picture, perturb_radius=RADIUS, n_perturb_samples=_MOVES)
    # A gradient is per unit of a pixel; what a pixel adds is the gradient times how far it is from black.
    added = values * (picture - black) if name == "gradient" else values
    flat = values[0].sum(dim=0).float().numpy().copy()
    return Attribution(name, flat, infidelity_of(net, added, picture, black, target), float(moved))


def infidelity_of(net: nn.Module, added: Tensor, picture: Tensor, black: Tensor, target: int) -> float:
    """Captum's infidelity over random squares made black, relative to the mean square of the fall."""
    from captum.metrics import infidelity

    blackened: list[Tensor] = []

    def blacken(x: Tensor) -> tuple[Tensor, Tensor]:
        squares = _squares(len(x), x.shape[2], x.shape[3]).expand_as(x)
        blackened.append(torch.where(squares > 0, black.expand_as(x), x))
        return squares, blackened[-1]

    # With normalize=True the map is multiplied by what brings it nearest, so that its unit doesn't matter.
    found = infidelity(net, blacken, picture, added, target=target, n_perturb_samples=_DRAWS, normalize=True)
    with torch.no_grad():
        falls = net(picture)[:, target] - net(torch.cat(blackened))[:, target]
    size = float(falls.square().mean())
    return max(0.0, float(found) / size) if size > 0 else 0.0  # rounding may lead below zero


def _squares(count: int, height: int, width: int) -> Tensor:
    """(count, 1, H, W) masks of one random square each, of up to half the picture's side."""
    sides = torch.randint(2, max(3, min(height, width) // 2 + 1), (count, 1))
    rows, columns = (
        (torch.arange(length) >= start) & (torch.arange(length) < start + sides)
        for length, start in ((size, (torch.rand(count, 1) * (size - sides + 1)).long()) for size in (height, width))
    )
    return (rows[:, None, :, None] & columns[:, None, None, :]).float()
