"""A finished or running training, read from its folder: enough to predict without the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.data import ImageData
from convoscope.data.batches import Scaling
from convoscope.runs import views
from convoscope.runs.evaluation import Views, check_views, evaluating, predict_logits, score
from convoscope.runs.folder import RunFolder
from convoscope.runs.views import Showing


@dataclass(frozen=True)
class Preprocessing:
    """What happens to a picture before the network: made `channels` x `height` x `width`, then scaled."""

    channels: int
    height: int
    width: int
    scaling: Scaling

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.height, self.width

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        scaling = {"mean": list(self.scaling.mean), "std": list(self.scaling.std)}
        return {"channels": self.channels, "height": self.height, "width": self.width, **scaling}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`."""
        scaling = Scaling(tuple(values["mean"]), tuple(values["std"]))
        return Preprocessing(values["channels"], values["height"], values["width"], scaling)


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture.

    Attributes:
        label: the most probable class.
        probability: its probability.
        probabilities: (classes,) all of them, in the order of `Run.classes`.
    """

    label: str
    probability: float
    probabilities: NDArray[np.float64]


class Run:
    """One training's folder.

    Args:
        path: the folder that ``convoscope train`` printed.

    Raises:
        RequestError: it holds no run.
    """

    def __init__(self, path: Path | str) -> None:
        self.folder = RunFolder(path)
        self.config = self.folder.read_config()
        self.classes: tuple[str, ...] = tuple(self.config["classes"])
        self.preprocessing = Preprocessing.from_dict(self.config["preprocessing"])

    @property
    def path(self) -> Path:
        """The folder."""
        return self.folder.path

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The result with its test error, or None while the run is not complete."""
        return self.folder.read_metrics()

    @property
    def curves(self) -> list[dict[str, Any]]:
        """One dict an epoch: losses, validation error, learning rate, images a second."""
        return self.folder.read_curves()

    @cached_property
    def model(self) -> nn.Module:
        """The network with the best weights, in evaluation mode; (B, C, H, W) float32 in, logits (B, classes) out.

        Raises:
            RequestError: the weights are missing, damaged, or of another network.
        """
        path = self.folder.weights_file
        if not path.is_file():
            began = bool(self.curves) or self.folder.metrics_file.exists()
            raise RequestError("runs.weights_gone" if began else "runs.no_weights", path=str(self.path), what=path.name)
        with torch.random.fork_rng(devices=[]):  # a network that is built takes random numbers, which are the caller's
            model = models.build(self.config["model"], self.preprocessing.input_shape, len(self.classes))
        try:
            model.load_state_dict(load(path.read_bytes()))
        except (SafetensorError, RuntimeError, OSError) as error:
            raise self.folder.damaged(path, str(error).splitlines()[0]) from error
        return model.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload, no-any-return]

    @property
    def has_weights(self) -> bool:
        """Whether the weights can be read, fit the network, and are numbers."""
        try:
            return all(bool(tensor.isfinite().all()) for tensor in self.model.state_dict().values())
        except RequestError:
            return False

    @cached_property
    def layers(self) -> tuple[models.Layer, ...]:
        """The network's layers in the order in which they work, each named once."""
        found = models.layers(self.model, self.preprocessing.input_shape)
        return tuple({layer.name: layer for layer in found}.values())

    def show(
        self, view: str, image: ArrayLike | str | Path | None = None, *, data_dir: Path | str | None = None
    ) -> Showing:
        """Look into the network: ``run.show("feature-maps", image)``, ``run.show("filters")``.

        Args:
            view: name of a view, with parameters if wished: ``saliency:target=3``.
            image: one picture as for `predict`, or a picture file; the first test picture when None.
            data_dir: where to look for the data that the first test picture is of.

        Returns:
            What displays itself in a notebook, prints as a table, and has ``save(path)`` for ``.html`` and ``.png``.

        Raises:
            RequestError: there is no such view or parameter, or the picture is none or can't be had.
        """
        return views.view_named(view)(self, image, data_dir)

    def evaluate(
        self,
        data: str | Path | ImageData | None = None,
        *,
        data_dir: Path | str | None = None,
        test_time_augmentation: str = "none",
    ) -> dict[str, Any]:
        """Error on the test set of `data`, by default the data that the run was trained on.

        Returns:
            ``test_error`` (a share), ``test_count``, ``interval`` (95%), ``per_class``, ``confusion``,
            ``test_time_augmentation``, ``data``; JSON-ready.

        Raises:
            RequestError: the data can't be had, is no longer what the run was trained on, or is no test for it.
        """
        kind = check_views(test_time_augmentation)
        loaded = data if isinstance(data, ImageData) else self.load_data(data, data_dir=data_dir)
        self.check_test(loaded)
        scores = score(self.logits(loaded.test.images, kind), loaded.test.labels, self.classes)
        return result_of(scores, kind, loaded.name)

    def check_test(self, data: ImageData) -> None:
        """Make sure that the test set of `data` is a test for this run.

        Raises:
            RequestError: it has other classes, is empty, or the run has learned from its pictures.
        """
        from convoscope.data.sets import registry

        if data.classes != self.classes:
            found, known = ", ".join(data.classes[:12]), ", ".join(self.classes[:12])
            raise RequestError("runs.other_classes", data=data.name, found=found, known=known)
        if len(data.test) == 0:
            raise RequestError("runs.no_test", data=data.name)
        trained_on = self.config["data"]["name"]
        if data.name in registry and registry.get(data.name).taken_from == trained_on:
            raise RequestError("runs.seen_in_training", data=data.name, trained_on=trained_on, path=str(self.path))

    def predict(self, images: ArrayLike | Sequence[ArrayLike]) -> list[Prediction]:
        """Class and probabilities of pictures of any size.

        Args:
            images: one picture (H, W) or (C, H, W), a batch (N, C, H, W), or a list of pictures; uint8.

        Raises:
            RequestError: the arrays have another form.
        """
        batch = np.stack(self.pictures(images))
        probabilities = self.logits(batch).double().softmax(dim=1).numpy()
        best = probabilities.argmax(axis=1)
        rows = zip(probabilities, best, strict=True)
        return [Prediction(self.classes[at], float(row[at]), row) for row, at in rows]

    def logits(self, images: NDArray[np.uint8], views: Views = "none") -> torch.Tensor:
        """Logits (N, classes) of pictures (N, C, H, W) uint8 of one size and any, as `predict` takes each of them.

        Raises:
            RequestError: the array has another form.
        """
        p = self.preprocessing
        if images.ndim != 4 or images.dtype != np.uint8:
            raise RequestError("runs.image_shape", channels=p.channels, found=f"{images.dtype} {images.shape}")
        if images.shape[1:] != p.input_shape:
            images = np.stack(self.pictures(images))
        with evaluating(self.model):
            logits = predict_logits(self.model, images, p.scaling, (p.height, p.width), torch.device("cpu"), views)
        if not logits.isfinite().all():
            raise self.folder.damaged(self.folder.weights_file, "NaN")
        return logits

    def load_data(self, data: str | Path | None = None, *, data_dir: Path | str | None = None) -> ImageData:
        """The data that the run was trained on, unchanged, or other data that was asked for.

        Raises:
            RequestError: the data can't be had, or are no longer what the run was trained on.
        """
        from convoscope.data import load
        from convoscope.data.loading import load_known
        from convoscope.data.sets import as_folder

        trained_on = self.config["data"]
        if data is not None:
            p = self.preprocessing
            size = None if as_folder(data) is None else (p.height, p.width)
            return load(data, data_dir=data_dir, size=size, seed=trained_on["seed"])
        data_dir = data_dir or trained_on["data_dir"]
        loaded = load_known(trained_on, data_dir=data_dir)
        if loaded.fingerprint != trained_on["fingerprint"]:
            raise RequestError("runs.data_changed", data=trained_on["name"], path=str(self.path))
        return loaded

    def pictures(self, images: ArrayLike | Sequence[ArrayLike]) -> list[NDArray[np.uint8]]:
        """All that `predict` takes as single pictures (C, H, W), as the network takes them.

        Raises:
            RequestError: the arrays have another form.
        """
        return [self.fitted(image) for image in _pictures(images, self.preprocessing.channels)]

    def fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (C, H, W) of any size, brought to the network's channels and size."""
        from convoscope.data.decode import fit

        p = self.preprocessing
        return fit(image, channels=p.channels, size=(p.height, p.width))


def result_of(scores: dict[str, Any], views: Views, data: str) -> dict[str, Any]:
    """The scores of a test set under the names that users and outside checks read."""
    return {
        "data": data,
        "test_error": scores["error"],
        "test_errors": scores["errors"],
        "test_count": scores["count"],
        "interval": scores["interval"],
        "test_loss": scores["loss"],
        "test_time_augmentation": views,
        "per_class": scores["per_class"],
        "confusion": scores["confusion"],
    }


def _pictures(images: ArrayLike | Sequence[ArrayLike], channels: int) -> list[NDArray[np.uint8]]:
    """Single pictures (C, H, W) out of all that `Run.predict` takes."""
    if isinstance(images, list | tuple):
        return [picture for image in images for picture in _pictures(image, channels)]
    array = np.asarray(images)
    # Grey or RGB, with or without transparency; (H, W, C) would be taken for a picture of H channels.
    deep = array.ndim > 2 and array.shape[-3] > 4
    if array.dtype != np.uint8 or array.ndim not in (2, 3, 4) or 0 in array.shape or deep:
        raise RequestError("runs.image_shape", channels=channels, found=f"{array.dtype} {array.shape}")
    if array.ndim == 2:
        array = array[None]
    return list(array) if array.ndim == 4 else [array]
