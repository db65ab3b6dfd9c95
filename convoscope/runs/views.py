"""What looks into a run: a view takes a run and a picture, and gives something that shows itself.

The registry stands here, below its members in `convoscope/inspection/views/`, so that a run can show itself by their
names without importing the room that makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from convoscope.core.errors import RequestError
from convoscope.core.messages import Both
from convoscope.core.registry import Registry
from convoscope.core.spec import parse_spec
from convoscope.models.parameters import check


class Showing(Protocol):
    """What a view gives: it displays itself in a notebook, and ``str`` of it is a table."""

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""

    def save(self, path: Path | str) -> Path:
        """Write it as a page (``.html``) or a picture (``.png``)."""


View = Callable[..., Showing]
"""A member of the registry: ``view(run, image, data_dir, **parameters)``; see `Run.show`. Its keyword-only arguments,
with `Limits`, are its parameters. A view that is the same for all pictures names the second argument ``_image``."""

V = TypeVar("V", bound=View)

registry: Registry[View] = Registry("view", "convoscope.inspection.views")


class Told(NamedTuple):
    """What a view is called, and in a sentence what it shows."""

    title: Both
    lead: Both


_TOLD: dict[str, Told] = {}


def view(name: str, *, en: tuple[str, str], es: tuple[str, str]) -> Callable[[V], V]:
    """Decorator: the function is the view `name`; `en` and `es` are its (title, one-line lead)."""

    def add(function: V) -> V:
        registry.register(name)(function)
        _TOLD[name] = Told(Both(en[0], es[0]), Both(en[1], es[1]))
        return function

    return add


def told(name: str) -> Told:
    """The words for the view `name`; of one that registered without any, its name."""
    return _TOLD.get(name, Told(Both(name, name), Both("", "")))


# The sentences about parameters name a model; a view has its own.
_OF_VIEWS = {
    "models.unknown_parameter": "runs.view_unknown_parameter",
    "models.no_parameters": "runs.view_no_parameters",
    "models.parameter_value": "runs.view_parameter_value",
}


def view_named(text: str) -> View:
    """The view that `text` names, ``saliency`` or ``saliency:target=3``, with its parameters put in.

    Raises:
        RequestError: no such view or parameter, or a value out of its limits.
    """
    spec = parse_spec(text)
    found = registry.get(spec.name)
    try:
        parameters = check(spec, found)
    except RequestError as error:
        raise RequestError(_OF_VIEWS.get(error.key, error.key), **error.values) from error
    return partial(found, **parameters)


def looks_at_picture(found: View) -> bool:
    """Whether a view shows another thing for another picture."""
    return "image" in signature(found).parameters
