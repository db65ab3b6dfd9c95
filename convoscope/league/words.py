"""Sentences that are written down in all languages, since who reads them later may use another one."""

from __future__ import annotations

from collections.abc import Mapping

from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, language, using_language

Words = Mapping[str, str]


def in_all_languages(error: RequestError) -> dict[str, str]:
    """Language -> what an error says."""
    said = {}
    for code in LANGUAGES:
        with using_language(code):
            said[code] = str(error)
    return said


def chosen(words: Words) -> str:
    """What is said in the language in use."""
    return words[language()]
