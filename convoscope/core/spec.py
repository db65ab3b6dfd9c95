"""Member specifications as they are typed: ``typical:blocks=3,width=32``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from convoscope.core.errors import RequestError


@dataclass(frozen=True)
class Spec:
    """A member's name and the parameters given to it.

    Args:
        name: the member's.
        parameters: by name, as what they look like: numbers, truth values, tuples, or words.
        typed: the text of those that were typed. A name may look like a number, and ``007`` is not ``7`` as a name.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def text(self, key: str) -> str:
        """The parameter `key` as it was typed; of one given as a Python value, as it would be."""
        return self.typed.get(key, _written(self.parameters[key]))

    def __str__(self) -> str:
        given = ",".join(f"{key}={_written(value)}" for key, value in self.parameters.items())
        return f"{self.name}:{given}" if given else self.name


def parse_spec(text: str) -> Spec:
    """Read ``name`` or ``name:key=value,key=value``; values are numbers, true/false, words, or ``a-b-c`` for a tuple.

    Raises:
        RequestError: the text has another form.
    """
    name, colon, rest = text.strip().partition(":")
    if not name or (colon and not rest):
        raise RequestError("core.spec_form", asked=text)
    parameters: dict[str, Any] = {}
    typed: dict[str, str] = {}
    for item in rest.split(",") if rest else []:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not key.isidentifier() or not value.strip() or key in parameters:
            raise RequestError("core.spec_form", asked=text)
        typed[key] = value.strip()
        parameters[key] = _read(typed[key])
    return Spec(name, parameters, typed)


def _read(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    parts = text.split("-")
    try:
        if len(parts) > 1 and all(part.isdecimal() for part in parts):
            return tuple(int(part) for part in parts)
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "-".join(str(part) for part in value)
    return str(value)
