"""Classical learners, one a file: scikit-learn estimators for pictures; ``build`` makes one from its specification."""

from __future__ import annotations

from convoscope.classical._registry import Learner, build, classical_learner, registry

__all__ = ["Learner", "build", "classical_learner", "registry"]
