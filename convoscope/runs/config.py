"""What ``run.json`` and ``metrics.json`` must say for a run to be read; more may stand there."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Gt, MaxLen, MinLen
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


class _Metrics(TypedDict):
    seconds: Finite
    train_flops: Finite
    parameters: NonNegativeInt
    interrupted: bool


class _Tested(_Metrics):
    test_error: Finite
    test_errors: NonNegativeInt
    test_count: PositiveInt
    interval: Annotated[list[Finite], MinLen(2), MaxLen(2)]


_adapter: TypeAdapter[_Config] = TypeAdapter(_Config)
_untested: TypeAdapter[_Metrics] = TypeAdapter(_Metrics)
_tested: TypeAdapter[_Tested] = TypeAdapter(_Tested)


def problem_with(config: dict[str, Any]) -> str | None:
    """What is wrong with a run's config, as ``place: reason``; None if nothing is."""
    try:
        _adapter.validate_python(config)
    except ValidationError as error:
        return _first_of(error)
    preprocessing = config["preprocessing"]
    if not len(preprocessing["mean"]) == len(preprocessing["std"]) == preprocessing["channels"]:
        return "preprocessing: channels, mean, std"
    return None


def problem_with_metrics(metrics: Any) -> str | None:
    """What is wrong with a run's result, as `problem_with` says it; of a run without test pictures less is asked."""
    tested = isinstance(metrics, dict) and "test_error" in metrics
    try:
        (_tested if tested else _untested).validate_python(metrics, strict=True)
    except ValidationError as error:
        return _first_of(error)
    return None


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
