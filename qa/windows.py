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

    A document of at most `most` tokens is read whole. Otherwise the best passage gets a window as wide as it may be,
    laid so that it holds as much as possible of what else was found, and each further passage that no earlier window
    holds gets a window of what is not read yet, with one neighbour more.

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
    ranges = [_fullest(passages, ranked, most)]
    for number in ranked[1:]:
        first, last = passages[number]
        if not any(r.first <= first and last <= r.last for r in ranges):
            ranges.append(_grown(passages, number, most, ranges))
    return ranges


def _fullest(passages: Sequence[tuple[int, int]], ranked: Sequence[int], most: int) -> TokenRange:
    """The widest window around the best passage that holds most of the others found, better ones counting more.

    Of equally good ones, one with neighbours on both sides, then one that leaves no short rest of the document over at
    its start or end, then the most central one.
    """
    best = ranked[0]
    weights = [0.0] * len(passages)
    for rank, number in enumerate(ranked):
        weights[number] = 1 / (1 + rank)
    chosen, value = (best, best), (-1.0, 0, 0, 0)
    for low in range(best, -1, -1):
        if low < best and _size(passages, low, best) > most:
            break
        high = best
        while high + 1 < len(passages) and _size(passages, low, high + 1) <= most:
            high += 1
        if low > 0 and _size(passages, low - 1, high) <= most:
            continue  # a wider one comes next
        left, right = passages[low][0] - passages[0][0], passages[-1][1] - passages[high][1]
        between = (low < best or best == 0) + (high > best or best == len(passages) - 1)
        worth_while = sum(over == 0 or over > most // 3 for over in (left, right))
        middle = abs((passages[best][0] - passages[low][0]) - (passages[high][1] - passages[best][1]))
        worth = (sum(weights[low : high + 1]), between, worth_while, -middle)
        if worth > value:
            chosen, value = (low, high), worth
    return TokenRange(passages[chosen[0]][0], min(passages[chosen[1]][1], passages[chosen[0]][0] + most))


def _grown(passages: Sequence[tuple[int, int]], number: int, most: int, read: Sequence[TokenRange]) -> TokenRange:
    """A window of whole passages around passage `number`, grown on both sides in turn into what is not read yet."""
    low = high = number
    grew = True
    while grew:
        grew = False
        for step in (1, -1):
            wider = (low, high + 1) if step == 1 else (low - 1, high)
            if wider[0] < 0 or wider[1] == len(passages) or _size(passages, *wider) > most:
                continue
            edge = passages[high if step == 1 else low]
            if any(r.first <= edge[0] and edge[1] <= r.last for r in read) and (low, high) != (number, number):
                continue  # one passage into what is read already is context enough
            (low, high), grew = wider, True
    return TokenRange(passages[low][0], min(passages[high][1], passages[low][0] + most))


def _size(passages: Sequence[tuple[int, int]], low: int, high: int) -> int:
    return passages[high][1] - passages[low][0]


def token_range(offsets: NDArray[np.int64], start: int, end: int) -> tuple[int, int]:
    """The tokens that touch characters start..end: (first, last exclusive). `offsets` is (n, 2), in reading order."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
