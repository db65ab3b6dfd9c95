"""Real leagues over real digits, each row in its own process: cached, resumed after kills, never lost."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.cores import usable_cores
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.league import League, Request, find_row, measuring, ordered, registry, run_league
from convoscope.league.progress import Cell, Forecast, Listener, Terminal
from convoscope.league.results import Results
from convoscope.league.table import Outcome, table

ROWS = ("lda-pairwise", "decision-tree", "knn")


class Heard(Listener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.failed: list[str] = []

    def on_cell(self, cell: Cell) -> None:
        self.begun.append((cell.row, cell.seed))

    def on_failed(self, cell: Cell, reason: str) -> None:
        self.failed.append(reason)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> League:
    """Three rows on the 8x8 digits."""
    out = tmp_path_factory.mktemp("league") / "digits"
    return run_league(Request("digits", rows=ROWS, seeds=2, out=out))


def entries(league: League) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in league.table()["rows"]}


def test_the_figures_are_those_of_the_saved_predictions(played: League) -> None:
    data = cs.load("digits")
    found = entries(played)
    for name in ROWS:
        entry = found[name]
        files = sorted((played.folder / "results").glob(f"{name}-?-*.npz"))
        errors = []
        for file in files:
            with np.load(file, allow_pickle=False) as saved:
                errors.append((saved["predictions"] != data.test.labels).mean())
        assert entry["status"] == "measured"
        assert entry["seeds"] == ([0, 1] if registry.get(name).stochastic else [0])
        assert entry["error"] == pytest.approx(np.mean(errors))
        assert entry["errors"] == pytest.approx(errors)
        low, high = entry["interval"]
        assert low <= entry["error"] <= high
        assert (entry["error_std"] is None) == (len(errors) == 1)
    assert found["decision-tree"]["error_std"] == pytest.approx(np.std(found["decision-tree"]["errors"], ddof=1))


def test_a_row_that_is_not_asked_for_keeps_all_its_seeds(played: League, tmp_path: Path) -> None:
    out = tmp_path / "league"
    shutil.copytree(played.folder, out)
    of_another = run_league(Request("digits", rows=("knn",), seeds=1, out=out))
    assert entries(of_another)["decision-tree"]["seeds"] == [0, 1]
    of_it = run_league(Request("digits", rows=("decision-tree",), seeds=1, out=out))
    assert entries(of_it)["decision-tree"]["seeds"] == [0]


def test_every_figure_says_where_it_comes_from(played: League) -> None:
    for name in ROWS:
        entry = entries(played)[name]
        stated = {"seconds", "predict_seconds", "peak_memory_bytes", "size_bytes", "hardware", "versions", "date"}
        assert stated | {"settings", "threads", "published_error", "source"} <= entry.keys()
        assert entry["peak_memory_bytes"] > 10_000_000
        assert entry["size_bytes"] > 1000


def test_a_published_error_is_compared_on_its_own_data_only(
    played: League, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entries(played)["lda-pairwise"]
    assert (entry["published_error"], entry["published_here"]) == (0.076, False)
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "cache"))
    pictures = colour_pictures(tmp_path / "mnist", {"one": 6, "two": 6})
    shown = {}
    for data, quick in (("digits", False), ("digits", True), (str(pictures), False)):
        league = run_league(Request(data, rows=("decision-tree",), seeds=1, quick=quick, out=tmp_path / "league"))
        done = league.outcomes["decision-tree"]
        for name in ("digits", "mnist"):  # as if its error had been published on either
            row = dataclasses.replace(done.row, published_error=0.1, published_on=name)
            league.outcomes["decision-tree"] = dataclasses.replace(done, row=row)
            shown[Path(data).name, quick, name] = entries(league)["decision-tree"]["published_here"]
    assert [case for case, here in shown.items() if here] == [("digits", False, "digits")]


def test_seeds_of_several_origins_name_them_all(played: League) -> None:
    done = played.outcomes["decision-tree"]
    seeds = Outcome(done.row)
    for seed, (commit, date, cores, sklearn) in enumerate([
        ("b", "2026-11-03T10:00:00", "2 cores", "1.9.0"),
        ("a", "2026-11-01T10:00:00", "4 cores", "1.9.1"),
        ("b", "2026-11-02T10:00:00", "2 cores", "1.9.0"),
    ]):  # fmt: skip
        there = {"commit": commit, "date": date, "hardware": f"AMD EPYC, {cores}", "threads": cores[0]}
        seeds.add(seed, {**done.figures[0], **there, "versions": {"scikit-learn": sklearn}}, done.predictions[0])
    (entry,) = table({"decision-tree": seeds}, cs.load("digits").test.labels)["rows"]
    assert entry["commit"] == "a, b"
    assert entry["date"] == "2026-11-03T10:00:00"
    assert entry["hardware"] == "AMD EPYC, 2 cores; AMD EPYC, 4 cores"
    assert entry["threads"] == "2, 4"
    assert entry["versions"] == {"scikit-learn": "1.9.0, 1.9.1"}


def test_all_libraries_use_as_many_threads_as_the_record_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        measuring, "PROGRAM", "import numba, joblib; print(numba.get_num_threads(), joblib.cpu_count())"
    )
    for told, heard in {"1": "1 1", "": f"{usable_cores()} {usable_cores()}"}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        with tempfile.TemporaryFile() as complaints, measuring.start(complaints) as process:
            assert process.communicate()[0].strip() == heard
            assert process.returncode == 0


def test_rows_that_were_not_run_say_so(played: League) -> None:
    for name, entry in entries(played).items():
        if name not in ROWS:
            assert (entry["status"], entry["error"], entry["seconds"]) == ("not reproduced yet", None, None)
    assert json.loads((played.folder / "league.json").read_text("utf-8")) == json.loads(json.dumps(played.table()))


def test_what_all_rows_miss_is_what_each_misses(played: League) -> None:
    whole = played.table()
    missed = [set(entry["missed"]) for entry in whole["rows"] if entry["status"] == "measured"]
    assert set(whole["missed_by_all"]) == set.intersection(*missed)


def test_two_rows_are_compared_by_their_predictions(played: League) -> None:
    found = played.compare("knn", "decision tree")
    first, second = (set(entries(played)[name]["missed"]) for name in ("knn", "decision-tree"))
    assert (found.only_first, found.only_second) == (len(first - second), len(second - first))
    assert found.both == len(first & second)
    assert found.p < 1e-6
    with using_language("en"), pytest.raises(RequestError, match="rbf-svm can't be compared: it has not been run"):
        played.compare("knn", "rbf-svm")


def test_what_is_done_is_not_done_again(played: League) -> None:
    heard = Heard()
    again = run_league(Request("digits", rows=(*ROWS, "logistic-regression"), seeds=2, out=played.folder), heard)
    assert heard.begun == [("logistic-regression", 0)]
    for name in ROWS:
        assert entries(again)[name] == entries(played)[name]
    heard = Heard()
    run_league(Request("digits", rows=("decision-tree",), seeds=3, out=played.folder), heard)
    assert heard.begun == [("decision-tree", 2)]


def test_damaged_results_are_measured_again(played: League, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(played.folder, copy)
    files = {row: next((copy / "results").glob(f"{row}-0-*.json")) for row in ROWS}
    files[ROWS[0]].write_text("{", "utf-8")
    torn = files[ROWS[1]].with_suffix(".npz")
    torn.write_bytes(torn.read_bytes()[:40])
    files[ROWS[2]].with_suffix(".npz").unlink()
    heard = Heard()
    league = run_league(Request("digits", rows=ROWS, seeds=2, out=copy), heard)
    assert heard.begun == [(row, 0) for row in ROWS]
    for row in ROWS:
        assert entries(league)[row]["error"] == entries(played)[row]["error"]


def test_a_row_of_another_data_set_is_not_taken_for_this_one(played: League) -> None:
    heard = Heard()
    run_league(Request("digits", rows=("knn",), quick=True, out=played.folder), heard)
    assert heard.begun == [("knn", 0)]


@pytest.mark.slow
def test_kill_9_loses_no_finished_row(tmp_path: Path) -> None:
    out = tmp_path / "league"
    words = ["league", "--data", "digits", "--out", str(out), "--json", "--quick", "--seeds", "1"]
    words += [word for row in ("lda-pairwise", "pca-quadratic", "lenet5") for word in ("--row", row)]
    command = [sys.executable, "-m", "convoscope", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: any((out / "runs").glob("lenet5-*/checkpoint/*")))  # the third row is being trained
        (worker,) = children(process.pid)
        process.kill()
        process.wait()
    wait_until(lambda: not Path(f"/proc/{worker}").exists())  # the one that worked for it ends, too
    before = {file.name: file.read_bytes() for file in (out / "results").iterdir()}
    assert {name.split("-0-")[0] for name in before if name.endswith(".json")} == {"lda-pairwise", "pca-quadratic"}
    curves = next((out / "runs").glob("lenet5-*/curves.jsonl"))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 of 1: lenet5" in done.stderr
    assert "pca-quadratic" not in done.stderr
    for name, content in before.items():
        assert (out / "results" / name).read_bytes() == content, name
    rows = json.loads(done.stdout)["rows"]
    assert [row["status"] for row in rows] == ["measured"] * 3
    epochs = [json.loads(line)["epoch"] for line in curves.read_text("utf-8").splitlines()]
    assert epochs == list(range(1, len(epochs) + 1)), "the training went on from its checkpoint"


class Murderer(Listener):
    """Kills the process of a row as soon as it reports progress."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def on_progress(self, cell: Cell, share: float) -> None:
        if cell.row == "lenet5":
            for child in children(os.getpid()):
                # Python's own helpers and other tests' servers are children, too.
                if b"convoscope.league.cell" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(children(child)[0], signal.SIGKILL)

    def on_failed(self, cell: Cell, reason: str) -> None:
        self.reasons.append(reason)


@pytest.mark.slow
def test_a_row_that_crashes_ends_only_itself(tmp_path: Path) -> None:
    murderer = Murderer()
    request = Request("digits", rows=("lenet5", "knn"), quick=True, out=tmp_path / "league")
    with using_language("en"):
        found = entries(run_league(request, murderer))
        assert found["lenet5"]["status"] == "failed"
        assert "SIGKILL" in str(found["lenet5"]["reason"])
        assert found["knn"]["status"] == "measured"
        assert murderer.reasons == [found["lenet5"]["reason"]]


def test_where_a_process_cannot_divide_each_row_has_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undivided = "from convoscope.league import cell; cell._ended = lambda: None; cell.main()"
    monkeypatch.setattr(measuring, "PROGRAM", undivided)
    started: list[int] = []
    start = measuring.start

    def counted(*words: Any) -> subprocess.Popen[str]:
        started.append(1)
        return start(*words)

    monkeypatch.setattr(measuring, "start", counted)
    request = Request("digits", rows=("knn", "decision-tree"), seeds=1, quick=True, out=tmp_path / "league")
    found = entries(run_league(request))
    assert [(found[name]["status"], found[name]["reason"]) for name in request.rows] == [("measured", None)] * 2
    assert len(started) == 2


def test_files_of_the_folder_that_one_works_in_are_not_taken_for_pythons_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random", "typing", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a student wrote this')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    found = entries(run_league(Request("digits", rows=("knn",), quick=True, out=tmp_path / "league")))
    assert found["knn"]["status"] == "measured", found["knn"]["reason"]


def test_what_a_row_cannot_take_does_not_stop_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "cache"))
    pictures = colour_pictures(tmp_path / "pictures", {"one": 6, "two": 6})
    with using_language("es"):
        league = run_league(Request(str(pictures), rows=("p2dhmdm", "knn"), out=tmp_path / "league"))
        found = entries(league)
    assert found["p2dhmdm"]["status"] == "does not apply"
    assert "grises" in str(found["p2dhmdm"]["reason"])
    assert found["knn"]["status"] == "measured"


def test_a_folder_of_one_class_applies_to_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "cache"))
    pictures = colour_pictures(tmp_path / "pictures", {"one": 6})
    league = run_league(Request(str(pictures), out=tmp_path / "league"))
    assert {entry["status"] for entry in league.table()["rows"]} == {"does not apply"}
    assert all(entry["reason"] for entry in league.table()["rows"])


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    with using_language("en"), pytest.raises(RequestError, match="holds something else than a league"):
        run_league(Request("digits", rows=("knn",), out=tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]
    with using_language("en"), pytest.raises(RequestError, match="is a file"):
        run_league(Request("digits", rows=("knn",), out=tmp_path / "letter.txt"))


def test_a_project_with_a_folder_of_results_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "round-1.json").write_text("{}", "utf-8")
    (tmp_path / "league.json").write_text('{"rows": ["Boca", "River"]}', "utf-8")
    with using_language("en"), pytest.raises(RequestError, match="holds something else than a league"):
        run_league(Request("digits", rows=("knn",), out=tmp_path))
    assert (tmp_path / "league.json").read_text("utf-8") == '{"rows": ["Boca", "River"]}'
    assert not (tmp_path / "league.html").exists()


def test_the_folder_of_a_league_is_known_however_early_it_was_killed(played: League, tmp_path: Path) -> None:
    Results(tmp_path / "first").prepare()
    Results(tmp_path / "first").prepare()  # killed before its table: an empty folder of results
    shutil.copytree(played.folder / "results", tmp_path / "second" / "results")
    (tmp_path / "second" / "notes.txt").write_text("mine", "utf-8")
    Results(tmp_path / "second").prepare()
    (tmp_path / "third").mkdir()
    shutil.copy(played.folder / "league.json", tmp_path / "third")
    Results(tmp_path / "third").prepare()


@pytest.mark.parametrize("seeds", [0, -1, 101])
def test_seeds_out_of_range_are_refused_before_anything_is_made(tmp_path: Path, seeds: int) -> None:
    with using_language("en"), pytest.raises(RequestError, match="choose 1 to 100"):
        run_league(Request("digits", seeds=seeds, out=tmp_path / "league"))
    assert not (tmp_path / "league").exists()


def test_the_time_left_follows_what_was_measured() -> None:
    cells = [Cell("knn", seed, "", 10.0) for seed in range(3)]
    forecast = Forecast(cells)
    assert forecast.total == 30
    forecast.start(cells[0])
    forecast.move(0.5)
    assert forecast.passed == 5
    forecast.finish()
    assert forecast.passed == 10
    assert 0 < forecast.left() < 60


def test_seeds_stand_in_their_order_however_they_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    outcome, terminal = Outcome(registry.get("decision-tree")), Terminal()
    terminal.on_begin([])
    for seed in (1, 2, 0):  # the first one failed in an earlier run
        outcome.add(seed, {"error": seed / 10, "seconds": 1234.5 + seed}, np.array([seed]))
        with using_language("es"):
            terminal.on_measured(Cell("decision-tree", seed, "", 1.0), outcome)
    assert outcome.seeds == [0, 1, 2]
    assert [each["error"] for each in outcome.figures] == [0, 0.1, 0.2]
    assert [each.tolist() for each in outcome.predictions] == [[0], [1], [2]]
    one, two, none = capsys.readouterr().err.splitlines()
    assert "10.00%" in one
    assert "1\u00a0235.5 s" in one
    assert "20.00%" in two
    assert "0.00%" in none


def test_an_outcome_without_seeds_has_a_status() -> None:
    row = registry.get(find_row("knn"))
    assert Outcome(row).status == "not reproduced yet"
    assert Outcome(row, reason={"en": "x", "es": "x"}).status == "failed"
    assert Outcome(row, reason={"en": "x", "es": "x"}, refused=True).status == "does not apply"
    assert ordered()[0] == "lda-pairwise"


def colour_pictures(folder: Path, counts: dict[str, int]) -> Path:
    """Real digits, in red, as PNG files in class folders."""
    digits = cs.load("digits").train
    for label, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(digits.images[digits.labels == label][:count, 0]):
            red = np.stack([image, image // 2, image // 3], axis=-1)
            Image.fromarray(red).save(folder / name / f"{number}.png")
    return folder


def children(process: int) -> list[int]:
    """The processes that `process` started and that are still there."""
    tasks = Path(f"/proc/{process}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text("ascii").split()]


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")
