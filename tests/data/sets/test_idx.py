"""The IDX sets: the real ones where they are, and every way in which a file can be wrong."""

from __future__ import annotations

import dataclasses
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data.sets import Request
from convoscope.data.sets._idx import read_idx
from convoscope.data.sets.mnist import mnist

NAMES = [file.name for file in mnist.files]


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def small(tmp_path):
    """A data set like MNIST of 30 + 20 pictures of 28x28, and its four files in tmp_path/mnist."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mnist"
    folder.mkdir()
    arrays = [
        rng.integers(0, 256, (30, 28, 28)),
        np.arange(30) % 10,
        rng.integers(0, 256, (20, 28, 28)),
        np.arange(20) % 10,
    ]
    for name, array in zip(NAMES, arrays, strict=True):
        (folder / name).write_bytes(gzip.compress(idx(array)))
    return dataclasses.replace(mnist, counts=(30, 20)), tmp_path, arrays


def read(small):
    data_set, folder, _ = small
    return data_set.read(data_set, Request(data_dir=folder))


def test_the_real_mnist_is_the_official_one(full_data):
    loaded = data.load("mnist", data_dir=full_data)
    assert loaded.source.startswith("the official files (checksum right)")
    assert loaded.shape == (1, 28, 28)
    assert (len(loaded.train), len(loaded.test)) == (60_000, 10_000)
    assert loaded.train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert loaded.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_files_with_another_checksum_are_read_and_said_to_be_others(small):
    found = read(small)
    assert "their checksum is not that of the official ones" in found.source
    assert (found.train.images[:, 0] == small[2][0]).all()
    assert (found.test.labels == small[2][3]).all()


@pytest.mark.parametrize("where", ["mnist", "MNIST/raw", "."])
def test_the_files_may_lie_in_the_folder_or_below_it(small, where):
    data_set, folder, _ = small
    target = folder / "other" / where
    target.mkdir(parents=True)
    for name in NAMES:
        (folder / "mnist" / name).rename(target / name)
    assert len(data_set.read(data_set, Request(data_dir=folder / "other")).train) == 30


@pytest.mark.parametrize("rename", [lambda n: n[:-3], lambda n: n[:-3].replace("-idx", ".idx")])
def test_plain_files_under_their_usual_names_are_read(small, rename):
    for name in NAMES:
        path = small[1] / "mnist" / name
        (path.parent / rename(name)).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(read(small).test) == 20


def test_the_environment_names_the_data_folder(small, monkeypatch):
    monkeypatch.setenv("CONVOSCOPE_DATA", str(small[1]))
    assert len(small[0].read(small[0], Request()).train) == 30


def test_a_data_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(RequestError, match=r"does not exist\. Check --data-dir"):
        data.load("mnist", data_dir=tmp_path / "nowhere")


def test_a_missing_file_is_named(small):
    (small[1] / "mnist" / NAMES[3]).unlink()
    with pytest.raises(RequestError, match=f"{NAMES[3]} is missing"):
        read(small)


@pytest.mark.parametrize("keep", [0, 1, 9, 20, -1, -9])
@pytest.mark.parametrize("file", [0, 1])
def test_a_torn_file_is_named(small, keep, file):
    path = small[1] / "mnist" / NAMES[file]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RequestError, match=f"{NAMES[file]} is (incomplete or damaged|not what it should be)"):
        read(small)


def test_a_flipped_byte_is_noticed(small):
    path = small[1] / "mnist" / NAMES[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(RequestError, match="is incomplete or damaged"):
        read(small)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (0, b"hello"),
        (0, b"\x89PNG\r\n\x1a\n" + bytes(100)),
        (0, idx(np.zeros((30, 8, 8)))),
        (0, idx(np.zeros((29, 28, 28)))),
        (1, idx(np.zeros((30, 2)))),
        (1, idx(np.full(30, 10))),
        (1, struct.pack(">BBBBI", 0, 0, 0x0D, 1, 30) + bytes(120)),
    ],
)
def test_a_foreign_file_is_named(small, file, content):
    (small[1] / "mnist" / NAMES[file]).write_bytes(content)
    with pytest.raises(RequestError, match=f"{NAMES[file]} is not what it should be: an IDX file"):
        read(small)


def test_a_directory_in_place_of_a_file_is_a_missing_file(small):
    path = small[1] / "mnist" / NAMES[0]
    path.unlink()
    path.mkdir()
    with pytest.raises(RequestError, match="is missing"):
        read(small)


def test_an_unreadable_file_is_named(small, monkeypatch):
    def refuse(path):  # tests may run as root, whom no permission stops
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(RequestError, match=f"{NAMES[0]} can't be read: Permission denied"):
        read(small)


def test_mnist_does_not_pass_for_fashion_mnist(full_data):
    with pytest.raises(RequestError, match="belongs to mnist, but fashion-mnist was asked for"):
        data.load("fashion-mnist", data_dir=full_data / "mnist")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(-3, 3))
def test_idx_is_read_only_if_the_length_is_right(shape, extra):
    array = np.zeros(shape, np.uint8)
    content = idx(array)
    if extra == 0:
        assert read_idx(content).shape == tuple(shape)
    else:
        content = content + bytes(extra) if extra > 0 else content[:extra]
        with pytest.raises(ValueError, match=r"length|header"):
            read_idx(content)


def test_a_header_that_promises_the_moon_is_refused():
    with pytest.raises(ValueError, match="length"):
        read_idx(struct.pack(">BBBB4I", 0, 0, 8, 4, *[2**32 - 1] * 4))
