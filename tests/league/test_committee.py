from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convoscope.league import registry
from convoscope.league.networks import Committee, majority


def test_the_majority_decides_however_sure_the_others_are() -> None:
    shares = np.array([[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    assert majority(shares[:, None]).tolist() == [0]


def test_of_classes_with_as_many_votes_the_likeliest_in_the_mean_wins() -> None:
    shares = np.array([[0.4, 0.3, 0.3], [0.1, 0.8, 0.1], [0.1, 0.0, 0.9], [0.1, 0.5, 0.4], [0.45, 0.1, 0.45]])
    assert majority(shares[:, None]).tolist() == [1]  # votes 2, 2, 1; means 0.23, 0.34


@given(arrays(np.float64, (3, 5, 4), elements=st.floats(0, 1)))
def test_members_of_one_mind_are_followed(shares: np.ndarray) -> None:
    assert (majority(shares[:1]) == shares[0].argmax(axis=1)).all()
    agreed = (shares.argmax(axis=2) == shares[0].argmax(axis=1)).all(axis=0)
    assert (majority(shares)[agreed] == shares[0].argmax(axis=1)[agreed]).all()


def test_no_two_members_of_the_leagues_committee_are_the_same() -> None:
    learner = registry.get("committee").learner
    assert isinstance(learner, Committee)
    assert len(set(learner.members)) == len(learner.members) == 11
