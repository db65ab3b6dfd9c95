"""What records say, in both languages."""

from __future__ import annotations

from benchmarks.words import in_language


def test_names_of_settings_stay_while_words_are_translated() -> None:
    told = "recipe quick:images_seen=130000,min_epochs=3: as it is, 8 epochs, 1 thread"
    assert in_language(told, "en") == told
    assert in_language(told, "es") == "receta quick:images_seen=130000,min_epochs=3: tal cual, 8 épocas, 1 hilo"
    assert in_language("1 of 8 epochs", "es") == "1 de 8 épocas"
