from __future__ import annotations

from pathlib import Path

import pytest

import convoscope as cs
from benchmarks import drawing, records
from convoscope.data.types import ImageData, Images


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the records and of the pages' pictures."""
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(drawing, "FOLDERS", {"en": tmp_path, "es": tmp_path / "es"})
    (tmp_path / "es").mkdir()
    return tmp_path


def part_of(loaded: cs.ImageData, train: int, test: int = 50) -> cs.ImageData:
    """The first pictures of a data set, evenly spread."""

    def cut(images: Images, count: int) -> Images:
        step = len(images) // count
        return Images(images.images[::step][:count], images.labels[::step][:count])

    return ImageData(
        loaded.name,
        cut(loaded.train, train),
        cut(loaded.test, test),
        loaded.classes,
        loaded.mirrored,
        loaded.source,
        loaded.licence,
        loaded.fingerprint,
    )
