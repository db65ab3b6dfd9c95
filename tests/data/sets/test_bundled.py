"""MNIST-5k and digits: what the packages ship, split by seed."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from sklearn.datasets import load_digits

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data.packages import file_of
from convoscope.data.sets._bundled import parse_table, read_table


@pytest.mark.parametrize("name", ["mnist-5k", "digits"])
def test_a_bundled_set_is_whole_and_stratified(name):
    data_set = data.registry.get(name)
    loaded = data.load(name)
    assert (len(loaded.train), len(loaded.test)) == data_set.counts
    assert loaded.shape == data_set.shape
    assert loaded.train.images.dtype == np.uint8
    assert loaded.train.labels.dtype == np.int64
    assert loaded.train.images.max() == 255
    assert loaded.train.images.min() == 0
    train, test = np.bincount(loaded.train.labels), np.bincount(loaded.test.labels)
    assert (np.abs(test - (train + test) * len(loaded.test) / sum(data_set.counts)) < 1).all()
    assert loaded.classes == tuple("0123456789")


def test_mnist_5k_is_500_of_each_digit():
    loaded = data.load("mnist-5k")
    counts = np.bincount(loaded.train.labels) + np.bincount(loaded.test.labels)
    assert counts.tolist() == [500] * 10


def test_digits_are_those_of_scikit_learn():
    loaded = data.load("digits")
    values, labels = load_digits(return_X_y=True)
    of_each = {values.astype(int).tobytes(): label for values, label in zip(values, labels, strict=True)}
    for part in (loaded.train, loaded.test):
        for image, label in zip(part.images, part.labels, strict=True):
            assert of_each[np.rint(image / (255 / 16)).astype(int).tobytes()] == label


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"1,2\n"), gzip.compress(b"1,2\n")[:-9]])
def test_a_foreign_table_is_refused(tmp_path, content):
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"digits\.csv\.gz .*1797 .* 64"):
        read_table(path, data.registry.get("digits"))


@pytest.mark.parametrize(("package", "said"), [("no_such_package", "no_such_package"), ("sklearn", "scikit-learn")])
def test_a_package_that_does_not_ship_the_file_is_named_as_it_is_installed(package, said):
    with pytest.raises(RequestError, match=said):
        file_of(package, "nowhere.csv", name="digits")


def test_the_seed_decides_the_split_and_shows_in_the_fingerprint():
    first, again, other = (data.load("mnist-5k", seed=seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert (first.test.images == again.test.images).all()
    assert (first.test.images != other.test.images).any()


def test_mnist_5k_digits_are_those_of_mnist(full_data):
    whole = {image.tobytes() for image in data.load("mnist", data_dir=full_data).train.images}
    assert all(image.tobytes() in whole for image in data.load("mnist-5k").train.images)


def test_the_table_is_read_as_numpy_reads_it():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (7, 5))
    text = "".join(",".join(map(str, row)) + "\n" for row in table).encode()
    assert (parse_table(text) == table).all()
    assert (parse_table(text.replace(b"\n", b"\r\n")) == table).all()


@pytest.mark.parametrize("text", [b"", b"1,2", b"1,2\n3\n", b"1,,2\n", b"1,x\n", b"1,300\n", b"1,-2\n", b"1.5,2\n"])
def test_another_table_is_not_read(text):
    assert parse_table(text) is None
