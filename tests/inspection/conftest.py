from __future__ import annotations

from pathlib import Path

import pytest

from convoscope import Run, train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the bundled digits."""
    return train("digits", "typical:blocks=2,width=8", epochs=1, out=tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture
def run(trained: Path) -> Run:
    return Run(trained)
