"""Nearest vectors by FAISS, derived from the database: exact for the newest rows, approximate for the many before.

Nothing here is the truth. Each search is of the state that the calling thread reads: rows written since the approximate
index was made are searched exactly, rows removed since are left out, and what it finds is put in order by the stored
vectors.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.approximate import Approximate, candidates_for
from index.database import Database
from index.errors import OutdatedError, StoreError
from index.exact import GrowingRows, nearest
from index.filters import Allowed
from index.rows import VectorRows, Vectors
from index.saved import load, stamp
from index.upkeep import Upkeep, Wanted

__all__ = ["FLAT_UP_TO", "DenseIndex"]

FLAT_UP_TO = 25_000  # rows searched exactly, in some 8 ms on one slow core
_MOST_LOST = 0.2  # of the approximate index may be gone before it is mended
_FEW = 1000  # rows that a filter lets through are read from the database and compared one by one
_VIEWS = 4


@dataclass(frozen=True, slots=True)
class _View:
    """What is to be searched for one generation of the database.

    `rows` are all those with ids beyond `base`; `live` tells by id, `rows_live` by row, what has not been removed since
    (None: all of it); `lost` counts what `base` holds that has been.
    """

    generation: int
    last_id: int
    base: Approximate | None
    rows: Vectors
    live: NDArray[np.bool_] | None
    rows_live: NDArray[np.bool_] | None
    lost: int


class DenseIndex:
    """Cosine search over all vectors of a database. Thread-safe; never behind the state that is read."""

    def __init__(self, database: Database, dimension: int) -> None:
        self._database = database
        self._dimension = dimension
        self._reader = VectorRows(database, dimension)
        self._views: deque[_View] = deque(maxlen=_VIEWS)
        self._growing = GrowingRows(dimension)
        self._pending: Approximate | None = None
        self._lock = threading.Lock()
        self.upkeep = Upkeep(database, dimension, self._reader, self._install)

    def search(self, vector: NDArray[np.float32], k: int, allowed: Allowed | None = None) -> list[tuple[int, float]]:
        """(passage id, cosine) of the k nearest to `vector`, (dimension,) float32 of length 1, best first.

        Exact up to `FLAT_UP_TO` passages, beyond that at least 97 % of what an exact search finds.

        Raises:
            ValueError: a vector of another shape.
            OutdatedError: the calling thread reads a state that has been overtaken meanwhile.
            StoreError: the calling thread is writing.
        """
        if vector.shape != (self._dimension,):
            raise ValueError(f"the vector must have shape ({self._dimension},), got {vector.shape}")
        import faiss

        # one thread (a setting of the calling thread): OpenMP's would spin on after the search, in the reader's way
        faiss.omp_set_num_threads(1)
        with self._database.snapshot():
            view = self._current()
            if allowed is not None and allowed.rows <= _FEW:
                return nearest(self._reader.fetch(allowed.ids().tolist()), vector, k, None)
            found = self._from_base(view, vector, k, allowed) + self._from_rows(view, vector, k, allowed)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def settle(self) -> None:
        """Make the approximate index now if there are enough passages for one, and save it.

        Raises:
            StoreError: the vectors are damaged.
        """
        while True:
            self.upkeep.wait()
            with self._database.snapshot():
                wanted = self._wanted_from_nothing() or self._wanted(self._current())
            if wanted is None:
                return
            self.upkeep.finish(wanted)

    def ids(self) -> NDArray[np.int64]:
        """All ids that can be found in the state that the calling thread reads, ascending."""
        with self._database.snapshot():
            view = self._current()
        parts = [view.rows[0] if view.rows_live is None else view.rows[0][view.rows_live]]
        if view.base is not None:
            held = view.base.ids()
            parts.insert(0, held if view.live is None else held[view.live[held]])
        return np.concatenate(parts)

    def close(self) -> None:
        """Stop what is being made in the background."""
        self.upkeep.close()

    # -- searching ----------------------------------------------------------------------------------------------

    def _from_base(
        self, view: _View, vector: NDArray[np.float32], k: int, allowed: Allowed | None
    ) -> list[tuple[int, float]]:
        if view.base is None:
            return []
        mask, share = view.live, 1.0
        if allowed is not None:
            mask = allowed.mask(view.last_id + 1)
            share = max(1e-6, min(1.0, allowed.rows / max(1, view.base.rows)))
            if view.live is not None:
                mask &= view.live
        candidates = view.base.search(vector, candidates_for(k), mask, share)
        # the stored vectors decide, and what is not stored is not found
        return nearest(self._reader.fetch(candidates), vector, k, None)

    def _from_rows(
        self, view: _View, vector: NDArray[np.float32], k: int, allowed: Allowed | None
    ) -> list[tuple[int, float]]:
        mask = view.rows_live
        if allowed is not None:
            mask = allowed.holds(view.rows[0])
            if view.rows_live is not None:
                mask &= view.rows_live
        return nearest(view.rows, vector, k, mask)

    # -- keeping up ---------------------------------------------------------------------------------------------

    def _current(self) -> _View:
        """What to search for the state that the calling thread reads."""
        if self._database.is_writing:
            raise StoreError("vectors cannot be searched while the same thread writes; search when the write is done")
        generation = int(self._database.meta("generation"))
        with self._lock:
            newest = self._views[-1] if self._views else None
            if newest is None or newest.generation < generation or self._is_pending(generation):
                self._advance(newest, generation)
            found = [view for view in self._views if view.generation == generation]
        if not found:
            raise OutdatedError(f"{self._database.path} has moved on since this read began; read again")
        view = found[-1]
        if view is self._views[-1]:
            wanted = self._wanted(view)
            if wanted is not None:
                self.upkeep.begin(wanted)
        return view

    def _install(self, approximate: Approximate) -> None:
        self._pending = approximate

    def _is_pending(self, generation: int) -> bool:
        return self._pending is not None and self._pending.generation <= generation

    def _advance(self, previous: _View | None, generation: int) -> None:
        known_since = int(self._database.meta("removals_since"))
        if previous is not None and previous.generation < known_since:
            previous = None  # so far behind that nobody remembers what was removed
        base = previous.base if previous is not None else None
        pending = self._pending
        if pending is not None and pending.generation <= generation:
            self._pending = None
            if pending.generation >= known_since and (base is None or pending.generation > base.generation):
                base = pending
        if previous is None and base is None:
            identity = self._database.meta("identity")
            base = load(self._database.folder, identity, self._dimension, newest=generation, oldest=known_since)
        if previous is not None and base is previous.base:
            live, removed_since, last_id = previous.live, previous.generation, previous.last_id
        else:
            live, removed_since, last_id = self._start_over(previous, base, generation)
            self._views.clear()  # they would keep the old base, or all the rows before there was one, in memory
        last_id = self._read_new(last_id)
        live = self._without_removed(live, removed_since, last_id)
        rows, rows_live = self._tidied(live)
        lost = 0 if live is None or base is None else int(np.count_nonzero(~live[: base.last_id + 1]))
        self._views.append(_View(generation, last_id, base, rows, live, rows_live, lost))

    def _start_over(
        self, previous: _View | None, base: Approximate | None, generation: int
    ) -> tuple[NDArray[np.bool_] | None, int, int]:
        """Begin with another base: what it holds need not be kept as rows."""
        after = 0 if base is None else base.last_id
        kept: Vectors | None = None
        if previous is not None:
            ids, vectors = self._growing.rows()
            place = int(np.searchsorted(ids, after, side="right"))
            kept = ids[place:], vectors[place:]
        beyond = int(self._database.meta("passages")) - (0 if base is None else base.rows)
        self._growing = GrowingRows(self._dimension, room=max(0, beyond) + 1024)
        last_id = after
        if kept is not None and previous is not None:
            self._growing.append(*kept)
            last_id = max(after, previous.last_id)
        return None, generation if base is None else base.generation, last_id

    def _read_new(self, last_id: int) -> int:
        newest = self._database.rows("SELECT coalesce(max(id), 0) FROM vectors")[0][0]
        for ids, vectors in self._reader.chunks(last_id, int(newest)):
            self._growing.append(ids, vectors)
        return max(last_id, int(newest))

    def _without_removed(
        self, live: NDArray[np.bool_] | None, removed_since: int, last_id: int
    ) -> NDArray[np.bool_] | None:
        ranges = self._database.rows("SELECT first, last FROM removals WHERE generation > ?", (removed_since,))
        if live is None and not ranges:
            return None
        grown = np.ones(last_id + 1, np.bool_)
        if live is not None:
            grown[: len(live)] = live
        for first, last in ranges:
            grown[first : last + 1] = False
        return grown

    def _tidied(self, live: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.bool_] | None]:
        ids, vectors = self._growing.rows()
        rows_live = None if live is None else live[ids]
        if rows_live is None or rows_live.all():
            return (ids, vectors), None
        if np.count_nonzero(rows_live) * 2 > len(ids):
            return (ids, vectors), rows_live
        self._growing = GrowingRows(self._dimension)
        self._growing.append(ids[rows_live], vectors[rows_live])
        return self._growing.rows(), None

    def _wanted(self, view: _View) -> Wanted | None:
        base = view.base
        if len(view.rows[0]) <= FLAT_UP_TO and (base is None or view.lost <= _MOST_LOST * base.rows):
            return None
        removed = np.empty(0, np.int64)
        if base is not None and view.live is not None:
            removed = np.flatnonzero(~view.live[: base.last_id + 1]).astype(np.int64)
        held = 0 if base is None else max(0, base.rows - len(removed))
        rows = held + len(view.rows[0])
        return Wanted(base, view.generation, view.last_id, rows, removed)

    def _wanted_from_nothing(self) -> Wanted | None:
        """What is wanted when neither this process nor the folder has anything yet: no rows are read to know that."""
        rows = int(self._database.meta("passages"))
        if self._views or self._pending is not None or rows <= FLAT_UP_TO or stamp(self._database.folder) is not None:
            return None
        generation = int(self._database.meta("generation"))
        last_id = int(self._database.rows("SELECT coalesce(max(id), 0) FROM vectors")[0][0])
        return Wanted(None, generation, last_id, rows, np.empty(0, np.int64))
