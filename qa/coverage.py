"""Wrong answers against coverage at different thresholds, measured on one's own questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa.confidence import choose_threshold
from qa.evaluation import Outcome

__all__ = ["LEAST_QUESTIONS", "Point", "best_threshold", "curve", "wilson"]

LEAST_QUESTIONS = 100


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold gives: shares in [0, 1].

    Attributes:
        coverage: answers given, of all questions.
        wrong: wrong ones among the answers given; `wrong_most` is the upper end of its 95 % interval.
        refused: unanswerable questions that were not answered; None when there are none.
    """

    threshold: float
    coverage: float
    wrong: float
    wrong_most: float
    refused: float | None


def _results(outcomes: Sequence[Outcome]) -> tuple[list[float], list[bool]]:
    return [o.answer.confidence for o in outcomes], [bool(o.gold.answers) and o.f1 >= 0.5 for o in outcomes]


def curve(outcomes: Sequence[Outcome], thresholds: Sequence[float]) -> list[Point]:
    """One point per threshold. `outcomes` must come from an Answerer of threshold 0, which answers everything.

    Raises:
        ValueError: there are no outcomes.
    """
    if not outcomes:
        raise ValueError("no questions to measure")
    confidences, right = _results(outcomes)
    unanswerable = [c for c, outcome in zip(confidences, outcomes, strict=True) if not outcome.gold.answers]
    points = []
    for threshold in thresholds:
        given = [ok for c, ok in zip(confidences, right, strict=True) if c >= threshold]
        wrong = given.count(False)
        refused = sum(c < threshold for c in unanswerable) / len(unanswerable) if unanswerable else None
        share = wrong / len(given) if given else 0.0
        points.append(Point(threshold, len(given) / len(outcomes), share, wilson(wrong, len(given))[1], refused))
    return points


def best_threshold(outcomes: Sequence[Outcome], most_wrong: float) -> float:
    """The lowest threshold at which at most `most_wrong` of the answers given are wrong; 1.0 when there is none."""
    confidences, right = _results(outcomes)
    return choose_threshold(confidences, right, most_wrong=most_wrong)


def wilson(hits: int, tries: int, z: float = 1.96) -> tuple[float, float]:
    """Interval for a share of `hits` in `tries` (Wilson 1927), 95 % by default; (0, 1) when nothing was tried."""
    if tries == 0:
        return 0.0, 1.0
    share = hits / tries
    centre = (share + z * z / (2 * tries)) / (1 + z * z / tries)
    half = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries)) / (1 + z * z / tries)
    return max(0.0, centre - half), min(1.0, centre + half)
