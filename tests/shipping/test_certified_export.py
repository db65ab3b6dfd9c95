"""A run becomes a file that predicts the same, or no file at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

import convoscope as cs
from convoscope import models
from convoscope.core.errors import FailedError, RequestError
from convoscope.core.messages import LANGUAGES, using_language
from convoscope.runs.run import Run
from convoscope.shipping.classifier import Classifier, as_metadata
from convoscope.shipping.export import Exported, certified, classifier_of, export
from convoscope.shipping.graph import network_graph
from convoscope.shipping.script import write_script
from convoscope.web.network_forms import network_answer


def test_certificate_says_what_the_run_says(shipped_run: Run, exported: Exported):
    certificate = exported.certificate
    result = shipped_run.evaluate()
    assert certificate.disagreements == 0
    assert certificate.error_lost == 0
    assert 0 < certificate.max_abs_difference < 1e-5
    assert (certificate.checked, certificate.test_errors) == (result["test_count"], result["test_errors"])
    assert certificate.test_error == result["test_error"]
    assert certificate.other_sizes == {"checked": 24, "max_pixel_difference": 0}


def test_file_says_what_it_is(shipped_run: Run, exported: Exported):
    model = onnx.load(exported.file)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": exported.to_dict()["opset"]}
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(told["classes"]) == list(shipped_run.classes)
    assert told["data_fingerprint"] == shipped_run.config["data"]["fingerprint"]
    assert told["convoscope"] == cs.__version__
    assert json.loads(told["test_error"]) == exported.certificate.test_error
    assert json.loads(told["certificate"]) == exported.certificate.to_dict()


def test_file_alone_predicts_what_the_run_predicts(shipped_run: Run, onnx_file: Path):
    classifier = Classifier.read(onnx_file, threads=1)
    assert classifier.classes == shipped_run.classes
    draw = np.random.default_rng(0)
    for height, width, colours in [(8, 8, 1), (8, 8, 3), (100, 37, 3), (5, 90, 1), (300, 200, 3)]:
        pictures = draw.integers(0, 256, (2, colours, height, width), dtype=np.uint8)
        found = classifier.probabilities(np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)))
        expected = [prediction.probabilities for prediction in shipped_run.predict(pictures)]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_classifier_from_memory_is_the_files(shipped_run: Run, onnx_file: Path):
    pictures = cs.load("digits").test.images[:20].transpose(0, 2, 3, 1).copy()
    made = classifier_of(shipped_run, threads=1)
    np.testing.assert_array_equal(
        made.probabilities(pictures), Classifier.read(onnx_file, threads=1).probabilities(pictures)
    )


def test_eight_bits_tell_what_they_cost(shipped_run: Run, exported: Exported, tmp_path: Path):
    small = export(shipped_run, tmp_path / "small.onnx", int8=True)
    assert small.size < exported.size
    certificate = small.certificate
    assert certificate.error_lost == pytest.approx(certificate.test_error - exported.certificate.test_error)
    assert certificate.max_abs_difference > exported.certificate.max_abs_difference
    assert Classifier.read(small.file).metadata["precision"] == "int8"
    kinds = {node.op_type for node in onnx.load(small.file).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds


def test_another_network_is_no_export_of_the_run(shipped_run: Run):
    test = cs.load("digits").test
    torch.manual_seed(1)
    shape = shipped_run.preprocessing.input_shape
    fresh = models.build(shipped_run.config["model"], shape, len(shipped_run.classes)).eval()
    network = network_graph(fresh, shape, "fresh")
    with pytest.raises(FailedError, match="another class") as failed, using_language("en"):
        certified(shipped_run, network, test, "float32")
    assert failed.value.exit_code == 1
    with pytest.raises(FailedError), using_language("en"):
        certified(shipped_run, network, test, "int8")


@pytest.fixture
def copy(shipped_run: Run, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(shipped_run.path, tmp_path / "copy"))


def test_a_folder_whose_path_is_no_text_is_told_by_its_bytes(tmp_path: Path):
    folder = tmp_path / os.fsdecode(b"ni\xf1os")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system holds no such names")
    for label in "ab":
        (folder / label).mkdir()
        for number in range(12):
            noise = np.random.default_rng(number + 12 * (label == "b")).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(noise).save(folder / label / f"{number}.png")
    run = cs.train(folder, "typical:blocks=1,width=2", epochs=1, precision="float32", out=tmp_path / "run")
    told = {entry.key: entry.value for entry in onnx.load(export(run).file).metadata_props}
    assert told["data"].endswith(r"ni\xf1os")
    compile(write_script(run).read_bytes(), "script", "exec")
    assert run.show("feature-maps").save(tmp_path / "maps.html").stat().st_size
    assert network_answer(run).data.endswith(r"ni\xf1os")


def test_nothing_is_overwritten_unasked(copy: Path):
    (copy / "model.onnx").write_bytes(b"mine")
    with pytest.raises(RequestError, match="--overwrite"):
        export(Run(copy))
    assert (copy / "model.onnx").read_bytes() == b"mine"
    export(Run(copy), overwrite=True)
    assert Classifier.read(copy / "model.onnx").classes == Run(copy).classes


def test_damaged_runs_leave_no_file(copy: Path):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(RequestError, match=r"model\.safetensors"):
        export(Run(copy))
    config = json.loads((copy / "run.json").read_text())
    config["data"]["fingerprint"] = "0" * 64
    (copy / "run.json").write_text(json.dumps(config))
    with pytest.raises(RequestError):
        export(Run(copy))
    assert not list(copy.glob("*.onnx"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "damaged"), (b"rubbish" * 9, "damaged"), (b"\x08\x0a" + b"\0" * 40, "damaged")],
)
def test_rubbish_is_no_classifier(content: bytes, words: str):
    for language in LANGUAGES:
        with using_language(language), pytest.raises(RequestError) as refused:
            Classifier(content, name="it.onnx")
        assert len(str(refused.value).splitlines()) == 1
    with using_language("en"):
        assert words in str(refused.value)


def test_files_of_others_and_of_the_future_are_refused(onnx_file: Path):
    model = onnx.load(onnx_file)
    told = {entry.key: entry.value for entry in model.metadata_props}
    for change, words in (({"format": "99"}, "newer"), ({"classes": "7"}, "damaged"), ({"input": "[]"}, "damaged")):
        onnx.helper.set_model_props(model, told | change)
        with using_language("en"), pytest.raises(RequestError, match=words):
            Classifier(model.SerializeToString())
    onnx.helper.set_model_props(model, {})
    with using_language("en"), pytest.raises(RequestError, match="not of Convoscope"):
        Classifier(model.SerializeToString())
    assert as_metadata({"classes": ["ñ"]}) == {"format": "1", "classes": '["ñ"]'}


def test_mutilated_files_never_crash(onnx_file: Path):
    content = bytearray(onnx_file.read_bytes())
    draw = np.random.default_rng(0)
    for _ in range(40):
        broken = bytearray(content)
        for place in draw.integers(0, len(content), 8):
            broken[place] = int(draw.integers(256))
        try:
            Classifier(bytes(broken[: int(draw.integers(len(content)))]))
        except RequestError:
            continue
