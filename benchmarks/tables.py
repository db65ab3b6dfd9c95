"""The measured figures and printed outputs in the READMEs and in docs/, rendered from ``benchmarks/results/*.json``.

They stand between ``<!-- table:NAME -->`` and ``<!-- end -->`` and are never written by hand; a test fails where a
page differs from the records. So does the reference of commands and names, which is read from the program.

    python -m benchmarks.tables
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.breakdown import pictures, time_tables
from benchmarks.league import league_table
from benchmarks.records import read
from benchmarks.reference import REFERENCE
from benchmarks.words import grouped, in_language, origins, table_row

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SPANISH = DOCS / "es"
READMES = {"en": ROOT / "README.md", "es": ROOT / "README.es.md"}
PAGES = {
    language: [READMES[language], *sorted(page for page in DOCS.rglob("*.md") if (SPANISH in page.parents) == spanish)]
    for language, spanish in {"en": False, "es": True}.items()
}

Record = dict[str, Any]

_BLOCK = re.compile(r"(?P<start><!-- table:(?P<name>[\w-]+) -->\n)(?P<content>.*?)(?P<end><!-- end -->)", re.DOTALL)

_UNKNOWN = {"en": "Not measured yet.\n", "es": "Aún sin medir.\n"}
_WHAT = {"en": "what", "es": "qué"}
_DATA = {"en": "data", "es": "datos"}


@dataclass(frozen=True)
class Column:
    """A column: its heading in each language, and how a record's figure is written (None where it has none)."""

    en: str
    es: str
    write: Callable[[Record, str], str | None]


@dataclass(frozen=True)
class Table:
    """The records of one file that have the figure `needs`, and what is shown of them.

    A row is a record; `upright` tables show one record, and a row is a figure of it.
    """

    stem: str
    needs: str
    columns: tuple[Column, ...]
    upright: bool = False


def _number(key: str, digits: int, unit: str = "", factor: float = 1.0) -> Callable[[Record, str], str | None]:
    def write(record: Record, language: str) -> str | None:
        return None if key not in record else grouped(record[key] * factor, language, digits) + unit

    return write


def _share(key: str) -> Callable[[Record, str], str | None]:
    def write(record: Record, language: str) -> str | None:
        if key not in record:
            return None
        mean, spread = grouped(100 * record[key], language, 2), record.get(f"{key}_std")
        return mean + ("" if spread is None else f" ± {grouped(100 * spread, language, 2)}") + " %"

    return write


_error = _share("error")


def _seeds(record: Record, _: str) -> str:
    return str(len(record["seeds"]))


def _said(key: str) -> Callable[[Record, str], str | None]:
    return lambda record, _: record.get(key)


def _gains(stem: str, usual: tuple[str, str], ours: tuple[str, str], decimals: int = 0) -> Table:
    """Steps of a training in turns: as usual, and as we do; what both are called, in English and Spanish."""
    return Table(
        stem,
        "gain",
        (
            Column(*usual, _number("seconds_usual", decimals, " ms", 1000)),
            Column(*ours, _number("seconds", decimals, " ms", 1000)),
            Column("times as fast", "veces más rápido", _number("gain", 2)),
        ),
    )


_MEMORY = Column("peak memory", "memoria máxima", _number("peak_memory_bytes", 0, " MB", 1e-6))
_SECONDS = Column("time", "tiempo", _number("seconds", 2, " s"))
_MILLISECONDS = Column("time", "tiempo", _number("seconds", 1, " ms", 1000))

TABLES = {
    "accuracy": Table(
        "train",
        "error",
        (
            Column("test error", "error de prueba", _error),
            Column("seeds", "semillas", _seeds),
            Column("test images", "imágenes de prueba", _number("test_count", 0)),
            Column("training", "entrenamiento", _number("seconds", 0, " s")),
            Column("10¹² operations", "10¹² operaciones", _number("train_flops", 1, "", 1e-12)),
            _MEMORY,
        ),
    ),
    "overhead": Table(
        "train",
        "ratio",
        (
            Column("an epoch", "una época", _number("seconds", 2, " s")),
            Column("bare steps", "pasos solos", _number("seconds_bare", 2, " s")),
            Column("ratio", "razón", _number("ratio", 3)),
        ),
    ),
    "start": Table("start", "seconds", (_SECONDS,)),
    "folder": Table(
        "folder",
        "seconds",
        (_SECONDS, Column("images/s", "imágenes/s", _number("images_per_second", 0)), _MEMORY),
    ),
    "convolve": Table(
        "convolve", "seconds", (_MILLISECONDS, Column("times PyTorch", "veces PyTorch", _number("times_torch", 2)))
    ),
    "compare": Table(
        "compare",
        "error",
        (
            Column("test error", "error de prueba", _error),
            Column("several views", "varias vistas", _share("error_tta")),
            Column("seeds", "semillas", _seeds),
            Column("training", "entrenamiento", _number("seconds", 0, " s")),
            Column("to the peer's", "respecto al otro", _number("seconds_ratio", 3)),
            Column("10¹² operations", "10¹² operaciones", _number("train_flops", 1, "", 1e-12)),
            Column("to the peer's", "respecto al otro", _number("flops_ratio", 3)),
            Column("computed", "calculadas", _number("train_flops_computed", 1, "", 1e-12)),
            Column("to the peer's", "respecto al otro", _number("flops_computed_ratio", 3)),
            _MEMORY,
        ),
    ),
    "compare-part": Table(
        "compare",
        "seconds_extrapolated",
        (
            Column("measured", "medido", _number("seconds_done", 0, " s")),
            Column(
                "whole training, extrapolated",
                "entrenamiento entero, extrapolado",
                _number("seconds_extrapolated", 0, " s"),
            ),
            Column("10¹² operations", "10¹² operaciones", _number("train_flops_planned", 1, "", 1e-12)),
        ),
    ),
    "roofline": Table(
        "roofline",
        "gflops_convolutions",
        (
            Column("batch", "lote", _number("batch_size", 0)),
            Column("convolutions alone", "convoluciones solas", _number("gflops_convolutions", 1, " GFLOP/s")),
            Column("training", "entrenamiento", _number("gflops_training", 1, " GFLOP/s")),
            Column("share", "parte", _number("ratio", 1, " %", 100)),
        ),
    ),
    "ablation": Table(
        "ablation",
        "validation_error",
        (
            Column("error of pictures set aside", "error de las imágenes apartadas", _share("validation_error")),
            Column("seeds", "semillas", _seeds),
            Column("training", "entrenamiento", _number("seconds", 0, " s")),
            Column("10¹² operations", "10¹² operaciones", _number("train_flops", 1, "", 1e-12)),
        ),
    ),
    "winograd": _gains(
        "winograd", ("PyTorch's convolution", "la convolución de PyTorch"), ("Winograd's", "la de Winograd")
    ),
    "side_by_side": _gains(
        "side_by_side", ("picture by picture", "imagen por imagen"), ("side by side", "lado a lado")
    ),
    "fused": _gains("fused", ("layer by layer", "capa por capa"), ("joined", "juntas"), decimals=1),
    "options": Table(
        "options",
        "seconds_contiguous",
        (
            Column("channels last", "canales al final", _number("seconds", 1, " ms", 1000)),
            Column("contiguous", "contiguo", _number("seconds_contiguous", 1, " ms", 1000)),
            Column("one thread", "un hilo", _number("seconds_threads_1", 1, " ms", 1000)),
            Column("compiled", "compilado", _number("seconds_compiled", 1, " ms", 1000)),
            Column(
                "not compiled, beside it", "sin compilar, al lado", _number("seconds_beside_compiled", 1, " ms", 1000)
            ),
            Column("compiling", "compilar", _number("seconds_compiling", 1, " s")),
            Column("steps until it pays", "pasos hasta que compensa", _number("steps_to_pay", 0)),
            Column("why not compiled", "por qué no se compiló", _said("compile_failed")),
        ),
    ),
    "inspection": Table(
        "inspection", "target_seconds", (_SECONDS, Column("asked", "pedido", _number("target_seconds", 0, " s")))
    ),
    "shipping-inference": Table(
        "shipping",
        "ratio_1",
        (
            Column(
                "one picture, ONNX Runtime", "una imagen, ONNX Runtime", _number("microseconds_onnxruntime_1", 0, " µs")
            ),
            Column("one picture, PyTorch", "una imagen, PyTorch", _number("microseconds_pytorch_1", 0, " µs")),
            Column("times as fast", "veces más rápido", _number("ratio_1", 2)),
            Column(
                "32 pictures, each: ONNX Runtime",
                "32 imágenes, cada una: ONNX Runtime",
                _number("microseconds_onnxruntime_32", 0, " µs"),
            ),
            Column(
                "32 pictures, each: PyTorch",
                "32 imágenes, cada una: PyTorch",
                _number("microseconds_pytorch_32", 0, " µs"),
            ),
            Column("times as fast", "veces más rápido", _number("ratio_32", 2)),
            Column("500 pictures, times as fast", "500 imágenes, veces más rápido", _number("ratio_500", 2)),
        ),
        upright=True,
    ),
    "shipping-int8": Table(
        "shipping",
        "error_float32",
        (
            Column("test error, float32", "error de prueba, float32", _share("error_float32")),
            Column("test error, eight bits", "error de prueba, ocho bits", _share("error")),
            Column(
                "pictures with another class, float32",
                "imágenes con otra clase, float32",
                _number("disagreements_float32", 0),
            ),
            Column(
                "pictures with another class, eight bits",
                "imágenes con otra clase, ocho bits",
                _number("disagreements", 0),
            ),
            Column("file, float32", "archivo, float32", _number("bytes_float32", 0, " kB", 1e-3)),
            Column("file, eight bits", "archivo, ocho bits", _number("bytes", 0, " kB", 1e-3)),
        ),
        upright=True,
    ),
    "shipping-server": Table(
        "shipping",
        "ratio_bare",
        (
            Column(
                "bare ONNX Runtime, a picture a call",
                "ONNX Runtime solo, una imagen por llamada",
                _number("requests_per_second_bare", 0, " /s"),
            ),
            Column(
                "server, a picture a request, 32 connections",
                "servidor, una imagen por petición, 32 conexiones",
                _number("requests_per_second", 0, " /s"),
            ),
            Column("of the bare rate", "respecto al ritmo solo", _number("ratio_bare", 2)),
            Column(
                "bare, decoding a PNG file first",
                "solo, tras decodificar un PNG",
                _number("requests_per_second_bare_png", 0, " /s"),
            ),
            Column(
                "server, a PNG file a request, 32 connections",
                "servidor, un PNG por petición, 32 conexiones",
                _number("requests_per_second_png", 0, " /s"),
            ),
            Column("of that bare rate", "respecto a ese ritmo solo", _number("ratio_bare_png", 2)),
            Column(
                "server, one connection, each answer awaited",
                "servidor, una conexión que espera cada respuesta",
                _number("requests_per_second_one_connection", 0, " /s"),
            ),
            Column(
                "at 200 requests/s, 99 of 100 within",
                "a 200 peticiones/s, 99 de cada 100 en",
                _number("paced_milliseconds_p99", 1, " ms"),
            ),
            Column("1,000 connections", "1000 conexiones", _number("crowd_requests_per_second", 0, " /s")),
        ),
        upright=True,
    ),
    "page": Table(
        "page",
        "page_bytes",
        (
            Column(
                "a typed number of a kernel shows its output, 95 of 100 times within",
                "un número escrito en un kernel muestra su salida, 95 de cada 100 veces en",
                _number("edit_milliseconds_p95", 0, " ms"),
            ),
            Column("animation", "animación", _number("animation_frames_per_second", 1, " /s")),
            Column(
                "a unit's sum opens, 95 of 100 times within",
                "se abre la suma de una unidad, 95 de cada 100 veces en",
                _number("unit_milliseconds_p95", 0, " ms"),
            ),
            Column("first view, median", "primera vista, mediana", _number("first_view_milliseconds_median", 0, " ms")),
            Column("weight, without pictures", "peso, sin imágenes", _number("page_bytes", 0, " kB", 1e-3)),
        ),
        upright=True,
    ),
}


_OTHER = {"time": time_tables, "pictures": pictures, "league": league_table, **REFERENCE}


def render(name: str, language: str) -> str:
    """What stands in a page under `name`: a table, or a command of the tour with its output."""
    if name.startswith("tour-"):
        return _transcript(name.removeprefix("tour-"), language)
    if name in _OTHER:
        return "\n".join(_OTHER[name](language)) or _UNKNOWN[language]
    table = TABLES[name]
    records = [record for record in read(table.stem) if table.needs in record]
    if not records:
        return _UNKNOWN[language]
    lines = _figures(table, records[-1], language) if table.upright else _rows(table, records, language)
    return "\n".join([*lines, "", *origins(records, language)]) + "\n"


def _rows(table: Table, records: Sequence[Record], language: str) -> list[str]:
    has_data = any(record["data"] for record in records)
    heads = [_WHAT[language], *[_DATA[language]] * has_data, *(getattr(column, language) for column in table.columns)]
    lines = [table_row(heads), table_row(["---"] * (1 + has_data) + ["---:"] * len(table.columns))]
    for record in records:
        cells = [in_language(record["name"], language)] + [in_language(record["data"], language)] * has_data
        lines.append(table_row([*cells, *(column.write(record, language) or "–" for column in table.columns)]))
    return lines


def _figures(table: Table, record: Record, language: str) -> list[str]:
    figures = [(getattr(column, language), column.write(record, language)) for column in table.columns]
    lines = [table_row([label, figure]) for label, figure in figures if figure is not None]
    return [table_row([_WHAT[language], in_language(record["data"], language)]), table_row(["---", "---:"]), *lines]


def filled(text: str, language: str) -> str:
    """`text` with every block rendered anew."""

    def fill(block: re.Match[str]) -> str:
        return block["start"] + render(block["name"], language) + block["end"]

    return _BLOCK.sub(fill, text)


def _transcript(name: str, language: str) -> str:
    found = next((record for record in read("tour") if record["name"] == name), None)
    if found is None:
        return _UNKNOWN[language]
    return f"```console\n$ {found['command']}\n{found[language].rstrip()}\n```\n"


def main() -> None:
    """Write all pages."""
    for language, paths in PAGES.items():
        for path in paths:
            path.write_text(filled(path.read_text("utf-8"), language), "utf-8")


if __name__ == "__main__":
    main()
