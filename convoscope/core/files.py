"""Files that are either whole or not there: written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import json
import os
import secrets
from pathlib import Path
from typing import Any

from convoscope.core.errors import RequestError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NAME_KEPT = 40  # letters of a file's name in that of its beginning: a name as long as may be leaves no room for more


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` in `path` so that a reader, or a kill at any instant, finds the old file or the new one.

    A link stays one: what it leads to is replaced. A device or a pipe takes the bytes as they come.

    Raises:
        RequestError: the disk is full or the folder can't be written; the earlier file is intact.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        key = "core.disk_full" if error.errno in _NO_ROOM else "core.not_writable"
        raise RequestError(key, path=str(path), reason=error.strerror or str(error)) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically; NaN and infinity are refused, since JSON has neither."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Names of files may hold bytes that are no UTF-8; Python's escape of them is JSON's escape too.
    write_atomically(path, text.encode("utf-8", "backslashreplace"))


def read_json(path: Path) -> Any:
    """Read a JSON file that one of our own commands wrote.

    Raises:
        RequestError: the file is missing, unreadable or not JSON.
    """
    try:
        return parse_json(path.read_text("utf-8"))
    except OSError as error:
        raise RequestError("core.not_readable", path=str(path), reason=error.strerror or str(error)) from error
    except ValueError as error:
        raise RequestError("core.malformed", path=str(path), reason=str(error)) from error


def parse_json(text: str) -> Any:
    """What JSON says, NaN and infinity refused, as when it is written.

    Raises:
        ValueError: it is not JSON, or nested deeper than anything that is written here.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("too deep") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _replace(path: Path, content: bytes) -> None:
    # Not by `tempfile`, whose files are closed to others: "x" gives the permissions that any new file has.
    temporary = path.with_name(f".{path.name[:_NAME_KEPT]}.{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut can lose the rename itself. Windows can't open folders, and needs no such call.
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
