import pytest

from index.build import add_document
from index.search import reciprocal_rank_fusion, search
from index.store import SqliteStore
from index.types import Document, Encoder


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
