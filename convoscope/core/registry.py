"""Registries: a member is one file that registers itself, and is found without being listed anywhere."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from convoscope.core.errors import RequestError
from convoscope.core.messages import say

T = TypeVar("T")


class Registry(Generic[T]):
    """Named members of one kind, read from the modules of `package` when first asked for.

    Args:
        kind: what a member is, as in "model"; the catalogue has its name as ``core.kind_<kind>``.
        package: the package whose modules register the members.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._members: dict[str, T] = {}
        self._read = False
        self._reading = False
        self._lock = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: add the member under `name`. A second member of one name is our own mistake, so it raises."""

        def add(member: T) -> T:
            if name in self._members:
                raise ValueError(f"two members of the {self.kind} registry are named {name!r}")
            self._members[name] = member
            return member

        return add

    def get(self, name: str) -> T:
        """The member `name`.

        Raises:
            RequestError: no such member; the sentence lists those that exist and names the nearest.
        """
        self._discover()
        if name in self._members:
            return self._members[name]
        raise nearest(self.kind, name, self)

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._members))

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._members

    def _discover(self) -> None:
        if self._read:
            return
        # A server's threads may ask at once: all wait until every member is there. Members may ask while they are read.
        with self._lock:
            if self._read or self._reading:
                return
            self._reading = True
            try:
                package = importlib.import_module(self._package)
                for module in pkgutil.iter_modules(package.__path__):
                    if not module.name.startswith("_"):
                        importlib.import_module(f"{self._package}.{module.name}")
                self._read = True
            finally:
                self._reading = False


def nearest(kind: str, asked: str, known: Iterable[str]) -> RequestError:
    """The error for a name that does not exist: it lists those that do, and the one that was probably meant."""
    names = sorted(known)
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    key = "core.unknown_member_near" if near else "core.unknown_member"
    label = say(f"core.kind_{kind.replace(' ', '_')}")
    return RequestError(key, kind=label, asked=asked, known=", ".join(names), near=near[0] if near else "")
