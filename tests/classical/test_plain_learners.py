"""The learners that scikit-learn has, on real digits: how far they are from right, whatever form the pictures have."""

import numpy as np
import pytest

from convoscope import load
from convoscope.classical import build

# On the 1,000 test pictures of mnist-5k, learned from a third of its others with few trees; a broken one is far above.
LARGEST_ERROR = {
    "decision-tree": 0.34,
    "bagging": 0.18,
    "pasting": 0.18,
    "random-forest": 0.11,
    "extra-trees": 0.11,
    "gradient-boosting": 0.18,
    "linear-svm": 0.16,
    "rbf-svm": 0.08,
    "knn": 0.11,
    "logistic-regression": 0.15,
}
QUICK = {
    "bagging": {"trees": 15},
    "pasting": {"trees": 15},
    "random-forest": {"trees": 60},
    "extra-trees": {"trees": 60},
    "gradient-boosting": {"rounds": 8, "rate": 0.3},
}


@pytest.fixture(scope="module")
def mnist():
    return load("mnist-5k")


def made(name):
    learner = build(name, **QUICK.get(name, {}))
    return learner.set_params(random_state=0) if "random_state" in learner.get_params() else learner


@pytest.mark.parametrize("name", LARGEST_ERROR)
def test_error_on_mnist_is_what_the_method_reaches(name, mnist):
    train, test = mnist.train, mnist.test
    learner = made(name).fit(train.images[::3], train.labels[::3])
    error = 1 - learner.score(test.images, test.labels)
    assert 0.01 < error <= LARGEST_ERROR[name]


@pytest.mark.parametrize("name", LARGEST_ERROR)
def test_forms_of_pictures_do_not_matter(name, mnist):
    images, labels = mnist.train.images[::40], mnist.train.labels[::40]
    test = mnist.test.images[::20]
    answers = [
        made(name).fit(images.reshape(shape(images)), labels).predict(test.reshape(shape(test)))
        for shape in (lambda a: a.shape, lambda a: (len(a), 28, 28), lambda a: (len(a), 784))
    ]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


@pytest.mark.parametrize("name", [name for name in LARGEST_ERROR if not name.endswith("-svm")])
def test_probabilities_are_those_of_the_labels(name, mnist):
    names = np.array([f"digit {label}" for label in mnist.train.labels[::40]])
    learner = made(name).fit(mnist.train.images[::40], names)
    shares = learner.predict_proba(mnist.test.images[::20])
    assert shares.shape == (50, 10)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.array_equal(learner.classes_[shares.argmax(axis=1)], learner.predict(mnist.test.images[::20]))


def test_pictures_of_another_size_are_refused(mnist):
    learner = build("knn").fit(mnist.train.images[::40], mnist.train.labels[::40])
    with pytest.raises(ValueError, match="same size"):
        learner.predict(mnist.test.images.reshape(-1, 1, 14, 56)[:, :, :, :28])


def test_one_class_is_refused_in_words(mnist):
    with pytest.raises(ValueError, match="one class 0"):
        build("knn").fit(mnist.train.images[:20], np.zeros(20, int))
