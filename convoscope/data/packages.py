"""Files that installed packages ship, found without importing the packages, which takes seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from convoscope.core.errors import RequestError

# A package is not always installed under the name that it is imported by.
_INSTALLED_AS = {"sklearn": "scikit-learn"}


def file_of(package: str, file: str, *, name: str) -> Path:
    """Where a file of an installed package is on this machine.

    Args:
        package: as it is imported.
        file: relative to the folder of the package.
        name: what it is read for, as users know it.

    Raises:
        RequestError: the package is not installed, or has no such file.
    """
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / file
        if path.is_file():
            return path
    raise RequestError("data.package_missing", name=name, package=_INSTALLED_AS.get(package, package))
