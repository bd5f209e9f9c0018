"""Making the approximate index in the background, one process at a time, and picking up what another one made."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.approximate import Approximate, Stopped, extend, sample_size, train
from index.database import Database
from index.errors import StoreError
from index.rows import VectorRows
from index.saved import load, save, stamp

__all__ = ["PATIENCE_S", "Upkeep", "Wanted"]

# A process that lives shorter than this, such as one `qa ask`, begins nothing that it could not finish.
PATIENCE_S = 5.0
_PAUSE_S = 2.0
_PAUSE_AFTER_FAILURE_S = 60.0
_LOCK_NAME = "dense.lock"
_LONGEST_WAIT_S = 3600.0
# The lists are made anew when there are so many times more rows, or so many times fewer, than they were made for.
_OUTGROWN = 1.5
_FEWEST = 10_000  # below that it does not matter for which number they were made
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An approximate index that is to be made: over all rows up to `last_id`, as they are at `generation`.

    `base` is the one there is, `removed` the ids it holds that are gone, `rows` how many it will hold.
    """

    base: Approximate | None
    generation: int
    last_id: int
    rows: int
    removed: NDArray[np.int64]


class Upkeep:
    """Makes what is wanted, in a thread of its own or in the caller's.

    Args:
        done: given each new approximate index.
    """

    def __init__(
        self, database: Database, dimension: int, rows: VectorRows, done: Callable[[Approximate], None]
    ) -> None:
        self._database = database
        self._dimension = dimension
        self._rows = rows
        self._done = done
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._seen: tuple[int, int, int] | None = None
        self._not_before = time.monotonic() + PATIENCE_S
        self.failure: str | None = None

    def begin(self, wanted: Wanted) -> None:
        """Start making it in the background, unless that is going on already or was tried a moment ago."""
        with self._lock:
            if self._stop.is_set() or time.monotonic() < self._not_before or self.is_busy:
                return
            self._thread = threading.Thread(target=self._try, args=(wanted,), name="dense index", daemon=True)
            self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether the background thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Wait for the background thread."""
        if self._thread is not None:
            self._thread.join()

    def finish(self, wanted: Wanted) -> None:
        """Make it now, waiting for another process that is about it.

        Raises:
            StoreError: the vectors are damaged.
        """
        self._make(wanted, patient=True)

    def close(self) -> None:
        """Stop soon; what was being made is dropped."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _try(self, wanted: Wanted) -> None:
        pause = _PAUSE_S
        try:
            self._make(wanted, patient=False)
            self.failure = None
        except Stopped:
            return
        except Exception as error:
            # asking goes on without it
            pause = _PAUSE_AFTER_FAILURE_S
            if not self._stop.is_set():
                self.failure = str(error)
                _log.warning("the dense index of %s cannot be made: %s", self._database.folder, error)
        finally:
            self._not_before = time.monotonic() + pause

    def _make(self, wanted: Wanted, *, patient: bool) -> None:
        if not self._database.writable:
            self._done(self._made(wanted))
            return
        if self._taken_over(wanted):
            return
        with self._alone(patient) as alone:
            if not alone or self._taken_over(wanted):
                return
            made = self._made(wanted)
            try:
                save(made, self._database.folder)
                self._seen = stamp(self._database.folder)
            except OSError as error:
                _log.warning("the dense index is kept in memory only: %s", error)
            self._done(made)

    def _taken_over(self, wanted: Wanted) -> bool:
        """Whether another process has saved a newer one, which is used then."""
        now = stamp(self._database.folder)
        if now is None or now == self._seen:
            return False
        self._seen = now
        with self._database.snapshot():
            identity = self._database.meta("identity")
            newest = int(self._database.meta("generation"))
            oldest = int(self._database.meta("removals_since"))
        if wanted.base is not None:
            oldest = max(oldest, wanted.base.generation + 1)
        other = load(self._database.folder, identity, self._dimension, newest=newest, oldest=oldest)
        if other is not None:
            self._done(other)
        return other is not None

    @contextmanager
    def _alone(self, patient: bool) -> Iterator[bool]:
        # a lock of the operating system, by way of SQLite: it goes with the process that holds it
        timeout = _LONGEST_WAIT_S if patient else 0.0
        lock = sqlite3.connect(self._database.folder / _LOCK_NAME, timeout=timeout, isolation_level=None)
        try:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if patient:
                    raise StoreError(f"{self._database.folder / _LOCK_NAME} cannot be locked ({error})") from error
                yield False
                return
            yield True
        finally:
            lock.close()

    def _made(self, wanted: Wanted) -> Approximate:
        base = wanted.base
        if base is not None and (wanted.rows < _FEWEST or _suits(base, wanted.rows)):
            chunks = self._rows.chunks(base.last_id, wanted.last_id)
            return extend(
                base,
                chunks,
                wanted.removed,
                generation=wanted.generation,
                last_id=wanted.last_id,
                go_on=self._goes_on,
            )
        return train(
            self._rows.sample(sample_size(wanted.rows), wanted.last_id, wanted.rows),
            self._rows.chunks(0, wanted.last_id),
            wanted.rows,
            identity=self._database.meta("identity"),
            generation=wanted.generation,
            last_id=wanted.last_id,
            go_on=self._goes_on,
        )

    def _goes_on(self) -> bool:
        return not self._stop.is_set()


def _suits(base: Approximate, rows: int) -> bool:
    return base.trained_on / _OUTGROWN < rows < base.trained_on * _OUTGROWN
