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
    and each further one that no earlier window holds gets a window of what is not read yet, with one neighbour more.

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
        if not any(r.first <= first and last <= r.last for r in ranges):
            ranges.append(_grown(passages, number, most, ranges))
    return ranges


def _grown(passages: Sequence[tuple[int, int]], number: int, most: int, read: Sequence[TokenRange]) -> TokenRange:
    """A window of whole passages around passage `number`, grown on both sides in turn while they fit."""
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
    if not read:
        low, high = _to_an_end(passages, number, low, high, most)
    return TokenRange(passages[low][0], min(passages[high][1], passages[low][0] + most))


def _to_an_end(passages: Sequence[tuple[int, int]], number: int, low: int, high: int, most: int) -> tuple[int, int]:
    """The window moved to the document's start or end where little would be left over there, to be read once more."""
    little = most // 3
    if 0 < passages[low][0] <= little:
        end = 0
        while end + 1 < len(passages) and _size(passages, 0, end + 1) <= most:
            end += 1
        if end > number:
            return 0, end
    if 0 < passages[-1][1] - passages[high][1] <= little:
        start = len(passages) - 1
        while start > 0 and _size(passages, start - 1, len(passages) - 1) <= most:
            start -= 1
        if start < number:
            return start, len(passages) - 1
    return low, high


def _size(passages: Sequence[tuple[int, int]], low: int, high: int) -> int:
    return passages[high][1] - passages[low][0]


def token_range(offsets: NDArray[np.int64], start: int, end: int) -> tuple[int, int]:
    """The tokens that touch characters start..end: (first, last exclusive). `offsets` is (n, 2), in reading order."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
