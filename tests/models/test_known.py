"""Numbers that papers and textbooks give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from convoscope import models
from convoscope.models.activation import first_weights
from convoscope.models.lenet5 import C3_TABLE
from convoscope.models.modules import ScaledTanh, TableConv2d

PAPER = "lenet5:activation=scaled-tanh,pool=trainable,c3_table=true"


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("dense-800", 784 * 800 + 800 + 800 * 10 + 10),
        ("dense-800", 636_010),
        ("dense-6", 11_972_510),
        ("lenet5", 61_706),
    ],
)
def test_parameters(name, parameters):
    assert count(models.build(name, (1, 28, 28), 10)) == parameters


def test_lenet5_layers_have_the_parameters_of_the_paper():
    net = models.build(PAPER, (1, 32, 32), 10)
    counts = {name: count(module) for name, module in net.named_children() if count(module)}
    assert counts.pop("output") == 850
    assert counts == {"c1": 156, "s2_scale": 12, "c3": 1_516, "s4_scale": 32, "c5": 48_120, "f6": 10_164}
    assert sum(counts.values()) == 60_000


def test_lenet5_pads_to_the_paper_s_size():
    for side in (28, 29, 30, 31, 32, 33):
        told = {
            layer.name: layer.output_shape
            for layer in models.layers(models.build("lenet5", (1, side, side), 10), (1, side, side))
        }
        assert told["s4"] == (16, 5, 5)
        assert told["c5"] == (120, 1, 1)


def test_c3_table_has_the_paper_s_connections():
    sizes = [len(row) for row in C3_TABLE]
    assert sizes == [3] * 6 + [4] * 9 + [6]
    assert len(set(C3_TABLE)) == 16
    # Each map of S2 is seen by ten of C3's.
    assert np.bincount([seen for row in C3_TABLE for seen in row]).tolist() == [10] * 6


def test_a_table_convolution_is_the_full_one_with_zeros():
    torch.manual_seed(0)
    table = TableConv2d(C3_TABLE, 5)
    full = nn.Conv2d(6, 16, 5)
    with torch.no_grad():
        full.weight.copy_(table.weight)
        full.bias.copy_(table.bias)
    batch = torch.randn(2, 6, 14, 14)
    torch.testing.assert_close(table(batch), full(batch))
    absent = [(out, seen) for out, row in enumerate(C3_TABLE) for seen in set(range(6)) - set(row)]
    assert not any(table.weight[out, seen].any() for out, seen in absent)


def test_scaled_tanh_is_one_at_one():
    torch.testing.assert_close(
        ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0.0, 1.0]), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(("channels", "parameters"), [(1, 9 * 32 + 32), (3, 9 * 3 * 32 + 32)])
def test_first_layer_of_the_typical_net(channels, parameters):
    net = models.build("typical", (channels, 32, 32), 10)
    assert count(net.conv1) == parameters


def test_typical_maps_grow_in_number_and_shrink_in_size():
    told = models.layers(models.build("typical:blocks=4,width=8", (3, 64, 64), 10), (3, 64, 64))
    pools = [layer.output_shape for layer in told if layer.kind == "MaxPool2d"]
    assert pools == [(8, 32, 32), (16, 16, 16), (32, 8, 8), (64, 4, 4)]


@pytest.mark.parametrize(("side", "first"), [(8, 8), (32, 32), (63, 63), (64, 32), (96, 48), (128, 32), (224, 56)])
def test_resnet_brings_large_pictures_down_first(side, first):
    told = models.layers(models.build("resnet", (3, side, side), 10), (3, side, side))
    assert next(layer for layer in told if layer.kind == "BatchNorm2d").input_shape == (32, first, first)


def test_resnet_lists_its_sums():
    told = models.layers(models.build("resnet:depth=2,stages=2", (1, 16, 16), 10), (1, 16, 16))
    assert [layer.name for layer in told if layer.kind == "Add"] == [
        *("stage1_block1.add", "stage1_block2.add", "stage2_block1.add", "stage2_block2.add")
    ]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_first_weights_keep_the_size_of_signals(activation):
    torch.manual_seed(0)
    net = nn.Sequential(*(layer for _ in range(10) for layer in (nn.Linear(500, 500), nn.ReLU())))
    if activation == "tanh":
        net = nn.Sequential(*(nn.Linear(500, 500) for _ in range(10)))
    first_weights(net, activation)
    out = net(torch.randn(200, 500))
    assert 0.3 < out.square().mean().sqrt() < 3
