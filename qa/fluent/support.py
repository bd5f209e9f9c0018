"""Whether passages bear out a sentence. Made to doubt: what cannot be seen to be supported is not.

Five plain tests, all of which have to pass; each looks only at the passages that the sentence cites.

1. It cites a passage, and every number it cites exists.
2. Its names, numbers, dates and quotations stand in the passages.
3. Most of its words do.
4. The reader, asked for the name it begins with and the one it ends with, finds no other one there, or is
   less sure of that than of what the sentence says.
5. A sentence or clause of the passages is near it in meaning (the encoder), and denies what it denies. Where the reader
   found a name of the sentence, it need not be as near.

The fourth follows the idea of QAGS (Wang et al. 2020): ask about the text, answer from the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.passages import sentence_spans
from index.types import Document, Encoder
from qa.cover import cover, stems, topic_of
from qa.fluent.facts import missing_facts, questions_about
from qa.fluent.types import Sentence, Source
from qa.pipeline import Answerer

__all__ = ["Checker"]

_LEAST_COVER = 0.6
_MOST_MISSING = 1 / 3  # of the words that mean something
_LEAST_SIMILARITY = 0.6
_LEAST_CONFIRMED = 0.3  # where the reader finds what the sentence says
_HEARD = 0.35  # the reader's confidence: less than an answer needs, since here it only has to cast doubt
_NEAR_THE_BEST = 0.75  # share of the best answer's confidence at which another one still counts
_NEGATION = re.compile(r"\b(?:not|never|no|cannot|nobody|nothing|none|neither|nor|without)\b|n['’]t\b")
_CLAUSE = re.compile(r"[,;:—–()]\s*")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks sentences with the models that answer. Safe to call from several threads.

    Args:
        encoder: says how near two sentences are.
        answerer: its reader answers questions from the passages; its index is not asked.
    """

    encoder: Encoder
    answerer: Answerer

    def check(self, text: str, cites: Sequence[int], sources: Sequence[Source]) -> Sentence:
        """The sentence with the verdict on it.

        Args:
            text: the sentence without its citations.
            cites: the numbers it cites, which may be none of a source's.
        """
        by_number = {source.number: source for source in sources}
        known = tuple(number for number in cites if number in by_number)
        why = self._doubt(text, cites, [by_number[number] for number in known])
        return Sentence(text, known, why is None, why)

    def _doubt(self, text: str, cites: Sequence[int], cited: Sequence[Source]) -> str | None:
        if not cites:
            return "it cites no passage"
        if len(cited) < len(cites):
            return "it cites a passage that there is not"
        passages = "\n\n".join(dict.fromkeys(part for s in cited for part in (s.document.title, s.text)))
        missing = missing_facts(text, passages)
        if missing is not None:
            return f"the passage it cites does not say “{missing}”"
        if not self._worded(text, passages):
            return "the passage it cites says it in other words, or not at all"
        parts = [source.text[start:end] for source in cited for start, end in _parts(source.text)]
        vectors = self.encoder.encode([text, *parts])
        near = vectors[1:] @ vectors[0]
        best = int(near.argmax())
        other, confirmed = self._read(text, passages)
        if other is not None:
            return other
        if near[best] < (_LEAST_CONFIRMED if confirmed else _LEAST_SIMILARITY):
            return "the passage it cites says nothing like it"
        if bool(_NEGATION.search(text)) != bool(_NEGATION.search(parts[best])):
            return "it may deny what the passage says, or the other way round"
        return None

    def _worded(self, text: str, passages: str) -> bool:
        """Whether most of the words stand there, both counted and weighed by how rare they are."""
        topic = topic_of(text, self.answerer.reader.rank)
        found = stems(passages)
        there = sum(cover({word: 1.0}, found) for word in topic)
        return cover(topic, found) >= _LEAST_COVER and len(topic) - there < _MOST_MISSING * max(1, len(topic))

    def _read(self, text: str, passages: str) -> tuple[str | None, bool]:
        """What the reader finds instead of a name of the sentence; and whether it finds one of its names."""
        asked = questions_about(text)
        if not asked:
            return None, False
        answers = self.answerer.ask_given([question for question, _ in asked], Document("cited", "", passages))
        confirmed, doubted, doubt = 0.0, 0.0, None
        for (_, fact), answer in zip(asked, answers, strict=True):
            found = [] if answer.text is None else [(answer.text, answer.confidence)]
            found += [(one.text, one.confidence) for one in answer.alternatives]
            if not found or found[0][1] < _HEARD:
                continue
            best, confidence = found[0]
            if _meet(fact, best):
                confirmed = max(confirmed, confidence)
            elif confidence > doubted and not any(
                _meet(fact, one) for one, other in found if other >= _NEAR_THE_BEST * confidence
            ):
                doubted, doubt = confidence, f"the passage it cites says “{_short(best)}”, not “{fact}”"
        return (doubt, False) if doubted > confirmed else (None, confirmed > 0)


def _short(text: str) -> str:
    return " ".join(text[:60].split())


def _parts(text: str) -> list[tuple[int, int]]:
    """The sentences of a text, and the clauses of those that have several, each also with the next one."""
    found: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        cuts = [start, *(start + m.end() for m in _CLAUSE.finditer(text[start:end])), end]
        clauses = [(a, b) for a, b in pairwise(cuts) if text[a:b].strip()]
        pairs = [(clauses[n][0], clauses[n + 1][1]) for n in range(len(clauses) - 1)]
        found.extend(dict.fromkeys([(start, end), *clauses, *pairs]))
    return found


def _meet(one: str, other: str) -> bool:
    return bool({word.lower() for word in _WORD.findall(one)} & {word.lower() for word in _WORD.findall(other)})
