"""Vectors out of the database, in amounts that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.errors import StoreError

__all__ = ["CHUNK", "VectorRows", "Vectors"]

CHUNK = 4096
_MOST_PARAMETERS = 500

Vectors = tuple[NDArray[np.int64], NDArray[np.float32]]


class VectorRows:
    """Reads the stored vectors: always (ids, (n,) int64 ascending; vectors, (n, dimension) float32)."""

    def __init__(self, database: Database, dimension: int) -> None:
        self._database = database
        self._dimension = dimension

    def chunks(self, after: int, until: int) -> Iterator[Vectors]:
        """The vectors with `after` < id <= `until`, a few thousand at a time, each chunk of one state."""
        while after < until:
            statement = "SELECT id, vector FROM vectors WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
            rows = self._database.rows(statement, (after, until, CHUNK))
            if not rows:
                return
            yield self._decoded(rows)
            after = int(rows[-1][0])

    def fetch(self, ids: Sequence[int]) -> Vectors:
        """The vectors with these ids; ids that are gone are left out."""
        wanted = sorted({int(identifier) for identifier in ids})
        rows: list[tuple[int, bytes]] = []
        for begin in range(0, len(wanted), _MOST_PARAMETERS):
            part = wanted[begin : begin + _MOST_PARAMETERS]
            statement = f"SELECT id, vector FROM vectors WHERE id IN ({','.join('?' * len(part))}) ORDER BY id"
            rows += self._database.rows(statement, part)
        return self._decoded(rows)

    def sample(self, count: int, until: int, rows: int) -> NDArray[np.float32]:
        """About `count` of the about `rows` vectors with ids up to `until`, the same ones each time."""
        first = int(self._database.rows("SELECT coalesce(min(id), 0) FROM vectors")[0][0])
        if rows <= count:
            parts = [vectors for _, vectors in self.chunks(first - 1, until)]
            return np.concatenate(parts) if parts else np.empty((0, self._dimension), np.float32)
        # of the ids in between, many may be gone
        span = max(0, until - first + 1)
        drawn = min(span, int(1.1 * count * span / rows))
        chosen = np.random.default_rng(0).choice(span, drawn, replace=False) + first
        return self.fetch(chosen.tolist())[1]

    def _decoded(self, rows: Sequence[tuple[int, bytes]]) -> Vectors:
        if any(len(blob) != 4 * self._dimension for _, blob in rows):
            path = self._database.path
            raise StoreError(f"{path} is damaged (a vector of the wrong size); run `qa build --fresh`")
        ids = np.array([identifier for identifier, _ in rows], np.int64)
        joined = np.frombuffer(b"".join(blob for _, blob in rows), np.float32)
        return ids, joined.reshape(len(rows), self._dimension)
