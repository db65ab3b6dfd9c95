"""Augmentation: small changes that keep the class, drawn anew for every image of every batch.

All of it is vectorised over the batch. Rotation, scale, shear, shift and elastic distortion become one sampling grid
and one interpolation; a whole-pixel shift and a mirror image alone need no interpolation and get none.

Sources: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual
document analysis" (2003), elastic; T. DeVries, G. Taylor, "Improved regularization of CNNs with cutout" (2017);
K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (2024), alternating flip.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class Augmentation(BaseModel):
    """What may happen to a picture. Each amount is the largest; the drawn one is uniform between minus and plus it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rotate: float = Field(default=0.0, ge=0, le=180, description="degrees")
    scale: float = Field(default=0.0, ge=0, lt=1, description="share of the size, height and width each by its own")
    shear: float = Field(default=0.0, ge=0, le=2, description="sideways, as a share of the height")
    shift: float = Field(default=0.0, ge=0, le=1, description="share of the side")
    elastic: float = Field(default=0.0, ge=0, description="alpha: strength of the displacement field, in pixels")
    elastic_sigma: float = Field(default=4.0, gt=0, description="its smoothness: Gaussian of this many pixels")
    flip: Literal["none", "random", "alternating"] = "none"
    """Left-right, only for data sets where a mirrored picture keeps its class. Alternating: every picture is shown
    plain and mirrored in turn, from a random start, instead of by a coin at each epoch."""
    cutout: float = Field(default=0.0, ge=0, le=1, description="side of a blanked square, as a share of the side")
    fill: Literal["zero", "reflect"] = "zero"
    """What lies beyond the border: black, or the picture mirrored."""

    @property
    def bends(self) -> bool:
        """Whether pixels must be interpolated: anything but whole-pixel shifts."""
        return any((self.rotate, self.scale, self.shear, self.elastic))


class Augmenter:
    """Draws and applies an `Augmentation`.

    The draws are made for the whole batch and cut down to `rows` afterwards, so that one process and several see the
    same pictures.

    Args:
        augmentation: what may happen.
        mirrored: whether the data set allows mirror images.
    """

    def __init__(self, augmentation: Augmentation, *, mirrored: bool) -> None:
        self.augmentation = augmentation
        self.flips = mirrored and augmentation.flip != "none"

    def __call__(
        self,
        images: Tensor,
        generator: torch.Generator,
        *,
        alternate: Tensor | None = None,
        size: tuple[int, int] | None = None,
        count: int | None = None,
        rows: slice = slice(None),
    ) -> Tensor:
        """Change a batch of pictures.

        Args:
            images: (b, C, H, W) float, pixel values with black at 0; the rows `rows` of the whole batch.
            generator: where the random numbers come from.
            alternate: (b,) bool, which pictures an alternating flip mirrors now.
            size: height and width of the result; the pictures' own if not given.
            count: B, the size of the whole batch; b if not given.
            rows: which rows of the whole batch `images` are.

        Returns:
            (b, C, height, width) float.
        """
        a = self.augmentation
        height, width = images.shape[-2:]
        count = len(images) if count is None else count
        mirror = self._mirror(count, generator, alternate, rows)
        if a.bends:
            images = self._bend(images, generator, mirror, size or (height, width), count, rows)
        else:
            images = self._slide(images, generator, mirror, count, rows)
            images = resize(images, size or (height, width))
        if a.cutout:
            images = self._cut(images, generator, count, rows)
        return images

    def _mirror(self, count: int, generator: torch.Generator, alternate: Tensor | None, rows: slice) -> Tensor | None:
        if not self.flips:
            return None
        if self.augmentation.flip == "alternating" and alternate is not None:
            return alternate
        return (torch.rand(count, generator=generator) < 0.5)[rows]

    def _bend(
        self,
        images: Tensor,
        generator: torch.Generator,
        mirror: Tensor | None,
        size: tuple[int, int],
        count: int,
        rows: slice,
    ) -> Tensor:
        matrix = self._matrices(count, images.shape[-2:], generator)[rows]
        if mirror is not None:
            matrix[:, :, 0] = torch.where(mirror[:, None], -matrix[:, :, 0], matrix[:, :, 0])
        grid = sampling_grid(matrix.to(images.device), size)
        if self.augmentation.elastic:
            grid += self._displacement(count, images.shape[-2:], size, generator, rows).to(images.device)
        padding = "zeros" if self.augmentation.fill == "zero" else "reflection"
        return F.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)

    def _matrices(self, count: int, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """(B, 2, 3): where each output point lies in the input, in coordinates from -1 to 1 along both sides."""
        a = self.augmentation
        turn, wide, tall, slant, down, right = torch.rand(6, count, generator=generator) * 2 - 1
        angle = turn * math.radians(a.rotate)
        cosine, sine, slant = angle.cos(), angle.sin(), slant * a.shear
        wide, tall = 1 / (1 + wide * a.scale), 1 / (1 + tall * a.scale)
        height, width = shape
        # A step of as many pixels is another share of each side.
        top = torch.stack(
            [cosine * wide, (cosine * slant - sine) * tall * (height / width), right * 2 * a.shift], dim=1
        )
        bottom = torch.stack(
            [sine * wide * (width / height), (sine * slant + cosine) * tall, down * 2 * a.shift], dim=1
        )
        return torch.stack([top, bottom], dim=1)

    def _displacement(
        self, count: int, shape: torch.Size, size: tuple[int, int], generator: torch.Generator, rows: slice
    ) -> Tensor:
        """(b, height, width, 2): Simard's elastic field, uniform noise smoothed by a Gaussian, times alpha."""
        noise = (torch.rand(count, 2, *size, generator=generator) * 2 - 1)[rows]
        tall, wide = (_gaussian(length, self.augmentation.elastic_sigma * length / own)
                      for length, own in zip(size, shape, strict=True))  # fmt: skip
        field = (tall @ noise @ wide.T).permute(0, 2, 3, 1)
        pixels = torch.tensor([2 / shape[1], 2 / shape[0]])
        return field * self.augmentation.elastic * pixels

    def _slide(
        self, images: Tensor, generator: torch.Generator, mirror: Tensor | None, count: int, rows: slice
    ) -> Tensor:
        """Shift by whole pixels and mirror, by picking rows and columns."""
        reach = [round(self.augmentation.shift * side) for side in images.shape[-2:]]
        if mirror is None and not any(reach):
            return images
        moves = [torch.randint(-r, r + 1, (count, 1), generator=generator)[rows] for r in reach]
        return slide(images, *moves, mirror=mirror, fill=self.augmentation.fill)

    def _cut(self, images: Tensor, generator: torch.Generator, count: int, rows: slice) -> Tensor:
        """Blank one square a picture with the picture's own mean; its centre lies anywhere."""
        inside = []
        for side in images.shape[-2:]:
            half = self.augmentation.cutout * side / 2
            centre = torch.rand(count, 1, generator=generator)[rows] * side
            inside.append((torch.arange(side) + 0.5 - centre).abs() < half)
        square = (inside[0][:, None, :, None] & inside[1][:, None, None, :]).to(images.device)
        return torch.where(square, images.mean(dim=(2, 3), keepdim=True), images)


def sampling_grid(matrices: Tensor, size: tuple[int, int]) -> Tensor:
    """Where the pixels of an affine map's result lie in its input, as `torch.nn.functional.affine_grid` says it.

    A matrix product with three columns is slow; rows and columns each give a part, and a sum joins them.

    Args:
        matrices: (B, 2, 3), for coordinates from -1 to 1.
        size: height and width of the result.

    Returns:
        (B, height, width, 2).
    """
    tall, wide = ((2 * torch.arange(n, device=matrices.device) + 1) / n - 1 for n in size)
    across = wide[:, None] * matrices[:, None, :, 0] + matrices[:, None, :, 2]  # (B, width, 2)
    down = tall[:, None] * matrices[:, None, :, 1]
    # As complex numbers: a sum over pairs of numbers is three times as slow.
    return torch.view_as_real(torch.view_as_complex(across)[:, None] + torch.view_as_complex(down)[:, :, None])


def slide(images: Tensor, down: Tensor, right: Tensor, *, mirror: Tensor | None = None, fill: str = "zero") -> Tensor:
    """Shift pictures by whole pixels.

    Args:
        images: (B, C, H, W).
        down: (B, 1) whole pixels; positive moves the picture down.
        right: (B, 1) whole pixels; positive moves it right.
        mirror: (B,) bool, which pictures to mirror left-right first.
        fill: "zero" or "reflect", what comes in at the border.

    Returns:
        (B, C, H, W), channels last in memory.
    """
    height, width = images.shape[-2:]
    y = torch.arange(height) - down
    x = torch.arange(width) - right
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    y, x = _reflect(y, height), _reflect(x, width)
    if mirror is not None:
        x = torch.where(mirror[:, None], width - 1 - x, x)
    places = (torch.arange(len(images))[:, None, None] * height + y[:, :, None]) * width + x[:, None, :]
    channels_last = images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])  # (B·H·W, C)
    moved = channels_last.index_select(0, places.reshape(-1).to(images.device))
    moved = moved.reshape(len(images), height, width, -1).permute(0, 3, 1, 2)
    return moved if fill == "reflect" else moved * inside[:, None].to(images.device)


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) float to (B, C, height, width), averaging over what each new pixel covers."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)


def _reflect(places: Tensor, length: int) -> Tensor:
    """Fold indices back into 0 … length - 1, mirrored about the border pixels."""
    if length == 1:
        return torch.zeros_like(places)
    period = 2 * (length - 1)
    places = places.remainder(period)
    return torch.minimum(places, period - places)


def _gaussian(length: int, sigma: float) -> Tensor:
    """(length, length): the matrix that smooths a line of `length` numbers by a Gaussian; rows sum to at most 1."""
    steps = torch.arange(length, dtype=torch.float32)
    kernel = torch.exp(-0.5 * ((steps[:, None] - steps[None, :]) / sigma) ** 2)
    return kernel / (sigma * math.sqrt(2 * math.pi))
