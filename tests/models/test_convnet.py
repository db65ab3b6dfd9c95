from __future__ import annotations

import pytest
import torch

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.models.whitening import Whitening, fit_whitening


def shapes(spec: str, shape: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    return {layer.name: layer.output_shape for layer in models.layers(models.build(spec, shape, 10), shape)}


def test_pools_until_the_maps_are_small():
    made = shapes("convnet", (1, 28, 28))
    assert (made["conv1"], made["pool1"], made["pool2"], made["conv4"]) == (
        (16, 14, 14),
        (32, 7, 7),
        (64, 3, 3),
        (64, 3, 3),
    )
    assert "pool3" not in made
    assert shapes("convnet", (1, 64, 64))["pool3"] == (64, 4, 4)


@pytest.mark.parametrize("spec", ["convnet:depths=2", "convnet:depths=2-2-2"])
def test_one_depth_stands_for_all_blocks(spec):
    assert [name for name in shapes(spec, (1, 28, 28)) if name.startswith("conv")] == [f"conv{n}" for n in range(1, 8)]


def test_depths_that_do_not_go_with_the_widths():
    with pytest.raises(RequestError, match=r"depths=1-2 does not go with widths=32-64-64: .* or 3, one for each"):
        models.build("convnet:depths=1-2", (1, 28, 28), 10)


def test_a_net_takes_pictures_of_other_sizes():
    net = models.build("convnet", (3, 32, 32), 10).eval()
    for side in (20, 26, 48):
        assert net(torch.randn(2, 3, side, side)).shape == (2, 10)


def test_kernels_begin_by_passing_their_input_on():
    net = models.build("convnet", (1, 28, 28), 10)
    batch = torch.randn(2, 32, 7, 7)
    torch.testing.assert_close(net.conv3(batch)[:, :32], batch)


def test_scales_of_normalisations_are_frozen():
    net = models.build("convnet", (1, 28, 28), 10)
    assert {name for name, parameter in net.named_parameters() if not parameter.requires_grad} == {
        f"norm{number}.weight" for number in range(1, 5)
    }


def test_whitened_patches_are_uncorrelated_with_variance_one():
    torch.manual_seed(0)
    # Neighbouring pixels and channels of real pictures are alike; so are these.
    pictures = torch.nn.functional.avg_pool2d(torch.randn(300, 3, 18, 18), 3, stride=1)
    pictures = 3 * (pictures + 0.5 * pictures.roll(1, dims=1))
    net = models.build("convnet:whiten=true,stem_kernel=2,stem_stride=1", (3, 16, 16), 10)
    fit_whitening(net, pictures.split(70))
    assert isinstance(net.conv1, Whitening)
    with torch.no_grad():
        white = net.conv1(pictures).transpose(0, 1).flatten(1)  # (24, patches)
    assert len(white) == 2 * 3 * 2 * 2
    torch.testing.assert_close(white[:12] @ white[:12].T / white.shape[1], torch.eye(12), atol=0.02, rtol=0)
    torch.testing.assert_close(white[12:], -white[:12])


def test_whitening_trains_its_bias_alone():
    net = models.build("convnet:whiten=true", (3, 32, 32), 10)
    assert [name for name, each in net.conv1.named_parameters() if each.requires_grad] == ["bias"]
    net(torch.randn(4, 3, 32, 32)).sum().backward()
    assert net.conv1.weight.grad is None
    assert net.conv1.bias.grad is not None


def test_a_net_without_whitening_is_left_alone():
    net = models.build("lenet5", (1, 28, 28), 10)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    fit_whitening(net, (pytest.fail("no picture is needed") for _ in range(1)))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_picture_smaller_than_the_whitening_kernel():
    with pytest.raises(RequestError, match="layer conv1 gets 4x4 and needs at least 5x5"):
        models.build("convnet:whiten=true", (1, 4, 4), 10)


def test_a_stem_without_padding_has_smaller_maps():
    shapes = []
    for padded in ("true", "false"):
        net = models.build(f"convnet:stem_padding={padded}", (1, 28, 28), 10)
        shapes.append(net.conv1(torch.zeros(2, 1, 28, 28)).shape[1:])
    assert shapes == [(16, 14, 14), (16, 12, 12)]  # (28 - 5) // 2 + 1 = 12


def test_a_picture_smaller_than_a_stem_without_padding():
    with pytest.raises(RequestError, match="layer conv1 gets 4x4 and needs at least 5x5"):
        models.build("convnet:stem_padding=false", (1, 4, 4), 10)
