"""Downloads: checksummed, atomic, and gone on with where they broke off."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from convoscope.data.cache import locked
from convoscope.data.sets import Progress, RemoteFile

ATTEMPTS = 3  # at one address, each going on where the last broke off
TIMEOUT = 20  # seconds without an answer or a byte

_BLOCK = 1 << 18


class FetchError(Exception):
    """A file that could not be had from any of its addresses; the text says why, address by address."""


def fetch(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Download `file` into `folder`, unless it is there already.

    What arrives is kept in ``NAME.part``, so that a later call goes on where this one broke off, and takes its name
    only when its checksum is right. Several processes may ask for the same file: one downloads, the others wait.

    Args:
        file: what to download, from its addresses in order.
        folder: where to; made if it does not exist.
        progress: called with (bytes, total bytes); total is 0 while it is not known.

    Returns:
        The path of the file.

    Raises:
        FetchError: no address had it, or what came had another checksum.
        OSError: `folder` can't be written.
    """
    target = folder / file.name
    part = folder / f"{file.name}.part"
    with locked(folder / f"{file.name}.lock"):
        if target.exists() and content_md5(target) == file.md5:
            return target
        failures = []
        for url in file.urls:
            try:
                _from(url, part, file.md5, progress or _silent)
            except FetchError as error:
                failures.append(f"{url}: {error}")
            else:
                os.replace(part, target)
                return target
        raise FetchError("; ".join(failures))


def content_md5(path: Path) -> str | None:
    """The md5 of a file, for a ``.gz`` of what it wraps; None if the gzip is damaged.

    A ``.tar.gz`` counts as a file of its own.
    """
    digest = hashlib.md5(usedforsecurity=False)
    wrapped = ".gz" in path.suffixes and ".tar" not in path.suffixes
    try:
        with gzip.open(path) if wrapped else open(path, "rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None
    return digest.hexdigest()


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


class _BrokenError(Exception):
    """A transfer that ended early; what came is kept. `again`: whether the same address may yet give the rest."""

    def __init__(self, reason: object, again: bool = True) -> None:
        super().__init__(str(reason) or type(reason).__name__)
        self.again = again


def _from(url: str, part: Path, md5: str, progress: Progress) -> None:
    """Fill `part` from `url` and check it; a wrong `part` is removed, an incomplete one is kept."""
    reason = ""
    for _ in range(ATTEMPTS):
        resumed = part.exists() and part.stat().st_size > 0
        try:
            _transfer(url, part, progress)
        except _BrokenError as error:
            reason = str(error)
            if error.again:
                continue
            break
        if content_md5(part) == md5:
            return
        part.unlink()
        reason = "wrong checksum"
        if not resumed:
            break  # it came whole and is another file; a resumed one may be two files' halves, and is tried afresh
    raise FetchError(reason)


def _transfer(url: str, part: Path, progress: Progress) -> None:
    """Ask for what is missing of `part` and append it, to the end or to a `_BrokenError`."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "convoscope", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the addresses are our own
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is missing; the checksum will tell whether it is right
        raise _BrokenError(f"HTTP {error.code}", again=False) from error
    except urllib.error.URLError as error:  # nobody there: the next address is likelier to help
        raise _BrokenError(error.reason, again=False) from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(error) from error
    with response:
        start, total = _range(response, have)
        with open(part, "r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            done = start
            while block := _read(response):
                file.write(block)
                done += len(block)
                progress(done, total)
    if total and done != total:
        raise _BrokenError(f"the transfer ended after {done} of {total} bytes")


def _range(response: http.client.HTTPResponse, asked: int) -> tuple[int, int]:
    """Where in the file this answer begins, and how long the whole file is (0 if unknown)."""
    if response.status != http.client.PARTIAL_CONTENT:
        return 0, int(response.headers.get("Content-Length") or 0)
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != asked:
        raise _BrokenError("the answer is to another range than the one asked for", again=False)
    return asked, int(found[2])


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(error) from error
