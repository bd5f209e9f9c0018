"""One index as an object: add, remove, search."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from index.build import BuildReport, add_files, cut, digest_of
from index.collections import collection_folder
from index.encoder import ENCODER_NAME, OnnxEncoder
from index.ingest import Prepared, ingest
from index.search import search
from index.store import SqliteStore
from index.types import Document, Encoder, Entry, Hit

__all__ = ["Index", "matching"]


def matching(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    """Those of `names` that equal a pattern or match it as a glob; `*` matches slashes too."""
    wanted = set(patterns)
    return [name for name in names if name in wanted or any(fnmatch.fnmatchcase(name, p) for p in patterns)]


class Index:
    """Documents to be searched and answered from. Safe to use from several threads; a context manager.

    >>> with Index.open("notes", create=True) as index:
    ...     index.add("my-notes/", Document("memo", "Memo", "The ferry sails at nine."))
    ...     index.search("When does the ferry sail?")[0].passage.text

    Args:
        store: where everything is kept.
        encoder: embeds questions; made on first use.
        bulk_encoder: embeds documents; made on first use.
    """

    def __init__(
        self,
        store: SqliteStore,
        encoder: Callable[[], Encoder] = lambda: OnnxEncoder(threads=1),
        bulk_encoder: Callable[[], Encoder] = lambda: OnnxEncoder(fast=True),
    ) -> None:
        self.store = store
        self._make_encoder = encoder
        self._make_bulk_encoder = bulk_encoder
        self._encoder: Encoder | None = None
        self._bulk_encoder: Encoder | None = None

    @classmethod
    def open(cls, path: str | Path, *, create: bool = False) -> Index:
        """Open the index in the folder `path`, or the collection of that name.

        Args:
            create: make an empty one when there is none.

        Raises:
            StoreError: there is none (and not `create`), it is damaged or foreign, or `path` is no name or path.
        """
        folder = collection_folder(path)
        return cls(SqliteStore(folder, encoder_name=ENCODER_NAME, dimension=OnnxEncoder.dimension, create=create))

    @property
    def path(self) -> Path:
        """The index folder."""
        return self.store.folder

    def add(self, *items: str | Path | Document, progress: Callable[[int, int], None] | None = None) -> BuildReport:
        """Add documents, or the files that paths, folders and globs name; what has not changed is passed over.

        A document replaces the one of its name. A file that cannot be read is in the report's `failed`.

        Args:
            progress: called with (passages embedded, passages to embed, as far as is known).

        Raises:
            StoreError: the index cannot be written.
            ModelError: the encoder's files are missing or damaged.
        """
        documents = [item for item in items if isinstance(item, Document)]
        paths = [item for item in items if not isinstance(item, Document)]
        handed = self._add_documents(documents, progress)
        if not paths:
            return handed
        report = add_files(self.store, paths, self._bulk, progress=progress)
        return BuildReport(
            handed.written + report.written, report.removed, handed.unchanged + report.unchanged, report.failed
        )

    def _add_documents(self, documents: Sequence[Document], progress: Callable[[int, int], None] | None) -> BuildReport:
        known = self.store.digests()
        changed = [
            Prepared(document, digest_of(document), cut(document), None)
            for document in documents
            if known.get(document.name) != digest_of(document)
        ]
        total = sum(len(prepared.passages) for prepared in changed)
        done = 0

        def embedded(passages: int) -> None:
            nonlocal done
            done += passages
            if progress is not None:
                progress(done, total)

        if changed:
            ingest(self.store, changed, self._bulk, embedded=embedded)
        written = tuple(prepared.document.name for prepared in changed)
        unchanged = tuple(document.name for document in documents if document.name not in set(written))
        return BuildReport(written, (), unchanged, ())

    def sync(self, folder: str | Path, *, progress: Callable[[int, int], None] | None = None) -> BuildReport:
        """`add` a folder, and remove the documents whose files have vanished from it."""
        return add_files(self.store, [folder], self._bulk, synchronise=True, progress=progress)

    def remove(self, *names: str) -> tuple[str, ...]:
        """Remove the documents of these names or globs. Returns the names of those that were there."""
        found = matching([entry.name for entry in self.documents()], names)
        return tuple(name for name in found if self.store.remove(name))

    def search(self, question: str, k: int = 8) -> list[Hit]:
        """The k passages that fit a question best, best first.

        Raises:
            ValueError: `k` < 1.
        """
        if self._encoder is None:
            self._encoder = self._make_encoder()
        return search(self.store, self._encoder, question, k=k, pool=max(32, 2 * k))

    def documents(self) -> list[Entry]:
        """What is in the index, in the order of names."""
        return self.store.entries()

    def __len__(self) -> int:
        return self.store.counts()[0]

    def close(self) -> None:
        """Close the index. It must not be used afterwards."""
        self.store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bulk(self) -> Encoder:
        if self._bulk_encoder is None:
            self._bulk_encoder = self._make_bulk_encoder()
        return self._bulk_encoder
