"""Networks of the league, trained for real on the 8x8 digits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

import convoscope as cs
from convoscope.league.networks import Committee, Network
from convoscope.league.row import Work
from convoscope.runs.folder import RunFolder

SHORT = Network("quick", quick_epochs=1)


def test_a_folder_that_a_kill_left_before_it_was_a_run_is_begun_anew(tmp_path: Path) -> None:
    work = Work(0, True, tmp_path / "run", lambda _: None)
    RunFolder.create(work.folder)  # and killed here, before run.json
    measured = SHORT.measure(cs.load("digits"), work)
    assert len(measured.predictions) == 360
    assert (work.folder / "run.json").is_file()


def test_the_threads_are_those_of_the_run(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    team = Committee((SHORT, SHORT, SHORT), quick=2)
    work = Work(0, True, tmp_path / "team", lambda _: None)
    try:
        torch.set_num_threads(1)
        SHORT.measure(cs.load("digits"), Work(1000, True, work.folder / "0", lambda _: None))  # as a first sitting did
        torch.set_num_threads(2)
        assert team.measure(cs.load("digits"), work).threads == "1, 2"
    finally:
        torch.set_num_threads(threads)


def test_a_part_of_a_committee_is_quick(tmp_path: Path) -> None:
    data = cs.load("digits")
    team = Committee((SHORT, SHORT, SHORT), quick=2)
    assert [len(team.settings(data, quick)["members"]) for quick in (True, False)] == [2, 3]
    shares: list[float] = []
    team.measure(data, Work(0, True, tmp_path / "team", shares.append))
    assert sorted(folder.name for folder in (tmp_path / "team").iterdir()) == ["0", "1"]
    assert shares[-1] == 1


def test_a_network_that_does_not_fit_into_memory_is_checked_without_its_weights() -> None:
    program = """
import resource, numpy as np
from convoscope.data import from_arrays
from convoscope.league import registry
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
pictures = from_arrays(np.zeros((20, 1, 1024, 1024), np.uint8), [0, 1] * 10)
registry.get("dense-6-elastic").learner.check(pictures)
"""  # 784-2500 becomes 1048576-2500: 10 GB
    subprocess.run([sys.executable, "-c", program], check=True)
