"""Raw spans -> different candidates, what the calibration sees of them, and the evidence shown for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.passages import paragraph_around, sentence_spans
from index.types import Document
from qa.confidence import Features
from qa.types import Evidence

__all__ = ["Scored", "distinct", "evidence_at", "evidence_of", "features_of", "lead_of"]


@dataclass(frozen=True, slots=True)
class Scored:
    """A span of a document with the raw numbers that its confidence comes from.

    `again` says that a second reader was heard on it, whose scores have a calibration of their own.
    """

    document: Document
    start: int
    end: int
    score: float
    margin: float
    similarity: float
    cover: float
    near: float
    again: bool = False


def distinct(scored: Sequence[Scored]) -> list[Scored]:
    """The spans that stand at different places, best first; of overlapping ones the better is kept."""
    kept: list[Scored] = []
    for span in sorted(scored, key=lambda span: -span.score):
        if span.end > span.start and not any(_overlap(span, other) for other in kept):
            kept.append(span)
    return kept


def _overlap(one: Scored, other: Scored) -> bool:
    return one.document.name == other.document.name and one.start < other.end and other.start < one.end


def features_of(span: Scored, lead: float) -> Features:
    """What the calibration sees of a span."""
    return Features(span.margin, span.score, lead, span.similarity, span.cover, span.near)


def lead_of(kept: Sequence[Scored]) -> float:
    """How far the best of several different spans is ahead of the next that says something else, in [0, 10]."""
    best = kept[0]
    text = best.document.text[best.start : best.end].casefold()
    others = [s.score for s in kept[1:] if s.document.text[s.start : s.end].casefold() != text]
    return 10.0 if not others else max(0.0, min(10.0, best.score - max(others)))


def evidence_of(span: Scored) -> Evidence:
    """The sentence (or sentences) a span stands in."""
    return evidence_at(span.document, span.start, span.end)


def evidence_at(document: Document, start: int, end: int) -> Evidence:
    """`document.text[start:end]` in the sentence (or sentences) it stands in."""
    paragraph = paragraph_around(document.text, start, end)
    around = [(s, e) for s, e in sentence_spans(document.text, *paragraph) if s < end and start < e]
    first = min([s for s, _ in around] + [start])
    last = max([e for _, e in around] + [end])
    return Evidence(document, start, end, document.text[first:last], first, last)
