"""Whether what a model writes is of no use at all, told as early as can be."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence, Set

from qa.fluent.errors import NonsenseError
from qa.fluent.prompt import INSTRUCTIONS
from qa.fluent.types import Sentence

__all__ = ["look_at_end", "look_at_stream", "scripts_of"]

_WORD = re.compile(r"[^\W_]+")
_ECHO = 8  # words in a row that are the instructions' own
_RUN = 4  # words that make a phrase ...
_TOLD = 4  # ... which may be said less often than this
_STUTTER = 6  # the same word so often in a row
_LETTERS = 3  # of a script that nobody used before
_MARKS = ("<passage", "</passage", "<|", "|>", "[INST]")
_REFUSED = re.compile(
    r"\b(?:the\s+)?(?:passages?|documents?|texts?)\s+(?:do(?:es)?\s+not|don['’]t|doesn['’]t)\s+"
    r"(?:say|answer|mention|contain|provide|specify|state|give)", re.IGNORECASE,
)  # fmt: skip
_NEUTRAL = frozenset({"COMMON", "FEMININE", "MASCULINE", "MICRO", "MODIFIER", "SUPERSCRIPT", "SUBSCRIPT"})


def scripts_of(texts: Sequence[str]) -> frozenset[str]:
    """The scripts of all letters in `texts`, such as LATIN or CYRILLIC."""
    return frozenset(script for text in texts for script in _scripts(text))


def look_at_stream(text: str, known: Set[str], most_characters: int) -> None:
    """Look at what has been written so far.

    Args:
        known: the scripts of the question and the passages, which the text may use.

    Raises:
        NonsenseError: it is too long, goes round in circles, repeats the prompt or is in another script.
    """
    if len(text) > most_characters:
        raise NonsenseError(f"wrote more than {most_characters:,} characters")
    if any(mark in text for mark in _MARKS):
        raise NonsenseError("repeated what it was told")
    words = [word.lower() for word in _WORD.findall(text)]
    if _runs(words, _ECHO) & _runs([word.lower() for word in _WORD.findall(INSTRUCTIONS)], _ECHO):
        raise NonsenseError("repeated what it was told")
    if _circles(words):
        raise NonsenseError("went round in circles")
    strange = Counter(script for script in _scripts(text) if script not in known)
    if strange and max(strange.values()) >= _LETTERS:
        raise NonsenseError("wrote in another script than the question and the documents")


def look_at_end(text: str, sentences: Sequence[Sentence]) -> None:
    """Look at a text that is whole.

    Raises:
        NonsenseError: it is empty, says that there is no answer, cites nothing, repeats itself, or nothing of it is
            supported.
    """
    if not _WORD.search(text) or not sentences:
        raise NonsenseError("wrote nothing")
    if len(sentences) == 1 and _REFUSED.search(text):
        raise NonsenseError("found no answer in the passages")
    if not any(sentence.cites for sentence in sentences):
        raise NonsenseError("cited no passage")
    said = [" ".join(_WORD.findall(sentence.text.lower())) for sentence in sentences]
    if any(count > 1 for one, count in Counter(said).items() if one.count(" ") >= _RUN - 1):
        raise NonsenseError("went round in circles")
    if not any(sentence.supported for sentence in sentences):
        raise NonsenseError("wrote nothing that the passages bear out")


def _runs(words: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


def _circles(words: Sequence[str]) -> bool:
    if any(len(set(words[n : n + _STUTTER])) == 1 for n in range(len(words) - _STUTTER + 1)):
        return True
    phrases = Counter(tuple(words[n : n + _RUN]) for n in range(len(words) - _RUN + 1))
    return bool(phrases) and max(phrases.values()) >= _TOLD


def _scripts(text: str) -> Iterable[str]:
    """The script of each letter, as the first word of its Unicode name."""
    for character in text:
        if character.isalpha():
            script = unicodedata.name(character, "UNKNOWN").partition(" ")[0]
            if script not in _NEUTRAL:
                yield script
