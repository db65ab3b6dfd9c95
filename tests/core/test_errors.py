from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from convoscope.core.errors import FailedError, RequestError
from convoscope.core.messages import set_language, using_language


def fail(code: str) -> None:
    set_language(code)
    raise FailedError("training.worker_lost", rank=3, reason="SIGKILL", path="runs/a")


@pytest.mark.parametrize("kind", [RequestError, FailedError])
def test_an_error_survives_pickling(kind: type[RequestError]) -> None:
    error = kind("core.language_unknown", asked="fr", known="en, es")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.key, back.values) == (error.key, error.values)
    assert str(back) == str(error)


def test_an_error_comes_home_from_another_process_in_the_language_of_home() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        using_language("es"),
        pytest.raises(FailedError, match="Se perdió el proceso 3"),
    ):
        pool.submit(fail, "en").result()


def test_exit_codes() -> None:
    assert RequestError("core.kind_model").exit_code == 2
    assert FailedError("core.kind_model").exit_code == 1
    assert issubclass(RequestError, ValueError)  # scikit-learn's own checks ask for that
