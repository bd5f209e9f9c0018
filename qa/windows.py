"""Retrieved passages -> the windows to read: each passage with its neighbours, as wide as the reader takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TokenRange", "read_ranges"]


@dataclass(frozen=True, slots=True)
class TokenRange:
    """Tokens `first`..`last` (exclusive) of a document."""

    first: int
    last: int


def read_ranges(
    length: int, passages: Sequence[tuple[int, int]], ranked: Sequence[int], *, most: int
) -> list[TokenRange]:
    """The token windows to read of one document, best first.

    A document of at most `most` tokens is read whole. Otherwise each ranked passage that no earlier window holds gets
    a window of its own, grown by whole neighbouring passages on both sides in turn while they fit.

    Args:
        length: tokens in the document.
        passages: token ranges (first, last exclusive) of all passages of the document, in reading order.
        ranked: numbers of the retrieved passages, best first.
        most: tokens a window may hold.

    Raises:
        ValueError: `most` < 1.
    """
    if most < 1:
        raise ValueError(f"a window must hold at least 1 token, got {most}")
    if not ranked:
        return []
    if length <= most:
        return [TokenRange(0, length)]
    ranges: list[TokenRange] = []
    for number in ranked:
        first, last = passages[number]
        if any(r.first <= first and last <= r.last for r in ranges):
            continue
        ranges.append(_grown(passages, number, most))
    return ranges


def _grown(passages: Sequence[tuple[int, int]], number: int, most: int) -> TokenRange:
    first, last = passages[number]
    last = min(last, first + most)
    before, after = number - 1, number + 1
    while True:
        grew = False
        if after < len(passages) and passages[after][1] - first <= most:
            last, after, grew = max(last, passages[after][1]), after + 1, True
        if before >= 0 and last - passages[before][0] <= most:
            first, before, grew = min(first, passages[before][0]), before - 1, True
        if not grew:
            return TokenRange(first, last)


def token_range(offsets: NDArray[np.int64], start: int, end: int) -> tuple[int, int]:
    """The tokens that touch characters start..end: (first, last exclusive). `offsets` is (n, 2), in reading order."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
