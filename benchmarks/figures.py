"""Every picture of the READMEs and of docs/, in both languages, from real runs, real sums and the records.

python -m benchmarks.figures
python -m benchmarks.figures league error-against-time    # these only
"""

from __future__ import annotations

import argparse
import atexit
import io
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

import convoscope as cs
from benchmarks import screens
from benchmarks.drawing import FOLDERS, draw_all, draw_recipes, draw_rows
from benchmarks.records import read
from convoscope.convolution import ConvolutionUnit
from convoscope.core.messages import using_language
from convoscope.inspection.drawing import SIGNED
from convoscope.league import ordered
from convoscope.league import registry as rows
from convoscope.runs import Run
from convoscope.web.pictures import find

PLACES = {language: folder / "pictures" for language, folder in FOLDERS.items()}
KERNELS = ("identity", "box-blur:size=7", "sharpen", "sobel-x", "sobel-y", "edges-8")
_INK, _GREY, _MARK = "#222222", "#B8B4AC", "#D55E00"
_WORDS = {
    "en": {"image": "picture", "kernel": "kernel", "products": "products", "map": "feature map", "layer": "layer"},
    "es": {"image": "imagen", "kernel": "kernel", "products": "productos", "map": "mapa de características",
           "layer": "capa"},
}  # fmt: skip


def main() -> None:
    """Make the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FIGURES))
    asked = parser.parse_args().names or list(FIGURES)
    if unknown := ", ".join(name for name in asked if name not in FIGURES):
        parser.error(f"no such picture: {unknown}; there are: {', '.join(FIGURES)}")
    for language, place in PLACES.items():
        place.mkdir(exist_ok=True)
        with using_language(language):
            for name in asked:
                write(FIGURES[name](language), place / f"{name}.png")
                print(f"{place / name}.png", flush=True)
    draw_all()  # of the comparison with peers, once there is one


def write(picture: bytes, path: Path) -> None:
    """Save a PNG with at most 256 colours, as small as it gets."""
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


@cache
def trained() -> Run:
    """A network that the pictures look into, trained anew."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return cs.train("mnist-5k", "convnet", "quick", seed=0, out=Path(folder.name) / "mnist-5k-convnet-1")


def sum_of_a_cross(language: str) -> bytes:
    """The first sum of the lesson: window, kernel, products and where the sum goes."""
    words = _WORDS[language]
    cross = find("cross-5").pixels[0]
    trace = cs.convolve(cross, cs.kernels["cross"])
    unit = trace.at(0, 0)
    assert isinstance(unit, ConvolutionUnit)
    figure = Figure(figsize=(8.4, 2.7), dpi=130, layout="constrained")
    shown = [
        (words["image"], cross), (words["kernel"], unit.kernel[0]),
        (words["products"], unit.products[0]), (words["map"], trace.output),
    ]  # fmt: skip
    boxes = figure.subplots(1, 4, width_ratios=[5, 3, 3, 3])
    for axes, (title, numbers), sign in zip(boxes, shown, ("×", "=", "Σ →", ""), strict=True):
        _table(axes, numbers, title)
        axes.text(1.02, 0.5, sign, transform=axes.transAxes, fontsize=15, color=_MARK, va="center", ha="left")
    for axes, size in ((boxes[0], 3), (boxes[3], 1)):
        axes.add_patch(_outline(size))
    return _png(figure)


def _table(axes: Any, numbers: np.ndarray, title: str) -> None:
    rows, columns = numbers.shape
    axes.set(xlim=(-0.05, columns + 0.35), ylim=(rows + 0.05, -0.05), aspect="equal")
    axes.axis("off")
    axes.set_title(title, fontsize=10, color=_INK)
    for row, column in np.ndindex(rows, columns):
        value = int(numbers[row, column])
        shade = "#F3E3D6" if value > 0 else "#DCE8F2" if value < 0 else "#FFFFFF"
        axes.add_patch(_square(row, column, shade))
        axes.text(column + 0.5, row + 0.52, str(value).replace("-", "−"), ha="center", va="center", fontsize=10)


def _square(row: int, column: int, shade: str) -> Rectangle:
    return Rectangle((column, row), 1, 1, facecolor=shade, edgecolor=_GREY, linewidth=0.8)


def _outline(size: int) -> Rectangle:
    return Rectangle((0, 0), size, size, fill=False, edgecolor=_MARK, linewidth=2.4, zorder=3)


def named_kernels(language: str) -> bytes:
    """Named kernels on one of the built-in photographs, in grey."""
    picture = find("flower").pixels.mean(axis=0)
    figure = Figure(figsize=(8.0, 5.0), dpi=90, layout="constrained")
    for axes, name in zip(figure.subplots(2, 3).flat, KERNELS, strict=True):
        kernel = cs.kernels[name]
        output = cs.convolve(picture, kernel, padding="same").output
        _picture(axes, output, signed=name.startswith(("sobel", "edges")))
        axes.set_title(f"{kernel.names[language]}\n{name}", fontsize=8, color=_INK)
    return _png(figure)


def filters(language: str) -> bytes:
    """The kernels of the first convolution."""
    panel = trained().show("filters").panels[0]
    return _mosaic([(f"{_WORDS[language]['layer']} {panel.layer.name}", panel.values[:, 0])], 8, 0.95, signed=True)


def feature_maps(language: str) -> bytes:
    """The maps of the first layers on a digit."""
    digit = cs.load("mnist-5k").train.images[12]
    shown = {panel.layer.name: panel.values for panel in trained().show("feature-maps", digit).panels}
    kept = [("input", digit), *((name, shown[name][:8]) for name in ("conv1", "act1", "conv2", "act2", "conv3"))]
    word = {"en": "picture", "es": "imagen"}[language]
    return _mosaic([(name if name != "input" else word, maps) for name, maps in kept], 8, 0.85, signed=True)


def _mosaic(rows: list[tuple[str, np.ndarray]], columns: int, side: float, *, signed: bool) -> bytes:
    """Maps in rows of `columns`, each group with its name before the first row."""
    cut = [
        (name if at == 0 else "", maps[at : at + columns]) for name, maps in rows for at in range(0, len(maps), columns)
    ]
    figure = Figure(figsize=(columns * side + 1.1, len(cut) * side), dpi=110)
    boxes = figure.subplots(len(cut), columns, squeeze=False, gridspec_kw={"wspace": 0.06, "hspace": 0.06})
    figure.subplots_adjust(left=1.1 / (columns * side + 1.1), right=0.995, top=0.99, bottom=0.01)
    for (name, maps), line in zip(cut, boxes, strict=True):
        for axes in line:
            axes.axis("off")
        for axes, values in zip(line, maps, strict=False):
            _picture(axes, values, signed=signed and values.dtype.kind == "f")
        line[0].text(-0.12, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=9, color=_INK)
    return _png(figure)


def _picture(axes: Any, values: np.ndarray, *, signed: bool) -> None:
    """Grey from 0 to 255, or blue below zero, white at zero and orange above, as the page has it."""
    most = float(np.quantile(np.abs(values), 0.995)) or 1.0  # a few pixels must not make all others pale
    limits = {"cmap": SIGNED, "vmin": -most, "vmax": most} if signed else {"cmap": "gray", "vmin": 0, "vmax": 255}
    axes.imshow(values, interpolation="nearest", **limits)
    axes.axis("off")


def league(language: str) -> bytes:
    """Every row on MNIST: what was published, and what was measured, from the records."""
    found = {record["row"]: record for record in read("league") if record["data"] == "mnist"}
    return _png(draw_rows([(rows.get(name), found.get(name)) for name in ordered()], language))


def error_against_time(language: str) -> bytes:
    """Our recipes on MNIST and CIFAR-10, from the records."""
    return _png(draw_recipes([record for record in read("train") if "error" in record], language))


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


FIGURES: Mapping[str, Callable[[str], bytes]] = {
    "sum-of-a-cross": sum_of_a_cross,
    "named-kernels": named_kernels,
    "filters": filters,
    "feature-maps": feature_maps,
    "error-against-time": error_against_time,
    "league": league,
    "page-bench": lambda language: screens.bench(trained(), language),
    "page-network": lambda language: screens.network(trained(), language),
    "page-classify": lambda language: screens.classify(trained(), language),
}
"""What makes each picture, by the name of its file."""


if __name__ == "__main__":
    main()
