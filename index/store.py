"""The index on disk: one SQLite file that is the truth, and a FAISS index derived from it in memory.

Documents, passages, vectors and the lexical index of one document are written in one transaction, so they cannot
disagree and a killed process leaves nothing half-done.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.database import Database
from index.dense import DenseIndex
from index.errors import EncoderMismatchError, StoreError
from index.types import Document, Passage

__all__ = ["SqliteStore"]

_WORD = re.compile(r"\w+")
# Words that carry a question, not its topic; BM25 would rank passages by them on small collections.
_STOPWORDS = frozenset(
    "a an and any are as at be been but by can could did do does for from get had has have he her his how i in into is "
    "it its me my of on or our please s say she should so some tell than that the their them there they this to was we "
    "were what when where which who whom whose why will with would you your".split()
)
_MOST_WORDS = 64


class SqliteStore:
    """An index folder. Safe to use from several threads; writers take turns across processes.

    Args:
        folder: the index folder, which holds `index.db`.
        encoder_name, dimension: the encoder the vectors are of; checked against what the index was built with.
        create: make an empty index when there is none.

    Raises:
        StoreError: no index there (and not `create`), a damaged or foreign file, or a folder that cannot be written.
        EncoderMismatchError: the index was built with another encoder.
    """

    def __init__(self, folder: Path, *, encoder_name: str, dimension: int, create: bool = False) -> None:
        self.folder = folder
        self.encoder_name = encoder_name
        self.dimension = dimension
        self._database = Database(folder, {"encoder": encoder_name, "dimension": str(dimension)}, create=create)
        self._dense = DenseIndex(self._database, dimension)
        built_with = self._database.meta("encoder")
        if built_with != encoder_name:
            self.close()
            raise EncoderMismatchError(
                f"{folder} was built with the encoder {built_with}, the one given is {encoder_name}; "
                "give that encoder, or run `qa build --fresh` to embed everything again"
            )

    def close(self) -> None:
        """Close every connection. The store must not be used afterwards."""
        self._database.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def put(self, document: Document, digest: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> int:
        """Add a document, or replace the one of its name, with its passages and vectors, in one transaction.

        Args:
            digest: identifies the content, so that an unchanged document can be passed over.
            vectors: (len(passages), dimension) float32, rows of length 1.

        Returns the document's id.

        Raises:
            ValueError: the shapes do not agree.
            StoreError: it cannot be written; nothing has changed then.
        """
        if vectors.shape != (len(passages), self.dimension):
            raise ValueError(f"vectors must have shape ({len(passages)}, {self.dimension}), got {vectors.shape}")
        blobs = np.ascontiguousarray(vectors, dtype=np.float32)
        with self._database.writing() as writer:
            _delete(writer, document.name)
            row = writer.execute(
                "INSERT INTO documents (name, title, digest, text) VALUES (?, ?, ?, ?) RETURNING id",
                (document.name, document.title, digest, document.text),
            ).fetchone()
            document_id = int(row[0])
            for passage, vector in zip(passages, blobs, strict=True):
                values = (document_id, passage.start, passage.end, passage.text, vector.tobytes())
                cursor = writer.execute(
                    'INSERT INTO passages (document_id, start, "end", text, vector) VALUES (?, ?, ?, ?, ?)', values
                )
                writer.execute("INSERT INTO lexicon (rowid, text) VALUES (?, ?)", (cursor.lastrowid, passage.text))
            _advance(writer)
        return document_id

    def remove(self, name: str) -> bool:
        """Remove a document with its passages; False when there is none of that name."""
        with self._database.writing() as writer:
            removed = _delete(writer, name)
            if removed:
                _advance(writer)
        return removed

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting with the index, such as a threshold chosen for its questions."""
        with self._database.writing() as writer:
            writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"setting.{name}", value))

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """Grows with every committed change, by this or any other process."""
        return int(self._database.meta("generation"))

    def snapshot(self) -> AbstractContextManager[object]:
        """While it is open, everything the calling thread reads is of one state, whatever is written meanwhile."""
        return self._database.snapshot()

    def setting(self, name: str) -> str | None:
        """A setting kept with the index; None when it was never set."""
        rows = self._database.rows("SELECT value FROM meta WHERE key = ?", (f"setting.{name}",))
        return str(rows[0][0]) if rows else None

    def digests(self) -> dict[str, str]:
        """Content digest by document name."""
        return {str(name): str(digest) for name, digest in self._database.rows("SELECT name, digest FROM documents")}

    def counts(self) -> tuple[int, int]:
        """Number of documents and of passages."""
        rows = self._database.rows("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)")
        return int(rows[0][0]), int(rows[0][1])

    def documents(self, ids: Sequence[int] | None = None) -> dict[int, Document]:
        """Documents by id, in the order of their names; all, or those of `ids` that are (still) there."""
        where, parameters = "", list[int]()
        if ids is not None:
            parameters = list(dict.fromkeys(ids))
            where = f"WHERE id IN ({','.join('?' * len(parameters))})"
        rows = self._database.rows(f"SELECT id, name, title, text FROM documents {where} ORDER BY name", parameters)
        return {identifier: Document(name, title, text, identifier) for identifier, name, title, text in rows}

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        """The passages with these ids, in this order; ids that are gone are left out."""
        marks = ",".join("?" * len(ids))
        found = {p.id: p for p in self._passages(f"WHERE id IN ({marks})", [int(identifier) for identifier in ids])}
        return [found[identifier] for identifier in ids if identifier in found]

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of a document, in reading order."""
        return self._passages("WHERE document_id = ? ORDER BY start", [document_id])

    def vectors_of(self, document_id: int) -> NDArray[np.float32]:
        """The vectors of all passages of a document, in reading order: (passages, dimension) float32."""
        rows = self._database.rows("SELECT vector FROM passages WHERE document_id = ? ORDER BY start", [document_id])
        return np.frombuffer(b"".join(row[0] for row in rows), np.float32).reshape(len(rows), self.dimension)

    def _passages(self, where: str, parameters: Sequence[int]) -> list[Passage]:
        rows = self._database.rows(f'SELECT start, "end", text, document_id, id FROM passages {where}', parameters)
        return [
            Passage(start, end, text, document_id, identifier) for start, end, text, document_id, identifier in rows
        ]

    def lexical(self, question: str, k: int) -> list[int]:
        """Ids of the k best passages by BM25 (FTS5, Porter stems), best first; empty when no topic word is known."""
        words = [word for word in dict.fromkeys(_WORD.findall(question.lower())) if word not in _STOPWORDS]
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words[:_MOST_WORDS])
        statement = "SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY bm25(lexicon), rowid LIMIT ?"
        return [int(row[0]) for row in self._database.rows(statement, (match, k))]

    def dense(self, vector: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """(id, cosine) of the k nearest passages to `vector`, (dimension,) float32 of length 1, best first."""
        return self._dense.search(vector, k)

    def problems(self) -> list[str]:
        """What an integrity check finds wrong, one sentence each: SQLite pages, lexical index, offsets, vectors."""
        found = [f"SQLite: {row[0]}" for row in self._database.rows("PRAGMA integrity_check") if row[0] != "ok"]
        orphans = self._database.rows("SELECT rowid FROM pragma_foreign_key_check")
        found += [f"passage {row[0]} has no document" for row in orphans]
        try:
            with self._database.writing() as writer:
                writer.execute("INSERT INTO lexicon (lexicon, rank) VALUES ('integrity-check', 1)")
        except StoreError as error:
            found.append(f"lexical index: {error}")
        rows = self._database.rows(
            'SELECT p.id, substr(d.text, p.start + 1, p."end" - p.start) = p.text, length(p.vector) '
            "FROM passages p JOIN documents d ON d.id = p.document_id"
        )
        found += [f"passage {identifier} is not the text at its place" for identifier, same, _ in rows if not same]
        wrong = [(identifier, size) for identifier, _, size in rows if size != 4 * self.dimension]
        return found + [f"passage {identifier} has a vector of {size} bytes" for identifier, size in wrong]


def _delete(writer: sqlite3.Connection, name: str) -> bool:
    row = writer.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
    if row is None:
        return False
    # an external-content FTS5 table is told the old text to forget, before the cascade takes the passages away
    writer.execute(
        "INSERT INTO lexicon (lexicon, rowid, text) SELECT 'delete', id, text FROM passages WHERE document_id = ?", row
    )
    writer.execute("DELETE FROM documents WHERE id = ?", row)
    return True


def _advance(writer: sqlite3.Connection) -> None:
    writer.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")
