"""Words and numbers of records, as each language writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

# What records say in English, in Spanish; longer phrases first.
_SPANISH = (
    ("epoch against bare steps", "época entera frente a los pasos solos"),
    ("as it is", "tal cual"),
    ("without focus", "sin focus"),
    ("without label smoothing", "sin suavizado de etiquetas"),
    ("without warm-up", "sin calentamiento"),
    ("without whitening", "sin blanqueo"),
    ("without augmentation", "sin aumento de datos"),
    ("with elastic distortion", "con distorsión elástica"),
    ("first convolution with padding", "primera convolución con relleno"),
    ("batches of 250", "lotes de 250"),
    ("all at full resolution", "todo a resolución completa"),
    ("mirrored by chance", "reflejo al azar"),
    ("the rate's course counted in computing", "el curso de la tasa, contado en cómputo"),
    ("instead of", "en lugar de"),
    ("recipe", "receta"),
    ("test views", "vistas en la prueba"),
    ("folder, first read", "carpeta, primera lectura"),
    ("folder, second start", "carpeta, segundo arranque"),
    ("random numbers", "números aleatorios"),
    ("filters of", "filtros de"),
    ("60,000 PNG of 32x32", "60 000 PNG de 32x32"),
    ("CIFAR-10 as", "CIFAR-10 en"),
    ("files in the system's memory", "archivos en la memoria del sistema"),
    ("glibc keeping freed memory", "glibc conserva la memoria liberada"),
    (" to int64", " a int64"),
    (", re-implemented", ", reimplementado"),
    ("PyTorch's MNIST example", "ejemplo MNIST de PyTorch"),
    ("airbench94 with Muon", "airbench94 con Muon"),
    ("1 core for the server, 1 for the client", "1 núcleo para el servidor, 1 para el cliente"),
    ("a step", "un paso"),
    ("view ", "vista "),
    ("epochs", "épocas"),
    (" of ", " de "),
    ("threads", "hilos"),
    ("thread", "hilo"),
    ("cores", "núcleos"),
)


def in_language(text: str, language: str) -> str:
    """What a record says, in the language of the page."""
    if language == "es":
        for english, spanish in _SPANISH:
            # What stands beside an underscore is part of a name, as in min_epochs, and names stay.
            text = re.sub(f"(?<!_){re.escape(english)}(?!_)", spanish, text)
    return text


def grouped(number: float, language: str, digits: int = 0) -> str:
    """A number with its thousands set apart and `digits` decimals, as the language writes it."""
    words = f"{number:,.{digits}f}"
    return words if language == "en" else words.translate(str.maketrans({",": "\u00a0", ".": ","}))


def table_row(cells: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def origins(
    records: Iterable[dict[str, Any]],
    language: str,
    *,
    libraries: Sequence[str] = ("torch", "numpy", "pillow"),
    command: Callable[[dict[str, Any]], str] = lambda record: str(record["command"]),
) -> list[str]:
    """Where the figures come from, a line for each way in which they were measured.

    Args:
        records: those that are shown.
        language: of the page.
        libraries: of which to name the versions.
        command: what is given as the command that measured a record.
    """
    lines: dict[str, None] = {}
    for record in records:
        versions = record["versions"]
        shown = ", ".join(f"{name} {versions[name]}" for name in libraries if name in versions)
        hardware = in_language(record["hardware"], language)
        lines[f"- `{command(record)}`: {hardware}; {shown}; {record['date'][:10]}."] = None
    return list(lines)
