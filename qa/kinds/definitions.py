"""Definitions: the clause of a document that says who or what something is, by how writers put such clauses."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from qa.candidates import evidence_at
from qa.reading import Found
from qa.types import Answer, Candidate

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["defined", "definitions_in"]

_END = r"(?=\s*(?:[.;:!?)—–]|,|\n|\s-\s|$))"
_WHAT = r"(?:(?:an?|the|one\s+of|his|her|their|its|our)\s+[^.,;:()!?\n—–]{2,160}?)"
_REST = r"(?:\s+(?:[A-ZÀ-Þ][\w'’.-]*)){0,4}"  # "Werner" stands for "Werner Pfennig" too
_BRACKET = r"(?:\s*\([^()\n]{1,80}\))?"
_MEANS = r"(?:means?|meant|refers?\s+to|stands?\s+for|is\s+short\s+for|describes?)"
_NOUN = (
    r"(?:(?!(?:as|of|by|to|in|on|at|for|from|with|that|who|which|but|and|or|when|where|while|is|was|are|were|has|had|"
    r"said|says|told|than|like)\b)[a-z][a-z-]+)"
)
# names before a noun, "Peaky Blinders and Taboo creator"
_WORKS = (
    r"(?!(?:In|At|On|For|By|From|To|With|As|When|While|And|But|The|A|An)\b)"
    r"(?:[A-ZÀ-Þ\d][\w'’.-]*\s+(?:(?:and|&|of|the)\s+(?=[A-ZÀ-Þ]))?){1,7}"
)
_OPEN = re.compile(
    r"\b(?:as|of|by|to|in|on|at|for|from|with|that|who|which|but|and|or|said|says|than|most|the|an?|one|called|known)$|"
    r"^(?:the|an?)\s+(?:first|second|third|last|other|\w+ing|(?-i:[A-Z]\w+))$", re.IGNORECASE,
)  # fmt: skip
_LOOKED_AT = 40  # mentions of the subject in one document


def definitions_in(text: str, subject: str, *, within: tuple[int, int]) -> list[tuple[int, int]]:
    """Spans of `text` that say who or what `subject` is, the plainest form first.

    "X is a ...", "X means ...", "X, a ...,", "a ..., X,", "the baker X" and "Cold Ledger creator, X", with a bracket
    after the name or without.
    """
    named = re.escape(subject).replace(r"\ ", r"\s+")
    if subject[0].isupper():
        name = rf"(?<![\w'’-]){named}{_REST}(?!['’]s)(?![\w-])"
        flags = re.RegexFlag(0)
    else:
        name = rf"(?<![\w'’-]){named}(?:s|es)?(?!['’]s)(?![\w-])"
        flags = re.IGNORECASE
    quoted = rf"[\"“‘']?{name}[\"”’']?{_BRACKET}"
    forms = (
        rf"{quoted}\s+(?:is|was|are|were)\s+(?P<what>{_WHAT}){_END}",
        rf"{quoted}\s+{_MEANS}\s+(?P<what>[^.,;:()!?\n]{{2,160}}?){_END}",
        rf"{quoted}\s*(?:,|—|–|\s-)\s+(?P<what>{_WHAT})(?=\s*[,.;:!?)—–]|\s-\s|\n|$)",
        rf"{name}\s*\((?P<what>{_WHAT})\)",
        rf"(?:^|(?<=[.!?,;:]\s)|(?<=\n)|(?<=and\s))(?P<what>{_WHAT}),\s+{quoted}(?=\s*[,.;:)])",
        rf"(?<![\w'’])(?P<what>(?:(?:the|an?|[A-Z][\w-]+['’]s)\s+)(?:{_NOUN}\s+){{0,3}}{_NOUN})\s+{name}",
        rf"(?<![\w'’.-])(?P<what>{_WORKS}(?:{_NOUN}\s+)?{_NOUN}),?\s+{name}",
    )
    found: list[tuple[int, int]] = []
    for form in forms:
        for match, _ in zip(re.compile(form, flags).finditer(text, *within), range(_LOOKED_AT), strict=False):
            span = match.span("what")
            if _OPEN.search(match["what"]):
                continue  # not all of a clause
            if not any(a < span[1] and span[0] < b for a, b in found):
                found.append(span)
    return found


def defined(answerer: Answerer, subject: str, found: Found, plain: Answer) -> Answer:
    """`plain`, or the clause that defines `subject` where the reader's own answer does not speak of it."""
    best: Candidate | None = None
    asked = answerer.reading.asked(found.read_as)
    for window in found.windows:
        within = int(window.tokens.offsets[0, 0]), int(window.tokens.offsets[-1, 1])
        places = definitions_in(window.document.text, _as_written(window.document.text, subject), within=within)
        for scored in answerer.reading.at_places(asked, window, places):
            probability = answerer.probability(scored, 0.0)
            if best is None or probability > best.confidence:
                text = window.document.text[scored.start : scored.end]
                best = Candidate(text, probability, evidence_at(window.document, scored.start, scored.end))
    return plain if best is None else _better(answerer, plain, best)


def _as_written(text: str, subject: str) -> str:
    """The subject with the capitals it has in the text, where it was typed in small letters."""
    if subject[0].isupper():
        return subject
    match = re.search(rf"(?<![\w'’-]){re.escape(subject)}(?![\w'’-])", text, re.IGNORECASE)
    return subject if match is None else match.group()


def _better(answerer: Answerer, plain: Answer, best: Candidate) -> Answer:
    """The reader's own answer grown to the whole clause, the clause in its stead where it is sure enough, or `plain`.

    What the reader gives for "who is Ada Bell?" is often the first words of the clause; and where it is something
    else, such as whoever plays her, the clause is the better answer once the reader itself gives it a fair chance.
    """
    own = plain.evidence
    overlap = (
        own is not None
        and own.document.id == best.evidence.document.id
        and own.start < best.evidence.end
        and best.evidence.start < own.end
    )
    if not overlap and best.confidence < answerer.threshold:
        return plain
    confidence = max(best.confidence, plain.confidence) if overlap else best.confidence
    return dataclasses.replace(
        plain,
        text=best.text,
        confidence=confidence,
        evidence=best.evidence,
        alternatives=_others(plain, best) if not overlap else plain.alternatives,
        kind="definition",
    )


def _others(plain: Answer, best: Candidate) -> tuple[Candidate, ...]:
    """The reader's answers, which are now the other ones, but for those in the clause."""
    own = (
        []
        if plain.text is None or plain.evidence is None
        else [Candidate(plain.text, plain.confidence, plain.evidence)]
    )
    return tuple(
        c
        for c in (*own, *plain.alternatives)
        if c.evidence.document.id != best.evidence.document.id
        or c.evidence.end <= best.evidence.start
        or best.evidence.end <= c.evidence.start
    )[: max(1, len(plain.alternatives))]
