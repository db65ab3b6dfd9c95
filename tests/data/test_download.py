"""Downloads from a server on this machine that tears, lies and refuses."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data import download, sources
from convoscope.data.download import FetchError, fetch
from convoscope.data.sets import RemoteFile, Request
from convoscope.data.sets.cifar10 import cifar10

CONTENT = np.random.default_rng(0).bytes(300_000)


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files`, as `server.tricks` say: each request takes the next trick."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        trick = server.tricks.pop(0) if server.tricks else "whole"
        content = server.files.get(self.path)
        if content is None or trick == "refuse":
            self.send_error(404 if content is None else 503)
            return
        start = 0
        wanted = self.headers.get("Range")
        if wanted and trick != "no ranges":
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            shown = start + 1 if trick == "other range" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: len(body) // 2] if trick == "tear" else body)
        if trick == "tear":
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.files, running.tricks, running.asked = {"/a.bin": CONTENT}, [], []
        running.url = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def remote(server, *paths, content=CONTENT, name="a.bin"):
    return RemoteFile(name, hashlib.md5(content).hexdigest(), tuple(server.url + path for path in paths or ("/a.bin",)))


def test_a_file_arrives_whole_with_progress(server, tmp_path):
    steps = []
    path = fetch(remote(server), tmp_path / "new", lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert steps == sorted(steps)
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert not path.with_name("a.bin.part").exists()


def test_a_file_that_is_there_is_not_asked_for_again(server, tmp_path):
    fetch(remote(server), tmp_path)
    fetch(remote(server), tmp_path)
    assert len(server.asked) == 1


def test_a_damaged_file_is_replaced(server, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT[:-1])
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_torn_transfer_goes_on_where_it_broke_off(server, tmp_path):
    server.tricks[:] = ["tear", "tear"]
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=150000-", "bytes=225000-"]


def test_a_later_call_goes_on_too(server, tmp_path):
    server.tricks[:] = ["tear"] * download.ATTEMPTS
    with pytest.raises(FetchError, match="the transfer ended after 262500 of 300000 bytes"):
        fetch(remote(server), tmp_path)
    assert not (tmp_path / "a.bin").exists()
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=262500-"


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.tricks[:] = ["tear", "no ranges"]
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_complete_part_is_only_checked(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"x" * 1000)
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == ["bytes=1000-", None]


def test_a_wrong_checksum_is_rejected_and_leaves_nothing(server, tmp_path):
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(remote(server, content=b"other"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin.lock"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("trick", ["refuse", "other range"])
def test_the_next_mirror_is_asked(server, tmp_path, trick):
    server.files["/b.bin"] = CONTENT
    server.tricks[:] = ["refuse"] if trick == "refuse" else ["tear", "other range"]
    assert fetch(remote(server, "/a.bin", "/b.bin"), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1][0] == "/b.bin"


def test_every_address_is_named_when_all_fail(server, tmp_path):
    with pytest.raises(FetchError, match=r"/x: HTTP 404; .*/y: HTTP 404"):
        fetch(remote(server, "/x", "/y"), tmp_path)


def test_of_two_at_once_one_downloads(server, tmp_path):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(fetch(remote(server), tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 4
    assert len(server.asked) == 1


def test_gzip_is_checked_by_what_it_wraps(server, tmp_path):
    for level in (1, 9):
        server.files["/a.gz"] = gzip.compress(CONTENT, level)
        fetch(remote(server, "/a.gz", name="a.gz"), tmp_path / str(level))
    server.files["/a.gz"] = gzip.compress(CONTENT)[:-100]
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(remote(server, "/a.gz", name="a.gz"), tmp_path)


@pytest.fixture
def idx_set(server):
    """MNIST's little sister, served here."""
    from sets.test_idx import NAMES, idx

    from convoscope.data.sets.mnist import mnist

    arrays = [np.zeros((30, 28, 28)), np.arange(30) % 10, np.ones((20, 28, 28)), np.arange(20) % 10]
    files = []
    for name, array in zip(NAMES, arrays, strict=True):
        server.files[f"/{name}"] = gzip.compress(idx(array))
        files.append(remote(server, f"/{name}", content=idx(array), name=name))
    return dataclasses.replace(mnist, name="tiny", counts=(30, 20), files=tuple(files))


def test_a_set_is_downloaded_once_and_then_found_in_the_cache(server, idx_set, cache):
    found = idx_set.read(idx_set, Request())
    assert len(found.train) == 30
    assert found.source.startswith("the official files (checksum right)")
    assert str(cache / "sets" / "tiny") in found.source
    assert len(server.asked) == 4
    idx_set.read(idx_set, Request())
    assert len(server.asked) == 4


def test_a_file_damaged_in_the_cache_is_got_again(server, idx_set, cache, monkeypatch):
    monkeypatch.setitem(data.registry._members, "tiny", idx_set)
    data.load("tiny")
    path = cache / "sets" / "tiny" / idx_set.files[0].name
    path.write_bytes(path.read_bytes()[:-10])
    assert len(data.load("tiny").train) == 30
    assert len(server.asked) == 5


def test_a_file_damaged_in_the_data_folder_is_left_alone(server, idx_set, tmp_path, monkeypatch):
    monkeypatch.setitem(data.registry._members, "tiny", idx_set)
    for file in idx_set.files:
        (tmp_path / file.name).write_bytes(server.files[f"/{file.name}"][:-10])
    with pytest.raises(RequestError, match="incomplete or damaged"):
        data.load("tiny", data_dir=tmp_path)
    assert (tmp_path / idx_set.files[0].name).exists()
    assert server.asked == []


def test_the_data_folder_comes_before_the_network(server, idx_set, tmp_path):
    idx_set.read(idx_set, Request())
    (tmp_path / "mnist").mkdir()
    for file in idx_set.files:
        (tmp_path / "mnist" / file.name).write_bytes(server.files[f"/{file.name}"])
    assert str(tmp_path) in idx_set.read(idx_set, Request(data_dir=tmp_path)).source


def test_the_system_folder_comes_before_the_network(server, idx_set, tmp_path):
    for file in idx_set.files:
        (tmp_path / file.name).write_bytes(server.files[f"/{file.name}"])
    here = dataclasses.replace(idx_set, system_folders=(tmp_path,))
    here.read(here, Request())
    assert server.asked == []


@pytest.fixture
def archived(server):
    """CIFAR-10 with black pictures, as an archive served here."""
    record = np.zeros((10_000, 3073), np.uint8)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name in ("../../evil.txt", *(f"cifar-10-batches-bin/{name}" for name in cifar10.unpacked)):
            entry = tarfile.TarInfo(name)
            entry.size = record.nbytes
            tar.addfile(entry, io.BytesIO(record.tobytes()))
    server.files["/c.tar.gz"] = packed.getvalue()
    file = remote(server, "/c.tar.gz", content=packed.getvalue(), name="cifar-10-binary.tar.gz")
    return dataclasses.replace(cifar10, files=(file,))


def test_an_archive_is_unpacked(server, archived, cache):
    assert len(archived.read(archived, Request()).train) == 50_000
    left = {path.name for path in (cache / "sets" / "cifar10").iterdir()}
    assert left == {*cifar10.unpacked, "cifar-10-binary.tar.gz.lock"}
    archived.read(archived, Request())
    assert len(server.asked) == 1


def test_of_two_first_uses_at_once_one_unpacks(server, archived, cache):
    with ThreadPoolExecutor(4) as threads:
        places = list(threads.map(lambda _: sources.locate(archived, Request()), range(4)))
    assert {place.folder for place in places} == {cache / "sets" / "cifar10"}
    assert places[0].holds(archived, whole=True)
    assert len(server.asked) == 1


def test_neither_on_disk_nor_reachable_names_both_ways_out(idx_set, server, tmp_path):
    server.files.clear()
    with pytest.raises(RequestError) as caught:
        idx_set.read(idx_set, Request(data_dir=tmp_path))
    for language in ("en", "es"):
        with using_language(language):
            words = str(caught.value)
        for part in ("--data-dir", "CONVOSCOPE_DATA", "train-images-idx3-ubyte.gz", "mnist-5k", "HTTP 404"):
            assert part in words
    assert caught.value.exit_code == 2


def test_a_server_that_is_not_there_is_named(tmp_path, monkeypatch):
    gone = RemoteFile("a", "0", ("http://127.0.0.1:9/a",))
    with pytest.raises(FetchError, match=r"127.0.0.1:9/a: .*refused"):
        fetch(gone, tmp_path)


def test_a_cache_that_cannot_be_written_is_said_so(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(RequestError, match=r"cache folder .* can't be written"):
        sources.locate(data.registry.get("mnist"), Request())
