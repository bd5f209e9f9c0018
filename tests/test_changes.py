"""Answers that changed, and questions that found none."""

import dataclasses
import os
import stat
from pathlib import Path

import pytest
from conftest import WordEncoder, WordReader

from index.build import add_document
from index.store import SqliteStore
from index.types import Document
from qa import Answerer, Config, QuestionError, unanswered
from qa.changes import Kept, ask_all, compare, read_kept, read_questions, write_kept
from qa.confidence import load_calibration
from qa.config import MODEL_FOLDER
from qa.unanswered import Unanswered, clusters, forget_unanswered, note_unanswered, read_unanswered


@pytest.fixture
def answerer(store: SqliteStore) -> Answerer:
    config = Config(index=store.folder, threshold=0.5, window_tokens=64, mend=False)
    return Answerer(store, WordEncoder(), WordReader(), load_calibration(MODEL_FOLDER), config)


def kept(answer: str | None, document: str | None = "a", sentence: str | None = "It is so.") -> Kept:
    return Kept("why?", answer, 0.9, None if answer is None else document, sentence, 0, 1)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (kept("so"), kept("so"), None),
        (kept(None), kept(None), None),
        (kept("so"), dataclasses.replace(kept("so"), start=7, end=9, confidence=0.1), None),
        (kept("so"), kept("so", sentence="It  is\nso."), None),
        (kept(None), kept("so"), "answered now"),
        (kept("so"), kept(None), "not answered any more"),
        (kept("so"), kept("not so"), "another answer"),
        (kept("so"), kept("so", "b"), "another document"),
        (kept("so"), kept("so", sentence="It was so."), "another sentence"),
    ],
)
def test_what_counts_as_changed(old: Kept, new: Kept, what: str | None) -> None:
    assert [change.what for change in compare([old], [new])] == ([] if what is None else [what])


def test_answers_are_kept_and_compared(answerer: Answerer, store: SqliteStore, tmp_path: Path) -> None:
    encoder = WordEncoder()
    add_document(store, encoder, Document("ferry.txt", "", "The ferry Aurora sails."))
    add_document(store, encoder, Document("bell.txt", "", "The bell bronze rings."))
    before = ask_all(answerer, ["what is the ferry?", "which bell?"])
    assert [one.answer for one in before] == ["Aurora", "bronze"]
    write_kept(tmp_path / "kept.jsonl", before)
    assert read_kept(tmp_path / "kept.jsonl") == before
    assert read_questions(tmp_path / "kept.jsonl") == ["what is the ferry?", "which bell?"]
    add_document(store, encoder, Document("ferry.txt", "", "The ferry Borea sails."))
    changes = compare(before, ask_all(answerer, [one.question for one in before]))
    assert [(c.what, c.before.answer, c.now.answer) for c in changes] == [("another answer", "Aurora", "Borea")]


def test_files_of_questions(tmp_path: Path) -> None:
    path = tmp_path / "q"
    path.write_text("who?\n\n  when? \nwho?\n")
    assert read_questions(path) == ["who?", "when?"]
    for content in ("", "\n \n", '{"answer": 1}', "{broken"):
        path.write_text(content)
        with pytest.raises(QuestionError, match=str(path)):
            read_questions(path)
    path.write_text('{"question": "who?"}')
    with pytest.raises(QuestionError, match="qa diff --save"):
        read_kept(path)
    with pytest.raises(QuestionError, match="cannot be read"):
        read_questions(tmp_path / "nowhere")


def test_only_questions_without_an_answer_are_kept(answerer: Answerer, store: SqliteStore) -> None:
    add_document(store, WordEncoder(), Document("ferry.txt", "", "The ferry Aurora sails."))
    assert not note_unanswered(answerer, answerer.ask("what is the ferry?"))
    assert read_unanswered(store.folder) == []
    assert note_unanswered(answerer, answerer.ask("who is the “captain”?"))
    found = read_unanswered(store.folder)
    assert [one.question for one in found] == ["who is the “captain”?"]
    path = store.folder / unanswered.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(dataclasses.asdict(found[0])) == {"question", "when", "confidence"}
    forget_unanswered(store.folder)
    assert read_unanswered(store.folder) == []


def test_it_can_be_switched_off(answerer: Answerer, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    add_document(store, WordEncoder(), Document("ferry.txt", "", "The ferry Aurora sails."))
    nothing = answerer.ask("who is the captain?")
    monkeypatch.setenv("QA_LOG_QUESTIONS", "0")
    assert not Config().log_questions
    answerer.config = dataclasses.replace(answerer.config, log_questions=False)
    assert not note_unanswered(answerer, nothing)
    answerer.config = dataclasses.replace(answerer.config, log_questions=True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # an index that is only read
    assert not note_unanswered(answerer, nothing)
    assert read_unanswered(store.folder) == []


def test_the_file_does_not_grow_without_end(
    answerer: Answerer, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_document(store, WordEncoder(), Document("ferry.txt", "", "The ferry Aurora sails."))
    monkeypatch.setattr(unanswered, "MAX_BYTES", 1000)
    nothing = answerer.ask("who is the captain?")
    for _ in range(60):
        note_unanswered(answerer, nothing)
    sizes = [path.stat().st_size for path in store.folder.glob("unanswered*")]
    assert sum(sizes) < 2300
    assert 8 < len(read_unanswered(store.folder)) < 30


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / unanswered.FILE_NAME).write_bytes(
        b'{"question": "who?", "when": "2026-01-02", "confidence": 0.1}\n{"quest\n\xff\n[]\n'
    )
    assert read_unanswered(tmp_path) == [Unanswered("who?", "2026-01-02", 0.1)]


def test_questions_alike_are_together() -> None:
    asked = [
        Unanswered("who is the captain of the ferry?", "2026-01-01", 0.1),
        Unanswered("who is captain of the ferry?", "2026-01-05", 0.1),
        Unanswered("who is the captain of the ferry?", "2026-01-03", 0.1),
        Unanswered("what does rye bread cost?", "2026-01-02", 0.2),
    ]
    first, second = clusters(asked, WordEncoder())
    assert first.asked == 3
    assert first.questions == ("who is the captain of the ferry?", "who is captain of the ferry?")
    assert first.last == "2026-01-05"
    assert (second.asked, second.questions) == (1, ("what does rye bread cost?",))
    assert clusters([], WordEncoder()) == []
