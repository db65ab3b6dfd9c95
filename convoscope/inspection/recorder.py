"""What some layers of a net give on a batch of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from convoscope.data.batches import inputs_from
from convoscope.data.types import Pixels
from convoscope.models.shadow import shadow
from convoscope.runs.run import Run

Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Recording(Generic[Kept]):
    """One batch's way through the net.

    Args:
        inputs: what the net got, (B, C, H, W), normalised.
        outputs: layer name -> what was kept of its output.
        logits: (B, classes).
    """

    inputs: Tensor
    outputs: dict[str, Kept]
    logits: Tensor


class Recorder(Generic[Kept]):
    """Keeps what layers of a run's net give, on a copy that shares its weights: the net itself gets no hook.

    Args:
        run: the trained network.
        names: layers. Of one that works twice, the first time counts.
        keep: what to keep of a layer's output (B, …). It must not share its memory: the next layer may work in place.
    """

    def __init__(self, run: Run, names: Iterable[str], keep: Callable[[Tensor], Kept]) -> None:
        self._run, self._keep, self._net = run, keep, shadow(run.model)
        self._kept: dict[str, Kept] = {}
        for name in names:
            self._net.get_submodule(name).register_forward_hook(self._note(name))

    def _note(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def note(_: nn.Module, __: Any, output: Tensor) -> None:
            if name not in self._kept:
                self._kept[name] = self._keep(output)

        return note

    @torch.inference_mode()
    def record(self, images: Pixels) -> Recording[Kept]:
        """Send pictures (B, C, H, W) uint8 through.

        Raises:
            RequestError: the weights lead to what is no number.
        """
        p = self._run.preprocessing
        self._kept = {}
        inputs = inputs_from(images, p.scaling, (p.height, p.width), torch.device("cpu"))
        given = inputs.contiguous().clone()
        logits = self._net(inputs)
        if not logits.isfinite().all():
            raise self._run.folder.damaged(self._run.folder.weights_file, "NaN")
        return Recording(given, self._kept, logits)
