"""Writing one document or removing one, inside a transaction of the caller's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from index.types import Document, Passage, Section

__all__ = ["MOST_REMOVALS", "advance", "delete", "insert", "sections_from", "sections_to"]

# Removals are told to whoever keeps a dense index in memory or on disk; one that is further behind is made anew.
MOST_REMOVALS = 20_000


def advance(writer: sqlite3.Connection) -> int:
    """Begin the next generation, and return its number."""
    row = writer.execute(
        "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation' RETURNING CAST(value AS INTEGER)"
    ).fetchone()
    return int(row[0])


def insert(
    writer: sqlite3.Connection,
    document: Document,
    digest: str,
    passages: Sequence[Passage],
    vectors: NDArray[np.float32],
    source: str | None,
) -> int:
    """Insert a document whose name is free. Returns its id."""
    row = writer.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    first = 1 if row is None else int(row[0]) + 1
    values = (
        document.name,
        document.title,
        digest,
        document.author,
        document.date,
        source,
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
        sections_to(document.sections),
        first,
        len(passages),
        len(document.text),
        document.text,
    )
    statement = (
        "INSERT INTO documents (name, title, digest, author, date, source, added, sections, first, passages, "
        "characters, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
    )
    document_id = int(writer.execute(statement, values).fetchone()[0])
    numbered = list(enumerate(passages, start=first))
    writer.executemany(
        'INSERT INTO passages (id, document_id, start, "end", text) VALUES (?, ?, ?, ?, ?)',
        [(identifier, document_id, passage.start, passage.end, passage.text) for identifier, passage in numbered],
    )
    writer.executemany(
        "INSERT INTO vectors (id, vector) VALUES (?, ?)",
        [(identifier, vector.tobytes()) for (identifier, _), vector in zip(numbered, vectors, strict=True)],
    )
    writer.executemany(
        "INSERT INTO lexicon (rowid, text) VALUES (?, ?)",
        [(identifier, passage.text) for identifier, passage in numbered],
    )
    _count(writer, len(passages))
    return document_id


def delete(writer: sqlite3.Connection, name: str, generation: int) -> bool:
    """Remove a document with its passages, and leave word of it; False when there is none of that name."""
    row = writer.execute("SELECT id, first, passages FROM documents WHERE name = ?", (name,)).fetchone()
    if row is None:
        return False
    document_id, first, passages = row
    # an external-content FTS5 table is told the old text to forget, before the cascade takes the passages away
    writer.execute(
        "INSERT INTO lexicon (lexicon, rowid, text) SELECT 'delete', id, text FROM passages WHERE document_id = ?",
        (document_id,),
    )
    writer.execute("DELETE FROM documents WHERE id = ?", (document_id,))
    if passages:
        _count(writer, -passages)
        removal = (generation, first, first + passages - 1)
        writer.execute("INSERT INTO removals (generation, first, last) VALUES (?, ?, ?)", removal)
        _forget_old_removals(writer)
    return True


def _count(writer: sqlite3.Connection, more: int) -> None:
    writer.execute("UPDATE meta SET value = CAST(value AS INTEGER) + ? WHERE key = 'passages'", (more,))


def _forget_old_removals(writer: sqlite3.Connection) -> None:
    oldest, newest = writer.execute("SELECT min(id), max(id) FROM removals").fetchone()
    if newest - oldest < MOST_REMOVALS:
        return
    until = newest - MOST_REMOVALS // 2
    writer.execute(
        "UPDATE meta SET value = (SELECT max(generation) FROM removals WHERE id <= ?) WHERE key = 'removals_since'",
        (until,),
    )
    writer.execute("DELETE FROM removals WHERE id <= ?", (until,))


def sections_to(sections: Sequence[Section]) -> str:
    """Sections as JSON: [[start, label], ...]."""
    return json.dumps([[section.start, section.label] for section in sections], ensure_ascii=False)


def sections_from(text: str) -> tuple[Section, ...]:
    """Sections from JSON."""
    return tuple(Section(int(start), str(label)) for start, label in json.loads(text)) if text != "[]" else ()
