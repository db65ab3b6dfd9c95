"""Folders of class folders: layouts, splits, what is left out, and what is refused."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.folder import load_folder


def picture(path, value=0, size=(8, 8), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def fill(folder, classes=("cat", "dog"), count=5, **options):
    """`count` pictures a class; the grey value tells class and number."""
    for label, name in enumerate(classes):
        for number in range(count):
            picture(folder / name / f"{number}.png", 100 * label + number, **options)
    return folder


def values(images):
    return sorted(np.unique(images.images[:, 0, 0, 0]).tolist())


def test_a_plain_folder_is_split_by_the_seed(tmp_path):
    fill(tmp_path, count=10)
    loaded = data.load(tmp_path)
    assert loaded.name == tmp_path.name
    assert loaded.classes == ("cat", "dog")
    assert loaded.shape == (1, 8, 8)
    assert (len(loaded.train), len(loaded.test)) == (16, 4)
    assert np.bincount(loaded.test.labels).tolist() == [2, 2]
    assert sorted(values(loaded.train) + values(loaded.test)) == [*range(10), *range(100, 110)]
    for split in (loaded.train, loaded.test):
        for image, label, file in zip(split.images, split.labels, split.files, strict=True):
            assert image[0, 0, 0] == 100 * label + int(file.split("/")[1][:-4])
    again, other = data.load(tmp_path, seed=0), data.load(tmp_path, seed=1)
    assert again.test.files == loaded.test.files != other.test.files
    assert again.fingerprint == loaded.fingerprint != other.fingerprint


def test_train_and_test_folders_are_kept_apart(tmp_path):
    fill(tmp_path / "train", count=4)
    fill(tmp_path / "test", count=2)
    loaded = data.load(tmp_path)
    assert (len(loaded.train), len(loaded.test)) == (8, 4)
    assert all(file.startswith("train/") for file in loaded.train.files)
    assert all(file.startswith("test/") for file in loaded.test.files)
    assert loaded.fingerprint == data.load(tmp_path, seed=5).fingerprint


@pytest.mark.parametrize(
    ("folders", "train", "test"),
    [
        (("train", "val", "test"), ("train", "val"), ("test",)),
        (("train", "val"), ("train",), ("val",)),
        (("Train", "TEST"), ("Train",), ("TEST",)),
        (("entrenamiento", "validación", "prueba"), ("entrenamiento", "validación"), ("prueba",)),
    ],
)
def test_split_folders_go_where_they_belong(tmp_path, folders, train, test):
    for folder in folders:
        fill(tmp_path / folder, count=3)
    (tmp_path / "annotations" / "boxes").mkdir(parents=True)
    loaded = data.load(tmp_path)
    assert {file.split("/")[0] for file in loaded.train.files} == set(train)
    assert {file.split("/")[0] for file in loaded.test.files} == set(test)


def test_train_alone_is_split(tmp_path):
    fill(tmp_path / "train", count=5)
    loaded = data.load(tmp_path)
    assert (len(loaded.train), len(loaded.test)) == (8, 2)
    assert loaded.classes == ("cat", "dog")


def test_a_class_may_be_called_train(tmp_path):
    assert data.load(fill(tmp_path, classes=("train", "bus"))).classes == ("bus", "train")


def test_nested_folders_belong_to_their_class(tmp_path):
    fill(tmp_path)
    picture(tmp_path / "cat" / "more" / "deep" / "x.png", 50)
    assert "cat/more/deep/x.png" in {*data.load(tmp_path).train.files, *data.load(tmp_path).test.files}


def test_classes_are_sorted_as_a_person_would(tmp_path):
    assert data.load(fill(tmp_path, classes=("10", "9", "1"))).classes == ("1", "9", "10")


@pytest.mark.parametrize(
    ("classes", "mirrored"), [(("cat", "dog"), True), (("0", "1", "12"), False), (("a", "B", "ñ"), False)]
)
def test_characters_are_not_mirrored(tmp_path, classes, mirrored):
    assert data.load(fill(tmp_path, classes=classes)).mirrored is mirrored


def test_names_in_any_script(tmp_path):
    classes = ("猫", "собака", "niño", "قط", "🦊 zorro")
    loaded = data.load(fill(tmp_path, classes=classes, count=3))
    assert set(loaded.classes) == set(classes)
    assert not loaded.left_out


def test_names_that_are_no_text(tmp_path):
    fill(tmp_path)
    shutil.copy(tmp_path / "cat" / "0.png", os.fsencode(tmp_path / "cat") + b"/\xff\xfe.png")
    assert len(data.load(tmp_path).train) == 9


@pytest.mark.parametrize("part", ["", "train/"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_classes_whose_names_are_no_text_are_refused(tmp_path, part, language):
    fill(tmp_path / part)
    try:
        (tmp_path / part / "cat").rename(tmp_path / part / os.fsdecode(b"ni\xf1o"))
    except OSError:
        pytest.skip("this system holds no such names")
    with using_language(language), pytest.raises(RequestError, match=r"ni\\xf1o") as refused:
        data.load(tmp_path)
    str(refused.value).encode()


def test_one_name_in_two_spellings_of_unicode_is_one_class(tmp_path):
    fill(tmp_path / "train", classes=("ni\u00f1o", "dog"))
    fill(tmp_path / "test", classes=("nin\u0303o", "dog"))
    assert data.load(tmp_path).classes == ("dog", "ni\u00f1o")


def test_grey_if_all_are_grey_even_if_stored_as_colour(tmp_path):
    fill(tmp_path)
    picture(tmp_path / "cat" / "rgb.png", (7, 7, 7), mode="RGB")
    assert data.load(tmp_path).shape == (1, 8, 8)
    picture(tmp_path / "cat" / "rgb.png", (7, 7, 8), mode="RGB")
    assert data.load(tmp_path).shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("sizes", "asked", "found"),
    [
        ([(20, 30)], None, (20, 30)),
        ([(64, 64)], None, (64, 64)),
        ([(65, 40)], None, (64, 64)),
        ([(20, 30), (30, 20)], None, (64, 64)),
        ([(20, 30)], 16, (16, 16)),
        ([(20, 30), (99, 5)], (10, 12), (10, 12)),
    ],
)
def test_the_size_rule(tmp_path, sizes, asked, found):
    fill(tmp_path, size=sizes[0][::-1])
    for number, size in enumerate(sizes[1:]):
        picture(tmp_path / "cat" / f"other{number}.png", 3, size=size[::-1])
    assert data.load(tmp_path, size=asked).shape[1:] == found


@pytest.mark.parametrize("size", [0, -3, 5000, (8, 0)])
def test_an_impossible_size_is_refused(tmp_path, size):
    with pytest.raises(RequestError, match="each side must be from 1 to 4096"):
        data.load(fill(tmp_path), size=size)


def test_files_that_cannot_be_read_are_left_out_by_name_and_reason(tmp_path):
    fill(tmp_path)
    (tmp_path / "cat" / "empty.png").touch()
    (tmp_path / "cat" / "text.png").write_text("no picture at all")
    whole = (tmp_path / "cat" / "0.png").read_bytes()
    (tmp_path / "dog" / "torn.png").write_bytes(whole[:-30])
    (tmp_path / "dog" / "wrong suffix.jpg").write_bytes(whole)
    (tmp_path / "dog" / "broken link.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "dog" / "pipe.png")
    for ignored in (".hidden.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / "dog" / ignored).write_bytes(b"x")
    loaded = data.load(tmp_path)
    assert [left.file for left in loaded.left_out] == [
        "cat/empty.png",
        "cat/text.png",
        "dog/broken link.png",
        "dog/pipe.png",
        "dog/torn.png",
    ]
    reasons = [left.reason for left in loaded.left_out]
    assert reasons[0] == "the file is empty"
    assert reasons[1] == "the content is not a picture in a known format"
    assert "No such file" in reasons[2]
    assert "neither a file nor a folder" in reasons[3]
    assert reasons[4].startswith("damaged or incomplete")
    assert len(loaded.train) + len(loaded.test) == 11
    # a file that failed only when decoded must not shift the others
    for split in (loaded.train, loaded.test):
        for image, label, file in zip(split.images, split.labels, split.files, strict=True):
            if "wrong" not in file:
                assert image[0, 0, 0] == 100 * label + int(file.split("/")[1][:-4])


def test_links_are_followed_but_not_in_circles(tmp_path):
    fill(tmp_path / "data")
    (tmp_path / "data" / "cat" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "cat" / "self").symlink_to(tmp_path / "data" / "cat" / "self")
    fill(tmp_path / "elsewhere", classes=("fox",))
    (tmp_path / "data" / "fox").symlink_to(tmp_path / "elsewhere" / "fox")
    loaded = data.load(tmp_path / "data")
    assert loaded.classes == ("cat", "dog", "fox")
    assert [(left.file, left.cause) for left in loaded.left_out] == [("cat/loop", "loop"), ("cat/self", "closed")]


def test_a_maze_of_links_is_read_once(tmp_path):
    fill(tmp_path)
    for number in range(40):  # read naively, these are 2 to the power of 40 folders
        room = tmp_path / "cat" / f"room{number}"
        room.mkdir()
        for door in ("left", "right"):
            (room / door).symlink_to(tmp_path / "cat" / f"room{number + 1}")
    picture(tmp_path / "cat" / "room40" / "x.png", 42)
    loaded = data.load(tmp_path)
    assert len(loaded.train) + len(loaded.test) == 11
    assert {left.cause for left in loaded.left_out} == {"loop"}
    assert len(loaded.left_out) == 80


def test_unreadable_files_and_folders_are_left_out(tmp_path, monkeypatch):
    fill(tmp_path, count=6)
    (tmp_path / "dog" / "locked").mkdir()
    scandir, opened = os.scandir, open

    def guarded_scandir(path):  # tests may run as root, whom no permission stops
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def guarded_open(path, *rest, **more):
        if str(path).endswith("cat/0.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *rest, **more)

    monkeypatch.setattr(os, "scandir", guarded_scandir)
    monkeypatch.setattr("builtins.open", guarded_open)
    loaded = data.load(tmp_path)
    assert [(left.file, left.reason) for left in loaded.left_out] == [
        ("cat/0.png", "can't be read (Permission denied)"),
        ("dog/locked", "can't be read (Permission denied)"),
    ]


@pytest.mark.parametrize("locked", ["", "train", "test"])
def test_a_folder_that_must_be_read_and_is_closed_is_named(tmp_path, monkeypatch, locked):
    fill(tmp_path / "train", count=4)
    fill(tmp_path / "test", count=2)
    scandir = os.scandir

    def guarded(path):  # tests may run as root, whom no permission stops
        if os.fspath(path) == str(tmp_path / locked):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(RequestError) as caught:
        data.load(tmp_path)
    assert str(caught.value) == f"{tmp_path / locked} can't be read: Permission denied. Check its name and permissions."


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "holds no class folders"),
        (lambda folder: picture(folder / "a.png"), "holds no class folders"),
        (lambda folder: (folder / "cat").mkdir(), "hold no pictures"),
        (lambda folder: fill(folder, classes=("cat",)), "holds a single class, cat"),
        (lambda folder: fill(folder, count=1), r"Class cat of .* has 1 picture.* at least 3"),
        (lambda folder: fill(folder, count=2), r"Class cat of .* has 2 picture.* at least 3"),
        (lambda folder: (fill(folder), (folder / "fox").mkdir()), r"Class fox of .* has no picture to train with"),
        (lambda folder: (fill(folder / "train"), (folder / "test" / "cat").mkdir(parents=True)), "test folder of"),
        (lambda folder: (fill(folder / "train", count=1), fill(folder / "test")), r"Class cat .* 1 .* at least 2"),
        (lambda folder: (fill(folder / "train"), fill(folder / "test", ("cat", "fox"))), r"Class fox .* no picture"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(RequestError, match=words):
        data.load(tmp_path)


def test_a_folder_of_unreadable_files_names_the_first(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_text("x")
    with pytest.raises(RequestError, match=r"None of the 2 files .* the first is cat/a.png: the content is not"):
        data.load(tmp_path)


def test_a_file_or_nothing_is_no_folder(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(RequestError, match=r"a.png is a file"):
        data.load(tmp_path / "a.png")
    with pytest.raises(RequestError, match="There is no folder"):
        data.load(tmp_path / "nowhere")


def test_a_name_is_a_data_set_and_a_path_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "digits")
    fill(tmp_path / "pets")
    assert data.load("digits").classes == tuple("0123456789")
    assert data.load("./digits").classes == ("cat", "dog")
    assert data.load("pets").classes == ("cat", "dog")
    with pytest.raises(RequestError, match="did you mean 'mnist'"):
        data.load("mnits")
    with pytest.raises(RequestError, match="for folders of pictures only"):
        data.load("digits", size=16)


def test_a_folder_larger_than_memory_stays_on_disk(tmp_path, monkeypatch):
    fill(tmp_path, count=10)
    small = data.load(tmp_path)
    monkeypatch.setattr("convoscope.data.folder.IN_MEMORY", 0)
    for _ in range(2):
        large = load_folder(tmp_path, size=None, seed=0, progress=None)
        assert isinstance(large.train.images, np.memmap)
        assert not large.train.images.flags.writeable
        assert (large.train.images == small.train.images).all()
        assert (large.test.images == small.test.images).all()
        assert large.fingerprint == small.fingerprint
