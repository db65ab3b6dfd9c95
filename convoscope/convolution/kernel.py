"""Named kernels: a mapping from what is typed (``"sharpen"``, ``"gabor:angle=45,wavelength=6"``) to a `Kernel`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt

from convoscope.convolution.arrays import Array
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, language
from convoscope.core.registry import Registry
from convoscope.core.spec import parse_spec

Numbers: TypeAlias = Sequence[Sequence[int | float]] | Array
Source: TypeAlias = str | tuple[str, str]
Build: TypeAlias = Callable[..., Numbers]
B = TypeVar("B", bound=Build)
D = TypeVar("D")

_MOST_DENOMINATOR = 1000


@dataclass(frozen=True)
class KernelKind:
    """A named kernel before its parameters are chosen.

    Args:
        build: takes the parameters (all with defaults), returns the numbers.
        names: language -> the kernel's name.
        meanings: language -> one line on what it does.
        sources: language -> where the numbers come from.
    """

    build: Build
    names: Mapping[str, str]
    meanings: Mapping[str, str]
    sources: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters' names and defaults."""
        return {name: entry.default for name, entry in inspect.signature(self.build).parameters.items()}


registry: Registry[KernelKind] = Registry("kernel", "convoscope.convolution.kernel_sets")


def named_kernel(name: str, *, en: tuple[str, str], es: tuple[str, str], source: Source) -> Callable[[B], B]:
    """Decorator: the function builds the kernel `name`.

    `en` and `es` are its (name, one-line meaning); `source` is a reference, or (English, Spanish) if it has words.
    """

    def add(build: B) -> B:
        kind = KernelKind(build, {"en": en[0], "es": es[0]}, {"en": en[1], "es": es[1]}, _in_both(source))
        registry.register(name)(kind)
        return build

    return add


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel's numbers, (kH, kW), and what is known of them; usable wherever an array is.

    Args:
        spec: how it is asked for, ``sharpen`` or ``gabor:angle=45``.
        numbers: (kH, kW), int64 or float64, read-only.
        names: language -> name.
        meanings: language -> one line on what it does.
        sources: language -> where the numbers come from.
        parameters: the parameters it was built with.
    """

    spec: str
    numbers: Array
    names: Mapping[str, str] = field(repr=False)
    meanings: Mapping[str, str] = field(repr=False)
    sources: Mapping[str, str] = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The name in the language in use."""
        return self.names[language()]

    @property
    def meaning(self) -> str:
        """One line on what it does, in the language in use."""
        return self.meanings[language()]

    @property
    def source(self) -> str:
        """Where the numbers come from, in the language in use."""
        return self.sources[language()]

    @property
    def shape(self) -> tuple[int, ...]:
        """(kH, kW)."""
        return self.numbers.shape

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.numbers, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        return "\n".join(" ".join(cell.rjust(self._widest) for cell in row) for row in self.cells)

    @property
    def cells(self) -> list[list[str]]:
        """The numbers as they are written, as fractions of one denominator where they are such: 1/9, 4/256."""
        return common_fractions(self.numbers) or [[format(number, ".3f") for number in row] for row in self.numbers]

    @property
    def _widest(self) -> int:
        return max(len(cell) for row in self.cells for cell in row)

    def to_dict(self) -> dict[str, Any]:
        """The kernel as plain lists and words, ready for JSON; `source` is in the language in use."""
        return {
            "spec": self.spec,
            "numbers": self.numbers.tolist(),
            "cells": self.cells,
            "names": dict(self.names),
            "meanings": dict(self.meanings),
            "source": self.source,
            "sources": dict(self.sources),
            "parameters": dict(self.parameters),
        }


class Kernels(Mapping[str, Kernel]):
    """All named kernels; parameters follow the name: ``kernels["gabor:angle=45,wavelength=6"]``."""

    def __getitem__(self, key: str) -> Kernel:
        """The kernel asked for.

        Raises:
            RequestError: no such kernel, or a parameter it doesn't have or can't use.
        """
        try:
            spec = parse_spec(key)
            kind = registry.get(spec.name)
        except RequestError as error:
            raise RequestError(error.key, **error.values, field="kernel") from None
        parameters = kind.parameters
        for name in spec.parameters:
            if name not in parameters:
                known = ", ".join(parameters) or "—"
                raise RequestError(
                    "convolution.kernel_parameter", field="kernel", kernel=spec.name, asked=name, known=known
                )
        chosen = parameters | spec.parameters
        numbers = np.array(kind.build(**chosen))
        numbers = numbers.astype(np.int64 if numbers.dtype.kind == "i" else np.float64)
        numbers.setflags(write=False)
        return Kernel(str(spec), numbers, kind.names, kind.meanings, kind.sources, chosen)

    def __iter__(self) -> Iterator[str]:
        return iter(registry)

    def __len__(self) -> int:
        return sum(1 for _ in registry)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.partition(":")[0] in registry

    @overload
    def get(self, key: str, /) -> Kernel | None: ...
    @overload
    def get(self, key: str, /, default: Kernel | D) -> Kernel | D: ...
    def get(self, key: str, /, default: Any = None) -> Any:
        """The kernel asked for, or `default` when no kernel has that name."""
        return self[key] if key in self else default  # noqa: SIM401 (this is that very method)


kernels = Kernels()
"""All named kernels: ``kernels["sharpen"]``, ``kernels["gabor:angle=45"]``; a mapping from names to `Kernel`."""


def number_between(value: Any, name: str, low: float, high: float, *, kernel: str) -> float:
    """`value` of parameter `name`, if it is a number from `low` to `high`.

    Raises:
        RequestError: it is not.
    """
    if not _is_between(value, low, high):
        raise RequestError(
            "convolution.kernel_number", field="kernel", kernel=kernel, name=name, asked=value, low=low, high=high
        )
    return float(value)


def whole_between(value: Any, name: str, low: int, high: int, *, kernel: str) -> int:
    """`value` of parameter `name`, if it is a whole number from `low` to `high`.

    Raises:
        RequestError: it is not.
    """
    if not _is_between(value, low, high) or value != int(value):
        raise RequestError(
            "convolution.kernel_whole_number", field="kernel", kernel=kernel, name=name, asked=value, low=low, high=high
        )
    return int(value)


def _in_both(source: Source) -> dict[str, str]:
    return dict(zip(LANGUAGES, (source, source) if isinstance(source, str) else source, strict=True))


def _is_between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def common_fractions(numbers: Array) -> list[list[str]] | None:
    """Rows of numbers as fractions of one small denominator (1/256, 4/256), or None where they are not.

    They are judged in their own precision: 1/9 in float32 is a ninth.
    """
    rows = [[Fraction(number).limit_denominator(_MOST_DENOMINATOR) for number in row] for row in numbers.tolist()]
    under = math.lcm(*(fraction.denominator for row in rows for fraction in row))
    flat = (float(fraction) for row in rows for fraction in row)
    if under > _MOST_DENOMINATOR or not np.array_equal(np.fromiter(flat, numbers.dtype), numbers.ravel()):
        return None
    over = [[int(fraction * under) for fraction in row] for row in rows]
    return [[f"{number}/{under}" if number and under > 1 else str(number) for number in row] for row in over]
