"""The index on disk: one SQLite file that is the truth, and FAISS indexes derived from it.

Documents, passages, vectors and the lexical index of one document are written in one transaction, so they cannot
disagree and a killed process leaves nothing half-done.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.changes import advance, delete, insert, sections_from
from index.checks import problems_of
from index.database import Database
from index.dense import DenseIndex
from index.errors import EncoderMismatchError
from index.filters import Allowed, allowed_by
from index.lexical import LexicalIndex
from index.rows import VectorRows
from index.types import Document, Entry, Filter, Passage

__all__ = ["SqliteStore"]

_FILTERS_KEPT = 8


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
        self._lexical = LexicalIndex(self._database)
        self._rows = VectorRows(self._database, dimension)
        self._allowed: OrderedDict[tuple[int, Filter], Allowed] = OrderedDict()
        self._lock = threading.Lock()
        built_with = self._database.meta("encoder")
        if built_with != encoder_name:
            self.close()
            raise EncoderMismatchError(
                f"{folder} was built with the encoder {built_with}, the one given is {encoder_name}; "
                "give that encoder, or run `qa build --fresh` to embed everything again"
            )

    def close(self) -> None:
        """Stop what goes on in the background and close every connection. The store must not be used afterwards."""
        self._dense.close()
        self._database.close()

    # -- writing ------------------------------------------------------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All that the calling thread puts and removes inside is one transaction: there whole or not at all.

        Writing a thousand documents this way costs one commit instead of a thousand. Other writers wait meanwhile, so
        embed first and write then. A put that fails undoes itself only, if its error is caught inside.

        Raises:
            StoreError: it cannot be written; nothing has changed then.
        """
        with self._database.writing():
            yield

    def put(
        self,
        document: Document,
        digest: str,
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        *,
        source: str | None = None,
    ) -> int:
        """Add a document, or replace the one of its name, with its passages and vectors, in one transaction.

        Args:
            digest: identifies the content, so that an unchanged document can be passed over.
            vectors: (len(passages), dimension) float32, rows of length 1.
            source: absolute path of the file it was read from.

        Returns the document's id.

        Raises:
            ValueError: the shapes do not agree.
            StoreError: it cannot be written; nothing has changed then.
        """
        if vectors.shape != (len(passages), self.dimension):
            raise ValueError(f"vectors must have shape ({len(passages)}, {self.dimension}), got {vectors.shape}")
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        with self._database.writing() as writer:
            delete(writer, document.name, advance(writer))
            return insert(writer, document, digest, passages, rows, source)

    def remove(self, name: str) -> bool:
        """Remove a document with its passages; False when there is none of that name."""
        with self._database.writing() as writer:
            if writer.execute("SELECT 1 FROM documents WHERE name = ?", (name,)).fetchone() is None:
                return False
            return delete(writer, name, advance(writer))

    def set_source(self, name: str, source: str) -> None:
        """Say that a document is now read from another file, the content being the same."""
        with self._database.writing() as writer:
            writer.execute("UPDATE documents SET source = ? WHERE name = ?", (source, name))

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting with the index, such as a threshold chosen for its questions."""
        with self._database.writing() as writer:
            writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"setting.{name}", value))

    def settle(self) -> None:
        """Make the approximate index now if there are enough passages for one, and save it beside the database.

        Worth doing after many documents were written: else a process that asks for a while does it in the background,
        and until then searches every vector.

        Raises:
            StoreError: the index is damaged.
        """
        self._dense.settle()

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

    def settings(self) -> dict[str, str]:
        """Every setting kept with the index."""
        rows = self._database.rows("SELECT substr(key, 9), value FROM meta WHERE key LIKE 'setting.%' ORDER BY key")
        return {str(name): str(value) for name, value in rows}

    def digests(self) -> dict[str, str]:
        """Content digest by document name."""
        return {str(name): str(digest) for name, digest in self._database.rows("SELECT name, digest FROM documents")}

    def counts(self) -> tuple[int, int]:
        """Number of documents and of passages."""
        statement = "SELECT (SELECT count(*) FROM documents), value FROM meta WHERE key = 'passages'"
        rows = self._database.rows(statement)
        return int(rows[0][0]), int(rows[0][1])

    def entries(self) -> list[Entry]:
        """What there is to list of every document, by name, without loading texts."""
        statement = (
            "SELECT id, name, title, author, date, source, added, passages, characters FROM documents ORDER BY name"
        )
        return [Entry(*row) for row in self._database.rows(statement)]

    def documents(self, ids: Sequence[int] | None = None) -> dict[int, Document]:
        """Documents by id, in the order of their names; all, or those of `ids` that are (still) there."""
        where, parameters = "", list[int]()
        if ids is not None:
            parameters = list(dict.fromkeys(ids))
            where = f"WHERE id IN ({','.join('?' * len(parameters))})"
        columns = "id, name, title, text, sections, author, date"
        rows = self._database.rows(f"SELECT {columns} FROM documents {where} ORDER BY name", parameters)
        return {
            identifier: Document(name, title, text, identifier, sections_from(sections), author, date)
            for identifier, name, title, text, sections, author, date in rows
        }

    def document(self, name: str) -> Document | None:
        """The document of a name; None when there is none."""
        rows = self._database.rows("SELECT id FROM documents WHERE name = ?", (name,))
        return self.documents([rows[0][0]]).get(rows[0][0]) if rows else None

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
        with self._database.snapshot():
            ids = [passage.id for passage in self.passages_of(document_id)]
            found = self.vectors(ids)
        return np.array([found[identifier] for identifier in ids], np.float32).reshape(len(ids), self.dimension)

    def _passages(self, where: str, parameters: Sequence[int]) -> list[Passage]:
        rows = self._database.rows(f'SELECT start, "end", text, document_id, id FROM passages {where}', parameters)
        return [Passage(*row) for row in rows]

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The vectors, (dimension,) float32 of length 1, of the passages with these ids that are (still) there."""
        found, vectors = self._rows.fetch(ids)
        return dict(zip(found.tolist(), vectors, strict=True))

    def lexical(self, question: str, k: int, where: Filter | None = None) -> list[int]:
        """Ids of the k best passages by BM25 (FTS5, Porter stems), best first; empty when no topic word is known.

        Only of the documents that `where` lets through.
        """
        with self._database.snapshot():
            return self._lexical.search(question, k, self._allowed_by(where))

    def dense(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[int, float]]:
        """(id, cosine) of the k nearest passages to `vector`, (dimension,) float32 of length 1, best first.

        Only of the documents that `where` lets through.

        Raises:
            ValueError: a vector of another shape.
            OutdatedError: the calling thread reads a state that has been overtaken meanwhile; see `in_one_state`.
        """
        with self._database.snapshot():
            return self._dense.search(vector, k, self._allowed_by(where))

    def _allowed_by(self, where: Filter | None) -> Allowed | None:
        if where is None:
            return None
        key = self.generation, where
        with self._lock:
            allowed = self._allowed.get(key)
        if allowed is None:
            allowed = allowed_by(self._database, where)
            with self._lock:
                self._allowed[key] = allowed
                while len(self._allowed) > _FILTERS_KEPT:
                    self._allowed.popitem(last=False)
        return allowed

    def problems(self) -> list[str]:
        """What an integrity check finds wrong, one sentence each.

        SQLite pages, the lexical index, offsets, counts, vectors, and whether FAISS holds what the database holds.
        """
        return problems_of(self._database, self._dense, self.dimension)
