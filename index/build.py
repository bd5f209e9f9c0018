"""Bring an index into step with files and folders: only what is new or changed is read and embedded."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.documents import read_document
from index.errors import DocumentError
from index.files import FileMemory, Seen, hash_of
from index.ingest import Prepared, ingest
from index.passages import embedded_texts, split_passages
from index.plan import Found, Plan, find, make_plan
from index.store import SqliteStore
from index.types import Document, Encoder, Passage

__all__ = ["BuildReport", "add_document", "add_files", "build_folder", "cut", "digest_of", "plan_files"]

# Part of every digest: a change in how files are read, cut or embedded makes the next build do so for all anew.
PASSAGES_VERSION = 2


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: names of documents added or replaced, removed, left as they were; and the files that failed."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[DocumentError, ...]


def digest_of(document: Document, words: int = 80, overlap: int = 1) -> str:
    """Identifies a document's content and the way it is cut; begins with `recipe_of`."""
    content = hashlib.sha256()
    parts = [document.title, document.author or "", document.date or "", document.text]
    parts += [f"{section.start}/{section.label}" for section in document.sections]
    for part in parts:
        content.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return recipe_of(words, overlap) + content.hexdigest()


def recipe_of(words: int, overlap: int) -> str:
    """How documents are cut, as every digest begins."""
    return f"{PASSAGES_VERSION}/{words}/{overlap}/"


def cut(document: Document, words: int = 80, overlap: int = 1) -> tuple[Passage, ...]:
    """The passages of a document."""
    return tuple(split_passages(document.text, words=words, overlap=overlap, sections=document.sections))


def add_document(store: SqliteStore, encoder: Encoder, document: Document, *, words: int = 80, overlap: int = 1) -> int:
    """Cut, embed and store one document in one transaction; replaces the one of its name. Returns its id."""
    passages = cut(document, words, overlap)
    vectors = encoder.encode(embedded_texts(document, passages))
    return store.put(document, digest_of(document, words, overlap), passages, vectors)


def plan_files(
    store: SqliteStore, paths: Sequence[Path | str], *, synchronise: bool = False, words: int = 80, overlap: int = 1
) -> Plan:
    """What `add_files` would do with the same arguments. Changes nothing."""
    memory = FileMemory(store.folder)
    try:
        return _plan(store, memory, paths, synchronise, recipe_of(words, overlap))
    finally:
        memory.close()


def _plan(store: SqliteStore, memory: FileMemory, paths: Sequence[Path | str], synchronise: bool, recipe: str) -> Plan:
    failed: list[DocumentError] = []
    folders = [Path(path) for path in paths if Path(path).is_dir()] if synchronise else []
    return make_plan(
        find(paths, failed), store.entries(), store.digests(), memory.seen(), recipe, failed, synchronised=folders
    )


def add_files(
    store: SqliteStore,
    paths: Sequence[Path | str],
    encoder: Callable[[], Encoder],
    *,
    synchronise: bool = False,
    words: int = 80,
    overlap: int = 1,
    progress: Callable[[int, int], None] | None = None,
    written: Callable[[str], None] | None = None,
) -> BuildReport:
    """Take files, folders and globs into `store`; with `synchronise` also remove what has vanished from the folders.

    Files that are as they were are passed over, by size and time, else by content. Each document is one transaction:
    what an interrupted run has done stays, and the next one goes on from there. A file that cannot be read never stops
    the others; what an earlier run stored of it is kept. Only documents whose files lay under a folder given are ever
    removed, and only when the file is missing or ignored, not when it merely cannot be read.

    Args:
        encoder: makes the encoder; called only when there is something to embed.
        progress: called with (passages embedded, passages to embed, as far as is known).
        written: called with the name of each document once it is stored for good, in another thread.

    Raises:
        StoreError: the index cannot be written.
    """
    memory = FileMemory(store.folder)
    try:
        plan = _plan(store, memory, paths, synchronise, recipe_of(words, overlap))
        run = _Run(store, memory, plan, words, overlap, progress, written)
        if plan.read:
            ingest(store, run.prepared(), encoder, embedded=run.embedded, written=run.written)
        memory.remember(plan.hashed)
        with store.batch():
            for name in plan.remove:
                store.remove(name)
        store.settle()
        return run.report()
    finally:
        memory.close()


def build_folder(
    store: SqliteStore,
    folder: Path,
    encoder: Callable[[], Encoder],
    *,
    words: int = 80,
    overlap: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """`add_files` for one folder, with what has vanished from it removed.

    Args:
        progress: called with (documents stored, documents read or to be read), in another thread.

    Raises:
        DocumentError: `folder` is not a folder.
        StoreError: the index cannot be written.
    """
    if not folder.is_dir():
        raise DocumentError(f"{folder} is not a folder; name the folder that holds the articles")
    total = len(plan_files(store, [folder], synchronise=True, words=words, overlap=overlap).read)
    stored = itertools.count(1)

    def count(_: str) -> None:
        if progress is not None:
            progress(next(stored), total)

    return add_files(store, [folder], encoder, synchronise=True, words=words, overlap=overlap, written=count)


class _Run:
    """One pass over the files of a plan: reads and cuts them, and keeps account."""

    def __init__(
        self,
        store: SqliteStore,
        memory: FileMemory,
        plan: Plan,
        words: int,
        overlap: int,
        progress: Callable[[int, int], None] | None,
        on_written: Callable[[str], None] | None,
    ) -> None:
        self._store = store
        self._memory = memory
        self._plan = plan
        self._words = words
        self._overlap = overlap
        self._progress = progress
        self._on_written = on_written
        self._digests = store.digests()
        self._seen: dict[str, Seen] = {}
        self._same: list[str] = []
        self._failed = list(plan.failed)
        self._written: list[str] = []
        self._files_read = self._to_embed = self._embedded = 0

    def prepared(self) -> Iterator[Prepared]:
        """The documents to embed."""
        for found in self._plan.read:
            try:
                prepared = self._read(found)
            except DocumentError as error:
                self._failed.append(error)
                prepared = None
            self._files_read += 1
            if prepared is not None:
                self._to_embed += len(prepared.passages)
                yield prepared

    def _read(self, found: Found) -> Prepared | None:
        """One file, cut; None when its document is in the index as it is."""
        try:
            # before it is read: if it changes in between, the next run finds another content and reads it again
            sha256 = hash_of(found.path)
        except OSError as error:
            raise DocumentError(f"{found.source}: cannot be read ({error.strerror or error})") from error
        document = read_document(found.path, found.name)
        digest = digest_of(document, self._words, self._overlap)
        seen = Seen(found.source, found.size, found.mtime_ns, sha256, digest)
        if self._digests.get(found.name) == digest:
            if found.moved:
                self._store.set_source(found.name, found.source)
            self._memory.remember([seen])
            self._same.append(found.name)
            return None
        self._seen[found.name] = seen
        return Prepared(document, digest, cut(document, self._words, self._overlap), found.source)

    def embedded(self, passages: int) -> None:
        """Told of so many more passages embedded."""
        self._embedded += passages
        if self._progress is not None:
            # files not read yet are taken to be like those read so far
            expected = self._to_embed * len(self._plan.read) / max(1, self._files_read)
            self._progress(self._embedded, max(self._embedded, round(expected)))

    def written(self, prepared: Prepared) -> None:
        """Told of a document stored."""
        name = prepared.document.name
        self._written.append(name)
        self._memory.remember([self._seen.pop(name)])
        if self._on_written is not None:
            self._on_written(name)

    def report(self) -> BuildReport:
        """What was done."""
        unchanged = (*self._plan.unchanged, *self._same)
        return BuildReport(tuple(self._written), self._plan.remove, unchanged, tuple(self._failed))
