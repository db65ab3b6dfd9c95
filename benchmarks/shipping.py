"""What shipping gives: ONNX Runtime beside PyTorch, what eight bits cost, and how fast the server predicts.

* inference: the network of a run in float32, ONNX Runtime and PyTorch (eager, channels last) by turns, one thread each,
  from uint8 pictures to probabilities on both sides;
* eight bits: the certificate of `convoscope export --int8`;
* server: `convoscope serve FILE.onnx` on one core, a client of 1 and of 32 connections on the other, one picture a
  request; by turns with it, on the first core, bare ONNX Runtime: the same file in a loop, a picture a call, from uint8
  pixels that lie ready to probabilities. The requests hold such pixels as JSON; then the same picture as a PNG file,
  beside a loop that decodes the file before each call. What is left is the price of HTTP, less what batches save;
* pace: 200 requests a second over 8 connections, the server free to use both cores;
* crowd: 1,000 connections at once.

The run is the folder given, or one of the default recipe that is trained on MNIST first. Ends with an error when a
target is missed.

    python -m benchmarks.shipping [RUN]
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.records import put, record

COMMAND = "python -m benchmarks.shipping"
TURNS, SECONDS, CONNECTIONS = 30, 5.0, 32
ROUNDS, ROUND_SECONDS = 5, 3.0


def main() -> None:
    """Measure, print, write the records."""
    import onnxruntime
    import torch

    import convoscope as cs
    from convoscope.shipping.export import export

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[1:]
        run = cs.Run(given[0]) if given else cs.train("mnist", out=Path(folder, "run"))
        whole = export(run, Path(folder, "whole.onnx"))
        small = export(run, Path(folder, "small.onnx"), int8=True)
        data = str(run.config["data"]["name"])
        shared = {"model": run.config["model"], "onnxruntime": onnxruntime.__version__}
        records: list[tuple[str, str, dict[str, Any]]] = [
            ("ONNX Runtime beside PyTorch", "1 thread", inference(run, whole.file)),
            ("eight bits", "", eight_bits(whole, small)),
            ("server", "1 core for the server, 1 for the client", server(whole.file, run.preprocessing.input_shape)),
        ]
    for name, conditions, figures in records:
        put("shipping", record(name, data, COMMAND, conditions=conditions, **shared, **figures))
    measured = {name: figures for name, _, figures in records}
    print(json.dumps(measured, indent=2))
    if missed := [name for name, kept in targets(measured).items() if not kept]:
        sys.exit(f"missed: {', '.join(missed)}")


def targets(measured: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Which targets are kept."""
    side, served = measured["ONNX Runtime beside PyTorch"], measured["server"]
    return {
        "ONNX Runtime >= 1.5 x PyTorch, one picture": side["ratio_1"] >= 1.5,
        f"ONNX Runtime >= 1.5 x PyTorch, {CONNECTIONS} pictures": side[f"ratio_{CONNECTIONS}"] >= 1.5,
        "eight bits lose <= 0.1 point": measured["eight bits"]["error_lost"] <= 0.001,
        "server >= 0.8 x bare ONNX Runtime": served["ratio_bare"] >= 0.8,
        "p99 < 10 ms at 200 requests/s": served["paced_milliseconds_p99"] < 10,
        "1,000 connections without an error": set(served["crowd_statuses"]) <= {"200", "429", "503"},
    }


def inference(run: Any, file: Path) -> dict[str, Any]:
    """Microseconds a picture at several batch sizes, and how many times as fast ONNX Runtime is."""
    from convoscope.shipping.classifier import Classifier

    classifier = Classifier.read(file, threads=1)
    channels, height, width = run.preprocessing.input_shape
    figures: dict[str, Any] = {}
    for count in (1, CONNECTIONS, 500):
        pictures = np.random.default_rng(0).integers(0, 256, (count, channels, height, width), dtype=np.uint8)
        upright = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
        ours, theirs = in_turns(
            lambda upright=upright: classifier.probabilities(upright),
            lambda pictures=pictures: run.logits(pictures).softmax(dim=1),
            repeats=max(1, 64 // count),
        )
        figures[f"microseconds_onnxruntime_{count}"] = round(1e6 * ours / count, 1)
        figures[f"microseconds_pytorch_{count}"] = round(1e6 * theirs / count, 1)
        figures[f"ratio_{count}"] = round(theirs / ours, 2)
    return figures


def in_turns(one: Callable[[], Any], other: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median seconds of a call to each, by turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for work, kept in zip((one, other), times, strict=True):
            started = time.perf_counter()
            for _ in range(repeats):
                work()
            kept.append((time.perf_counter() - started) / repeats)
    return median(times[0][2:]), median(times[1][2:])


def eight_bits(whole: Any, small: Any) -> dict[str, Any]:
    """What the certificates say of both files."""
    return {
        "error": small.certificate.test_error,
        "error_float32": whole.certificate.test_error,
        "error_lost": small.certificate.error_lost,
        "test_count": small.certificate.checked,
        "disagreements": small.certificate.disagreements,
        "disagreements_float32": whole.certificate.disagreements,
        "max_abs_difference_float32": whole.certificate.max_abs_difference,
        "bytes": small.size,
        "bytes_float32": whole.size,
    }


def server(file: Path, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Requests/s beside bare ONNX Runtime, latency at a steady rate, and a crowd."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as folder:
        pixels, png = bodies(shape, Path(folder))
        seen: dict[str, list[float]] = {}
        with served(file, {first}) as address:
            ask(address, pixels, {second}, connections=CONNECTIONS, seconds=0.5)  # the first ones are slow
            for _ in range(ROUNDS):
                found = {
                    **bare_rates(file, png, first),
                    "": ask(address, pixels, {second}, connections=CONNECTIONS, seconds=ROUND_SECONDS),
                    "_png": ask(address, png, {second}, connections=CONNECTIONS, seconds=ROUND_SECONDS),
                    "_one_connection": ask(address, pixels, {second}, connections=1, seconds=ROUND_SECONDS / 2),
                }
                for name, rate in found.items():
                    value = rate["requests_per_second"] if isinstance(rate, dict) else rate
                    seen.setdefault(f"requests_per_second{name}", []).append(value)
        with served(file, {first, second}) as address:
            ask(address, pixels, {first, second}, connections=8, seconds=0.5)
            paced = ask(address, pixels, {first, second}, connections=8, seconds=SECONDS, rate=200)
            crowd = ask(address, pixels, {first, second}, connections=1000, seconds=SECONDS)
    rates = {name: round(median(values), 1) for name, values in seen.items()}
    return {
        **rates,
        "ratio_bare": round(rates["requests_per_second"] / rates["requests_per_second_bare"], 3),
        "ratio_bare_png": round(rates["requests_per_second_png"] / rates["requests_per_second_bare_png"], 3),
        "rounds": ROUNDS,
        "paced_milliseconds_p50": paced["milliseconds_p50"],
        "paced_milliseconds_p99": paced["milliseconds_p99"],
        "crowd_requests_per_second": crowd["requests_per_second"],
        "crowd_milliseconds_p99": crowd["milliseconds_p99"],
        "crowd_statuses": crowd["statuses"],
    }


def bodies(shape: tuple[int, int, int], folder: Path) -> tuple[Path, Path]:
    """One picture as two requests: its pixels as JSON, and a PNG file."""
    channels, height, width = shape
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = {"channels": channels, "height": height, "width": width, "data": base64.b64encode(pixels).decode()}
    json_file, png_file = folder / "body.json", folder / "body.png"
    json_file.write_text(json.dumps({"images": [image]}))
    Image.fromarray(pixels[0] if channels == 1 else pixels.transpose(1, 2, 0)).save(png_file)
    return json_file, png_file


_BARE = """
import sys, time, numpy as np
from pathlib import Path
from convoscope.data.decode import decode
from convoscope.shipping.classifier import Classifier
classifier = Classifier.read(Path(sys.argv[1]), threads=1)
file = Path(sys.argv[2]).read_bytes()
pixels = np.ascontiguousarray(decode(file)[None].transpose(0, 2, 3, 1))
def bare():
    classifier.probabilities(pixels)
def bare_png():
    classifier.probabilities(decode(file)[None].transpose(0, 2, 3, 1))
for work in (bare, bare_png):
    for seconds in (0.3, float(sys.argv[3])):
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            work()
            count += 1
    print(count / (time.perf_counter() - started))
"""


def bare_rates(file: Path, png: Path, core: int) -> dict[str, float]:
    """Predictions a second by ONNX Runtime alone, on one core: of pixels, and of a file to be decoded."""
    command = [sys.executable, "-c", _BARE, str(file), str(png), str(ROUND_SECONDS)]
    bare, decoded = map(float, on_cores(command, {core}).split())
    return {"_bare": bare, "_bare_png": decoded}


@contextmanager
def served(file: Path, cores: set[int]) -> Iterator[str]:
    """The address of a server on `cores` that is ready."""
    command = [sys.executable, "-m", "convoscope", "serve", str(file), "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=_kept_to(cores)
    ) as process:
        try:
            assert process.stdout is not None
            address = json.loads(process.stdout.readline())["address"]
            urllib.request.urlopen(f"{address}/api/v1/predict", timeout=60).read()
            yield address
        finally:
            process.terminate()


def ask(
    address: str, body: Path, cores: set[int], *, connections: int, seconds: float, rate: float | None = None
) -> dict[str, Any]:
    """What a client on `cores` sees."""
    command = [sys.executable, "-m", "benchmarks.load", address, str(body), f"--connections={connections}"]
    kind = "image/png" if body.suffix == ".png" else "application/json"
    command += [f"--kind={kind}", f"--seconds={seconds}", *([] if rate is None else [f"--rate={rate}"])]
    found: dict[str, Any] = json.loads(on_cores(command, cores))
    return found


def on_cores(command: list[str], cores: set[int]) -> str:
    """What a process that may use only `cores` prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=_kept_to(cores)).stdout


def _kept_to(cores: set[int]) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
