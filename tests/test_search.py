import pytest

from index.build import add_document
from index.errors import OutdatedError
from index.search import in_one_state, reciprocal_rank_fusion, search, with_the_first
from index.store import SqliteStore
from index.types import Document, Encoder, Filter


def test_fusion_by_hand() -> None:
    fused = reciprocal_rank_fusion([[1, 2, 3], [3, 1]], k=60)
    assert [identifier for identifier, _ in fused] == [1, 3, 2]
    assert dict(fused) == pytest.approx({1: 1 / 61 + 1 / 62, 3: 1 / 63 + 1 / 61, 2: 1 / 62})


def test_fusion_breaks_ties_by_id() -> None:
    assert [identifier for identifier, _ in reciprocal_rank_fusion([[7], [4]])] == [4, 7]


def test_each_question_finds_its_document(store: SqliteStore, encoder: Encoder, documents: list[Document]) -> None:
    for document in documents:
        add_document(store, encoder, document)
    for question, wanted in [("who runs the bakery", "bakery"), ("lighthouse colour", "harbour"), ("bell", "school")]:
        hits = search(store, encoder, question, k=2)
        assert hits[0].document.name == f"{wanted}.txt"
        assert hits[0].passage.text == hits[0].document.text[hits[0].passage.start : hits[0].passage.end]
        assert hits[0].lexical_rank == 1
        assert len(hits) == 2


def test_words_of_asking_alone_match_nothing_lexically(
    store: SqliteStore, encoder: Encoder, documents: list[Document]
) -> None:
    for document in documents:
        add_document(store, encoder, document)
    hits = search(store, encoder, "what is it?")
    assert hits
    assert all(hit.lexical_rank is None and hit.dense_rank is not None for hit in hits)


@pytest.mark.parametrize(
    "question", ['"', "a AND (b", "NEAR(", "x*", "-", "'; DROP TABLE passages; --", "日本語", "🙂"]
)
def test_query_syntax_is_no_syntax(
    store: SqliteStore, encoder: Encoder, documents: list[Document], question: str
) -> None:
    add_document(store, encoder, documents[0])
    assert search(store, encoder, question) is not None


def test_an_empty_index_finds_nothing(store: SqliteStore, encoder: Encoder) -> None:
    assert search(store, encoder, "anything") == []
    with pytest.raises(ValueError, match="at least 1"):
        search(store, encoder, "anything", k=0)


def put_dated(store: SqliteStore, encoder: Encoder, name: str, date: str | None, text: str) -> int:
    return add_document(store, encoder, Document(name, name, text, date=date))


@pytest.fixture
def dated(store: SqliteStore, encoder: Encoder) -> SqliteStore:
    put_dated(store, encoder, "reports/2022/a.txt", "2022", "The ferry sank in a storm near the island.")
    put_dated(store, encoder, "reports/2023/b.txt", "2023-06-15", "The ferry was raised by a crane from the sea.")
    put_dated(store, encoder, "reports/2023/c.txt", "2023-09", "The ferry sails again with a new captain.")
    put_dated(store, encoder, "reports.txt", None, "A ferry is a boat for people and cars.")
    put_dated(store, encoder, "notes/[x].txt", "2024-01-01", "The ferry will be sold, says a note.")
    return store


@pytest.mark.parametrize(
    "where, wanted",
    [
        (Filter(), "a b c reports x"),
        (Filter(names=("reports",)), "a b c"),
        (Filter(names=("reports/2023/",)), "b c"),
        (Filter(names=("reports.txt",)), "reports"),
        (Filter(names=("reports/*/c.txt", "reports.txt")), "c reports"),
        (Filter(names=("notes/[x].txt",)), "x"),
        (Filter(names=("*.txt",)), "a b c reports x"),
        (Filter(names=("REPORTS",)), ""),
        (Filter(since="2023"), "b c x"),
        (Filter(since="2022-05"), "a b c x"),  # "2022" may be after May
        (Filter(until="2023-06-15"), "a b"),
        (Filter(until="2023-06-14"), "a"),
        (Filter(since="2023-06-16", until="2023-12-31"), "c"),
        (Filter(since="2023-09-30", until="2023-10"), "c"),
        (Filter(names=("reports",), since="2023-07"), "c"),
        (Filter(documents=()), ""),
    ],
)
def test_filters(dated: SqliteStore, encoder: Encoder, where: Filter, wanted: str) -> None:
    hits = search(dated, encoder, "where is the ferry", where=where)
    found = sorted(hit.document.name for hit in hits)
    names = {"a": "reports/2022/a.txt", "b": "reports/2023/b.txt", "c": "reports/2023/c.txt"}
    names |= {"reports": "reports.txt", "x": "notes/[x].txt"}
    assert found == sorted(names[short] for short in wanted.split())
    assert all(hit.lexical_rank is not None and hit.dense_rank is not None for hit in hits)


def test_a_filter_by_documents(dated: SqliteStore, encoder: Encoder) -> None:
    by_name = {document.name: identifier for identifier, document in dated.documents().items()}
    where = Filter(documents=(by_name["reports.txt"], 999))
    assert [hit.document.name for hit in search(dated, encoder, "ferry", where=where)] == ["reports.txt"]
    put_dated(dated, encoder, "new.txt", None, "Another ferry.")
    assert len(search(dated, encoder, "ferry", where=Filter(names=("*",)))) == 6


@pytest.mark.parametrize("date", ["yesterday", "2023-6", "23", "2023-06-15T10:00"])
def test_a_date_that_is_none(date: str) -> None:
    with pytest.raises(ValueError, match="2023-09-14"):
        Filter(since=date)
    with pytest.raises(TypeError, match="tuple"):
        Filter(names="reports")  # type: ignore[arg-type]


LONG = "The old mill by the river was built of grey stone and still grinds corn for people of the village every week"


def test_repeats_are_left_out(store: SqliteStore, encoder: Encoder) -> None:
    add_document(store, encoder, Document("1", "1", f"{LONG} in 1902."))
    add_document(store, encoder, Document("2", "2", f"{LONG.upper()}, in 1902!"))  # the same words
    add_document(store, encoder, Document("3", "3", f"{LONG.replace('still', 'still')} there in 1902."))  # nearly
    add_document(store, encoder, Document("4", "4", f"{LONG} in 1903."))  # another year
    add_document(store, encoder, Document("5", "5", f"{LONG.replace('still', 'never')} in 1902."))  # the contrary
    add_document(store, encoder, Document("6", "6", f"{LONG.replace('old', 'Ada')} in 1902."))  # a name
    add_document(store, encoder, Document("7", "7", "A mill in the river valley."))
    hits = search(store, encoder, f"{LONG} in 1902", k=8)
    names = [hit.document.name for hit in hits]
    assert names[0] in {"1", "2", "3"}
    assert sorted(names[1:]) == ["4", "5", "6", "7"]


def test_a_crowd_of_repeats_does_not_hide_the_rest(store: SqliteStore, encoder: Encoder) -> None:
    with store.batch():
        for number in range(200):
            add_document(store, encoder, Document(f"{number}", "t", f"{LONG}."))
        add_document(store, encoder, Document("other", "t", "A mill grinds corn."))
    hits = search(store, encoder, "mill that grinds corn for the village", k=3)
    assert [hit.document.name for hit in hits][1:] == ["other"] or hits[0].document.name == "other"
    assert len(hits) == 2


def test_one_state_is_kept_trying_for(store: SqliteStore) -> None:
    tried = []

    def outdated() -> None:
        tried.append(1)
        raise OutdatedError

    with pytest.raises(OutdatedError, match="faster"):
        in_one_state(store, outdated)
    assert len(tried) == 100


def test_the_first_of_each_ranking_are_among_the_hits() -> None:
    assert with_the_first([1, 2, 3, 4, 5, 6, 7, 8], [[7, 5], [1, 2]], 4) == [1, 2, 5, 7, 3, 4, 6, 8]
    assert with_the_first([1, 2, 3, 4, 5, 6], [[1, 5], [6, 2]], 4, 1) == [1, 2, 3, 6, 4, 5]
    assert with_the_first([1, 2, 3], [[3, 2], []], 8) == [1, 2, 3]
    assert with_the_first([1, 2, 3], [[3], [2]], 1) == [1, 2, 3]  # the best of both stays the best
