"""Lexical and dense results into one ranking. Pure functions but for the store they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from index.duplicates import without_repeats
from index.errors import OutdatedError
from index.types import Encoder, Filter, Hit, Passage, Store

__all__ = ["in_one_state", "rank", "reciprocal_rank_fusion", "search", "with_the_first"]

T = TypeVar("T")

_TRIES = 100
_DEEPER = 4  # when repeats leave too few passages
_DEEPEST = 512
_FIRST = 2  # of each ranking that are among the hits in any case
_SPARE = 4  # passages read more than are wanted, for the repeats among them


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], k: int = 60) -> list[tuple[int, float]]:
    """Fuse rankings of ids: each contributes 1 / (k + rank), ranks from 1 (Cormack, Clarke & Büttcher 2009).

    Returns (id, score) pairs, best first, ties by smaller id.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, identifier in enumerate(ranking, start=1):
            scores[identifier] = scores.get(identifier, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def with_the_first(fused: list[int], rankings: Sequence[Sequence[int]], k: int, first: int = _FIRST) -> list[int]:
    """`fused`, ids best first, with the first `first` of each ranking among its first k; the order is kept else.

    At most half of the k are kept for them. Else many passages that are middling in both keep out the only one that
    holds the name asked about.
    """
    wanted = list(dict.fromkeys(identifier for ranking in rankings for identifier in ranking[:first]))[: k // 2]
    head = set(wanted)
    for identifier in fused:
        if len(head) >= k:
            break
        head.add(identifier)
    return [*(one for one in fused if one in head), *(one for one in fused if one not in head)]


def search(
    store: Store, encoder: Encoder, question: str, *, k: int = 8, pool: int = 32, where: Filter | None = None
) -> list[Hit]:
    """The k best passages of `store` for `question`, by reciprocal rank fusion of BM25 and cosine, best first.

    `pool` is how deep each of the two rankings is read; `where` confines the search to some documents. A passage that
    says what an earlier one says is left out, so k hits say k different things.

    Raises:
        ValueError: `k` or `pool` < 1.
        StoreError: the index is damaged.
    """
    vector = encoder.encode([question])[0]
    return in_one_state(store, lambda: rank(store, question, vector, k=k, pool=pool, where=where))


def in_one_state(store: Store, read: Callable[[], T]) -> T:
    """Run `read` so that all it reads from `store` is of one state, again when a write overtakes it.

    Raises:
        OutdatedError: the index kept changing.
    """
    for _ in range(_TRIES):
        try:
            with store.snapshot():
                return read()
        except OutdatedError:
            continue
    raise OutdatedError("the index changes faster than it can be searched; try again")


def rank(
    store: Store, question: str, vector: NDArray[np.float32], *, k: int, pool: int, where: Filter | None = None
) -> list[Hit]:
    """`search` for a question that is embedded already: `vector` is (dimension,) float32 of length 1."""
    if k < 1 or pool < 1:
        raise ValueError(f"k and pool must be at least 1, got {k} and {pool}")
    hits, is_all = _ranked(store, question, vector, k, pool, where)
    while len(hits) < k and not is_all and pool < _DEEPEST:
        pool = min(_DEEPER * pool, _DEEPEST)
        hits, is_all = _ranked(store, question, vector, k, pool, where)
    return hits


def _ranked(
    store: Store, question: str, vector: NDArray[np.float32], k: int, pool: int, where: Filter | None
) -> tuple[list[Hit], bool]:
    """The hits of two rankings read `pool` deep, and whether there is nothing deeper."""
    lexical = store.lexical(question, pool, where)
    dense = store.dense(vector, pool, where)
    similarity = dict(dense)
    lexical_rank = {identifier: rank for rank, identifier in enumerate(lexical, start=1)}
    dense_rank = {identifier: rank for rank, (identifier, _) in enumerate(dense, start=1)}
    fused = dict(reciprocal_rank_fusion([lexical, list(similarity)]))
    order = with_the_first(list(fused), [lexical, list(similarity)], k)
    passages = without_repeats(_in_parts(store, order, k + _SPARE), store.vectors, k)
    documents = store.documents([passage.document_id for passage in passages])
    hits = [
        Hit(
            passage=passage,
            document=documents[passage.document_id],
            score=fused[passage.id],
            similarity=similarity.get(passage.id),
            lexical_rank=lexical_rank.get(passage.id),
            dense_rank=dense_rank.get(passage.id),
        )
        for passage in passages
    ]
    return hits, len(lexical) < pool and len(dense) < pool


def _in_parts(store: Store, ids: Sequence[int], size: int) -> Iterator[Passage]:
    """The passages in this order, read a few at a time, as they are wanted."""
    for begin in range(0, len(ids), size):
        yield from store.passages(ids[begin : begin + size])
