"""airbench94 with Muon: the fastest published training to 94% on CIFAR-10, on one GPU.

Sources: K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (2024, arXiv 2404.00498): the network, its
whitening, initial weights, augmentation, test views. K. Jordan et al., "Muon: an optimizer for hidden layers in neural
networks" (2024, kellerjordan.github.io/posts/muon), and the repository KellerJordan/cifar10-airbench,
``airbench94_muon.py``: widths 64, 256, 256, the rates and the eight epochs with Muon.

The network: a frozen whitening convolution of 2x2 with 24 maps and a bias that is trained for three epochs; three
groups of two 3x3 convolutions, the first pooled before it is normalised; batch normalisation without a scale; GELU; a
maximum over what is left; a dense layer whose output is divided by its 256 inputs. 118 million multiply-accumulates.

Departures: on a CPU, in float32 or bfloat16 instead of half precision on a GPU, and no compilation, so the seconds are
not his; pictures are shifted and mirrored batch by batch, from the same distribution. Other numbers of epochs than
eight stretch the course of the rates; the whitening bias is trained for three eighths of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from benchmarks.peers.peer import Peer
from convoscope.data.augment import Augmentation
from convoscope.data.batches import Scaling, inputs_from

WIDTHS = (64, 256, 256)
BIAS_RATE, HEAD_RATE = 0.053, 0.67
DECAY = 2e-6  # a picture, as the rates are: the loss is summed over the batch
WHITENED_FROM = 5000


class Airbench(Peer):
    """See the head of this file."""

    title = "airbench94 with Muon, re-implemented"
    source = "arXiv 2404.00498; github.com/KellerJordan/cifar10-airbench, airbench94_muon.py"
    published_epochs = 8
    batch_size = 2000
    scaling = Scaling((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    augmentation = Augmentation(shift=2 / 32, flip="alternating", fill="reflect")
    views = "flip-shift"
    label_smoothing = 0.2
    reduction = "sum"

    def network(self) -> nn.Module:
        channels = self.loaded.shape[0]
        maps = 2 * channels * 2 * 2
        whiten = nn.Conv2d(channels, maps, 2)
        whiten.weight.requires_grad_(False)
        layers: list[tuple[str, nn.Module]] = [("whiten", whiten), ("act", nn.GELU())]
        for group, width in enumerate(WIDTHS, start=1):
            layers += [
                (f"conv{group}a", _convolution(maps, width)),
                (f"pool{group}", nn.MaxPool2d(2)),
                (f"norm{group}a", _normalisation(width)),
                (f"act{group}a", nn.GELU()),
                (f"conv{group}b", _convolution(width, width)),
                (f"norm{group}b", _normalisation(width)),
                (f"act{group}b", nn.GELU()),
            ]
            maps = width
        head = nn.Linear(maps, len(self.loaded.classes), bias=False)
        with torch.no_grad():
            head.weight.div_(head.weight.std())
        layers += [("pool", nn.MaxPool2d(3)), ("flatten", nn.Flatten()), ("head", head), ("scale", Divided(maps))]
        net = nn.Sequential(OrderedDict(layers))
        first = self.loaded.train.images[:WHITENED_FROM]
        whiten_(whiten, inputs_from(first, self.scaling, self.loaded.shape[1:], torch.device("cpu")))
        return net

    def make_optimizers(self) -> list[Optimizer]:
        named = dict(self.model.named_parameters())
        bias = named["whiten.bias"]
        norms = [parameter for name, parameter in named.items() if name.startswith("norm") and parameter.requires_grad]
        kernels = [parameter for parameter in named.values() if parameter.ndim == 4 and parameter.requires_grad]
        decay = DECAY * self.batch_size
        plain = [
            {"params": params, "peak": rate, "weight_decay": decay / rate}
            for params, rate in (([bias], BIAS_RATE), (norms, BIAS_RATE), ([named["head.weight"]], HEAD_RATE))
        ]
        return [
            torch.optim.SGD(plain, lr=BIAS_RATE, momentum=0.85, nesterov=True, fused=True),
            Muon(kernels, rate=0.24, momentum=0.6),
        ]

    def before_step(self, step: int) -> None:
        bias_steps = max(1, round(self.steps * 3 / 8))
        first, *others = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        first["params"][0].requires_grad_(step < bias_steps)
        first["lr"] = first["peak"] * max(0.0, 1 - step / bias_steps)
        for group in others:
            group["lr"] = group["peak"] * (1 - step / self.steps)


class Divided(nn.Module):
    """The input, divided by a fixed number."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x / self.by


class Muon(Optimizer):
    """Nesterov's momentum whose matrix is brought near an orthogonal one before it is subtracted.

    Before each step a kernel (F, C, kH, kW) is scaled to the norm sqrt(F).
    """

    def __init__(self, kernels: Iterable[Tensor], *, rate: float, momentum: float) -> None:
        super().__init__(kernels, {"lr": rate, "peak": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for kernel in group["params"]:
                velocity = self.state[kernel].setdefault("velocity", torch.zeros_like(kernel))
                velocity.mul_(group["momentum"]).add_(kernel.grad)
                ahead = kernel.grad + group["momentum"] * velocity
                kernel.mul_(len(kernel) ** 0.5 / kernel.norm())
                kernel.sub_(group["lr"] * near_orthogonal(ahead.flatten(1)).view_as(kernel))


def near_orthogonal(matrix: Tensor) -> Tensor:
    """Three rounds of the odd quintic 3.4445 x - 4.7750 x³ + 2.0315 x⁵ on the singular values of `matrix`."""
    flipped = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if flipped else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(3):
        gram = x @ x.T
        x = 3.4445 * x + (2.0315 * gram @ gram - 4.7750 * gram) @ x
    return x.T if flipped else x


@torch.no_grad()
def whiten_(layer: nn.Conv2d, pictures: Tensor) -> None:
    """Set the kernels of `layer` to the principal components of 2x2 patches over their deviation, and their negatives.

    Args:
        layer: with 2·C·4 maps.
        pictures: (N, C, H, W), scaled as in training.
    """
    patches = nn.functional.unfold(pictures, 2).transpose(1, 2).flatten(0, 1)  # (patches, C·2·2)
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    kernels = (directions * (variances + 5e-4).rsqrt()).T.reshape(-1, *layer.weight.shape[1:])
    layer.weight.copy_(torch.cat([kernels, -kernels]))


def _convolution(maps: int, out: int) -> nn.Conv2d:
    layer = nn.Conv2d(maps, out, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(layer.weight[: layer.in_channels])  # the first kernels pass their map on
    return layer


def _normalisation(maps: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(maps, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer
