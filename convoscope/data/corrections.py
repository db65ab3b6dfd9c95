"""Labels set right by people: a small CSV beside the data, which `load` honours. No picture is ever touched.

::

    picture,was,label
    cat/17.jpg,cat,dog          the picture shows a dog
    cat/18.jpg,cat,             the picture is to be left out

A picture is named by its file where it is one with a name in UTF-8, else by the first 16 hex digits of the sha256 of
its pixels, so that another split doesn't mix pictures up. Only training pictures are corrected: what is tested with
stays as it was, or a test error could be made smaller by changing the test.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.data.cache import cache_folder, writing
from convoscope.data.listing import is_text
from convoscope.data.sets import as_folder, registry
from convoscope.data.sources import on_disk
from convoscope.data.types import ImageData, Images, Labels

_HEAD = ["picture", "was", "label"]
_LEAST = 2


@dataclass(frozen=True)
class Correction:
    """What is right for one picture.

    Attributes:
        was: the name of the class that it has in the data.
        label: the name of its true class; None if it is to be left out.
    """

    was: str
    label: str | None


def corrections_file(data: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where the corrections of a data set or folder lie: beside its files; in the cache, if it has no files of its own.

    Raises:
        RequestError: there is no such data set.
    """
    folder = as_folder(data)
    if folder is not None:
        return folder / "convoscope-labels.csv"
    data_set = registry.get(str(data))
    place = None if data_set.bundled else on_disk(data_set, None if data_dir is None else Path(data_dir))
    beside = cache_folder() / "sets" / data_set.name if place is None else place.folder
    return beside / f"{data_set.name}-labels.csv"


def picture_names(part: Images, rows: npt.NDArray[np.int64] | None = None) -> list[str]:
    """What each picture (of `rows`, if given) is named in a file of corrections."""
    places = range(len(part)) if rows is None else [int(row) for row in rows]
    if part.files:
        return [part.files[place] if is_text(part.files[place]) else _digest(part, place) for place in places]
    return [_digest(part, place) for place in places]


def _digest(part: Images, place: int) -> str:
    return hashlib.sha256(np.ascontiguousarray(part.images[place]).tobytes()).hexdigest()[:16]


def read_corrections(file: Path) -> dict[str, Correction]:
    """Picture -> correction; empty if there is no such file.

    Raises:
        RequestError: it is no file of corrections, or two of its lines contradict each other.
    """
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError) as error:
        raise RequestError("data.labels_file", file=file, line=1) from error
    found: dict[str, Correction] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if row == (_HEAD if number == 1 else []):
            continue
        if number == 1 or len(row) != len(_HEAD) or not (row[0] and row[1]):
            raise RequestError("data.labels_file", file=file, line=number)
        correction = Correction(row[1], row[2] or None)
        if found.setdefault(row[0], correction) != correction:
            raise RequestError("data.labels_twice", file=file, line=number, picture=row[0])
    return found


def write_corrections(file: Path, corrections: Mapping[str, Correction]) -> None:
    """Write the file whole, or remove it if there is nothing to correct.

    Raises:
        RequestError: it can't be written; the earlier file is intact.
    """
    if not corrections:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise RequestError("core.not_writable", path=str(file), reason=error.strerror or str(error)) from error
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows((name, one.was, one.label or "") for name, one in sorted(corrections.items()))
    with writing():
        file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text.getvalue().encode())


def corrected(data: ImageData, file: Path, corrections: Mapping[str, Correction] | None = None) -> ImageData:
    """`data` with the training labels that the file of corrections gives; `data` itself if there is no such file.

    A correction of a picture that is not among the training pictures (of this split) changes nothing.

    Args:
        data: as they are without corrections.
        file: the file; it is named in what is said.
        corrections: what the file is going to hold; what it holds, if not given.

    Raises:
        RequestError: the file is damaged, names a class that there is not, was written for other data, or leaves a
            class with fewer than two training pictures.
    """
    corrections = read_corrections(file) if corrections is None else corrections
    if not corrections:
        return data
    index = {name: at for at, name in enumerate(data.classes)}
    for name, one in corrections.items():
        for label in (one.was, one.label):
            if label is not None and label not in index:
                raise RequestError("data.labels_class", file=file, picture=name, label=label)
    labels, kept = data.train.labels.copy(), np.ones(len(data.train), dtype=bool)
    applied = []
    for row, name in enumerate(picture_names(data.train)):
        if name not in corrections:
            continue
        one = corrections[name]
        if labels[row] != index[one.was]:
            raise RequestError(
                "data.labels_other", file=file, picture=name, was=one.was, found=data.classes[labels[row]]
            )
        if one.label is None:
            kept[row] = False
        else:
            labels[row] = index[one.label]
        applied.append(f"{name}:{one.label}")
    counts = np.bincount(labels[kept], minlength=len(data.classes))
    if counts.min() < _LEAST:
        raise RequestError("data.labels_empty", file=file, label=data.classes[int(counts.argmin())], least=_LEAST)
    if not applied:
        return data
    return dataclasses.replace(
        data,
        train=_part(data.train, labels, kept),
        source=say("data.source_corrected", source=data.source, count=len(applied), file=file),
        fingerprint=hashlib.sha256("\n".join([data.fingerprint, *sorted(applied)]).encode()).hexdigest(),
        corrections=len(applied),
    )


def _part(part: Images, labels: Labels, kept: npt.NDArray[np.bool_]) -> Images:
    if kept.all():
        return dataclasses.replace(part, labels=labels)
    rows = np.flatnonzero(kept)
    files = tuple(part.files[row] for row in rows) if part.files else ()
    return Images(part.images[rows], labels[rows], files)
