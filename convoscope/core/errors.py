"""Errors that users meet: what was asked, what arrived, what to do."""

from __future__ import annotations

from typing import Any

from convoscope.core.messages import say
from convoscope.core.reasons import in_words

_REASONS = ("reason", "detail")  # values that may be what the system or a decoder said


class RequestError(ValueError):
    """A request that can't be met as it stands; the command line exits with code 2.

    The sentence comes from the catalogue (`core/catalogue/*.toml`), so it is always in the user's language.

    Args:
        key: ``"<room>.<name>"`` in the catalogue.
        **values: what the sentence names.
    """

    exit_code = 2

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        told = {name: in_words(str(self.values[name])) for name in _REASONS if name in self.values}
        return say(self.key, **self.values | told)

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes hand their errors to the parent by pickle; keywords need help to survive that.
        return _restore, (type(self), self.key, self.values)


class FailedError(RequestError):
    """Work that was asked rightly and could not be finished (a lost worker, a failed certificate): exit code 1."""

    exit_code = 1


def _restore(kind: type[RequestError], key: str, values: dict[str, Any]) -> RequestError:
    return kind(key, **values)
