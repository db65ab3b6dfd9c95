"""The modules as one script."""

from __future__ import annotations

import re

import pytest

from convoscope.web import bundle as bundling
from convoscope.web.assets import Asset, assets


def test_each_module_stands_once_and_before_it_is_needed() -> None:
    script = bundling.bundle("view.js")
    defined = re.findall(r"^const (\w+_js) = ", script, re.MULTILINE)
    assert len(defined) == len(set(defined))
    assert defined[-1] == "view_js"
    for name in set(re.findall(r"= (\w+_js);$", script, re.MULTILINE)):
        assert script.index(f"const {name} = ") < script.index(f"= {name};")


def test_bundle_holds_no_imports_and_asks_for_nothing() -> None:
    script = bundling.bundle("view.js")
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "fetch(" not in script
    assert "http" not in script


@pytest.mark.parametrize("text", ['import x from "./a.js";\n', "export default 3;\n", "await go();\n"])
def test_what_cannot_be_bundled_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setitem(assets(), "odd.js", Asset(text, "text/javascript", ""))
    with pytest.raises(ValueError, match=r"odd\.js"):
        bundling.bundle("odd.js")


def test_circles_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets(), "one.js", Asset('import { b } from "./two.js";\n', "text/javascript", ""))
    monkeypatch.setitem(assets(), "two.js", Asset('import { a } from "./one.js";\n', "text/javascript", ""))
    with pytest.raises(ValueError, match=r"one\.js > two\.js > one\.js"):
        bundling.bundle("one.js")
