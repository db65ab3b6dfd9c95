"""Every sentence is there in both languages, and every sentence that is there is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import convoscope
from convoscope.core.errors import RequestError
from convoscope.core.messages import (
    LANGUAGES,
    catalogue,
    catalogue_rooms,
    language,
    say,
    set_language,
    using_language,
)

ROOT = Path(convoscope.__file__).parent
SOURCES = {path: path.read_text("utf-8") for path in sorted(ROOT.rglob("*.py"))}
# "room.name", or f"room.name_{…}" of which the part before the brace is known.
_ROOM_KEY = re.compile(rf"""["']({"|".join(catalogue_rooms())})\.([a-z][a-z0-9_]*)(["'{{])""")


def placeholders(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("room", catalogue_rooms())
def test_each_sentence_says_the_same_in_both_languages(room: str) -> None:
    for key, texts in catalogue(room).items():
        assert set(texts) == set(LANGUAGES), key
        assert all(text.strip() for text in texts.values()), key
        assert placeholders(texts["en"]) == placeholders(texts["es"]), key


def asked_for() -> set[tuple[str, str, bool]]:
    """(room, name or its beginning, whether it is the beginning only) of every key in the sources."""
    found = set()
    for path, text in SOURCES.items():
        for room, name, end in _ROOM_KEY.findall(text):
            if not name.endswith(("json", "toml", "onnx", "html", "png")):
                found.add((room, name, end == "{"))
        if path.parent.name == "cli":  # option("--data", "train_data") names keys of the room "cli"
            found |= {("cli", name, False) for name in re.findall(r'(?<!_)option\("--[\w-]+", "(\w+)"', text)}
    return found


def test_every_sentence_asked_for_exists() -> None:
    for room, name, begins in asked_for():
        known = catalogue(room)
        assert any(key.startswith(name) for key in known) if begins else name in known, f"{room}.{name}"


@pytest.mark.parametrize("room", [room for room in catalogue_rooms() if room != "web"])  # tests/web sees to that one
def test_no_sentence_is_left_over(room: str) -> None:
    whole = {name for owner, name, begins in asked_for() if owner == room and not begins}
    beginnings = tuple(name for owner, name, begins in asked_for() if owner == room and begins)
    # Inside its room a key may be put together: catalogue(room)[f"place_{…}"], ("class", "images"), LeftOut("empty").
    texts = "\n".join(text for path, text in SOURCES.items() if path.relative_to(ROOT).parts[0] in (room, "core"))
    parts = re.findall(r'f"(?:\w+\.)?([a-z]\w*_)\{', texts)
    for key in catalogue(room):
        quoted = re.search(rf"""["']{key}["']""", texts)
        assert key in whole or key.startswith((*beginnings, *parts)) or quoted, key


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LC_ALL": "es_MX.UTF-8", "LANG": "en_GB.UTF-8"}, "es"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "es_ES.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "es_AR"}, "es"),
    ],
)
def test_the_language_is_the_locales(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_a_language_is_used_for_the_length_of_a_block() -> None:
    before = language()
    with using_language("es"):
        assert say("core.kind_model") == "un modelo"
        with using_language("en"):
            assert say("core.kind_model") == "model"
        assert language() == "es"
    assert language() == before


def test_an_unknown_language_is_refused() -> None:
    with using_language("en"), pytest.raises(RequestError, match=r"no language 'fr'; choose one of: en, es"):
        set_language("fr")
    with pytest.raises(RequestError), using_language(""):
        pass


def test_an_error_speaks_the_language_of_who_reads_it() -> None:
    error = RequestError("core.language_unknown", asked="fr", known="en, es")
    with using_language("en"):
        assert str(error).startswith("There is no language")
    with using_language("es"):
        assert str(error).startswith("No hay idioma")
