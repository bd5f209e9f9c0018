"""The SQLite file of an index: opening it, one connection per thread, transactions, and plain errors."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import StoreError, StoreWriteError
from index.schema import APPLICATION_ID, FORMAT, make_tables, migrate, show_as_current

__all__ = ["FILE_NAME", "FORMAT", "Connection", "Database"]

FILE_NAME = "index.db"
BUSY_TIMEOUT_S = 30.0
_PAGE_BYTES = 8192  # five vectors of 384 numbers fill one
_CACHE_KB = 8192
_LARGEST_LOG = 64 * 2**20
_FRESH = "run `qa build --fresh` to set it aside and build anew"
_ELSEWHERE = "choose another folder with QA_INDEX or --index"
_CANNOT_WRITE = re.compile("readonly|unable to open")
_NO_ROOM = re.compile("disk is full|disk I/O")
_BUSY = re.compile("locked|busy")


class Connection(sqlite3.Connection):
    """A connection that is closed with the thread it belongs to."""

    def __del__(self) -> None:
        self.close()


class Database:
    """`index.db` in an index folder. Safe to use from several threads; writers take turns across processes.

    Readers never wait for a writer (write-ahead log), and a transaction is there whole or not at all, whatever
    happens to the process. A database of format 1 is brought to this format, or, where it cannot be written, read
    as it is.

    Args:
        folder: the index folder; made when `create`.
        meta: values written to a new database, such as the name of its encoder.
        create: make an empty database when there is none.

    Raises:
        StoreError: no index there (and not `create`), or a damaged or foreign file.
        StoreWriteError: the folder cannot be written.
    """

    def __init__(self, folder: Path, meta: dict[str, str], *, create: bool) -> None:
        self.path = folder / FILE_NAME
        self.folder = folder
        self._local = threading.local()
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._as_format_1 = False
        with self._explained():
            if not self.path.exists():
                self._make_folder(create)
            elif not self._looks_like_sqlite():
                raise StoreError(f"{self.path} is not an index of this program; {_FRESH}")
            self.writable = os.access(folder, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))
            self._prepare(meta, create)

    def _make_folder(self, create: bool) -> None:
        if not create:
            raise StoreError(f"no index at {self.path}; run `qa build` to make one")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot make the index folder {self.folder} ({error.strerror})"
            raise StoreWriteError(f"{reason}; {_ELSEWHERE}") from error

    def _looks_like_sqlite(self) -> bool:
        try:
            with self.path.open("rb") as file:
                return file.read(16) in (b"", b"SQLite format 3\x00")
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({error.strerror})") from error

    def _prepare(self, meta: dict[str, str], create: bool) -> None:
        # looked at before it is written: opening must not wait for another process that writes
        if self._is_empty():
            if not create:
                raise StoreError(f"no index at {self.path}; run `qa build` to make one")
            with self.writing() as writer:
                if self._is_empty():
                    make_tables(writer, meta)
        identity = self.rows("PRAGMA application_id")[0][0]
        version = self.rows("PRAGMA user_version")[0][0]
        if identity != APPLICATION_ID:
            raise StoreError(f"{self.path} is not an index of this program; {_FRESH}")
        if version not in (1, FORMAT):
            raise StoreError(f"{self.path} has index format {version}, this program reads {FORMAT}; {_FRESH}")
        if version == 1:
            self._from_format_1()

    def _is_empty(self) -> bool:
        return bool(self.rows("SELECT count(*) FROM sqlite_master")[0][0] == 0)

    def _from_format_1(self) -> None:
        if not self.writable:
            self._as_format_1 = True
            show_as_current(self._connection())
            return
        connection = self._connection()
        connection.execute("PRAGMA foreign_keys = OFF")  # else dropping the old table would empty the others
        try:
            with self.writing() as writer:
                if writer.execute("PRAGMA user_version").fetchone()[0] == 1:
                    migrate(writer)
        finally:
            connection.execute("PRAGMA foreign_keys = ON")

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # in a folder that cannot be written, WAL's side files cannot be made: then nobody else writes there either
            address = f"{self.path.resolve().as_uri()}?{'mode=rwc' if self.writable else 'immutable=1'}"
            connection = sqlite3.connect(
                address,
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
                factory=Connection,
            )
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            if self.writable:
                _use_log(connection)
            if self._as_format_1:
                show_as_current(connection)
            self._local.connection = connection
            with self._lock:
                self._connections.add(connection)
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into ones that say what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if _BUSY.search(text):
                waited = f"{self.path} is being written by another process for over {BUSY_TIMEOUT_S:.0f} s"
                raise StoreError(f"{waited}; try again") from error
            if _CANNOT_WRITE.search(text):
                raise StoreWriteError(f"{self.path} cannot be written ({text}); {_ELSEWHERE}") from error
            if _NO_ROOM.search(text):
                raise StoreWriteError(f"{self.path} cannot be written ({text}); make room and try again") from error
            raise StoreError(f"{self.path} is damaged ({text}); {_FRESH}") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} is damaged ({error}); {_FRESH}") from error

    @property
    def is_writing(self) -> bool:
        """Whether the calling thread is inside `writing`."""
        return bool(getattr(self._local, "writing", False))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed whole at the end, rolled back on any exception.

        May be nested: the outermost one commits, an inner one that fails undoes what was done inside it.
        """
        with self._explained():
            connection = self._connection()
            if self.is_writing:
                with _savepoint(connection):
                    yield connection
                return
            if connection.in_transaction:
                raise StoreError("the index cannot be written inside a snapshot; end the snapshot first")
            try:
                # inside, since Ctrl-C may come as soon as it has begun
                connection.execute("BEGIN IMMEDIATE")
                self._local.writing = True
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._local.writing = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several reads of one and the same state. May be nested; the outermost one counts."""
        with self._explained():
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        with self._explained():
            return self._connection().execute(statement, parameters).fetchall()

    def each(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of one query, one by one, for results too large to hold."""
        with self._explained():
            yield from self._connection().execute(statement, parameters)

    def meta(self, key: str) -> str:
        """A value of the `meta` table. Raises StoreError when it is not there."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise StoreError(f"{self.path} is damaged (no {key!r} in it); {_FRESH}")
        return str(rows[0][0])

    def close(self) -> None:
        """Close every connection. The database must not be used afterwards."""
        with self._lock:
            for connection in list(self._connections):
                connection.close()
            self._connections.clear()
            self._local = threading.local()


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT inner")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO inner")
            connection.execute("RELEASE inner")
        raise
    connection.execute("RELEASE inner")


def _use_log(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a new file; an old one keeps its own
    # SQLite does not wait for others while it changes the mode, and two processes may make one index at once
    until = time.monotonic() + BUSY_TIMEOUT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _BUSY.search(str(error)) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
