"""The reference in the pages: every command with its options and defaults, and every name that can be typed.

It is read from the program itself, so it can't be out of date without a test saying so; `python -m benchmarks.tables`
writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer

from benchmarks.words import grouped, table_row
from convoscope import classical, data, models
from convoscope.cli import make_app
from convoscope.cli._help import placeholders, translate_help
from convoscope.convolution.kernel import registry as kernels
from convoscope.core.messages import using_language
from convoscope.core.spec import Spec
from convoscope.data.augment import Augmentation
from convoscope.models.parameters import parameters_of
from convoscope.runs.views import looks_at_picture
from convoscope.runs.views import registry as views
from convoscope.training.recipe import Recipe, Setting, load_recipe, recipe_names

_WORDS = {
    "en": {
        "option": "option", "default": "default", "meaning": "meaning", "yes": "yes", "no": "no", "name": "name",
        "picture": "of one picture", "parameters": "parameters and what they may be", "size": "picture",
        "counts": "to train / to test with", "classes": "classes", "official": "official split", "licence": "licence",
        "citation": "citation", "source": "source", "grey": "grey pictures", "colour": "colour pictures",
        "recipe": "recipe", "value": "value", "network": "network",
    },
    "es": {
        "option": "opción", "default": "por omisión", "meaning": "significado", "yes": "sí", "no": "no",
        "name": "nombre", "picture": "de una imagen", "parameters": "parámetros y lo que admiten", "size": "imagen",
        "counts": "para entrenar / para probar", "classes": "clases", "official": "división oficial",
        "licence": "licencia", "citation": "cita", "source": "fuente", "grey": "imágenes en gris",
        "colour": "imágenes en color", "recipe": "receta", "value": "valor", "network": "red",
    },
}  # fmt: skip


def commands(language: str) -> list[str]:
    """Every command: what it does, how it is called, each argument and option with its default."""
    with using_language(language):
        command: Any = typer.main.get_command(make_app())
        translate_help(command)
        return list(_told(command, "convoscope", 2, language))


def _told(command: Any, name: str, level: int, language: str) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if level > 2:
        yield from ("#" * (level - 1) + f" {name.removeprefix('convoscope ')}", "")
    yield from (command.help, "")
    pieces = " ".join(command.collect_usage_pieces(typer.Context(command)))
    yield from ("```text", f"{name} {placeholders(pieces)}", "```", "", *_options(command, language))
    for key, each in below.items():
        yield from _told(each, f"{name} {key}", level + 1, language)


def _options(command: Any, language: str) -> Iterator[str]:
    words = _WORDS[language]
    yield from _table(words["option"], words["default"], words["meaning"])
    for each in command.params:
        if each.name == "help":
            continue
        place = placeholders(each.metavar or each.name.upper())
        named, flag = each.opts[0].startswith("-"), getattr(each, "is_flag", False)
        written = (each.opts[-1] + ("" if flag else f" {place}")) if named else place
        yield table_row([_code(written), _default(each, language), each.help.replace("|", r"\|")])
    yield ""


def _default(parameter: Any, language: str) -> str:
    if getattr(parameter, "is_flag", False):
        return _WORDS[language]["no"]
    return "–" if parameter.required or parameter.default is None else _code(_plain(parameter.default))


def data_sets(language: str) -> list[str]:
    """The data sets that have a name."""
    words = _WORDS[language]
    lines = _table(*(words[key] for key in ("name", "size", "counts", "classes", "official", "licence", "citation")))
    for name in data.registry:
        found = data.registry.get(name)
        train, test = (grouped(count, language) for count in found.counts)
        official = words["yes" if found.official_split else "no"]
        classes = ", ".join(found.classes if language == "en" else found.classes_es)
        size = " × ".join(map(str, found.shape))
        lines.append(
            table_row([_code(name), size, f"{train} / {test}", classes, official, found.licence, found.citation])
        )
    return [*lines, ""]


def networks(language: str) -> list[str]:
    """The families of networks, each parameter with its default and its limits."""
    lines = _table(_WORDS[language]["name"], _WORDS[language]["parameters"])
    lines += [table_row([_code(name), _parameters(models.registry.get(name))]) for name in models.registry]
    return [*lines, ""]


def views_of_runs(language: str) -> list[str]:
    """The views of a run, each parameter with its default and its limits."""
    words = _WORDS[language]
    lines = _table(words["name"], words["picture"], words["parameters"])
    for name in views:
        view = views.get(name)
        lines.append(table_row([_code(name), words["yes" if looks_at_picture(view) else "no"], _parameters(view)]))
    return [*lines, ""]


def learners(language: str) -> list[str]:
    """The classical learners with their parameters and sources."""
    words = _WORDS[language]
    lines = _table(words["name"], words["meaning"], words["parameters"], words["source"])
    for name in classical.registry:
        found = classical.registry.get(name)
        given = ", ".join(_code(f"{key}={_plain(value)}") for key, value in found.parameters.items()) or "–"
        lines.append(table_row([_code(name), found.meanings[language], given, found.source]))
    return [*lines, ""]


def named_kernels(language: str) -> list[str]:
    """The named kernels with what each does."""
    words = _WORDS[language]
    lines = _table(words["name"], words["meaning"], words["parameters"], words["source"])
    for name in kernels:
        found = kernels.get(name)
        given = ", ".join(_code(f"{key}={_plain(value)}") for key, value in found.parameters.items()) or "–"
        meaning = f"{found.names[language]}: {found.meanings[language]}"
        lines.append(table_row([_code(name), meaning, given, found.sources[language]]))
    return [*lines, ""]


def recipes(language: str) -> list[str]:
    """The recipes: what each is for, its networks, and every value of its two settings."""
    words = _WORDS[language]
    known = [load_recipe(name) for name in recipe_names()]
    heads = (words["recipe"], words["meaning"])
    lines = [*_table(*heads), *(table_row([_code(one.name), one.meaning[language]]) for one in known), ""]
    for kind in ("grey", "colour"):
        lines += [f"**{words[kind][0].upper()}{words[kind][1:]}**", ""]
        lines += _table(words["recipe"], words["network"])
        lines += [table_row([_code(one.name), _code(getattr(one, kind).model)]) for one in known]
        lines += ["", *_table(words["value"], *(_code(one.name) for one in known))]
        lines += [table_row(cells) for cells in _values(known, kind)]
        lines.append("")
    return lines


def _values(known: list[Recipe], kind: str) -> Iterator[list[str]]:
    settings = [getattr(one, kind) for one in known]
    for field in Setting.model_fields:
        if field not in ("model", "augmentation"):
            yield [_code(field), *(_plain(getattr(setting, field)) for setting in settings)]
    for field in Augmentation.model_fields:
        yield [_code(field), *(_plain(getattr(setting.augmentation, field)) for setting in settings)]


def _parameters(member: Callable[..., Any]) -> str:
    found = (f"{_code(f'{each.name}={each.written}')} ({each.accepts})" for each in parameters_of(member).values())
    return "; ".join(found).replace(" | ", r" \| ") or "–"


def _table(*heads: str) -> list[str]:
    return [table_row(heads), table_row(["---"] * len(heads))]


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _plain(value: Any) -> str:
    """A default as it is typed."""
    if isinstance(value, tuple):
        return ", ".join(_plain(each).replace(", ", " ") for each in value) or "–"
    return str(Spec("", {"": value})).removeprefix(":=") if isinstance(value, bool | int | float | str) else str(value)


REFERENCE: Mapping[str, Callable[[str], list[str]]] = {
    "commands": commands,
    "data-sets": data_sets,
    "networks": networks,
    "recipes": recipes,
    "views": views_of_runs,
    "learners": learners,
    "kernels": named_kernels,
}
"""What stands between the marks of a page, by the name of the mark."""
