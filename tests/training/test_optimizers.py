from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convoscope.training.optimizers import forget_tiny, make_optimizer, orthogonalise, rate_factor, set_rate
from convoscope.training.recipe import change, load_recipe

SETTING = load_recipe("default").grey


@given(progress=st.floats(0, 1), warmup=st.floats(0, 1), decay=st.sampled_from(["linear", "cosine", "none"]))
def test_the_rate_stays_between_nothing_and_its_peak(progress: float, warmup: float, decay: str) -> None:
    setting = change(SETTING, {"warmup": warmup, "decay": decay})
    assert 0 <= rate_factor(setting, progress) <= 1 + 1e-12


def test_the_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    setting = change(SETTING, {"warmup": 0.25, "decay": "linear"})
    assert rate_factor(setting, 0) == pytest.approx(0.1)
    assert rate_factor(setting, 0.25) == pytest.approx(1)
    assert rate_factor(setting, 0.625) == pytest.approx(0.5)
    assert rate_factor(setting, 1) == 0


@given(rows=st.integers(2, 24), columns=st.integers(2, 24), seed=st.integers(0, 1000))
def test_orthogonalising_brings_singular_values_near_one(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    left, _, right = torch.linalg.svd(torch.randn(rows, columns, generator=generator), full_matrices=False)
    values = torch.rand(min(rows, columns), generator=generator) * 0.95 + 0.05
    after = orthogonalise(left @ torch.diag(values) @ right, rounds=6)
    # The same directions, with singular values in the band that the quintic settles in.
    found = torch.diag(left.T @ after @ right.T)
    assert 0.6 < found.min() <= found.max() < 1.3
    torch.testing.assert_close(left @ torch.diag(found) @ right, after, atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", ["sgd", "adamw", "adadelta", "muon"])
def test_every_optimizer_learns_and_follows_the_rate(kind: str) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    rate = 1.0 if kind == "adadelta" else 0.01
    setting = change(SETTING, {"optimizer": kind, "learning_rate": rate, "muon_learning_rate": 0.05})
    optimizer = make_optimizer(setting, net)
    images = torch.randn(64, 1, 8, 8)
    labels = (images.mean((1, 2, 3)) > 0).long()
    losses = []
    for _ in range(30):
        set_rate(optimizer, 1.0)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    before = [parameter.detach().clone() for parameter in net.parameters()]
    set_rate(optimizer, 0.0)
    optimizer.step()
    if kind != "muon":  # Muon also restores the kernels' norm, which is no step
        assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_biases_and_normalisation_do_not_decay() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    groups = make_optimizer(change(SETTING, {"optimizer": "sgd", "weight_decay": 0.1}), net).param_groups
    for group in groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.1 if parameter.ndim >= 2 else 0)


@pytest.mark.parametrize("kind", ["sgd", "adamw", "adadelta", "muon"])
def test_what_is_remembered_of_weights_without_gradient_ends_as_zero_not_as_denormal_numbers(kind: str) -> None:
    net = nn.Linear(2, 3, bias=False)
    optimizer = make_optimizer(change(SETTING, {"optimizer": kind, "weight_decay": 0.0}), net)
    set_rate(optimizer, 1e-3)
    for step in range(1500):
        # The second input falls silent after the first step; the first one stays.
        net.weight.grad = torch.tensor([[1.0, float(step == 0)]]).expand(3, 2).clone()
        optimizer.step()
    before = {name: values[:, 0].clone() for name, values in _averages(optimizer)}
    forget_tiny(optimizer)
    for name, values in _averages(optimizer):
        assert torch.equal(values[:, 0], before[name])
        assert ((values[:, 1] == 0) | (values[:, 1] > 1e-30)).all()


def _averages(optimizer: torch.optim.Optimizer) -> list[tuple[str, torch.Tensor]]:
    return [(name, values) for name, values in optimizer.state[next(iter(optimizer.state))].items() if values.ndim]
