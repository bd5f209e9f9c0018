"""A question and an index in, an Answer out: retrieve, read wide, rank, decide."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from index.search import in_one_state, rank
from index.types import Document, Encoder, Hit, Store
from qa.candidates import Scored, distinct, evidence_of, features_of, lead_of
from qa.confidence import Calibration, load_calibration
from qa.config import Config
from qa.followups import is_fragment, readings
from qa.kinds.detect import TALK, kind_of
from qa.kinds.routes import routed
from qa.kinds.starters import Starters
from qa.kinds.talk import reply
from qa.nothing import NoEncoder, NoStore
from qa.question import clean_question
from qa.reading import Asked, Found, Reading, Window
from qa.rereading import Rereading
from qa.spelling import mend
from qa.types import Answer, Candidate, Reader, SpanLogits, Turn

__all__ = ["THRESHOLD_SETTING", "Answerer", "index_exists"]

THRESHOLD_SETTING = "threshold"  # kept with an index by `qa calibrate`
_MORE_NEAR = 0.12  # of the question's words, by weight: a name among a handful of others


class Answerer:
    """Answers questions from one index. Safe to call from several threads.

    Args:
        store: the index to ask.
        encoder: embeds the question; must be the encoder the index was built with.
        reader: finds the span.
        calibration: turns its scores into probabilities.
        config: every number there is to tune.
        second: reads again what the first reader is unsure about.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        reader: Reader,
        calibration: Calibration,
        config: Config | None = None,
        second: Rereading | None = None,
    ) -> None:
        self.store = store
        self.encoder = encoder
        self.reader = reader
        self.calibration = calibration
        self.config = config if config is not None else Config()
        self.reading = Reading(reader, self.config, second)
        self._starters = Starters()

    @classmethod
    def open(cls, config: Config | None = None) -> Answerer:
        """Open the index, encoder and reader that `config` names.

        Raises:
            StoreError: no index there, or a damaged one.
            ModelError: model files are missing or altered.
        """
        from index.encoder import OnnxEncoder
        from index.store import SqliteStore

        config = config if config is not None else Config()
        encoder = OnnxEncoder(threads=1)  # a question is short: more threads would only get in the reader's way
        store = SqliteStore(config.index, encoder_name=encoder.name, dimension=encoder.dimension)
        chosen = store.setting(THRESHOLD_SETTING)
        if config.threshold is None and chosen is not None:
            config = dataclasses.replace(config, threshold=float(chosen))
        return cls(store, encoder, *_readers(config))

    @classmethod
    def without_index(cls, config: Config | None = None) -> Answerer:
        """Only the reader of `config`: for `score_given` and `ask_given`, which retrieve nothing.

        Raises:
            ModelError: model files are missing or altered.
        """
        return cls(NoStore(), NoEncoder(), *_readers(config if config is not None else Config()))

    def close(self) -> None:
        """Close the index. The Answerer must not be used afterwards."""
        self.store.close()

    @property
    def threshold(self) -> float:
        """Confidence below which the documents are said not to say it: of both readers, where there are two."""
        if self.config.threshold is not None:
            return self.config.threshold
        return (self.reading.second or self).calibration.threshold

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer one question, as it is meant after the turns of `history` (oldest first).

        A follow-up ("and Marie Laure?") is read as the question that stands alone which the reader is surest of;
        `Answer.read_as` says which. A question that does not lean on the last turn is read as typed.

        Raises:
            QuestionError: the question is empty or too long.
            StoreError: the index is damaged.
        """
        question = clean_question(question, longest=self.config.question_characters)
        kind = kind_of(question).name
        if kind in TALK:
            return reply(question, kind, self.suggestions() if kind == "help" else ())
        history = [turn for turn in history if kind_of(turn.question).name not in TALK]
        said = [turn.answer for turn in history if turn.answer is not None]
        typed = self._answer(question, question, said)
        # what leans on the last turn is most likely answered where that one was
        meant = [self._answer(question, one, said, history[-1].question) for one in readings(question, history)]
        if not meant:
            return typed
        # a fragment is hardly ever meant as typed: that reading has to be clearly the surer one
        ahead = self.config.as_typed if is_fragment(question) else 0.0
        best = max(meant, key=lambda answer: (bool(answer.items), answer.confidence))
        if bool(typed.items) != bool(best.items):  # where a list is asked for, a reading that finds one is meant
            return typed if typed.items else best
        return typed if typed.confidence > best.confidence + ahead else best

    def suggestions(self) -> tuple[str, ...]:
        """Up to six questions that the documents answer, found from them the first time, when that takes a second."""
        return self._starters.of(self)

    def _answer(self, question: str, reading: str, said: Sequence[str], after: str = "") -> Answer:
        found = self.find(reading, after)
        plain = self.decide(question, found.read_as, found.hits, found.judged)
        kind = kind_of(reading)
        return plain if kind.name == "span" else routed(self, kind, found, plain, said)

    def find(self, question: str, after: str = "") -> Found:
        """What `ask` decides on: the passages retrieved for a question and the raw spans read around them.

        Args:
            after: the question of the turn before, where this one follows it up; passages are retrieved for both.
        """
        hits, windows, asked = self.retrieve(question, after)
        if self.config.mend:
            words = Counter[str]()
            for document in {hit.document.id: hit.document for hit in hits}.values():
                words += self.reading.layout(self.store, document).words
            mended = mend(question, words, self.reader.rank)
            if mended != question:
                question = mended
                hits, windows, asked = self.retrieve(question, after)
        spans: list[Scored] = []
        read: list[tuple[Window, SpanLogits]] = []
        for window in windows:
            read.append((window, self.reading.logits(asked, window)))
            spans.extend(self.reading.spans(asked, *read[-1]))
            if self.is_sure(spans, self.config.sure):
                break
        again = self.reading.again(asked, read, self.unsure(spans))
        return Found(question, hits, spans, tuple(windows), again)

    def unsure(self, scored: Sequence[Scored]) -> Sequence[Scored]:
        """The different spans, best first, that a second reader is to be heard on; none where the first is sure.

        It is not to be trusted where another span has more around it of what is asked about, which then comes second:
        of passages that say the same of different names the first reader is sure of whichever it likes best.
        """
        if self.reading.second is None or not scored:
            return ()
        low, high = self.config.unsure
        kept = distinct(scored, self.calibration)
        nearer = next((span for span in kept if span.near > kept[0].near + _MORE_NEAR), None)
        if nearer is not None:
            high = 1.0
            kept = [kept[0], nearer, *(span for span in kept[1:] if span is not nearer)]
        return kept if low <= self.probability(kept[0], lead_of(kept, self.calibration)) <= high else ()

    def is_sure(self, scored: Sequence[Scored], sure: float) -> bool:
        """Whether the best of these spans is an answer one may stop reading at."""
        kept = distinct(scored, self.calibration)
        return bool(kept) and self.probability(kept[0], lead_of(kept, self.calibration)) >= sure

    def retrieve(self, question: str, after: str = "") -> tuple[list[Hit], list[Window], Asked]:
        """The passages found for a question, the windows to read around them in their order, and the question."""
        sought = f"{question} {after}" if after else question
        vector = self.encoder.encode([sought])[0]
        asked = self.reading.asked(question)

        def ranked() -> tuple[list[Hit], list[Window]]:
            hits = rank(self.store, sought, vector, k=self.config.hits, pool=self.config.pool)
            return hits, self.reading.windows(self.store, hits, asked)

        hits, windows = in_one_state(self.store, ranked)
        return hits, windows, asked

    def ask_given(self, questions: Sequence[str], context: Document) -> list[Answer]:
        """Answer questions from one given text, read whole in overlapping windows; nothing is retrieved."""
        asked = [clean_question(question, longest=self.config.question_characters) for question in questions]
        found = self.reading.read_whole([(question, context) for question in asked], unsure=self.unsure)
        return [self.decide(q, one.read_as, [], one.judged) for q, one in zip(asked, found, strict=True)]

    def probability(self, span: Scored, lead: float) -> float:
        """Probability in (0, 1) that a span is right which is `lead`, in [0, 10], ahead of the next."""
        return self._calibration_of(span).probability(features_of(span, lead))

    def _calibration_of(self, span: Scored) -> Calibration:
        second = self.reading.second
        return second.calibration if span.again and second is not None else self.calibration

    def _candidates(self, scored: Sequence[Scored]) -> list[Candidate]:
        """The different spans, best first, each with its probability."""
        if not scored:
            return []
        calibration = self._calibration_of(scored[0])
        kept = distinct(scored, calibration)
        candidates = []
        for number, span in enumerate(kept[: self.config.alternatives + 1]):
            probability = self.probability(span, lead_of(kept, calibration) if number == 0 else 0.0)
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


def _readers(config: Config) -> tuple[Reader, Calibration, Config, Rereading | None]:
    """The reader of `config` with its calibration, and the second one where there is one."""
    from qa.reader import LazyReader, OnnxReader

    reader = OnnxReader(config.model, threads=config.threads)
    if config.second is None:
        return reader, load_calibration(config.model), config, None
    second = Rereading(
        LazyReader(config.second, threads=config.threads, packed=False),
        load_calibration(config.second),
        share=config.second_share,
        places=config.second_places,
        tokens=config.second_tokens,
    )
    return reader, load_calibration(config.model), config, second


def index_exists(folder: Path) -> bool:
    """Whether an index has been built in `folder`."""
    return (folder / "index.db").is_file()
