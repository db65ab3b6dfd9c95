"""`load`: a data set by its name, or any folder of class folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convoscope.core.errors import RequestError
from convoscope.data.cache import cache_folder, writing
from convoscope.data.corrections import corrected, corrections_file
from convoscope.data.sets import Contents, DataSet, Progress, Request, as_folder, registry
from convoscope.data.types import ImageData, fingerprint

_DAMAGED = ("data.file_torn", "data.file_foreign")


def load(
    name_or_folder: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    size: int | tuple[int, int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    corrections: bool = True,
) -> ImageData:
    """Read a data set, its training labels set right where a file of corrections lies beside it.

    Args:
        name_or_folder: a registered name (``mnist``), or a folder of class folders. A registered name wins; write
            ``./mnist`` for a folder of that name.
        data_dir: where to look first for the files of a named data set; else the environment variable CONVOSCOPE_DATA.
        size: for folders, the side, or (height, width), that pictures are brought to; see `convoscope.data.folder`.
        seed: decides the test split of data that has none of its own (``mnist-5k``, ``digits``, a folder without
            ``test``). Official splits don't depend on it.
        progress: called with (done, total): bytes of a download, or files decoded.
        corrections: whether to honour the file of corrections (`convoscope.data.corrections`).

    Raises:
        RequestError: no such data set or folder, or its files are missing, damaged or of another kind.
    """
    data = _loaded(name_or_folder, data_dir, size, seed, progress)
    return corrected(data, corrections_file(name_or_folder, data_dir)) if corrections else data


def load_known(asked: Mapping[str, Any], *, data_dir: str | os.PathLike[str] | None) -> ImageData:
    """The data that a run was trained on, by what its config says of them.

    Args:
        asked: ``name``, ``size``, ``seed`` and ``fingerprint``. A run that learned before labels were corrected finds
            its data as they were; where neither has the fingerprint, the data are given as they are now.
        data_dir: where to look first.

    Raises:
        RequestError: as for `load`.
    """
    found = load(asked["name"], data_dir=data_dir, size=asked["size"], seed=asked["seed"])
    if found.corrections and found.fingerprint != asked["fingerprint"]:
        before = load(asked["name"], data_dir=data_dir, size=asked["size"], seed=asked["seed"], corrections=False)
        return before if before.fingerprint == asked["fingerprint"] else found
    return found


def _loaded(
    name_or_folder: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None,
    size: int | tuple[int, int] | None,
    seed: int,
    progress: Progress | None,
) -> ImageData:
    folder = as_folder(name_or_folder)
    if folder is not None:
        from convoscope.data.folder import load_folder

        return load_folder(folder, size=size, seed=seed, progress=progress)
    if size is not None:
        raise RequestError("data.size_of_named", name=name_or_folder)
    data_set = registry.get(str(name_or_folder))
    contents = _read(data_set, Request(None if data_dir is None else Path(data_dir), seed, progress))
    return ImageData(
        name=data_set.name,
        train=contents.train,
        test=contents.test,
        classes=data_set.classes,
        mirrored=data_set.mirrored,
        source=contents.source,
        licence=data_set.licence,
        fingerprint=fingerprint(contents.train, contents.test, data_set.classes),
    )


def _read(data_set: DataSet, request: Request) -> Contents:
    """Read a named data set; a file of our own cache that turns out damaged is dropped and got again."""
    try:
        return data_set.read(data_set, request)
    except RequestError as error:
        file = error.values.get("file")
        if error.key not in _DAMAGED or not isinstance(file, Path) or not file.is_relative_to(cache_folder()):
            raise
        with writing():
            file.unlink()
    return data_set.read(data_set, request)
