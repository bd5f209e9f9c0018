"""How much of what a question asks about is spoken of in a text.

A reader trained on near misses still likes a span of the right kind when the one name that matters is missing: asked
who plays someone the article never mentions, it offers an actor. The share of the question's words that a text holds,
rare words counting more, is a plain second opinion for the calibration to weigh.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

__all__ = ["Topic", "cover", "names_of", "stems", "topic_of", "words"]

_WORD = re.compile(r"[^\W_]+")
_STEM = 5
_RAREST = 30_000
# words that ask, and words so common that their absence says nothing
_COMMON_RANK = 2_100
_ASKING = frozenset(
    "who what when where which whom whose why how many much name tell give list explain say know does did is are was "
    "were will can could would should please someone something the and for from with about into that this there they "
    "she her his him its their them has have had been being you your".split()
)

Topic = dict[str, float]


def stems(text: str) -> set[str]:
    """The words of a text in lower case, each cut to its first five letters and to its first four.

    So most inflections of a word meet: "playing" and "played" at "play".
    """
    return {stem for word in _WORD.findall(text.lower()) for stem in _cuts(word)}


def _cuts(word: str) -> Iterable[str]:
    yield word[:_STEM]
    if len(word) >= _STEM:
        yield word[: _STEM - 1]


def topic_of(question: str, rank: Callable[[str], int | None]) -> Topic:
    """The words of a question that say what it is about, with their weights; rare words weigh more.

    Args:
        rank: how common a lower-case word is (smaller is more common), None for an unknown one, which weighs most.
    """
    topic: Topic = {}
    for word in _WORD.findall(question.lower()):
        if word in _ASKING or len(word) < 2:
            continue
        place = rank(word)
        place = _RAREST if place is None else place
        topic[word] = math.log(max(2.0, place - _COMMON_RANK)) / math.log(_RAREST)
    return topic


def names_of(question: str, rank: Callable[[str], int | None]) -> frozenset[str]:
    """The words of a question, in lower case, that are in no vocabulary: names, above all.

    Args:
        rank: as of `topic_of`.
    """
    return frozenset(word for word in _WORD.findall(question.lower()) if len(word) > 2 and rank(word) is None)


def words(text: str) -> frozenset[str]:
    """The words of a text in lower case."""
    return frozenset(_WORD.findall(text.lower()))


def cover(topic: Topic, found: set[str]) -> float:
    """The weighted share of the topic's words among `found` stems, in [0, 1]; 1 for a question without a topic."""
    total = sum(topic.values())
    if total == 0:
        return 1.0
    return sum(weight for word, weight in topic.items() if any(stem in found for stem in _cuts(word))) / total
