"""The interface for labels set right in the browser: one small file beside the data (`convoscope.data.corrections`)."""

from __future__ import annotations

import shlex
import threading
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.data.listing import as_text
from convoscope.web.api_network import served_network
from convoscope.web.faults import FAULTS
from convoscope.web.guard import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from convoscope.runs.run import Run
    from convoscope.web.api_inspect import Sheets

router = APIRouter(prefix="/api/v1/inspect/labels", responses=FAULTS)

MOST_CORRECTIONS = 10_000
_writing = threading.Lock()


class CorrectionForm(BaseModel):
    """One picture's true class."""

    model_config = ConfigDict(extra="forbid")

    picture: str = Field(description="By what it is named in the file.", min_length=1, max_length=1000)
    was: str = Field(max_length=1000)
    label: str | None = Field(description="The name of its true class; null leaves it out.", max_length=1000)


class CorrectionsRequest(BaseModel):
    """What is to be added to the corrections; a label that is what it was takes a correction back."""

    model_config = ConfigDict(extra="forbid")

    corrections: list[CorrectionForm] = Field(max_length=MOST_CORRECTIONS)


class CorrectionAnswer(BaseModel):
    """A correction in the file."""

    was: str
    label: str | None


class CorrectionsAnswer(BaseModel):
    """All corrections, the file they are in, and how to train on them and compare."""

    file: str
    corrections: dict[str, CorrectionAnswer]
    commands: list[str]


@router.get("")
def labels(request: Request) -> CorrectionsAnswer:
    """The corrections of the data of the run that is served."""
    return _answer(served_network(request).run, local=_is_local(request))


@router.post("")
def correct(request: Request, asked: CorrectionsRequest) -> CorrectionsAnswer:
    """Save corrections: all or none. Only from the computer that the server runs on."""
    served = served_network(request)
    if not _is_local(request):
        raise RequestError("web.labels_remote")
    sheets: Sheets = request.app.state.sheets
    with _writing:
        _save(served.run, asked.corrections)
    sheets.forget()
    return _answer(served.run, local=True)


def _is_local(request: Request) -> bool:
    """Whether the reader sits at the computer that the server runs on."""
    return request.client is not None and request.client.host in LOOPBACK


def _save(run: Run, forms: list[CorrectionForm]) -> None:
    from convoscope.data import load
    from convoscope.data.corrections import Correction, corrected, picture_names, read_corrections, write_corrections

    trained_on, file = run.config["data"], _file(run)
    how = {"data_dir": trained_on["data_dir"], "size": trained_on["size"], "seed": trained_on["seed"]}
    data = load(trained_on["name"], **how, corrections=False)
    known = set(picture_names(data.train))
    merged = dict(read_corrections(file))
    for form in forms:
        if form.picture not in known:
            raise RequestError("web.labels_unknown", field="picture", picture=form.picture)
        # A run on corrected data knows the corrected label; the file says what the data said.
        was = merged[form.picture].was if form.picture in merged else form.was
        merged[form.picture] = Correction(was, form.label)
        if form.label == was:
            del merged[form.picture]
    corrected(data, file, merged)
    write_corrections(file, merged)


def _file(run: Run) -> Path:
    from convoscope.data.corrections import corrections_file

    return corrections_file(run.config["data"]["name"], run.config["data"]["data_dir"])


def _answer(run: Run, *, local: bool) -> CorrectionsAnswer:
    """Others than the reader at this computer can't save, and its folders are none of their business."""
    from convoscope.data.corrections import read_corrections

    file = _file(run)
    told = {name: CorrectionAnswer(was=one.was, label=one.label) for name, one in read_corrections(file).items()}
    return CorrectionsAnswer(
        file=as_text(str(file) if local else file.name),
        corrections=told,
        commands=[as_text(command) for command in _commands(run)] if local else [],
    )


def _commands(run: Run) -> list[str]:
    """The same training once more, into a folder beside the run, and the two side by side."""
    config, data = run.config, run.config["data"]
    again = run.path.absolute().with_name(f"{run.path.absolute().name}-corrected")
    options = {
        "--data": data["name"],
        "--model": config["model"],
        "--recipe": config.get("recipe"),
        "--epochs": config["epochs"],
        "--seed": config["seed"],
        "--size": data["size"],
        "--data-dir": data["data_dir"],
        "--out": again,
    }
    given = [f"{name} {shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    view = shlex.quote(f"compare:before={run.path.absolute().name}")
    return [f"convoscope train {' '.join(given)}", f"convoscope inspect {shlex.quote(str(again))} --view {view}"]
