"""Format 2: what it keeps, and how an index of format 1 becomes one."""

import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from index.build import add_document
from index.errors import StoreError
from index.passages import split_passages
from index.search import search
from index.store import SqliteStore
from index.types import Document, Encoder, Section

# the tables as format 1 had them
FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, digest TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX passages_of_document ON passages(document_id, start);
CREATE VIRTUAL TABLE lexicon USING fts5(
    text, content='passages', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
PRAGMA application_id = 1902206769;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(tmp_path: Path, encoder: Encoder, documents: list[Document]) -> Path:
    """An index of format 1, from which a document has been removed."""
    folder = tmp_path / "old"
    folder.mkdir()
    connection = sqlite3.connect(folder / "index.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(FORMAT_1)
    meta = [("encoder", "words"), ("dimension", "64"), ("generation", "5"), ("setting.threshold", "0.4")]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    for document in [*documents, Document("gone.txt", "gone", "Gone.")]:
        cursor = connection.execute(
            "INSERT INTO documents (name, title, digest, text) VALUES (?, ?, ?, ?)",
            (document.name, document.title, f"digest of {document.name}", document.text),
        )
        for passage in split_passages(document.text, words=8, overlap=1):
            row = connection.execute(
                'INSERT INTO passages (document_id, start, "end", text, vector) VALUES (?, ?, ?, ?, ?)',
                (cursor.lastrowid, passage.start, passage.end, passage.text, encoder.encode([passage.text]).tobytes()),
            )
            connection.execute("INSERT INTO lexicon (rowid, text) VALUES (?, ?)", (row.lastrowid, passage.text))
    connection.execute(
        "INSERT INTO lexicon (lexicon, rowid, text) SELECT 'delete', id, text FROM passages WHERE text = 'Gone.'"
    )
    connection.execute("DELETE FROM passages WHERE text = 'Gone.'")
    connection.execute("DELETE FROM documents WHERE name = 'gone.txt'")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder, encoder_name="words", dimension=64)


def version(folder: Path) -> int:
    connection = sqlite3.connect(folder / "index.db")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return int(found)


def answers(store: SqliteStore, encoder: Encoder) -> list[object]:
    questions = ["who runs the bakery", "lighthouse colour", "how many teachers", "when do boats leave"]
    return [
        [(hit.document.name, hit.passage.text, hit.lexical_rank, hit.dense_rank) for hit in search(store, encoder, q)]
        for q in questions
    ]


def test_format_1_is_migrated_in_place(old: Path, encoder: Encoder, documents: list[Document]) -> None:
    store = opened(old)
    assert version(old) == 2
    assert store.problems() == []
    assert store.digests() == {document.name: f"digest of {document.name}" for document in documents}
    assert store.setting("threshold") == "0.4"
    assert store.generation == 5
    assert {entry.name: entry.characters for entry in store.entries()} == {d.name: len(d.text) for d in documents}
    assert all(entry.added is None and entry.source is None and entry.passages == 2 for entry in store.entries())
    assert answers(store, encoder)[0][0][0] == "bakery.txt"  # type: ignore[index]
    before = set(store.documents())
    new = add_document(store, encoder, Document("gone.txt", "gone", "Gone again."))
    assert new == 5 > max(before)  # the id of the one removed is not given again
    assert store.remove("harbour.txt")
    assert store.problems() == []
    store.close()
    assert opened(old).problems() == []


def test_format_1_is_read_as_it_is_where_it_cannot_be_written(
    old: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (old / "index.db").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda *_: False)
        store = opened(old)
        as_it_is = answers(store, encoder)
        assert store.problems() == []
        assert [entry.passages for entry in store.entries()] == [2, 2, 2]
        with pytest.raises(StoreError):
            store.remove("harbour.txt")
        store.close()
    assert (old / "index.db").read_bytes() == content
    assert sorted(path.name for path in old.iterdir()) == ["index.db"]
    store = opened(old)
    assert answers(store, encoder) == as_it_is
    store.close()


def test_a_migration_that_is_cut_short_is_begun_again(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import index.database

    def cut(writer: sqlite3.Connection) -> None:
        writer.execute("ALTER TABLE passages DROP COLUMN vector")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(index.database, "migrate", cut)
        with pytest.raises(KeyboardInterrupt):
            opened(old)
    assert version(old) == 1
    store = opened(old)
    assert store.problems() == []
    store.close()


def test_a_document_comes_back_as_it_was_put(store: SqliteStore, tmp_path: Path) -> None:
    text = "Preface. Chapter one is here. It is long."
    document = Document("a/b.pdf", "B", text, 0, (Section(0, "p. 1"), Section(9, 'Chapter "1"')), "Ada", "2023-09")
    store.put(document, "x", [], np.zeros((0, 64), np.float32), source=str(tmp_path / "b.pdf"))
    (back,) = store.documents().values()
    assert (back.sections, back.author, back.date, back.text) == (document.sections, "Ada", "2023-09", text)
    assert back.place(12) == 'Chapter "1"'
    (entry,) = store.entries()
    assert (entry.name, entry.title, entry.date, entry.passages) == ("a/b.pdf", "B", "2023-09", 0)
    assert entry.source == str(tmp_path / "b.pdf")
    assert entry.characters == len(text)
    assert entry.added is not None
    assert abs((datetime.now(timezone.utc) - datetime.fromisoformat(entry.added)).total_seconds()) < 60


def test_a_batch_is_there_whole_or_not_at_all(store: SqliteStore, encoder: Encoder, documents: list[Document]) -> None:
    with pytest.raises(RuntimeError), store.batch():
        add_document(store, encoder, documents[0])
        raise RuntimeError
    assert store.counts() == (0, 0)
    with store.batch():
        add_document(store, encoder, documents[0])
        with pytest.raises(ValueError, match="shape"):
            store.put(documents[1], "x", [], np.zeros((3, 64), np.float32))
        add_document(store, encoder, documents[2])
        assert store.counts()[0] == 2
    assert set(store.digests()) == {documents[0].name, documents[2].name}
    assert store.problems() == []


def test_a_put_that_fails_in_a_batch_undoes_itself_only(
    store: SqliteStore, encoder: Encoder, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    import index.store

    add_document(store, encoder, documents[1])

    def broken(*_: object) -> int:
        raise sqlite3.IntegrityError("broken")

    with store.batch():
        add_document(store, encoder, documents[0])
        with monkeypatch.context() as patch:
            patch.setattr(index.store, "insert", broken)
            with pytest.raises(StoreError):
                add_document(store, encoder, documents[1])  # what it would replace stays
    assert set(store.digests()) == {documents[0].name, documents[1].name}
    assert store.problems() == []


def test_writing_inside_a_snapshot_is_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="end the snapshot first"), store.snapshot():
        store.remove("x")


def test_many_make_one_index_at_once(tmp_path: Path) -> None:
    """Opening with `create` from several threads, each with its own connections, gives one whole index."""
    import threading

    failures: list[BaseException] = []

    def make() -> None:
        try:
            store = SqliteStore(tmp_path / "one", encoder_name="words", dimension=64, create=True)
            store.put(Document(threading.current_thread().name, "t", ""), "x", [], np.zeros((0, 64), np.float32))
            store.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert opened(tmp_path / "one").counts()[0] == 8


def test_what_is_wrong_is_found(store: SqliteStore, encoder: Encoder, documents: list[Document]) -> None:
    for document in documents:
        add_document(store, encoder, document)
    store.dense(encoder.encode(["x"])[0], 1)
    connection = sqlite3.connect(store.folder / "index.db")
    connection.execute("UPDATE passages SET start = 3 WHERE id = 1")
    connection.execute("UPDATE vectors SET vector = x'00' WHERE id = 2")
    connection.execute("DELETE FROM passages WHERE id = 3")
    connection.commit()
    connection.close()
    found = " ".join(store.problems())
    assert "passage 1 is not the text at its place" in found
    assert "passage 2 has a vector of 1 bytes" in found
    assert "2 passages are there, 3 should be" in found
    assert "the dense index holds passage 3, which is not there" in found
