"""Corrected labels: the CSV beside the data, and what `load` and `train` make of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.corrections import (
    Correction,
    corrections_file,
    picture_names,
    read_corrections,
    write_corrections,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own: what is corrected here is corrected nowhere else."""
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path, cache: Path) -> Path:
    draw = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(8):
            pixels = draw.integers(0, 256, (9, 9), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{number}.png")
    return tmp_path / "pets"


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "labels.csv"
    corrections = {'a "b", c/1.png': Correction("cat", "dog"), "x": Correction("dog", None)}
    write_corrections(file, corrections)
    assert read_corrections(file) == corrections
    write_corrections(file, {})
    assert not file.exists()
    assert read_corrections(file) == {}


def test_a_file_that_can_not_be_removed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.mkdir()
    with pytest.raises(RequestError, match=r"labels\.csv") as told:
        write_corrections(file, {})
    assert told.value.key == "core.not_writable"


def test_pictures_whose_names_are_no_text_are_named_by_their_pixels(folder: Path) -> None:
    try:
        for number in range(8):
            (folder / "cat" / f"{number}.png").rename(folder / "cat" / os.fsdecode(b"ni\xf1o-%d.png" % number))
    except OSError:
        pytest.skip("this system holds no such names")
    train = cs.load(folder).train
    names = picture_names(train)
    assert all(name.isascii() for name in names)
    moved = next(name for name, label in zip(names, train.labels, strict=True) if label == 0)
    write_corrections(corrections_file(folder), {moved: Correction("cat", "dog")})
    assert cs.load(folder).corrections == 1


def test_a_folder_is_corrected_and_its_pictures_are_not_touched(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    plain = cs.load(folder)
    moved, dropped = plain.train.files[0], plain.train.files[-1]
    file = corrections_file(folder)
    assert file == folder / "convoscope-labels.csv"
    write_corrections(file, {moved: Correction("cat", "dog"), dropped: Correction("dog", None)})
    found = cs.load(folder)
    assert found.corrections == 2
    assert found.fingerprint != plain.fingerprint
    assert found.train.files == plain.train.files[:-1]
    assert found.train.labels.tolist() == [1, *plain.train.labels[1:-1].tolist()]
    np.testing.assert_array_equal(found.train.images, plain.train.images[:-1])
    np.testing.assert_array_equal(found.test.labels, plain.test.labels)
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
    write_corrections(file, {})
    assert cs.load(folder).fingerprint == plain.fingerprint


def test_test_pictures_are_never_corrected(folder: Path) -> None:
    plain = cs.load(folder)
    write_corrections(corrections_file(folder), {plain.test.files[0]: Correction("cat", "dog")})
    assert cs.load(folder).fingerprint == plain.fingerprint


def test_a_named_set_is_corrected_by_its_pixels_whatever_the_split(cache: Path) -> None:
    plain = cs.load("digits")
    name = picture_names(plain.train)[3]
    was = plain.classes[plain.train.labels[3]]
    write_corrections(corrections_file("digits"), {name: Correction(was, None)})
    assert corrections_file("digits").is_relative_to(cache)
    found = cs.load("digits")
    assert len(found.train) == len(plain.train) - 1
    assert str(corrections_file("digits")) in found.source


def test_training_says_so_and_older_runs_find_their_data(folder: Path, tmp_path: Path) -> None:
    old = cs.train(folder, "typical:blocks=1,width=2", epochs=1, out=tmp_path / "old")
    write_corrections(corrections_file(folder), {cs.load(folder).train.files[0]: Correction("cat", "dog")})
    notes: list[str] = []

    from convoscope.training.progress import Listener

    class Hearing(Listener):
        def on_note(self, text: str) -> None:
            notes.append(text)

    new = cs.train(folder, "typical:blocks=1,width=2", epochs=1, out=tmp_path / "new", listener=Hearing())
    assert "1 " in notes[0]
    assert "convoscope-labels.csv" in notes[0]
    assert old.load_data().corrections == 0
    assert new.load_data().corrections == 1
    assert cs.Run(old.path).evaluate()["test_count"] == new.evaluate()["test_count"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["rubbish"], "Line 1"),
        (["picture,was,label", "cat/0.png,cat"], "Line 2"),
        (["picture,was,label", ",cat,dog"], "Line 2"),
        (["picture,was,label", "cat/0.png,cat,dog", "cat/0.png,cat,"], "once more"),
        (["picture,was,label", "cat/0.png,cat,bird"], "'bird'"),
        (["picture,was,label", *(f"cat/{number}.png,cat," for number in range(8))], "fewer than 2"),
        (["picture,was,label", *(f"cat/{number}.png,dog,cat" for number in range(8))], "written for other data"),
    ],
)
def test_files_that_do_not_fit(folder: Path, lines: list[str], words: str) -> None:
    corrections_file(folder).write_text("\n".join(lines))
    with using_language("en"), pytest.raises(RequestError) as caught:
        cs.load(folder)
    assert words in str(caught.value)


def test_bytes_that_are_no_text(folder: Path) -> None:
    corrections_file(folder).write_bytes(b"\xff\xfe\x00picture")
    with pytest.raises(RequestError):
        cs.load(folder)
