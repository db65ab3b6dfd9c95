from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.models.modules import Add

SPECS = [
    *models.registry,
    "convnet:whiten=true,stem_kernel=2,stem_stride=1,depths=2",
    "lenet5:c3_table=true,pool=trainable",
    "typical:convs=2,norm=true,kernel=5,pool=avg",
    "resnet:depth=2,stages=3,width=8",
]
specs = pytest.mark.parametrize("spec", SPECS)


def flops(call) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@specs
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)], ids=str)
def test_costs_are_those_that_pytorch_counts(spec, shape):
    with torch.device("meta"):
        net = models.build(spec, shape, 10)
        batch = torch.empty(2, *shape)
    told = models.summary(net, shape)
    assert flops(lambda: net(batch)) == 2 * 2 * told.macs
    assert flops(lambda: net(batch).sum().backward()) == 2 * told.train_flops_per_image


def test_frozen_weights_need_no_gradient():
    net = models.build("convnet", (1, 28, 28), 10)
    next(net.parameters()).requires_grad_(False)
    told = models.summary(net, (1, 28, 28))
    batch = torch.randn(2, 1, 28, 28)
    assert flops(lambda: net(batch).sum().backward()) == 2 * told.train_flops_per_image


@specs
def test_parameters_of_the_layers_are_those_of_the_net(spec):
    net = models.build(spec, (3, 32, 32), 10)
    told = models.layers(net, (3, 32, 32))
    assert sum(layer.parameters for layer in told) == sum(parameter.numel() for parameter in net.parameters())


@specs
def test_shapes_are_those_that_pass_in_a_real_run(spec):
    shape = (1, 29, 31)
    net = models.build(spec, shape, 10).eval()
    passed = []
    for name, module in net.named_modules():
        if not any(module.children()):
            module.register_forward_hook(
                lambda module, inputs, output, name=name: passed.append(
                    (name, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))
                )
            )
    net(torch.randn(1, *shape))
    told = models.layers(net, shape)
    assert [(layer.name, layer.input_shape, layer.output_shape) for layer in told] == passed


def test_the_net_is_left_as_it_was():
    net = models.build("convnet", (1, 28, 28), 10).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    models.layers(net, (1, 28, 28))
    assert net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_hooks_of_the_net_are_not_called():
    net = models.build("convnet", (1, 28, 28), 10)
    called = []
    net.conv1.register_forward_hook(lambda *_: called.append("after"))
    net.conv1.register_forward_pre_hook(lambda *_: called.append("before"))
    models.layers(net, (1, 28, 28))
    assert called == []


def test_receptive_fields_of_lenet5_are_those_of_the_paper():
    told = {
        layer.name: layer.receptive_field
        for layer in models.layers(models.build("lenet5", (1, 32, 32), 10), (1, 32, 32))
    }
    expected = {"c1": 5, "s2": 6, "c3": 14, "s4": 16, "c5": 32, "output": 32}
    assert {name: told[name] for name in expected} == {name: (side, side) for name, side in expected.items()}


@settings(max_examples=25, deadline=None)
@given(
    spec=st.sampled_from(
        ["convnet:widths=4-6,stem_width=3", "resnet:stages=2,width=4", "typical:blocks=1,convs=2,width=4,dense=0"]
    ),
    height=st.integers(8, 20),
    width=st.integers(8, 20),
    data=st.data(),
)
def test_a_unit_depends_on_its_receptive_field_and_on_nothing_else(spec, height, width, data):
    """What changes a unit lies in its field, and both ends of the field can change it."""
    torch.manual_seed(0)
    net = models.build(spec, (1, height, width), 2).double().eval()
    convolutional = [layer for layer in models.layers(net, (1, height, width)) if len(layer.output_shape) == 3]
    layer = data.draw(st.sampled_from(convolutional))
    _, rows, columns = layer.output_shape
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    seen = []
    net.get_submodule(layer.name).register_forward_hook(lambda module, inputs, output: seen.append(output))
    # A maximum or ReLU hides some pixels of one picture, so the gradients of many are added.
    pictures = torch.randn(64, 1, height, width, dtype=torch.float64, requires_grad=True)
    net(pictures)
    (gradient,) = torch.autograd.grad(seen[0][:, :, row, column].abs().sum(), pictures)
    read = gradient.abs().sum(dim=(0, 1)) > 0
    rows_seen, columns_seen = layer.field.region(row, column)
    inside = torch.zeros_like(read)
    inside[rows_seen.first : rows_seen.end, columns_seen.first : columns_seen.end] = True
    assert not (read & ~inside).any()
    assert read.any(dim=1).nonzero().flatten()[[0, -1]].tolist() == [rows_seen.first, rows_seen.end - 1]
    assert read.any(dim=0).nonzero().flatten()[[0, -1]].tolist() == [columns_seen.first, columns_seen.end - 1]


class Functional(nn.Module):
    """A net that works partly outside of its modules, and uses one of them twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding="same")
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.wide = nn.AdaptiveAvgPool2d((2, 1))

    def forward(self, x: Tensor) -> Tensor:
        once = self.pool(self.conv(x))
        return self.wide(torch.sigmoid(self.conv(once)))


def test_what_happens_outside_of_modules_is_not_guessed():
    told = models.layers(Functional(), (2, 8, 12))
    assert [layer.name for layer in told] == ["conv", "pool", "conv", "wide"]
    assert [layer.receptive_field for layer in told] == [(3, 3), (6, 8), (14, 20), None]
    assert [layer.parameters for layer in told] == [38, 0, 0, 0]


def test_a_net_may_count_on_pictures():
    class Reshaping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.dense = nn.Conv2d(1, 2, 3), nn.Linear(72, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.dense(self.conv(x).view(len(x), -1))

    told = models.layers(Reshaping(), (1, 8, 8))
    assert [layer.output_shape for layer in told] == [(2, 6, 6), (10,)]
    with pytest.raises(RequestError, match="layer dense gets 98"):
        models.layers(Reshaping(), (1, 9, 9))


def test_what_a_net_looks_like_is_told_without_pytorchs_compiler():
    shown = "import sys; from convoscope import models\n"
    shown += (
        f"for spec in {[*models.registry]}: models.summary(spec, (1, 32, 32)); models.build(spec, (1, 32, 32), 10)\n"
    )
    shown += "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


class Unusual(nn.Module):
    """Convolutions of one and three dimensions, a transposed one, and a pooling that also says where it found what."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.up = nn.MaxPool2d(2, return_indices=True), nn.ConvTranspose2d(2, 6, 3, stride=2, groups=2)
        self.line, self.solid = nn.Conv1d(6, 4, 3, groups=2), nn.Conv3d(1, 2, (1, 3, 3), padding=(0, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        maps, _ = self.pool(x)
        up = self.up(maps)  # (B, 6, 9, 9)
        return self.line(up.flatten(2)).sum() + self.solid(up[:, None]).sum()


def test_convolutions_of_every_kind_are_counted():
    told = models.summary(Unusual(), (2, 8, 8))
    assert [layer.name for layer in told.layers] == ["pool", "up", "line", "solid"]
    assert told.layers[0].output_shape == (2, 4, 4)
    assert [layer.macs for layer in told.layers] == [0, 2 * 16 * 3 * 9, 4 * 79 * 3 * 3, 2 * 6 * 81 * 9]
    assert flops(lambda: Unusual()(torch.randn(1, 2, 8, 8))) == 2 * told.macs


@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
def test_no_field_is_told_where_padding_is_made_of_pixels(mode):
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode), nn.ReLU())
    assert [layer.receptive_field for layer in models.layers(net, (1, 8, 8))] == [None, None]


def test_uneven_adaptive_pooling_has_no_one_field():
    told = models.layers(nn.Sequential(nn.AdaptiveAvgPool2d(3)), (1, 8, 8))
    assert told[0].receptive_field is None


def test_two_paths_that_meet_see_what_both_see():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.near, self.far, self.add = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 5, padding=2), Add()

        def forward(self, x: Tensor) -> Tensor:
            return self.add(self.near(x), self.far(x))

    assert models.layers(Two(), (1, 9, 9))[-1].receptive_field == (5, 5)


@pytest.mark.parametrize(
    ("shape", "layer", "got"),
    [((1, 40, 40), "fc", "3200"), ((1, 4, 4), "pool3", "128x1x1"), ((3, 28, 28), "conv1", "3x28x28")],
)
def test_a_picture_that_does_not_fit_names_the_layer(shape, layer, got):
    net = models.build("typical", (1, 28, 28), 10)
    with pytest.raises(RequestError, match=f"layer {layer} gets {got}"):
        models.layers(net, shape)


@pytest.mark.parametrize("shape", [(28, 28), (1, 0, 28), (1, 1, 28, 28)])
def test_an_input_that_is_no_picture(shape):
    with pytest.raises(RequestError, match="not channels x rows x columns"):
        models.layers(models.build("convnet", (1, 28, 28), 10), shape)
