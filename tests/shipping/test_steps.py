"""A network as simple steps: constants are worked out beforehand, and what has no step is refused by its name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.shipping.graph import network_graph
from convoscope.shipping.steps import steps_of


class Swapped(nn.Module):
    """Adds a number for each column, which is no number for each map."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + torch.arange(8.0)).flatten(1)[:, :2]


class Raised(nn.Module):
    """An operation that no step expresses."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.softplus(x).flatten(1)


@pytest.mark.parametrize(("model", "operation"), [(Swapped(), "Add"), (Raised(), "Softplus")])
def test_what_has_no_step_is_refused(model: nn.Module, operation: str) -> None:
    with pytest.raises(RequestError, match=operation) as refused:
        steps_of(network_graph(model.eval(), (1, 8, 8), "mine"), "mine")
    assert (refused.value.key, refused.value.values["operation"]) == ("shipping.no_step", operation)


def test_steps_read_what_is_made_before_them() -> None:
    model = models.build("resnet", (3, 16, 16), 4).eval()
    found = steps_of(network_graph(model, (3, 16, 16), "resnet"), "resnet")
    for at, step in enumerate(found.steps):
        assert step["from"]
        assert all(0 <= value <= at for value in step["from"])
    assert found.steps[-1]["shape"] == [4]
    spans = [step[name] for step in found.steps for name in ("weights", "bias", "factor", "term") if name in step]
    assert sum(length for _, length in spans) == len(found.weights)
    assert found.weights.dtype == np.float32
