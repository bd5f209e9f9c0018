"""A question and an index in, an Answer out: retrieve, read wide, rank, decide."""

from __future__ import annotations

import dataclasses
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import StoreError
from index.passages import sentence_spans
from index.search import in_one_state, rank
from index.types import Document, Encoder, Hit, Passage, Store
from qa.confidence import Calibration, Features, load_calibration
from qa.config import Config
from qa.cover import Topic, cover, stems, topic_of
from qa.errors import QuestionError
from qa.spans import best_spans
from qa.spelling import mend, words_of
from qa.types import Answer, Candidate, Evidence, Reader, SpanLogits, Tokens
from qa.windows import TokenRange, read_ranges, token_range

__all__ = ["Answerer", "Found", "Scored", "Window", "clean_question"]

THRESHOLD_SETTING = "threshold"  # kept with an index by `qa calibrate`
_DOCUMENTS_KEPT = 256
_NEAR = 160  # characters on both sides of a span that count as near it
_OVERLAP = 96  # tokens that two windows of a text read whole have in common


def clean_question(question: str, *, longest: int) -> str:
    """The question without control characters and with single spaces.

    Raises:
        QuestionError: it is not a string, has no letter or digit, or has more than `longest` characters.
    """
    if not isinstance(question, str):
        raise QuestionError(f"a question must be text, got {type(question).__name__}")
    if len(question) > longest:
        raise QuestionError(
            f"the question has {len(question):,} characters, at most {longest:,} are read; ask a shorter one"
        )
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in question)
    kept = " ".join(kept.split())
    if not any(character.isalnum() for character in kept):
        raise QuestionError(f"the question is empty ({question[:40]!r}); type a question, such as: who is it about?")
    return kept


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document as the reader gets it."""

    document: Document
    tokens: Tokens
    similarity: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A span of a document with the raw numbers that its confidence comes from."""

    document: Document
    start: int
    end: int
    score: float
    margin: float
    similarity: float
    cover: float
    near: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the reader gets it, and what it is about."""

    tokens: Tokens
    topic: Topic


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question: the question as it was read, the passages retrieved, raw spans in any order."""

    read_as: str
    hits: list[Hit]
    spans: list[Scored]


@dataclass(frozen=True, slots=True)
class _Layout:
    """A document's tokens, its passages as token ranges and its words, kept while the document does not change."""

    tokens: Tokens
    passages: tuple[tuple[int, int], ...]
    number: dict[int, int]
    words: Counter[str]


class Answerer:
    """Answers questions from one index. Safe to call from several threads.

    Args:
        store: the index to ask.
        encoder: embeds the question; must be the encoder the index was built with.
        reader: finds the span.
        calibration: turns its scores into probabilities.
        config: every number there is to tune.
    """

    def __init__(
        self, store: Store, encoder: Encoder, reader: Reader, calibration: Calibration, config: Config | None = None
    ) -> None:
        self.store = store
        self.encoder = encoder
        self.reader = reader
        self.calibration = calibration
        self.config = config if config is not None else Config()
        self._layouts: OrderedDict[int, _Layout] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, config: Config | None = None) -> Answerer:
        """Open the index, encoder and reader that `config` names.

        Raises:
            StoreError: no index there, or a damaged one.
            ModelError: model files are missing or altered.
        """
        from index.encoder import OnnxEncoder
        from index.store import SqliteStore
        from qa.reader import OnnxReader

        config = config if config is not None else Config()
        encoder = OnnxEncoder(config.threads)
        store = SqliteStore(config.index, encoder_name=encoder.name, dimension=encoder.dimension)
        chosen = store.setting(THRESHOLD_SETTING)
        if config.threshold is None and chosen is not None:
            config = dataclasses.replace(config, threshold=float(chosen))
        reader = OnnxReader(config.model, threads=config.threads)
        return cls(store, encoder, reader, load_calibration(config.model), config)

    @classmethod
    def without_index(cls, config: Config | None = None) -> Answerer:
        """Only the reader of `config`: for `score_given` and `ask_given`, which retrieve nothing.

        Raises:
            ModelError: model files are missing or altered.
        """
        from qa.reader import OnnxReader

        config = config if config is not None else Config()
        return cls(
            _NoStore(),
            _NoEncoder(),
            OnnxReader(config.model, threads=config.threads),
            load_calibration(config.model),
            config,
        )

    def close(self) -> None:
        """Close the index. The Answerer must not be used afterwards."""
        self.store.close()

    @property
    def threshold(self) -> float:
        """Confidence below which the documents are said not to say it."""
        return self.calibration.threshold if self.config.threshold is None else self.config.threshold

    def ask(self, question: str) -> Answer:
        """Answer one question.

        Raises:
            QuestionError: the question is empty or too long.
            StoreError: the index is damaged.
        """
        question = clean_question(question, longest=self.config.question_characters)
        found = self.find(question)
        return self.decide(question, found.read_as, found.hits, found.spans)

    def find(self, question: str) -> Found:
        """What `ask` decides on: the passages retrieved for a question and the raw spans read around them."""
        hits, windows, asked = self._retrieve(question)
        if self.config.mend:
            words = Counter[str]()
            for document in {hit.document.id: hit.document for hit in hits}.values():
                words += self._layout(document).words
            mended = mend(question, words, self.reader.rank)
            if mended != question:
                question = mended
                hits, windows, asked = self._retrieve(question)
        spans: list[Scored] = []
        for window in windows:
            logits = self.reader.read([(asked.tokens, window.tokens)])[0]
            spans.extend(self._spans(asked, window, logits))
            if spans and self._candidates(spans)[0].confidence >= self.config.sure:
                break
        return Found(question, hits, spans)

    def _retrieve(self, question: str) -> tuple[list[Hit], list[Window], Asked]:
        vector = self.encoder.encode([question])[0]
        asked = self._asked(question)

        def ranked() -> tuple[list[Hit], list[Window]]:
            hits = rank(self.store, question, vector, k=self.config.hits, pool=self.config.pool)
            return hits, self._windows(hits, len(asked.tokens))

        hits, windows = in_one_state(self.store, ranked)
        return hits, windows, asked

    def ask_given(self, questions: Sequence[str], context: Document) -> list[Answer]:
        """Answer questions from one given text, read whole in overlapping windows; nothing is retrieved."""
        asked = [clean_question(question, longest=self.config.question_characters) for question in questions]
        found = self.score_given([(question, context) for question in asked])
        return [self.decide(q, one.read_as, [], one.spans) for q, one in zip(asked, found, strict=True)]

    def score_given(self, pairs: Sequence[tuple[str, Document]], *, tokens_per_batch: int = 6000) -> list[Found]:
        """Raw spans for (question, text) pairs, the texts read whole, in length-sorted batches. Best first per pair."""
        known: dict[str, tuple[Tokens, Counter[str]]] = {}
        work: list[tuple[int, Asked, Window]] = []
        found: list[Found] = []
        for number, (question, document) in enumerate(pairs):
            if document.text not in known:
                known[document.text] = self.reader.tokenize(document.text), words_of([document.text])
            tokens, words = known[document.text]
            read_as = mend(question, words, self.reader.rank) if self.config.mend else question
            found.append(Found(read_as, [], []))
            asked = self._asked(read_as)
            room = self._room(len(asked.tokens))
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
                found[number].spans.extend(self._spans(asked, window, one))
            begin = end
        return found

    # -- steps --------------------------------------------------------------------------------------------------

    def _asked(self, question: str) -> Asked:
        tokens = self.reader.tokenize(question)[: self.config.window_tokens // 3]
        return Asked(tokens, topic_of(question, self.reader.rank))

    def _room(self, question_tokens: int) -> int:
        longest = min(self.config.window_tokens, self.reader.max_tokens)
        return longest - question_tokens - self.reader.special_tokens

    def _windows(self, hits: Sequence[Hit], question_tokens: int) -> list[Window]:
        """The stretches to read, in the order of the best passage in each."""
        most = self._room(question_tokens)
        by_document: dict[int, list[Hit]] = {}
        for hit in hits:
            by_document.setdefault(hit.document.id, []).append(hit)
        ordered: list[tuple[int, Window]] = []
        for found in by_document.values():
            document = found[0].document
            layout = self._layout(document)
            numbers = [layout.number[hit.passage.id] for hit in found if hit.passage.id in layout.number]
            for part in read_ranges(len(layout.tokens), layout.passages, numbers, most=most):
                inside = [hit for hit in found if _within(layout, hit, part)]
                rank = min((hits.index(hit) for hit in inside), default=len(hits))
                similarity = max((hit.similarity or 0.0 for hit in inside), default=0.0)
                ordered.append((rank, Window(document, layout.tokens[part.first : part.last], similarity)))
        ordered.sort(key=lambda item: item[0])
        return [window for _, window in ordered[: self.config.windows]]

    def _layout(self, document: Document) -> _Layout:
        with self._lock:
            layout = self._layouts.get(document.id)
            if layout is not None:
                self._layouts.move_to_end(document.id)
                return layout
        tokens = self.reader.tokenize(document.text)
        passages = self.store.passages_of(document.id)
        ranges = tuple(token_range(tokens.offsets, passage.start, passage.end) for passage in passages)
        layout = _Layout(tokens, ranges, {p.id: n for n, p in enumerate(passages)}, words_of([document.text]))
        with self._lock:
            self._layouts[document.id] = layout
            while len(self._layouts) > _DOCUMENTS_KEPT:
                self._layouts.popitem(last=False)
        return layout

    def _spans(self, asked: Asked, window: Window, logits: SpanLogits) -> list[Scored]:
        spans = best_spans(logits, top=self.config.candidates, max_length=self.config.answer_tokens)
        if not spans:
            return []
        text, offsets = window.document.text, window.tokens.offsets
        covered = cover(asked.topic, stems(text[offsets[0, 0] : offsets[-1, 1]]))
        scored = []
        for span in spans:
            start, end = int(offsets[span.first, 0]), int(offsets[span.last, 1])
            scored.append(
                Scored(
                    document=window.document,
                    start=start,
                    end=end,
                    score=span.score,
                    margin=span.score - logits.null,
                    similarity=window.similarity,
                    cover=covered,
                    near=cover(asked.topic, stems(text[max(0, start - _NEAR) : end + _NEAR])),
                )
            )
        return scored

    def _candidates(self, scored: Sequence[Scored]) -> list[Candidate]:
        """The different spans, best first, each with its probability."""
        kept = distinct(scored)
        candidates = []
        for number, span in enumerate(kept[: self.config.alternatives + 1]):
            lead = lead_of(kept) if number == 0 else 0.0
            probability = self.calibration.probability(features_of(span, lead))
            candidates.append(Candidate(span.document.text[span.start : span.end], probability, evidence_of(span)))
        return candidates

    def decide(self, question: str, read_as: str, hits: Sequence[Hit], scored: Sequence[Scored]) -> Answer:
        """The answer that raw spans amount to, or "the documents don't say"."""
        candidates = self._candidates(scored)
        if not candidates or candidates[0].confidence < self.threshold:
            confidence = candidates[0].confidence if candidates else 0.0
            return Answer(question, read_as, None, confidence, None, tuple(hits), tuple(candidates))
        best = candidates[0]
        return Answer(question, read_as, best.text, best.confidence, best.evidence, tuple(hits), tuple(candidates[1:]))


class _NoEncoder:
    """Stands where no encoder is needed."""

    name = "none"
    dimension = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise StoreError("this Answerer has no index; open one with Answerer.open")


class _NoStore:
    """An index that holds nothing."""

    generation = 0
    encoder_name = "none"

    def snapshot(self) -> AbstractContextManager[object]:
        return nullcontext()

    def documents(self, ids: Sequence[int] | None = None) -> dict[int, Document]:
        return {}

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        return []

    def passages_of(self, document_id: int) -> list[Passage]:
        return []

    def lexical(self, question: str, k: int) -> list[int]:
        return []

    def dense(self, vector: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        return []

    def setting(self, name: str) -> str | None:
        return None

    def set_setting(self, name: str, value: str) -> None:
        raise StoreError("this Answerer has no index to keep a setting with; open one with Answerer.open")

    def close(self) -> None:
        return


def _within(layout: _Layout, hit: Hit, part: TokenRange) -> bool:
    number = layout.number.get(hit.passage.id)
    return number is not None and part.first <= layout.passages[number][0] and layout.passages[number][1] <= part.last


def _overlap(one: Scored, other: Scored) -> bool:
    return one.document.name == other.document.name and one.start < other.end and other.start < one.end


def distinct(scored: Sequence[Scored]) -> list[Scored]:
    """The spans that stand at different places, best first; of overlapping ones the better is kept."""
    kept: list[Scored] = []
    for span in sorted(scored, key=lambda span: -span.score):
        if span.end > span.start and not any(_overlap(span, other) for other in kept):
            kept.append(span)
    return kept


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
    text = span.document.text
    around = [(s, e) for s, e in sentence_spans(text) if s < span.end and span.start < e]
    start = min([s for s, _ in around] + [span.start])
    end = max([e for _, e in around] + [span.end])
    return Evidence(span.document, span.start, span.end, text[start:end], start, end)


def index_exists(folder: Path) -> bool:
    """Whether an index has been built in `folder`."""
    return (folder / "index.db").is_file()
