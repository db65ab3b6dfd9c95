"""``convoscope league``: learners of all kinds on the same pictures, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer, option, tell
from convoscope.core.messages import say
from convoscope.core.numerals import grouped

if TYPE_CHECKING:
    from convoscope.league import League


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("cli.league_help"))
    def league(
        data: Annotated[str, option("--data", "train_data", metavar="NAME|FOLDER")] = "mnist-5k",
        row: Annotated[list[str] | None, option("--row", "league_row", metavar="NAME")] = None,
        seeds: Annotated[int | None, option("--seeds", "league_seeds", metavar="N")] = None,
        quick: Annotated[bool, option("--quick", "league_quick")] = False,
        compare: Annotated[tuple[str, str] | None, option("--compare", "league_compare", metavar="NAME NAME")] = None,
        out: Annotated[Path | None, option("--out", "league_out", metavar="DIR")] = None,
        size: Annotated[int | None, option("--size", "train_size", metavar="PIXELS")] = None,
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.league import Request, run_league
        from convoscope.league.drawing import draw_league
        from convoscope.league.progress import Terminal
        from convoscope.web.league_document import write_league_page

        rows = (*(row or ()), *(compare or ()))
        asked = Request(data, rows, seeds, quick, out, data_dir, size)
        played = run_league(asked, Terminal())
        whole = played.table()
        rows_asked = [entry for entry in whole["rows"] if entry["id"] in played.asked]
        table = {**whole, "rows": rows_asked, "out": str(played.folder)}
        words = [*_words(played, table)]
        if compare:
            table["comparison"], sentence = _comparison(played, *compare)
            words += ["", sentence]
        page = write_league_page(played, played.folder / "league.html")
        if any(entry["error"] is not None for entry in whole["rows"]):
            draw_league(played.folder / "league.png", whole)
        tell(say("cli.league_next", path=str(page)))
        answer(as_json, table, "\n".join(words))


def _words(played: League, table: dict[str, Any]) -> list[str]:
    """The table, one line a row."""
    heads = [say(f"cli.league_{name}") for name in ("head_row", "published", "error", "interval", "fit", "predict")]
    heads += [say(f"cli.league_{name}") for name in ("memory", "size")]
    lines = [heads, *(_line(entry) for entry in table["rows"])]
    widths = [max(len(line[at]) for line in lines if len(line) == len(heads)) for at in range(len(heads))]
    widths[0] = max(len(line[0]) for line in lines)
    about = []
    if played.data is not None:
        counts = {"training": grouped(len(played.data.train)), "test": grouped(len(played.data.test))}
        key = "cli.league_on_part" if played.quick else "cli.league_on"
        about = [say(key, data=played.data.name, **counts), ""]
    return about + [_set(line, widths) for line in lines]


def _set(line: list[str], widths: list[int]) -> str:
    first, *rest = line
    cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=False)]
    return "  ".join([f"{first:<{widths[0]}}", *(cells if len(rest) > 2 else rest)]).rstrip()


def _line(entry: dict[str, Any]) -> list[str]:
    """The cells of a row; two or three of a row without a figure."""
    published = "–" if entry["published_error"] is None else f"{entry['published_error']:.2%}"
    if entry["error"] is None:
        status = say(f"cli.league_status_{entry['status'].replace(' ', '_')}")
        return [entry["id"], published, status + (f": {entry['reason']}" if entry["reason"] else "")]
    low, high = entry["interval"]
    spread = "" if entry["error_std"] is None else f" ± {entry['error_std']:.2%}"
    spent = [f"{grouped(entry[key], 1)} s" for key in ("seconds", "predict_seconds")]
    return [
        entry["id"], published, f"{entry['error']:.2%}{spread}", f"{low:.2%}–{high:.2%}", *spent,
        _bytes(entry["peak_memory_bytes"]), _bytes(entry["size_bytes"]),
    ]  # fmt: skip


def _bytes(count: int | None) -> str:
    return "–" if count is None else f"{grouped(count / 1e6, 1 if count < 1e7 else 0)} MB"


def _comparison(played: League, first: str, second: str) -> tuple[dict[str, Any], str]:
    """McNemar's test between two rows: JSON-ready, and as a sentence."""
    from dataclasses import asdict

    from convoscope.league import find_row

    found = played.compare(first, second)
    names = {"first": find_row(first), "second": find_row(second)}
    p = f"{found.p:.2g}"
    counts = {"only_first": found.only_first, "only_second": found.only_second, "both": found.both}
    return {**names, **asdict(found)}, say("cli.league_mcnemar", **names, **counts, p=p)
