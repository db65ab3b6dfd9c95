from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convoscope.core.messages import using_language
from convoscope.runs.pictures import draw_confusion, draw_curves


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG"
        assert np.asarray(image.convert("L")).std() > 3  # something is drawn
        return image


def line(epoch: int, **more: float) -> dict[str, float]:
    return {"epoch": epoch, "train_loss": 1 / epoch, **more}


def test_a_run_has_both(trained: Path) -> None:
    assert opened(trained / "curves.png").size == (1050, 450)
    assert opened(trained / "confusion.png").size == (810, 810)


@pytest.mark.parametrize("epochs", [1, 2, 40])
@pytest.mark.parametrize("validated", [True, False])
def test_curves(tmp_path: Path, epochs: int, validated: bool) -> None:
    more = {"validation_loss": 0.5, "validation_error": 0.1} if validated else {}
    draw_curves(tmp_path / "curves.png", [line(epoch, **more) for epoch in range(1, epochs + 1)])
    opened(tmp_path / "curves.png")


def test_words_are_in_the_language_in_use(tmp_path: Path) -> None:
    for code in ("en", "es"):
        with using_language(code):
            draw_curves(tmp_path / f"{code}.png", [line(1), line(2)])
    assert (tmp_path / "en.png").read_bytes() != (tmp_path / "es.png").read_bytes()


@pytest.mark.parametrize("count", [2, 10, 31, 200])
def test_confusion_of_any_number_of_classes(tmp_path: Path, count: int) -> None:
    confusion = np.eye(count, dtype=int) * 9 + 1
    draw_confusion(tmp_path / "confusion.png", confusion.tolist(), [str(at) for at in range(count)])
    side = opened(tmp_path / "confusion.png").size[0]
    assert 480 <= side <= 2100


def test_class_names_of_any_kind(tmp_path: Path) -> None:
    """No formula is read into them, and neither a missing letter nor a long name spoils the picture or warns."""
    names = ["$a_{b$", r"$\nonsense$", "猫", "مرحبا", "x" * 300, os.fsdecode(b"\xff"), "🐈", "two\nlines", "", " "]
    draw_confusion(tmp_path / "confusion.png", [[1] * 10] * 10, names)
    opened(tmp_path / "confusion.png")


def test_a_confusion_without_errors_or_pictures(tmp_path: Path) -> None:
    draw_confusion(tmp_path / "confusion.png", [[0, 0], [0, 0]], ["a", "b"])
    opened(tmp_path / "confusion.png")
