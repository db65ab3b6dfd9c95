"""What stands in a page without being a table of records: where the time goes, layer by layer, and the pictures."""

from __future__ import annotations

from typing import Any

from benchmarks.drawing import picture
from benchmarks.records import read
from benchmarks.words import grouped, table_row

Record = dict[str, Any]

_KINDS = {
    "convolution": "convolución",
    "normalisation": "normalización",
    "pooling": "agrupamiento",
    "activation": "activación",
    "head": "capa de salida",
    "block": "bloque",
    "other": "otras capas",
    "loss": "pérdida",
    "optimizer": "optimizador",
    "augmentation": "lotes y aumento de datos",
    "validation": "validación",
    "rest": "resto",
}
_HEADS = {
    "en": ("layer", "kind", "forward", "backward", "GFLOP/s", "work", "ms", "share"),
    "es": ("capa", "tipo", "adelante", "atrás", "GFLOP/s", "trabajo", "ms", "parte"),
}


def time_tables(language: str) -> list[str]:
    """For each network measured by `benchmarks.roofline`, two tables: kinds of work, and layers."""
    layer, kind, forward, backward, rate, work, milliseconds, share = _HEADS[language]
    lines: list[str] = []
    for record in read("roofline"):
        lines += [f"**{record['data']}, `{record['model']}`**", ""]
        lines += [table_row([work, milliseconds, share]), table_row(["---", "---:", "---:"])]
        for part in record["parts"]:
            lines.append(
                table_row(
                    [
                        _kind(part["kind"], language),
                        grouped(part["milliseconds"], language, 1),
                        f"{grouped(100 * part['share'], language, 1)} %",
                    ]
                )
            )
        lines += [
            "",
            table_row([layer, kind, forward, backward, rate]),
            table_row(["---", "---", "---:", "---:", "---:"]),
        ]
        for each in record["layers"]:
            cells = (grouped(each[key], language, 2) for key in ("forward", "backward"))
            gflops = grouped(each["gflops"], language, 1) if "gflops" in each else "–"
            lines.append(table_row([f"`{each['name']}`", _kind(each["kind"], language), *cells, gflops]))
        lines.append("")
    return lines


def pictures(language: str) -> list[str]:
    """The pictures of error against time, one for each data set compared."""
    words = {"en": "Test error against training time", "es": "Error de prueba frente al tiempo de entrenamiento"}
    compared = sorted({record["data"] for record in read("compare") if "error" in record})
    lines = []
    for data in compared:
        lines += [f"![{words[language]}, {data}]({picture(data, language).name})", ""]
    return lines


def _kind(kind: str, language: str) -> str:
    return _KINDS[kind] if language == "es" else {"augmentation": "batches and augmentation"}.get(kind, kind)
