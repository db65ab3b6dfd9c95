"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Threads that wait sleep instead of spinning, since the machine may have other work. OpenMP reads this when torch
# is loaded, here and in the processes that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# How long an example takes depends on what else the machine does; no test asserts on time.
settings.register_profile("convoscope", deadline=None)
settings.load_profile("convoscope")


@pytest.fixture(scope="session", autouse=True)
def own_progress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Exercises that tests do are kept apart from those of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVOSCOPE_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.jsonl"))
        patch.delenv("CONVOSCOPE_STUDENT", raising=False)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browser tests come last: from the first on, Playwright keeps an event loop at work in the main thread.

    Where several processes share the tests, those of a file stay together (`--dist loadfile`), for the sake of what
    they share.
    """
    in_browser = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in in_browser)


@pytest.fixture(scope="session")
def full_data() -> Path:
    """The folder that holds the full data sets (mnist/, cifar10/); tests that need it are skipped where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CONVOSCOPE_TEST_DATA", beside))
    if not (folder / "mnist").is_dir():
        pytest.skip(f"the full data sets are not in {folder} (set CONVOSCOPE_TEST_DATA)")
    return folder
