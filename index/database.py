"""The SQLite file of an index: opening it, its schema, one connection per thread, transactions, and plain errors."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import StoreError, StoreWriteError

__all__ = ["FILE_NAME", "FORMAT", "Database"]

FORMAT = 2
FILE_NAME = "index.db"
BUSY_TIMEOUT_S = 30.0
_APPLICATION_ID = 0x71615F31  # "qa_1" in the file header tells our databases from foreign ones
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    source TEXT,
    added TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_of_document ON passages(document_id, start);
CREATE VIRTUAL TABLE lexicon USING fts5(
    text, content='passages', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
"""
_FRESH = "run `qa build --fresh` to set it aside and build anew"
_ELSEWHERE = "choose another folder with QA_INDEX or --index"
_CANNOT_WRITE = re.compile("readonly|unable to open")
_NO_ROOM = re.compile("disk is full|disk I/O")
_BUSY = re.compile("locked|busy")


class Database:
    """`index.db` in an index folder. Safe to use from several threads; writers take turns across processes.

    Readers never wait for a writer (write-ahead log), and a transaction is there whole or not at all, whatever
    happens to the process.

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
        self._folder = folder
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with self._explained():
            if not self.path.exists():
                self._make_folder(create)
            elif not self._looks_like_sqlite():
                raise StoreError(f"{self.path} is not an index of this program; {_FRESH}")
            if create:
                with self.writing() as writer:
                    if writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                        _make_tables(writer, meta)
            self._check_format()

    def _make_folder(self, create: bool) -> None:
        if not create:
            raise StoreError(f"no index at {self.path}; run `qa build` to make one")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot make the index folder {self._folder} ({error.strerror})"
            raise StoreWriteError(f"{reason}; {_ELSEWHERE}") from error

    def _looks_like_sqlite(self) -> bool:
        try:
            with self.path.open("rb") as file:
                return file.read(16) in (b"", b"SQLite format 3\x00")
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({error.strerror})") from error

    def _check_format(self) -> None:
        identity = self.rows("PRAGMA application_id")[0][0]
        version = self.rows("PRAGMA user_version")[0][0]
        if identity != _APPLICATION_ID:
            raise StoreError(f"{self.path} is not an index of this program; {_FRESH}")
        if version != FORMAT:
            raise StoreError(f"{self.path} has index format {version}, this program reads {FORMAT}; {_FRESH}")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # in a folder that cannot be written, WAL's side files cannot be made: then nobody else writes there either
            writable = os.access(self._folder, os.W_OK)
            address = f"{self.path.resolve().as_uri()}?{'mode=rwc' if writable else 'immutable=1'}"
            connection = sqlite3.connect(
                address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA foreign_keys = ON")
            if writable and connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
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

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed whole at the end, rolled back on any exception."""
        with self._explained():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several reads of one and the same state. May be nested; the outermost one counts."""
        with self._explained():
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        with self._explained():
            return self._connection().execute(statement, parameters).fetchall()

    def meta(self, key: str) -> str:
        """A value of the `meta` table. Raises StoreError when it is not there."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise StoreError(f"{self.path} is damaged (no {key!r} in it); {_FRESH}")
        return str(rows[0][0])

    def close(self) -> None:
        """Close every connection. The database must not be used afterwards."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()


def _make_tables(writer: sqlite3.Connection, meta: dict[str, str]) -> None:
    for statement in _SCHEMA.split(";\n"):
        if statement.strip():
            writer.execute(statement)
    writer.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    writer.execute(f"PRAGMA user_version = {FORMAT}")
    writer.executemany("INSERT INTO meta VALUES (?, ?)", [*meta.items(), ("generation", "0")])
