"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def full_data() -> Path:
    """The folder that holds the full data sets (mnist/, cifar10/); tests that need it are skipped where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CONVOSCOPE_TEST_DATA", beside))
    if not (folder / "mnist").is_dir():
        pytest.skip(f"the full data sets are not in {folder} (set CONVOSCOPE_TEST_DATA)")
    return folder
