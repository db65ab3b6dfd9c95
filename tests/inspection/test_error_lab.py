"""The error lab's arithmetic against plain ways to work it out, and its figures on a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss

import convoscope as cs
from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.inspection.calibration import calibration, fit_temperature, log_probabilities
from convoscope.inspection.error_lab import error_lab
from convoscope.inspection.label_errors import cross_validated, suspects


def drawn(seed: int, count: int = 400, classes: int = 4, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are true times `sharpness`, and labels drawn from the true probabilities."""
    draw = np.random.default_rng(seed)
    true = draw.normal(0, 2, (count, classes))
    shares = np.exp(log_probabilities(true))
    labels = np.array([draw.choice(classes, p=row) for row in shares])
    return true * sharpness, labels


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), temperature=st.floats(0.2, 5), bins=st.integers(1, 20))
def test_calibration_is_what_its_definition_says(seed: int, temperature: float, bins: int) -> None:
    logits, labels = drawn(seed, 60)
    found = calibration(logits, labels, temperature, bins)
    shares = np.exp(log_probabilities(logits / temperature))
    assert found.nll == pytest.approx(log_loss(labels, shares, labels=range(4)), rel=1e-6)
    total = 0.0
    for low in range(bins):
        sure = shares.max(axis=1)
        inside = np.minimum((sure * bins).astype(int), bins - 1) == low
        if inside.any():
            right = (shares.argmax(axis=1) == labels)[inside].mean()
            total += inside.sum() / 60 * abs(right - sure[inside].mean())
    assert found.ece == pytest.approx(total, abs=1e-9)
    assert found.counts.sum() == 60


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_a_net_too_sure(sharpness: float) -> None:
    logits, labels = drawn(1, 6000, sharpness=sharpness)
    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.08)
    before, after = calibration(logits, labels), calibration(logits, labels, sharpness)
    assert after.nll <= before.nll + 1e-9


def test_swapped_labels_are_suspected() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, 600)
    features = draw.normal(0, 1, (600, 5)) + 4 * np.eye(3, 5)[truth]
    labels = truth.copy()
    wrong = draw.choice(600, 20, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 3
    found = suspects(cross_validated(features, labels, 3), labels)
    assert [one.margin for one in found] == sorted(one.margin for one in found)
    first = {one.row for one in found[:20]}
    assert len(first & set(wrong.tolist())) >= 18
    assert all(one.guess == truth[one.row] for one in found[:18])


def test_the_discriminant_is_scikit_learns() -> None:
    draw = np.random.default_rng(2)
    labels = draw.integers(0, 3, 200)
    features = draw.normal(0, 1, (200, 4)) + np.eye(3, 4)[labels]
    found = cross_validated(features, labels, 3, seed=5)
    folds = np.random.default_rng(5).permutation(200) % 5
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    for fold in range(5):
        known = LinearDiscriminantAnalysis(solver="lsqr").fit(scaled[folds != fold], labels[folds != fold])
        np.testing.assert_allclose(found[folds == fold], known.predict_proba(scaled[folds == fold]), atol=0.01)


@pytest.mark.parametrize("judged", ["validation", "features"])
def test_the_lab_counts_what_the_run_counts(run: Run, judged: str) -> None:
    told = run.show(f"errors:labels={judged}").to_dict()
    result = run.evaluate()
    assert told["error"] == result["test_error"]
    assert told["confusion"] == result["confusion"]
    assert told["labels"]["judged_by"] == judged
    losses = [one["loss"] for one in told["top_losses"]]
    assert losses == sorted(losses, reverse=True)
    assert all(one["label"] != one["prediction"] for one in told["confident_mistakes"])
    data = run.load_data()
    kept = run.config["data"]["validation_images"]
    assert told["labels"]["judged"] == (kept if judged == "validation" else len(data.train))


def test_without_validation_pictures_no_temperature_is_fitted(tmp_path: Path) -> None:
    run = cs.train("digits", "typical:blocks=1,width=2", "plain:validation=0", epochs=1, out=tmp_path / "run")
    lab = error_lab(run, run.load_data(), "validation", 500)
    assert (lab.temperature, lab.after, lab.judged) == (None, None, "features")
    assert 0 < len(lab.rows) <= 500


def test_two_runs_side_by_side(run: Run) -> None:
    told = run.show(f"compare:before={run.path.name}").to_dict()
    assert (told["mended"], told["broken"], told["p_value"]) == (0, 0, 1)
    with using_language("en"), pytest.raises(RequestError, match="with which run"):
        run.show("compare")
    with using_language("en"), pytest.raises(RequestError, match="nowhere"):
        run.show("compare:before=nowhere")
