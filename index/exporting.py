"""An index as JSON lines and back: settings, documents and passages, without vectors, which are made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from index.build import cut, digest_of
from index.errors import DocumentError
from index.ingest import Prepared, ingest
from index.store import SqliteStore
from index.types import Document, Encoder, Section

__all__ = ["export_lines", "import_file"]

FORMAT = "article-qa export 1"


def export_lines(store: SqliteStore) -> Iterator[str]:
    """One JSON object a line: first the kind of file with the index's settings, then every document.

    A document is `{name, title, text, author, date, source, sections: [[start, label]], passages: [[start, end]]}`.
    """
    entries = {entry.name: entry for entry in store.entries()}
    yield _line({"format": FORMAT, "encoder": store.encoder_name, "settings": store.settings()})
    for name in entries:
        document = store.document(name)
        if document is None:  # removed meanwhile
            continue
        entry = entries[name]
        yield _line(
            {
                "name": document.name,
                "title": document.title,
                "text": document.text,
                "author": document.author,
                "date": document.date,
                "source": entry.source,
                "sections": [[section.start, section.label] for section in document.sections],
                "passages": [[passage.start, passage.end] for passage in store.passages_of(document.id)],
            }
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def import_file(
    store: SqliteStore,
    path: Path,
    encoder: Callable[[], Encoder],
    *,
    words: int = 80,
    overlap: int = 1,
    embedded: Callable[[int], None] | None = None,
) -> tuple[str, ...]:
    """Take in what `export_lines` wrote: documents replace those of their names, settings those of the index.

    Passages are cut and embedded as this program does now. What is in the index as it is in the file is passed over.

    Returns the names of the documents written.

    Raises:
        DocumentError: the file cannot be read, or is no export; what stood before the bad line has been taken in.
    """
    known = store.digests()
    written: list[str] = []

    def prepared(file: TextIO) -> Iterator[Prepared]:
        for number, line in enumerate(file, start=2):
            try:
                document, source = _document(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DocumentError(f"{path}:{number}: is not a document of an export ({error!r})") from error
            digest = digest_of(document, words, overlap)
            if known.get(document.name) != digest:
                yield Prepared(document, digest, cut(document, words, overlap), source)

    try:
        with path.open(encoding="utf-8") as file:
            try:
                head = json.loads(file.readline())
                settings = dict(head["settings"]) if head["format"] == FORMAT else None
            except (ValueError, KeyError, TypeError):
                settings = None
            if settings is None:
                raise DocumentError(f"{path} is not an export of this program; `qa export FILE.jsonl` writes one")
            ingest(
                store, prepared(file), encoder, embedded=embedded, written=lambda one: written.append(one.document.name)
            )
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} cannot be read ({error})") from error
    for name, value in settings.items():
        store.set_setting(str(name), str(value))
    return tuple(written)


def _document(row: dict[str, Any]) -> tuple[Document, str | None]:
    document = Document(
        name=str(row["name"]),
        title=str(row["title"]),
        text=str(row["text"]),
        sections=tuple(Section(int(start), str(label)) for start, label in row["sections"]),
        author=None if row["author"] is None else str(row["author"]),
        date=None if row["date"] is None else str(row["date"]),
    )
    return document, None if row["source"] is None else str(row["source"])
