"""Every network family can be shipped; a new one is picked up unaided."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.data.batches import Scaling, inputs_from
from convoscope.runs.run import Preprocessing
from convoscope.shipping.graph import network_graph, whole_graph

VARIANTS = ["lenet5:activation=scaled-tanh,pool=trainable,c3_table=true", "convnet:whiten=true", "typical:norm=true"]


@pytest.mark.parametrize("spec", [*models.registry, *VARIANTS])
def test_every_family_predicts_the_same(spec):
    torch.manual_seed(0)
    shape = (1, 28, 28) if spec.startswith(("dense", "lenet5")) else (3, 32, 32)
    model = models.build(spec, shape, 5)
    preprocessing = Preprocessing(*shape, Scaling((0.4,) * shape[0], (0.3,) * shape[0]))
    pictures = np.random.default_rng(0).integers(0, 256, (7, *shape), dtype=np.uint8)
    inputs = inputs_from(pictures, preprocessing.scaling, shape[1:], torch.device("cpu"))
    with torch.no_grad():
        model(inputs)  # so that normalisations have statistics of their own
        expected = model.eval()(inputs).softmax(dim=1).numpy()
    whole = whole_graph(preprocessing, network_graph(model, shape, spec))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"images": np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))})[0]
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_file_names_nothing_of_the_machine():
    made = network_graph(models.build("lenet5", (1, 28, 28), 3).eval(), (1, 28, 28), "lenet5").SerializeToString()
    assert b".py" not in made


class Wilful(nn.Module):
    """Decides by its input which way to go: no graph can hold that."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :2] if float(x.sum()) > 0 else x.flatten(1)[:, 1:3]


def test_what_can_not_be_expressed_is_refused():
    with pytest.raises(RequestError, match=r"wilful.*ONNX") as refused:
        network_graph(Wilful().eval(), (1, 8, 8), "wilful")
    assert len(str(refused.value).splitlines()) == 1


class Divided(nn.Module):
    """Calls the pooling itself, without a layer."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x, 4, divisor_override=3).flatten(1)


@pytest.mark.parametrize("model", [Divided(), nn.Sequential(nn.AvgPool2d(4, divisor_override=3), nn.Flatten())])
def test_a_divisor_that_onnx_has_not_is_refused(model: nn.Module):
    with pytest.raises(RequestError, match="divisor_override"):
        network_graph(model.eval(), (1, 8, 8), "mine")


def test_other_average_poolings_are_shipped():
    model = nn.Sequential(nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False), nn.Flatten()).eval()
    session = onnxruntime.InferenceSession(network_graph(model, (1, 8, 8), "mine").SerializeToString())
    inputs = torch.randn(2, 1, 8, 8)
    np.testing.assert_allclose(session.run(None, {"inputs": inputs.numpy()})[0], model(inputs).numpy(), atol=1e-6)
