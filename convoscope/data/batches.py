"""Batches from images held in memory as uint8; each is a pure function of (seed, epoch, step) and the weights, if any.

So a run that was killed goes on at the exact batch with nothing but those, and two processes agree on every batch
without talking to each other.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convoscope.data.augment import Augmentation, Augmenter, resize


@dataclass(frozen=True)
class Scaling:
    """How pixel values become a network's input: ``(value / 255 - mean) / std``, channel by channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def of(images: NDArray[np.uint8], rows: NDArray[np.int64] | None = None, most: int = 50_000) -> Scaling:
        """Mean and standard deviation of each channel of `images` (N, C, H, W), in units of the full range.

        Of a large set, evenly spaced pictures are read, from `most` to twice as many.
        """
        rows = np.arange(len(images)) if rows is None else rows
        rows = rows[:: max(1, len(rows) // most)]
        total = np.zeros((images.shape[1], 256), np.int64)
        for part in np.array_split(rows, max(1, len(rows) // 5000)):
            block = images[part]
            for channel in range(images.shape[1]):
                total[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
        share = total / total.sum(axis=1, keepdims=True)
        levels = np.arange(256) / 255
        mean = share @ levels
        # A channel without any contrast would divide by zero; one grey level is the smallest contrast there is.
        std = np.maximum(np.sqrt(np.maximum(share @ levels**2 - mean**2, 0)), 1 / 255)
        return Scaling(tuple(round(float(m), 6) for m in mean), tuple(round(float(s), 6) for s in std))

    def apply(self, pixels: Tensor) -> Tensor:
        """Scale float `pixels` (B, C, H, W), 0 to 255, in place."""
        mean = torch.tensor(self.mean, device=pixels.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=pixels.device).view(1, -1, 1, 1)
        return pixels.sub_(mean * 255).div_(std * 255)


class Batches:
    """The training set, shuffled anew each epoch, in batches of nearly equal size.

    An epoch shows every image once; or, with weights, as many images in all but each in proportion to its weight.

    Args:
        images: (N, C, H, W) uint8, which may be a memory map larger than memory.
        labels: (N,) int64.
        rows: the images that take part.
        batch_size: images a step over all processes; at most all of `rows`.
        scaling: mean and standard deviation.
        augmentation: what may happen to a picture.
        mirrored: whether mirror images keep their class.
        seed: with the epoch and the step, it decides everything.
        rank: this process, of `world`; it gets its share of each batch.
        world: how many processes there are.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        *,
        batch_size: int,
        scaling: Scaling,
        augmentation: Augmentation,
        mirrored: bool,
        seed: int,
        device: torch.device | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.images, self.labels, self.rows = images, labels, rows
        self.steps = max(1, round(len(rows) / batch_size))
        self.scaling, self.augmenter, self.seed = scaling, Augmenter(augmentation, mirrored=mirrored), seed
        self.device, self.rank, self.world = device or torch.device("cpu"), rank, world
        self._order: tuple[int, list[NDArray[np.int64]]] | None = None

    def batch(
        self,
        epoch: int,
        step: int,
        size: tuple[int, int] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[Tensor, Tensor, int]:
        """Batch `step` of `epoch`.

        Args:
            epoch: which, from 0.
            step: which batch of it, from 0.
            size: height and width; the images' own if not given.
            weights: (N,) for the N of `rows`, the same throughout an epoch.

        Returns:
            images (b, C, height, width) float32 in channels-last memory, labels (b,) int64, and B, how many images the
            whole batch has over all processes.
        """
        count = len(self._batches(epoch, weights)[step])
        mine = self._share(count)
        own = self.rows[self.places(epoch, step, weights)]
        pixels = to_pixels(self.images[own], self.device)
        generator = torch.Generator().manual_seed(seed_of(self.seed, epoch, step))
        alternate = torch.from_numpy(((self._coins()[own] + epoch) % 2).astype(bool))
        pixels = self.augmenter(pixels, generator, alternate=alternate, size=size, count=count, rows=mine)
        inputs = self.scaling.apply(pixels).contiguous(memory_format=torch.channels_last)
        return inputs, torch.from_numpy(self.labels[own]).to(self.device), count

    def places(self, epoch: int, step: int, weights: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
        """(b,): where in `rows` this process's images of a batch stand."""
        whole = self._batches(epoch, weights)[step]
        return whole[self._share(len(whole))]

    def _share(self, count: int) -> slice:
        return slice(self.rank * count // self.world, (self.rank + 1) * count // self.world)

    def _batches(self, epoch: int, weights: NDArray[np.float64] | None) -> list[NDArray[np.int64]]:
        if self._order is None or self._order[0] != epoch:
            generator = np.random.default_rng([self.seed, epoch])
            order = generator.permutation(len(self.rows))
            if weights is not None:
                order = generator.permutation(_in_proportion(order, weights, generator))
            self._order = (epoch, np.array_split(order, self.steps))
        return self._order[1]

    def _coins(self) -> NDArray[np.int64]:
        if not hasattr(self, "_coin"):
            self._coin = np.random.default_rng([self.seed, 2**31]).integers(0, 2, len(self.images))
        return self._coin


def _in_proportion(
    places: NDArray[np.int64], weights: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """As many places, each as often as its share of the weights says, rounded up or down: systematic sampling."""
    ends = np.cumsum(weights[places])
    ends *= len(places) / ends[-1]
    ends[-1] = len(places)
    passed = np.floor(ends + generator.random()).astype(np.int64)
    return np.repeat(places, passed - np.concatenate([[0], passed[:-1]]))


def to_pixels(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 (B, C, H, W) to float32 on `device`, channels last, values unchanged."""
    with warnings.catch_warnings():
        # A read-only memory map is never written to: the next line copies it.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        pixels = torch.from_numpy(images)
    return pixels.to(device, torch.float32, memory_format=torch.channels_last, copy=True)


def inputs_from(images: NDArray[np.uint8], scaling: Scaling, size: tuple[int, int], device: torch.device) -> Tensor:
    """Pictures as a network sees them outside training: (B, C, H, W) uint8 to scaled float32 of `size`."""
    pixels = resize(to_pixels(images, device), size)
    return scaling.apply(pixels).contiguous(memory_format=torch.channels_last)


def seed_of(*numbers: int) -> int:
    """One seed for PyTorch out of several numbers, spread well."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
