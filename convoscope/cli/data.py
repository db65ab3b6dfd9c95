"""``convoscope data``: which data sets there are, what is in one, getting one, and checking a folder of pictures."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer, printable
from convoscope.core.messages import language, say
from convoscope.core.numerals import grouped

if TYPE_CHECKING:
    from convoscope.data import DataSet, Images
    from convoscope.data.listing import Listing
    from convoscope.data.store import Stored

_SHADES = " .:-=+*#%@"
_SHOWN = 20  # names of left-out and repeated files that are listed for people; --json has them all


def _option(name: str, key: str, place: str, **limits: Any) -> Any:
    return typer.Option(name, metavar=place, help=say(f"data.cli_preview_{key}"), show_default=False, **limits)


def register(app: typer.Typer) -> None:
    """Add the commands, their help in the language in use."""
    group = typer.Typer(help=say("data.cli_help"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="data")

    @group.command("list", help=say("data.cli_list_help"))
    def list_(data_dir: DataDir = None, as_json: AsJson = False, lang: Lang = None) -> None:
        from convoscope.data import registry

        rows = [_description(registry.get(name), data_dir) for name in registry]
        answer(as_json, {"data_sets": rows}, _table(rows))

    @group.command(help=say("data.cli_show_help"))
    def show(
        name: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help=say("cli.argument_data"), show_default=False)],
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        _show(name, data_dir, as_json)

    @group.command(help=say("data.cli_get_help"))
    def get(
        name: Annotated[str, typer.Argument(metavar="NAME", help=say("cli.argument_data_set"), show_default=False)],
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.data import load, registry

        data_set = registry.get(name)
        with _progress() as progress:
            loaded = load(data_set.name, data_dir=data_dir, progress=progress)
        value = {"name": name, "source": loaded.source, "fingerprint": loaded.fingerprint}
        answer(as_json, value, say("data.cli_got", name=name, source=loaded.source))

    @group.command(help=say("data.cli_preview_help"))
    def preview(
        name: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help=say("cli.argument_data"), show_default=False)],
        by: Annotated[str, _option("--by", "by", "NAME")] = "default",
        count: Annotated[int, _option("--count", "count", "N", min=1, max=50)] = 4,
        seed: Annotated[int, _option("--seed", "seed", "N", min=0, max=2**31 - 1)] = 0,
        out: Annotated[Path | None, _option("--out", "out", "FILE.png")] = None,
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.cli._maps import write_png
        from convoscope.cli._preview import change_named, check_png, free_name, sheet
        from convoscope.data import load

        file = out or free_name()
        check_png(file)
        change_named(by, 1, mirrored=False)  # before the data are read
        with _progress() as progress:
            loaded = load(name, data_dir=data_dir, progress=progress)
        change = change_named(by, loaded.shape[0], loaded.mirrored)
        write_png(sheet(loaded.train, change, count, seed), file)
        value = {"file": str(file), "data": loaded.name, "by": by, "count": count, "seed": seed}
        answer(as_json, value, say("data.cli_previewed", file=file, count=count, by=by))

    @group.command(help=say("data.cli_check_help"))
    def check(
        folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=say("cli.argument_folder"), show_default=False)],
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        _check(folder, as_json)


def _description(data_set: DataSet, data_dir: Path | None) -> dict[str, Any]:
    from convoscope.data.sources import on_disk

    place = None if data_set.bundled else on_disk(data_set, data_dir)
    return {
        "name": data_set.name,
        "shape": list(data_set.shape),
        "classes": list(data_set.classes_es if language() == "es" else data_set.classes),
        "train_count": data_set.counts[0],
        "test_count": data_set.counts[1],
        "official_split": data_set.official_split,
        "mirrored": data_set.mirrored,
        "on_disk": data_set.bundled or place is not None,
        "folder": str(place.folder) if place else None,
        "licence": data_set.licence,
        "homepage": data_set.homepage,
        "citation": data_set.citation,
    }


def _table(rows: list[dict[str, Any]]) -> str:
    heads = [say(f"data.cli_head_{key}") for key in ("name", "shape", "train", "test", "where")]
    lines = [f"{heads[0]:<14} {heads[1]:>9} {heads[2]:>9} {heads[3]:>8}  {heads[4]}"]
    for row in rows:
        where = row["folder"] or say("data.cli_bundled" if row["on_disk"] else "data.cli_to_get")
        shape = "x".join(map(str, row["shape"]))
        lines.append(
            f"{row['name']:<14} {shape:>9} {grouped(row['train_count']):>9} {grouped(row['test_count']):>8}  {where}"
        )
    return "\n".join(lines)


def _show(name: str, data_dir: Path | None, as_json: bool) -> None:
    from convoscope.data import load, registry
    from convoscope.data.sets import as_folder
    from convoscope.data.splits import class_counts
    from convoscope.data.statistics import mean_and_std

    value: dict[str, Any] = {}
    if as_folder(name) is None:
        value = _description(registry.get(name), data_dir)
        if not value["on_disk"]:
            answer(as_json, value, "\n".join([*_facts(value), say("data.cli_get_first", name=name)]))
            return
    with _progress() as progress:
        loaded = load(name, data_dir=data_dir, progress=progress)
    mean, std = mean_and_std(loaded.train.images)
    value = {
        "name": loaded.name,
        "shape": list(loaded.shape),
        "classes": [_text(each) for each in loaded.classes],
        "train_count": len(loaded.train),
        "test_count": len(loaded.test),
        "mirrored": loaded.mirrored,
        "licence": loaded.licence,
        **value,
        "train_counts": class_counts(loaded.train.labels, len(loaded.classes)),
        "test_counts": class_counts(loaded.test.labels, len(loaded.classes)),
        "mean": mean,
        "std": std,
        "source": loaded.source,
        "fingerprint": loaded.fingerprint,
        "left_out": len(loaded.left_out),
    }
    lines = _facts(value)
    if sys.stdout.isatty():
        lines += ["", *_drawing(loaded.train)]
    answer(as_json, value, "\n".join(lines))


def _facts(value: dict[str, Any]) -> list[str]:
    """What is known of a data set, a line each."""
    counts = " + ".join(grouped(value[f"{part}_count"]) for part in ("train", "test"))
    lines = [f"{value['name']}: {'x'.join(map(str, value['shape']))}, {counts}"]
    if "mean" in value:
        lines.append(f"{say('data.cli_mean')}: " + ", ".join(f"{each:.4f}" for each in value["mean"]))
        lines.append(f"{say('data.cli_std')}: " + ", ".join(f"{each:.4f}" for each in value["std"]))
    for key in ("source", "licence", "citation", "homepage"):
        if value.get(key):
            lines.append(f"{say(f'data.cli_{key}')}: {value[key]}")
    if "train_counts" in value:
        names = [printable(name) for name in value["classes"]]
        width = max(map(len, names))
        lines.append(f"{say('data.cli_class'):<{width}} {say('data.cli_head_train'):>9} {say('data.cli_head_test'):>8}")
        rows = zip(names, value["train_counts"], value["test_counts"], strict=True)
        lines += [f"{name:<{width}} {grouped(train):>9} {grouped(test):>8}" for name, train, test in rows]
    return lines


def _drawing(images: Images, columns: int = 24, most: int = 3) -> list[str]:
    """The first pictures of the first classes side by side, in characters twice as high as wide."""
    from convoscope.data.decode import fit

    firsts = [int((images.labels == label).argmax()) for label in range(most) if (images.labels == label).any()]
    drawn = []
    for row in firsts:
        small = fit(images.images[row], channels=1, size=(columns // 2, columns))[0]
        drawn.append(["".join(_SHADES[int(value) * len(_SHADES) // 256] for value in line) for line in small])
    return ["  ".join(lines).rstrip() for lines in zip(*drawn, strict=True)]


def _check(folder: Path, as_json: bool) -> None:
    from convoscope.core.errors import RequestError
    from convoscope.data.folder import check_classes
    from convoscope.data.listing import list_folder
    from convoscope.data.store import stored

    listing = list_folder(folder)
    with _progress() as progress:
        kept = stored(listing, None, progress)
    problem = None
    try:
        check_classes(listing, kept)
    except RequestError as error:
        problem = error
    value = {**_report(listing, kept), "problem": str(problem) if problem else None}
    answer(as_json, value, "\n".join(_report_lines(value)))
    if problem is not None:
        raise problem


def _report(listing: Listing, kept: Stored) -> dict[str, Any]:
    from convoscope.data.splits import class_counts
    from convoscope.data.statistics import duplicates

    cut = kept.train_count
    test = set(kept.names[cut:])
    label = dict(zip(kept.names, kept.labels.tolist(), strict=True))
    counts = [class_counts(part, len(listing.classes)) for part in (kept.labels[:cut], kept.labels[cut:])]
    return {
        "folder": _text(str(listing.folder)),
        "classes": [
            {"name": _text(name), "train": train, "test": tested}
            for name, train, tested in zip(listing.classes, *counts, strict=True)
        ],
        "has_test": listing.has_test,
        "shape": list(kept.images.shape[1:]),
        "sizes": kept.sizes,
        "left_out": [{"file": _text(left.file), "reason": _text(left.reason)} for left in kept.left_out],
        "duplicates": [
            {
                "files": [_text(name) for name in group],
                "in_train_and_test": 0 < sum(name in test for name in group) < len(group),
                "in_several_classes": len({label[name] for name in group}) > 1,
            }
            for group in duplicates(kept.names, kept.hashes)
        ],
    }


def _report_lines(value: dict[str, Any]) -> list[str]:
    names = [printable(row["name"]) for row in value["classes"]]
    width = max(map(len, names))
    heads = [say(f"data.cli_{key}") for key in ("class", "head_train", "head_test")]
    lines = [f"{heads[0]:<{width}} {heads[1]:>9} {heads[2]:>8}"]
    rows = zip(names, value["classes"], strict=True)
    lines += [f"{name:<{width}} {grouped(row['train']):>9} {grouped(row['test']):>8}" for name, row in rows]
    if not value["has_test"]:
        lines.append(say("data.cli_no_test"))
    sizes = sorted(value["sizes"].items(), key=lambda item: -item[1])
    shown = ", ".join(f"{size} ({grouped(count)})" for size, count in sizes[:5]) + (", …" if len(sizes) > 5 else "")
    lines.append(say("data.cli_sizes", sizes=shown or "-", shape="x".join(map(str, value["shape"]))))
    lines += _some(
        say("data.cli_left_out", count=len(value["left_out"])),
        [f"{row['file']}: {row['reason']}" for row in value["left_out"]],
    )
    groups = value["duplicates"]
    crossing = sum(group["in_train_and_test"] for group in groups)
    mixed = sum(group["in_several_classes"] for group in groups)
    lines += _some(
        say("data.cli_duplicates", count=len(groups), crossing=crossing, mixed=mixed),
        [" = ".join(group["files"]) for group in groups],
    )
    return lines


def _some(head: str, rows: list[str]) -> list[str]:
    """A heading and the first rows below it; the heading alone where there are none."""
    more = [f"  … (+{len(rows) - _SHOWN})"] if len(rows) > _SHOWN else []
    return [head, *(f"  {printable(row)}" for row in rows[:_SHOWN]), *more]


def _text(name: str) -> str:
    """A file name that can be printed, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
