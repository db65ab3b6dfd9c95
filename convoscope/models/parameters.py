"""The parameters of a family: their types and limits are read from its signature, and checked in one place.

A family declares them as keyword-only arguments with a default::

    def typical(input_shape, classes, *, blocks: Annotated[int, Limits(1, 8)] = 3, pool: Literal["max", "avg"] = "max")
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from convoscope.core.errors import RequestError
from convoscope.core.spec import Spec


@dataclass(frozen=True)
class Limits:
    """The least and the greatest value (both allowed) of a number, or of each number in a tuple."""

    least: float
    greatest: float

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.greatest


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family.

    Args:
        name: as it is written in a specification.
        kind: int, float, bool, str (one of `choices`, if there are any) or tuple (of whole numbers).
        default: the value it has when not given.
        limits: of a number, or of each number in a tuple; a truth value has none.
        choices: the words that may be given.
    """

    name: str
    kind: type
    default: Any
    limits: Limits | None = None
    choices: tuple[str, ...] = ()

    @property
    def accepts(self) -> str:
        """What may be given, in signs that both languages read.

        ``max | avg``, ``true | false``, ``0 … 0.95`` (numbers), ``1, 2 … 8`` (whole numbers), ``A-B-C (1, 2 … 8)``
        (several of them).
        """
        if self.kind is str:
            return " | ".join(self.choices) or "…"
        if self.limits is None:
            return "true | false"
        least, greatest = self.limits.least, self.limits.greatest
        if self.kind is float:
            return f"{least} … {greatest}"
        whole = f"{least}, {least + 1} … {greatest}"
        return f"A-B-C ({whole})" if self.kind is tuple else whole

    @property
    def written(self) -> str:
        """The default as it is typed."""
        return _as_typed(self.default)

    def checked(self, value: Any) -> Any:
        """`value` as the family takes it: a whole number becomes a float or a tuple where one is meant.

        Raises:
            ValueError: of another type, or out of its limits.
        """
        if self.kind is float and type(value) is int:
            value = float(value)
        if self.kind is str and not self.choices:
            value = _as_typed(value)  # a name may look like a number, and be given as one in Python
        if self.kind is tuple:
            value = (value,) if type(value) is int else tuple(value) if isinstance(value, list) else value
        numbers = value if isinstance(value, tuple) else (value,)
        whole = self.kind is not tuple or (len(numbers) > 0 and all(type(number) is int for number in numbers))
        # type(), not isinstance: True is an int to Python, and not to a person.
        if type(value) is not self.kind or not whole or (self.choices and value not in self.choices):
            raise ValueError(self.name)
        if self.limits and not all(math.isfinite(number) and number in self.limits for number in numbers):
            raise ValueError(self.name)
        return value


def parameters_of(family: Callable[..., Any]) -> dict[str, Parameter]:
    """The parameters that `family` takes, by name, in the order of its signature."""
    hints = get_type_hints(family, include_extras=True)
    keywords = [each for each in inspect.signature(family).parameters.values() if each.kind is each.KEYWORD_ONLY]
    return {each.name: _read(each.name, hints[each.name], each.default) for each in keywords}


def check(spec: Spec, family: Callable[..., Any]) -> dict[str, Any]:
    """The parameters of `spec`, checked against what `family` takes.

    Raises:
        RequestError: a name that the family doesn't take (the sentence lists those it takes, with their defaults), or a
            value of another type or out of its limits.
    """
    known = parameters_of(family)
    checked: dict[str, Any] = {}
    for name, value in spec.parameters.items():
        if name not in known:
            raise RequestError(
                "models.unknown_parameter" if known else "models.no_parameters",
                model=spec.name,
                asked=name,
                known=_listed(known),
            )
        try:
            # A name that looks like a number is the text itself: 007 is not 7, nor 2024-05-01 2024-5-1.
            is_name = known[name].kind is str and not known[name].choices
            checked[name] = known[name].checked(spec.text(name) if is_name else value)
        except ValueError as error:
            accepts = known[name].accepts
            values = {"model": spec.name, "parameter": name, "asked": _as_typed(value), "accepts": accepts}
            raise RequestError("models.parameter_value", **values) from error
    return checked


def _read(name: str, hint: Any, default: Any) -> Parameter:
    limits = None
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        limits = next((note for note in notes if isinstance(note, Limits)), None)
    if get_origin(hint) is Literal:
        return Parameter(name, str, default, choices=get_args(hint))
    kind = get_origin(hint) or hint
    if (limits is None) != (kind in (bool, str)):
        raise TypeError(f"{name}: a number is declared with its Limits, truth values and words without")
    return Parameter(name, kind, default, limits)


def _listed(known: Mapping[str, Parameter]) -> str:
    return ", ".join(f"{name}={each.written} ({each.accepts})" for name, each in known.items())


def _as_typed(value: Any) -> str:
    return str(Spec("", {"": value})).removeprefix(":=")
