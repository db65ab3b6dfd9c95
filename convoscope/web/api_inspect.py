"""The interface of the inspection level: the views there are, and what each finds in the run that is served."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, get_type_hints

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.web.api_network import fitting, served_network
from convoscope.web.faults import FAULTS
from convoscope.web.network_forms import Given
from convoscope.web.sheet_document import sheet_document

router = APIRouter(prefix="/api/v1/inspect", responses=FAULTS)

MOST_AT_ONCE = 4
_REMEMBERED = 8


class ParameterAnswer(BaseModel):
    """A parameter of a view."""

    name: str
    default: str
    accepts: str = Field(description="What may be given, in signs that both languages read.")
    choices: list[str]


class ViewAnswer(BaseModel):
    """A view."""

    name: str
    titles: dict[str, str]
    picture: bool = Field(description="Whether it looks at one picture.")
    parameters: list[ParameterAnswer]


class ShowRequest(BaseModel):
    """A view of the run, of one picture if it looks at one."""

    model_config = ConfigDict(extra="forbid")

    view: str = Field(description="A view with its parameters: saliency:target=3.", max_length=200)
    picture: Given | None = None


class Sheets:
    """What views found, the last few remembered; one is worked out at a time, and few may wait."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, bytes], dict[str, Any]] = OrderedDict()

    def show(self, request: Request, asked: ShowRequest) -> dict[str, Any]:
        """The sheet's document.

        Raises:
            RequestError: no such view, a picture that doesn't fit, or too many are waiting.
        """
        from convoscope.inspection.sheet import Sheet
        from convoscope.runs.views import view_named

        served = served_network(request)
        if any(sign in asked.view for sign in ("/", "\\", "..")):
            # Runs beside the one that is served may be named; what else is on the disk is nobody's business.
            raise RequestError("web.view_path", field="view", asked=asked.view)
        view = view_named(asked.view)
        pixels = None if asked.picture is None else fitting(served, asked.picture)
        key = asked.view, b"" if pixels is None else pixels.tobytes()
        if not self._places.acquire(blocking=False):
            raise RequestError("web.busy_view", field="view")
        try:
            with self._lock:
                if key not in self._found:
                    shown = view(served.run, pixels, None)
                    if not isinstance(shown, Sheet):
                        raise RequestError("web.view_elsewhere", field="view", asked=asked.view)
                    if shown.live or shown.view == "curves":
                        return sheet_document(shown)
                    self._found[key] = sheet_document(shown)
                self._found.move_to_end(key)
                while len(self._found) > _REMEMBERED:
                    self._found.popitem(last=False)
                return self._found[key]
        finally:
            self._places.release()

    def forget(self) -> None:
        """Let all be worked out anew: the data have changed."""
        with self._lock:
            self._found.clear()


@router.get("")
def views(request: Request) -> list[ViewAnswer]:
    """The views of this level."""
    served_network(request)
    from convoscope.inspection.sheet import Sheet
    from convoscope.models.parameters import parameters_of
    from convoscope.runs.views import looks_at_picture, registry, told

    answers = []
    for name in registry:
        view = registry.get(name)
        if get_type_hints(view)["return"] is not Sheet:
            continue  # feature maps and filters are the network level
        parameters = [
            ParameterAnswer(name=one.name, default=one.written, accepts=one.accepts, choices=list(one.choices))
            for one in parameters_of(view).values()
        ]
        titles = told(name).title.to_dict()
        answers.append(ViewAnswer(name=name, titles=titles, picture=looks_at_picture(view), parameters=parameters))
    return answers


@router.post("/show")
def show(request: Request, asked: ShowRequest) -> dict[str, Any]:
    """What a view finds: its blocks, with their texts in both languages."""
    sheets: Sheets = request.app.state.sheets
    return sheets.show(request, asked)
