"""Nothing on the page is untranslated, and no sentence is left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convoscope
from convoscope.core.messages import catalogue
from convoscope.web.assets import assets

_CALL = re.compile(r"""\bt\(\s*["'`]([\w-]+)["'`]""")
_STEM = re.compile(r"""\bt\(\s*`([\w-]*)\$\{[^}]*\}([\w-]*)`""")
_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`""")
_COMMENT = re.compile(r"(?m)^\s*(?://|\*|/\*).*$|(?<=\s)//.*$")
_PROSE = re.compile(r"[A-Za-zÁ-ú]{2,}[ ,][ ]?[A-Za-zÁ-ú]{2,}|^[A-Z][a-zá-ú]{2,}$")
_NO_PROSE = re.compile(
    r"^(?:[a-z-]+(?: [a-z-]+)*|rgb\(.*|image/.*|convoscope train .*|\$\{size\}px.*|no sentence .*|Content-Type|"
    r"English|Español|"
    r"(?:Arrow|Page)(?:Up|Down|Left|Right)|Home|End|Enter|Delete|Backspace|POST)$"
)

SCRIPTS = sorted(name for name in assets() if name.endswith(".js"))


def test_both_languages_name_the_same_values() -> None:
    for key, texts in catalogue("web").items():
        assert set(texts) == {"en", "es"}, key
        fields = [set(re.findall(r"\{(\w+)", text)) for text in texts.values()]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_sentence_asked_for_exists(name: str) -> None:
    text = assets()[name].text
    for key in _CALL.findall(text):
        assert key in catalogue("web"), f"{name}: {key}"
    for start, end in _STEM.findall(text):
        assert any(key.startswith(start) and key.endswith(end) for key in catalogue("web")), f"{name}: {start}…{end}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_speaks_for_itself(name: str) -> None:
    text = _COMMENT.sub("", assets()[name].text)
    found = [plain or template for plain, template in _STRING.findall(text)]
    literals = [one for one in found if _PROSE.search(re.sub(r"\$\{[^}]*\}", "", one)) and not _NO_PROSE.match(one)]
    assert literals == []


def test_shell_speaks_for_nobody() -> None:
    shell = re.sub(r"\{\{\w+\}\}|<!--.*?-->|<[^>]*>", "", assets()["index.html"].text)
    assert shell.strip() == ""


def test_no_sentence_is_left_over() -> None:
    root = Path(convoscope.__file__).parent
    texts = [asset.text for asset in assets().values()]
    texts += [path.read_text("utf-8") for room in ("web", "cli") for path in (root / room).glob("*.py")]
    everything = "\n".join(texts)
    # Names put together from parts: t(`level_${level}`), say(f"web.still_{kind}"), _both("picture_digit").
    parts = re.findall(r"[`\"](?:web\.)?([\w-]*)\$?\{[^}]*\}([\w-]*)[`\"]", everything)
    parts = [(start, end) for start, end in parts if start or end]
    for key in catalogue("web"):
        used = re.search(rf"[\"'`.]{re.escape(key)}[\"'`]", everything)
        built = any(key.startswith(start) and key.endswith(end) for start, end in parts)
        assert used or built, key
