"""The data sets that have a name: one file each, which says where the data set comes from and how it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convoscope.core.registry import Registry
from convoscope.data.types import Images

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set as its makers publish it.

    Attributes:
        name: its name on disk, as published.
        md5: of the decompressed content for a ``.gz`` of one file (the wrapping may differ), else of the file itself.
        urls: where to get it, best first.
    """

    name: str
    md5: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What a reader needs to know: where to look, the split seed (for sets without a split of their own), progress."""

    data_dir: Path | None = None
    seed: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class Contents:
    """What a reader found: both splits, and where they came from."""

    train: Images
    test: Images
    source: str


@dataclass(frozen=True)
class DataSet:
    """A named data set.

    Attributes:
        name: what a person types.
        shape: (C, H, W).
        classes: class names in label order; `classes_es` the same in Spanish.
        counts: pictures to train and to test with.
        mirrored: whether a picture may be flipped left-right and keep its class.
        official_split: whether the makers say which pictures are for testing; if not, the seed decides.
        homepage, licence, citation: who made it, and on what terms.
        read: reads it; raises RequestError where it can't.
        files: what is downloaded; empty for a data set that an installed package ships.
        unpacked: the names on disk, where `files` are archives of several files.
        folders: where the files may lie below a data folder (the folder itself is looked at last).
        system_folders: where operating systems install them.
        taken_from: the data set of whose training pictures it is a part: what learned from that one knows all of it.
    """

    name: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    classes_es: tuple[str, ...]
    counts: tuple[int, int]
    mirrored: bool
    official_split: bool
    homepage: str
    licence: str
    citation: str
    read: Callable[[DataSet, Request], Contents]
    files: tuple[RemoteFile, ...] = ()
    unpacked: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    system_folders: tuple[Path, ...] = ()
    taken_from: str | None = None

    @property
    def names_on_disk(self) -> tuple[str, ...]:
        """The files a folder must hold to hold the data set."""
        return self.unpacked or tuple(file.name for file in self.files)

    @property
    def bundled(self) -> bool:
        """Whether it needs no network."""
        return not self.files


registry: Registry[DataSet] = Registry("data set", "convoscope.data.sets")


def as_folder(asked: str | os.PathLike[str]) -> Path | None:
    """The folder that `asked` means, or None if it is a data set's name."""
    if isinstance(asked, str) and asked in registry:
        return None
    path = Path(asked).expanduser()
    written_as_path = not isinstance(asked, str) or os.sep in asked or "/" in asked or asked.startswith((".", "~"))
    return path if written_as_path or os.path.isdir(path) else None
