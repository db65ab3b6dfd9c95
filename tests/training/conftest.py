from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import convoscope as cs


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of class folders: 40 real digits, the even and the odd ones, as PNG files of 8x8."""
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "cache"))
    digits = cs.load("digits").train
    for number, (image, label) in enumerate(zip(digits.images[:40], digits.labels[:40], strict=True)):
        file = tmp_path / "pictures" / ("even" if label % 2 == 0 else "odd") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(file)
    return tmp_path / "pictures"
