"""What layers give on a batch, kept without a trace on the net."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.data.batches import inputs_from
from convoscope.inspection.recorder import Recorder


def test_what_it_keeps_is_what_the_layers_give(run: Run) -> None:
    images = run.load_data().test.images[:5]
    recorder = Recorder(run, ["conv1", "act1", "output"], Tensor.clone)
    p = run.preprocessing
    inputs = inputs_from(images, p.scaling, (p.height, p.width), torch.device("cpu"))
    with torch.inference_mode():
        first = run.model.eval().get_submodule("conv1")(inputs)
        logits = run.model(inputs)
    for _ in range(2):  # a second batch forgets the first
        heard = recorder.record(images)
        assert torch.equal(heard.inputs, inputs)
        assert list(heard.outputs) == ["conv1", "act1", "output"]
        assert torch.equal(heard.outputs["conv1"], first)
        assert torch.equal(heard.outputs["act1"], first.relu())
        assert torch.equal(heard.outputs["output"], logits)
        assert torch.equal(heard.logits, logits)
    assert not any(module._forward_hooks for module in run.model.modules())


def test_only_numbers_are_told(run: Run) -> None:
    recorder = Recorder(run, ["conv1"], Tensor.clone)
    with torch.no_grad():
        next(run.model.parameters()).fill_(np.nan)
    with pytest.raises(RequestError):
        recorder.record(run.load_data().test.images[:1])
