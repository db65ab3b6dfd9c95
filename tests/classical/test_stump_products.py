"""AdaBoost.MH over products of stumps: the search is the best one, the bound holds, and digits are learned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convoscope.classical import _stumps
from convoscope.classical._haar import HaarFamily, haar_values, integral_images
from convoscope.classical.stump_products import StumpProducts, _Pool, first_pulls


def brute_force(values, answers, pulls):
    """The best edge over all thresholds between different values."""
    best = -1.0
    for threshold in np.unique(values)[:-1]:
        stump = np.where(values > threshold, 1, -1)
        best = max(best, float(np.abs((pulls * (answers * stump)[:, None]).sum(axis=0)).sum()))
    return best


@settings(max_examples=40, deadline=None)
@given(
    count=st.one_of(st.integers(2, 40), st.just(2 * _stumps.BLOCK + 9)),
    side=st.integers(2, 6),
    lanes=st.sampled_from([8, 16, 24]),
    top=st.sampled_from([1, 10, 30, 255]),
    seed=st.integers(0, 1000),
)
def test_search_finds_what_brute_force_finds(count, side, lanes, top, seed):
    random = np.random.default_rng(seed)
    integral = integral_images(random.integers(0, top + 1, (count, 1, side, side), dtype=np.uint8))
    family = HaarFamily((1, side, side))
    features = random.integers(0, len(family), 11)
    places, factors = family.corners(features)
    answers = random.choice([-1, 1], count).astype(np.float32)
    pulls = random.standard_normal((count, lanes)).astype(np.float32)
    pool = _Pool(family, features, integral)
    rows = random.permutation(11)  # an odd number of them
    edges, cuts = np.empty(11, np.float32), np.empty(11, np.int32)
    _stumps.search(pool.bins, rows, pool.tops, pulls * answers[:, None], edges, cuts)
    values = np.empty(count, np.int32)
    for at, row in enumerate(rows.tolist()):
        haar_values(integral, places[row], factors[row], 0, count, values)
        best = brute_force(values, answers, pulls)
        if best < 0:
            assert edges[at] < 0
            continue
        product = pool.product([(row, int(cuts[at]))])
        assert product.features == [features[row]]
        stump = np.where(values > product.thresholds[0], 1, -1)
        multiplied = pulls.copy()
        _stumps.multiply(pool.bins[row], int(cuts[at]), multiplied)
        assert np.array_equal(multiplied, pulls * stump[:, None])
        reached = np.abs((pulls * (answers * stump)[:, None]).sum(axis=0)).sum()
        assert edges[at] == pytest.approx(reached, rel=1e-3)
        if np.ptp(values) < _stumps.BINS:
            assert edges[at] == pytest.approx(best, rel=1e-3)
        else:
            assert edges[at] <= best * (1 + 1e-3)


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    return train_test_split(images.reshape(-1, 8, 8), labels, test_size=500, stratify=labels, random_state=0)


def hamming(scores, labels, classes):
    """The weighted share of wrong votes that the bound is about; a score of 0 is a wrong vote."""
    pulls = first_pulls(labels, classes)
    return float(np.abs(pulls)[scores * np.sign(pulls) <= 0].sum())


@settings(max_examples=12, deadline=None)
@given(
    terms=st.integers(1, 4),
    rounds=st.integers(1, 25),
    trim=st.sampled_from([0.0, 0.01, 0.3]),
    classes=st.integers(2, 4),
    seed=st.integers(0, 1000),
)
def test_training_error_is_below_the_product_of_z(terms, rounds, trim, classes, seed):
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, 40)])
    images = random.integers(0, 256, (len(labels), 5, 5), dtype=np.uint8)
    images[:, 0, 0] = labels * 10
    learner = StumpProducts(terms=terms, rounds=rounds, features=5, trim=trim, random_state=seed).fit(images, labels)
    assert ((learner.factors_ > 0) & (learner.factors_ <= 1 + 1e-9)).all()
    bound = np.cumprod(learner.factors_)
    for turn, scores in enumerate(learner.staged_decision_function(images, 1)):
        assert hamming(scores, labels, classes) <= bound[turn] * (1 + 1e-9)
        # The sum of all exp(-y f), weighted as at first, is what the bound is made of.
        pulls = first_pulls(labels, classes)
        risk = (np.abs(pulls) * np.exp(-np.sign(pulls) * scores)).sum()
        assert risk == pytest.approx(bound[turn], rel=1e-6)


def test_products_learn_digits_and_a_longer_training_beats_a_shorter_one(digits):
    train, test, train_labels, test_labels = digits
    learner = StumpProducts(rounds=300, features=50, random_state=0).fit(train, train_labels)
    errors = [(scores.argmax(axis=1) != test_labels).mean() for scores in learner.staged_decision_function(test, 50)]
    assert errors[-1] <= 0.03
    assert errors[-1] < errors[0]
    assert np.array_equal(learner.predict(train), train_labels)
    assert learner.score(test, test_labels) == pytest.approx(1 - errors[-1])


def test_product_separates_what_no_sum_of_stumps_on_two_pixels_can():
    # Exclusive or: one of two corners is bright. Each alone says nothing.
    random = np.random.default_rng(0)
    corners = random.integers(0, 2, (400, 2))
    images = np.zeros((400, 3, 3), np.uint8)
    images[:, 0, 0], images[:, 2, 2] = 255 * corners[:, 0], 255 * corners[:, 1]
    labels = corners[:, 0] ^ corners[:, 1]
    learner = StumpProducts(terms=2, rounds=5, features=2000, random_state=0).fit(images, labels)
    assert learner.score(images, labels) == 1


def test_same_seed_gives_the_same_and_forms_of_pictures_do_not_matter(digits):
    train, test, labels, _ = digits
    train = (train[:300] * 15).astype(np.uint8)
    flat = StumpProducts(rounds=10, features=10, random_state=3).fit(train.reshape(300, -1), labels[:300])
    whole = StumpProducts(rounds=10, features=10, random_state=3).fit(train[:, None], labels[:300])
    assert np.array_equal(flat.features_, whole.features_)
    assert np.array_equal(flat.thresholds_, whole.thresholds_)
    test = (test * 15).astype(np.uint8)
    assert np.array_equal(flat.predict(test.reshape(len(test), -1)), whole.predict(test[:, None]))


def test_stops_where_one_product_is_right_about_everything():
    images = np.zeros((20, 4, 4), np.uint8)
    images[10:, :, 2:] = 255
    labels = np.repeat([0, 1], 10)
    learner = StumpProducts(rounds=50, features=400, random_state=0).fit(images, labels)
    assert learner.n_iter_ < 50
    assert learner.score(images, labels) == 1


def test_colour_is_looked_at_channel_by_channel():
    random = np.random.default_rng(0)
    images = random.integers(0, 30, (120, 3, 6, 6), dtype=np.uint8)
    labels = np.arange(120) % 3
    images[np.arange(120), labels, :, 3:] += 60
    learner = StumpProducts(rounds=20, features=200, random_state=0).fit(images[:60], labels[:60])
    assert learner.score(images[60:], labels[60:]) >= 0.95


@pytest.mark.parametrize(("name", "value"), [("terms", 0), ("rounds", 0), ("features", -1), ("trim", 0.9)])
def test_impossible_parameters_are_refused_before_work(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from"):
        StumpProducts(**{name: value}).fit(np.eye(6), [0, 1, 0, 1, 0, 1])
