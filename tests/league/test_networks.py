"""Networks of the league, trained for real on the 8x8 digits."""

from __future__ import annotations

from pathlib import Path

import convoscope as cs
from convoscope.league.networks import Network
from convoscope.league.row import Work
from convoscope.runs.folder import RunFolder

SHORT = Network("quick", quick_epochs=1)


def test_a_folder_that_a_kill_left_before_it_was_a_run_is_begun_anew(tmp_path: Path) -> None:
    work = Work(0, True, tmp_path / "run", lambda _: None)
    RunFolder.create(work.folder)  # and killed here, before run.json
    measured = SHORT.measure(cs.load("digits"), work)
    assert len(measured.predictions) == 360
    assert (work.folder / "run.json").is_file()
