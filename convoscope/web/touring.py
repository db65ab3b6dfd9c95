"""Lessons as the page opens them: their pictures found, their networks built, and all of it checked beforehand."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from convoscope.convolution import geometry, parse_padding, parse_pair, read_kernel
from convoscope.core.errors import RequestError
from convoscope.core.registry import nearest
from convoscope.data.named_picture import picture_of_set
from convoscope.data.types import Pixels
from convoscope.lessons.tour import Bench, NetworkLevel, Step
from convoscope.lessons.tour_file import TourFile, read_shipped, shipped
from convoscope.web import pictures

if TYPE_CHECKING:
    from convoscope.runs.run import Run
    from convoscope.web.network import Network

DRAWING = "drawing"
"""The image of a step that leaves the picture to the reader."""


class OpenTour:
    """A lesson with what it names outside itself; that is looked for when it is first needed.

    Args:
        file: the lesson.
    """

    def __init__(self, file: TourFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._networks: dict[str, Network] = {}

    def has_own_picture(self, step: Step) -> bool:
        """Whether a step has a picture that is none of the bench's."""
        return step.image is not None and step.image != DRAWING and step.image not in pictures.built_in()

    def picture(self, step: Step) -> Pixels | None:
        """The picture (C, H, W) of a step that has one of its own; None for one of the bench's, or none at all.

        Raises:
            RequestError: there is no such picture, or it lies outside the lesson's folder.
        """
        image = step.image
        if image is None or not self.has_own_picture(step):
            return None
        of_set = picture_of_set(image)
        if of_set is not None:
            return of_set
        path = self._inside(image)
        if not path.is_file():
            raise RequestError("tours.image_unknown", asked=image, known=", ".join([*pictures.built_in(), DRAWING]))
        with path.open("rb") as file:
            return pictures.read_upload(file.read(pictures.MOST_UPLOAD_BYTES + 1))

    def network(self, step: Step) -> Network | None:
        """The network that a step looks into; None for the run that is served, or none at all.

        Raises:
            RequestError: it can't be built or read.
        """
        level = step.network
        if level is None or level.served:
            return None
        from convoscope.web.network import Network

        with self._lock:
            if step.name not in self._networks:
                self._networks[step.name] = Network(self._run(level), within=self.file.path.resolve().parent)
            return self._networks[step.name]

    def check(self) -> None:
        """Find all that the steps name.

        Raises:
            RequestError: something is missing or doesn't fit; the sentence has the line and the step.
        """
        for at, step in enumerate(self.file.tour.steps):
            for entry, look in (("image", self.picture), ("bench", self._fits), ("network", self._works)):
                try:
                    look(step)
                except RequestError as error:
                    raise self.file.complaint(("steps", at, entry), str(error)) from error
            if step.league is not None:
                self._rows(at, step.league)

    def _run(self, level: NetworkLevel) -> Run:
        from convoscope.runs.run import Run
        from convoscope.web.untrained import UntrainedRun

        if level.model is not None:
            return UntrainedRun(level.model, level.input_shape)
        run = Run(self._inside(str(level.run)))
        _ = run.model
        return run

    def _inside(self, name: str) -> Path:
        """A file or folder beside the lesson.

        Raises:
            RequestError: it lies elsewhere, perhaps by a link.
        """
        folder = self.file.path.resolve().parent
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise RequestError("tours.outside", asked=name) from error
        if not path.is_relative_to(folder):
            raise RequestError("tours.outside", asked=name)
        return path

    def _fits(self, step: Step) -> None:
        """Whether the windows of the bench fit its picture, and the output has the place where the window starts."""
        if step.bench is None or step.image == DRAWING:
            return
        own = self.picture(step)
        size = (pictures.find(step.image or next(iter(pictures.built_in()))).pixels if own is None else own).shape[-2:]
        rows, columns = _output_size(step.bench, (int(size[0]), int(size[1])))
        row, column = step.bench.at
        if row >= rows or column >= columns:
            raise RequestError("tours.at_beyond", row=row, column=column, rows=rows, columns=columns)

    def _works(self, step: Step) -> None:
        network, level = self.network(step), step.network
        if network is not None and level is not None and level.layer is not None:
            known = [layer.name for layer in network.layers]
            if level.layer not in known:
                raise RequestError("tours.layer_unknown", asked=level.layer, known=", ".join(known))

    def _rows(self, at: int, names: list[str]) -> None:
        from convoscope.league import registry

        for place, name in enumerate(names):
            if name not in registry:
                reason = str(nearest("league_row", name, registry))
                raise self.file.complaint(("steps", at, "league", place), reason)


class Lessons:
    """The lessons of a server: those that come with the program, and the one that it was started with.

    Args:
        given: that one, already checked. It takes the place of a shipped lesson of the same name.
    """

    def __init__(self, given: OpenTour | None = None) -> None:
        self.given = given
        self._lock = threading.Lock()
        self._open = {} if given is None else {given.file.name: given}

    @property
    def names(self) -> list[str]:
        """The lesson that the server was started with, then the others."""
        return list(dict.fromkeys([*([self.given.file.name] if self.given else []), *shipped()]))

    def get(self, name: str) -> OpenTour:
        """The lesson `name`.

        Raises:
            RequestError: there is none.
        """
        with self._lock:
            if name not in self._open:
                if name not in shipped():
                    known = ", ".join(self.names)
                    raise RequestError("web.lesson_unknown", field="name", asked=name, known=known)
                self._open[name] = OpenTour(read_shipped(name))
            return self._open[name]


def _output_size(bench: Bench, size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of what the bench makes of a picture of `size`.

    Raises:
        RequestError: a window is larger than what it should slide over.
    """
    if bench.kernel is not None:
        laid = geometry(
            size,
            read_kernel(bench.kernel).shape,
            padding=parse_padding(bench.padding),
            stride=parse_pair(bench.stride, "stride"),
            dilation=parse_pair(bench.dilation, "dilation"),
            field="kernel",
        )
        size = laid.output_size
    if bench.pool is not None:
        window = parse_pair(bench.size, "size")
        stride = window if bench.pool_stride is None else parse_pair(bench.pool_stride, "pool_stride")
        size = geometry(size, window, padding=parse_padding(bench.pool_padding), stride=stride).output_size
    return size
