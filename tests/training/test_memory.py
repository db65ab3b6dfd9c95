"""A step that can't fit into memory is refused before anything is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import convoscope as cs
from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.core.spec import Spec
from convoscope.training import memory, worker
from convoscope.training.clock import sides
from convoscope.training.memory import check_memory, kept_of_a_picture

COLOUR = (3, 32, 32)


def really_kept(name: str, count: int) -> int:
    """Bytes that autograd keeps of a step of `count` pictures, computed in earnest."""
    storages = {}

    def note(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = models.build(name, COLOUR, 10)(torch.rand(count, *COLOUR))
    assert outputs.grad_fn is not None
    return sum(storages.values())


@pytest.mark.parametrize("name", list(models.registry))
def test_what_is_kept_of_a_picture_is_what_autograd_keeps(name: str) -> None:
    with torch.device("meta"):
        model = models.build(name, COLOUR, 10)
    assert kept_of_a_picture(model, COLOUR) * 5 == really_kept(name, 8) - really_kept(name, 3)


def test_a_step_larger_than_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "usable_memory", lambda: 3_000_000)
    with using_language("en"), pytest.raises(RequestError) as caught:
        cs.train("digits", "typical", "default:learning_rate=0.01", out=tmp_path / "run")
    said = str(caught.value)
    assert said.startswith("A step of 80 pictures of 1x8x8 needs at least ")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run").exists()
    offered = re.search(r"--recipe (default:learning_rate=0\.01,batch_size=\d+)\)", said)
    assert offered is not None
    cs.train("digits", "typical", offered[1], epochs=1, out=tmp_path / "run")


def test_a_batch_that_several_machines_share_is_judged_by_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        model = models.build("typical", COLOUR, 10)
    weights = 12 * sum(parameter.numel() for parameter in model.parameters())
    picture = kept_of_a_picture(model, COLOUR)
    monkeypatch.setattr(memory, "usable_memory", lambda: weights + 100 * picture)
    asked: dict[str, Any] = {"recipe": Spec("default"), "precision": "float32"}
    check_memory(model, COLOUR, 400, machines=4, **asked)
    check_memory(model, COLOUR, 200, machines=1, **asked | {"precision": "bfloat16"})
    with using_language("en"), pytest.raises(RequestError, match=r"of 101 pictures") as caught:
        check_memory(model, COLOUR, 404, machines=4, **asked)
    offered = caught.value.values["recipe"].parameters["batch_size"]
    assert offered % 4 == 0
    check_memory(model, COLOUR, offered, machines=4, **asked)
    with using_language("es"), pytest.raises(RequestError, match="Un paso de 10\u00a0000 imágenes"):
        check_memory(model, COLOUR, 10_000, machines=1, **asked)


def test_a_network_larger_than_the_memory_is_refused_whatever_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "usable_memory", lambda: 100_000_000)
    with using_language("en"), pytest.raises(RequestError, match=r"^The network needs at least 0\.1 GB") as caught:
        cs.train("digits", "dense-6", out=tmp_path / "run")
    assert "batch_size" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_has_too_little_memory_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(worker, "train_network", fail)
    with (
        using_language("en"),
        pytest.raises(RequestError, match=r"too little memory for a step of 80 pictures") as caught,
    ):
        cs.train("digits", "typical", out=tmp_path / "run")
    assert str(caught.value).endswith("--recipe default:batch_size=40")


def test_where_nobody_says_how_much_memory_there_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "usable_memory", lambda: None)
    cs.train("digits", "typical:blocks=1,width=2", epochs=1, out=tmp_path / "run")


def test_pictures_that_grow_during_a_training_count_at_their_largest() -> None:
    assert sides((), (32, 32)) == [(32, 32)]
    assert sides(((0.0, 0.5), (0.5, 0.75)), (32, 48)) == [(16, 24), (24, 36)]
    assert sides(((0.5, 0.5),), (32, 32)) == [(32, 32), (16, 16)]
