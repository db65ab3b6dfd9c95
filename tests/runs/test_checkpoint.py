from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.runs.checkpoint import KEPT, Checkpoint, load_checkpoint, save_checkpoint
from convoscope.runs.folder import RunFolder

FACTS = {"epoch": 2, "step": 7, "loss_sum": 0.1 + 0.2, "best_error": None, "curves": [{"epoch": 1, "error": 1 / 3}]}
TENSORS = {"model/weight": torch.arange(12.0).reshape(3, 4).t(), "model/count": torch.tensor(3)}


def same(found: Checkpoint | None) -> bool:
    return (
        found is not None
        and found.facts == FACTS
        and found.tensors.keys() == TENSORS.keys()
        and all(torch.equal(found.tensors[name], TENSORS[name]) for name in TENSORS)
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(folder, Checkpoint(TENSORS, FACTS), run="a", total_step=39)
    return folder


def test_what_is_saved_is_loaded(whole: Path) -> None:
    found, torn = load_checkpoint(whole, run="a")
    assert same(found)
    assert torn == []


@given(which=st.sampled_from([".json", ".safetensors"]), at=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_a_byte_that_changed_is_noticed(whole: Path, which: str, at: int, flip: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(whole, Path(place) / "copy"))
        file = folder / f"step-00000039{which}"
        content = bytearray(file.read_bytes())
        content[at % len(content)] ^= flip
        file.write_bytes(content)
        try:
            found, _ = load_checkpoint(folder, run="a")
        except RequestError:
            return
        assert same(found)  # a blank of the JSON became another blank


@given(which=st.sampled_from([".json", ".safetensors"]), share=st.floats(0, 1, exclude_max=True))
def test_a_cut_is_noticed(whole: Path, which: str, share: float) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(whole, Path(place) / "copy"))
        file = folder / f"step-00000039{which}"
        content = file.read_bytes()
        file.write_bytes(content[: min(int(share * len(content)), len(content) - 2)])  # the JSON may miss its newline
        with using_language("en"), pytest.raises(RequestError, match=r"No checkpoint in .* is whole \(step-00000039\)"):
            load_checkpoint(folder, run="a")


def test_only_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 9, 10, 100):
        save_checkpoint(tmp_path, Checkpoint(TENSORS, {**FACTS, "step": step}), run="a", total_step=step)
    assert KEPT == 2
    kept = ("step-00000010", "step-00000100")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{stem}{suffix}" for stem in kept for suffix in (".json", ".safetensors")
    ]
    found, _ = load_checkpoint(tmp_path, run="a")
    assert found is not None
    assert found.facts["step"] == 100


def test_a_torn_one_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, Checkpoint(TENSORS, {**FACTS, "step": step}), run="a", total_step=step)
    (tmp_path / "step-00000002.safetensors").unlink()
    found, torn = load_checkpoint(tmp_path, run="a")
    assert found is not None
    assert found.facts["step"] == 1
    assert torn == ["step-00000002"]


def test_one_that_was_never_finished_is_none(tmp_path: Path) -> None:
    (tmp_path / "step-00000001.safetensors").write_bytes(b"half")
    assert load_checkpoint(tmp_path, run="a") == (None, [])
    assert load_checkpoint(tmp_path / "nowhere", run="a") == (None, [])


def test_tensors_that_a_kill_left_alone_are_removed(tmp_path: Path) -> None:
    """Before their JSON was written, or between the removal of the two files of an old checkpoint."""
    save_checkpoint(tmp_path, Checkpoint(TENSORS, FACTS), run="a", total_step=5)
    for step in (2, 7):
        (tmp_path / f"step-{step:08d}.safetensors").write_bytes(b"alone")
    save_checkpoint(tmp_path, Checkpoint(TENSORS, FACTS), run="a", total_step=6)
    whole = [f"step-{step:08d}{suffix}" for step in (5, 6) for suffix in (".json", ".safetensors")]
    assert sorted(path.name for path in tmp_path.iterdir()) == whole
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    (run.checkpoints / "step-00000002.safetensors").write_bytes(b"alone")
    run.begin_training()
    assert list(run.checkpoints.iterdir()) == []


def test_one_of_another_run_is_refused(whole: Path) -> None:
    with using_language("en"), pytest.raises(RequestError, match="belongs to another run"):
        load_checkpoint(whole, run="b")


@pytest.mark.parametrize("seal", [[], 3, None, {}, {"run": "a"}, {"run": "a", "sha256": 3, "facts": []}])
def test_a_seal_of_another_form_is_torn(whole: Path, tmp_path: Path, seal: object) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "step-00000039.json").write_text(json.dumps(seal))
    with pytest.raises(RequestError) as caught:
        load_checkpoint(folder, run="a")
    assert caught.value.key == "runs.checkpoint_torn"
