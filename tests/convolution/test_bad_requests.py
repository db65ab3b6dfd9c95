"""Every wrong request gets a sentence, in both languages, that names the argument it is about."""

from __future__ import annotations

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import catalogue, using_language

CASES = [
    ({"kernel": np.ones((5, 1))}, "kernel", "window_too_large"),
    ({"kernel": np.ones((3, 3)), "dilation": 2}, "kernel", "window_too_large"),
    ({"kernel": []}, "kernel", "empty"),
    ({"kernel": [[]]}, "kernel", "empty"),
    ({"kernel": [[1, 2], [3]]}, "kernel", "ragged"),
    ({"kernel": [["a"]]}, "kernel", "not_numbers"),
    ({"kernel": [[1j]]}, "kernel", "not_numbers"),
    ({"kernel": [[None]]}, "kernel", "not_numbers"),
    ({"kernel": [[10**30]]}, "kernel", "not_numbers"),
    ({"kernel": [[np.nan]]}, "kernel", "not_finite"),
    ({"kernel": [[np.inf]]}, "kernel", "not_finite"),
    ({"kernel": [1, 2]}, "kernel", "kernel_dimensions"),
    ({"kernel": 3}, "kernel", "kernel_dimensions"),
    ({"kernel": np.ones((1, 1, 1, 1, 1))}, "kernel", "kernel_dimensions"),
    ({"kernel": np.ones((3, 2, 2))}, "kernel", "channels"),
    ({"image": np.ones((3, 4, 4)), "kernel": np.ones((8, 1, 2, 2))}, "kernel", "channels"),
    ({"image": [1, 2, 3]}, "image", "image_dimensions"),
    ({"image": np.ones((1, 1, 4, 4))}, "image", "image_dimensions"),
    ({"image": np.ones((0, 4))}, "image", "empty"),
    ({"image": [[1, 2], [3]]}, "image", "ragged"),
    ({"image": [[np.nan]]}, "image", "not_finite"),
    ({"image": "photo"}, "image", "not_numbers"),
    ({"bias": [1, 2]}, "bias", "bias_shape"),
    ({"bias": np.inf}, "bias", "not_finite"),
    ({"bias": "x"}, "bias", "not_numbers"),
    ({"stride": 0}, "stride", "pair_small"),
    ({"stride": 10**20}, "stride", "pair_large"),
    ({"stride": 1.5}, "stride", "pair_form"),
    ({"dilation": -1}, "dilation", "pair_small"),
    ({"padding": -1}, "padding", "padding_negative"),
    ({"padding": "full"}, "padding", "padding_form"),
    ({"padding": 10**6}, "padding", "too_many_pixels"),
    ({"groups": 0}, "groups", "pair_small"),
    ({"groups": "2"}, "groups", "number_form"),
    ({"groups": 2}, "groups", "groups_flat_kernel"),
    ({"image": np.ones((3, 4, 4)), "kernel": np.ones((2, 1, 2, 2)), "groups": 2}, "groups", "groups"),
]


@pytest.mark.parametrize(("arguments", "field", "name"), CASES, ids=lambda value: str(value)[:30])
def test_convolve_names_the_argument(arguments: dict[str, object], field: str, name: str) -> None:
    request: dict[str, object] = {"image": np.ones((4, 4)), "kernel": np.ones((2, 2))} | arguments
    with pytest.raises(RequestError) as caught:
        cs.convolve(**request)  # type: ignore[arg-type]
    error = caught.value
    assert (error.key, error.values["field"]) == (f"convolution.{name}", field)
    sentences = []
    for language in ("en", "es"):
        with using_language(language):
            sentences.append(str(error))
    assert sentences[0] != sentences[1]
    assert all(sentence.startswith(f"{field}: ") for sentence in sentences)


@pytest.mark.parametrize("name", sorted(catalogue("convolution")))
def test_both_languages_name_the_same_things(name: str) -> None:
    import string

    entry = catalogue("convolution")[name]
    fields = [{part[1] for part in string.Formatter().parse(entry[language]) if part[1]} for language in ("en", "es")]
    assert fields[0] == fields[1]


@pytest.mark.parametrize(("dilation", "stride"), [(2**31 - 2, 2**31 - 1), (60_000, 60_001)])
def test_a_window_that_reaches_far_beyond_the_image_is_refused(dilation: int, stride: int) -> None:
    for language, said in (("en", "use a smaller dilation, or no ceil_mode"), ("es", "use una dilatación menor")):
        with using_language(language), pytest.raises(RequestError, match=said) as caught:
            cs.pool(np.ones((5, 5)), "max", 2, dilation=dilation, stride=stride, ceil_mode=True)
        assert (caught.value.key, caught.value.values["field"]) == ("convolution.overhang", "ceil_mode")
    far = cs.pool(np.ones((5, 5)), "max", 2, dilation=100, stride=101, ceil_mode=True)
    assert far.padded.shape == (1, 101, 101)
