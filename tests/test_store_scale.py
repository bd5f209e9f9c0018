"""The approximate index: as good as an exact search, kept up with every change, and never trusted as a file."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import index.dense
import index.upkeep
from index.saved import SAVED_NAME
from index.store import SqliteStore
from index.types import Document, Filter, Passage

DIMENSION = 32


def clustered(count: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors in clumps, as embeddings of documents are."""
    centres = np.random.default_rng(7).standard_normal((40, DIMENSION))
    random = np.random.default_rng(seed)
    vectors = centres[random.integers(0, 40, count)] + 0.7 * random.standard_normal((count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def put(store: SqliteStore, name: str, vectors: NDArray[np.float32], word: str = "plain") -> None:
    text = " ".join(f"{word} {name} {number}." for number in range(len(vectors)))
    passages, start = [], 0
    for number in range(len(vectors)):
        sentence = f"{word} {name} {number}."
        passages.append(Passage(start, start + len(sentence), sentence))
        start += len(sentence) + 1
    store.put(Document(name, name, text), "digest", passages, vectors)


def truth(store: SqliteStore) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows = store._database.rows("SELECT id, vector FROM vectors ORDER BY id")
    vectors = [np.frombuffer(blob, np.float32) for _, blob in rows]
    return np.array([identifier for identifier, _ in rows]), np.array(vectors)


def recall(store: SqliteStore, queries: NDArray[np.float32], k: int = 10) -> float:
    ids, vectors = truth(store)
    hits = 0
    for query in queries:
        exact = set(ids[np.argsort(-(vectors @ query))[:k]].tolist())
        found = store.dense(query, k)
        assert all(
            score == pytest.approx(float(vectors[np.searchsorted(ids, i)] @ query), abs=1e-5) for i, score in found
        )
        hits += len(exact & {identifier for identifier, _ in found})
    return hits / (k * len(queries))


def base(store: SqliteStore) -> object:
    return store._dense._views[-1].base


def wait_for_base(store: SqliteStore, old: object = None) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        store.dense(np.eye(DIMENSION, dtype=np.float32)[0], 1)
        if base(store) is not old:
            return
        time.sleep(0.02)
    raise AssertionError("no approximate index was made")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.dense, "FLAT_UP_TO", 600)
    monkeypatch.setattr(index.upkeep, "PATIENCE_S", 0.0)
    monkeypatch.setattr(index.upkeep, "_PAUSE_S", 0.0)


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder, encoder_name="words", dimension=DIMENSION, create=True)


@pytest.fixture
def big(tmp_path: Path) -> Iterator[SqliteStore]:
    store = opened(tmp_path / "big")
    with store.batch():
        for number in range(100):
            put(store, f"{number:03}", clustered(30, number))
    yield store
    store.close()


def test_it_finds_what_an_exact_search_finds(big: SqliteStore) -> None:
    queries = clustered(50, 1000)
    assert recall(big, queries) == 1.0  # exact so far
    big.settle()
    big.dense(queries[0], 1)
    assert base(big) is not None
    assert recall(big, queries) >= 0.97
    assert big.problems() == []


def test_settling_is_done_once_and_read_by_the_next_process(big: SqliteStore) -> None:
    big.settle()
    path = big.folder / SAVED_NAME
    saved = path.stat().st_mtime_ns
    big.settle()
    other = opened(big.folder)
    other.settle()
    assert path.stat().st_mtime_ns == saved
    assert base(other) is not None
    assert len(other._dense._views[-1].rows[0]) == 0
    other.close()


def test_few_passages_need_no_file(store: SqliteStore) -> None:
    store.settle()
    assert not (store.folder / SAVED_NAME).exists()


def test_every_change_is_seen_at_once(big: SqliteStore) -> None:
    big.settle()
    vector = clustered(1, 77)[0]
    put(big, "new", vector[None])
    identifier, score = big.dense(vector, 1)[0]
    assert score == pytest.approx(1.0, abs=1e-5)
    assert big.passages([identifier])[0].text == "plain new 0."
    put(big, "new", -vector[None])
    assert identifier not in [i for i, _ in big.dense(vector, 50)]
    held = big.dense(clustered(1, 5)[0], 1)[0][0]
    document = big.documents([big.passages([held])[0].document_id])
    assert big.remove(next(iter(document.values())).name)
    assert held not in [i for i, _ in big.dense(clustered(1, 5)[0], 50)]
    assert big.problems() == []


def test_changes_are_taken_in_without_making_all_anew(big: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    big.settle()
    first = base(big)
    monkeypatch.setattr(index.upkeep, "train", None)
    monkeypatch.setattr(index.upkeep, "_FEWEST", 0)
    for number in range(10):
        big.remove(f"{number:03}")
    for number in range(25):
        put(big, f"more {number}", clustered(30, 2000 + number))
    wait_for_base(big, first)
    second = base(big)
    assert second.rows == big.counts()[1]  # type: ignore[attr-defined]
    assert recall(big, clustered(50, 1001)) >= 0.97
    assert big.problems() == []


def test_what_was_mostly_removed_is_dropped(big: SqliteStore) -> None:
    big.settle()
    for number in range(40):
        big.remove(f"{number:03}")
    assert big.problems() == []
    big.settle()
    big.dense(clustered(1, 0)[0], 1)
    assert base(big).rows == 1800  # type: ignore[attr-defined]
    assert recall(big, clustered(30, 1002)) >= 0.97


def test_asking_goes_on_while_it_is_made(big: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    real = index.upkeep.train

    def slow(*args: object, **named: object) -> object:
        assert go.wait(20)
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(index.upkeep, "train", slow)
    queries = clustered(20, 1003)
    assert recall(big, queries) == 1.0
    assert big._dense.upkeep.is_busy
    put(big, "meanwhile", clustered(5, 3000))
    big.remove("000")
    assert recall(big, queries) == 1.0
    go.set()
    wait_for_base(big)
    assert recall(big, queries) >= 0.97
    assert big.problems() == []


def damage_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble_label(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-60] + b"\xff" * 40 + content[-20:])


@pytest.mark.parametrize("harm", [damage_middle, cut, empty, garble_label, Path.unlink])
def test_a_damaged_file_is_made_again(big: SqliteStore, harm: object) -> None:
    big.settle()
    harm(big.folder / SAVED_NAME)  # type: ignore[operator]
    other = opened(big.folder)
    queries = clustered(20, 1004)
    assert recall(other, queries) == 1.0
    wait_for_base(other)
    other._dense.upkeep.wait()
    other.close()
    third = opened(big.folder)
    assert recall(third, queries) >= 0.97
    assert base(third) is not None
    assert third.problems() == []
    third.close()


def test_a_file_of_another_index_or_of_the_future_is_not_used(big: SqliteStore, tmp_path: Path) -> None:
    big.settle()
    other = opened(tmp_path / "other")
    with other.batch():
        for number in range(100):
            put(other, f"{number:03}", clustered(30, 500 + number))
    content = (big.folder / SAVED_NAME).read_bytes()
    (other.folder / SAVED_NAME).write_bytes(content)
    assert recall(other, clustered(20, 1)) == 1.0
    other.close()
    # the same database as it was before: generations went back
    (tmp_path / "back").mkdir()
    copy = tmp_path / "back" / "index.db"
    big._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    copy.write_bytes((big.folder / "index.db").read_bytes())
    put(big, "later", clustered(700, 9))
    big.settle()
    (copy.parent / SAVED_NAME).write_bytes((big.folder / SAVED_NAME).read_bytes())
    back = opened(copy.parent)
    assert back.dense(clustered(1, 9)[0], 5)
    assert base(back) is None
    back.close()


def test_more_removals_than_are_remembered(big: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import index.changes

    monkeypatch.setattr(index.changes, "MOST_REMOVALS", 10)
    big.settle()
    assert big.dense(clustered(1, 0)[0], 3)
    for _ in range(40):
        put(big, "again", clustered(2, 8))
    assert big._database.rows("SELECT count(*) FROM removals")[0][0] <= 10
    assert recall(big, clustered(20, 1005)) >= 0.97
    assert big.problems() == []


def test_a_folder_that_cannot_be_written_keeps_it_in_memory(big: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    big._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    monkeypatch.setattr("os.access", lambda *_: False)
    readonly = SqliteStore(big.folder, encoder_name="words", dimension=DIMENSION)
    readonly.settle()
    assert recall(readonly, clustered(20, 1006)) >= 0.97
    assert base(readonly) is not None
    assert not (big.folder / SAVED_NAME).exists()
    assert readonly.problems() == []
    readonly.close()


def test_a_failure_in_the_background_is_told(big: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("no memory")

    monkeypatch.setattr(index.upkeep, "train", broken)
    assert recall(big, clustered(5, 1)) == 1.0
    big._dense.upkeep.wait()
    assert any("no memory" in problem for problem in big.problems())


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("pattern, documents", [("00[0-4]", 5), ("0[0-5]*", 60)])
def test_a_filter_holds_at_any_size(
    big: SqliteStore, monkeypatch: pytest.MonkeyPatch, settled: bool, pattern: str, documents: int
) -> None:
    monkeypatch.setattr(index.dense, "_FEW", 200)
    if settled:
        big.settle()
    put(big, "later", clustered(20, 4))
    allowed = {entry.id for entry in big.entries()[:documents]}
    where = Filter(names=(pattern,))
    ids, vectors = truth(big)
    owners = dict(big._database.rows("SELECT id, document_id FROM passages"))
    inside = np.array([owners[int(i)] in allowed for i in ids])
    hits = 0
    for query in clustered(30, 1007):
        found = [i for i, _ in big.dense(query, 10, where)]
        assert {owners[i] for i in found} <= allowed
        order = np.argsort(-(vectors[inside] @ query))[:10]
        hits += len(set(found) & set(ids[inside][order].tolist()))
    assert hits >= 0.97 * 300


def test_searching_while_writing_is_refused(big: SqliteStore) -> None:
    from index.errors import StoreError

    with pytest.raises(StoreError, match="search when the write is done"), big.batch():
        big.dense(clustered(1, 0)[0], 1)
