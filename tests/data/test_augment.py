from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convoscope import load
from convoscope.data.augment import Augmentation, Augmenter, resize, sampling_grid, slide


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return torch.from_numpy(load("mnist-5k").train.images[:32]).float()


def test_nothing_asked_nothing_changed(digits: torch.Tensor) -> None:
    assert torch.equal(Augmenter(Augmentation(), mirrored=True)(digits, seeded()), digits)


@given(seed=st.integers(0, 1000), height=st.integers(1, 9), width=st.integers(1, 9))
def test_a_grid_is_that_of_pytorch(seed: int, height: int, width: int) -> None:
    matrices = torch.randn(3, 2, 3, generator=seeded(seed))
    expected = torch.nn.functional.affine_grid(matrices, [3, 1, height, width], align_corners=False)
    torch.testing.assert_close(sampling_grid(matrices, (height, width)), expected)


@settings(deadline=None, max_examples=60)
@given(
    down=st.integers(-3, 3),
    right=st.integers(-3, 3),
    channels=st.integers(1, 3),
    mirrored=st.booleans(),
    fill=st.sampled_from(["zero", "reflect"]),
)
def test_a_slide_is_a_shifted_window_of_the_padded_picture(
    down: int, right: int, channels: int, mirrored: bool, fill: str
) -> None:
    images = torch.arange(2.0 * channels * 7 * 9).view(2, channels, 7, 9) + 1
    first = images.flip(-1) if mirrored else images
    mode = "constant" if fill == "zero" else "reflect"
    padded = torch.nn.functional.pad(first, (3, 3, 3, 3), mode=mode)
    expected = padded[:, :, 3 - down : 10 - down, 3 - right : 12 - right]
    mirror = torch.tensor([mirrored, mirrored])
    moved = slide(images, torch.full((2, 1), down), torch.full((2, 1), right), mirror=mirror, fill=fill)
    assert torch.equal(moved, expected)


def test_pictures_are_mirrored_only_where_the_data_allow_it(digits: torch.Tensor) -> None:
    asked = Augmentation(flip="random")
    assert torch.equal(Augmenter(asked, mirrored=False)(digits, seeded()), digits)
    flipped = Augmenter(asked, mirrored=True)(digits, seeded())
    same = (flipped == digits).flatten(1).all(1)
    other = (flipped == digits.flip(-1)).flatten(1).all(1)
    assert (same | other).all()
    assert 4 < other.sum() < 28


def test_alternating_flips_show_each_side_in_turn(digits: torch.Tensor) -> None:
    augmenter = Augmenter(Augmentation(flip="alternating"), mirrored=True)
    now = torch.arange(32) % 2 == 0
    first, second = (augmenter(digits, seeded(), alternate=turn) for turn in (now, ~now))
    assert torch.equal(first, second.flip(-1))


@pytest.mark.parametrize(("height", "width"), [(32, 64), (64, 32), (48, 48)])
@pytest.mark.parametrize("change", ["rotate", "shear"])
def test_lines_are_turned_and_sheared_by_pixels_whatever_the_sides(height: int, width: int, change: str) -> None:
    """A line through the middle of each picture; its slope is fitted to the pixels that it covers."""
    upright, level = torch.zeros(2, 24, 1, height, width).unbind()
    upright[..., width // 2 - 1 : width // 2 + 1] = 1
    level[..., height // 2 - 1 : height // 2 + 1, :] = 1
    augmenter = Augmenter(Augmentation(rotate=12 if change == "rotate" else 0, shear=0.3 * (change == "shear")),
                          mirrored=False)  # fmt: skip
    across = slopes(augmenter(upright, seeded()))
    down = slopes(augmenter(level, seeded()).transpose(2, 3))
    if change == "shear":
        assert 0.2 < across.abs().max() <= 0.31
        torch.testing.assert_close(down, torch.zeros(24), atol=0.01, rtol=0)
    else:
        assert 8 < across.atan().rad2deg().abs().max() <= 12.5
        torch.testing.assert_close(across.atan(), -down.atan(), atol=0.01, rtol=0)


def slopes(lines: torch.Tensor) -> torch.Tensor:
    """(B,): columns by which the ink of (B, 1, H, W) moves right from row to row, over the middle half of the rows."""
    height, width = lines.shape[-2:]
    ink = lines[:, 0, height // 4 : height - height // 4]
    centres = (ink * torch.arange(width)).sum(2) / ink.sum(2)
    rows = torch.arange(centres.shape[1]) - (centres.shape[1] - 1) / 2
    return (centres * rows).sum(1) / rows.square().sum()


@pytest.mark.parametrize("change", [{"rotate": 15}, {"scale": 0.2}, {"shear": 0.2}, {"elastic": 30.0}])
def test_bent_digits_stay_digits(digits: torch.Tensor, change: dict[str, float]) -> None:
    bent = Augmenter(Augmentation(**change), mirrored=False)(digits, seeded())
    assert bent.shape == digits.shape
    assert not torch.equal(bent, digits)
    assert bent.min() >= 0
    assert bent.max() <= 255.001
    # The ink moves by a pixel or two; it neither vanishes nor spreads.
    assert (bent.mean((1, 2, 3)) / digits.mean((1, 2, 3))).sub(1).abs().max() < 0.5
    assert (bent - digits).abs().mean() < digits.mean()


def test_the_elastic_field_has_the_strength_of_the_paper() -> None:
    """Simard et al. (2003): alpha 34 and sigma 4 displace by a pixel or so on 29x29 pictures."""
    augmenter = Augmenter(Augmentation(elastic=34, elastic_sigma=4), mirrored=False)
    field = augmenter._displacement(500, torch.Size([28, 28]), (28, 28), seeded(), slice(None))
    pixels = field * 14
    assert 0.8 < pixels[:, 8:20, 8:20].std() < 2.0
    assert pixels.mean().abs() < 0.05


def test_rotation_turns_about_the_centre() -> None:
    image = torch.zeros(64, 1, 9, 9)
    image[:, :, 4, 4] = 255
    turned = Augmenter(Augmentation(rotate=90), mirrored=False)(image, seeded())
    torch.testing.assert_close(turned[:, :, 4, 4], image[:, :, 4, 4])


def test_cutout_blanks_a_square_of_the_side_asked() -> None:
    image = torch.rand(200, 3, 20, 20) * 255
    cut = Augmenter(Augmentation(cutout=0.5), mirrored=False)(image, seeded())
    changed = (cut != image).all(1).flatten(1).sum(1)
    assert changed.max() == 100
    assert changed.min() >= 25  # a corner: a quarter of the square


@given(height=st.integers(8, 30), width=st.integers(8, 30))
def test_resizing_keeps_a_constant_constant(height: int, width: int) -> None:
    torch.testing.assert_close(
        resize(torch.full((1, 2, 16, 16), 7.0), (height, width)), torch.full((1, 2, height, width), 7.0)
    )


def test_the_same_pictures_come_out_smaller_when_asked(digits: torch.Tensor) -> None:
    for augmentation in (Augmentation(), Augmentation(rotate=10)):
        small = Augmenter(augmentation, mirrored=False)(digits, seeded(), size=(20, 20))
        assert small.shape == (32, 1, 20, 20)
        np.testing.assert_allclose(small.mean(), digits.mean(), rtol=0.15)
