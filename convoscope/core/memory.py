"""How much memory there is to work with."""

from __future__ import annotations

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/memory.max")


def usable_memory() -> int | None:
    """Bytes of this machine's memory, or of the part that a container may use; None where nobody says.

    What other programs hold of it is counted: it changes from one minute to the next.
    """
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
    try:
        return min(found, int(_LIMIT.read_text("ascii")))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return found
