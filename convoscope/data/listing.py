"""What lies in a folder of class folders, told from names and file dates alone; no picture is opened here.

Two layouts are read:

- ``folder/CLASS/…``: every folder inside is a class.
- ``folder/train/CLASS/…`` with ``test/`` or ``val/`` beside it, or alone. ``train`` counts as a split only if it holds
  folders and no files of its own. Where there is a ``test``, ``val`` is joined to ``train`` (validation pictures are
  taken out of that); where there is only ``val``, it is the test set, as published data sets mean it.

Folders inside a class belong to the class. Links are followed, except those to a folder that the class already holds.
Hidden files and folders, and the droppings of file managers, don't count. Classes are sorted as a person would:
``2`` before ``10``.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from convoscope.core.errors import RequestError
from convoscope.data.types import LeftOut

_TRAIN = {"train", "training", "entrenamiento"}
_TEST = {"test", "testing", "prueba"}
_VALIDATION = {"val", "valid", "validation", "validacion", "validación"}
_DROPPINGS = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r"}


class Entry(NamedTuple):
    """A file that may be a picture."""

    name: str  # relative to the folder, with forward slashes
    label: int  # index into Listing.classes
    test: bool
    size: int
    stamp: tuple[int, int, int]  # mtime_ns, ctime_ns, inode: they change whenever the content does


@dataclass(frozen=True)
class Listing:
    """The files of a folder, train before test, then by class, then by name."""

    folder: Path
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    has_test: bool


def list_folder(folder: Path) -> Listing:
    """List a folder of class folders.

    Raises:
        RequestError: it does not exist, can't be read, or holds no folders.
    """
    if not os.path.isdir(folder):
        raise RequestError("data.folder_is_file" if os.path.exists(folder) else "data.folder_missing", folder=folder)
    try:
        splits = _splits(folder, _folders(folder)) or {"": False}
        inside = {split: _folders(folder / split) for split in splits}
    except OSError as error:
        file, detail = error.filename or folder, error.strerror or str(error)
        raise RequestError("data.file_closed", file=file, detail=detail) from error
    left_out: list[LeftOut] = []
    found: list[tuple[bool, str, str, os.stat_result]] = []
    names: set[str] = set()
    for split, test in splits.items():
        for each in inside[split]:
            name = _class_name(folder / split, each)
            names.add(name)
            top = f"{split}/{each}" if split else each
            found += ((test, name, file, status) for file, status in files_below(folder, top, left_out))
    if not names:
        raise RequestError("data.folder_without_classes", folder=folder)
    classes = tuple(sorted(names, key=lambda name: (_natural(name), name)))
    label = {name: index for index, name in enumerate(classes)}
    entries = [
        Entry(file, label[name], test, s.st_size, (s.st_mtime_ns, s.st_ctime_ns, s.st_ino))
        for test, name, file, s in found
    ]
    entries.sort(key=lambda entry: (entry.test, entry.label, entry.name))
    left_out.sort(key=lambda left: left.file)
    return Listing(folder, classes, tuple(entries), tuple(left_out), any(splits.values()))


def is_text(name: str) -> bool:
    """Whether the system holds a name in UTF-8, so that it can be shown and stand in a file."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(name: str) -> str:
    """What is told of a name or path: itself where it is text, else with the numbers of the bytes that are none."""
    return name if is_text(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def _class_name(folder: Path, name: str) -> str:
    """What the class of a class folder is called.

    Raises:
        RequestError: the name is no text, as one that an old archive holds in Latin-1.
    """
    if not is_text(name):
        raise RequestError("data.class_name", folder=folder, name=as_text(name))
    return unicodedata.normalize("NFC", name)


def _splits(folder: Path, inside: list[str]) -> dict[str, bool]:
    """The split folders and whether each is for testing; empty where the folders are classes."""
    kinds = {name: name.casefold() for name in inside}
    train = [name for name, kind in kinds.items() if kind in _TRAIN]
    if not train or not all(_holds_folders_only(folder / name) for name in train):
        return {}
    test = [name for name, kind in kinds.items() if kind in _TEST]
    validation = [name for name, kind in kinds.items() if kind in _VALIDATION]
    return {
        **dict.fromkeys(train, False),
        **dict.fromkeys(validation, not test),
        **dict.fromkeys(test, True),
    }


def _holds_folders_only(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        kinds = [entry.is_dir() for entry in entries if not _ignored(entry.name)]
    return bool(kinds) and all(kinds)


def _folders(folder: Path) -> list[str]:
    """The names of the folders directly inside `folder`, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if not _ignored(entry.name) and entry.is_dir())


def files_below(root: Path, top: str, left_out: list[LeftOut]) -> Iterator[tuple[str, os.stat_result]]:
    """All files below `root`/`top` with their status; what can't be used is added to `left_out`.

    No folder is read twice, however many links lead to it; the folder itself comes before links to it. Names are
    relative to `root`, which is read itself if `top` is empty.
    """
    seen = {_identity(os.stat(root))} if top else set()
    folders, links = [top], deque[str]()
    while folders or links:
        folder = folders.pop() if folders else links.popleft()
        try:
            here = _identity(os.stat(root / folder))
            if here in seen:
                left_out.append(LeftOut(folder, "loop"))
                continue
            seen.add(here)
            with os.scandir(root / folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            left_out.append(LeftOut(folder, "closed", error.strerror or str(error)))
            continue
        for entry in inside:
            if _ignored(entry.name):
                continue
            name = f"{folder}/{entry.name}" if folder else entry.name
            try:
                status = entry.stat()
            except OSError as error:  # a broken link, or one that leads to itself
                left_out.append(LeftOut(name, "closed", error.strerror or str(error)))
                continue
            if stat.S_ISDIR(status.st_mode):
                (links if entry.is_symlink() else folders).append(name)
            elif not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
                left_out.append(LeftOut(name, "no_file"))
            elif status.st_size == 0:
                left_out.append(LeftOut(name, "empty"))
            else:
                yield name, status


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _DROPPINGS


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """A sort key that takes runs of digits as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part.casefold()) for part in parts if part]
