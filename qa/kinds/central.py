"""What documents are about: their most central sentences, quoted in reading order.

A document's centre is the mean of its passages' vectors. The sentences nearest to it are taken one by one, each by how
near it is to the centre less how much it repeats what is taken (maximal marginal relevance, Carbonell & Goldstein
1998). Only sentences of the passages nearest to the centre are embedded, so a long document costs no more than a short.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
from numpy.typing import NDArray

from index.passages import sentence_spans
from index.search import in_one_state
from index.types import Document, Encoder, Hit, Passage, Store
from qa.candidates import evidence_at
from qa.cover import cover, stems, topic_of
from qa.types import Answer, Evidence, Reader

__all__ = ["central_sentences", "chosen_documents", "summarised"]

_SENTENCES = 3
_PASSAGES = 8
_EMBEDDED = 24
_FRESH = 0.3  # how much repeating weighs against being central
_DOCUMENTS = 5  # documents that are told about one by one when none is named
_FEW = 200  # documents up to which all are looked at for the one that is meant
_NAMED = 0.8  # share of a subject's words that a document must speak of to be about it
_WORDS = re.compile(r"\w+")


def summarised(
    store: Store, encoder: Encoder, reader: Reader, subject: str | None, hits: list[Hit], plain: Answer, kind: str
) -> Answer:
    """The most central sentences of the document that `subject` names, or of all of them, one each.

    Returns `plain` without a text when no document speaks of the subject.
    """

    def read() -> list[tuple[Document, list[Passage], NDArray[np.float32]]]:
        documents = chosen_documents(store, reader, subject, hits)
        return [(d, store.passages_of(d.id), store.vectors_of(d.id)) for d in documents[:_DOCUMENTS]]

    found = in_one_state(store, read)
    each = _SENTENCES if len(found) == 1 else 1
    items = [one for part in found for one in central_sentences(encoder, *part, count=each)]
    if not items:
        return dataclasses.replace(plain, text=None, evidence=None, kind=kind)
    text = items[0].document.text[items[0].start : items[0].end]
    total = store.counts()[0]
    note = None if len(found) == 1 else f"One sentence from each of {len(found)} of {total} documents."
    return dataclasses.replace(
        plain, text=text, confidence=1.0, evidence=items[0], items=tuple(items), kind=kind, note=note, alternatives=()
    )


def chosen_documents(store: Store, reader: Reader, subject: str | None, hits: list[Hit]) -> list[Document]:
    """The document that a subject names, by its title or else by speaking of it; without a subject, all of few."""
    ranked = list({hit.document.id: hit.document for hit in hits}.values())
    if subject is None:
        return list(store.documents().values()) if store.counts()[0] <= _FEW else ranked
    topic = topic_of(subject, reader.rank)
    titled = [document for document in ranked if topic and cover(topic, stems(document.title)) >= _NAMED]
    telling = [document for document in ranked if cover(topic, stems(document.text)) >= _NAMED]
    return (titled or telling)[:1]


def central_sentences(
    encoder: Encoder, document: Document, passages: list[Passage], vectors: NDArray[np.float32], *, count: int
) -> list[Evidence]:
    """The `count` most central sentences of a document, in reading order.

    Args:
        vectors: (len(passages), dimension), of the passages.
    """
    if not passages:
        return []
    centre = vectors.mean(0)
    centre /= np.linalg.norm(centre) or 1.0
    nearest = sorted(range(len(passages)), key=lambda number: -float(vectors[number] @ centre))[:_PASSAGES]
    inside = [(passages[number].start, passages[number].end) for number in nearest]
    spans = [
        (start, end)
        for start, end in sentence_spans(document.text)
        if _tells(document.text[start:end]) and any(a <= start and end <= b for a, b in inside)
    ]
    if not spans:  # no whole sentences: the passages themselves
        spans = sorted(inside)
    spans = spans[:_EMBEDDED]
    encoded = encoder.encode([document.text[start:end] for start, end in spans])
    near = encoded @ centre
    taken: list[int] = []
    while len(taken) < min(count, len(spans)):
        repeats = (encoded @ encoded[taken].T).max(1) if taken else np.zeros(len(spans), np.float32)
        worth = (1 - _FRESH) * near - _FRESH * repeats
        worth[taken] = -np.inf
        taken.append(int(np.argmax(worth)))
    return [evidence_at(document, *spans[number]) for number in sorted(taken)]


def _tells(sentence: str) -> bool:
    """Whether a sentence can stand alone: of some length, whole, no question, and not opened by a pronoun."""
    words = _WORDS.findall(sentence)
    if not 7 <= len(words) <= 60 or sentence.rstrip('"”’)')[-1:] not in ".!":
        return False
    return words[0].lower() not in {"he", "she", "it", "they", "this", "that", "these", "those", "but", "and", "so"}
