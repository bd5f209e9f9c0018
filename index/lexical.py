"""BM25 over the FTS5 table, with work that is bounded however many passages there are.

FTS5 scores every row that holds any of the words, some 3 µs each: on a million passages a word such as "year" alone
costs half a second. So where the words match more than `_EXACT` rows, the rare ones choose: only rows that hold one of
them (or, where all are common, two of the three rarest) are looked at, for each it is asked which of all the words it
holds, and the best by that are put in order by BM25 proper.
"""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.filters import Allowed

__all__ = ["LexicalIndex", "topic_words"]

_WORD = re.compile(r"\w+")
# Words that carry a question, not its topic; BM25 would rank passages by them on small collections.
_STOPWORDS = frozenset(
    "a an and any are as at be been but by can could did do does for from get had has have he her his how i in into is "
    "it its me my of on or our please s say she should so some tell than that the their them there they this to was we "
    "were what when where which who whom whose why will with would you your".split()
)
_MOST_WORDS = 64
_EXACT = 1_000  # rows that FTS5 may score
_ENOUGH = 1_000  # rows that rare words have to give before the others need not be looked for
_CHOSEN = 10_000  # rows that may be looked at, for each word
_READ = 2  # passages read for each wanted
_FEWEST_READ = 64
_KEPT_WORDS = 10_000
_GROWN = 1.1
_K1, _B = 1.2, 0.75  # what FTS5 has


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the question as an FTS5 phrase: `rows` it is in among those searched (at most `_CHOSEN`), its idf."""

    text: str
    rows: int
    weight: float

    @property
    def phrase(self) -> str:
        return f'"{self.text}"'


class LexicalIndex:
    """BM25 (FTS5, Porter stems). Thread-safe; reads the state that the calling thread reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._frequencies: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def search(self, question: str, k: int, allowed: Allowed | None = None) -> list[int]:
        """Ids of the k best passages, best first, ties by smaller id; empty when no topic word is known."""
        words = topic_words(question)
        if not words or (allowed is not None and allowed.rows == 0):
            return []
        with self._database.snapshot():
            total = int(self._database.meta("passages"))
            if total > _EXACT:
                known = self._known(words, total, allowed)
                if sum(word.rows for word in known) > _EXACT:
                    return self._best(known, k, allowed)
            return self._all(words, k, allowed)

    def _known(self, words: Sequence[str], total: int, allowed: Allowed | None) -> list[_Word]:
        found = []
        for word in words:
            frequency = self._frequency(word, total)
            rows = int(frequency) if allowed is None or not frequency else self._count(word, allowed)
            weight = max(1e-6, math.log((total - frequency + 0.5) / (frequency + 0.5)))
            found.append(_Word(word, min(rows, _CHOSEN), weight))
        return sorted(found, key=lambda word: (word.rows, -word.weight, word.text))

    def _count(self, word: str, allowed: Allowed) -> int:
        statement = (
            "SELECT count(*) FROM "
            "(SELECT 1 FROM lexicon WHERE lexicon MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?)"
        )
        return int(self._database.rows(statement, (f'"{word}"', *allowed.bounds, _CHOSEN))[0][0])

    def _frequency(self, word: str, total: int) -> float:
        """About how many passages hold a word: counted up to `_CHOSEN`, beyond that put out from the part counted.

        Kept until the index has grown or shrunk by a tenth: it weighs words and chooses how to search, but hides none.
        """
        with self._lock:
            kept = self._frequencies.get(word)
            if kept is not None and total / _GROWN <= kept[0] <= total * _GROWN:
                self._frequencies.move_to_end(word)
                return kept[1]
        statement = (
            "SELECT count(*), max(rowid) FROM (SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY rowid LIMIT ?)"
        )
        count, last = self._database.rows(statement, (f'"{word}"', _CHOSEN))[0]
        frequency = float(count)
        if count == _CHOSEN:
            first, newest = self._database.rows(
                "SELECT (SELECT min(id) FROM passages), (SELECT max(id) FROM passages)"
            )[0]
            frequency = min(float(total), count * (newest - first + 1) / (last - first + 1))
        with self._lock:
            self._frequencies[word] = total, frequency
            while len(self._frequencies) > _KEPT_WORDS:
                self._frequencies.popitem(last=False)
        return frequency

    def _matches(self, expression: str, allowed: Allowed | None) -> NDArray[np.int64]:
        """Ids of the rows that an FTS5 expression matches, ascending, at most the first `_CHOSEN` looked at."""
        if allowed is None:
            statement = "SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY rowid LIMIT ?"
            return _ids(self._database.rows(statement, (expression, _CHOSEN)))
        statement = "SELECT rowid FROM lexicon WHERE lexicon MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?"
        ids = _ids(self._database.rows(statement, (expression, *allowed.bounds, _CHOSEN)))
        return ids[allowed.holds(ids)]

    def _all(self, words: Sequence[str], k: int, allowed: Allowed | None) -> list[int]:
        """Every match, scored by FTS5."""
        expression = " OR ".join(f'"{word}"' for word in words)
        first, last = (-(2**62), 2**62) if allowed is None else allowed.bounds
        statement = (
            "SELECT rowid FROM lexicon WHERE lexicon MATCH ? AND rowid BETWEEN ? AND ? "
            "ORDER BY bm25(lexicon), rowid LIMIT ?"
        )
        ids = _ids(self._database.rows(statement, (expression, first, last, k if allowed is None else -1)))
        best = ids if allowed is None else ids[allowed.holds(ids)]
        return [int(identifier) for identifier in best[:k]]

    def _best(self, words: Sequence[_Word], k: int, allowed: Allowed | None) -> list[int]:
        """Those rows that the rare words choose, and those with two of the next where they could be better."""
        choosing = _choosing(words)
        others = words[len(choosing) :][:3]
        held = self._held(words, choosing, " OR ".join(word.phrase for word in choosing), allowed)
        if len(others) > 1 and _kth_best(words, held, k) < others[0].weight + others[1].weight:
            pairs = [f"({a.phrase} AND {b.phrase})" for n, a in enumerate(others) for b in others[n + 1 :]]
            more = self._held(words, [], " OR ".join(pairs), allowed)
            held = [_distinct(np.concatenate(two)) for two in zip(held, more, strict=True)]
        if not any(map(len, held)):
            held = self._held(words, words[:1], words[0].phrase, allowed)
        ids, holds = _who_holds(held)
        scores = holds @ np.array([word.weight for word in words])
        best = np.lexsort((ids, -scores))[: max(_READ * k, _FEWEST_READ)]
        return self._ordered(ids[best].tolist(), words, holds[best])[:k]

    def _held(
        self, words: Sequence[_Word], alone: Sequence[_Word], expression: str, allowed: Allowed | None
    ) -> list[NDArray[np.int64]]:
        """For each word the rows that it and `expression` match; for those `alone`, which are part of it, all rows."""
        if not expression:
            return [np.empty(0, np.int64) for _ in words]
        return [
            self._matches(word.phrase if word in alone else f"({expression}) AND {word.phrase}", allowed)
            for word in words
        ]

    def _ordered(self, ids: Sequence[int], words: Sequence[_Word], holds: NDArray[np.bool_]) -> list[int]:
        """By BM25. Which words a passage holds is known; how often, is told from words that begin so."""
        statement = f"SELECT id, text FROM passages WHERE id IN ({','.join('?' * len(ids))})"
        texts = {identifier: text.lower() for identifier, text in self._database.rows(statement, ids)}
        average = sum(map(len, texts.values())) / max(1, len(texts))
        beginnings = [f" {word.text}" for word in words]
        scored = []
        for identifier, row in zip(ids, holds.tolist(), strict=True):
            text = texts[identifier]
            norm = _K1 * (1 - _B + _B * len(text) / max(1.0, average))
            score = 0.0
            for word, beginning, is_there in zip(words, beginnings, row, strict=True):
                if is_there:
                    times = max(1, text.count(beginning))
                    score += word.weight * times * (_K1 + 1) / (times + norm)
            scored.append((-score, identifier))
        return [identifier for _, identifier in sorted(scored)]


def topic_words(question: str) -> list[str]:
    """The words of a question that passages are searched for, in lower case, each once."""
    words = [word for word in dict.fromkeys(_WORD.findall(question.lower())) if word not in _STOPWORDS]
    return words[:_MOST_WORDS]


def _choosing(words: Sequence[_Word]) -> list[_Word]:
    """The rarest words, until they give enough rows; none when that would be too many."""
    chosen: list[_Word] = []
    rows = 0
    for word in words:
        rows += word.rows
        if word.rows >= _CHOSEN or rows > _CHOSEN:
            break
        chosen.append(word)
        if rows >= _ENOUGH:
            break
    return chosen


def _distinct(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    ids = np.sort(ids)
    return ids[np.flatnonzero(np.diff(ids, prepend=-1))]


def _who_holds(held: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """All rows, ascending, and (rows, words) which of the words each holds."""
    ids = _distinct(np.concatenate(held))
    holds = np.zeros((len(ids), len(held)), np.bool_)
    for number, rows in enumerate(held):
        holds[np.searchsorted(ids, rows), number] = True
    return ids, holds


def _kth_best(words: Sequence[_Word], held: Sequence[NDArray[np.int64]], k: int) -> float:
    ids, holds = _who_holds(held)
    if len(ids) < k:
        return 0.0
    scores = holds @ np.array([word.weight for word in words])
    return float(np.partition(scores, -k)[-k])


def _ids(rows: Sequence[tuple[int]]) -> NDArray[np.int64]:
    return np.fromiter(chain.from_iterable(rows), np.int64, len(rows))
