"""Virtual support vectors: the solver is libsvm's equal, and shifts are what the machine gains."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from convoscope import load
from convoscope.classical import _smo
from convoscope.classical._smo import polynomial, train
from convoscope.classical.virtual_svm import VirtualSVM, unit_rows
from convoscope.data.jitter import moved


@settings(max_examples=25, deadline=None)
@given(degree=st.integers(0, 12), count=st.integers(1, 20), seed=st.integers(0, 1000))
def test_kernel_is_the_papers(degree, count, seed):
    images = np.random.default_rng(seed).integers(0, 256, (count, 1, 3, 4), dtype=np.uint8)
    rows = unit_rows(images).astype(np.float64)
    expected = (1 + rows @ rows.T) ** degree / 2**degree
    assert np.allclose(polynomial(rows, rows, degree), expected, atol=1e-12)
    assert np.allclose(np.diag(expected)[images.reshape(count, -1).any(axis=1)], 1)


@pytest.mark.parametrize("working", [8, 64, 1024])
@pytest.mark.parametrize("digit", [1, 8])
def test_solver_finds_what_libsvm_finds(working, digit, monkeypatch):
    monkeypatch.setattr(_smo, "WORKING", working)
    images, labels = load_digits(return_X_y=True)
    rows = unit_rows((images[:600].reshape(-1, 1, 8, 8) * 15).astype(np.uint8))
    signs = np.where(labels[:600] == digit, 1.0, -1.0)
    held, bias = train(rows, signs, 2.0, 9, 1e-3)
    kernel = polynomial(rows.astype(np.float64), rows.astype(np.float64), 9)
    peer = SVC(C=2.0, kernel="precomputed", tol=1e-3).fit(kernel, signs)
    assert np.abs(held.sum()) < 1e-9
    assert ((held * signs >= 0) & (held * signs <= 2)).all()
    assert np.allclose(kernel @ held + bias, peer.decision_function(kernel), atol=5e-3)
    dual = 0.5 * held @ kernel @ held - held @ signs
    other = np.zeros(600)
    other[peer.support_] = peer.dual_coef_[0]
    assert dual == pytest.approx(0.5 * other @ kernel @ other - other @ signs, rel=1e-3)


@pytest.fixture(scope="module")
def mnist():
    data = load("mnist-5k")
    # They lie sorted by class: every sixth is a tenth of each.
    return data.train.images[::6], data.train.labels[::6], data.test.images, data.test.labels


def test_virtual_vectors_lower_the_error_on_mnist(mnist):
    images, labels, test, test_labels = mnist
    plain = VirtualSVM(jitter=0).fit(images, labels)
    virtual = VirtualSVM(jitter=1).fit(images, labels)
    plain_error = 1 - plain.score(test, test_labels)
    error = 1 - virtual.score(test, test_labels)
    assert plain_error <= 0.07
    assert error <= 0.05
    assert error < plain_error
    assert np.array_equal(virtual.n_first_, plain.n_first_)


def test_support_vectors_are_shifted_pictures_of_the_training_set(mnist):
    images, labels, _, _ = mnist
    learner = VirtualSVM(jitter=1, deskewed=False).fit(images[::3], labels[::3])
    steps = (-1, 0, 1)
    possible = {copy.tobytes() for down in steps for right in steps for copy in moved(images[::3], down, right)}
    assert {vector.tobytes() for vector in learner.support_} <= possible
    assert len({vector.tobytes() for vector in learner.support_}) == len(learner.support_)
    assert (learner.coefficients_ != 0).any(axis=1).all()
    assert (np.abs(learner.coefficients_) <= 2).all()
    assert np.allclose(learner.coefficients_.sum(axis=0), 0)


@pytest.mark.parametrize(("name", "value"), [("degree", 0), ("C", 0), ("jitter", -1), ("tolerance", 0)])
def test_impossible_machines_are_refused_before_work(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from"):
        VirtualSVM(**{name: value}).fit(np.eye(6), [0, 1, 0, 1, 0, 1])
