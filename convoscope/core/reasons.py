"""What the system or a decoder gives as a reason, in the language in use: they speak English only."""

from __future__ import annotations

from convoscope.core.messages import catalogue, language

_KNOWN = (
    *("missing", "denied", "not_permitted", "no_folder", "folder", "loop", "long", "full", "quota", "large"),
    *("read_only", "broken", "port_taken", "no_host"),
    *("truncated", "short", "stream", "unknown_stream", "png"),
)
"""Names in the catalogue, without the leading ``reason_``; the English of each is what is looked for."""


def in_words(reason: str) -> str:
    """`reason` in the language in use; one that the catalogue doesn't know stays as it is."""
    if language() == "en":
        return reason
    known = (catalogue("core")[f"reason_{name}"] for name in _KNOWN)
    return next((texts[language()] for texts in known if reason.startswith(texts["en"])), reason)
