"""Bring an index into step with a folder of articles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.documents import find_documents, read_document
from index.errors import DocumentError
from index.passages import split_passages
from index.store import SqliteStore
from index.types import Document, Encoder

__all__ = ["BuildReport", "add_document", "build_folder"]

# Part of every digest: a change in how passages are cut makes the next build cut all documents anew.
PASSAGES_VERSION = 1


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: names of documents added or replaced, removed, left as they were; and the files that failed."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[DocumentError, ...]


def digest_of(document: Document, words: int, overlap: int) -> str:
    """Identifies a document's content and the way it is cut."""
    recipe = f"{PASSAGES_VERSION}/{words}/{overlap}/{document.title}\0"
    return hashlib.sha256(recipe.encode() + document.text.encode("utf-8", "surrogatepass")).hexdigest()


def add_document(store: SqliteStore, encoder: Encoder, document: Document, *, words: int = 80, overlap: int = 1) -> int:
    """Cut, embed and store one document in one transaction; replaces the one of its name. Returns its id."""
    passages = split_passages(document.text, words=words, overlap=overlap)
    vectors = encoder.encode([passage.text for passage in passages])
    return store.put(document, digest_of(document, words, overlap), passages, vectors)


def build_folder(
    store: SqliteStore,
    folder: Path,
    encoder: Callable[[], Encoder],
    *,
    words: int = 80,
    overlap: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """Make `store` hold exactly the readable text files of `folder`.

    Unchanged documents are passed over; `encoder` is called only when there is something to embed. Each document is
    one transaction, so an interrupted build keeps what it has done and the next one goes on from there. A file that
    cannot be read never stops the others; what an earlier build stored of it is kept.

    Args:
        progress: called with (documents done, documents to do).

    Raises:
        DocumentError: `folder` is not a folder.
        StoreError: the index cannot be written.
    """
    documents: list[Document] = []
    failed: list[DocumentError] = []
    kept: set[str] = set()
    for path in find_documents(folder):
        name = path.relative_to(folder).as_posix()
        try:
            documents.append(read_document(path, name))
        except DocumentError as error:
            failed.append(error)
            kept.add(name)
    known = store.digests()
    changed = [document for document in documents if known.get(document.name) != digest_of(document, words, overlap)]
    gone = sorted(set(known) - {document.name for document in documents} - kept)
    _write(store, changed, encoder, words, overlap, progress)
    for name in gone:
        store.remove(name)
    written = tuple(document.name for document in changed)
    unchanged = tuple(document.name for document in documents if document.name not in set(written))
    return BuildReport(written=written, removed=tuple(gone), unchanged=unchanged, failed=tuple(failed))


def _write(
    store: SqliteStore,
    documents: Sequence[Document],
    encoder: Callable[[], Encoder],
    words: int,
    overlap: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    if not documents:
        return
    model = encoder()
    for done, document in enumerate(documents):
        if progress is not None:
            progress(done, len(documents))
        add_document(store, model, document, words=words, overlap=overlap)
    if progress is not None:
        progress(len(documents), len(documents))
