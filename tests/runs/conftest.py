from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from convoscope import Run, train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the bundled digits; not to be changed."""
    return train("digits", "typical:blocks=2,width=8", epochs=2, out=tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture
def run(trained: Path) -> Run:
    return Run(trained)


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be damaged."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))
