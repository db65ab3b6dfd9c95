"""Filter health: every figure against the plain way to work it out, on nets of every form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import convoscope as cs
from convoscope import Run, models
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.batches import inputs_from
from convoscope.inspection.filter_banks import Ablation, banks_of, flat_ends
from convoscope.inspection.health import health_of
from convoscope.inspection.pruning import prune, silence

SPECS = [
    "convnet:widths=6-8",
    "typical:blocks=2,width=4,norm=true",
    "typical:blocks=1,width=4,dense=0,activation=tanh,norm=true",
    "lenet5:pool=trainable,c3_table=true",
    "resnet:stages=2,width=4",
]


def built(spec: str) -> nn.Module:
    torch.manual_seed(3)
    net = models.build(spec, (1, 12, 12), 5)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for _ in range(3):
            net(torch.randn(16, 1, 12, 12))
    return net.eval()


@pytest.mark.parametrize("spec", SPECS)
@torch.no_grad()
def test_a_net_without_a_filter_is_the_net_with_its_map_at_zero(spec: str) -> None:
    net = built(spec)
    layers = tuple(models.layers(net, (1, 12, 12)))
    pictures = torch.randn(7, 1, 12, 12)
    ablation = Ablation(net, pictures.clone())
    torch.testing.assert_close(ablation.logits, net(pictures.clone()))
    for bank in banks_of(net, layers):
        for filter in (0, bank.count - 1):

            def silenced(_: nn.Module, __: object, output: torch.Tensor, filter: int = filter) -> torch.Tensor:
                output = output.clone()
                output[:, filter] = 0
                return output

            hook = net.get_submodule(bank.leaves).register_forward_hook(silenced)
            expected = net(pictures.clone())
            hook.remove()
            torch.testing.assert_close(ablation.without(bank, filter), expected, rtol=1e-4, atol=1e-5)
            pruned = built(spec)
            silence(pruned, layers, bank, filter)
            torch.testing.assert_close(pruned(pictures.clone()), expected, rtol=1e-4, atol=1e-5)


def test_where_activations_are_flat() -> None:
    assert flat_ends(nn.ReLU())[1] == np.inf
    assert flat_ends(nn.ReLU())[0] == pytest.approx(0, abs=0.01)
    low, high = flat_ends(nn.Tanh())
    assert (low, high) == (pytest.approx(-2.18, abs=0.02), pytest.approx(2.18, abs=0.02))
    assert flat_ends(nn.LeakyReLU(0.2)) == (-np.inf, np.inf)


def test_dead_and_duplicate_filters_are_found(run: Run) -> None:
    first = run.model.get_submodule("conv1")
    assert isinstance(first, nn.Conv2d)
    assert first.bias is not None
    with torch.no_grad():
        first.weight[2], first.bias[2] = 0, -1
        first.weight[5], first.bias[5] = first.weight[4], first.bias[4]
    test = run.load_data().test
    health = health_of(run, test.images[:64], test.labels[:64])
    filters = health.filters[0]
    assert filters[2].verdict == "dead"
    assert (filters[5].verdict, filters[5].like) == ("duplicate", 4)
    assert filters[5].correlation == pytest.approx(1, abs=1e-3)
    assert filters[2].errors == health.errors  # what is always zero is not missed
    p = run.preprocessing
    inputs = inputs_from(test.images[:64], p.scaling, (p.height, p.width), torch.device("cpu"))
    with torch.inference_mode():
        maps = nn.functional.max_pool2d(torch.relu(first(inputs)), 2)
    assert filters[4].mean == pytest.approx(float(maps[:, 4].mean()), rel=1e-4)
    assert filters[4].spread == pytest.approx(float(maps[:, 4].std(correction=0)), rel=1e-4)


def test_pruning_writes_another_run_and_leaves_the_first(run: Run, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    result = prune(run, tmp_path / "pruned", duplicate=0.5)
    assert {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()} == before
    pruned = Run(tmp_path / "pruned")
    for layer, filter, _ in result.removed:
        assert not pruned.model.get_submodule(layer).weight[filter].any()
    told = result.to_dict()
    assert told["error_after"] == pruned.evaluate()["test_error"] == (pruned.metrics or {})["test_error"]
    assert told["error_before"] == run.evaluate()["test_error"]
    assert told["error_after"] * told["test_count"] == pytest.approx(
        told["error_before"] * told["test_count"] - told["mended"] + told["broken"]
    )
    assert cs.train("digits", resume=pruned.path).path == pruned.path  # complete: there is nothing to go on with
    with using_language("es"):
        assert "McNemar" in str(result)
    with using_language("en"), pytest.raises(RequestError, match="already"):
        prune(run, tmp_path / "pruned")


def test_nothing_to_prune(tmp_path: Path) -> None:
    run = cs.train("digits", "convnet:widths=8-8", epochs=1, out=tmp_path / "run")
    with using_language("en"), pytest.raises(RequestError, match="take a lower one"):
        prune(run, tmp_path / "pruned", duplicate=1.0)
    assert not (tmp_path / "pruned").exists()


def test_a_net_without_filters(tmp_path: Path) -> None:
    run = cs.train("digits", "dense-800", epochs=1, out=tmp_path / "run")
    for ask in (lambda: run.show("filter-health"), lambda: prune(run, tmp_path / "pruned")):
        with using_language("en"), pytest.raises(RequestError, match="has no convolution"):
            ask()


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("filter-health:images=0", "images may be: 1, 2"),
        ("filter-health:layer=3", "has no parameter 'layer'. It takes: images=10000"),
        ("filters:images=3", "takes no parameters"),
        ("filter-health:", "filter-health:"),
    ],
)
def test_wrong_parameters_of_views(run: Run, view: str, words: str) -> None:
    with using_language("en"), pytest.raises(RequestError) as caught:
        run.show(view)
    assert words in str(caught.value)
