"""One question to the shared collection, to a person's own documents, or to both: one Answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from qa.pipeline import Answerer
from qa.types import Answer, Candidate, Turn

__all__ = ["SCOPES", "ask", "merged"]

SCOPES = ("all", "own", "shared")
_ALTERNATIVES = 3


def ask(shared: Answerer, own: Answerer | None, scope: str, question: str, history: Sequence[Turn] = ()) -> Answer:
    """Ask the collection (`scope` "shared"), one's own documents ("own"), or both ("all"); without any of one's own,
    always the collection.

    Raises:
        QuestionError: the question is empty or too long.
        StoreError: an index is damaged.
    """
    if own is None or scope == "shared":
        return shared.ask(question, history)
    if scope == "own":
        return own.ask(question, history)
    return merged(own.ask(question, history), shared.ask(question, history))


def merged(own: Answer, shared: Answer) -> Answer:
    """One answer of two to the same question: the surer one, one's own when they are as sure; the other's becomes an
    alternative. Their confidences are probabilities of the same calibration, so they compare."""
    if own.text is None and shared.text is not None:
        best, other = shared, own
    elif shared.text is None and own.text is not None:
        best, other = own, shared
    else:
        best, other = (own, shared) if own.confidence >= shared.confidence else (shared, own)
    candidates = [*best.alternatives, *other.alternatives]
    if other.text is not None and other.evidence is not None:
        candidates.append(Candidate(other.text, other.confidence, other.evidence))
    candidates.sort(key=lambda candidate: -candidate.confidence)
    pairs = zip_longest(own.passages, shared.passages)
    passages = tuple(hit for pair in pairs for hit in pair if hit is not None)
    return replace(best, passages=passages, alternatives=tuple(candidates[:_ALTERNATIVES]))
