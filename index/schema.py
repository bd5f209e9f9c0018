"""The tables of an index, and how one of an earlier format becomes one of this format."""

from __future__ import annotations

import sqlite3
import uuid

__all__ = ["APPLICATION_ID", "FORMAT", "TOKENIZER", "make_tables", "migrate", "show_as_current"]

FORMAT = 2
APPLICATION_ID = 0x71615F31  # "qa_1" in the file header tells our databases from foreign ones
TOKENIZER = "porter unicode61 remove_diacritics 2"

# `text` stands last: a row is read from its start, so what stands before a long text is found without reading it.
# `first` is the id of the first passage: the passages of one document have consecutive ids, and no id is ever given
# twice, so a document is a range of ids, and what was removed is told by ranges, too.
_DOCUMENTS = """
CREATE TABLE {name} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    digest TEXT NOT NULL,
    author TEXT,
    date TEXT,
    source TEXT,
    added TEXT,
    sections TEXT NOT NULL,
    first INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    characters INTEGER NOT NULL,
    text TEXT NOT NULL
)
"""
_VECTORS = """
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY REFERENCES passages(id) ON DELETE CASCADE,
    vector BLOB NOT NULL
)
"""
_REMOVALS = """
CREATE TABLE removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
)
"""
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    _DOCUMENTS.format(name="documents"),
    """
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        text TEXT NOT NULL
    )
    """,
    _VECTORS,
    _REMOVALS,
    "CREATE INDEX removals_by_generation ON removals(generation)",
    "CREATE INDEX passages_of_document ON passages(document_id, start)",
    f"CREATE VIRTUAL TABLE lexicon USING fts5(text, content='passages', content_rowid='id', tokenize=\"{TOKENIZER}\")",
)
# What format 1 did not keep is worked out or left open.
_FROM_FORMAT_1 = """
SELECT d.id, d.name, d.title, d.digest, NULL AS author, NULL AS date, NULL AS source, NULL AS added,
    '[]' AS sections,
    coalesce((SELECT min(id) FROM main.passages WHERE document_id = d.id), 0) AS first,
    (SELECT count(*) FROM main.passages WHERE document_id = d.id) AS passages,
    length(d.text) AS characters, d.text
FROM main.documents AS d
"""


def make_tables(writer: sqlite3.Connection, meta: dict[str, str]) -> None:
    """Fill an empty database, within a transaction."""
    for statement in _TABLES:
        writer.execute(statement)
    writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    writer.execute(f"PRAGMA user_version = {FORMAT}")
    own = {"generation": "0", "passages": "0", "removals_since": "0", "identity": uuid.uuid4().hex}
    writer.executemany("INSERT INTO meta VALUES (?, ?)", [*meta.items(), *own.items()])


def migrate(writer: sqlite3.Connection) -> None:
    """Bring format 1 to this format, within a transaction and with foreign keys switched off."""
    sequence = writer.execute("SELECT seq FROM sqlite_sequence WHERE name = 'documents'").fetchone()
    writer.execute(_VECTORS)
    writer.execute("INSERT INTO vectors SELECT id, vector FROM passages ORDER BY id")
    writer.execute("ALTER TABLE passages DROP COLUMN vector")
    writer.execute(_DOCUMENTS.format(name="documents_2"))
    writer.execute(f"INSERT INTO documents_2 {_FROM_FORMAT_1} ORDER BY d.id")
    writer.execute("DROP TABLE documents")
    writer.execute("ALTER TABLE documents_2 RENAME TO documents")
    if sequence is not None:
        writer.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'documents'", sequence)
    writer.execute(_REMOVALS)
    writer.execute("CREATE INDEX removals_by_generation ON removals(generation)")
    writer.execute("INSERT INTO meta VALUES ('identity', ?)", (uuid.uuid4().hex,))
    writer.execute("INSERT INTO meta SELECT 'passages', count(*) FROM passages")
    writer.execute("INSERT INTO meta SELECT 'removals_since', value FROM meta WHERE key = 'generation'")
    writer.execute(f"PRAGMA user_version = {FORMAT}")


def show_as_current(reader: sqlite3.Connection) -> None:
    """Let one connection read a format 1 database, which it cannot change, as if it were of this format."""
    reader.execute(f"CREATE TEMP VIEW documents AS {_FROM_FORMAT_1}")
    reader.execute("CREATE TEMP VIEW vectors AS SELECT id, vector FROM main.passages")
    reader.execute("CREATE TEMP TABLE removals (id INTEGER PRIMARY KEY, generation, first, last)")
    reader.execute(
        "CREATE TEMP VIEW meta AS SELECT key, value FROM main.meta UNION ALL SELECT 'identity', '' "
        "UNION ALL SELECT 'passages', (SELECT count(*) FROM main.passages) UNION ALL SELECT 'removals_since', "
        "(SELECT value FROM main.meta WHERE key = 'generation')"
    )
