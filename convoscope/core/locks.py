"""A lock on an open file, on every system; it goes with the file's closing, and so with the process's end."""

from __future__ import annotations

import sys
from typing import IO, Any

if sys.platform == "win32":

    def lock(file: IO[Any], *, wait: bool) -> None:
        """Lock `file`.

        Raises:
            OSError: it can't be locked; `BlockingIOError` or `PermissionError`: another holds it, without `wait`.
        """
        import msvcrt

        file.seek(1 << 30)  # here a locked part can't be read by others: one beyond the end harms nobody
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:

    def lock(file: IO[Any], *, wait: bool) -> None:
        """Lock `file`.

        Raises:
            OSError: it can't be locked; `BlockingIOError` or `PermissionError`: another holds it, without `wait`.
        """
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
