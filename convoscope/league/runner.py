"""Run the league: every row and seed that is not done yet, each in its own process, and the table of all that is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError
from convoscope.core.files import write_json
from convoscope.core.messages import say
from convoscope.data import ImageData
from convoscope.data.sets import as_folder
from convoscope.league import cell
from convoscope.league.mcnemar import McNemar, mcnemar
from convoscope.league.measuring import Measuring
from convoscope.league.pictures import Pictures, describe
from convoscope.league.progress import Cell, Listener
from convoscope.league.results import Results
from convoscope.league.row import find_row, ordered, registry
from convoscope.league.table import Outcome, table
from convoscope.league.words import Words, chosen, in_all_languages
from convoscope.training.launch import check_size

MOST_SEEDS = 100


@dataclass(frozen=True)
class Request:
    """What was asked for; the arguments of `run_league`."""

    data: str = "mnist-5k"
    rows: tuple[str, ...] = ()
    seeds: int | None = None
    quick: bool = False
    out: Path | None = None
    data_dir: Path | None = None
    size: int | None = None

    @property
    def command(self) -> str:
        """The command that asks for the same."""
        words = ["convoscope", "league", "--data", self.data]
        words += [word for row in self.rows for word in ("--row", row)]
        words += [] if self.seeds is None else ["--seeds", str(self.seeds)]
        words += ["--quick"] if self.quick else []
        words += [] if self.size is None else ["--size", str(self.size)]
        return shlex.join(words)


@dataclass
class League:
    """A league as far as it has been played.

    Attributes:
        folder: where everything lies.
        data: the pictures; None where no row can take what was given.
        outcomes: short name of a row -> what is known of it, for all rows.
        asked: the short names of the rows that were asked for.
        command: what was asked.
        data_set: the data set's name, where all of one is played on, and no folder.
    """

    folder: Path
    data: ImageData | None
    quick: bool
    asked: tuple[str, ...]
    command: str
    data_set: str | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def table(self) -> dict[str, Any]:
        """The table, JSON-ready; see docs/league.md."""
        about = {} if self.data is None else {"data": describe(self.data, self.quick)}
        labels = np.zeros(0, np.int64) if self.data is None else self.data.test.labels
        rows = table(self.outcomes, labels, self.data_set)
        return {**about, "quick": self.quick, "command": self.command, **rows}

    def missed(self, row: str) -> NDArray[np.bool_]:
        """(N,) which test pictures a row got wrong with its first seed.

        Raises:
            RequestError: it has not been measured.
        """
        name = find_row(row)
        outcome = self.outcomes[name]
        if self.data is None or not outcome.seeds:
            raise RequestError("league.not_measured", row=name, reason=outcome.reason_or_none or say("league.not_run"))
        missed: NDArray[np.bool_] = outcome.predictions[0] != self.data.test.labels
        return missed

    def compare(self, first: str, second: str) -> McNemar:
        """McNemar's test between two rows, each with its first seed.

        Raises:
            RequestError: no such row, or one that has not been measured.
        """
        return mcnemar(self.missed(first), self.missed(second))


def run_league(request: Request, listener: Listener | None = None) -> League:
    """Measure the rows that were asked for, all of them if none was; what is done already is not done again.

    Returns:
        the league, with what its folder knows of the other rows.

    Raises:
        RequestError: no such row or data, seeds or a size out of range, or a folder that holds something else.
    """
    listener = listener or Listener()
    asked = tuple(dict.fromkeys(find_row(row) for row in request.rows)) or tuple(ordered())
    if request.seeds is not None and not 1 <= request.seeds <= MOST_SEEDS:
        raise RequestError("league.seeds", asked=request.seeds, most=MOST_SEEDS)
    check_size(request.size)
    out = request.out or Path("runs") / _folder_name(request)
    Results(out).prepare()
    pictures = Pictures(
        request.data, None if request.data_dir is None else str(request.data_dir), request.size, request.quick
    )
    try:
        data = pictures.load()
    except RequestError as error:
        if error.key not in _NOTHING_TO_LEARN:
            raise
        reason = in_all_languages(error)
        league = League(out, None, request.quick, asked, request.command)
        league.outcomes = {name: Outcome(registry.get(name), reason=reason, refused=True) for name in ordered()}
        return _written(league)
    return _Play(request, pictures, data, out, asked, listener).run()


_NOTHING_TO_LEARN = ("data.folder_one_class", "data.class_small")
"""What `load` finds wrong with a folder that every row would refuse for the same reason."""


class _Play:
    def __init__(
        self,
        request: Request,
        pictures: Pictures,
        data: ImageData,
        out: Path,
        asked: tuple[str, ...],
        listener: Listener,
    ) -> None:
        self.request, self.pictures, self.data, self.listener = request, pictures, data, listener
        self.results = Results(out)
        whole = not request.quick and as_folder(request.data) is None
        self.league = League(out, data, request.quick, asked, request.command, data.name if whole else None)

    def run(self) -> League:
        cells = [each for name in ordered() for each in self._look_up(name)]
        _written(self.league)
        self.listener.on_begin(cells)
        try:
            with Measuring() as measuring:
                for each in cells:
                    self._play(each, measuring)
        finally:
            self.listener.on_end()
        return self.league

    def _play(self, each: Cell, measuring: Measuring) -> None:
        self.listener.on_cell(each)
        failure = self._measure(each, measuring)
        if failure is None:
            self._take(each)
            self.listener.on_measured(each, self.league.outcomes[each.row])
        else:
            self.league.outcomes[each.row].reason = failure
            self.listener.on_failed(each, chosen(failure))
        _written(self.league)

    def _look_up(self, name: str) -> Iterator[Cell]:
        """What is known of a row goes into the league; what is asked for and not known is given.

        Of a row that is not asked for, all seeds that the folder holds count, however many are asked of the others.
        """
        row = registry.get(name)
        outcome = self.league.outcomes[name] = Outcome(row)
        try:
            row.learner.check(self.data)
        except RequestError as error:
            outcome.reason, outcome.refused = in_all_languages(error), True
            return
        asked = name in self.league.asked
        seeds = 1 if self.request.quick and self.request.seeds is None else self.request.seeds
        for seed in row.seeds(seeds) if asked else self.results.seeds(name):
            key = cell.key(row, self.data, self.request.quick, seed)
            share = 1.0 if self.request.quick else len(self.data.train) / 60_000
            found = Cell(name, seed, key, row.seconds[self.request.quick] * share)
            if not self._take(found) and asked:
                yield found

    def _take(self, each: Cell) -> bool:
        """Read a finished seed from the folder."""
        found = self.results.read(each.row, each.seed, each.key, len(self.data.test))
        if found is None:
            return False
        self.league.outcomes[each.row].add(each.seed, *found)
        return True

    def _measure(self, each: Cell, measuring: Measuring) -> Words | None:
        """Have a process of its own measure a seed; returns why it could not, in each language."""
        task = cell.Task(asdict(self.pictures), each.row, each.seed, each.key, str(self.results.folder.absolute()))
        return measuring.measure(task, partial(self.listener.on_progress, each))


def _written(league: League) -> League:
    write_json(league.folder / "league.json", league.table())
    return league


def _folder_name(request: Request) -> str:
    name = Path(request.data).name or "images"
    return f"league-{name}" + ("-quick" if request.quick else "")
