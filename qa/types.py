"""What crosses the boundaries of question answering: answers with their evidence, and the protocol of a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.types import Document, Hit

__all__ = ["NO_ANSWER", "Answer", "Candidate", "Evidence", "Reader", "SpanLogits", "Tokens", "Turn"]

NO_ANSWER = "The documents don't say."


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an answer stands: `document.text[start:end]` is the answer, `sentence` the sentence around it.

    `sentence == document.text[sentence_start:sentence_end]`; all offsets count characters of `document.text`.
    """

    document: Document
    start: int
    end: int
    sentence: str
    sentence_start: int
    sentence_end: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer: an exact span of a document, with the probability that it is right, in [0, 1]."""

    text: str
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, or an honest "the documents don't say" (`text` and `evidence` are None).

    Attributes:
        question: the question as it was asked.
        read_as: the question as it was read, with slips of the keys mended.
        text: the answer, always equal to `evidence.document.text[evidence.start:evidence.end]`.
        confidence: probability in [0, 1] that the best candidate is right; below the threshold it is not given as
            the answer and stands first among the alternatives instead.
        evidence: where the answer stands.
        passages: the passages retrieved for the question, best first.
        alternatives: other candidates, best first.
        kind: what kind of question it was taken for ("span" is a plain one); see docs/kinds.md.
        items: the places an answer is made of: the items of a list, the sentences of a summary; in reading order.
        verdict: yes or no, where the sentence of `text` decides that safely.
        note: a fixed reply, such as to a greeting, or a remark on how the items were found; never from a document.
        suggestions: questions that the documents answer, where that was asked.
    """

    question: str
    read_as: str
    text: str | None
    confidence: float
    evidence: Evidence | None
    passages: tuple[Hit, ...]
    alternatives: tuple[Candidate, ...]
    kind: str = "span"
    items: tuple[Evidence, ...] = ()
    verdict: bool | None = None
    note: str | None = None
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.text is not None:
            return self.text
        return NO_ANSWER if self.note is None else " ".join((self.note, *self.suggestions))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: documents by name and title, without their whole texts."""
        return {
            "question": self.question,
            "read_as": self.read_as,
            "answer": self.text,
            "confidence": round(self.confidence, 4),
            "evidence": None if self.evidence is None else _evidence_dict(self.evidence),
            "alternatives": [
                {"answer": c.text, "confidence": round(c.confidence, 4), "evidence": _evidence_dict(c.evidence)}
                for c in self.alternatives
            ],
            "passages": [
                {"document": h.document.name, "title": h.document.title, "start": h.passage.start, "end": h.passage.end,
                 "score": round(h.score, 6), "similarity": None if h.similarity is None else round(h.similarity, 4),
                 "text": h.passage.text}
                for h in self.passages
            ],
            "kind": self.kind,
            "items": [{"text": i.document.text[i.start : i.end], **_evidence_dict(i)} for i in self.items],
            "verdict": self.verdict,
            "note": self.note,
            "suggestions": list(self.suggestions),
        }  # fmt: skip


def _evidence_dict(evidence: Evidence) -> dict[str, Any]:
    return {
        "document": evidence.document.name,
        "title": evidence.document.title,
        "start": evidence.start,
        "end": evidence.end,
        "sentence": evidence.sentence,
    }


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation with the answer it got (None when it got none)."""

    question: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as a reader sees it: `ids` (n,) int64, `offsets` (n, 2) int64 in characters, end exclusive."""

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Tokens:
        return Tokens(self.ids[part], self.offsets[part])


@dataclass(frozen=True, slots=True)
class SpanLogits:
    """A reader's raw view of one window of n tokens.

    `start` and `end` are (n,) float32, one logit per token for being the first and the last token of the answer;
    `null` is the score (start plus end logit) of "no answer in this window". A span's score is start + end; scores
    are not normalised, so those of one question compare across windows.
    """

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    null: float


class Reader(Protocol):
    """Finds where in a window of text the answer to a question may start and end."""

    @property
    def name(self) -> str:
        """Identifies the weights."""

    @property
    def max_tokens(self) -> int:
        """Longest input: question, window and special tokens together."""

    @property
    def special_tokens(self) -> int:
        """How many tokens of `max_tokens` the reader adds itself."""

    def rank(self, word: str) -> int | None:
        """How common a lower-case word is (smaller is more common); None when the reader does not know it whole."""

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text of any length, without special tokens; a slice of them may be given to `read`."""

    def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
        """Read (question, window) pairs, each within `max_tokens` with the special tokens."""
