"""Raw scores -> a calibrated probability that an answer is right, and the threshold that keeps wrong answers rare."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

__all__ = [
    "FEATURES",
    "Calibration",
    "Features",
    "balanced_threshold",
    "choose_threshold",
    "expected_calibration_error",
    "fit",
    "load_calibration",
]


@dataclass(frozen=True, slots=True)
class Features:
    """What one answer's probability is computed from.

    Attributes:
        margin: the span's score minus the no-answer score of its window.
        score: the span's score, the sum of its start and end logits.
        lead: how far it is ahead of the best candidate that says something else, in [0, 10]; 0 for the others.
        similarity: cosine between the question and the best passage; 0 where nothing was retrieved.
        cover: share of the question's topic that the window speaks of, in [0, 1].
        near: the same for the text right around the span.
    """

    margin: float
    score: float
    lead: float
    similarity: float
    cover: float
    near: float


FEATURES = tuple(field.name for field in fields(Features))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model over `FEATURES` (Platt 1999) with the threshold chosen for a stated rate of wrong answers.

    probability = 1 / (1 + exp(-(bias + weights · features)))
    """

    bias: float
    weights: tuple[float, ...]
    threshold: float

    def probability(self, features: Features) -> float:
        """Probability in (0, 1) that a span is the right answer."""
        values = (getattr(features, name) for name in FEATURES)
        z = self.bias + sum(w * value for w, value in zip(self.weights, values, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-36.0, min(36.0, z))))


def load_calibration(folder: Path) -> Calibration:
    """Read `calibration.json` of a reader folder. Raises ModelError when it is missing or damaged."""
    path = folder / "calibration.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        weights = tuple(float(table["weights"][name]) for name in FEATURES)
        return Calibration(float(table["bias"]), weights, float(table["threshold"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is missing or damaged ({error}); run `git checkout qa/model` or reinstall the package"
        ) from error


def fit(
    features: NDArray[np.float64], right: NDArray[np.bool_], *, penalty: float = 1e-2, steps: int = 50
) -> tuple[float, tuple[float, ...]]:
    """Fit the logistic model by Newton's method with a small ridge penalty on standardised features.

    Args:
        features: (n, len(FEATURES)).
        right: (n,), whether each answer was right.

    Returns bias and weights for raw features. Raises ValueError when `right` holds only one of the two outcomes.
    """
    if len(right) == 0 or right.all() or not right.any():
        raise ValueError("fitting needs both right and wrong answers")
    mean, scale = features.mean(0), features.std(0) + 1e-9
    x = np.hstack([np.ones((len(features), 1)), (features - mean) / scale])
    w = np.zeros(x.shape[1])
    ridge = penalty * np.eye(len(w))
    ridge[0, 0] = 0.0
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - right) / len(x) + ridge @ w
        hessian = (x * (p * (1 - p))[:, None]).T @ x / len(x) + ridge + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    weights = w[1:] / scale
    return float(w[0] - weights @ mean), tuple(float(weight) for weight in weights)


def choose_threshold(probabilities: Sequence[float], right: Sequence[bool], *, most_wrong: float = 0.1) -> float:
    """The lowest threshold at which at most `most_wrong` of the answers given are wrong; 1.0 when there is none.

    `right` is False for an answer given to a question that has none.
    """
    order = sorted(range(len(probabilities)), key=lambda number: -probabilities[number])
    best, wrong = 1.0, 0
    for given, number in enumerate(order, start=1):
        wrong += not right[number]
        last_of_ties = given == len(order) or probabilities[order[given]] < probabilities[number]
        if last_of_ties and wrong <= most_wrong * given:
            best = probabilities[number]
    return best


def balanced_threshold(probabilities: Sequence[float], right: Sequence[bool], answerable: Sequence[bool]) -> float:
    """The threshold with the highest sum of two shares: answerable questions answered right, unanswerable ones refused.

    Raises:
        ValueError: there are no answerable or no unanswerable questions.
    """
    has = sum(answerable)
    if has == 0 or has == len(answerable):
        raise ValueError("balancing needs both answerable and unanswerable questions")
    order = sorted(range(len(probabilities)), key=lambda number: -probabilities[number])
    balance, best, chosen = 1.0, 1.0, 1.0  # answering nothing refuses everything
    for place, number in enumerate(order):
        balance += right[number] / has if answerable[number] else -1 / (len(answerable) - has)
        last_of_ties = place + 1 == len(order) or probabilities[order[place + 1]] < probabilities[number]
        if last_of_ties and balance > best:
            best, chosen = balance, probabilities[number]
    return chosen


def expected_calibration_error(probabilities: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over `bins` equal-width bins (Guo et al. 2017), in [0, 1]."""
    p, r = np.asarray(probabilities, float), np.asarray(right, float)
    if len(p) == 0:
        return 0.0
    which = np.minimum((p * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(p[which == b].mean() - r[which == b].mean()) * (which == b).mean()
            for b in range(bins)
            if (which == b).any()
        )
    )
