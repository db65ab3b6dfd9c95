"""``convoscope convolve``: a kernel, a pooling or both over an image, with the worked sum of any output."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer
from convoscope.cli._pictures import picture_named
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.convolution import Trace, Unit
    from convoscope.convolution.arrays import Array

_TYPED_IMAGE = re.compile(r"(?:[\d\s.,;/+−-]|(?<=[\d.])[eE](?=[\d+-]))+")
_MOST_NUMBERS = 24


def _option(name: str, key: str, metavar: str) -> Any:
    return typer.Option(name, help=say(f"convolution.help_{key}"), metavar=metavar, show_default=False)


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("convolution.help_convolve"))
    def convolve(
        image: Annotated[str, typer.Argument(metavar="IMAGE", help=say("convolution.help_image"), show_default=False)],
        kernel: Annotated[str | None, _option("--kernel", "kernel", 'NAME|"1,-1,1;…"')] = None,
        padding: Annotated[str, _option("--padding", "padding", "valid|same|N")] = "valid",
        stride: Annotated[str | None, _option("--stride", "stride", "N")] = None,
        dilation: Annotated[str, _option("--dilation", "dilation", "N")] = "1",
        pool: Annotated[str | None, _option("--pool", "pool", "max|avg")] = None,
        size: Annotated[str | None, _option("--size", "size", "N")] = None,
        trace: Annotated[str | None, _option("--trace", "trace", "ROW,COL")] = None,
        map_index: Annotated[int | None, _option("--map", "map", "N")] = None,
        out: Annotated[Path | None, _option("--out", "out", "FILE.html|png")] = None,
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        _refuse_idle(size=size if pool is None else None, map=map_index if trace is None else None)
        if out is not None:
            _refuse_own_input(image, out)
        place = None if trace is None else _place(trace)
        traces = _apply(_read(image, data_dir), kernel, padding, stride, dilation, pool, size)
        units = [] if place is None else _explain(traces, *place, map_index or 0)
        last = traces[-1]
        if out is not None:
            _save(traces, out)
        if as_json:
            answer(True, _told(image, kernel, last, units, out), "")
        else:
            _show(last, units)
            if out is not None:
                print(say("convolution.saved", file=out))


def _refuse_idle(**given: object) -> None:
    """Refuse an option that would do nothing without another.

    Raises:
        RequestError: one of `given` is not None.
    """
    needed = {"size": "pool", "map": "trace"}
    for name, value in given.items():
        if value is not None:
            raise RequestError("convolution.needs_option", field=name, needed=needed[name])


def _refuse_own_input(image: str, out: Path) -> None:
    """Refuse to write over the picture that is read.

    Raises:
        RequestError: both are one file.
    """
    if os.path.exists(image) and os.path.exists(out) and os.path.samefile(image, out):
        raise RequestError("convolution.out_is_image", field="out", file=out)


def _save(traces: list[Trace], out: Path) -> None:
    """Write what was done as a page (``.html``), or its last maps as a picture (``.png``).

    Raises:
        RequestError: `out` has another suffix, or can't be written.
    """
    if out.suffix.lower() == ".html":
        from convoscope.web.report import convolution_page

        convolution_page(traces, out)
    else:
        from convoscope.cli._maps import save_png

        maps = traces[-1].maps
        save_png(maps, float(abs(maps).max()), out)


def _read(image: str, data_dir: Path | None) -> Array:
    """The image named: a file, a picture of a data set (``mnist-5k:12``), or numbers (``1,0,1;0,1,0``)."""
    pixels: Array | None = picture_named(image, data_dir)
    if pixels is not None:
        return pixels[0] if len(pixels) == 1 else pixels
    if _TYPED_IMAGE.fullmatch(image):
        from convoscope.convolution.typed import parse_numbers

        return parse_numbers(image, "image")
    raise RequestError("convolution.no_such_image", field="image", asked=image)


def _apply(
    image: Array,
    kernel: str | None,
    padding: str,
    stride: str | None,
    dilation: str,
    pool: str | None,
    size: str | None,
) -> list[Trace]:
    """The traces of what was asked for, in order: the convolution, the pooling, or both.

    Padding, stride and dilation go to the convolution, or to the pooling when there is no convolution.
    """
    from convoscope.convolution import convolve, parse_padding, parse_pair, read_kernel
    from convoscope.convolution import pool as pool_over
    from convoscope.convolution.pooling import KINDS

    if kernel is None and pool is None:
        raise RequestError("convolution.nothing_to_do", field="kernel")
    if pool is not None and pool not in KINDS:
        raise RequestError("convolution.pool_kind", field="pool", asked=pool)
    steps = None if stride is None else parse_pair(stride, "stride")
    sides, apart = parse_padding(padding), parse_pair(dilation, "dilation")
    traces: list[Trace] = []
    if kernel is not None:
        traces.append(
            convolve(image, read_kernel(kernel), padding=sides, stride=1 if steps is None else steps, dilation=apart)
        )
    if pool is not None:
        kind: Any = pool  # one of KINDS, as was seen above
        window = parse_pair("2" if size is None else size, "size")
        if traces:
            traces.append(pool_over(traces[0].output, kind, window))
        else:
            traces.append(pool_over(image, kind, window, padding=sides, stride=steps, dilation=apart))
    return traces


def _place(text: str) -> tuple[int, int]:
    from convoscope.convolution import parse_pair

    place = parse_pair(text, "trace")
    if isinstance(place, int):
        raise RequestError("convolution.trace_form", field="trace", asked=text)
    return place


def _explain(traces: list[Trace], row: int, column: int, index: int) -> list[Unit]:
    """The unit asked for; after a maximum over a convolution, also the unit that won it."""
    from convoscope.convolution import PoolUnit

    maps = len(traces[-1].maps)
    if not 0 <= index < maps:
        raise RequestError("convolution.no_such_output", field="map", asked=index, last=maps - 1)
    unit = traces[-1].at(row, column, index)
    units: list[Unit] = [unit]
    if len(traces) == 2 and isinstance(unit, PoolUnit) and unit.winner is not None:
        units.append(traces[0].at(*unit.winner, index))
    return units


def _told(image: str, kernel: str | None, trace: Trace, units: list[Unit], out: Path | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "image": image,
        "kernel": kernel,
        "kind": trace.kind,
        "output_shape": list(trace.output.shape),
        "output": trace.output.tolist(),
    }
    # "trace" is the unit asked for, "winner" the convolution's unit that won its maximum.
    told |= {name: unit.to_dict() for name, unit in zip(("trace", "winner"), units, strict=False)}
    return told if out is None else told | {"file": str(out)}


def _show(trace: Trace, units: list[Unit]) -> None:
    """Print the maps: in colour where the terminal has it, in numbers where they are few or there is no colour."""
    from rich.console import Console

    from convoscope.cli._maps import drawn
    from convoscope.convolution.worked import number

    console = Console(highlight=False)
    maps = trace.maps
    reach = float(abs(maps).max())
    in_colour = console.is_terminal and console.color_system not in (None, "standard")
    if in_colour:
        for one in maps:
            console.print(drawn(one, reach, console.width))
    if max(maps.shape[1:]) <= _MOST_NUMBERS or not in_colour:
        print(trace)
    shape = " × ".join(str(length) for length in trace.output.shape)
    print("\n" + say("convolution.range", shape=shape, low=number(maps.min()), high=number(maps.max())))
    for unit in units:
        title = say("convolution.unit", row=unit.row, column=unit.column, map=unit.filter)
        print(f"\n{title}\n{unit}")
