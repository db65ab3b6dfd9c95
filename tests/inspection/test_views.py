"""Views of a run: each member of the registry keeps the contract, and the numbers are PyTorch's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import convoscope as cs
from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.batches import inputs_from
from convoscope.inspection import Shown
from convoscope.runs.views import registry

ASKED = {"compare": "compare:before=run"}
"""Views that can't be asked for by their name alone."""
PICTURE = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


@pytest.mark.parametrize("name", list(registry))
def test_every_view_keeps_the_contract(run: Run, tmp_path: Path, name: str) -> None:
    shown = run.show(ASKED.get(name, name), PICTURE)
    told = shown.to_dict()
    json.dumps(told, allow_nan=False)
    assert told["view"] == name
    assert told["chart"] in ("maps", "kernels", "sheet")
    for layer in told["layers"] if told["chart"] != "sheet" else ():
        values = np.array(layer["values"])
        assert list(values.shape) == layer["shape"]
        assert (values.min(), values.max()) == (layer["min"], layer["max"])
        assert layer["name"] in str(shown)
    texts = []
    for language in ("en", "es"):
        with using_language(language):
            texts.append(str(shown))
    assert texts[0] != texts[1]
    with Image.open(shown.save(tmp_path / "view.png")) as picture:
        assert picture.format == "PNG"
    assert shown.save(tmp_path / "view.html").read_text("utf-8").startswith("<!doctype html>")
    bundle = shown._repr_mimebundle_()  # type: ignore[attr-defined]
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(bundle)
    assert bundle["text/html"].startswith("<img")


def test_feature_maps_are_what_pytorch_computes(run: Run) -> None:
    shown = run.show("feature-maps", PICTURE)
    assert isinstance(shown, Shown)
    p = run.preprocessing
    inputs = inputs_from(PICTURE[None, None], p.scaling, (8, 8), torch.device("cpu"))
    first = shown.panels[0]
    with torch.inference_mode():
        expected = run.model.get_submodule(first.layer.name)(inputs)[0].numpy()
        logits = run.model(inputs)[0]
    np.testing.assert_allclose(first.values, expected, rtol=1e-6)
    np.testing.assert_allclose(shown.panels[-1].values, logits.numpy(), rtol=1e-6)
    assert shown.likeliest is not None
    assert shown.likeliest[0] == run.classes[int(logits.argmax())]
    assert [panel.layer.name for panel in shown.panels] == [layer.name for layer in run.layers]


def test_filters_are_the_weights(run: Run) -> None:
    shown = run.show("filters")
    assert isinstance(shown, Shown)
    for panel in shown.panels:
        weights = run.model.get_submodule(panel.layer.name).weight
        assert isinstance(weights, torch.Tensor)
        np.testing.assert_array_equal(panel.values, weights.detach().numpy())


def test_without_a_picture_it_is_the_first_of_the_test_set(run: Run) -> None:
    test = cs.load("digits").test
    told, given = run.show("feature-maps").to_dict(), run.show("feature-maps", test.images[0]).to_dict()
    assert told["layers"] == given["layers"]
    assert told["label"] == run.classes[int(test.labels[0])]
    assert given["label"] is None
    with using_language("en"):
        assert str(run.show("feature-maps")).startswith(f"Test picture 0, {told['label']}: the network says ")
        assert str(run.show("feature-maps", test.images[0])).startswith("The network says ")


def test_picture_files_and_any_size(run: Run, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).resize((20, 12)).save(tmp_path / "one.png")
    assert run.show("feature-maps", tmp_path / "one.png").to_dict()["layers"]


def test_zeros_and_dead_maps_are_counted(run: Run) -> None:
    with torch.no_grad():
        weights = run.model.get_submodule(run.show("filters").to_dict()["layers"][0]["name"]).weight
        assert isinstance(weights, torch.Tensor)
        weights[1] = 0
    layer = run.show("filters").to_dict()["layers"][0]
    assert layer["dead"] == 1
    assert layer["zeros"] == pytest.approx(1 / len(weights))
    assert f"1 / {len(weights)}" in str(run.show("filters"))


@pytest.mark.parametrize(
    ("view", "image", "words"),
    [
        ("feature-mps", PICTURE, "did you mean 'feature-maps'"),
        ("feature-maps", np.zeros((2, 1, 8, 8), np.uint8), "one picture, and 2 arrived"),
        ("feature-maps", np.zeros((8, 8, 3), np.uint8), "Images must be"),
        ("feature-maps", np.zeros((8, 8)), "Images must be"),
        ("feature-maps", "nowhere.png", "nowhere.png"),
    ],
)
def test_wrong_requests(run: Run, view: str, image: object, words: str) -> None:
    with using_language("en"), pytest.raises(RequestError) as caught:
        run.show(view, image)  # type: ignore[arg-type]
    assert words in str(caught.value)


@pytest.mark.parametrize(("file", "words"), [("view.jpg", ".html or .png"), ("no/such/view.png", "can't be written")])
def test_files_that_cannot_be_written(run: Run, tmp_path: Path, file: str, words: str) -> None:
    with using_language("en"), pytest.raises(RequestError, match=words):
        run.show("filters").save(tmp_path / file)


def test_a_network_without_convolutions_has_no_filters(tmp_path: Path) -> None:
    run = cs.train("digits", "dense-800", epochs=1, out=tmp_path / "run")
    with using_language("en"), pytest.raises(RequestError, match="has no convolution"):
        run.show("filters")
    assert run.show("feature-maps", PICTURE).save(tmp_path / "view.png").exists()


@pytest.mark.parametrize("view", list(registry))
def test_weights_that_are_no_numbers_are_told_by_whoever_looks_at_them(run: Run, tmp_path: Path, view: str) -> None:
    shutil.copytree(run.path, tmp_path / "run")
    damaged = Run(tmp_path / "run")
    weights = load_file(damaged.folder.weights_file)
    save_file(
        {name: torch.full_like(each, float("nan")) for name, each in weights.items()}, damaged.folder.weights_file
    )
    told = None
    try:
        damaged.show(ASKED.get(view, view), PICTURE)
    except RequestError as error:
        told = error.key
    looked = "model" in vars(damaged)
    assert told == "runs.damaged" or (told is None and not looked)
