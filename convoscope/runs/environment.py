"""Where a run took place: what a figure needs beside it to mean anything."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from convoscope.core.cores import usable_cores

_PACKAGES = ("torch", "lightning-fabric", "numpy", "scipy", "numba", "scikit-learn", "pillow", "safetensors")


def environment() -> dict[str, Any]:
    """Versions, processor, cores and threads of this process, JSON-ready."""
    import torch

    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of convoscope and of the libraries that decide its numbers."""
    from convoscope import __version__

    found = {"convoscope": __version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> str:
    """One line: processor, usable cores, and the accelerator if there is one."""
    import torch

    line = f"{processor()}, {usable_cores()} cores"
    if torch.cuda.is_available():
        line += f", {torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return line


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit_of(place: Path, code: Iterable[str]) -> str | None:
    """The commit of the repository that `place` lies in, marked where `code` differs from it.

    Args:
        place: a folder.
        code: files, or patterns of git, that decide what is measured.

    Returns:
        None outside of a repository, and where there is no git.
    """
    try:
        told = _git(place, "rev-parse", "HEAD")
        if told.returncode:
            return None
        changed = _git(place, "status", "--porcelain", "--", *code).stdout.strip()
    except OSError:  # there is no git
        return None
    return told.stdout.strip() + ("-dirty" if changed else "")


def _git(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(place), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
