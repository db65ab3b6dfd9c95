from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.inspection import Tracer, trace_unit

SPECS = [
    *models.registry,
    "lenet5:activation=scaled-tanh,pool=trainable,c3_table=true",
    "typical:convs=2,norm=true,kernel=5,pool=avg,activation=silu",
    "resnet:depth=2,width=8",
    "convnet:whiten=true,stem_kernel=2,stem_stride=1,widths=8-8",
]


def trained(spec: str, shape: tuple[int, int, int]) -> nn.Module:
    """A net whose batch normalisations have seen pictures, so that nothing in it is 0 or 1 by default."""
    torch.manual_seed(0)
    net = models.build(spec, shape, 10)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for _ in range(3):
            net(torch.randn(8, *shape))
    return net.eval()


def outputs(net: nn.Module, picture: Tensor) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda module, inputs, output, name=name: seen.setdefault(name, output.detach()))
        for name, module in net.named_modules()
        if not any(module.children())
    ]
    net(picture)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("spec", SPECS)
def test_units_of_every_layer_are_the_numbers_that_pytorch_computed(spec):
    shape = (3, 13, 12)
    net = trained(spec, shape)
    picture = torch.randn(1, *shape)
    tracer = Tracer(net, shape)
    seen = outputs(net, picture)
    assert [layer.name for layer in tracer.layers] == list(seen)
    for layer in tracer.layers:
        corner = tuple(size - 1 for size in layer.output_shape)
        middle = tuple(size // 2 for size in layer.output_shape)
        for place in {corner, middle}:
            trace = tracer.unit(picture, layer.name, place)
            assert trace.pytorch == pytest.approx(seen[layer.name][0][place].item(), rel=1e-5, abs=1e-6)
            assert trace.same, (layer.name, place, trace.value, trace.pytorch)
            assert json.loads(json.dumps(trace.to_dict(), allow_nan=False)) == trace.to_dict()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_geometry_of_convolution_and_pooling(data):
    draw = data.draw
    height, width = draw(st.integers(7, 11)), draw(st.integers(7, 11))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    size = draw(pair)
    padding = tuple(draw(st.integers(0, each // 2)) for each in size)
    torch.manual_seed(draw(st.integers(0, 9)))
    layer = draw(
        st.sampled_from(
            [
                nn.Conv2d(4, 6, size, draw(pair), padding, draw(pair), groups=draw(st.sampled_from([1, 2]))),
                nn.Conv2d(4, 4, (3, 1), padding="same", groups=4, bias=False),
                nn.MaxPool2d(size, draw(pair), padding, draw(pair), ceil_mode=draw(st.booleans())),
                nn.AvgPool2d(size, draw(pair), padding, draw(st.booleans()), draw(st.booleans())),
                nn.AvgPool2d(size, draw(pair), divisor_override=5),
                nn.AdaptiveAvgPool2d((3, 2)),
                nn.AdaptiveMaxPool2d((None, 4)),
            ]
        )
    )
    net = nn.Sequential(layer)
    picture = torch.randn(4, height, width)
    expected = net(picture[None])[0]
    place = tuple(draw(st.integers(0, length - 1)) for length in expected.shape)
    trace = trace_unit(net, picture, "0", place)
    assert trace.value == pytest.approx(expected[place].item(), rel=1e-5, abs=1e-5)
    assert trace.same
    assert (trace.effective[~region_mask(trace, (height, width))] == 0).all()


def region_mask(trace, size):
    inside = np.zeros(size, dtype=bool)
    if trace.region is None:
        return ~inside
    rows, columns = trace.region
    inside[rows.first : rows.end, columns.first : columns.end] = True
    return inside


def test_a_convolution_shows_window_weights_products_and_bias():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    cross = torch.tensor([[1.0, -1, 1], [-1, 1, -1], [1, -1, 1]])
    with torch.no_grad():
        net[0].weight.copy_(cross[None, None])
        net[0].bias.fill_(0.5)
    rows = ["10110", "01001", "10110", "11011", "10110"]
    image = np.array([[[float(pixel) for pixel in row] for row in rows]])
    trace = trace_unit(net, image, "0", (0, 1, 1))
    unit = trace.calculation
    assert (unit.sum, unit.bias, trace.value, trace.pytorch, trace.difference) == (5, 0.5, 5.5, 5.5, 0)
    assert unit.window.tolist() == image[:, 0:3, 0:3].tolist()
    assert unit.products.dtype == np.float64
    assert unit.products.tolist() == (image[:, 0:3, 0:3] * cross.numpy()).tolist()
    assert str(unit).startswith("1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1")
    corner = trace_unit(net, image, "0", (0, 0, 0))
    assert corner.calculation.is_padding.tolist() == [[True] * 3, [True, False, False], [True, False, False]]
    assert corner.calculation.rows.tolist() == [-1, 0, 1]
    assert [(span.first, span.end) for span in corner.region] == [(0, 2), (0, 2)]
    assert corner.effective.sum() == 4


def test_texts_write_the_calculation_out():
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("norm", nn.BatchNorm2d(1))
    net.add_module("act", nn.ReLU(inplace=True))
    net.add_module("pool", nn.AvgPool2d(2))
    net.add_module("flat", nn.Flatten())
    net.norm.running_mean.fill_(1)
    net.norm.running_var.fill_(4)
    net.norm.eps = 0.0
    image = np.array([[[3.0, -1.0], [1.0, 5.0]]])
    tracer = Tracer(net, (1, 2, 2))
    assert str(tracer.unit(image, "norm", (0, 0, 1)).calculation) == "((-1) - 1) / √(4 + 0) × 1 + 0 = -1"
    assert str(tracer.unit(image, "act", (0, 0, 1)).calculation) == "ReLU(-1) = 0"
    assert str(tracer.unit(image, "pool", (0, 0, 0)).calculation) == "(1 + 0 + 0 + 2) / 4 = 0.75"
    with using_language("en"):
        assert str(tracer.unit(image, "flat", (0,)).calculation) == "map 0, row 0, column 0: 0.75 = 0.75"


def test_a_sum_of_two_paths_shows_both():
    net = trained("resnet:stages=1,width=4", (1, 9, 9))
    trace = trace_unit(net, torch.randn(1, 9, 9), "stage1_block1.add", (2, 3, 4))
    assert set(trace.calculation.numbers) == {"one", "other"}
    assert trace.layer.inputs == ("conv1", "stage1_block1.conv2")


def test_flattened_units_keep_the_region_of_their_map():
    net = trained("typical:blocks=1,width=4", (1, 12, 12))
    picture = torch.randn(1, 12, 12)
    tracer = Tracer(net, (1, 12, 12))
    index = np.ravel_multi_index((2, 3, 5), (4, 6, 6))
    flat, pooled = tracer.unit(picture, "flatten", (index,)), tracer.unit(picture, "pool1", (2, 3, 5))
    assert flat.region == pooled.region
    assert flat.pytorch == pooled.pytorch
    assert [len(span) for span in tracer.unit(picture, "fc", (0,)).region] == [12, 12]


@pytest.mark.parametrize("spec", ["convnet", "lenet5", "resnet:width=4"])
def test_the_effective_field_lies_in_the_region_and_is_the_gradient(spec):
    net = trained(spec, (3, 28, 28))
    picture = torch.randn(1, 3, 28, 28)
    tracer = Tracer(net, (3, 28, 28))
    layer = next(layer for layer in tracer.layers[4:] if layer.kind == "Conv2d")
    place = tuple(size // 2 for size in layer.output_shape)
    trace = tracer.unit(picture, layer.name, place)
    assert (trace.effective[~region_mask(trace, (28, 28))] == 0).all()
    row, column = np.unravel_index(trace.effective.argmax(), (28, 28))
    slopes = []
    for channel in range(3):
        moved = picture.repeat(2, 1, 1, 1).double()
        moved[:, channel, row, column] += torch.tensor([1e-5, -1e-5])
        high, low = outputs(net.double(), moved)[layer.name][(slice(None), *place)].tolist()
        slopes.append((high - low) / 2e-5)
    assert trace.effective.max() == pytest.approx(math.hypot(*slopes), rel=1e-3)


def test_json_is_cut_to_the_region_and_scaled():
    net = trained("convnet", (1, 28, 28))
    told = trace_unit(net, torch.randn(1, 28, 28), "conv1", (0, 0, 0)).to_dict()
    assert told["region"] == {"rows": [0, 3], "columns": [0, 3]}
    assert np.shape(told["effective"]) == (3, 3)
    assert np.max(told["effective"]) == 1
    assert told["receptive_field"] == [5, 5]
    assert told["inputs"] == ["input"]


def test_the_net_is_left_as_it_was():
    net = models.build("convnet", (1, 28, 28), 10).train()
    called = []
    net.conv1.register_forward_hook(lambda *_: called.append("after"))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    trace_unit(net, torch.randn(1, 28, 28), "norm1", (0, 0, 0))
    assert net.training
    assert called == []
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_weights_trained_further_are_seen():
    net = models.build("convnet", (1, 28, 28), 10)
    tracer = Tracer(net, (1, 28, 28))
    picture = torch.randn(1, 28, 28)
    before = tracer.unit(picture, "conv1", (0, 5, 5)).pytorch
    with torch.no_grad():
        net.conv1.weight.mul_(2)
    assert tracer.unit(picture, "conv1", (0, 5, 5)).pytorch == pytest.approx(2 * before)


def test_several_threads_may_ask_at_once():
    net = trained("convnet", (1, 28, 28))
    tracer = Tracer(net, (1, 28, 28))
    picture = torch.randn(1, 28, 28)
    asked = [("conv1", (0, 3, 3)), ("conv4", (5, 2, 2)), ("output", (3,)), ("pool1", (1, 1, 1))] * 5
    alone = [tracer.unit(picture, *each).pytorch for each in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: tracer.unit(picture, *each).pytorch, asked))
    assert together == alone


def test_the_picture_may_be_read_only_and_of_any_number_type():
    net = models.build("lenet5", (1, 28, 28), 10)
    image = np.random.default_rng(0).integers(0, 9, (1, 28, 28), dtype=np.uint8)
    image.setflags(write=False)
    assert trace_unit(net, image, "c1", (0, 4, 4)).same
    assert trace_unit(net.double(), image.tolist(), "c1", (0, 4, 4)).difference < 1e-12


@pytest.mark.parametrize(
    ("layer", "place", "said"),
    [
        ("conv9", (0, 0, 0), "no layer 'conv9'. It has: conv1, norm1"),
        ("conv1", (16, 0, 0), r"no unit \(16, 0, 0\); its output is 16x14x14"),
        ("conv1", (0, 0, -1), "no unit"),
        ("conv1", (0, 0), "no unit"),
        ("conv1", (0, 0, 0.5), "no unit"),
        ("output", (10,), r"no unit \(10\)"),
        ("output", (0, 0, 1), "no unit"),
    ],
)
def test_what_is_not_there(layer, place, said):
    net = models.build("convnet", (1, 28, 28), 10)
    with pytest.raises(RequestError, match=said):
        trace_unit(net, torch.zeros(1, 28, 28), layer, place)


def test_a_unit_without_maps_may_be_given_as_three_numbers():
    net = models.build("convnet", (1, 28, 28), 10)
    assert trace_unit(net, torch.zeros(1, 28, 28), "output", (3, 0, 0)).place == (3, 0, 0)


@pytest.mark.parametrize("shape", [(1, 28, 29), (2, 1, 28, 28), (28, 28)])
def test_a_picture_of_another_shape(shape):
    tracer = Tracer(models.build("convnet", (1, 28, 28), 10), (1, 28, 28))
    with pytest.raises(RequestError, match="takes one picture of 1x28x28"):
        tracer.unit(torch.zeros(shape), "conv1", (0, 0, 0))


def test_a_layer_that_can_not_be_worked_out():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softmax(dim=1))
    with pytest.raises(RequestError, match="Layer 1 is a Softmax"):
        trace_unit(net, torch.zeros(1, 5, 5), "1", (0, 0, 0))
    with pytest.raises(RequestError, match="BatchNorm2d keeps no running mean"):
        trace_unit(nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)), torch.randn(1, 5, 5), "0", (0, 0, 0))


@pytest.mark.parametrize(
    ("odd", "place", "said"),
    [
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), (0, 0, 0), r"Conv2d\(padding_mode='reflect'\)"),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), (0, 0, 0), "circular"),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"), (0, 0, 0), "replicate"),
        (nn.Linear(5, 4), (1, 2, 3), r"Linear \(2x5x5\)"),
        (nn.Flatten(2), (1, 3), "Flatten → 2x25"),
        (nn.Flatten(1, 2), (1, 3), "Flatten → 10x5"),
    ],
)
def test_layers_that_work_otherwise_than_their_kind_are_refused(odd, place, said):
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), odd)
    with using_language("en"), pytest.raises(RequestError, match=said):
        trace_unit(net, torch.randn(1, 5, 5), "1", place)


def test_a_batch_norm_of_small_variance_is_judged_by_what_cancels_out() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(16).eval()
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.fill_(10.0)
    norm.running_var.fill_(1e-4)
    picture = 10 + 0.01 * torch.randn(16, 3, 3)
    net = nn.Sequential(norm)
    traces = [trace_unit(net, picture, "0", (channel, 1, 1)) for channel in range(16)]
    assert all(trace.same for trace in traces), [trace.difference for trace in traces]
    assert all(trace.difference < 1e-2 for trace in traces)
