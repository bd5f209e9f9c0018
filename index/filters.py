"""Which documents a search is confined to, as SQL, and which passages those are, as ranges of ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.types import Filter

__all__ = ["Allowed", "allowed_by"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """The passages that a search may find: `ranges` is (n, 2) int64, first and last ids, ascending, none empty."""

    ranges: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many passages."""
        return int((self.ranges[:, 1] - self.ranges[:, 0] + 1).sum())

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last id; (1, 0) when there is none."""
        return (int(self.ranges[0, 0]), int(self.ranges[-1, 1])) if len(self.ranges) else (1, 0)

    def mask(self, size: int) -> NDArray[np.bool_]:
        """(size,) bool by passage id."""
        steps = np.zeros(size + 1, np.int8)
        inside = self.ranges[self.ranges[:, 1] < size]
        steps[inside[:, 0]] += 1
        steps[inside[:, 1] + 1] -= 1  # documents do not share passages, so no place is counted twice
        return np.cumsum(steps[:size], dtype=np.int8).astype(np.bool_)

    def holds(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(len(ids),) bool: which of `ids` are allowed."""
        if not len(self.ranges):
            return np.zeros(len(ids), np.bool_)
        place = np.searchsorted(self.ranges[:, 0], ids, side="right") - 1
        return np.asarray((place >= 0) & (ids <= self.ranges[place, 1]))

    def ids(self) -> NDArray[np.int64]:
        """All ids, ascending."""
        parts = [np.arange(first, last + 1) for first, last in self.ranges.tolist()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)


def allowed_by(database: Database, where: Filter) -> Allowed:
    """The passages of the documents that `where` lets through, in the state that the calling thread reads."""
    clauses, parameters = _conditions(where)
    statement = (
        "SELECT first, first + passages - 1 FROM documents "
        f"WHERE passages > 0 AND {' AND '.join(clauses) or '1'} ORDER BY first"
    )
    rows = database.rows(statement, parameters)
    return Allowed(np.array(rows, np.int64).reshape(-1, 2))


def _conditions(where: Filter) -> tuple[list[str], list[object]]:
    clauses: list[str] = []
    parameters: list[object] = []
    if where.names:
        alternatives = []
        for name in where.names:
            folder = f"{name.rstrip('/')}/"
            alternatives.append("name = ? OR substr(name, 1, ?) = ? OR name GLOB ?")
            parameters += [name, len(folder), folder, name]
        clauses.append(f"({' OR '.join(alternatives)})")
    if where.documents is not None:
        clauses.append("id IN (SELECT value FROM json_each(?))")
        parameters.append("[" + ",".join(str(int(identifier)) for identifier in where.documents) + "]")
    # a date may be known to the year only: it is within a range when part of it may be
    if where.since is not None:
        clauses.append("substr(date, 1, length(?)) >= substr(?, 1, length(date))")
        parameters += [where.since, where.since]
    if where.until is not None:
        clauses.append("substr(date, 1, length(?)) <= substr(?, 1, length(date))")
        parameters += [where.until, where.until]
    return clauses, parameters
