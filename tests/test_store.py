import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from index.build import add_document, build_folder
from index.errors import EncoderMismatchError, StoreError, StoreWriteError
from index.search import search
from index.store import SqliteStore
from index.types import Document, Encoder


def open_store(folder: Path, name: str = "words", *, create: bool = False) -> SqliteStore:
    return SqliteStore(folder, encoder_name=name, dimension=64, create=create)


def test_replacing_and_removing_leave_nothing_behind(
    store: SqliteStore, encoder: Encoder, documents: list[Document]
) -> None:
    for document in documents:
        add_document(store, encoder, document)
    before = store.generation
    add_document(store, encoder, Document("bakery.txt", "The bakery", "The bakery has burnt down."))
    assert store.generation == before + 1
    assert store.counts()[0] == 3
    assert store.lexical("rye", 5) == []
    assert store.remove("harbour.txt")
    assert not store.remove("harbour.txt")
    assert store.lexical("lighthouse", 5) == []
    assert {hit.document.name for hit in search(store, encoder, "green lighthouse harbour")} == {
        "bakery.txt",
        "school.txt",
    }
    assert store.problems() == []


def test_dense_search_sees_what_another_process_wrote(
    store: SqliteStore, encoder: Encoder, documents: list[Document]
) -> None:
    add_document(store, encoder, documents[0])
    vector = encoder.encode(["the oven is wood fired"])[0]
    assert {identifier for identifier, _ in store.dense(vector, 5)}
    other = open_store(store.folder)
    add_document(other, encoder, documents[1])
    other.close()
    best, cosine = store.dense(vector, 1)[0]
    assert store.passages([best])[0].text.startswith("The bakery")
    assert 0 < cosine <= 1.0001


def test_dense_scores_are_cosines(store: SqliteStore, encoder: Encoder, documents: list[Document]) -> None:
    for document in documents:
        add_document(store, encoder, document)
    text = documents[2].text
    found = store.dense(encoder.encode([text])[0], 3)
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_shapes_are_checked(store: SqliteStore, documents: list[Document]) -> None:
    with pytest.raises(ValueError, match="shape"):
        store.put(documents[0], "x", [], np.zeros((1, 64), np.float32))
    with pytest.raises(ValueError, match="shape"):
        store.dense(np.zeros(3, np.float32), 1)


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run `qa build`"):
        open_store(tmp_path / "none")


def test_another_encoder(store: SqliteStore) -> None:
    with pytest.raises(EncoderMismatchError, match=r"built with the encoder words.*--fresh"):
        open_store(store.folder, "other")


@pytest.mark.parametrize("content", [b"not a database at all, but a longer text than sixteen bytes", b"\x00" * 4096])
def test_a_foreign_file_is_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.db").write_bytes(content)
    for create in (False, True):
        with pytest.raises(StoreError, match="not an index of this program"):
            open_store(tmp_path, create=create)
    assert (tmp_path / "index.db").read_bytes() == content


def test_a_foreign_database_is_not_touched(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "index.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="not an index of this program"):
        open_store(tmp_path, create=True)


def test_a_truncated_file_is_told(store: SqliteStore, encoder: Encoder) -> None:
    for number in range(40):
        add_document(store, encoder, Document(f"{number}.txt", "t", f"Text number {number}. " * 40))
    store.close()
    path = store.folder / "index.db"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError, match=r"damaged.*--fresh"):
        damaged = open_store(store.folder)
        damaged.problems()
        search(damaged, encoder, "text number")


@pytest.mark.parametrize("folder", ["/dev/null/index", "/proc/nowhere/index"])
def test_a_folder_that_cannot_be_made(folder: str) -> None:
    with pytest.raises(StoreWriteError, match="choose another"):
        open_store(Path(folder), create=True)


def test_threads_read_while_one_writes(store: SqliteStore, encoder: Encoder, documents: list[Document]) -> None:
    add_document(store, encoder, documents[0])
    failures: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            while not stop.is_set():
                hits = search(store, encoder, "harbour lighthouse")
                assert hits[0].document.name == "harbour.txt"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(60):
        add_document(store, encoder, Document("other.txt", "other", f"Something else, round {number}."))
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.counts() == (2, 2)


def test_a_killed_build_keeps_what_it_reported(tmp_path: Path) -> None:
    """A real process is killed half-way; all it said was done is there, and the index is whole."""
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(200):
        (texts / f"{number:03}.txt").write_text(f"Document number {number} is about topic{number}. " * 30)
    code = """
        import sys
        from pathlib import Path
        sys.path.insert(0, "tests")
        from conftest import WordEncoder
        from index.build import build_folder
        from index.store import SqliteStore
        store = SqliteStore(Path(sys.argv[1]), encoder_name="words", dimension=64, create=True)
        build_folder(store, Path(sys.argv[2]), WordEncoder, progress=lambda done, of: print(done, flush=True))
    """
    for kill_at in (1, 17, 60):
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "index"), str(texts)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
            assert process.stdout is not None
            before = len(open_store(tmp_path / "index").digests()) if (tmp_path / "index").exists() else 0
            for line in process.stdout:
                if int(line) >= kill_at:
                    process.send_signal(signal.SIGKILL)
                    break
            done = int(line)
        store = open_store(tmp_path / "index")
        assert store.problems() == []
        assert store.counts()[0] >= before + done
        store.close()
    from conftest import WordEncoder

    store = open_store(tmp_path / "index")
    report = build_folder(store, texts, WordEncoder)
    assert len(report.unchanged) >= 78
    assert store.counts()[0] == 200
    assert store.problems() == []
    store.close()
