from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss

import convoscope as cs
from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, using_language
from convoscope.data.batches import Scaling
from convoscope.data.types import Images
from convoscope.runs.comparison import compare
from convoscope.runs.evaluation import check_views, evaluating, predict_logits, score, wilson_interval


@given(st.integers(1, 100_000), st.data())
def test_the_interval_is_wilsons(count: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, count))
    low, high = wilson_interval(wrong, count)
    known = binomtest(wrong, count).proportion_ci(0.95, method="wilson")
    assert low == pytest.approx(known.low, abs=1e-7)
    assert high == pytest.approx(known.high, abs=1e-7)
    assert 0 <= low <= wrong / count <= high <= 1


def test_no_error_seen_is_not_no_error() -> None:
    low, high = wilson_interval(0, 1000)
    assert low == 0
    assert high == pytest.approx(0.0038269, abs=1e-6)


@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 2**31))
def test_scores_are_those_of_scikit_learn(classes: int, count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = torch.from_numpy(generator.normal(size=(count, classes)))
    labels = generator.integers(0, classes, count)
    names = tuple(f"class {at}" for at in range(classes))
    found = score(logits, labels, names)
    guesses = logits.argmax(dim=1).numpy()
    assert found["confusion"] == confusion_matrix(labels, guesses, labels=range(classes)).tolist()
    assert found["errors"] == int((guesses != labels).sum())
    assert found["error"] == found["errors"] / count
    assert found["count"] == count
    known = log_loss(labels, logits.softmax(dim=1).numpy(), labels=range(classes))
    assert found["loss"] == pytest.approx(known, rel=1e-6)
    for at, row in enumerate(found["per_class"]):
        assert row["class"] == names[at]
        assert row["count"] == int((labels == at).sum())
        assert row["errors"] == int(((labels == at) & (guesses != at)).sum())


@pytest.mark.parametrize("views", ["none", "flip", "shift", "flip-shift", "turn"])
def test_views_are_averaged_as_by_hand_and_named(run: Run, views: str) -> None:
    test = cs.load("digits").test
    scaling = run.preprocessing.scaling
    inputs = (torch.from_numpy(test.images).float() / 255 - scaling.mean[0]) / scaling.std[0]
    padded = torch.nn.functional.pad(inputs, (1, 1, 1, 1), mode="reflect")
    up, down = padded[:, :, :8, :8], padded[:, :, 2:, 2:]
    seen = {"none": [(1, inputs)], "flip": [(0.5, inputs), (0.5, inputs.flip(-1))]}
    seen["shift"] = [(0.5, inputs), (0.25, up), (0.25, down)]
    seen["flip-shift"] = [(weight / 2, each) for weight, view in seen["shift"] for each in (view, view.flip(-1))]
    seen["turn"] = [(1 / 3, turned(inputs, degrees)) for degrees in (-8, 0, 8)]
    with torch.no_grad():
        by_hand = sum(weight * run.model(view) for weight, view in seen[views])
    torch.testing.assert_close(run.logits(test.images, check_views(views)), by_hand, atol=1e-3, rtol=1e-3)
    result = run.evaluate(test_time_augmentation=views)
    assert result["test_time_augmentation"] == views
    assert result["test_errors"] == int((by_hand.argmax(dim=1).numpy() != test.labels).sum())


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_a_picture_of_any_sides_is_turned_as_scipy_turns_it(height: int, width: int, seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    scaling = Scaling((0.0,) * 3, (1.0,) * 3)
    seen = predict_logits(lambda view: view.flatten(1), images, scaling, (height, width), torch.device("cpu"), "turn")
    inputs = torch.from_numpy(images).float() / 255
    by_hand = sum(turned(inputs, degrees) for degrees in (-8, 0, 8)) / 3
    torch.testing.assert_close(seen, by_hand.flatten(1), atol=1e-5, rtol=1e-5)


def turned(inputs: torch.Tensor, degrees: float) -> torch.Tensor:
    """(B, C, H, W), turned about the middle by SciPy, its border's values around it."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    middle = (np.array(inputs.shape[-2:]) - 1) / 2
    planes = inputs.flatten(0, 1).numpy()
    found = [affine_transform(plane, turn, middle - turn @ middle, order=1, mode="nearest") for plane in planes]
    return torch.from_numpy(np.stack(found)).view_as(inputs)


def test_unknown_views_are_refused_with_the_nearest(run: Run) -> None:
    with using_language("en"), pytest.raises(RequestError, match="augmentation 'flop'; did you mean 'flip'"):
        run.evaluate(test_time_augmentation="flop")


def test_data_without_test_pictures_are_refused(run: Run) -> None:
    data = run.load_data()
    empty = dataclasses.replace(data, test=Images(data.test.images[:0], data.test.labels[:0]))
    with using_language("en"), pytest.raises(RequestError, match="has no test pictures"):
        run.evaluate(empty)


def test_pictures_that_a_run_has_learned_from_are_no_test(copy: Path) -> None:
    config = json.loads((copy / "run.json").read_text())
    config["data"]["name"] = "mnist"
    (copy / "run.json").write_text(json.dumps(config))
    run, digits = Run(copy), cs.load("mnist-5k")
    for language in LANGUAGES:
        with using_language(language), pytest.raises(RequestError) as refused:
            run.evaluate("mnist-5k")
        assert refused.value.key == "runs.seen_in_training"
        assert "mnist-5k" in str(refused.value)
    with pytest.raises(RequestError, match="mnist-5k"):
        compare(run, run, digits)
    run.check_test(dataclasses.replace(digits, name="mnist"))


def test_many_pictures_are_judged_in_parts() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1203, 1, 4, 4), dtype=np.uint8)
    scaling = Scaling((0.0,), (1.0,))
    logits = predict_logits(lambda inputs: inputs.flatten(1), images, scaling, (4, 4), torch.device("cpu"))
    np.testing.assert_allclose(logits, images.reshape(1203, 16) / 255, atol=1e-6)


@pytest.mark.parametrize(("side", "most"), [(28, 500), (64, 500), (192, 55), (4000, 1)])
def test_large_pictures_are_judged_a_few_at_a_time(side: int, most: int) -> None:
    seen = []

    def model(inputs: torch.Tensor) -> torch.Tensor:
        seen.append(len(inputs))
        return inputs[:, :2, 0, 0]

    scaling = Scaling((0.0,) * 3, (1.0,) * 3)
    images = np.zeros((2 if side == 4000 else 600, 3, 8, 8), np.uint8)
    logits = predict_logits(model, images, scaling, (side, side), torch.device("cpu"))
    assert len(logits) == sum(seen) == len(images)
    assert max(seen) == most


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_a_network_is_given_back(training: bool) -> None:
    model = torch.nn.Dropout().train(training)
    with evaluating(model):
        assert not model.training
    assert model.training is training
