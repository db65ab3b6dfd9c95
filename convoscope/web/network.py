"""A run at work on one picture: what each of its layers makes of it, and how any unit came about."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError
from convoscope.data.types import Images, Pixels
from convoscope.inspection import Tracer, UnitTrace
from convoscope.inspection.look import Look, Maps, filters_of, look
from convoscope.models import Layer
from convoscope.runs.run import Run

_REMEMBERED = 4


class Network:
    """A run, opened for looking into; several requests may use it at once.

    Args:
        run: the trained network.
        within: show test pictures of no folder of pictures but those in this one; None for any.
    """

    def __init__(self, run: Run, within: Path | None = None) -> None:
        self.run = run
        self._within = within
        self._lock = threading.Lock()
        self._looks: OrderedDict[bytes, Look] = OrderedDict()

    @cached_property
    def tracer(self) -> Tracer:
        """Traces single units."""
        return Tracer(self.run.model, self.run.preprocessing.input_shape)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order in which they work, each named once."""
        return self.run.layers

    @cached_property
    def samples(self) -> Images | None:
        """Test pictures of the data that the run was trained on, or None where these can't be had, or have changed."""
        from convoscope.data.sets import as_folder

        folder = as_folder(self.run.config["data"]["name"])
        if folder and self._within and not folder.resolve().is_relative_to(self._within):
            return None
        try:
            return self.run.load_data().test
        except RequestError:
            return None

    def warm(self) -> None:
        """Do once what makes a first request slow."""
        p = self.run.preprocessing
        self.look(np.zeros(p.input_shape, dtype=np.uint8))
        _ = self.tracer, self.turns

    @cached_property
    def turns(self) -> list[int]:
        """The test pictures' indices, the classes taking turns: the first of each, then the second of each."""
        return [] if self.samples is None else by_turns(self.samples.labels)

    def fitted(self, pixels: Pixels) -> Pixels:
        """A picture (C, H, W) brought to the network's channels and size."""
        return self.run.fitted(pixels)

    def look(self, pixels: Pixels) -> Look:
        """Send a picture (C, H, W) uint8 of the network's own size through; the last few are remembered."""
        key = pixels.tobytes()
        with self._lock:
            if key not in self._looks:
                self._looks[key] = look(self.run, self.layers, pixels)
            self._looks.move_to_end(key)
            while len(self._looks) > _REMEMBERED:
                self._looks.popitem(last=False)
            return self._looks[key]

    def maps(self, pixels: Pixels, name: str) -> Maps:
        """What layer `name` made of a picture, (C, H, W) or (features,).

        Raises:
            RequestError: there is no such layer.
        """
        self.layer(name)
        return self.look(pixels).outputs[name]

    def unit(self, pixels: Pixels, name: str, place: tuple[int, ...]) -> UnitTrace:
        """How one unit came about.

        Raises:
            RequestError: there is no such layer or unit, or it can't be worked out.
        """
        return self.tracer.unit(self.look(pixels).inputs, name, place)

    def layer(self, name: str) -> Layer:
        """The layer `name`.

        Raises:
            RequestError: there is none.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise RequestError("inspection.no_such_layer", field="layer", asked=name, known=known)

    def filters(self, name: str) -> Maps | None:
        """The weights (F, C / groups, kH, kW) of a convolution; None for other layers."""
        self.layer(name)
        return filters_of(self.run.model.get_submodule(name))


def by_turns(labels: NDArray[np.int64]) -> list[int]:
    """Indices of `labels` (N,), the classes taking turns: the first of each, then the second of each."""
    seen: dict[int, int] = {}
    rounds = np.zeros(len(labels), np.int64)
    for index, label in enumerate(labels.tolist()):
        rounds[index] = seen.get(label, 0)
        seen[label] = seen.get(label, 0) + 1
    return [int(index) for index in np.lexsort((labels, rounds))]
