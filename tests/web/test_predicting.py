"""Batching: every request gets its own answer, late and broken ones too."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.runs.run import Run
from convoscope.shipping.classifier import Classifier
from convoscope.web import predicting
from convoscope.web.predicting import Predictor


@pytest.mark.parametrize("inline", [0.0, 1e9])
def test_what_is_asked_together_is_answered_apart(
    run: Run, classifier: Classifier, inline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "INLINE_SECONDS", inline)
    images = cs.load("mnist-5k").test.images[:150]
    sizes = [1, 2, 40, 1, 5, 100, 1]
    starts = np.cumsum([0, *sizes])

    async def ask() -> list[np.ndarray]:
        predictor = Predictor(lambda: classifier)
        parts = [list(images[start : start + size]) for start, size in zip(starts, sizes, strict=False)]
        return await asyncio.gather(*(predictor.predict(part) for part in parts))

    found = np.concatenate(asyncio.run(ask()))
    expected = run.logits(images).softmax(dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_more_than_may_wait_is_refused(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "MOST_WAITING", 3)
    images = list(cs.load("mnist-5k").test.images[:4])

    async def ask() -> list[object]:
        predictor = Predictor(lambda: classifier)
        await predictor.classifier()
        return await asyncio.gather(*(predictor.predict(images[:count]) for count in (2, 2, 1)), return_exceptions=True)

    one, two, three = asyncio.run(ask())
    assert isinstance(two, RequestError)
    assert two.key == "web.predict_full"
    assert (one.shape, three.shape) == ((2, 10), (1, 10))


def test_what_takes_too_long_is_told(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "INLINE_SECONDS", 0.0)
    images = list(cs.load("mnist-5k").test.images[:1000])

    async def ask() -> None:
        predictor = Predictor(lambda: classifier)
        await predictor.classifier()
        monkeypatch.setattr(predicting, "MOST_SECONDS", 0.0)
        with pytest.raises(RequestError) as late:
            await predictor.predict(images)
        assert late.value.key == "web.predict_late"
        monkeypatch.setattr(predicting, "MOST_SECONDS", 60.0)
        assert (await predictor.predict(images[:1])).shape == (1, 10)  # it goes on

    asyncio.run(ask())


def test_a_classifier_that_can_not_be_made_is_told_each_time() -> None:
    def fails() -> None:
        raise RequestError("shipping.foreign", file="it.onnx")

    async def ask() -> None:
        predictor = Predictor(fails)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(RequestError, match=r"it\.onnx"):
                await predictor.predict([np.zeros((1, 28, 28), np.uint8)])
        assert predictor.state == "failed"

    asyncio.run(ask())
