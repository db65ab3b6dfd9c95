from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from convoscope.core.errors import RequestError
from convoscope.core.files import read_json, write_atomically, write_json
from convoscope.core.messages import using_language


def in_a_process(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path, moment: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    done = in_a_process(f"""
        import os, signal
        from pathlib import Path
        from convoscope.core.files import write_atomically
        os.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(Path({str(file)!r}), b"new" * 1000)
    """)
    assert done.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"


def test_the_new_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    done = in_a_process(f"""
        import os
        from pathlib import Path
        from convoscope.core.files import write_atomically
        os.umask(0o027)
        write_atomically(Path({str(tmp_path / "file")!r}), b"new")
        assert os.umask(0) == 0o027
    """)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_nothing_else_is_left(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"one")
    write_atomically(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"two"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_refused_and_the_old_file_stays(tmp_path: Path, number: float) -> None:
    write_json(tmp_path / "file.json", {"error": 0.5})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"error": [number]})
    assert read_json(tmp_path / "file.json") == {"error": 0.5}


def test_names_of_any_bytes_survive(tmp_path: Path) -> None:
    names = ["ñandú", "猫🐈", os.fsdecode(b"b\xffd")]
    write_json(tmp_path / "file.json", names)
    assert read_json(tmp_path / "file.json") == names
    assert json.loads((tmp_path / "file.json").read_bytes()) == names


def test_where_nothing_can_be_written_the_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with using_language("en"), pytest.raises(RequestError) as caught:
        write_atomically(tmp_path / "file" / "below", b"")
    assert caught.value.key == "core.not_writable"
    assert "Not a directory" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"nonsense", b"[NaN]", b"-Infinity", b"[" * 200_000])
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.json").write_bytes(content)
    with using_language("en"), pytest.raises(RequestError, match="can't be read as JSON"):
        read_json(tmp_path / "file.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        read_json(tmp_path / "nowhere.json")
    assert caught.value.key == "core.not_readable"


def test_a_file_may_have_any_name_that_the_system_allows(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 251 + ".png")
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="pipes have no names here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_threads_that_write_leave_the_permissions_of_new_files_alone(tmp_path: Path) -> None:
    done = in_a_process(f"""
        import os
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from convoscope.core.files import write_atomically
        def write(number):
            write_atomically(Path({str(tmp_path)!r}) / f"{{number}}", b"new")
        os.umask(0o027)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(200)))
        assert os.umask(0) == 0o027
    """)
    assert done.returncode == 0, done.stderr
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o640}
