from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.core.registry import Registry, nearest


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    """A registry whose members are two files of a package made for the test, and one file that is no member."""
    package = tmp_path / "shelf_for_tests"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from convoscope.core.registry import Registry\nregistry = Registry('model', __name__)\n"
    )
    for name in ("apple", "pear"):
        (package / f"{name}.py").write_text(f"from . import registry\nregistry.register({name!r})({len(name)})\n")
    (package / "_helper.py").write_text("raise AssertionError('a file that begins with _ is no member')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.startswith("shelf_for_tests")]:
        monkeypatch.delitem(sys.modules, module)
    import shelf_for_tests

    yield shelf_for_tests.registry
    for module in [name for name in sys.modules if name.startswith("shelf_for_tests")]:
        del sys.modules[module]


def test_members_are_found_by_lying_there(shelf: Registry[int]) -> None:
    assert list(shelf) == ["apple", "pear"]
    assert shelf.get("apple") == 5
    assert "pear" in shelf
    assert "plum" not in shelf


def test_threads_that_ask_at_once_all_see_every_member(shelf: Registry[int], tmp_path: Path) -> None:
    (tmp_path / "shelf_for_tests" / "aaa_slow.py").write_text("import time\ntime.sleep(0.2)\n")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: "pear" in shelf, range(8)))
    assert all(found)


def test_two_members_of_one_name_are_our_mistake(shelf: Registry[int]) -> None:
    shelf.get("apple")
    with pytest.raises(ValueError, match="two members of the model registry are named 'apple'"):
        shelf.register("apple")(1)


def test_an_unknown_name_lists_what_exists_and_the_nearest(shelf: Registry[int]) -> None:
    with using_language("en"):
        with pytest.raises(RequestError) as near:
            shelf.get("aple")
        assert str(near.value) == "There is no model 'aple'; did you mean 'apple'? There are: apple, pear."
        with pytest.raises(RequestError) as far:
            shelf.get("zzz")
        assert str(far.value) == "There is no model 'zzz'. There are: apple, pear."


def test_the_kind_is_named_in_spanish_too() -> None:
    with using_language("es"):
        assert str(nearest("recipe", "defalt", ["default"])).startswith("No existe una receta 'defalt'; ¿quiso decir")
