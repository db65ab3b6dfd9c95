"""Where Convoscope keeps what it downloads and decodes."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The user's cache folder for Convoscope (`CONVOSCOPE_CACHE`, else the system's place for caches)."""
    chosen = os.environ.get("CONVOSCOPE_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("convoscope", appauthor=False)
