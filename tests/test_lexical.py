"""BM25 with bounded work finds what BM25 over every match finds."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

import index.lexical
from index.store import SqliteStore
from index.types import Document, Filter, Passage

COMMON = [f"common{number}" for number in range(6)]
MIDDLE = [f"middle{number}" for number in range(40)]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """2000 passages: each of common, of less common and of one rare word."""
    store = SqliteStore(tmp_path_factory.mktemp("lexical"), encoder_name="none", dimension=4, create=True)
    words = random.Random(3)
    with store.batch():
        for number in range(200):
            passages, start = [], 0
            for place in range(10):
                chosen = words.choices(COMMON, k=8) + words.choices(MIDDLE, k=4) + [f"rare{number * 10 + place}"]
                words.shuffle(chosen)
                text = " ".join(chosen) + "."
                passages.append(Passage(start, start + len(text), text))
                start += len(text) + 1
            whole = " ".join(passage.text for passage in passages)
            store.put(Document(f"{number:03}", "t", whole), "x", passages, np.zeros((10, 4), np.float32))
    yield store
    store.close()


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.lexical, "_EXACT", 50)
    monkeypatch.setattr(index.lexical, "_ENOUGH", 100)
    monkeypatch.setattr(index.lexical, "_CHOSEN", 500)


def full(store: SqliteStore, question: str, k: int) -> list[int]:
    match = " OR ".join(f'"{word}"' for word in question.split())
    statement = "SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY bm25(lexicon), rowid LIMIT ?"
    return [row[0] for row in store._database.rows(statement, (match, k))]


def test_a_rare_word_decides(crowd: SqliteStore) -> None:
    for number in (0, 777, 1999):
        question = f"common0 rare{number} common1 middle3"
        found = crowd.lexical(question, 10)
        assert found[0] == number + 1 == full(crowd, question, 1)[0]


def test_what_is_found_is_as_good_as_in_full(crowd: SqliteStore) -> None:
    """Ten of many that tie may be others, but not worse ones: BM25's own scores, added up, are nearly the most."""
    ours = most = 0.0
    words = random.Random(5)
    statement = "SELECT rowid, -bm25(lexicon) FROM lexicon WHERE lexicon MATCH ?"
    for _ in range(30):
        question = [*words.sample(MIDDLE, 3), *words.sample(COMMON, 2)]
        scores = dict(crowd._database.rows(statement, (" OR ".join(f'"{word}"' for word in question),)))
        found = crowd.lexical(" ".join(question), 10)
        assert len(found) == 10
        ours += sum(scores[identifier] for identifier in found)
        most += sum(sorted(scores.values())[-10:])
    assert ours > 0.95 * most


def test_common_words_alone_find_passages_that_hold_them(crowd: SqliteStore) -> None:
    found = crowd.lexical("common0 common1 common2", 10)
    assert len(found) == 10
    assert all("common0" in p.text and "common1" in p.text for p in crowd.passages(found))
    assert len(crowd.lexical("common3", 10)) == 10


def test_inflected_words_meet(crowd: SqliteStore) -> None:
    assert crowd.lexical("rares5", 1) == crowd.lexical("rare5", 1) or crowd.lexical("RARE5", 1) == [6]


def test_a_word_that_was_unknown_is_found_once_it_is_there(crowd: SqliteStore) -> None:
    assert crowd.lexical("zebra", 5) == []
    passage = Passage(0, 20, "A zebra common0 here")
    identifier = crowd.put(Document("zebra", "t", "A zebra common0 here"), "x", [passage], np.zeros((1, 4), np.float32))
    assert [p.document_id for p in crowd.passages(crowd.lexical("zebra", 5))] == [identifier]
    assert crowd.passages(crowd.lexical("zebra common0 common1", 5))[0].document_id == identifier
    crowd.remove("zebra")
    assert crowd.lexical("zebra", 5) == []


def test_a_filter_confines_common_and_rare_words(crowd: SqliteStore) -> None:
    where = Filter(names=("15*",))
    inside = {i for i, document in crowd.documents().items() if document.name.startswith("15")}
    for question in ("common0 common1", "middle1 middle2 common0", "rare1505", "common4"):
        found = crowd.passages(crowd.lexical(question, 10, where))
        assert found
        assert {passage.document_id for passage in found} <= inside
    assert crowd.lexical("rare1", 10, where) == []
    scattered = Filter(names=("*7",))
    found = crowd.passages(crowd.lexical("middle1 middle2 common0", 10, scattered))
    assert len(found) == 10
    assert all(crowd.documents([p.document_id])[p.document_id].name.endswith("7") for p in found)
