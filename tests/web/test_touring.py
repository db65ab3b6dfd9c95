"""Lessons as the page opens them: all that the steps name is there, and nothing lies outside the lesson's folder."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.lessons.tour_file import find, read, shipped
from convoscope.runs.run import Run
from convoscope.web.network import Network
from convoscope.web.touring import Lessons, OpenTour

HEAD = "languages: [en]\ntitle: T\nsteps:\n  - name: one\n    heading: H\n    text: X\n"


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    def open_it(rest: str) -> OpenTour:
        path = tmp_path / "lesson" / "it.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + rest, "utf-8")
        return OpenTour(read(path))

    return open_it


def picture(path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (9, 6), "red").save(file, "PNG")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(file.getvalue())


@pytest.mark.parametrize("name", shipped())
def test_every_step_of_every_shipped_lesson_resolves(name: str) -> None:
    tour = OpenTour(find(name))
    tour.check()
    for step in tour.file.tour.steps:
        network = tour.network(step)
        if network is not None:
            assert network.samples is not None
            assert network.look(network.fitted(network.samples.images[0])).probabilities.sum() == pytest.approx(1)


def test_pictures_of_data_sets_and_beside_the_lesson(opened: Any, tmp_path: Path) -> None:
    tour = opened("    image: mnist-5k:12\n")
    assert tour.picture(tour.file.tour.steps[0]).shape == (1, 28, 28)
    picture(tmp_path / "lesson" / "red.png")
    tour = opened("    image: red.png\n    bench: {kernel: sharpen}\n")
    tour.check()
    assert tour.picture(tour.file.tour.steps[0]).shape == (3, 6, 9)
    tour = opened("    image: drawing\n    bench: {kernel: sharpen, at: [90, 90]}\n")
    tour.check()
    assert tour.picture(tour.file.tour.steps[0]) is None


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        (
            "    image: nothing\n",
            "line 7, step “one”, image: there is no picture 'nothing'; allowed are a built-in picture",
        ),
        ("    image: ../secret.png\n", "'../secret.png' lies outside the lesson's folder"),
        ("    image: link.png\n", "'link.png' lies outside the lesson's folder"),
        ("    image: /etc/hostname\n", "'/etc/hostname' lies outside"),
        ("    image: it.yaml\n", "The file is no picture that can be read"),
        ('    image: "a\\0b"\n', "outside"),
        ("    image: mnist-5k:99999\n", "mnist-5k"),
        ("    image: cross-5\n    bench: {kernel: gaussian-5, dilation: 2}\n", "line 8, step “one”, bench:"),
        ("    image: cross-5\n    bench: {kernel: cross, at: [3, 0]}\n", "the output has 3 rows and 3 columns"),
        ("    image: cross-5\n    bench: {kernel: cross, pool: max, size: 4}\n", "step “one”, bench:"),
        ("    network: {model: lenet6}\n", "line 7, step “one”, network: "),
        ("    network: {model: typical, input: 1x4x4}\n", "line 7, step “one”, network: "),
        ("    network: {model: lenet5, layer: conv9}\n", "the network has no layer 'conv9'; there are: c1, act1"),
        ("    network: {model: 'dense-6', input: 3x900x900}\n", "more than the 20000000 that a step shows"),
        ("    network: {run: ../elsewhere}\n", "outside the lesson's folder"),
        ("    network: {run: nothing}\n", "line 7, step “one”, network: "),
        ("    league: [knn, lenet55]\n", "line 7, step “one”, league: There is no row of the league 'lenet55'"),
    ],
)
def test_what_is_missing_is_told_with_its_place(opened: Any, tmp_path: Path, rest: str, sentence: str) -> None:
    picture(tmp_path / "secret.png")
    (tmp_path / "lesson").mkdir(exist_ok=True)
    os.symlink(tmp_path / "secret.png", tmp_path / "lesson" / "link.png")
    with using_language("en"), pytest.raises(RequestError) as raised:
        opened(rest).check()
    assert sentence in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "lesson" / "it.yaml"))
    assert len(str(raised.value).splitlines()) == 1


def test_a_run_beside_the_lesson_is_looked_into(opened: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "lesson").mkdir()
    (tmp_path / "lesson" / "mine").mkdir()
    for file in run.path.iterdir():
        if file.is_file():
            (tmp_path / "lesson" / "mine" / file.name).write_bytes(file.read_bytes())
    tour = opened("    network: {run: mine, layer: c1}\n")
    tour.check()
    network = tour.network(tour.file.tour.steps[0])
    assert torch.equal(network.run.model.c1.weight, run.model.c1.weight)


def test_pictures_of_a_folder_elsewhere_are_not_shown(opened: Any, tmp_path: Path) -> None:
    """A run in a stranger's lesson may say that it was trained on any folder of this computer."""
    for at, label in enumerate("ab"):
        (tmp_path / "private" / label).mkdir(parents=True)
        for number in range(12):
            noise = np.random.default_rng(12 * at + number).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "private" / label / f"{number}.png")
    trained = tmp_path / "lesson" / "mine"
    cs.train(tmp_path / "private", "convnet:widths=4", epochs=1, out=trained)
    shown = opened("    network: {run: mine}\n")
    network = shown.network(shown.file.tour.steps[0])
    assert network.samples is None
    assert Network(network.run).samples is not None  # as the run that is served, it shows them
    (tmp_path / "private" / "a").rename(tmp_path / "private" / "c")
    assert Network(network.run).samples is None  # they have other labels now than those that the run knows


def test_an_untrained_network_is_the_same_each_time_and_leaves_the_dice_alone() -> None:
    before = torch.random.get_rng_state()
    tour = find("cnn")
    step = tour.tour.step("filters")
    first, again = (OpenTour(tour).network(step) for _ in range(2))
    assert first is not None
    assert again is not None
    assert torch.equal(first.run.model.conv1.weight, again.run.model.conv1.weight)
    assert first.run.metrics is None
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_given_lesson_comes_first_and_may_take_a_shipped_ones_place(opened: Any) -> None:
    given = opened("    image: cross-5\n")
    assert Lessons(given).names == ["it", *shipped()]
    assert Lessons(given).get("it") is given
    with pytest.raises(RequestError, match="nothing"):
        Lessons().get("nothing")
