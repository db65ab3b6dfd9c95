"""A classifier as one HTML file, opened from disk: the same predictions as ONNX Runtime, without a server."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import convoscope as cs
from convoscope import models
from convoscope.cli import run as convoscope
from convoscope.core.errors import RequestError
from convoscope.data.decode import fit
from convoscope.runs.run import Run
from convoscope.shipping.graph import network_graph
from convoscope.shipping.steps import steps_of
from convoscope.web.offline import write_page
from convoscope.web.seeing import steps_of_drawing
from tests.web.conftest import Server
from tests.web.test_bench_page import violations

pytestmark = pytest.mark.browser

_NETWORKS = [
    ("dense-800", (1, 28, 28)),
    ("lenet5", (1, 28, 28)),
    ("lenet5:c3_table=true,pool=trainable,activation=scaled-tanh", (1, 28, 28)),
    ("lenet5:activation=silu,pool=max", (3, 32, 32)),
    ("typical:blocks=2", (3, 21, 30)),
    ("convnet", (1, 28, 28)),
    ("convnet:widths=32-64,pools=1-0,whiten=true,stem_kernel=2,stem_stride=1", (3, 32, 32)),
    ("resnet", (3, 32, 32)),
]
_COMPUTE = """async ([network, weights, inputs]) => {
    const { createComputer } = await import("/static/compute.js");
    const { decode } = await import("/static/raster.js");
    const compute = createComputer(network, decode(weights, "float32"));
    return inputs.map((input) => Array.from(compute(decode(input, "float32"))));
}"""
_PREPARE = """async ([picture, shape]) => {
    const m = await import("/static/prepare.js");
    const { pictureOf } = await import("/static/raster.js");
    const given = pictureOf({ ...picture, encoding: "uint8" });
    const answer = (made) => [made.channels, made.height, made.width, Array.from(made.data)];
    return [answer(m.fit(given, shape)), given.channels === 1 ? answer(m.centred(given, shape)) : null];
}"""


@pytest.fixture(scope="module")
def modules(browser: Any, server: Server) -> Iterator[Any]:
    """A page on which the modules can be imported."""
    opened = browser.new_page()
    opened.set_default_timeout(120_000)
    opened.goto(server.address)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def file(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(run, tmp_path_factory.mktemp("page") / "it.html").file


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Any]:
    """The page, from disk, without a network; a fault or a request fails the test."""
    faults: list[str] = []
    context = browser.new_context(offline=True, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url.startswith("http") else None)
    page.goto(file.as_uri())
    page.wait_for_selector(".bars td span")
    yield page
    context.close()
    assert faults == []


def encoded(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


@pytest.mark.parametrize(("spec", "shape"), _NETWORKS, ids=lambda value: str(value))
def test_arithmetic_is_that_of_the_network(modules: Any, spec: str, shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    model = models.build(spec, shape, 7)
    with torch.no_grad():
        for _ in range(3):
            model.train()(2 * torch.randn(16, *shape) + 1)  # statistics that are not those of a new network
        model.eval()
        inputs = torch.randn(3, *shape)
        expected = model(inputs).numpy()
    found = steps_of(network_graph(model, shape, spec), spec)
    network = {"shape": list(shape), "steps": found.steps}
    answer = modules.evaluate(_COMPUTE, [network, encoded(found.weights), [encoded(one) for one in inputs.numpy()]])
    np.testing.assert_allclose(np.array(answer), expected, atol=1e-5 * max(1, abs(expected).max()))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    wanted=st.sampled_from([(1, 28, 28), (3, 32, 32), (1, 9, 20), (3, 5, 3)]),
    seed=st.integers(0, 99),
)
def test_pictures_get_the_same_pixels(
    modules: Any, channels: int, height: int, width: int, wanted: tuple[int, int, int], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 256, (channels, height, width), dtype=np.uint8)
    pixels[:, draw.random((height, width)) < 0.5] = 0
    picture = {"channels": channels, "height": height, "width": width, "data": encoded(pixels)}
    fitted, drawn = modules.evaluate(_PREPARE, [picture, list(wanted)])
    assert tuple(fitted[:3]) == wanted
    np.testing.assert_array_equal(fitted[3], fit(pixels, channels=wanted[0], size=wanted[1:]).ravel())
    if drawn is not None:
        expected = steps_of_drawing(pixels, channels=wanted[0], size=wanted[1:])[-1].pixels
        np.testing.assert_array_equal(drawn[3], expected.ravel())


def test_page_checks_itself(opened: Any, run: Run) -> None:
    opened.get_by_text("30 of 30 test pictures get the class that PyTorch gave").wait_for()
    opened.locator(".gallery button").nth(3).click()
    opened.get_by_text("the picture is labelled 3").first.wait_for()
    opened.get_by_role("button", name="Español").click()
    opened.get_by_text("30 de 30 imágenes de prueba").wait_for()
    assert opened.locator("h2").inner_text() != ""


def test_page_is_accessible(opened: Any) -> None:
    assert violations(opened) == []


def test_drawings_are_predicted(opened: Any) -> None:
    box = opened.locator(".pad").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"]
    opened.mouse.move(x, y + 0.2 * box["height"])
    opened.mouse.down()
    opened.mouse.move(x, y + 0.8 * box["height"], steps=12)
    opened.mouse.up()
    opened.wait_for_function("document.querySelector('.prediction').textContent.length > 0")
    assert opened.locator(".bars tbody tr").count() == 10


def test_files_are_predicted_as_by_the_run(opened: Any, run: Run) -> None:
    digits = cs.load("mnist-5k").test.images[:4]
    pictures = [digits[0, 0], digits[1, 0], np.kron(digits[2, 0], np.ones((3, 2), np.uint8)), digits[3, 0]]
    files = []
    for at, pixels in enumerate(pictures):
        buffer = io.BytesIO()
        image = Image.fromarray(pixels)
        (image.convert("RGB") if at == 1 else image).save(buffer, "PNG")
        files.append({"name": f"{at}.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    files.append({"name": "rubbish.png", "mimeType": "image/png", "buffer": b"rubbish"})
    opened.get_by_label("Picture", exact=True).first.select_option("upload")
    opened.locator("input[type=file]").set_input_files(files)
    rows = opened.locator("table.files tbody tr")
    rows.nth(4).get_by_text("The file is no picture that can be read").wait_for()
    labels = [rows.nth(at).locator("td").first.inner_text() for at in range(4)]
    assert labels == [run.predict(pixels[None])[0].label for pixels in pictures]


def test_what_is_too_large_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convoscope.web.offline.MOST_BYTES", 1000)
    with pytest.raises(RequestError, match="lenet5"):
        write_page(run, tmp_path / "it.html")
    assert list(tmp_path.iterdir()) == []


def test_command_writes_it(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.html"
    assert convoscope(["export", str(run.path), "--page", "--out", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["bytes"], told["disagreements"]) == (str(file), file.stat().st_size, 0)
    assert convoscope(["export", str(run.path), "--page", "--out", str(file), "--lang", "en"]) == 2
    assert "is there already" in capsys.readouterr().err
