from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convoscope.convolution import Whole, Window, geometry, input_field, receptive_fields
from tests.convolution.strategies import pairs, wide

CONV, POOL = Window(5), Window(2, stride=2)


def test_lenet_by_the_book() -> None:
    fields = receptive_fields([CONV, None, POOL, CONV, None, POOL, Whole()], (28, 28))
    assert [field.size[0] for field in fields] == [5, 5, 6, 14, 14, 16, 28]
    assert [field.jump[0] for field in fields[:6]] == [1, 1, 2, 2, 2, 4]
    assert [field.units for field in fields] == [(24, 24), (24, 24), (12, 12), (8, 8), (8, 8), (4, 4), (1, 1)]
    assert fields[3].region(1, 7) == fields[4].region(1, 7)
    rows, columns = fields[3].region(1, 7)
    assert (rows.first, rows.end, columns.first, columns.end) == (2, 16, 14, 28)


def test_a_published_field() -> None:
    # VGG-16 up to its last pooling, Araujo et al. 2019: size 212, stride 32, padding 90.
    block2, block3 = [Window(3, padding=1)] * 2 + [POOL], [Window(3, padding=1)] * 3 + [POOL]
    field = receptive_fields([*block2, *block2, *block3, *block3, *block3], (224, 224))[-1]
    assert (field.size, field.jump, field.start) == ((212, 212), (32, 32), (-90, -90))


windows = st.builds(
    Window,
    pairs(1, 4),
    pairs(1, 3),
    st.one_of(st.sampled_from(["valid", "same"]), st.tuples(pairs(0, 2), pairs(0, 2))),
    pairs(1, 3),
)


@wide
@given(layers=st.lists(windows, min_size=1, max_size=4), size=pairs(3, 16), data=st.data())
def test_regions_are_where_the_gradient_is(layers: list[Window], size: tuple[int, int], data: st.DataObject) -> None:
    image = torch.ones((1, 1, *size), dtype=torch.float64, requires_grad=True)
    output, field = image, input_field(size)
    for layer in layers:
        try:
            shape = geometry(tuple(output.shape[2:]), layer.size, **_where(layer))  # type: ignore[arg-type]
        except ValueError:
            break
        (top, bottom), (left, right) = shape.padding
        output = torch.nn.functional.conv2d(
            torch.nn.functional.pad(output, [left, right, top, bottom]),
            torch.ones((1, 1, *shape.size), dtype=torch.float64),
            stride=shape.stride,
            dilation=shape.dilation,
        )
        field = field.through(layer)
    assert field.units == tuple(output.shape[2:])
    row = data.draw(st.integers(0, output.shape[2] - 1))
    column = data.draw(st.integers(0, output.shape[3] - 1))
    if output is image:
        return
    (gradient,) = torch.autograd.grad(output[0, 0, row, column], image)
    seen = np.argwhere(gradient[0, 0].numpy() != 0)
    spans = field.region(row, column)
    if len(seen) == 0:
        assert min(len(span) for span in spans) == 0
        return
    for span, first, last in zip(spans, seen.min(axis=0), seen.max(axis=0), strict=True):
        assert (span.first, span.end) == (first, last + 1)
    starts = [begin + at * jump for begin, at, jump in zip(field.start, (row, column), field.jump, strict=True)]
    for span, start, reach in zip(spans, starts, field.size, strict=True):
        assert start <= span.first < span.end <= start + reach


def test_whole_sees_what_the_layer_before_read() -> None:
    field = receptive_fields([Window(2, stride=2), Whole()], (5, 5))[-1]
    assert field.region(0, 0)[0].end == 4


def test_paths_that_meet() -> None:
    start = input_field((8, 8))
    body = start.through(Window(3, padding=1, stride=2)).through(Window(3, padding=1))
    shortcut = start.through(Window(1, stride=2))
    both = body.joined(shortcut)
    assert (both.size, both.jump, both.start) == (body.size, body.jump, body.start)
    assert both.region(0, 0) == body.region(0, 0)
    assert shortcut.joined(shortcut).size == (1, 1)
    with pytest.raises(ValueError, match="can't meet"):
        body.joined(start)


def _where(layer: Window) -> dict[str, object]:
    return {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
