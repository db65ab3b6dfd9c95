from __future__ import annotations

from pathlib import Path

import pytest

from convoscope import Run, train
from convoscope.shipping.export import Exported, export


@pytest.fixture(scope="session")
def shipped_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on the bundled digits; not to be changed."""
    # In one precision everywhere, so that the same network is shipped on every machine.
    out = tmp_path_factory.mktemp("runs") / "run"
    return train("digits", "typical:blocks=2,width=8", epochs=2, precision="float32", out=out)


@pytest.fixture(scope="session")
def exported(shipped_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What the run became."""
    return export(shipped_run, tmp_path_factory.mktemp("shipped") / "digits.onnx")


@pytest.fixture(scope="session")
def onnx_file(exported: Exported) -> Path:
    """The file it became."""
    return exported.file
