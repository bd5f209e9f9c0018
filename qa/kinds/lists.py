"""Lists: the enumeration that the reader's answer stands in, with each of its items."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.passages import sentence_spans
from qa.candidates import Scored, evidence_at, evidence_of
from qa.cover import cover, stems, topic_of
from qa.kinds.detect import Kind
from qa.kinds.enumeration import Enumeration, enumeration_at, enumerations_in
from qa.reading import Found
from qa.types import Answer, Evidence

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["listed"]

_WORD = re.compile(r"[^\W_]+")
_ASKING = re.compile(
    r"\b(?:else|other|others|list|name|all|besides|apart|than|named|listed|mentioned|credited|given|article|text)\b",
    re.IGNORECASE,
)
_AHEAD = 2.0  # of the next list, in the reader's score
_COVERED = 0.8  # share of the question's topic that the text must speak of
_LIST_OF = 3  # items
_LONGEST = 1200  # characters of a sentence that is searched for enumerations


def listed(answerer: Answerer, kind: Kind, found: Found, plain: Answer, said: Sequence[str] = ()) -> Answer:
    """`plain` with its span grown to the enumeration it stands in, or another enumeration the reader is sure of.

    Args:
        plain: the answer to the same question as a plain one.
        said: answers of earlier turns, which "who else" leaves out.

    Returns `plain` itself where no enumeration answers the question.
    """
    around = plain.evidence if plain.evidence is not None else next((c.evidence for c in plain.alternatives), None)
    grown = None if around is None else _at(around.document.text, around)
    if (
        grown is not None
        and plain.evidence is not None
        and _fits(grown, kind, plain.evidence.document.text, found.read_as)
    ):
        shown = _shown(plain.evidence.document.text, grown, kind, said)
        if shown:
            return _answer(plain, plain.evidence, shown, plain.confidence)
    best = _surest(answerer, kind, found)
    if best is None:
        return plain
    scored, one, confidence, clear = best
    # where a list is asked for outright it has to be one of them: then it is enough that the reader rather sees an
    # answer than none, and prefers this list to every other
    if kind.explicit and confidence < answerer.threshold and clear:
        confidence = answerer.threshold
    # a plural alone ("which pears keep best?") may well be answered by one: another list has to be the surer answer
    least = answerer.threshold if kind.explicit or plain.text is None else max(answerer.threshold, plain.confidence)
    at = plain.evidence
    part = at is not None and at.document.id == scored.document.id and scored.start < at.end and at.start < scored.end
    if confidence < least or part:
        return plain
    shown = _shown(scored.document.text, one, kind, said)
    return _answer(plain, evidence_of(scored), shown, confidence) if shown else plain


def _at(text: str, evidence: Evidence) -> Enumeration | None:
    return enumeration_at(text, evidence.start, evidence.end, (evidence.sentence_start, evidence.sentence_end))


def _fits(one: Enumeration, kind: Kind, text: str, question: str) -> bool:
    """Whether it has as many items as were asked for, none of which the question speaks of (but to leave it out)."""
    if kind.number is not None and len(one.items) != kind.number:
        return False
    if kind.besides is not None:
        return True
    asked = {word.lower() for word in _WORD.findall(question)}
    named = [[word for word in _WORD.findall(text[start:end]) if word[0].isupper()] for start, end in one.items]
    return not any(words and all(word.lower() in asked for word in words) for words in named)


def _surest(answerer: Answerer, kind: Kind, found: Found) -> tuple[Scored, Enumeration, float, bool] | None:
    """The enumeration in what was read that the reader thinks likeliest to hold the answer.

    With its probability, and whether it is clearly the likeliest list.
    """
    asked = answerer.reading.asked(found.read_as)
    scored: list[tuple[Scored, Enumeration]] = []
    for window in found.windows:
        text = window.document.text
        first, last = int(window.tokens.offsets[0, 0]), int(window.tokens.offsets[-1, 1])
        within = [(a, b) for a, b in sentence_spans(text) if first <= a and b <= last and b - a <= _LONGEST]
        ones = [one for part in within for one in enumerations_in(text, part)]
        ones += [
            one
            for span in found.spans
            if span.document.id == window.document.id and first <= span.start and span.end <= last
            for part in within
            if part[0] <= span.start and span.end <= part[1]
            if (one := enumeration_at(text, span.start, span.end, part)) is not None
        ]
        there = {(one.start, one.end): one for one in ones if _fits(one, kind, text, found.read_as)}
        for place in answerer.reading.at_places(asked, window, list(there)):
            scored.append((place, there[place.start, place.end]))
    if not scored:
        return None
    topic = topic_of(_ASKING.sub(" ", found.read_as), answerer.reader.rank)
    scored.sort(key=lambda pair: -pair[0].score)
    best, one = scored[0]
    next_best = scored[1][0].score if len(scored) > 1 else -math.inf
    covered = cover(topic, stems(best.document.text))
    clear = best.margin > 0 and best.score > next_best + _AHEAD and covered >= _COVERED and len(one.items) >= _LIST_OF
    rivals = [
        s.score for s in found.spans if s.document.id != best.document.id or s.end <= best.start or best.end <= s.start
    ]
    lead = max(0.0, min(10.0, best.score - max(rivals, default=-10.0)))
    return best, one, answerer.probability(best, lead), clear


def _shown(text: str, one: Enumeration, kind: Kind, said: Sequence[str]) -> list[tuple[int, int]]:
    """The items that are not named in the question ("besides Ada") or, for "who else", answered already."""
    known = [kind.besides] if kind.besides is not None else []
    known += said if kind.more else []
    words = [
        {word.lower() for word in _WORD.findall(name)} for part in known for name in re.split(r",|\band\b|&", part)
    ]
    return [
        (start, end)
        for start, end in one.items
        if not any(w and (w <= (i := {x.lower() for x in _WORD.findall(text[start:end])}) or i <= w) for w in words)
    ]


def _answer(plain: Answer, around: Evidence, shown: Sequence[tuple[int, int]], confidence: float) -> Answer:
    document = around.document
    items = tuple(evidence_at(document, start, end) for start, end in shown)
    whole = evidence_at(document, shown[0][0], _with_bracket(document.text, shown[-1][1]))
    return dataclasses.replace(
        plain,
        text=document.text[whole.start : whole.end],
        confidence=confidence,
        evidence=whole,
        alternatives=tuple(
            c
            for c in plain.alternatives
            if c.evidence.document.name != document.name
            or c.evidence.end <= whole.start
            or whole.end <= c.evidence.start
        ),
        kind="list",
        items=items,
    )


def _with_bracket(text: str, end: int) -> int:
    """The last item's end, with the bracket that belongs to it."""
    bracket = re.compile(r"\s*\([^()\n]{1,120}\)").match(text, end)
    return end if bracket is None else bracket.end()
