"""Where the files of a named data set are: the data folder, the cache, the system, or the makers' server."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.cache import cache_folder, locked, writing
from convoscope.data.download import FetchError, fetch
from convoscope.data.sets import DataSet, Request


@dataclass(frozen=True)
class Place:
    """A folder that holds the files of a data set."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where the file `name` lies here, under one of the names it goes by.

        Raises:
            RequestError: it is missing, though other files of the set are here.
        """
        found = self._find(name)
        if found is None:
            raise RequestError("data.file_missing", file=self.folder / name)
        return found

    def holds(self, data_set: DataSet, *, whole: bool) -> bool:
        """Whether the files of `data_set` are here: all of them (`whole`), or any."""
        found = (self._find(name) is not None for name in data_set.names_on_disk)
        return all(found) if whole else any(found)

    def source(self, official: bool) -> str:
        """The sentence for `ImageData.source`."""
        return say("data.source_official" if official else "data.source_other", folder=self.folder)

    def _find(self, name: str) -> Path | None:
        plain = name.removesuffix(".gz")
        names = (name, plain, plain.replace("-idx", ".idx"))
        return next((self.folder / name for name in names if (self.folder / name).is_file()), None)


def locate(data_set: DataSet, request: Request) -> Place:
    """Find the files of `data_set`, downloading them if they are nowhere on this machine.

    The order: the data folder (`data_dir`, else the environment variable CONVOSCOPE_DATA), the user's cache, where the
    operating system installs them, the makers' server and its mirrors.

    Raises:
        RequestError: they are neither on this machine nor reachable.
    """
    return on_disk(data_set, request.data_dir) or _download(data_set, _kept(data_set), request)


def on_disk(data_set: DataSet, data_dir: Path | None) -> Place | None:
    """Where on this machine the files of `data_set` are; None if they would have to be downloaded."""
    for folder in candidates(data_set, data_dir):
        if Place(folder).holds(data_set, whole=False):
            return Place(folder)
    for place in (_kept(data_set), *map(Place, data_set.system_folders)):
        if place.holds(data_set, whole=True):
            return place
    return None


def _kept(data_set: DataSet) -> Place:
    return Place(cache_folder() / "sets" / data_set.name)


def _download(data_set: DataSet, place: Place, request: Request) -> Place:
    """Fetch the files of `data_set` into the cache, and unpack them if they are an archive.

    Several processes may ask for the same set: one does the work, the others wait and find it done.
    """
    try:
        with writing(), locked(place.folder.with_name(f"{data_set.name}.lock")):
            if place.holds(data_set, whole=True):
                return place
            paths = [fetch(file, place.folder, request.progress) for file in data_set.files]
            if data_set.unpacked:
                for path in paths:
                    _unpack(path, data_set.unpacked)
                    path.unlink()
    except FetchError as error:
        raise RequestError(
            "data.not_found",
            name=data_set.name,
            reason=error,
            files=", ".join(data_set.names_on_disk),
            folder=data_set.folders[0],
        ) from error
    return place


def _unpack(archive: Path, names: tuple[str, ...]) -> None:
    """Take the files `names` out of a tar `archive`, from whatever folder inside, and put them beside it."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            content = tar.extractfile(member) if name in names else None
            if content is not None:
                fresh = archive.parent / f"{name}.part"
                with content, open(fresh, "wb") as file:
                    shutil.copyfileobj(content, file)
                os.replace(fresh, archive.parent / name)


def candidates(data_set: DataSet, data_dir: Path | None) -> Iterator[Path]:
    """The folders below the data folder where the files may lie, most telling first."""
    data_dir = data_dir or _from_environment()
    if data_dir is None:
        return
    if not data_dir.is_dir():
        raise RequestError("data.data_dir_missing", folder=data_dir)
    for name in data_set.folders:
        yield data_dir / name
    yield data_dir


def _from_environment() -> Path | None:
    value = os.environ.get("CONVOSCOPE_DATA")
    return Path(value).expanduser() if value else None
