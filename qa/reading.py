"""What is read for a question and what the reader makes of it: windows of documents in, raw spans out."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.types import Document, Hit, Store
from qa.candidates import Scored
from qa.config import Config
from qa.cover import Topic, cover, names_of, stems, topic_of, words
from qa.rereading import Rereading
from qa.spans import best_spans
from qa.spelling import mend, words_of
from qa.types import Reader, SpanLogits, Tokens
from qa.windows import TokenRange, read_ranges, token_range

__all__ = ["Asked", "Found", "Reading", "Window"]

_DOCUMENTS_KEPT = 256
_NEAR = 160  # characters on both sides of a span that count as near it
_words_of_window = functools.lru_cache(128)(words)
_stems_of_window = functools.lru_cache(128)(stems)  # the same stretches are read for many questions
_OVERLAP = 96  # tokens that two windows of a text read whole have in common


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document as the reader gets it."""

    document: Document
    tokens: Tokens
    similarity: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the reader gets it, what it is about, and the names in it."""

    question: str
    tokens: Tokens
    topic: Topic
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question: the question as it was read, the passages retrieved, raw spans in any order.

    `windows` are the stretches that were there to read; the later ones may not have been read. `again` are the spans
    of a second reader, where one was asked.
    """

    read_as: str
    hits: list[Hit]
    spans: list[Scored]
    windows: tuple[Window, ...] = ()
    again: tuple[Scored, ...] = ()

    @property
    def judged(self) -> Sequence[Scored]:
        """The spans that the answer is chosen from."""
        return self.again or self.spans


@dataclass(frozen=True, slots=True)
class Layout:
    """A document's tokens, its passages as token ranges and its words, kept while the document does not change."""

    tokens: Tokens
    passages: tuple[tuple[int, int], ...]
    number: dict[int, int]
    words: Counter[str]


class Reading:
    """A reader with what it needs to read documents for questions. Thread-safe if the reader is.

    Args:
        second: reads again what the first reader found, where that is asked for.
    """

    def __init__(self, reader: Reader, config: Config, second: Rereading | None = None) -> None:
        self.reader = reader
        self.config = config
        self.second = second
        self._layouts: OrderedDict[int, Layout] = OrderedDict()
        self._lock = threading.Lock()

    def asked(self, question: str) -> Asked:
        tokens = self.reader.tokenize(question)[: self.config.window_tokens // 3]
        rank = self.reader.rank
        return Asked(question, tokens, topic_of(question, rank), names_of(question, rank))

    def room(self, question_tokens: int) -> int:
        longest = min(self.config.window_tokens, self.reader.max_tokens)
        return longest - question_tokens - self.reader.special_tokens

    def layout(self, store: Store, document: Document) -> Layout:
        with self._lock:
            layout = self._layouts.get(document.id)
            if layout is not None:
                self._layouts.move_to_end(document.id)
                return layout
        tokens = self.reader.tokenize(document.text)
        passages = store.passages_of(document.id)
        ranges = tuple(token_range(tokens.offsets, passage.start, passage.end) for passage in passages)
        layout = Layout(tokens, ranges, {p.id: n for n, p in enumerate(passages)}, words_of([document.text]))
        with self._lock:
            self._layouts[document.id] = layout
            while len(self._layouts) > _DOCUMENTS_KEPT:
                self._layouts.popitem(last=False)
        return layout

    def windows(self, store: Store, hits: Sequence[Hit], asked: Asked) -> list[Window]:
        """The stretches to read, in the order of the best passage in each; before all others those that hold more of
        the names in the question, since of passages that say the same of different names only one is asked about."""
        most = self.room(len(asked.tokens))
        by_document: dict[int, list[Hit]] = {}
        for hit in hits:
            by_document.setdefault(hit.document.id, []).append(hit)
        ordered: list[tuple[int, int, Window]] = []
        for found in by_document.values():
            document = found[0].document
            layout = self.layout(store, document)
            numbers = [layout.number[hit.passage.id] for hit in found if hit.passage.id in layout.number]
            for part in read_ranges(len(layout.tokens), layout.passages, numbers, most=most):
                inside = [hit for hit in found if _within(layout, hit, part)]
                rank = min((hits.index(hit) for hit in inside), default=len(hits))
                similarity = max((hit.similarity or 0.0 for hit in inside), default=0.0)
                window = Window(document, layout.tokens[part.first : part.last], similarity)
                ordered.append((-_names_in(asked, window), rank, window))
        ordered.sort(key=lambda item: item[:2])
        chosen: list[Window] = []
        left = self.config.read_tokens
        for *_, window in ordered[: self.config.windows]:
            if not chosen or len(window.tokens) <= left:
                chosen.append(window)
                left -= len(window.tokens)
        return chosen

    def logits(self, asked: Asked, window: Window) -> SpanLogits:
        """What the reader makes of one window."""
        return self.reader.read([(asked.tokens, window.tokens)])[0]

    def read(self, asked: Asked, window: Window) -> list[Scored]:
        """The best spans of one window."""
        return self.spans(asked, window, self.logits(asked, window))

    def again(
        self, asked: Asked, read: Sequence[tuple[Window, SpanLogits]], best: Sequence[Scored]
    ) -> tuple[Scored, ...]:
        """The spans once the second reader has read around the best different ones; none without such a reader."""
        if self.second is None or not best:
            return ()
        windows = [(window.document.text, window.tokens, logits) for window, logits in read]
        found: list[Scored] = []
        for number, tokens, logits in self.second.read(asked.question, windows, best):
            window = read[number][0]
            part = Window(window.document, tokens, window.similarity)
            found.extend(self.spans(asked, part, logits, again=True))
        return tuple(found)

    def read_whole(
        self,
        pairs: Sequence[tuple[str, Document]],
        *,
        unsure: Callable[[Sequence[Scored]], Sequence[Scored]] = lambda spans: (),
        tokens_per_batch: int = 6000,
    ) -> list[Found]:
        """Raw spans for (question, text) pairs, the texts read whole, in length-sorted batches.

        Args:
            unsure: of all spans of a question, those that the second reader is to read again, best first.
        """
        known: dict[str, tuple[Tokens, Counter[str]]] = {}
        work: list[tuple[int, Asked, Window]] = []
        found: list[Found] = []
        asked_of: list[Asked] = []
        read: list[list[tuple[Window, SpanLogits]]] = [[] for _ in pairs]
        for number, (question, document) in enumerate(pairs):
            if document.text not in known:
                known[document.text] = self.reader.tokenize(document.text), words_of([document.text])
            tokens, words = known[document.text]
            read_as = mend(question, words, self.reader.rank) if self.config.mend else question
            found.append(Found(read_as, [], []))
            asked = self.asked(read_as)
            asked_of.append(asked)
            room = self.room(len(asked.tokens))
            step = max(1, room - _OVERLAP)
            firsts = range(0, len(tokens) - room + step, step) if len(tokens) > room else range(1)
            work.extend((number, asked, Window(document, tokens[first : first + room], 0.0)) for first in firsts)
        work.sort(key=lambda item: len(item[1].tokens) + len(item[2].tokens))
        begin = 0
        while begin < len(work):
            end = begin + 1
            while (
                end < len(work)
                and (end + 1 - begin) * (len(work[end][1].tokens) + len(work[end][2].tokens)) <= tokens_per_batch
            ):
                end += 1
            logits = self.reader.read([(asked.tokens, window.tokens) for _, asked, window in work[begin:end]])
            for (number, asked, window), one in zip(work[begin:end], logits, strict=True):
                found[number].spans.extend(self.spans(asked, window, one))
                if self.second is not None:
                    read[number].append((window, one))
            begin = end
        return [
            one if self.second is None else dataclasses.replace(one, again=self.again(asked, parts, unsure(one.spans)))
            for one, asked, parts in zip(found, asked_of, read, strict=True)
        ]

    def at_places(self, asked: Asked, window: Window, places: Sequence[tuple[int, int]]) -> list[Scored]:
        """Given stretches of a window's document, each scored by the best span inside it.

        Those that lie outside the window, or hold no span of it, are left out.
        """
        if not places or not len(window.tokens):
            return []
        logits = self.reader.read([(asked.tokens, window.tokens)])[0]
        offsets = window.tokens.offsets
        scored = []
        for start, end in places:
            if start < offsets[0, 0] or end > offsets[-1, 1]:
                continue
            first, last = token_range(offsets, start, end)
            inside = SpanLogits(logits.start[first:last], logits.end[first:last], logits.null)
            best = best_spans(inside, top=1, max_length=self.config.answer_tokens)
            if best:
                scored.append(self._scored(asked, window, start, end, best[0].score, logits.null))
        return scored

    def spans(self, asked: Asked, window: Window, logits: SpanLogits, *, again: bool = False) -> list[Scored]:
        """The best spans of a window by these logits."""
        spans = best_spans(logits, top=self.config.candidates, max_length=self.config.answer_tokens)
        if not spans:
            return []
        text, offsets = window.document.text, window.tokens.offsets
        covered = cover(asked.topic, _stems_of_window(text[offsets[0, 0] : offsets[-1, 1]]))
        places = [(int(offsets[span.first, 0]), int(offsets[span.last, 1]), span.score) for span in spans]
        return [self._scored(asked, window, *place, logits.null, covered, again) for place in places]

    def _scored(
        self,
        asked: Asked,
        window: Window,
        start: int,
        end: int,
        score: float,
        null: float,
        covered: float | None = None,
        again: bool = False,
    ) -> Scored:
        text, offsets = window.document.text, window.tokens.offsets
        return Scored(
            document=window.document,
            start=start,
            end=end,
            score=score,
            margin=score - null,
            similarity=window.similarity,
            cover=cover(asked.topic, stems(text[offsets[0, 0] : offsets[-1, 1]])) if covered is None else covered,
            near=cover(asked.topic, stems(text[max(0, start - _NEAR) : end + _NEAR])),
            again=again,
        )


def _names_in(asked: Asked, window: Window) -> int:
    if not asked.names or not len(window.tokens):
        return 0
    offsets = window.tokens.offsets
    return len(asked.names & _words_of_window(window.document.text[offsets[0, 0] : offsets[-1, 1]]))


def _within(layout: Layout, hit: Hit, part: TokenRange) -> bool:
    number = layout.number.get(hit.passage.id)
    return number is not None and part.first <= layout.passages[number][0] and layout.passages[number][1] <= part.last
