from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.training.recipe import change, load_recipe, recipe_names, setting_from, slower


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_says_what_it_is_in_both_languages(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert set(recipe.meaning) == {"en", "es"}
    assert recipe.setting_for(1) == recipe.grey
    assert recipe.setting_for(3) == recipe.colour


def test_the_recipes_of_the_design_exist() -> None:
    assert {"default", "plain"} <= set(recipe_names())


def test_plain_has_no_augmentation() -> None:
    recipe = load_recipe("plain")
    for setting in (recipe.grey, recipe.colour):
        changes = setting.augmentation.model_dump()
        assert not any(changes[key] for key in ("rotate", "scale", "shear", "shift", "elastic", "cutout"))
        assert changes["flip"] == "none"


def test_values_are_changed_from_the_command_line() -> None:
    spec, setting = setting_from("default:learning_rate=0.125,batch_size=64,rotate=3,flip=random", 1)
    assert spec.name == "default"
    assert setting.learning_rate == 0.125
    assert setting.batch_size == 64
    assert setting.augmentation.rotate == 3
    assert setting.augmentation.flip == "random"
    assert setting.weight_decay == load_recipe("default").grey.weight_decay


def test_progressive_resolution_can_be_switched_off() -> None:
    assert setting_from("quick", 3)[1].resolutions
    assert setting_from("quick:resolutions=none", 3)[1].resolutions == ()


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("plain:ema=0.9", "plain:ema=0.9,learning_rate=0.0025,muon_learning_rate=0.06"),
        ("default:optimizer=sgd,learning_rate=0.3,shift=0.1", "default:optimizer=sgd,learning_rate=0.075,shift=0.1"),
        (
            "fast:optimizer=muon,learning_rate=0.04,muon_learning_rate=0.2",
            "fast:optimizer=muon,learning_rate=0.01,muon_learning_rate=0.05",
        ),
    ],
)
def test_a_slower_recipe_is_the_one_that_was_asked_for_at_a_quarter_of_its_rates(asked: str, offered: str) -> None:
    recipe = slower(*setting_from(asked, 1))
    assert str(recipe) == offered
    setting_from(offered, 1)


@given(images=st.integers(1, 10**6))
def test_sets_of_128_pictures_and_more_get_16_steps_an_epoch(images: int) -> None:
    setting = load_recipe("default").grey
    size = setting.batch_for(images)
    assert size == 8 if images < 128 else images / size >= 16


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defualt", "did you mean 'default'"),
        ("default:learning_rat=1", "did you mean 'learning_rate'"),
        ("default:learning_rate=-1", "greater than 0"),
        ("default:learning_rate=fast", "learning_rate = 'fast'"),
        ("default:batch_size=1", "batch_size = 1"),
        ("default:flip=sideways", "flip = 'sideways'"),
        ("default:", "can't be read"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with using_language("en"), pytest.raises(RequestError) as caught:
        setting_from(text, 1)
    assert said in str(caught.value)


@given(images=st.integers(1, 10**7), seen=st.integers(1, 10**7), low=st.integers(1, 20), more=st.integers(0, 50))
def test_epochs_stay_within_their_bounds(images: int, seen: int, low: int, more: int) -> None:
    changes = {"images_seen": seen, "min_epochs": low, "max_epochs": low + more}
    setting = change(load_recipe("default").grey, changes)
    assert low <= setting.epochs_for(images) <= low + more


@given(images=st.integers(1, 10**6))
def test_a_batch_is_never_larger_than_asked_and_never_a_single_picture(images: int) -> None:
    setting = load_recipe("default").grey
    assert 2 <= setting.batch_for(images) <= setting.batch_size
