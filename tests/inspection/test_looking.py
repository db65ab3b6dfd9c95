"""Probes, exciting pictures, translation, activation maximisation and saliency, against plain ways to work them out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import shift as scipy_shift
from torch import nn

import convoscope as cs
from convoscope import Run, models
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.batches import inputs_from
from convoscope.inspection.attribution import attributions, grad_cam_layer, infidelity_of
from convoscope.inspection.filter_banks import banks_of
from convoscope.inspection.look import look
from convoscope.inspection.maximisation import maximise
from convoscope.inspection.probing import excited, probe_rows, probes
from convoscope.inspection.reading import read_layers
from convoscope.inspection.translation import correlation, moved, translate

DIGIT = cs.load("digits").test.images[3]


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A net on a few colour pictures."""
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    images = draw.integers(0, 120, (60, 3, 10, 12), dtype=np.uint8)
    images[labels == 1, 0] += 120
    from convoscope.data import from_arrays

    data = from_arrays(images, labels)
    return cs.train(data, "convnet:widths=6-8", epochs=1, out=tmp_path_factory.mktemp("runs") / "colour")


def test_layers_that_are_read() -> None:
    net = models.build("typical:blocks=2,width=4,norm=true", (1, 8, 8), 3)
    layers = tuple(models.layers(net, (1, 8, 8)))
    assert [layer.name for layer in read_layers(net, layers)] == ["pool1", "pool2", "act3", "output"]
    net = models.build("resnet:stages=1,width=4", (1, 8, 8), 3)
    layers = tuple(models.layers(net, (1, 8, 8)))
    names = [layer.name for layer in read_layers(net, layers)]
    assert names[0] == "conv1"
    assert "stage1_block1.add" not in names  # it is read by a normalisation alone
    assert names[-1] == "output"


def test_probes_tell_classes_apart_the_better_the_deeper(run: Run) -> None:
    data = run.load_data()
    fitted, judged = probe_rows(run, data, 600, 140)
    assert not set(fitted) & set(judged)
    found = probes(run, data, fitted, judged)
    assert [one.layer for one in found] == ["input", *(one.name for one in read_layers(run.model, run.layers))]
    assert found[0].features == 64
    assert all(0.5 < one.accuracy <= 1 for one in found[:2])


def test_exciting_pictures_are_those_with_the_largest_outputs(run: Run) -> None:
    images = run.load_data().train.images[:40]
    (first, *_) = excited(run, banks_of(run.model, run.layers), images, 3)
    p = run.preprocessing
    with torch.inference_mode():
        inputs = inputs_from(images, p.scaling, (8, 8), torch.device("cpu"))
        maps = torch.relu(run.model.get_submodule("conv1")(inputs)).numpy()
    for filter in range(first.bank.count):
        best = np.sort(maps[:, filter].max(axis=(1, 2)))[::-1][:3]
        np.testing.assert_allclose(first.values[filter], best, rtol=1e-5)
        row, (y, x) = first.rows[filter, 0], first.places[filter, 0]
        assert maps[row, filter, y, x] == pytest.approx(best[0], rel=1e-5)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (2, -1), (-3, 4), (20, 0)])
def test_moving_repeats_the_border(dy: int, dx: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 7, 9), dtype=np.uint8)
    expected = scipy_shift(picture.astype(float), (0, dy, dx), order=0, mode="nearest")
    np.testing.assert_array_equal(moved(picture, dy, dx), expected.astype(np.uint8))


def test_a_convolution_moves_along_and_a_global_maximum_stays(tmp_path: Path) -> None:
    run = cs.train("digits", "convnet:widths=6-8,stem_stride=1,pools=0", epochs=1, out=tmp_path / "run")
    picture = np.zeros((1, 8, 8), np.uint8)
    picture[0, 3:5, 3:5] = [[200, 90], [60, 250]]
    found = translate(run, run.layers, picture, 1)
    by_name = {one.layer: one for one in found.following}
    first = by_name["conv1"]
    assert first.equivariance is not None
    assert first.equivariance > 0.8 > first.invariance
    assert by_name["pool"].invariance > first.invariance
    assert by_name["pool"].equivariance is None
    middle = look(run, run.layers, picture).probabilities
    np.testing.assert_allclose(found.probabilities[1, 1], middle, atol=1e-5)
    up = look(run, run.layers, moved(picture, -1, 1)).probabilities
    np.testing.assert_allclose(found.probabilities[0, 2], up, atol=1e-5)


def test_correlation_is_numpys() -> None:
    one, other = torch.randn(3, 4), torch.randn(3, 4)
    expected = np.corrcoef(one.flatten(), other.flatten())[0, 1]
    assert correlation(one, other) == pytest.approx(expected, abs=1e-6)
    assert correlation(torch.ones(3), torch.ones(3)) == 1
    assert correlation(torch.ones(3), torch.arange(3.0)) == 0


def test_maximising_reaches_more_and_is_the_same_each_time(run: Run) -> None:
    first = maximise(run, "output", range(3), steps=30, seed=4)
    again = maximise(run, "output", range(3), steps=30, seed=4)
    other = maximise(run, "output", range(3), steps=25, seed=5)
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one.pixels, two.pixels)
        assert not np.array_equal(one.pixels, three.pixels)
        assert one.reached > one.start
        logits = run.logits(one.pixels[None])[0]
        assert one.reached == pytest.approx(float(logits[one.unit]), rel=1e-3, abs=1e-3)


def test_maximising_maps_of_colour_nets(colour: Run) -> None:
    for layer in ("conv1", "norm2", "flatten"):
        for one in maximise(colour, layer, [0, 1], steps=8, seed=0):
            assert one.pixels.shape == (3, 10, 12)
            assert np.isfinite(one.reached)


def test_attributions_are_what_their_definitions_say(run: Run) -> None:
    found = {one.method: one for one in attributions(run, DIGIT, 2)}
    assert list(found) == ["gradient", "integrated-gradients", "grad-cam", "occlusion", "random"]
    p = run.preprocessing
    picture = inputs_from(DIGIT[None], p.scaling, (8, 8), torch.device("cpu")).contiguous().requires_grad_()
    black = inputs_from(np.zeros_like(DIGIT)[None], p.scaling, (8, 8), torch.device("cpu"))
    (gradient,) = torch.autograd.grad(run.model(picture)[0, 2], picture)
    np.testing.assert_allclose(found["gradient"].values, gradient[0].sum(dim=0), atol=1e-4)
    with torch.inference_mode():
        fall = float(run.model(picture)[0, 2] - run.model(black)[0, 2])
    # Completeness: integrated gradients add up to what the picture adds over black.
    assert found["integrated-gradients"].values.sum() == pytest.approx(fall, rel=0.1, abs=0.05)
    for one in found.values():
        assert 0 <= one.infidelity <= 1.01
        assert one.sensitivity >= 0
    assert found["random"].sensitivity == 0
    assert 0 < found["occlusion"].sensitivity < 1


def test_a_linear_net_is_foretold_exactly() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(128, 3))
    picture, black = torch.randn(1, 2, 8, 8), torch.full((1, 2, 8, 8), -1.0)
    weight = net[1].weight[1].view(1, 2, 8, 8).detach()
    exact, noise = weight * (picture - black), torch.randn(1, 2, 8, 8)
    assert infidelity_of(net, exact, picture, black, 1) == pytest.approx(0, abs=1e-6)
    assert infidelity_of(net, 7 * exact, picture, black, 1) == pytest.approx(0, abs=1e-6)
    assert infidelity_of(net, noise, picture, black, 1) > 0.1


def test_the_layer_of_grad_cam(run: Run, colour: Run) -> None:
    assert grad_cam_layer(run) == "act2"
    layer = grad_cam_layer(colour)
    assert isinstance(colour.model.get_submodule(layer or ""), nn.Conv2d | nn.ReLU | nn.GELU)


def test_every_sheet_of_a_colour_net(colour: Run) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (3, 10, 12), dtype=np.uint8)
    for view in ("saliency", "translation:reach=1", "activation-maximisation:steps=3"):
        assert colour.show(view, picture).to_dict()["chart"] == "sheet"


def test_nets_without_convolutions_have_all_but_filters(tmp_path: Path) -> None:
    run = cs.train("digits", "dense-800", epochs=1, out=tmp_path / "run")
    methods = [one["method"] for one in run.show("saliency", DIGIT).to_dict()["methods"]]
    assert methods == ["gradient", "integrated-gradients", "occlusion", "random"]
    told = run.show("probes:images=200").to_dict()
    assert [one["layer"] for one in told["probes"]] == ["input", "act1", "output"]
    assert told["exciting"] == []
    assert run.show("translation:reach=1", DIGIT).to_dict()["layers"][0]["equivariance"] is None
    run.show("activation-maximisation:layer=act1,steps=2")
    run.show("errors")


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("saliency:target=10", "no class number 10"),
        ("saliency:target=-2", "target may be"),
        ("activation-maximisation:layer=conv9", "has no layer 'conv9'"),
        ("activation-maximisation:unit=10", r"no unit (10)"),
        ("activation-maximisation:steps=0", "steps may be"),
        ("probes:layer=pool1", "pool1 is no convolution"),
        ("translation:reach=0", "reach may be"),
    ],
)
def test_wrong_requests(run: Run, view: str, words: str) -> None:
    with using_language("en"), pytest.raises(RequestError) as caught:
        run.show(view, DIGIT)
    assert words in str(caught.value)


def test_looks_at_the_same_time_hear_only_their_own_picture(run: Run) -> None:
    """The page looks at pictures while its views work; each puts hooks on a copy of the net."""
    images = run.load_data().test.images
    alone = [look(run, run.layers, picture) for picture in images[:8]]
    with ThreadPoolExecutor(4) as threads:
        beside = threads.submit(lambda: [excited(run, banks_of(run.model, run.layers), images, 3) for _ in range(3)])
        again = list(threads.map(lambda picture: look(run, run.layers, picture), list(images[:8]) * 6))
        beside.result()
    for at, found in enumerate(again):
        assert np.allclose(found.probabilities, alone[at % 8].probabilities, atol=1e-6)
        for name, maps in found.outputs.items():
            assert np.allclose(maps, alone[at % 8].outputs[name], atol=1e-5), name
    assert not any(module._forward_hooks for module in run.model.modules())
