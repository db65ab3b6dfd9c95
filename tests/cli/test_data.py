"""``convoscope data``."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import convoscope as cs
from convoscope.cli import data as data_command
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language


@pytest.fixture(autouse=True)
def surroundings(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("CONVOSCOPE_DATA", raising=False)


def run(*words, code=0, language="en"):
    with using_language(language):
        app = typer.Typer()
        data_command.register(app)
        result = CliRunner().invoke(app, ["data", *map(str, words)])
    if code == 2:
        assert isinstance(result.exception, RequestError), result.output
        with using_language(language):
            return result.stdout, str(result.exception)
    assert result.exit_code == 0, result.exception
    return result.stdout


@pytest.fixture
def folder(tmp_path):
    for label, name in enumerate(("gato", "perro")):
        for split, count in (("train", 4), ("test", 2)):
            for number in range(count):
                path = tmp_path / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (8, 6), 100 * label + 10 * number + (split == "test")).save(path)
    return tmp_path


def test_list_names_every_set_and_where_it_is(full_data):
    rows = json.loads(run("list", "--json", "--data-dir", full_data))["data_sets"]
    found = {row["name"]: row for row in rows}
    assert {"mnist-5k", "digits", "mnist", "fashion-mnist", "cifar10"} <= set(found)
    assert found["mnist-5k"]["on_disk"]
    assert found["mnist"]["folder"] == str(full_data / "mnist")
    assert found["cifar10"]["shape"] == [3, 32, 32]


def test_list_speaks_both_languages():
    assert "comes with an installed package" in run("list")
    assert "viene con un paquete instalado" in run("list", language="es")


def test_show_gives_counts_and_statistics():
    shown = json.loads(run("show", "mnist-5k", "--json"))
    assert shown["train_counts"] == [400] * 10
    assert shown["test_counts"] == [100] * 10
    assert shown["mean"][0] == pytest.approx(0.131, abs=0.002)
    assert shown["std"][0] == pytest.approx(0.308, abs=0.003)
    assert len(shown["fingerprint"]) == 64
    words = run("show", "mnist-5k")
    assert "mnist-5k: 1x28x28, 4,000 + 1,000" in words
    assert "licence: CC BY-SA 3.0" in words


def test_show_does_not_download():
    words = run("show", "cifar10", language="es")
    assert "convoscope data get cifar10" in words
    assert json.loads(run("show", "cifar10", "--json", language="es"))["classes"][0] == "avión"


def test_show_reads_folders(folder):
    shown = json.loads(run("show", folder, "--json"))
    assert shown["train_counts"] == [4, 4]
    assert shown["shape"] == [1, 6, 8]


def test_pictures_are_drawn_for_terminals():
    from convoscope.data import load

    lines = data_command._drawing(load("mnist-5k").train)
    assert len(lines) == 12
    assert "@" in "".join(lines)


def test_get_says_where_the_files_are(full_data):
    got = json.loads(run("get", "mnist", "--json", "--data-dir", full_data))
    assert str(full_data / "mnist") in got["source"]
    assert "mnist is ready: the official files" in run("get", "mnist", "--data-dir", full_data)


def test_an_unknown_name_lists_what_exists():
    _, words = run("get", "mnits", code=2)
    assert "did you mean 'mnist'" in words


def test_check_reports_counts_sizes_and_left_out_files(folder):
    (folder / "train" / "gato" / "bad.png").write_text("x")
    report = json.loads(run("check", folder, "--json"))
    assert report["classes"] == [{"name": "gato", "train": 4, "test": 2}, {"name": "perro", "train": 4, "test": 2}]
    assert report["sizes"] == {"6x8": 12}
    assert report["shape"] == [1, 6, 8]
    assert report["left_out"] == [
        {"file": "train/gato/bad.png", "reason": "the content is not a picture in a known format"}
    ]
    assert report["duplicates"] == []
    assert report["problem"] is None
    words = run("check", folder, language="es")
    assert "Archivos que quedan fuera: 1" in words
    assert "train/gato/bad.png: el contenido no es una imagen" in words


def test_check_finds_repeated_pictures(folder):
    shutil.copy(folder / "train" / "gato" / "0.png", folder / "test" / "gato" / "copy.png")
    shutil.copy(folder / "train" / "perro" / "1.png", folder / "train" / "gato" / "other.png")
    groups = json.loads(run("check", folder, "--json"))["duplicates"]
    assert groups == [
        {
            "files": ["train/gato/0.png", "test/gato/copy.png"],
            "in_train_and_test": True,
            "in_several_classes": False,
        },
        {
            "files": ["train/gato/other.png", "train/perro/1.png"],
            "in_train_and_test": False,
            "in_several_classes": True,
        },
    ]
    assert "Repeated pictures: 2 (in training and test at once: 1; in several classes: 1)" in run("check", folder)


def test_check_reports_before_it_refuses(folder):
    shutil.rmtree(folder / "train" / "perro")
    out, words = run("check", folder, "--json", code=2)
    assert json.loads(out)["problem"] == words
    assert "Class perro" in words
    assert "gato" in run("check", folder, code=2)[0]


def test_check_prints_names_that_are_no_text(folder):
    (folder / "train" / "gato" / os.fsdecode(b"\xff.png")).write_text("x")
    assert "train/gato/\\xff.png: the content" in run("check", folder)


def test_a_long_list_is_cut_for_people_only(folder):
    for number in range(30):
        (folder / "train" / "gato" / f"bad{number:02}.png").write_text("x")
    assert "… (+10)" in run("check", folder)
    assert len(json.loads(run("check", folder, "--json"))["left_out"]) == 30


@pytest.mark.parametrize("by", ["deskew", "jitter:pixels=1", "elastic:alpha=20", "fast", "default:rotate=45"])
def test_preview_draws_the_pictures_and_what_becomes_of_them(tmp_path, by):
    out = tmp_path / "sheet.png"
    told = json.loads(run("preview", "digits", "--by", by, "--count", 2, "--out", out, "--json"))
    assert told == {"file": str(out), "data": "digits", "by": by, "count": 2, "seed": 0}
    pixels = np.asarray(Image.open(out))
    height = (len(pixels) - 8) // 3
    plain, first, second = (pixels[(height + 4) * row :][:height] for row in range(3))
    digits = cs.load("digits").train
    shown = digits.images[int((digits.labels == 0).argmax()), 0]
    assert (plain[:: height // 8, : height : height // 8, 0] == shown).all()
    assert (plain != first).any()
    assert (first == second).all() == (by == "deskew")  # the one that draws nothing by chance


def test_a_preview_replaces_no_file_that_nobody_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "preview.png"
    mine.write_bytes(b"mine")
    told = [json.loads(run("preview", "digits", "--count", 1, "--json"))["file"] for _ in range(2)]
    assert told == ["preview-2.png", "preview-3.png"]
    assert mine.read_bytes() == b"mine"


def test_a_preview_of_nothing_known_is_refused(tmp_path):
    assert "did you mean 'deskew'" in run("preview", "digits", "--by", "deskw", code=2)[1]
    assert "It takes: pixels" in run("preview", "digits", "--by", "jitter:pixel=1", code=2)[1]
    assert "ends in .png" in run("preview", "digits", "--out", tmp_path / "sheet.jpg", code=2)[1]
    assert "sheet.png" in run("preview", "digits", "--out", tmp_path / "none" / "sheet.png", code=2)[1]
