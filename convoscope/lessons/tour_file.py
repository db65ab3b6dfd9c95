"""Reading a lesson: a YAML file whose mistakes are told with their line, the step and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, catalogue, say
from convoscope.core.registry import nearest
from convoscope.lessons.tour import (
    Bench,
    ChoiceQuestion,
    ExerciseQuestion,
    NetworkLevel,
    NumberQuestion,
    Step,
    Tour,
)

MOST_BYTES = 256 * 1024
_DEEPEST = 20  # levels of lists and mappings, of which a lesson uses five
_SUFFIXES = (".yaml", ".yml")
_MOST_SHOWN = 60

_KINDS: dict[str | int, type[BaseModel]] = {
    kind.__name__: kind for kind in (ExerciseQuestion, ChoiceQuestion, NumberQuestion)
}
_HOLDERS: dict[str | int, type[BaseModel]] = {"steps": Step, "bench": Bench, "network": NetworkLevel, **_KINDS}

Place = Sequence[str | int]


@dataclass(frozen=True, eq=False)
class TourFile:
    """A lesson and the file that it was read from.

    Args:
        name: how it is asked for: the file's name without its suffix.
        path: the file.
        tour: what it holds.
        root: its YAML, which knows the lines.
    """

    name: str
    path: Path
    tour: Tour
    root: yaml.Node

    def complaint(self, place: Place, reason: str) -> RequestError:
        """The error for what is wrong at `place`, such as ``("steps", 3, "image")``."""
        return _complaint(self.path, self.root, place, reason)


def shipped() -> list[str]:
    """The names of the lessons that come with the program."""
    return sorted(file.stem for file in _folder().glob("*.yaml"))


def find(asked: str | Path) -> TourFile:
    """The lesson that is asked for: a shipped one by its name, or a file by its path, which ends in .yaml or .yml.

    Raises:
        RequestError: there is none, or it has a mistake.
    """
    path = Path(asked)
    if path.suffix.lower() in _SUFFIXES or len(path.parts) > 1:
        return read(path)
    if str(asked) not in shipped():
        raise nearest("lesson", str(asked), shipped())
    return read_shipped(str(asked))


@cache
def read_shipped(name: str) -> TourFile:
    """One of the lessons that come with the program."""
    return read(_folder() / f"{name}.yaml")


def read(path: Path) -> TourFile:
    """The lesson in a file. What it names outside itself (pictures, models, runs) is not looked for yet.

    Raises:
        RequestError: the file can't be read, or something in it is not what a lesson holds.
    """
    root, data = _parsed(path, _content(path))
    languages = data.get("languages") if isinstance(data, dict) else None
    known = isinstance(languages, list) and languages and all(one in LANGUAGES for one in languages)
    try:
        tour = Tour.model_validate(data, context={"languages": languages} if known else {})
    except ValidationError as error:
        first = error.errors()[0]
        raise _complaint(path, root, first["loc"], _reason(first)) from error
    names: set[str] = set()
    for at, step in enumerate(tour.steps):
        if step.name in names:
            raise _complaint(path, root, ("steps", at, "name"), say("tours.step_twice", name=step.name))
        names.add(step.name)
    # A file's name may hold bytes that are no text.
    name = path.stem.encode("utf-8", "backslashreplace").decode()
    return TourFile(name, path, tour, root)


def _folder() -> Path:
    return Path(str(resources.files("convoscope.lessons") / "tours"))


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RequestError("tours.unreadable", file=str(path), reason=error.strerror or str(error)) from error
    if len(content) > MOST_BYTES:
        raise RequestError("tours.too_large", file=str(path), most=MOST_BYTES >> 10)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RequestError("tours.not_utf8", file=str(path), line=line) from error


def _parsed(path: Path, text: str) -> tuple[yaml.Node, Any]:
    """The nodes of a file, which know their lines, and what it holds."""
    try:
        _refuse_bombs(path, text)
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())[:200]
        raise _no_yaml(path, 1 if mark is None else mark.line + 1, reason) from error
    except ValueError as error:  # a date or a number that there is not
        raise _no_yaml(path, 1, str(error)[:200]) from error
    if root is None:
        raise RequestError("tours.empty", file=str(path))
    _refuse_twice(path, root)
    return root, data


def _refuse_bombs(path: Path, text: str) -> None:
    """A few aliases stand for billions of entries, deep nests take hours to read; a lesson needs neither."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _no_yaml(path, event.start_mark.line + 1, say("tours.too_deep"))
        if isinstance(event, yaml.AliasEvent):
            raise RequestError("tours.alias", file=str(path), line=event.start_mark.line + 1)


def _no_yaml(path: Path, line: int, reason: str) -> RequestError:
    return RequestError("tours.not_yaml", file=str(path), line=line, reason=reason)


def _refuse_twice(path: Path, node: yaml.Node) -> None:
    """YAML takes the last of two entries of one name without a word."""
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if str(key.value) in names:
                line = key.start_mark.line + 1
                raise RequestError("tours.entry_twice", file=str(path), line=line, entry=key.value)
            names.add(str(key.value))
            _refuse_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_twice(path, value)


def _reason(error: Any) -> str:
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, RequestError):
        return str(cause)
    if error["type"] == "missing":
        return say("tours.missing")
    if error["type"] in ("extra_forbidden", "invalid_key"):
        return say("tours.unknown_entry", allowed=", ".join(_holder(error["loc"]).model_fields))
    found = _shown(error["input"])
    names = [part for part in error["loc"] if isinstance(part, str)]
    known = catalogue("tours")
    about = next((name for name in reversed(names) if f"about_{name}" in known), "lesson")
    return say("tours.value", found=found, allowed=say(f"tours.about_{about}"))


def _holder(place: Place) -> type[BaseModel]:
    """The kind of entry that holds the one at `place`."""
    within = [_HOLDERS[part] for part in place[:-1] if part in _HOLDERS]
    return within[-1] if within else Tour


def _complaint(path: Path, root: yaml.Node, place: Place, reason: str) -> RequestError:
    line, step = _line_and_step(root, place)
    names = [part for part in place if isinstance(part, str) and part != "steps" and part not in _KINDS]
    where = f", {say('tours.step', name=step)}" if step else ""
    entry = f", {'.'.join(names)}" if names else ""
    return RequestError("tours.mistake", file=str(path), line=line, where=where + entry, reason=reason)


def _line_and_step(root: yaml.Node, place: Place) -> tuple[int, str]:
    """The line of the entry at `place`, or of the nearest one that holds it; and the step it is in, if in any."""
    node, line, step = root, root.start_mark.line, ""
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
            step = step or (f"{_entry(node, 'name') or part + 1}" if place[0] == "steps" else "")
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    node, line = value, key.start_mark.line
    return line + 1, step


def _entry(node: yaml.Node, name: str) -> str:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((str(value.value)[:_MOST_SHOWN] for key, value in pairs if key.value == name), "")


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
