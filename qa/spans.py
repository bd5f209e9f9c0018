"""Start and end logits -> the best spans. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.types import SpanLogits

__all__ = ["Span", "best_spans"]


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens `first`..`last` (inclusive) of a window, with the sum of their start and end logits."""

    first: int
    last: int
    score: float


def best_spans(logits: SpanLogits, *, top: int, max_length: int) -> list[Span]:
    """The `top` spans of at most `max_length` tokens, start and end scored jointly, best first.

    A span that overlaps a better one is left out, so the list holds different places.

    Raises:
        ValueError: `top` or `max_length` < 1.
    """
    if top < 1 or max_length < 1:
        raise ValueError(f"top and max_length must be at least 1, got {top} and {max_length}")
    length = len(logits.start)
    if length == 0:
        return []
    width = min(max_length, length)
    # scores[w, i] is the span of w + 1 tokens from i; what would run past the end is -inf
    scores = np.full((width, length), -np.inf, np.float32)
    for extra in range(width):
        scores[extra, : length - extra] = logits.start[: length - extra] + logits.end[extra:]
    found: list[Span] = []
    for _ in range(top):
        extra, first = divmod(int(np.argmax(scores)), length)
        score = float(scores[extra, first])
        if score == -np.inf:
            break
        found.append(Span(first, first + extra, score))
        _remove_overlapping(scores, first, first + extra)
    return found


def _remove_overlapping(scores: NDArray[np.float32], first: int, last: int) -> None:
    for extra in range(scores.shape[0]):
        scores[extra, max(0, first - extra) : last + 1] = -np.inf
