"""Whether passages bear out a sentence. Made to doubt: what cannot be seen to be supported is not.

Five plain tests, all of which have to pass; each looks only at the passages that the sentence cites.

1. It cites a passage, and every number it cites exists.
2. Its names, numbers, dates and quotations stand in the passages.
3. Most of its words do.
4. A sentence of the passages is near it in meaning (the encoder), and denies what it denies.
5. The reader, asked for each of its names, dates and numbers in turn, finds no other one there.

The last follows the idea of QAGS (Wang et al. 2020): ask about the text, answer from the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.passages import sentence_spans
from index.types import Document, Encoder
from qa.cover import cover, stems, topic_of
from qa.fluent.facts import missing_facts, questions_about
from qa.fluent.types import Sentence, Source
from qa.pipeline import Answerer

__all__ = ["Checker"]

_LEAST_COVER = 0.6
_LEAST_SIMILARITY = 0.5
_NEGATION = re.compile(r"\b(?:not|never|no|cannot|nobody|nothing|none|neither|nor|without)\b|n['’]t\b")
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
        topic = topic_of(text, self.answerer.reader.rank)
        if cover(topic, stems(passages)) < _LEAST_COVER:
            return "the passage it cites says it in other words, or not at all"
        parts = [source.text[start:end] for source in cited for start, end in sentence_spans(source.text)]
        vectors = self.encoder.encode([text, *parts])
        near = vectors[1:] @ vectors[0]
        if not len(near) or float(near.max()) < _LEAST_SIMILARITY:
            return "the passage it cites says nothing like it"
        if bool(_NEGATION.search(text)) != bool(_NEGATION.search(parts[int(near.argmax())])):
            return "it may deny what the passage says, or the other way round"
        return self._contradicted(text, passages)

    def _contradicted(self, text: str, passages: str) -> str | None:
        asked = questions_about(text)
        if not asked:
            return None
        answers = self.answerer.ask_given([question for question, _ in asked], Document("cited", "", passages))
        for (_, fact), answer in zip(asked, answers, strict=True):
            if answer.text is not None and not _meet(fact, answer.text):
                return f"the passage it cites says “{answer.text[:60]}”, not “{fact}”"
        return None


def _meet(one: str, other: str) -> bool:
    return bool({word.lower() for word in _WORD.findall(one)} & {word.lower() for word in _WORD.findall(other)})
