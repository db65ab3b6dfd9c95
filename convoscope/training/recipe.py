"""Recipes: everything that decides how a network is trained, as data.

A recipe is one TOML file in `training/recipes/`, with one setting for grey pictures and one for colour. What it says is
printed, saved in the run, and can be changed from the command line: ``--recipe default:learning_rate=0.1``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from convoscope.core.errors import RequestError
from convoscope.core.messages import catalogue, say
from convoscope.core.registry import nearest
from convoscope.core.spec import Spec, parse_spec
from convoscope.data.augment import Augmentation


class Setting(BaseModel):
    """One concrete way to train: the model, the budget, the optimizer, the loss, the augmentation.

    The number of epochs is `images_seen` divided by the size of the training set, held between `min_epochs` and
    `max_epochs`: small sets are shown more often, large ones less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str
    images_seen: int = Field(gt=0, description="images shown in all, repeats counted")
    min_epochs: int = Field(default=1, ge=1)
    max_epochs: int = Field(default=100, ge=1)
    batch_size: int = Field(ge=2, description="images a step, over all devices")
    validation: float = Field(default=0.1, ge=0, lt=1, description="share of the training set kept to choose by")
    patience: int = Field(
        default=0, ge=0, description="epochs without a better validation error before stopping; 0: never"
    )

    optimizer: Literal["sgd", "adamw", "muon", "adadelta"] = "sgd"
    learning_rate: float = Field(gt=0, description="at its peak")
    bias_learning_rate: float = Field(default=0.0, ge=0, description="for biases and normalisation; 0: the same")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of optimizer sgd")
    weight_decay: float = Field(default=0.0, ge=0, description="on weights; not on biases and normalisation")
    muon_learning_rate: float = Field(default=0.24, ge=0, description="for normalised kernels, with muon")
    muon_momentum: float = Field(default=0.6, ge=0, lt=1)
    warmup: float = Field(
        default=0.2, ge=0, le=1, description="share of the training in which the rate rises to its peak"
    )
    decay: Literal["linear", "cosine", "none"] = "linear"
    course: Literal["computing", "steps"] = Field(
        default="computing", description="what the course of the rate is counted in, with progressive resolution"
    )
    label_smoothing: float = Field(default=0.0, ge=0, le=1)
    focus: float = Field(
        default=0.0, ge=0, le=4, description="power of a picture's last miss that it is drawn in proportion to; 0: none"
    )
    focus_from: float = Field(default=0.2, ge=0, le=1, description="share of the training after which focus begins")
    focus_until: float = Field(default=0.9, ge=0, le=1, description="share of the training after which it ends")
    precise_norm: bool = Field(
        default=False, description="whether batch normalisations end with the statistics of undistorted pictures"
    )
    ema: float = Field(default=0.0, ge=0, lt=1, description="decay a step of the weights' moving average; 0: none")

    whitening_until: float = Field(
        default=1.0, ge=0, le=1, description="share of the training after which a whitening layer's bias stays as it is"
    )

    augmentation: Augmentation = Augmentation()
    resolutions: tuple[tuple[float, float], ...] = ()
    """Progressive resolution: (from this share of the training's computing on, this share of the picture's side).
    ``none`` for full size throughout."""

    @field_validator("resolutions", mode="before")
    @classmethod
    def _none(cls, given: Any) -> Any:
        return () if given == "none" else given

    def epochs_for(self, images: int) -> int:
        """How many epochs a training set of `images` gets."""
        return min(max(round(self.images_seen / images), self.min_epochs), self.max_epochs)

    def batch_for(self, images: int) -> int:
        """How many images a step takes of a training set of `images`.

        A set of 128 pictures or more gets at least 16 steps an epoch; of a smaller one, a step takes 8 pictures.
        """
        return min(self.batch_size, max(images // 16, 8))


class Recipe(BaseModel):
    """A named pair of settings. `grey` serves pictures of one channel, `colour` all others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    meaning: dict[str, str]
    grey: Setting
    colour: Setting

    def setting_for(self, channels: int) -> Setting:
        """The setting for pictures of `channels` channels."""
        return self.grey if channels == 1 else self.colour


def recipe_names() -> list[str]:
    """The recipes that exist."""
    folder = resources.files("convoscope.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def load_recipe(name: str) -> Recipe:
    """The recipe `name`.

    Raises:
        RequestError: there is none of that name.
    """
    names = recipe_names()
    if name not in names:
        raise nearest("recipe", name, names)
    content = tomllib.loads((resources.files("convoscope.training") / "recipes" / f"{name}.toml").read_text("utf-8"))
    shared = content.pop("shared", {})
    for kind in ("grey", "colour"):
        content[kind] = shared | content[kind]
    return Recipe(name=name, **content)


def setting_from(text: str, channels: int) -> tuple[Spec, Setting]:
    """Read ``name`` or ``name:key=value,…`` into the setting for pictures of `channels` channels.

    Raises:
        RequestError: no such recipe, no such key, or a value out of its range.
    """
    spec = parse_spec(text)
    return spec, change(load_recipe(spec.name).setting_for(channels), spec.parameters)


def slower(recipe: Spec, setting: Setting) -> Spec:
    """`recipe` as it was asked for, at a quarter of the rates of `setting`: what to try where a training diverged."""
    names = ["learning_rate", "muon_learning_rate"] if setting.optimizer == "muon" else ["learning_rate"]
    return Spec(recipe.name, recipe.parameters | {name: float(f"{getattr(setting, name) / 4:.3g}") for name in names})


def change(setting: Setting, changes: dict[str, Any]) -> Setting:
    """A copy of `setting` with `changes`; augmentation's own fields may be named directly.

    Raises:
        RequestError: no such key, or a value out of its range.
    """
    values = setting.model_dump()
    for key, value in changes.items():
        if key in Augmentation.model_fields:
            values["augmentation"][key] = value
        elif key in Setting.model_fields and key != "augmentation":
            values[key] = value
        else:
            known = [name for name in Setting.model_fields if name != "augmentation"]
            raise nearest("recipe_key", key, [*known, *Augmentation.model_fields])
    try:
        return Setting.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = next(str(place) for place in reversed(problem["loc"]) if isinstance(place, str))
        raise RequestError(
            "training.recipe_value", name=name, value=problem["input"], reason=_reason(problem)
        ) from error


def _reason(problem: Any) -> str:
    """Why pydantic refused a value, in the language in use; in pydantic's own words where the catalogue has none."""
    key = f"reason_{problem['type']}"
    if key not in catalogue("training"):
        return str(problem["msg"])
    return say(f"training.{key}", **problem.get("ctx", {}))
