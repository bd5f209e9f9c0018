"""Questions that the documents answer, made from the documents themselves and each tried before it is shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Document

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["Starters", "proposals"]

_DOCUMENTS = 12
_CHARACTERS = 20_000  # of a document that are looked at
_TRIED = 16
_SHOWN = 6
_SURE = 0.6
_WORD = r"(?<![\w’'-])[A-ZÀ-Þ][\w’'-]{1,40}"
_NAME = rf"{_WORD}(?:\s+(?:(?:de|van|von|of|the)\s+)?{_WORD}){{0,3}}"
_ROLE = (
    r"director|author|writer|creator|producer|composer|manager|mayor|minister|chair|president|captain|coach|editor|"
    r"founder|inventor|architect|designer|engineer|teacher|owner|conductor|presenter|curator|winner|spokeswoman|spokesman"
)
_PATTERNS = (
    (rf"\b(?P<role>{_ROLE})\s*,?\s+(?P<answer>{_NAME})", "Who is the {role}?"),
    (
        rf"(?P<one>{_NAME})(?:\s*\([^()\n]{{1,60}}\))?,\s+(?P<answer>an?\s+[a-z][^,.;:()\n]{{4,80}})(?=[,.])",
        "Who is {one}?",
    ),
    (rf"(?P<one>{_NAME})\s+(?:is|was)\s+(?P<answer>an?\s+[a-z][^,.;:()\n]{{4,80}})(?=[,.])", "What is {one}?"),
    (rf"\b(?P<answer>{_NAME})\s+(?:directs|directed)\s+(?P<one>{_NAME}|the\s+[a-z]+)", "Who directed {one}?"),
    (rf"\b(?P<answer>{_NAME})\s+(?:wrote|penned)\s+(?P<one>{_NAME}|the\s+[a-z]+)", "Who wrote {one}?"),
    (rf"\b(?P<one>{_NAME}|[Tt]he\s+[a-z]+)\s+opened\s+(?:on|in)\s+(?P<answer>[^,.;]*\d{{4}})", "When did {one} open?"),
    (rf"(?P<one>{_NAME})\s+\((?P<answer>{_NAME})\),\s+an?\s", "Who plays {one}?"),
)  # fmt: skip
_PERSON = re.compile(
    r"\b(?:who|\w*(?:er|or|ist|ian|man|woman|girl|boy|nun|priest|actress|hero|heroine|nurse|cook|king|queen))\b"
)


@dataclass(frozen=True, slots=True)
class _Proposal:
    question: str
    document: str
    start: int
    end: int


def proposals(document: Document) -> Iterator[_Proposal]:
    """Questions that a document seems to answer, with where the answer stands."""
    text = document.text[:_CHARACTERS]
    for pattern, question in _PATTERNS:
        for match in re.finditer(pattern, text):
            named = {name: value for name, value in match.groupdict().items() if name != "answer"}
            if match.start() and any(
                value.split()[0] in {"The", "He", "She", "It", "They", "This"} for value in named.values()
            ):
                continue
            asked = question.format(**{name: " ".join(value.split()) for name, value in named.items()})
            if asked.startswith("What is") and _PERSON.search(match["answer"]):
                asked = "Who" + asked[4:]
            elif asked.startswith("Who is") and "one" in named and not _PERSON.search(match["answer"]):
                asked = "What" + asked[3:]
            yield _Proposal(asked, document.name, *match.span("answer"))


class Starters:
    """Questions that are answered, found once for each state of the index. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[int, tuple[str, ...]] | None = None

    def of(self, answerer: Answerer) -> tuple[str, ...]:
        """Up to six questions; asking some to see whether they are answered takes a second or so the first time."""
        with self._lock:
            generation = answerer.store.generation
            if self._kept is None or self._kept[0] != generation:
                self._kept = generation, _tried(answerer)
            return self._kept[1]


def _tried(answerer: Answerer) -> tuple[str, ...]:
    documents = list(answerer.store.documents().values())[:_DOCUMENTS]
    queues = [_distinct(document) for document in documents]
    kept: list[str] = []
    tried = 0
    while any(queues) and tried < _TRIED and len(kept) < _SHOWN:  # one document after the other, so that all are heard
        for queue in queues:
            if not queue or tried == _TRIED or len(kept) == _SHOWN:
                continue
            one = queue.pop(0)
            tried += 1
            answer = answerer.ask(one.question)
            at = answer.evidence
            if at is None or answer.confidence < max(_SURE, answerer.threshold) or one.question in kept:
                continue
            if at.document.name == one.document and at.start < one.end and one.start < at.end:
                kept.append(one.question)
    return tuple(kept)


def _distinct(document: Document) -> list[_Proposal]:
    """The proposals of a document, each question once, kinds of question taking turns."""
    kinds: dict[str, list[_Proposal]] = {}
    for one in {p.question: p for p in reversed(list(proposals(document)))}.values():
        kinds.setdefault(" ".join(one.question.split()[:2]), []).insert(0, one)
    turns: list[_Proposal] = []
    while any(kinds.values()):
        turns += [queue.pop(0) for queue in kinds.values() if queue]
    return turns
