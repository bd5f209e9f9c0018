"""Passages that say the same thing, found among search results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types import Passage

__all__ = ["without_repeats"]

VectorsOf = Callable[[Sequence[int]], dict[int, NDArray[np.float32]]]

_WORD = re.compile(r"\w+")
_SHARED = 0.9  # of the words of the longer one
_COSINE = 0.97
# A passage that differs in one of these says something else.
_TURNING = frozenset("no not never none nor neither nobody nothing without t unless except".split())


@dataclass(frozen=True, slots=True)
class _Said:
    passage: Passage
    words: tuple[str, ...]
    different: frozenset[str]


def without_repeats(passages: Iterable[Passage], vectors_of: VectorsOf, most: int) -> list[Passage]:
    """The first `most` passages that say something no earlier one says.

    Two say the same when their words are the same but for case, spacing and punctuation, or when nine of ten are, none
    of the others is a number, a name or a "not", and their vectors nearly agree.

    Args:
        vectors_of: gives the unit vectors of passages by id.
    """
    kept: list[_Said] = []
    by_words: set[tuple[str, ...]] = set()
    for passage in passages:
        if len(kept) == most:
            break
        words = tuple(_WORD.findall(passage.text.casefold()))
        if words in by_words:
            continue
        said = _Said(passage, words, frozenset(words))
        if any(_is_repeat(said, earlier, vectors_of) for earlier in kept):
            continue
        by_words.add(words)
        kept.append(said)
    return [said.passage for said in kept]


def _is_repeat(said: _Said, earlier: _Said, vectors_of: VectorsOf) -> bool:
    longer, shorter = max(len(said.words), len(earlier.words)), min(len(said.words), len(earlier.words))
    # cheap first: nearly all pairs end here
    if shorter < _SHARED * longer or 2 * len(said.different & earlier.different) < len(said.different):
        return False
    here, there = Counter(said.words), Counter(earlier.words)
    only_here, only_there = here - there, there - here
    if longer - max(only_here.total(), only_there.total()) < _SHARED * longer:
        return False
    if _tells_apart(only_here, said.passage.text) or _tells_apart(only_there, earlier.passage.text):
        return False
    vectors = vectors_of([said.passage.id, earlier.passage.id])
    if len(vectors) < 2:
        return False
    return float(vectors[said.passage.id] @ vectors[earlier.passage.id]) >= _COSINE


def _tells_apart(words: Counter[str], text: str) -> bool:
    as_written = set(_WORD.findall(text))
    for word in words:
        if word in _TURNING or any(letter.isdigit() for letter in word):
            return True
        if word not in as_written:  # it only stands there with a capital
            return True
    return False
