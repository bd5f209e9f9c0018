"""What is known of the files that documents were read from, so that an unchanged file need not be read again."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FileMemory", "Seen", "hash_of"]

FILE_NAME = "files.db"
_RACY_NS = 2_000_000_000  # a file may change twice within one tick of its clock, the coarsest of which is two seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when its document was read from it: SHA-256 of its bytes, and the digest that was stored."""

    source: str
    size: int
    mtime_ns: int
    sha256: str
    digest: str
    checked_ns: int = 0

    def is_same(self, size: int, mtime_ns: int) -> bool:
        """Whether a file of this size and time is surely the one that was seen."""
        return (self.size, self.mtime_ns) == (size, mtime_ns) and mtime_ns + _RACY_NS < self.checked_ns


class FileMemory:
    """`files.db` in an index folder. Only a memory: where it is lost, damaged or cannot be written, files are read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS files (source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, "
                    "sha256 TEXT, digest TEXT, checked_ns INTEGER) WITHOUT ROWID"
                )
                connection.execute("SELECT source, size, mtime_ns, sha256, digest, checked_ns FROM files LIMIT 1")
                return connection
            except sqlite3.OperationalError:
                return None
            except sqlite3.DatabaseError:
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(OSError):
                        self._path.with_name(f"{FILE_NAME}{suffix}").unlink()
        return None

    def seen(self) -> dict[str, Seen]:
        """Every file known, by its path."""
        if self._connection is None:
            return {}
        try:
            rows = self._connection.execute(
                "SELECT source, size, mtime_ns, sha256, digest, checked_ns FROM files"
            ).fetchall()
        except sqlite3.Error:
            return {}
        return {row[0]: Seen(*row) for row in rows}

    def remember(self, files: Iterable[Seen]) -> None:
        """Keep what was seen; the present time is when."""
        if self._connection is None:
            return
        now = time.time_ns()
        rows = [(f.source, f.size, f.mtime_ns, f.sha256, f.digest, now) for f in files]
        with contextlib.suppress(sqlite3.Error):
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises OSError when it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
