"""What ``run.json`` must say for a run to be read; more may stand there."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Gt, MinLen
from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError
from typing_extensions import TypedDict

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Data(TypedDict):
    name: str
    data_dir: str | None
    size: PositiveInt | None
    seed: NonNegativeInt
    fingerprint: str


class _Preprocessing(TypedDict):
    channels: PositiveInt
    height: PositiveInt
    width: PositiveInt
    mean: list[Finite]
    std: list[Annotated[Finite, Gt(0)]]


class _Environment(TypedDict):
    threads: PositiveInt


class _Config(TypedDict):
    id: str
    data: _Data
    classes: Annotated[list[str], MinLen(2)]
    preprocessing: _Preprocessing
    model: str
    setting: dict[str, Any]
    epochs: PositiveInt
    seed: NonNegativeInt
    devices: PositiveInt
    precision: NotRequired[Literal["float32", "bfloat16"]]  # runs of earlier versions: float32
    test_time_augmentation: str
    checkpoint_seconds: Finite
    environment: _Environment


_adapter: TypeAdapter[_Config] = TypeAdapter(_Config)


def problem_with(config: dict[str, Any]) -> str | None:
    """What is wrong with a run's config, as ``place: reason``; None if nothing is."""
    try:
        _adapter.validate_python(config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    preprocessing = config["preprocessing"]
    if not len(preprocessing["mean"]) == len(preprocessing["std"]) == preprocessing["channels"]:
        return "preprocessing: channels, mean, std"
    return None
