"""Real runs in two processes on the CPU."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from convoscope import Run, train
from convoscope.core.cores import usable_cores
from convoscope.core.errors import FailedError, RequestError
from convoscope.core.messages import using_language
from convoscope.training.processes import (
    _interrupt_passed_on,
    freed_memory_kept,
    share_threads,
)
from convoscope.training.progress import Listener, Plan
from tests.training.listeners import StopsAfter

# A gentle rate: rounding differs between one process and two, and a wild training would magnify it.
GENTLE = "default:learning_rate=0.01,warmup=0,optimizer=sgd,ema=0.9,rotate=10,shift=0.1,precise_norm=true"

TWO_CORES = pytest.mark.skipif(usable_cores() < 2, reason="two processes need two cores")


class KillWorker(Listener):
    """In rank 0, kill the other worker at the twentieth step of the training, once."""

    def __init__(self, mark: Path) -> None:
        self.mark, self.steps = mark, 0

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        self.steps += 1
        if self.steps == 20 and not self.mark.exists():
            self.mark.touch()
            parent = multiprocessing.parent_process()
            assert parent is not None
            children = subprocess.run(
                ["pgrep", "-P", str(parent.pid)], capture_output=True, text=True, check=False
            ).stdout.split()
            for child in map(int, children):
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                if child != os.getpid() and b"spawn_main" in command:
                    os.kill(child, signal.SIGKILL)


@TWO_CORES
@pytest.mark.slow
def test_within_a_slurm_job_of_one_task_two_processes_end_with_the_loss_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = {"JOB_ID": 1, "JOB_NAME": "train", "NNODES": 1, "NODEID": 0, "NTASKS": 1, "NTASKS_PER_NODE": 1}
    for name, value in {**job, "PROCID": 0, "LOCALID": 0, "NODELIST": "localhost"}.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    runs = [
        train("digits", "lenet5", GENTLE, epochs=2, devices=devices, precision="float32", out=tmp_path / str(devices))
        for devices in (1, 2)
    ]
    one, two = (run.curves[-1] for run in runs)
    assert two["train_loss"] == pytest.approx(one["train_loss"], abs=1e-4)
    assert two["validation_loss"] == pytest.approx(one["validation_loss"], abs=1e-4)
    assert runs[1].config["devices"] == 2


@TWO_CORES
@pytest.mark.slow
def test_two_processes_learn_in_bfloat16_what_one_learns(tmp_path: Path) -> None:
    runs = [
        train("digits", recipe=GENTLE, epochs=2, devices=devices, precision="bfloat16", out=tmp_path / str(devices))
        for devices in (1, 2)
    ]
    one, two = (run.curves[-1] for run in runs)
    assert two["train_loss"] == pytest.approx(one["train_loss"], rel=0.02)  # bfloat16 keeps two to three digits
    assert all(tensor.dtype == torch.float32 for tensor in runs[1].model.state_dict().values() if tensor.ndim)


@TWO_CORES
@pytest.mark.slow
def test_a_lost_worker_ends_the_job_with_a_clear_error_and_the_run_goes_on(tmp_path: Path) -> None:
    with using_language("en"), pytest.raises(FailedError) as caught:
        train(
            "digits", recipe=GENTLE, epochs=3, devices=2, out=tmp_path / "run", listener=KillWorker(tmp_path / "mark")
        )
    assert "was lost" in str(caught.value)
    assert f"--resume {tmp_path / 'run'}" in str(caught.value)
    assert caught.value.exit_code == 1
    done = train(resume=tmp_path / "run", devices=1)
    assert done.metrics is not None
    assert [line["epoch"] for line in done.curves] == [1, 2, 3]


def interrupted(fabric: Any) -> None:
    """What Ctrl-C does in a worker that takes no steps: one that reads data, or tests."""
    signal.raise_signal(signal.SIGINT)


@TWO_CORES
@pytest.mark.slow
def test_ctrl_c_ends_workers_that_take_no_steps_and_the_parent_does_not_wait_for_their_result() -> None:
    script = """
        from convoscope.training.processes import make_fabric, run_in_processes
        from tests.training.test_processes import interrupted

        try:
            run_in_processes(make_fabric(2, "float32"), interrupted, resume="run")
        except KeyboardInterrupt:
            print("interrupted")
    """
    command, root = [sys.executable, "-c", textwrap.dedent(script)], Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_ctrl_c_is_the_parents_where_there_is_no_worker() -> None:
    with pytest.raises(KeyboardInterrupt), _interrupt_passed_on():
        signal.raise_signal(signal.SIGINT)


FOCUSED: dict[str, Any] = {"data": "digits", "recipe": "default:focus=1,focus_from=0", "epochs": 3, "devices": 2}


@pytest.fixture(scope="module")
def focused(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A training by two processes that was not stopped."""
    return train(out=tmp_path_factory.mktemp("focused") / "whole", **FOCUSED)


@TWO_CORES
@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 1e6], ids=["checkpoints at every step", "none but the last"])
def test_two_processes_go_on_with_what_both_noted_of_the_epoch(tmp_path: Path, focused: Run, seconds: float) -> None:
    stop = StopsAfter(16 + 9)
    stopped = train(out=tmp_path / "stopped", checkpoint_seconds=seconds, listener=stop, **FOCUSED)
    assert stopped.metrics is not None
    assert stopped.metrics["interrupted"]
    resumed = train(resume=stopped.path)
    assert resumed.folder.weights_file.read_bytes() == focused.folder.weights_file.read_bytes()


@TWO_CORES
@pytest.mark.slow
def test_what_two_processes_began_one_goes_on_with_where_there_is_one_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"recipe": GENTLE + ",focus=1,focus_from=0", "precision": "float32", "epochs": 2}
    whole = train("digits", out=tmp_path / "whole", **asked)
    stopped = train("digits", out=tmp_path / "stopped", devices=2, listener=StopsAfter(16 + 5), **asked)
    monkeypatch.setattr("convoscope.training.processes.usable_cores", lambda: 1)
    with using_language("en"), pytest.raises(RequestError, match="2 devices were asked for; this machine has 1"):
        train(resume=stopped.path)
    with using_language("en"), pytest.raises(RequestError, match="0 devices were asked for"):
        train(resume=stopped.path, devices=0)
    resumed = train(resume=stopped.path, devices=1)
    assert resumed.curves[-1]["train_loss"] == pytest.approx(whole.curves[-1]["train_loss"], abs=1e-4)


def torchrun(processes: int, *words: object) -> subprocess.CompletedProcess[str]:
    """``convoscope train WORDS`` in so many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={port}"]
    command += ["-m", "convoscope", "train", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_torchrun_starts_the_same_command(tmp_path: Path) -> None:
    out, recipe, model = tmp_path / "torchrun", f"{GENTLE},whitening_until=0.5", "convnet:whiten=true,stem_kernel=2"
    words = ["--data", "digits", "--model", model, "--recipe", recipe, "--epochs", 2, "--precision", "float32"]
    done = torchrun(2, *words, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1  # one process speaks for both
    assert Run(out).config["devices"] == 2
    alone = train("digits", model, recipe, epochs=2, precision="float32", out=tmp_path / "alone")
    for loss in ("train_loss", "validation_loss"):
        assert Run(out).curves[-1][loss] == pytest.approx(alone.curves[-1][loss], abs=1e-4)


def slurm(words: list[object]) -> list[tuple[int, str, str]]:
    """``convoscope WORDS`` in two processes as srun starts them: exit code, output and words of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    job = {"JOB_ID": 1, "JOB_NAME": "train", "NNODES": 1, "NODEID": 0, "NODELIST": "localhost"}
    job |= {"NTASKS": 2, "NTASKS_PER_NODE": 2}
    command = [sys.executable, "-m", "convoscope", *map(str, words)]
    started = []
    for rank in (0, 1):
        own = {f"SLURM_{name}": str(value) for name, value in {**job, "PROCID": rank, "LOCALID": rank}.items()}
        environment = {**os.environ, **own, "MASTER_PORT": str(port), "LC_ALL": "C.UTF-8"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env=environment, **pipes))
    try:
        outputs = [process.communicate(timeout=120) for process in started]
    finally:
        for process in started:
            process.kill()
    return [(process.returncode, *output) for process, output in zip(started, outputs, strict=True)]


@pytest.mark.slow
def test_slurm_starts_the_same_command(tmp_path: Path) -> None:
    words = ["--data", "digits", "--recipe", GENTLE, "--epochs", 1, "--precision", "float32"]
    first, second = slurm(["train", *words, "--out", tmp_path / "two"])
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert (first[1].count("\n"), second[1]) == (1, "")
    alone = train("digits", recipe=GENTLE, epochs=1, precision="float32", out=tmp_path / "alone")
    assert Run(tmp_path / "two").curves[-1]["train_loss"] == pytest.approx(alone.curves[-1]["train_loss"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "more", "sentence"),
    [
        ("run.json", [], "already holds a run"),
        (None, ["--data", "mnist", "--data-dir", "/nowhere/at/all"], "does not exist"),
    ],
)
def test_where_the_first_process_refuses_none_waits_for_it(
    tmp_path: Path, file: str | None, more: list[object], sentence: str
) -> None:
    if file:
        (tmp_path / file).write_text("years of work")
    for code, output, words in slurm(["train", "--data", "digits", *more, "--out", tmp_path]):
        assert (code, output) == (2, ""), words
        assert sentence in words


@pytest.mark.slow
def test_where_a_run_is_being_trained_no_process_goes_on_with_it(tmp_path: Path) -> None:
    run = train("digits", "dense-800", epochs=2, out=tmp_path / "run", listener=StopsAfter(3))
    with run.folder.training():
        told = slurm(["train", "--resume", run.path])
    for code, output, words in told:
        assert (code, output) == (2, ""), words
        assert "Another process is training in" in words


@pytest.mark.slow
def test_there_may_be_fewer_pictures_to_choose_by_than_processes(pictures: Path, tmp_path: Path) -> None:
    recipe = GENTLE + ",validation=0.05"
    words = ["--data", pictures, "--model", "dense-800", "--recipe", recipe, "--epochs", 1, "--precision", "float32"]
    done = torchrun(3, *words, "--out", tmp_path / "three")
    assert done.returncode == 0, done.stderr
    three = Run(tmp_path / "three")
    assert three.config["data"]["validation_images"] == 2
    alone = train(pictures, "dense-800", recipe, epochs=1, precision="float32", out=tmp_path / "alone")
    assert three.curves[-1]["validation_loss"] == pytest.approx(alone.curves[-1]["validation_loss"], abs=1e-4)


@pytest.mark.parametrize("devices", [0, -1, 10_000])
def test_devices_that_are_not_there_are_refused(tmp_path: Path, devices: int) -> None:
    with using_language("en"), pytest.raises(RequestError, match=f"{devices} devices were asked for"):
        train("digits", devices=devices, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("started", "asked"), [(2, 4), (1, 2)])
def test_devices_are_as_many_as_torchrun_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: int, asked: int
) -> None:
    for name, value in {"LOCAL_RANK": 0, "RANK": 0, "WORLD_SIZE": started, "LOCAL_WORLD_SIZE": started}.items():
        monkeypatch.setenv(name, str(value))
    sentence = f"{asked} devices were asked for, and torchrun or SLURM has started this many processes: {started}"
    with using_language("en"), pytest.raises(RequestError, match=sentence):
        train("digits", devices=asked, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@TWO_CORES
def test_several_devices_are_refused_where_no_process_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    for tongue, sentence in {
        "en": "2 devices .* an interactive Python",
        "es": "2 dispositivos .* Python inter",
    }.items():
        with using_language(tongue), pytest.raises(RequestError, match=sentence):
            train("digits", devices=2, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    with using_language("en"), pytest.raises(RequestError, match="There are: auto, bfloat16, float32"):
        train("digits", precision="float16", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is glibc's to keep on Linux alone")
def test_freed_memory_is_kept_while_training_and_given_back_after_it() -> None:
    size = 200_000_000
    with freed_memory_kept():
        pass  # gives back what is left of others
    with freed_memory_kept():
        before = resident()
        block = torch.zeros(size, dtype=torch.uint8)
        del block
        assert resident() - before > 0.9 * size
    assert resident() - before < 0.1 * size


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_keeps_its_precision(tmp_path: Path, precision: str) -> None:
    asked = {"epochs": 2, "precision": precision}
    whole = train("digits", out=tmp_path / "whole", **asked)
    train("digits", out=tmp_path / "stopped", listener=StopsAfter(20), **asked)
    resumed = train(resume=tmp_path / "stopped")
    assert resumed.config["precision"] == precision
    assert (resumed.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
    other = {"float32": "bfloat16", "bfloat16": "float32"}[precision]
    with using_language("en"), pytest.raises(RequestError, match="--precision"):
        train(resume=tmp_path / "stopped", precision=other)


@pytest.mark.parametrize(
    ("environment", "threads"),
    [
        ({"SLURM_JOB_ID": 1, "SLURM_PROCID": 0, "SLURM_NTASKS": 4, "SLURM_CPUS_PER_TASK": 8}, 8),  # bound to its own
        ({"SLURM_JOB_ID": 1, "SLURM_PROCID": 0, "SLURM_NTASKS": 4}, 2),
        ({"LOCAL_RANK": 0, "WORLD_SIZE": 4, "SLURM_JOB_ID": 1, "SLURM_PROCID": 0, "SLURM_CPUS_PER_TASK": 8}, 2),
        ({"LOCAL_RANK": 0, "WORLD_SIZE": 4, "GROUP_WORLD_SIZE": 2}, 4),
    ],
    ids=["a task's own", "tasks", "torchrun in a task", "torchrun on two machines"],
)
def test_each_process_gets_its_share_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, int], threads: int
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr("convoscope.training.processes.usable_cores", lambda: 8)
    before = torch.get_num_threads()
    try:
        assert share_threads(SimpleNamespace(world_size=4)) == threads
    finally:
        torch.set_num_threads(before)


def test_a_plan_counts_its_steps() -> None:
    assert Plan(epochs=3, steps=5, images=100).total_steps == 15


def test_several_processes_can_be_started_from_any_thread() -> None:
    """Only the main thread may say what Ctrl-C does."""
    wrong: list[BaseException] = []

    def start() -> None:
        try:
            with _interrupt_passed_on():
                pass
        except ValueError as error:
            wrong.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert wrong == []
