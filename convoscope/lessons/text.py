"""A sentence of an exercise, in both languages side by side, in the file of the exercise."""

from __future__ import annotations

from dataclasses import dataclass

from convoscope.core.messages import language


@dataclass(frozen=True)
class Text:
    """A sentence in English and in Spanish; ``str`` of it is the one in the language in use."""

    en: str
    es: str

    def __str__(self) -> str:
        return self.es if language() == "es" else self.en
