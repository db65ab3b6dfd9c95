"""CIFAR-10's binary version."""

from __future__ import annotations

import numpy as np
import pytest

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data.sets.cifar10 import records_checksum


def test_the_real_cifar10_is_known_in_any_order(full_data):
    loaded = data.load("cifar10", data_dir=full_data)
    assert loaded.source.startswith("the official files (checksum right)")
    assert np.bincount(loaded.train.labels).tolist() == [5000] * 10
    assert np.bincount(loaded.test.labels).tolist() == [1000] * 10
    mean = loaded.train.images.mean(axis=(0, 2, 3)) / 255
    assert mean == pytest.approx([0.4914, 0.4822, 0.4465], abs=5e-5)


def test_the_checksum_knows_pictures_but_not_their_order():
    records = np.random.default_rng(0).integers(0, 256, (50, 30), dtype=np.uint8)
    assert records_checksum(records) == records_checksum(records[::-1].copy())
    changed = records.copy()
    changed[3, 4] ^= 1
    assert records_checksum(records) != records_checksum(changed)


@pytest.fixture
def batches(tmp_path):
    record = np.zeros((10_000, 3073), np.uint8)
    record[:, 0] = np.arange(10_000) % 10
    for number in range(1, 6):
        (tmp_path / f"data_batch_{number}.bin").write_bytes(record.tobytes())
    (tmp_path / "test_batch.bin").write_bytes(record.tobytes())
    return tmp_path


def test_other_records_are_read_and_said_to_be_others(batches):
    loaded = data.load("cifar10", data_dir=batches)
    assert "their checksum is not that of the official ones" in loaded.source
    assert loaded.train.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is incomplete or damaged"),
        (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "is not what it should be: 10000 records"),
        (lambda path: path.write_bytes(b"\x0a" + path.read_bytes()[1:]), "is not what it should be: 10000 records"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_a_wrong_batch_is_named(batches, change, words):
    change(batches / "data_batch_3.bin")
    with pytest.raises(RequestError, match=f"data_batch_3.bin {words}"):
        data.load("cifar10", data_dir=batches)
