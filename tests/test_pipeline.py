import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.build import add_document
from index.store import SqliteStore
from index.types import Document, Encoder
from qa.confidence import Calibration
from qa.config import Config
from qa.errors import QuestionError
from qa.nothing import NoEncoder, NoStore
from qa.pipeline import Answerer
from qa.question import clean_question
from qa.types import Reader

CALIBRATION = Calibration(bias=0.0, weights=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), threshold=0.5)


@pytest.fixture
def answerer(store: SqliteStore, encoder: Encoder, reader: Reader, documents: list[Document]) -> Answerer:
    for document in documents:
        add_document(store, encoder, document, words=8)
    return Answerer(store, encoder, reader, CALIBRATION, Config(window_tokens=64))


@pytest.mark.parametrize(
    ("question", "text", "name"),
    [
        ("lighthouse is", "green", "harbour.txt"),
        ("run by", "Ada", "bakery.txt"),
        ("the bell is", "bronze", "school.txt"),
    ],
)
def test_the_answer_is_a_span_of_its_document(answerer: Answerer, question: str, text: str, name: str) -> None:
    answer = answerer.ask(question)
    assert answer.text == str(answer) == text
    evidence = answer.evidence
    assert evidence is not None
    assert evidence.document.name == name
    assert evidence.document.text[evidence.start : evidence.end] == text
    assert evidence.document.text[evidence.sentence_start : evidence.sentence_end] == evidence.sentence
    assert text in evidence.sentence
    assert evidence.sentence.endswith(".")
    assert answer.confidence > 0.9
    assert name in {hit.document.name for hit in answer.passages}


def test_what_the_documents_do_not_say(answerer: Answerer) -> None:
    answer = answerer.ask("who painted the submarine")
    assert answer.text is None
    assert answer.evidence is None
    assert str(answer) == "The documents don't say."
    assert answer.confidence < 0.5
    assert answer.passages


def test_the_threshold_decides(answerer: Answerer) -> None:
    strict = Answerer(
        answerer.store, answerer.encoder, answerer.reader, CALIBRATION, Config(window_tokens=64, threshold=1.0)
    )
    answer = strict.ask("lighthouse is")
    assert answer.text is None
    assert answer.alternatives[0].text == "green"


def test_a_follow_up_is_looked_for_where_the_last_turn_was(answerer: Answerer) -> None:
    def first(after: str) -> str:
        return answerer.retrieve("why was it?", after)[0][0].document.name

    assert first("who painted the lighthouse in the harbour?") == "harbour.txt"
    assert first("who rings the bell of the school?") == "school.txt"


def test_an_empty_index_answers_nothing(store: SqliteStore, encoder: Encoder, reader: Reader) -> None:
    answer = Answerer(store, encoder, reader, CALIBRATION).ask("anything at all?")
    assert answer.text is None
    assert answer.passages == ()


@pytest.mark.parametrize("question", ["", " \n\t", "?!", "\x00\x01", "🙂", "..."])
def test_questions_without_words_are_refused(answerer: Answerer, question: str) -> None:
    with pytest.raises(QuestionError, match="the question is empty"):
        answerer.ask(question)


def test_an_endless_question_is_refused(answerer: Answerer) -> None:
    with pytest.raises(QuestionError, match=r"50,000 characters, at most 2,000"):
        answerer.ask("x" * 50_000)
    with pytest.raises(QuestionError, match="must be text, got int"):
        answerer.ask(5)  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=200)
def test_cleaning_keeps_what_is_typed(question: str) -> None:
    try:
        cleaned = clean_question(question, longest=2000)
    except QuestionError:
        assert not any(c.isalnum() for c in question)
        return
    assert clean_question(cleaned, longest=2000) == cleaned
    assert [c for c in cleaned if c.isalnum()] == [c for c in question if c.isalnum()]
    assert "\n" not in cleaned


@pytest.mark.parametrize(
    "question",
    [
        "who\x00 plays\x1b[31m Werner?",
        "wer spielt Werner?",
        "Кто играет?",
        "谁演的",
        "who plays 🙂 Werner",
        "lighthouse is " * 120,
    ],
)
def test_odd_questions_are_answered_or_refused_quietly(answerer: Answerer, question: str) -> None:
    assert answerer.ask(question).question


def test_many_threads_and_a_rebuild(answerer: Answerer, store: SqliteStore, encoder: Encoder) -> None:
    failures: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                if answerer.ask("lighthouse is").text != "green":
                    failures.append("another answer")
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(40):
        text = f"The harbour opened in {1902 + number}. Its lighthouse is green. Boats leave at noon."
        add_document(store, encoder, Document("harbour.txt", "The harbour", text), words=8)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_given_text_is_read_whole(reader: Reader, documents: list[Document]) -> None:
    answerer = Answerer(NoStore(), NoEncoder(), reader, CALIBRATION)
    filler = "Nothing of note stands in this sentence. " * 40
    long = Document("long", "long", filler + "The lighthouse is green. " + filler)
    answers = answerer.ask_given(["lighthouse is", "the oven"], long)
    assert answers[0].text == "green"
    assert answers[0].evidence is not None
    assert answers[0].evidence.sentence == "The lighthouse is green."
    assert answers[1].text is None


@pytest.mark.parametrize(
    "wrong", [{"hits": 0}, {"window_tokens": 9}, {"threshold": 1.5}, {"windows": -1}, {"threads": 2.5}]
)
def test_nonsense_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Config(**wrong)  # type: ignore[arg-type]


def test_config_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QA_INDEX", str(tmp_path / "i"))
    monkeypatch.setenv("QA_SEEDS", str(tmp_path / "s"))
    assert Config().index == tmp_path / "i"
    assert Config().seeds == tmp_path / "s"
    monkeypatch.delenv("QA_INDEX")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    one = Config().index
    monkeypatch.setenv("QA_SEEDS", str(tmp_path / "other"))
    assert one.parent == Config().index.parent == tmp_path / "qa"
    assert one != Config().index


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"second_places": 0}, "second_places must be a whole number of at least 1, got 0"),
        ({"second_tokens": 8}, "second_tokens must be between 16 and 400, got 8"),
        ({"second_share": 1.5}, r"second_share must be between 0 and 1, got 1\.5"),
        ({"unsure": (0.6, 0.4)}, "unsure must be two rising confidences"),
    ],
)
def test_settings_of_a_second_reader_that_make_no_sense(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(**values)
