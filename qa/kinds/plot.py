"""What a work is about: the sentence in which a document says so, "The series tells the story of ...".

Asked "what is the film about?", a reader trained on short answers takes whatever stands behind an "about" or a name;
writers, though, have few ways to say it, and say it early.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from index.passages import sentence_spans
from qa.candidates import evidence_at
from qa.cover import Topic, cover, stems, topic_of
from qa.kinds.central import chosen_documents
from qa.reading import Found
from qa.types import Answer, Evidence

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["is_work", "told", "what_is_told"]

# nouns for things that tell something
_WORK = (
    r"(?:(?:mini-?|docu-?|web\s)?series|films?|movies?|documentary|drama|comedy|thriller|show|sitcom|play|musical|opera|"
    r"ballet|novel|novella|book|memoir|biography|story|tale|plot|comic|poem|essay|article|report|study|paper|album|song|"
    r"(?:video\s)?game|podcast|exhibition|exhibit|painting|mural|episode|season|adaptation|sequel|remake|trilogy)"
)
_TELLS = (
    r"(?:tells?(?!\s+(?:him|her|them|us|me|you|reporters|that)\b)|follows?|followed|recounts?|chronicles?|narrates?|"
    r"retells?|relates?|depicts?|portrays?|explores?|examines?|traces?|dramati[sz]es?|imagines?|documents?|deals?\s+with|looks?\s+at|"
    r"(?:is|was)\s+(?:all\s+)?about|(?:is|was)\s+(?:the|a)\s+(?:story|tale|portrait|account|history)\s+(?:of|about)|"
    r"(?:cent(?:er|re)s?|revolves?|focus(?:es)?|turns?)\s+(?:on|upon|around|round))"
)
_SAYS = re.compile(rf"^(?P<who>[^.!?]{{1,160}}?)[,]?\s+(?:\w+ly\s+)?{_TELLS}\s+(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_NAMES_WORK = re.compile(rf"\b(?:the|this|its?|his|her|their|new|[\w-]+[’']s)\s+(?:[\w’'-]+\s+){{0,4}}{_WORK}\b", re.I)
_SUBJECT_IS_WORK = re.compile(rf"(?:\b(?:the|this|its?|his|her|their)\s+)?(?:\w+\s+)?\b{_WORK}$", re.IGNORECASE)
_LEAST_WORDS = 4  # what is told must say something
_SURE = 0.85  # confidence of a reader that is not to be contradicted
_CONFIDENCE = 0.8  # a sentence of that form does say it, though it may be said of another work
_NAMED = 0.8  # share of the subject's words that stand before the verb


def what_is_told(text: str, topic: Topic | None) -> tuple[int, int] | None:
    """Span of what a work tells in the first sentence of `text` that says so; None where no sentence does.

    Args:
        topic: the work asked about. A sentence counts if it names it, or, of a text that speaks of it, if it speaks of
            "the film", "the novel" and the like. None: any work.
    """
    by_kind: tuple[int, int] | None = None
    for start, end in sentence_spans(text):
        match = _SAYS.match(text[start:end])
        if match is None or len(match["what"].split()) < _LEAST_WORDS:
            continue
        told = start + match.start("what"), start + match.start("what") + len(match["what"].rstrip(' .!"”’'))
        if topic and cover(topic, stems(match["who"])) >= _NAMED:
            return told
        if by_kind is None and _NAMES_WORK.search(match["who"]):
            by_kind = told
    return by_kind


def is_work(subject: str) -> bool:
    """Whether a subject is "the film", "the new novel" and the like, which names no work."""
    return _SUBJECT_IS_WORK.fullmatch(subject.strip()) is not None


def told(answerer: Answerer, subject: str | None, found: Found, plain: Answer) -> Answer | None:
    """What the work asked about tells, by the documents found; None where none says it, or `plain` says it better.

    Args:
        subject: the work as the question names it; None for "it".
        plain: the reader's own answer, which stands where it lies inside that sentence or is very sure.
    """
    nameless = subject is None or is_work(subject)
    if nameless:
        documents = list({hit.document.id: hit.document for hit in found.hits}.values())
        if subject is None and answerer.store.counts()[0] > 1:
            return None  # "it" may be any of them
    else:
        documents = chosen_documents(answerer.store, answerer.reader, subject, found.hits)
    topic = None if nameless or subject is None else topic_of(subject, answerer.reader.rank)
    for document in documents:
        span = what_is_told(document.text, topic)
        if span is None:
            continue
        evidence = evidence_at(document, *span)
        if plain.text is not None and (plain.confidence >= _SURE or _in_sentence_of(plain.evidence, evidence)):
            return None
        return dataclasses.replace(
            plain, text=document.text[slice(*span)], confidence=_CONFIDENCE, evidence=evidence, kind="about"
        )
    return None


def _in_sentence_of(one: Evidence | None, other: Evidence) -> bool:
    """Whether one quotation stands in the sentence of another."""
    same = one is not None and one.document.id == other.document.id
    return same and one is not None and other.sentence_start <= one.start and one.end <= other.sentence_end
