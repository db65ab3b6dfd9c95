"""The number of cores is that which a process may use, not that which the machine has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system keeps no process to a core")
def test_a_process_kept_to_one_core_counts_one() -> None:
    first = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{first}}}); from convoscope.core.cores import usable_cores; "
    command = [sys.executable, "-c", code + "print(usable_cores())"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"
