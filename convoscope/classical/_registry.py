"""The registry of classical learners; its own module, so that a learner's file can register itself while it is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from convoscope.core.errors import RequestError
from convoscope.core.messages import language
from convoscope.core.registry import Registry, nearest
from convoscope.core.spec import Spec, parse_spec

Build: TypeAlias = Callable[..., Any]
"""(**parameters) -> an unfitted scikit-learn classifier: its class, or a function that puts a pipeline together."""
B = TypeVar("B", bound=Build)


@dataclass(frozen=True)
class Learner:
    """A learner that has a name.

    Attributes:
        build: takes the parameters, all with defaults, by keyword; returns an unfitted classifier.
        names: language -> the learner's name.
        meanings: language -> one line on what it does.
        source: who described it, and when.
        colour: whether it takes pictures of several channels; if not, it needs grey ones.
        small: parameters that make it quick on a few small pictures, without changing the method; the contract tests
            use them.
        exceptions: scikit-learn's estimator checks that it can't pass -> the reason.
    """

    build: Build
    names: Mapping[str, str]
    meanings: Mapping[str, str]
    source: str
    colour: bool
    small: Mapping[str, Any]
    exceptions: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name in the language in use."""
        return self.names[language()]

    @property
    def meaning(self) -> str:
        """One line on what it does, in the language in use."""
        return self.meanings[language()]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters' names and defaults."""
        return {name: entry.default for name, entry in inspect.signature(self.build).parameters.items()}


registry: Registry[Learner] = Registry("learner", "convoscope.classical")


def classical_learner(
    name: str,
    *,
    en: tuple[str, str],
    es: tuple[str, str],
    source: str,
    colour: bool = True,
    small: Mapping[str, Any] | None = None,
    exceptions: Mapping[str, str] | None = None,
) -> Callable[[B], B]:
    """Decorator: the class or function builds the learner `name`.

    `en` and `es` are its (name, one-line meaning); the others are those of `Learner`.
    """

    def add(build: B) -> B:
        names, meanings = {"en": en[0], "es": es[0]}, {"en": en[1], "es": es[1]}
        registry.register(name)(Learner(build, names, meanings, source, colour, small or {}, exceptions or {}))
        return build

    return add


def build(spec: str | Spec, **parameters: Any) -> Any:
    """The unfitted classifier that `spec` names.

    Args:
        spec: a learner's name, with its parameters if wished: ``knn``, ``knn:neighbours=1``.
        **parameters: more of them, as Python values.

    Raises:
        RequestError: no such learner or parameter.
    """
    spec = parse_spec(spec) if isinstance(spec, str) else spec
    learner = registry.get(spec.name)
    given = {**spec.parameters, **parameters}
    for name in given:
        if name not in learner.parameters:
            raise _unknown_parameter(spec.name, name, learner)
    return learner.build(**given)


def _unknown_parameter(learner_name: str, asked: str, learner: Learner) -> RequestError:
    if not learner.parameters:
        return RequestError("classical.no_parameters", learner=learner_name, asked=asked)
    return nearest("learner parameter", asked, learner.parameters)
