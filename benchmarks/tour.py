"""The tour of the READMEs: its commands, run as a user runs them, with what they print in both languages.

Each step goes to ``benchmarks/results/tour.json``; ``python -m benchmarks.tables`` then puts it into the READMEs.

    python -m benchmarks.tour
    python -m benchmarks.tour convolve pool    # these steps only; those on the run need `train` beside them
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.records import put, record

RUN = "runs/mnist-5k-convnet-1"
PICTURE = """\
import convoscope as cs
from PIL import Image
Image.fromarray(cs.load("mnist-5k").test.images[0, 0]).save("digit.png")
"""
CROSS = "1,0,1,1,0; 0,1,0,0,1; 1,0,1,1,0; 1,1,0,1,1; 1,0,1,1,0"
STEPS = {
    "train": "convoscope train",
    "evaluate": f"convoscope evaluate {RUN}",
    "predict": f"convoscope predict {RUN} digit.png",
    "convolve": f'convoscope convolve "{CROSS}" --kernel cross --trace 0,0',
    "pool": f'convoscope convolve "{CROSS}" --kernel cross --pool max --size 3 --trace 0,0',
    "summary": f"convoscope summary {RUN}",
    "check": "convoscope data check pictures",
    "wrong": "convoscope train --model lenet",
}
LANGUAGES = {"en": "C.UTF-8", "es": "es_ES.UTF-8"}


def main() -> None:
    """Run the steps in an empty folder and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    asked = parser.parse_args().steps or list(STEPS)
    with tempfile.TemporaryDirectory() as place:
        _run([sys.executable, "-c", PICTURE], place, "en")
        _make_pictures(Path(place) / "pictures")
        for name, command in ((name, STEPS[name]) for name in asked):
            arguments = [sys.executable, "-m", "convoscope", *shlex.split(command)[1:]]
            shown = {"en": _run(arguments, place, "en")}
            # A complete run that is resumed tells its result again, so training once is enough.
            again = [*arguments[:4], "--resume", RUN] if name == "train" else arguments
            shown["es"] = _run(again, place, "es")
            put("tour", record(name, "mnist-5k", command, **shown))
            print(f"$ {command}\n{shown['en']}\n{shown['es']}")


def _run(command: list[str], place: str, language: str) -> str:
    """What `command` prints, errors and answer in the order in which they come."""
    environment = {**os.environ, "LC_ALL": LANGUAGES[language], "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in (0, 2):
        sys.exit(f"{command} ended with exit code {done.returncode}: {done.stdout}")
    return done.stdout.strip("\n")


def _make_pictures(folder: Path) -> None:
    """A small folder of class folders, with a file that is no picture."""
    from PIL import Image

    import convoscope as cs

    digits = cs.load("digits")
    for index, label in enumerate(digits.train.labels[:60]):
        if label < 3:
            place = folder / ("zero", "one", "two")[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(digits.train.images[index, 0]).save(place / f"{index}.png")
    (folder / "one" / "broken.png").write_bytes(b"")


if __name__ == "__main__":
    main()
