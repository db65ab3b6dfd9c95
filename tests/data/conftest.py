"""What the tests of this room share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """An empty cache folder of its own for each test, and no data folder from outside."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(folder))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("CONVOSCOPE_DATA", raising=False)
    return folder
