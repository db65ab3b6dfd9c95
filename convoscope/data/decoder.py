"""Jobs on many picture files, and the process that does them: ``python -m convoscope.data.decoder``.

A job is one JSON line, its answer another. Decoded pictures don't travel through the pipe: they are written straight
to their place in the cache file. The process is an ordinary program started afresh, not a fork or a re-import of the
user's script, so that it works from any script, notebook or thread.
"""

from __future__ import annotations

import hashlib
import json
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from convoscope.data.decode import UnreadableError, decode, examine

READY = "ready"

# One file's answer: [height, width, grey] or [sha256, coloured]; or [cause, detail, None] where it can't be used.
Answer = list[Any]


def run_job(job: dict[str, Any]) -> list[Answer]:
    """Do the job ``{"do": "examine"|"decode", "root": …, "files": […], …}``; one answer a file.

    Raises:
        OSError: the cache file can't be written.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which we don't use
        return _decode(job) if job["do"] == "decode" else [_examine(job["root"], name) for name in job["files"]]


def _examine(root: str, name: str) -> Answer:
    try:
        with open(f"{root}/{name}", "rb") as file:
            return list(examine(file))
    except UnreadableError as error:
        return [error.cause, error.detail, None]
    except OSError as error:
        return ["closed", error.strerror or str(error), None]


def _decode(job: dict[str, Any]) -> list[Answer]:
    """Decode ``files`` to ``shape`` (C, H, W) and write them to ``array`` from byte ``offset`` on."""
    channels, height, width = job["shape"]
    block = np.zeros((len(job["files"]), channels, height, width), dtype=np.uint8)
    answers: list[Answer] = []
    for row, name in enumerate(job["files"]):
        try:
            content = Path(job["root"], name).read_bytes()
            block[row] = decode(content, channels=channels, size=(height, width))
        except UnreadableError as error:
            answers.append([error.cause, error.detail, None])
        except OSError as error:
            answers.append(["closed", error.strerror or str(error), None])
        else:
            coloured = channels == 3 and bool((block[row, 0] != block[row, 1:]).any())
            answers.append([hashlib.sha256(content).hexdigest(), coloured])
    with open(job["array"], "r+b") as file:
        file.seek(job["offset"])
        file.write(block.data)
    return answers


def main() -> None:
    """Answer jobs until the input ends; Ctrl-C is for the parent, which then ends the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(READY, flush=True)
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"answers": run_job(json.loads(line))}
        except OSError as error:
            answer = {"errno": error.errno, "detail": error.strerror or str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
