"""The script of a run works by itself: no Convoscope, the run's weights fit, and it learns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import convoscope as cs
from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.runs.run import Run
from convoscope.shipping.network_source import network_source
from convoscope.shipping.script import script_of, write_script

VARIANTS = ["lenet5:activation=scaled-tanh,pool=trainable,c3_table=true", "convnet:whiten=true", "resnet:depth=2"]
IMPORTS = "import torch\nfrom torch import Tensor, nn\nfrom torch.nn import functional\nFROZEN = []\n"


@pytest.mark.parametrize("spec", [*models.registry, *VARIANTS])
def test_every_family_can_be_written_out(spec):
    torch.manual_seed(0)
    model = models.build(spec, (1, 28, 28), 4).eval()
    names: dict = {}
    exec(compile(IMPORTS + network_source(model, spec), spec, "exec"), names)
    written = names["make_model"]().eval()
    written.load_state_dict(model.state_dict())
    pictures = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(written(pictures), model(pictures), rtol=0, atol=0)


class Odd(nn.Module):
    """A layer that the script knows nothing of."""

    def forward(self, x):
        return x.flatten(1)


def test_unknown_layers_are_refused():
    with pytest.raises(RequestError, match="Odd"):
        network_source(nn.Sequential(Odd()), "mine")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the default network and recipe, which uses all that a script can hold."""
    return cs.train("digits", "convnet:widths=8-16", epochs=2, out=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "digits.npz"
    data = cs.load("digits")
    train, test = data.train, data.test
    np.savez(file, x_train=train.images[:, 0], y_train=train.labels, x_test=test.images[:, 0], y_test=test.labels)
    return file


def error_printed(script: Path, *arguments: str) -> float:
    """The test error that the script prints, run where there is no Convoscope to import."""
    blocked = script.parent / "blocked"
    blocked.mkdir(exist_ok=True)
    (blocked / "convoscope.py").write_text("raise ImportError('the script must not need it')\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", script, *arguments],
        capture_output=True,
        text=True,
        cwd=script.parent,
        env={**os.environ, "PYTHONPATH": str(blocked)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1].removeprefix("test error "))


def test_the_runs_weights_give_the_runs_error(learnt: Run, arrays: Path, tmp_path: Path):
    script = write_script(learnt, tmp_path / "train.py")
    error = error_printed(script, str(arrays), "--weights", str(learnt.path / "model.safetensors"))
    assert error == pytest.approx(learnt.evaluate()["test_error"], abs=1e-6)


def test_it_learns(learnt: Run, arrays: Path, tmp_path: Path):
    script = write_script(learnt, tmp_path / "train.py")
    assert "convoscope" not in script.read_text().partition('"""\n\n')[2]
    assert error_printed(script, str(arrays)) < 0.5
    assert (tmp_path / "model.pt").is_file()


@pytest.mark.parametrize("recipe", ["default:optimizer=sgd", "default:optimizer=adamw", "default:optimizer=adadelta"])
def test_every_optimizer_is_written(recipe, tmp_path: Path):
    run = cs.train("digits", "lenet5:c3_table=true", recipe, epochs=1, out=tmp_path / "run")
    names: dict = {"__name__": "script"}
    exec(compile(script_of(run), "train.py", "exec"), names)
    optimizer = names["make_optimizer"](names["make_model"]())
    assert {group["peak"] for group in optimizer.param_groups} == {run.config["setting"]["learning_rate"]}


def test_nothing_is_overwritten_unasked(learnt: Run, tmp_path: Path):
    file = tmp_path / "train.py"
    file.write_text("mine")
    with pytest.raises(RequestError, match="--overwrite"):
        write_script(learnt, file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("name", [r"a\Nb.py", r"\x.py", 'say "it".py', '"""', os.fsdecode(b"ni\xf1o.py")])
def test_any_name_of_the_file_is_told(learnt: Run, name: str):
    compile(script_of(learnt, name).encode(), "script", "exec")
