"""The cache of decoded pictures: read once, whole or not there, and never stale."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from test_folder import fill, picture

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data import decoder, decoding, store, types


@pytest.fixture
def no_decoding(monkeypatch):
    def forbid():
        def refuse(*_, **__):
            raise AssertionError("a picture was read again")

        monkeypatch.setattr(store, "run_jobs", refuse)

    return forbid


@pytest.fixture
def processes(monkeypatch):
    """Even small folders are decoded by processes."""
    monkeypatch.setattr(decoding, "SMALL_FILES", 0)
    monkeypatch.setattr(decoding, "CHUNK_FILES", 4)


def keys(cache):
    return {path.name for path in (cache / "folders").iterdir() if len(path.name) == 64}


def test_a_second_run_reads_no_picture(tmp_path, no_decoding):
    fill(tmp_path)
    first = data.load(tmp_path)
    no_decoding()
    again = data.load(tmp_path)
    assert again.fingerprint == first.fingerprint
    assert again.test.files == first.test.files
    assert (again.train.images == first.train.images).all()


def test_any_change_is_noticed(tmp_path):
    fill(tmp_path)
    seen = {data.load(tmp_path).fingerprint}

    def changed():
        found = data.load(tmp_path).fingerprint
        new = found not in seen
        seen.add(found)
        return new

    picture(tmp_path / "cat" / "0.png", 77)
    assert changed()
    path = tmp_path / "cat" / "1.png"
    before = path.stat()
    content = path.read_bytes()
    picture(path, 78)
    assert len(path.read_bytes()) == len(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # same name, size and date, other content
    assert changed()
    picture(tmp_path / "dog" / "new.png", 3)
    assert changed()
    (tmp_path / "dog" / "new.png").unlink()
    assert not changed()
    (tmp_path / "dog").rename(tmp_path / "wolf")
    assert changed()


def test_the_same_content_elsewhere_is_kept_once(tmp_path, cache):
    fill(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert data.load(tmp_path / "one").fingerprint == data.load(tmp_path / "two").fingerprint
    assert len(keys(cache)) == 1
    picture(tmp_path / "two" / "cat" / "0.png", 99)
    data.load(tmp_path / "two")
    assert len(keys(cache)) == 2


def test_what_a_folder_held_before_is_dropped(tmp_path, cache):
    fill(tmp_path)
    for value in (7, 8, 9):
        picture(tmp_path / "cat" / "0.png", value)
        data.load(tmp_path)
        assert len(keys(cache)) == 1


@pytest.mark.parametrize("tear", ["images.npy", "facts.json", "index"])
def test_a_torn_cache_is_built_anew(tmp_path, cache, tear):
    fill(tmp_path)
    first = data.load(tmp_path)
    (key,) = keys(cache)
    path = next((cache / "folders" / "index").glob("*.json")) if tear == "index" else cache / "folders" / key / tear
    path.write_bytes(path.read_bytes()[:-20])
    assert data.load(tmp_path).fingerprint == first.fingerprint
    assert data.load(tmp_path).fingerprint == first.fingerprint


def test_a_killed_run_leaves_nothing_in_the_way(tmp_path, cache, monkeypatch):
    fill(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_facts", killed)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)  # not even cleaned up
        with pytest.raises(KeyboardInterrupt):
            data.load(tmp_path)
    assert not keys(cache)
    assert len(data.load(tmp_path).train) == 8
    assert [path.name for path in (cache / "folders").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "is full"), (errno.EACCES, "can't be written"), (errno.EROFS, "can't be")]
)
def test_a_disk_that_refuses_is_said_so(tmp_path, cache, monkeypatch, number, words):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store, "_blank", refuse)
    with pytest.raises(RequestError, match=words):
        data.load(fill(tmp_path))
    assert not keys(cache)


def test_processes_decode_as_one_would(tmp_path, processes):
    fill(tmp_path, count=12)
    (tmp_path / "cat" / "bad.png").write_text("x")
    (tmp_path / "cat" / "torn.png").write_bytes((tmp_path / "cat" / "0.png").read_bytes()[:-30])
    steps = []
    loaded = data.load(tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert len(loaded.train) + len(loaded.test) == 24
    assert [left.file for left in loaded.left_out] == ["cat/bad.png", "cat/torn.png"]
    for split in (loaded.train, loaded.test):
        for image, label, file in zip(split.images, split.labels, split.files, strict=True):
            assert (image == 100 * label + int(file.split("/")[1][:-4])).all()
    assert steps == sorted(steps)
    assert steps[-1] == (26, 26)


def test_a_file_that_crashes_the_decoder_is_left_out_alone(tmp_path, processes, monkeypatch):
    fill(tmp_path, count=6)
    code = (
        "import os, signal, convoscope.data.decoder as d; decode = d.decode\n"
        "def fragile(content, **more):\n"
        "    if content.endswith(b'CRASH'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return decode(content, **more)\n"
        "d.decode = fragile; d.main()"
    )

    def start_fragile(args, **more):
        return subprocess.Popen([args[0], "-c", code], **more)

    # Only what this module sees: its threads start decoders at once, and the real Popen is everybody's.
    monkeypatch.setattr(decoding, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start_fragile}))
    path = tmp_path / "dog" / "3.png"
    path.write_bytes(path.read_bytes() + b"CRASH")
    loaded = data.load(tmp_path)
    assert [(left.file, left.reason) for left in loaded.left_out] == [("dog/3.png", "the decoder broke down on it")]
    assert len(loaded.train) + len(loaded.test) == 11


def test_a_full_disk_in_a_process_reaches_the_user(tmp_path, processes, monkeypatch):
    fill(tmp_path)
    blank = store._blank

    def vanish(path, shape):
        start = blank(path, shape)
        path.unlink()
        path.mkdir()
        return start

    monkeypatch.setattr(store, "_blank", vanish)
    with pytest.raises(RequestError, match="can't be written: Is a directory"):
        data.load(tmp_path)


def test_without_processes_the_work_is_done_here(tmp_path, processes, monkeypatch):
    monkeypatch.setattr(decoding.sys, "executable", "/nowhere/python")
    assert len(data.load(fill(tmp_path)).train) == 8


def test_jobs_are_bounded_in_files_and_memory():
    assert [len(part) for part in decoding.chunks(300, 1)] == [128, 128, 44]
    assert {len(part) for part in decoding.chunks(10, 3 * 4096 * 4096)} == {1}
    assert list(decoding.chunks(0, 1)) == []


@pytest.mark.parametrize("channels", [None, 1])
def test_rows_are_copied_exactly(tmp_path, monkeypatch, channels):
    monkeypatch.setattr(types, "_BLOCK", 130)
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 5), dtype=np.uint8)
    np.save(tmp_path / "a.npy", images)
    rows = np.array([3, 1, 19, 0, 7, 7, 2])
    store.copy_rows(tmp_path / "a.npy", rows, tmp_path / "b.npy", channels)
    assert (np.load(tmp_path / "b.npy") == images[rows, :channels]).all()


def test_the_decoder_answers_line_by_line(tmp_path, monkeypatch, capsys):
    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    job = {"do": "examine", "root": str(tmp_path), "files": ["a.png", "b.png"]}
    monkeypatch.setattr("sys.stdin", [json.dumps(job)])
    before = signal.getsignal(signal.SIGINT)
    try:
        decoder.main()
    finally:
        signal.signal(signal.SIGINT, before)
    ready, answer = capsys.readouterr().out.splitlines()
    assert ready == decoder.READY
    assert json.loads(answer) == {"answers": [[2, 3, True], ["closed", "No such file or directory", None]]}
