"""Exact search over vectors held in memory, by FAISS on plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from index.rows import Vectors

__all__ = ["GrowingRows", "nearest"]


class GrowingRows:
    """Vectors in the order of their ids, which only ever ascend. What has been handed out never changes.

    One thread may append while others read what they were handed before.
    """

    def __init__(self, dimension: int, room: int = 1024) -> None:
        self._ids = np.empty(room, np.int64)
        self._vectors = np.empty((room, dimension), np.float32)
        self._length = 0

    def append(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add rows at the end."""
        needed = self._length + len(ids)
        if needed > len(self._ids):
            room = max(needed, 2 * len(self._ids))
            old_ids, old_vectors = self.rows()
            self._ids = np.empty(room, np.int64)
            self._vectors = np.empty((room, vectors.shape[1]), np.float32)
            self._ids[: self._length], self._vectors[: self._length] = old_ids, old_vectors
        self._ids[self._length : needed] = ids
        self._vectors[self._length : needed] = vectors
        self._length = needed

    def rows(self) -> Vectors:
        """All rows so far, not copied."""
        return self._ids[: self._length], self._vectors[: self._length]


def nearest(
    rows: Vectors, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
) -> list[tuple[int, float]]:
    """(id, inner product) of the k rows nearest to `query`, best first.

    Args:
        query: (dimension,) float32.
        allowed: (n,) which rows count; None for all.
    """
    import faiss

    ids, vectors = rows
    k = min(k, len(ids))
    if k == 0 or (allowed is not None and not allowed.any()):
        return []
    scores, places = np.empty(k, np.float32), np.empty(k, np.int64)
    at = faiss.swig_ptr
    bits = None if allowed is None else np.packbits(allowed, bitorder="little")
    selector = None if bits is None else faiss.IDSelectorBitmap(bits)
    query = np.ascontiguousarray(query, dtype=np.float32)
    faiss.knn_inner_product(at(query), at(vectors), len(query), 1, len(ids), k, at(scores), at(places), selector)
    pairs = zip(places.tolist(), scores.tolist(), strict=True)
    return [(int(ids[place]), score) for place, score in pairs if place >= 0]
