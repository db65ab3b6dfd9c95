"""The decoded pictures of a folder, kept in the cache as one memory-mapped array.

What is kept lies under a key made from the content: the sha256 of every file, their names and classes, the size asked
for, and the version of the reader. So that a second run need not read the files again to know that key, an index
remembers, for each folder, the state in which it was read (name, size, modification and change time, and inode of
every file); if anything differs, the files are read anew.

::

    CACHE/folders/index/<folder and size>.json     state -> key
    CACHE/folders/<key>/images.npy, facts.json     written elsewhere and renamed: whole or not there at all
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from convoscope.data.cache import cache_folder, locked, writing
from convoscope.data.decode import READER_VERSION
from convoscope.data.decoder import Answer
from convoscope.data.decoding import chunks, run_jobs
from convoscope.data.listing import Entry, Listing
from convoscope.data.sets import Progress
from convoscope.data.types import Labels, LeftOut, Pixels, blocks

OWN_SIZE_LIMIT = 64  # pictures that are all of one size keep it up to here
DEFAULT_SIZE = 64

_BLOCK = 1 << 24  # bytes hashed at a time
_TORN = (OSError, ValueError, KeyError, TypeError)  # what reading a file that is not whole can raise

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Stored:
    """All usable pictures of a folder, decoded: train before test, then by class, then by name.

    Attributes:
        images: (N, C, H, W) uint8, read-only memory map.
        names: relative file names.
        labels: (N,) int64.
        train_count: the rows from here on are for testing.
        hashes: sha256 of each file.
        sizes: how many pictures there are of each "HEIGHTxWIDTH", as the files hold them.
        digest: sha256 of pixels, labels and class names.
        folder: where this lies in the cache.
    """

    images: Pixels
    names: tuple[str, ...]
    labels: Labels
    train_count: int
    hashes: tuple[str, ...]
    sizes: dict[str, int]
    left_out: tuple[LeftOut, ...]
    digest: str
    folder: Path


def stored(listing: Listing, size: Size | None, progress: Progress | None) -> Stored:
    """The decoded pictures of `listing`, from the cache if they are there, else decoded now.

    Args:
        listing: the folder.
        size: (height, width); None keeps the size of pictures that are all the same and no larger than 64, and takes
            64x64 otherwise.
        progress: called with (done, total) files while decoding.

    Raises:
        RequestError: the cache can't be written.
    """
    root = cache_folder() / "folders"
    index = root / "index" / f"{_sha256(str(listing.folder.resolve()), str(size))}.json"
    state = _state(listing)
    found = _look_up(root, index, state)
    if found is None:
        with writing(), locked(index.with_suffix(".lock")):
            found = _look_up(root, index, state)
            if found is None:
                key = _build(root, index.stem, listing, size, progress)
                _point(root, index, state, key)
                found = _open(root / key)
    assert found is not None  # noqa: S101 - it was built just now
    return found


def _state(listing: Listing) -> str:
    entries = (f"{e.name}\0{e.label}\0{e.test}\0{e.size}\0{e.stamp}" for e in listing.entries)
    return _sha256(*listing.classes, repr(listing.left_out), *entries)


def _sha256(*parts: str) -> str:
    text = "\0\0".join((f"reader {READER_VERSION}", *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _look_up(root: Path, index: Path, state: str) -> Stored | None:
    try:
        pointer = json.loads(index.read_text("ascii"))
        return _open(root / pointer["key"]) if pointer["state"] == state else None
    except _TORN:
        return None  # nothing there, or torn: it is built anew


def _open(folder: Path) -> Stored:
    """The kept pictures in `folder`; raises one of `_TORN` if they are not whole."""
    facts = json.loads((folder / "facts.json").read_text("ascii"))
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    return Stored(
        images=images,
        names=tuple(facts["names"]),
        labels=np.array(facts["labels"], dtype=np.int64),
        train_count=facts["train_count"],
        hashes=tuple(facts["hashes"]),
        sizes=facts["sizes"],
        left_out=tuple(LeftOut(**left) for left in facts["left_out"]),
        digest=facts["digest"],
        folder=folder,
    )


def _point(root: Path, index: Path, state: str, key: str) -> None:
    """Let the index say `key`, and drop what it said before unless another folder has the same content."""
    index.parent.mkdir(parents=True, exist_ok=True)
    fresh = index.with_suffix(".new")
    fresh.write_text(json.dumps({"state": state, "key": key}), "ascii")
    before = _key_of(index)
    os.replace(fresh, index)
    if before not in {None, key} and all(_key_of(other) != before for other in index.parent.glob("*.json")):
        shutil.rmtree(root / str(before), ignore_errors=True)


def _key_of(index: Path) -> str | None:
    try:
        return str(json.loads(index.read_text("ascii"))["key"])
    except _TORN:
        return None


def _build(root: Path, name: str, listing: Listing, size: Size | None, progress: Progress | None) -> str:
    """Decode everything into a folder beside, and rename it to its key, which is returned."""
    beside = root / f".building-{name}"
    shutil.rmtree(beside, ignore_errors=True)  # left by a run that was killed
    beside.mkdir(parents=True)
    try:
        key = _decode_all(beside, listing, size, progress)
        try:
            _open(root / key)
        except _TORN:
            shutil.rmtree(root / key, ignore_errors=True)
            os.rename(beside, root / key)
        return key
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _decode_all(beside: Path, listing: Listing, size: Size | None, progress: Progress | None) -> str:
    """Write images.npy and facts.json of `listing` into `beside`; returns the key of the content."""
    left_out = list(listing.left_out)
    total = len(listing.entries)
    counted = 0

    def done(files: int) -> None:
        nonlocal counted
        counted += files
        if progress is not None:
            progress(min(counted // 2, total), total)  # each file is met twice: its header, then its pixels

    headers = _run(listing, listing.entries, {"do": "examine"}, 1, done)
    entries, facts = _keep(listing.entries, headers, left_out)
    counted += total - len(entries)
    height, width = _size_for({(fact[0], fact[1]) for fact in facts}, size)
    channels = 1 if all(fact[2] for fact in facts) else 3
    path = beside / "images.npy"
    start = _blank(path, (len(entries), channels, height, width))
    job = {"do": "decode", "shape": [channels, height, width], "array": str(path), "offset": start}
    answers = _run(listing, entries, job, channels * height * width, done)
    rows = np.array([row for row, answer in enumerate(answers) if len(answer) == 2], dtype=np.int64)
    sizes = Counter(f"{facts[row][0]}x{facts[row][1]}" for row in rows)
    entries, answers = _keep(entries, answers, left_out)
    coloured = any(answer[1] for answer in answers)
    if len(rows) < len(facts) or (channels == 3 and not coloured):
        _rewrite(path, rows, 3 if coloured else 1)
    return _write_facts(beside, listing, entries, [answer[0] for answer in answers], dict(sizes), left_out)


def _run(listing: Listing, entries: Sequence[Entry], job: dict[str, Any], picture: int, done: Any) -> list[Answer]:
    jobs = [
        {
            **job,
            "root": os.path.abspath(listing.folder),
            "files": [entries[row].name for row in rows],
            "offset": job.get("offset", 0) + rows.start * picture,
        }
        for rows in chunks(len(entries), picture)
    ]
    answers = run_jobs(jobs, file_bytes=sum(entry.size for entry in entries), done=done)
    return [answer for part in answers for answer in part]


def _keep(
    entries: Sequence[Entry], answers: Sequence[Answer], left_out: list[LeftOut]
) -> tuple[list[Entry], list[Answer]]:
    """The entries that could be used, with their answers; the others are added to `left_out`."""
    kept, kept_answers = [], []
    for entry, answer in zip(entries, answers, strict=True):
        if answer[-1] is None:
            left_out.append(LeftOut(entry.name, answer[0], answer[1]))
        else:
            kept.append(entry)
            kept_answers.append(answer)
    return kept, kept_answers


def _size_for(found: set[Size], asked: Size | None) -> Size:
    if asked is not None:
        return asked
    if len(found) == 1 and max(only := next(iter(found))) <= OWN_SIZE_LIMIT:
        return only
    return DEFAULT_SIZE, DEFAULT_SIZE


def _blank(path: Path, shape: tuple[int, ...]) -> int:
    """Make an .npy file of zeros; returns the byte where its values begin."""
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        file.truncate(start + int(np.prod(shape, dtype=np.int64)))
    return start


def _rewrite(path: Path, rows: npt.NDArray[np.int64], channels: int) -> None:
    """Keep only `rows`, and the first of the channels where `channels` is 1 (they are all alike then)."""
    copy_rows(path, rows, path.with_suffix(".new"), channels)
    os.replace(path.with_suffix(".new"), path)


def copy_rows(source: Path, rows: npt.NDArray[np.int64], target: Path, channels: int | None = None) -> None:
    """Write `rows`, and the first `channels`, of the .npy file `source` (N, C, H, W) to the .npy file `target`."""
    images = np.load(source, mmap_mode="r", allow_pickle=False)[:, :channels]
    start = _blank(target, (len(rows), *images.shape[1:]))
    with open(target, "r+b") as file:
        file.seek(start)
        for block in blocks(images, len(rows)):
            # Mapped anew each time: pages of a mapping that were read count as this process's memory until it is gone.
            images = np.load(source, mmap_mode="r", allow_pickle=False)[:, :channels]
            file.write(np.ascontiguousarray(images[rows[block]]).data)


def _write_facts(
    beside: Path,
    listing: Listing,
    entries: Sequence[Entry],
    hashes: list[str],
    sizes: dict[str, int],
    left_out: list[LeftOut],
) -> str:
    labels = np.array([entry.label for entry in entries], dtype=np.int64)
    digest = hashlib.sha256("\0".join(listing.classes).encode("utf-8", "surrogatepass"))
    digest.update(labels.astype("<i8").data)
    with open(beside / "images.npy", "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    left_out.sort(key=lambda left: left.file)
    facts = {
        "names": [entry.name for entry in entries],
        "labels": labels.tolist(),
        "train_count": sum(not entry.test for entry in entries),
        "hashes": hashes,
        "sizes": sizes,
        "left_out": [asdict(left) for left in left_out],
        "digest": digest.hexdigest(),
    }
    text = json.dumps(facts)
    (beside / "facts.json").write_text(text, "ascii")
    return _sha256(*listing.classes, text)
