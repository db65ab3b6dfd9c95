"""The page's modules as one script, for where a script can't import others: a file opened from disk, a notebook.

No tool and no build: each module becomes a function that returns what the module exports. Modules must therefore write
``import { a, b } from "./file.js";`` and ``export function|const|class name`` at the start of a line, and nothing else
of the kind; anything else raises.
"""

from __future__ import annotations

import re
from functools import cache

from convoscope.web.assets import assets

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$|^await\b.*$", re.MULTILINE)


@cache
def bundle(entry: str) -> str:
    """The module `entry` with all that it imports, each before it is needed.

    Returns:
        Statements that define a constant a module; the exports of ``view.js`` are the members of ``view_js``.
    """
    order: list[str] = []
    _visit(entry, order, ())
    return "\n".join(_wrapped(name) for name in order)


def _visit(name: str, order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other: {' > '.join((*above, name))}")
    if name in order:
        return
    for _, imported in _IMPORT.findall(assets()[name].text):
        _visit(imported, order, (*above, name))
    order.append(name)


def _wrapped(name: str) -> str:
    text = assets()[name].text
    exports = [exported for _, exported in _EXPORT.findall(text)]
    text = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_constant(found[2])};\n", text)
    text = _EXPORT.sub(r"\1 \2", text)
    if left := _LEFT.search(text):
        raise ValueError(f"{name}: can't be put into one script: {left[0]}")
    return f"const {_constant(name)} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();"


def _constant(name: str) -> str:
    return name.replace(".", "_")
