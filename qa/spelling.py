"""Slips of the keys in a question, mended by the words of the documents it is about.

A word that neither the reader's vocabulary nor the retrieved documents know is replaced by the one word within one edit
(a letter dropped, added, changed, or two swapped: Damerau 1964) that the documents hold, or else by a common word. So
"who plasy wenrer?" is read as "who plays werner?", while names that stand in the documents are never touched.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["mend", "words_of"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LETTERS = string.ascii_lowercase
_SHORTEST = 4
# the vocabulary is in order of frequency: a rarer word is no likely meaning of a slip
_COMMON = 12_000


def words_of(texts: Iterable[str]) -> Counter[str]:
    """How often each word stands in `texts`, in lower case."""
    return Counter(match.group().lower() for text in texts for match in _WORD.finditer(text))


def mend(question: str, documents: Mapping[str, int], rank: Callable[[str], int | None]) -> str:
    """`question` with its misspelt words replaced; itself when there is nothing to mend.

    Args:
        documents: words of the retrieved documents, in lower case, with their counts.
        rank: how common a word is (smaller is more common), None for words that are not known at all.
    """

    def mended(match: re.Match[str]) -> str:
        word = match.group().lower()
        if len(word) < _SHORTEST or word in documents or rank(word) is not None or "'" in word or "’" in word:
            return match.group()
        best = _best(word, documents, rank)
        return match.group() if best is None else best

    return _WORD.sub(mended, question)


def _best(word: str, documents: Mapping[str, int], rank: Callable[[str], int | None]) -> str | None:
    candidates = set(_one_edit(word))
    held = [c for c in candidates if c in documents and len(c) >= _SHORTEST - 1]
    if held:
        return max(held, key=lambda c: (sorted(c) == sorted(word), documents[c], c))
    ranked = [(sorted(c) != sorted(word), rank(c), c) for c in candidates if len(c) >= _SHORTEST - 1]
    common = [(swapped, found, c) for swapped, found, c in ranked if found is not None and found < _COMMON]
    return min(common)[2] if common else None


def _one_edit(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        for letter in _LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
