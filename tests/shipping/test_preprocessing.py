"""The picture's way to the network, as a graph: the very pixels that the run would see."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import checker

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.batches import Scaling
from convoscope.data.decode import fit
from convoscope.runs.run import Preprocessing
from convoscope.shipping.preprocessing import preprocessing_graph

FORMS = [(1, 28, 28), (3, 32, 32), (3, 48, 20), (1, 20, 47), (1, 8, 8)]


@cache
def session(channels: int, height: int, width: int) -> onnxruntime.InferenceSession:
    """The graph without scaling: it gives the pixels themselves."""
    scaling = Scaling((0.0,) * channels, (1 / 255,) * channels)
    model = preprocessing_graph(Preprocessing(channels, height, width, scaling))
    checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def pixels_of(form: tuple[int, int, int], pictures: np.ndarray) -> np.ndarray:
    """(N, C, H, W) to what reaches the network."""
    upright = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
    return session(*form).run(None, {"images": upright})[0]


@given(
    form=st.sampled_from(FORMS),
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    colours=st.integers(1, 4),
    levels=st.sampled_from([2, 256]),
    seed=st.integers(0, 2**32 - 1),
)
def test_pictures_of_any_size_reach_the_network_as_the_run_fits_them(form, height, width, colours, levels, seed):
    noise = np.random.default_rng(seed).integers(0, levels, (1, colours, height, width), dtype=np.uint8)
    picture = noise * (255 // (levels - 1))
    expected = fit(picture[0], channels=form[0], size=form[1:])
    np.testing.assert_array_equal(np.rint(pixels_of(form, picture)[0]), expected)


@pytest.mark.parametrize("form", FORMS)
def test_transparency_is_left_out(form):
    picture = np.random.default_rng(0).integers(0, 256, (1, 4, 90, 70), dtype=np.uint8)
    np.testing.assert_array_equal(pixels_of(form, picture), pixels_of(form, picture[:, :3]))
    np.testing.assert_array_equal(pixels_of(form, picture[:, :2]), pixels_of(form, picture[:, :1]))


def test_a_batch_is_its_pictures():
    pictures = np.random.default_rng(1).integers(0, 256, (5, 3, 61, 40), dtype=np.uint8)
    together = pixels_of((3, 32, 32), pictures)
    alone = [pixels_of((3, 32, 32), picture[None])[0] for picture in pictures]
    np.testing.assert_array_equal(together, alone)


def test_scaling_is_the_runs():
    scaling = Scaling((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616))
    model = preprocessing_graph(Preprocessing(3, 8, 8, scaling))
    runner = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(2).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    found = runner.run(None, {"images": picture})[0]
    expected = (picture.transpose(0, 3, 1, 2) / 255 - np.reshape(scaling.mean, (1, 3, 1, 1))) / np.reshape(
        scaling.std, (1, 3, 1, 1)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 4])
def test_only_grey_and_colour_can_be_shipped(channels):
    scaling = Scaling((0.5,) * channels, (0.5,) * channels)
    with using_language("en"), pytest.raises(RequestError, match=f"pictures of {channels} channels"):
        preprocessing_graph(Preprocessing(channels, 8, 8, scaling))
