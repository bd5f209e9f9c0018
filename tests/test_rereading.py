"""The second reader: what it is given to read, when it is asked, and how the two are heard together."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import WordReader
from hypothesis import given
from hypothesis import strategies as st

from index.build import add_document
from index.errors import ModelError
from index.store import SqliteStore
from index.types import Document, Encoder
from qa.confidence import Calibration
from qa.config import Config
from qa.pipeline import Answerer
from qa.rereading import Rereading, ranges_around
from qa.types import Reader, SpanLogits, Tokens
from qa.windows import TokenRange

FIRST = Calibration(bias=0.0, weights=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), threshold=0.5)
SECOND = dataclasses.replace(FIRST, threshold=0.9)
SENTENCES = [(0, 10), (10, 25), (25, 30), (30, 60)]


class Contrary(WordReader):
    """Says the word *before* the question's last word, and counts what it was given to read."""

    name = "contrary"

    def __init__(self) -> None:
        self.given: list[int] = []

    def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
        found = []
        for question, window in pairs:
            self.given.append(len(window))
            logits = np.full(len(window), -5.0, np.float32)
            places = np.flatnonzero(window.ids[1:] == question.ids[-1])
            logits[places] = 20.0
            found.append(SpanLogits(logits, logits.copy(), 0.0))
        return found


class Letters(WordReader):
    """Cuts every text into one token."""

    def tokenize(self, text: str) -> Tokens:
        return Tokens(np.zeros(1, np.int64), np.array([[0, len(text)]], np.int64))


def answerer(
    store: SqliteStore, encoder: Encoder, reader: Reader, second: Reader, unsure: tuple[float, float] = (0.0, 1.0)
) -> Answerer:
    again = Rereading(second, SECOND, reader, share=0.5, places=2, tokens=8)
    return Answerer(store, encoder, reader, FIRST, Config(window_tokens=64, unsure=unsure), again)


def test_both_readers_are_heard(
    store: SqliteStore, encoder: Encoder, reader: Reader, documents: list[Document]
) -> None:
    for document in documents:
        add_document(store, encoder, document, words=8)
    second = Contrary()
    answer = answerer(store, encoder, reader, second).ask("lighthouse is")
    assert answer.text == "lighthouse"  # the second is the surer one
    assert answer.evidence is not None
    assert answer.evidence.document.name == "harbour.txt"
    assert second.given
    assert max(second.given) <= 8


def test_a_sure_answer_is_not_read_again(
    store: SqliteStore, encoder: Encoder, reader: Reader, documents: list[Document]
) -> None:
    for document in documents:
        add_document(store, encoder, document, words=8)
    second = Contrary()
    asked = answerer(store, encoder, reader, second, unsure=(0.1, 0.9))
    assert asked.ask("lighthouse is").text == "green"
    assert asked.ask("who painted the submarine").text is None
    assert not second.given


def test_the_second_reader_has_a_threshold_of_its_own(
    store: SqliteStore, encoder: Encoder, reader: Reader, documents: list[Document]
) -> None:
    for document in documents:
        add_document(store, encoder, document, words=8)
    asked = answerer(store, encoder, reader, reader)
    asked.reading.second = Rereading(
        reader, dataclasses.replace(SECOND, weights=(0.2,) + (0.0,) * 5), reader, share=0.5, places=2, tokens=8
    )
    answer = asked.ask("lighthouse is")
    assert answer.text is None
    assert 0.5 < answer.confidence < 0.9
    assert answer.alternatives[0].text == "green"


def test_readers_that_cut_text_differently_are_refused(reader: Reader) -> None:
    with pytest.raises(ModelError, match="cannot be used together"):
        Rereading(Letters(), SECOND, reader, share=0.5, places=2, tokens=8)


def test_a_stretch_is_made_of_whole_sentences() -> None:
    assert ranges_around([(26, 27)], SENTENCES, 60, most=24) == [TokenRange(10, 30)]
    assert ranges_around([(26, 27)], SENTENCES, 60, most=40) == [TokenRange(0, 30)]
    assert ranges_around([(8, 12)], SENTENCES, 60, most=25) == [TokenRange(0, 25)]


def test_a_place_that_an_earlier_stretch_holds_gets_none() -> None:
    assert ranges_around([(26, 27), (12, 13), (40, 41)], SENTENCES, 60, most=32) == [
        TokenRange(0, 30),
        TokenRange(30, 60),
    ]


def test_a_sentence_that_is_too_long_is_cut_around_the_place() -> None:
    assert ranges_around([(45, 47)], SENTENCES, 60, most=10) == [TokenRange(41, 51)]
    assert ranges_around([(58, 60)], SENTENCES, 60, most=10) == [TokenRange(50, 60)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.data(), st.integers(4, 80))
def test_stretches_fit_and_hold_their_places(sizes: list[int], data: st.DataObject, most: int) -> None:
    edges = np.cumsum([0, *sizes]).tolist()
    length = edges[-1]
    places = data.draw(
        st.lists(
            st.integers(0, length - 1).flatmap(
                lambda first: st.integers(first + 1, min(length, first + 4)).map(lambda last: (first, last))
            ),
            max_size=5,
        )
    )
    ranges = ranges_around(places, list(itertools.pairwise(edges)), length, most=most)
    assert all(0 <= r.first < r.last <= length and r.last - r.first <= most for r in ranges)
    for first, last in places:
        assert any(r.first <= first and last <= r.last for r in ranges)
