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
_REST = r"(?:\s+(?:[A-ZÀ-Þ][\w'’.-]*))*"  # "Werner" stands for "Werner Pfennig" too
_BRACKET = r"(?:\s*\([^()\n]{1,80}\))?"
_MEANS = r"(?:means?|meant|refers?\s+to|stands?\s+for|is\s+short\s+for|describes?)"
_LOOKED_AT = 40  # mentions of the subject in one document


def definitions_in(text: str, subject: str, *, within: tuple[int, int]) -> list[tuple[int, int]]:
    """Spans of `text` that say who or what `subject` is, the plainest form first.

    "X is a ...", "X means ...", "X, a ...," and "a ..., X,", with a bracket after the name or without.
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
        rf"(?<![\w'’])(?P<what>(?:(?:the|an?|[A-Z][\w-]+['’]s)\s+)(?:[a-z][a-z-]+\s+){{0,3}}[a-z][a-z-]+)\s+{name}",
    )
    found: list[tuple[int, int]] = []
    for form in forms:
        for match, _ in zip(re.compile(form, flags).finditer(text, *within), range(_LOOKED_AT), strict=False):
            span = match.span("what")
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
    return dataclasses.replace(
        plain, text=best.text, confidence=best.confidence, evidence=best.evidence, kind="definition"
    )
