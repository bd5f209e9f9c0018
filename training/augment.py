"""Make rows look like what the pipeline reads: wider contexts, passages that don't answer, clumsy questions."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from training.rows import Row

_WORD = re.compile(r"\w+")
_COUNTED = re.compile(r"\bhow many\b|\bhow much\b|\bnumber of\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*\d(?![\w%]|[.,]\d)")  # not a decimal fraction, nor part of one


class Neighbours:
    """The other contexts to put beside or in place of a row's own: of its group first, else the most similar ones.

    Similarity is the overlap of rare words, as BM25 sees it; ties and misses fall back on chance.
    """

    def __init__(self, rows: Sequence[Row], rng: random.Random, most_words: int = 260) -> None:
        self._rng = rng
        self._most_words = most_words
        self._contexts = sorted({row.context for row in rows})
        by_group: dict[str, list[str]] = defaultdict(list)
        for group, context in sorted({(row.group, row.context) for row in rows}):
            by_group[group].append(context)
        self._by_group = {group: contexts for group, contexts in by_group.items() if len(contexts) > 1}
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for number, context in enumerate(self._contexts):
            for word in set(_WORD.findall(context.lower())):
                self._by_word[word].append(number)

    def pick(self, row: Row, *, similar_to: str) -> str | None:
        """A context that is not the row's own and does not hold its answer, or None when a few tries find none."""
        answer = row.context[row.start : row.end].lower() if row.start is not None else None
        for _ in range(4):
            context = self._candidate(row, similar_to)
            if context == row.context or (answer is not None and answer in context.lower()):
                continue
            if len(context.split()) <= self._most_words:
                return context
        return None

    def _candidate(self, row: Row, similar_to: str) -> str:
        group = self._by_group.get(row.group)
        if group is not None and self._rng.random() < 0.8:
            return self._rng.choice(group)
        words = {word for word in _WORD.findall(similar_to.lower()) if 1 < len(self._by_word.get(word, ())) < 60}
        if words and self._rng.random() < 0.9:
            weights: dict[int, float] = defaultdict(float)
            for word in words:
                for number in self._by_word[word]:
                    weights[number] += 1 / len(self._by_word[word])
            best = sorted(weights, key=lambda number: -weights[number])[:6]
            return self._contexts[self._rng.choice(best)]
        return self._rng.choice(self._contexts)


def together(row: Row, other: str, rng: random.Random) -> Row:
    """The row with `other` before or after its own context, its span moved along."""
    if rng.random() < 0.5:
        return replace(row, context=f"{row.context}\n\n{other}")
    shift = len(other) + 2
    moved = (None, None) if row.start is None or row.end is None else (row.start + shift, row.end + shift)
    return replace(row, context=f"{other}\n\n{row.context}", start=moved[0], end=moved[1])


def elsewhere(row: Row, other: str) -> Row:
    """The row's question over a context that does not answer it."""
    return replace(row, id=f"{row.id}~", context=other, start=None, end=None)


def other_number(row: Row, rng: random.Random) -> Row:
    """A row that asks for a count, with another number for the answer; half of them look like years.

    Where texts count things, the number is seldom between 1700 and 2050, and a reader trained on them alone takes such
    a count for a year and says that there is no answer. Rows whose answer is no plain number, or stands twice, stay.
    """
    if row.start is None or row.end is None or not _COUNTED.search(row.question):
        return row
    found = _NUMBER.search(row.context[row.start : row.end])
    if found is None:
        return row
    start, end = row.start + found.start(), row.start + found.end()
    if row.context.count(row.context[start:end]) > 1:
        return row
    value = rng.randrange(1700, 2050) if rng.random() < 0.5 else rng.randrange(2, 10 ** rng.randrange(2, 6))
    number = f"{value:,}" if "," in found[0] and value > 999 else str(value)
    context = f"{row.context[:start]}{number}{row.context[end:]}"
    return replace(row, context=context, end=row.end + len(number) - (end - start))


def clumsy(question: str, rng: random.Random) -> str:
    """The question as people type it: lower case, no question mark, a letter dropped, doubled or swapped."""
    if rng.random() < 0.5:
        question = question.lower()
    if rng.random() < 0.6:
        question = question.rstrip(" ?")
    if rng.random() < 0.4 and len(question) > 12:
        place = rng.randrange(1, len(question) - 2)
        if question[place].isalpha() and question[place + 1].isalpha():
            kind = rng.randrange(3)
            if kind == 0:
                question = question[:place] + question[place + 1 :]
            elif kind == 1:
                question = question[: place + 1] + question[place:]
            else:
                question = question[:place] + question[place + 1] + question[place] + question[place + 2 :]
    return question
