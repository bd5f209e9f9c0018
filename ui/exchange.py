"""One question with its answer as it is shown, kept in a browser, and shown again: plain texts and numbers.

What comes back from a browser is believed no further than `from_json` checks it, and shown as text like all else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from index.types import Document, Hit
from qa.evaluation import normalize
from qa.types import Answer, Candidate, Evidence
from ui.fluent_text import FluentText, text_from_json

__all__ = ["OWN", "Exchange", "Quote", "exchange_of", "from_json", "shown_name"]

OWN = "your documents/"  # begins the names of uploaded documents, so that none is taken for one of the collection

_LEAST_SHOWN = 0.05  # a candidate less likely than this helps nobody
_LEAST_OF_CONFLICT = 0.3
_NEAR_THE_BEST = 0.5
_AROUND = 700  # characters on each side of a passage that can be shown with it
_LONGEST = 20_000
_NEAR = 2000  # characters on each side of an answer in a quote at most
_MOST_QUOTES = 8
_MOST_ITEMS = 60
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a document with an answer in it.

    `answer` and `sentence` are (start, end) in `text`; `start` is where `text` begins in its document. `place` is the
    page or heading it stands under, if the document has such; `before` and `after` are the document's text around it.
    """

    text: str
    start: int
    answer: tuple[int, int]
    sentence: tuple[int, int]
    name: str
    title: str
    place: str | None
    confidence: float
    before: str = ""
    after: str = ""

    @property
    def said(self) -> str:
        """The answer itself."""
        return self.text[slice(*self.answer)]

    @property
    def own(self) -> bool:
        """Whether it is from a document of the person who asked, not from the collection."""
        return self.name.startswith(OWN)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the text around."""
        return {
            "text": self.text, "start": self.start, "answer": list(self.answer), "sentence": list(self.sentence),
            "name": self.name, "title": self.title, "place": self.place, "confidence": round(self.confidence, 4),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what it got. `answer` None: the documents don't say.

    The first `cited` of `quotes` are where the answer stands, the others other possible answers, best first. `verdict`
    is what the person thought of it: "up", "down" or None. `decided` is yes or no where that could be told, `note` a
    word of the program's own, `items` what a list holds, the sentences of a summary, or questions to ask. `fluent` is
    what a language model wrote beside it.
    """

    id: str
    question: str
    read_as: str
    answer: str | None
    confidence: float
    quotes: tuple[Quote, ...]
    cited: int
    verdict: str | None = None
    decided: bool | None = None
    note: str | None = None
    items: tuple[str, ...] = ()
    fluent: FluentText | None = None

    @property
    def others(self) -> tuple[Quote, ...]:
        """The other possible answers."""
        return self.quotes[self.cited :]

    @property
    def conflict(self) -> tuple[int, ...]:
        """Numbers (from 0) of the other quotes that contradict the answer: another document says something else,
        and nearly as surely."""
        if self.answer is None or self.cited == 0:
            return ()
        least = max(_LEAST_OF_CONFLICT, _NEAR_THE_BEST * self.confidence)
        told = [self.quotes[0]]
        found = []
        for number, quote in enumerate(self.others, start=self.cited):
            if quote.confidence >= least and quote.name != told[0].name and not any(_same(quote, one) for one in told):
                told.append(quote)
                found.append(number)
        return tuple(found)

    @property
    def places(self) -> tuple[tuple[str, int, int], ...]:
        """(document's name, start, end) of every quote."""
        return tuple((quote.name, quote.start, quote.start + len(quote.text)) for quote in self.quotes)

    @property
    def own(self) -> bool:
        """Whether anything of it is from a document of the person who asked."""
        return any(quote.own for quote in self.quotes)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a browser to keep."""
        return {
            "id": self.id, "question": self.question, "read_as": self.read_as, "answer": self.answer,
            "confidence": round(self.confidence, 4), "quotes": [quote.to_json() for quote in self.quotes],
            "cited": self.cited, "verdict": self.verdict, "decided": self.decided, "note": self.note,
            "items": list(self.items), "fluent": None if self.fluent is None else self.fluent.to_json(),
        }  # fmt: skip


def _same(one: Quote, other: Quote) -> bool:
    """Whether two answers say the same, one perhaps in more words."""
    words, others = set(normalize(one.said).split()), set(normalize(other.said).split())
    return words <= others or others <= words


def shown_name(name: str) -> str:
    """A document's name as its owner knows it."""
    return name.removeprefix(OWN)


def exchange_of(identifier: str, answer: Answer) -> Exchange:
    """What is shown and kept of an answer."""
    cited = []
    if answer.text is not None and answer.evidence is not None:
        cited = [_quote(answer.evidence, answer.confidence, answer.passages)]
    told = {"", normalize(answer.text or "")}
    others = []
    for candidate in answer.alternatives:
        text = normalize(candidate.text)
        if candidate.confidence >= _LEAST_SHOWN and text not in told:  # the same answer again is no other one
            told.add(text)
            others.append(candidate)
    quotes = [*cited, *(_quoted(candidate) for candidate in others)]
    parts = [one.document.text[one.start : one.end] for one in answer.items if one != answer.evidence]
    return Exchange(
        identifier,
        answer.question,
        answer.read_as,
        answer.text,
        answer.confidence,
        tuple(quotes),
        len(cited),
        decided=answer.verdict,
        note=answer.note,
        items=(*parts, *answer.suggestions),
    )


def _quote(evidence: Evidence, confidence: float, hits: Sequence[Hit]) -> Quote:
    """The best passage that holds the answer, widened to its whole sentence."""
    for hit in hits:
        passage = hit.passage
        same = hit.document.name == evidence.document.name
        if same and passage.start <= evidence.start and evidence.end <= passage.end:
            start, end = min(passage.start, evidence.sentence_start), max(passage.end, evidence.sentence_end)
            return _stretch(evidence, confidence, start, end)
    return _stretch(evidence, confidence, evidence.sentence_start, evidence.sentence_end)


def _quoted(candidate: Candidate) -> Quote:
    evidence = candidate.evidence
    return _stretch(evidence, candidate.confidence, evidence.sentence_start, evidence.sentence_end)


def _stretch(evidence: Evidence, confidence: float, start: int, end: int) -> Quote:
    document = evidence.document
    # a "sentence" can be a whole page of a table: what is near the answer is what helps
    start = max(start, evidence.start - _NEAR)
    end = min(end, max(evidence.end, start + 1) + _NEAR)
    return Quote(
        text=document.text[start:end],
        start=start,
        answer=(evidence.start - start, evidence.end - start),
        sentence=(max(evidence.sentence_start, start) - start, min(evidence.sentence_end, end) - start),
        name=document.name,
        title=document.title,
        place=document.place(evidence.start),
        confidence=confidence,
        before=_before(document, start),
        after=_after(document, end),
    )


def _before(document: Document, start: int) -> str:
    """The text that ends at `start`, from the beginning of a word."""
    first = max(0, start - _AROUND)
    text = document.text[first:start]
    return text if first == 0 else "… " + text.partition(" ")[2]


def _after(document: Document, end: int) -> str:
    """The text that begins at `end`, to the end of a word."""
    text = document.text[end : end + _AROUND]
    return text if end + _AROUND >= len(document.text) else text.rpartition(" ")[0] + " …"


def from_json(value: object) -> Exchange:
    """What `to_json` gave, as it comes back from a browser.

    Raises:
        ValueError: it is not that.
    """
    try:
        return _checked(value)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"this is no exchange ({error!r})") from error


def _checked(value: Any) -> Exchange:
    quotes = tuple(_checked_quote(quote) for quote in value["quotes"][:_MOST_QUOTES])
    identifier, answer, cited, verdict = value["id"], value["answer"], value["cited"], value["verdict"]
    if not _ID.fullmatch(identifier) or not isinstance(cited, int) or not 0 <= cited <= len(quotes):
        raise ValueError("this is no exchange (its id or its quotes)")
    if verdict not in (None, "up", "down"):
        raise ValueError(f"the verdict must be up, down or null, got {verdict!r}")
    decided, note, fluent = value.get("decided"), value.get("note"), value.get("fluent")
    if decided not in (None, True, False):
        raise ValueError(f"what was decided must be true, false or null, got {decided!r}")
    return Exchange(
        identifier,
        _text(value["question"]),
        _text(value["read_as"]),
        None if answer is None else _text(answer),
        _share(value["confidence"]),
        quotes,
        cited,
        verdict,
        decided,
        None if note is None else _text(note),
        tuple(_text(item) for item in value.get("items", [])[:_MOST_ITEMS]),
        None if fluent is None else text_from_json(fluent),
    )


def _checked_quote(value: Any) -> Quote:
    text = _text(value["text"])
    place = value["place"]
    return Quote(
        text,
        max(0, int(value["start"])),
        _range(value["answer"], len(text)),
        _range(value["sentence"], len(text)),
        _text(value["name"]),
        _text(value["title"]),
        None if place is None else _text(place),
        _share(value["confidence"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    return value[:_LONGEST]


def _share(value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"a confidence is between 0 and 1, got {value!r}")
    return float(value)


def _range(value: Any, length: int) -> tuple[int, int]:
    start, end = (int(number) for number in value)
    if not 0 <= start <= end <= length:
        raise ValueError(f"({start}, {end}) is no stretch of {length} characters")
    return start, end
