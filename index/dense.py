"""FAISS over the stored vectors: derived from the database, held in memory, built anew when the database moves on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.errors import OutdatedError, StoreError

if TYPE_CHECKING:
    import faiss

__all__ = ["DenseIndex"]


@dataclass(frozen=True, slots=True)
class _Built:
    generation: int
    faiss: faiss.IndexIDMap2


class DenseIndex:
    """Exact cosine search (an inner-product `IndexIDMap2` keyed by passage id). Thread-safe; cannot go stale."""

    def __init__(self, database: Database, dimension: int) -> None:
        self._database = database
        self._dimension = dimension
        self._built: _Built | None = None
        self._lock = threading.Lock()

    def search(self, vector: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """(passage id, cosine) of the k nearest to `vector`, (dimension,) float32 of length 1, best first.

        Raises:
            ValueError: a vector of another shape.
            OutdatedError: the calling thread reads a state that has been overtaken meanwhile.
        """
        if vector.shape != (self._dimension,):
            raise ValueError(f"the vector must have shape ({self._dimension},), got {vector.shape}")
        import faiss

        # one thread (a setting of the calling thread): OpenMP's would spin on after the search, in the reader's way
        faiss.omp_set_num_threads(1)
        scores, ids = self._current().faiss.search(np.ascontiguousarray(vector[None], dtype=np.float32), k)
        pairs = zip(ids[0], scores[0], strict=True)
        return [(int(identifier), float(score)) for identifier, score in pairs if identifier >= 0]

    def _current(self) -> _Built:
        """FAISS of the state that the calling thread reads."""
        with self._database.snapshot():
            generation = int(self._database.meta("generation"))
            built = self._built
            if built is None or built.generation < generation:
                with self._lock:
                    built = self._built
                    if built is None or built.generation < generation:
                        built = self._built = self._build()
        if built.generation > generation:
            raise OutdatedError(f"{self._database.path} has moved on since this read began; read again")
        return built

    def _build(self) -> _Built:
        with self._database.snapshot() as connection:
            generation = int(connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])
            rows = connection.execute("SELECT id, vector FROM passages ORDER BY id").fetchall()
        return _Built(generation, self._faiss(rows))

    def _faiss(self, rows: Sequence[tuple[int, bytes]]) -> faiss.IndexIDMap2:
        import faiss

        flat = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension))
        if any(len(blob) != 4 * self._dimension for _, blob in rows):
            raise StoreError(f"{self._database.path} is damaged (a vector of the wrong size); run `qa build --fresh`")
        if rows:
            vectors = np.frombuffer(b"".join(blob for _, blob in rows), np.float32).reshape(len(rows), self._dimension)
            flat.add_with_ids(vectors, np.array([identifier for identifier, _ in rows], np.int64))
        return flat
