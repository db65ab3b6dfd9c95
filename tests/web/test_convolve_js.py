"""convolve.js against the Python room: the same numbers for any padding, stride, dilation and pooling."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.web.document import trace_document

pytestmark = pytest.mark.browser

_CONVOLVE = """async ([picture, kernel, axes, options]) => {
    const m = await import("/static/convolve.js");
    const p = {...picture, data: Float32Array.from(picture.data)};
    const k = {...kernel, data: Float64Array.from(kernel.data)};
    let plan;
    try {
        plan = {rows: m.planAxis(p.height, k.height, axes[0]), columns: m.planAxis(p.width, k.width, axes[1])};
    } catch (error) {
        return {fault: error.key};
    }
    const out = m.convolve(p, k, plan, options);
    return {shape: [out.channels, out.height, out.width], data: Array.from(out.data),
            read: [Array.from(m.readPixels(plan.rows)), Array.from(m.readPixels(plan.columns))]};
}"""
_POOL = """async ([picture, kind, size, axes, countPad]) => {
    const m = await import("/static/convolve.js");
    const p = {...picture, data: Float32Array.from(picture.data)};
    try {
        const plan = {rows: m.planAxis(p.height, size[0], axes[0]), columns: m.planAxis(p.width, size[1], axes[1])};
        const out = m.pool(p, kind, plan, {countPad});
        return {shape: [out.channels, out.height, out.width], data: Array.from(out.data)};
    } catch (error) {
        if (error instanceof m.PlanError) return {fault: error.key};
        throw error;
    }
}"""


@pytest.fixture(scope="module")
def page(browser: Any, server: Any) -> Any:
    """A page on which the modules can be imported."""
    opened = browser.new_page()
    opened.goto(server.address)
    yield opened
    opened.close()


def _picture(image: np.ndarray) -> dict[str, Any]:
    channels, height, width = image.shape
    return {"channels": channels, "height": height, "width": width, "data": image.ravel().tolist()}


def _axes(padding: Any, stride: Any, dilation: Any, **more: Any) -> list[dict[str, Any]]:
    sides = [padding, padding] if isinstance(padding, str) else [list(side) for side in padding]
    return [{"padding": sides[at], "stride": stride[at], "dilation": dilation[at], **more} for at in (0, 1)]


def _padding(draw: random.Random) -> Any:
    sides = tuple((draw.randint(0, 3), draw.randint(0, 3)) for _ in range(2))
    return draw.choice(["valid", "same", sides])


@pytest.mark.parametrize("seed", range(60))
def test_convolution_is_pythons(page: Any, seed: int) -> None:
    draw = random.Random(seed)
    numbers = np.random.default_rng(seed)
    channels, height, width = draw.choice([1, 2, 3]), draw.randint(5, 14), draw.randint(5, 14)
    rows, columns = draw.randint(1, 9), draw.randint(1, 9)
    filters, depth = draw.choice([(1, 0), (1, channels), (3, channels)])
    padding = _padding(draw)
    stride = (draw.randint(1, 3), draw.randint(1, 3))
    dilation = (draw.randint(1, 2), draw.randint(1, 2))
    image = numbers.integers(-9, 10, (channels, height, width))
    shape = (rows, columns) if depth == 0 else (filters, depth, rows, columns)
    kernel = numbers.integers(-4, 5, shape)
    bias = numbers.integers(-5, 6, filters) if depth else None
    weights = {"filters": filters, "channels": max(depth, 1), "height": rows, "width": columns}
    weights["data"] = kernel.ravel().tolist()
    options = {"each": depth == 0, "bias": None if bias is None else bias.tolist()}
    answer = page.evaluate(_CONVOLVE, [_picture(image), weights, _axes(padding, stride, dilation), options])
    try:
        trace = cs.convolve(image, kernel, bias=bias, padding=padding, stride=stride, dilation=dilation)
    except RequestError:
        assert answer == {"fault": "error_kernel_large"}
        return
    assert tuple(answer["shape"]) == trace.maps.shape
    assert answer["data"] == trace.maps.ravel().tolist()
    ignored = ~(np.array(answer["read"][0], bool)[:, None] & np.array(answer["read"][1], bool)[None, :])
    assert (ignored == trace.is_ignored).all()


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_convolution_is_pythons(page: Any, groups: int) -> None:
    numbers = np.random.default_rng(groups)
    image = numbers.normal(size=(4, 8, 7)).astype(np.float32)
    kernel = numbers.normal(size=(8, 4 // groups, 3, 3)).astype(np.float32)
    trace = cs.convolve(image, kernel, padding=1, groups=groups)
    weights = {"filters": 8, "channels": 4 // groups, "height": 3, "width": 3, "data": kernel.ravel().tolist()}
    axes = _axes(((1, 1), (1, 1)), (1, 1), (1, 1))
    answer = page.evaluate(_CONVOLVE, [_picture(image), weights, axes, {"groups": groups}])
    np.testing.assert_allclose(answer["data"], trace.maps.ravel(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_pooling_is_pythons(page: Any, seed: int) -> None:
    draw = random.Random(seed)
    shape = (draw.choice([1, 3]), draw.randint(4, 12), draw.randint(4, 12))
    image = np.random.default_rng(seed).integers(-9, 10, shape)
    size = (draw.randint(1, 4), draw.randint(1, 4))
    stride = (draw.randint(1, 4), draw.randint(1, 4))
    dilation = (draw.randint(1, 2), draw.randint(1, 2))
    padding, ceil, count, kind = _padding(draw), draw.random() < 0.5, draw.random() < 0.5, draw.choice(["max", "avg"])
    axes = _axes(padding, stride, dilation, ceil=ceil)
    answer = page.evaluate(_POOL, [_picture(image), kind, list(size), axes, count])
    options = {"ceil_mode": ceil, "count_include_pad": count}
    try:
        trace = cs.pool(image, kind, size, stride=stride, padding=padding, dilation=dilation, **options)
    except RequestError:
        assert "fault" in answer
        return
    assert tuple(answer["shape"]) == trace.maps.shape
    np.testing.assert_allclose(answer["data"], trace.maps.ravel(), rtol=1e-6)


_DOCUMENT = """async (given) => {
    const [m, raster, numbers] = await Promise.all(
        ["convolve", "raster", "numbers"].map((name) => import(`/static/${name}.js`)));
    const p = raster.pictureOf(given.pictures[0]);
    const {filters, channels, rows, columns, cells} = given.setting.kernel;
    const k = {filters, channels, height: rows, width: columns, data: Float64Array.from(cells, numbers.parseNumber)};
    const axis = {padding: [0, 0], stride: 1, dilation: 1};
    const plan = {rows: m.planAxis(p.height, rows, axis), columns: m.planAxis(p.width, columns, axis)};
    return [Array.from(p.data), Array.from(k.data), Array.from(m.convolve(p, k, plan).data)];
}"""


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        ([[20000001, 3]], [[1]]),
        ([[1 + 1e-9, 1]], [[1, -1]]),
        ([[1e300, 1]], [[1]]),
        ([[1, 2]], [[1e20]]),
        ([[1, 2]], [[10**18, -(10**17)]]),
        ([[1, 2]], [[-1e-20, 1.5e300]]),
        ([[250, 255]], [[100001, 1]]),
        ([[0.5, -0.25]], [[3, 1]]),
    ],
)
def test_a_document_holds_the_numbers_of_its_trace(page: Any, image: Any, kernel: Any) -> None:
    trace = cs.convolve(image, kernel)
    picture, weights, output = page.evaluate(_DOCUMENT, trace_document(trace))
    assert picture == np.ravel(image).tolist()
    assert weights == np.ravel(kernel).tolist()
    assert output == trace.maps.ravel().tolist()


def test_small_pictures_travel_as_short_numbers() -> None:
    for image, encoding in (([[1, 255]], "uint8"), ([[0.5, 300]], "float32"), ([[0.1]], "float64")):
        assert trace_document(cs.convolve(image, [[1]]))["pictures"][0]["encoding"] == encoding


_TYPED = {
    "1/9": 1 / 9, "−3": -3, "-0.5": -0.5, "0,25": 0.25, ".5": 0.5, "1e-3": 1e-3,
    "2/": None, "": None, "1/0": None, "x": None, "--1": None, "1e999": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), _TYPED.items())
def test_typed_numbers(page: Any, text: str, value: float | None) -> None:
    read = """async (text) => {
        const value = (await import("/static/numbers.js")).parseNumber(text);
        return Number.isNaN(value) ? null : value;
    }"""
    assert page.evaluate(read, text) == value


_BRIEF = {
    0: "0", 1 / 256: "0.004", -0.0043: "−0.004", 0.0061: "0.01", -1e-7: "−1e−7", 0.25: "0.25", -12.34: "−12.3",
    826.4: "826", -12341.68: "−1.2e4", 12000.5: "1.2e4", 99999: "99999", 100000: "1e5",
}  # fmt: skip


def test_only_zero_is_written_as_zero_on_a_map(page: Any) -> None:
    write = """async (values) => {
        const { brief } = await import("/static/numbers.js");
        return values.map(brief);
    }"""
    assert page.evaluate(write, list(_BRIEF)) == list(_BRIEF.values())


def test_numbers_on_a_map_fit_their_cells(page: Any) -> None:
    draw = """async () => {
        const { drawCells, numberCell, widestNumber } = await import("/static/cells.js");
        const { signedScale } = await import("/static/colour.js");
        const { brief } = await import("/static/numbers.js");
        const picture = { channels: 1, height: 1, width: 4, data: Float32Array.from([-826, -0.0012, 3, -12341.68]) };
        const map = { picture, channel: 0, scale: signedScale(900), bitmap: document.createElement("canvas"),
            before: [0, 0], total: [1, 4], read: null, padText: "0", widest: widestNumber(picture.data) };
        map.bitmap.width = 4;
        const context = document.createElement("canvas").getContext("2d");
        const sizes = new Set();
        const widths = [];
        context.fillText = (text) => { sizes.add(context.font); widths.push(context.measureText(text).width); };
        const cell = Math.ceil(numberCell(map));
        drawCells(context, map, { row: 0, column: 0, cell }, 4 * cell, cell);
        return [sizes.size, widths.length, Math.max(...widths) < cell];
    }"""
    assert page.evaluate(draw) == [1, 4, True]
