"""What the modules need to show a thing without a server, as one JSON-ready document."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from convoscope.convolution import ConvolutionTrace, Geometry, PoolTrace, Trace, kernels
from convoscope.convolution.arrays import Array
from convoscope.convolution.kernel import common_fractions
from convoscope.core.messages import LANGUAGES, catalogue, language, say, using_language
from convoscope.web.api_bench import all_kernels

Traces = Trace | Sequence[Trace]

_MOST_DENOMINATOR = 1000
_LONG = 7
_MOST_WHOLE = 1e17


def trace_document(traces: Traces) -> dict[str, Any]:
    """A convolution, a pooling, or a convolution and the pooling after it, for ``view.js``."""
    given = [traces] if isinstance(traces, Trace) else list(traces)
    names = {}
    for code in LANGUAGES:
        with using_language(code):
            names[code] = say("web.picture_given")
    return {
        "level": "bench",
        **sentences(),
        "kernels": [kernel.model_dump() for kernel in all_kernels()],
        "pictures": [{"name": "given", "names": names, "credit": {}, **_encoded(given[0].image)}],
        "setting": _setting(given),
    }


def sentences() -> dict[str, Any]:
    """The language in use, and all that the modules say in either."""
    said = {code: {key: text[code] for key, text in catalogue("web").items()} for code in LANGUAGES}
    return {"language": language(), "messages": said}


def _setting(traces: list[Trace]) -> dict[str, Any]:
    """The bench's setting (see ``bench_model.js``) that leads to these traces."""
    setting: dict[str, Any] = {
        "kernel": None, "channels": "each", "groups": 1, "bias": None,
        "padding": "valid", "stride": "1", "dilation": "1",
        "pool": "none", "poolSize": "2", "poolStride": "", "poolPadding": "0", "poolDilation": "1",
        "ceil": False, "countPad": False, "single": _own_type(traces[0]) == np.float32,
    }  # fmt: skip
    for trace in traces:
        lie = trace.geometry
        walk = {"padding": _sides(lie), "stride": _pair(lie.stride), "dilation": _pair(lie.dilation)}
        if isinstance(trace, ConvolutionTrace):
            setting |= walk | _kernel(trace)
            if walk["padding"] == "0":
                setting["padding"] = "valid"
        elif isinstance(trace, PoolTrace):
            setting |= {f"pool{name.title()}": text for name, text in walk.items()}
            setting |= {"pool": trace.kind, "poolSize": _pair(lie.size), "countPad": trace.count_include_pad}
            setting["ceil"] = lie.rows.ceil_mode
    return setting


def _own_type(trace: Trace) -> np.dtype[Any]:
    """In which precision a trace judges whether a number was rounded to be shown."""
    return trace.kernel.dtype if isinstance(trace, ConvolutionTrace) else trace.image.dtype


def _kernel(trace: ConvolutionTrace) -> dict[str, Any]:
    weights = trace.kernel
    by_itself = weights.shape[1] == 1 and trace.groups == len(weights) and bool((weights == weights[:1]).all())
    if by_itself and trace.bias is None:
        weights = weights[:1]
    filters, channels, rows, columns = weights.shape
    return {
        "kernel": {
            "name": _name(weights[0, 0]) if filters * channels == 1 else None,
            "filters": filters, "channels": channels, "rows": rows, "columns": columns,
            "cells": _cells(weights),
        },
        "channels": "each" if len(weights) == 1 and by_itself else "sum",
        "groups": 1 if len(weights) == 1 else trace.groups,
        "bias": None if trace.bias is None else [_cell(number) for number in trace.bias],
    }  # fmt: skip


def _name(weights: Array) -> str | None:
    """The named kernel with these weights (kH, kW), in their own precision: 1/9 in float32 is still the box blur's."""
    same = (name for name in kernels if np.array_equal(np.asarray(kernels[name]).astype(weights.dtype), weights))
    return next(same, None)


def _encoded(image: Array) -> dict[str, Any]:
    """An image (C, H, W) as it travels: the shortest numbers that hold it."""
    channels, height, width = image.shape
    bytes_do = image.min() >= 0 and image.max() <= 255 and bool((image == np.floor(image)).all())
    with np.errstate(over="ignore"):
        encoding = "uint8" if bytes_do else "float32" if np.array_equal(image.astype(np.float32), image) else "float64"
    pixels = image.astype(np.dtype(encoding).newbyteorder("<"))
    return {
        "channels": channels, "height": height, "width": width, "encoding": encoding,
        "data": base64.b64encode(pixels.tobytes()).decode("ascii"),
    }  # fmt: skip


def _cells(weights: Array) -> list[str]:
    """The weights (F, C, kH, kW) as they are typed; if some are fractions, all of one denominator where it can be."""
    cells = [_cell(number) for number in weights.ravel()]
    if any("/" in cell for cell in cells):
        rows = common_fractions(weights.reshape(-1, weights.shape[-1]))
        return cells if rows is None else [cell for row in rows for cell in row]
    return cells


def _cell(number: Any) -> str:
    """A weight as it is typed: 1/9 where that is what it is."""
    if float(number).is_integer():
        # The page reads no more digits than that, and a float has no more.
        return str(int(number)) if abs(float(number)) < _MOST_WHOLE else repr(float(number))
    # str of a NumPy float is the shortest text that leads back to it.
    text = str(number)
    fraction = Fraction(float(number)).limit_denominator(_MOST_DENOMINATOR)
    return str(fraction) if len(text) > _LONG and number.dtype.type(float(fraction)) == number else text


def _sides(lie: Geometry) -> str:
    sides = [side for pair in lie.padding for side in pair]
    if len(set(sides)) > 1:
        return ",".join(str(side) for side in sides)
    return str(sides[0])


def _pair(numbers: tuple[int, int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[1] else f"{numbers[0]},{numbers[1]}"
