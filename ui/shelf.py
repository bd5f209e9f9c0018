"""The documents that one browser has added: a small index of their own, asked with the same models."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from index.build import add_document
from index.store import SqliteStore
from index.types import Document, Encoder
from qa.pipeline import Answerer
from ui.exchange import OWN

__all__ = ["FAILED", "INDEXING", "READING", "READY", "Shelf", "Upload", "stored_name"]

T = TypeVar("T")

WAITING, READING, INDEXING, READY, FAILED = "waiting", "reading", "indexing", "ready", "failed"


@dataclass(frozen=True, slots=True)
class Upload:
    """One added file. `state` is waiting, reading, indexing, ready or failed; `progress` is in [0, 1].

    `message` says why it failed. `size` counts bytes, `characters` those of its text once it has been read.
    """

    id: str
    name: str
    size: int
    state: str = WAITING
    progress: float = 0.0
    message: str | None = None
    characters: int = 0
    pages: int = 0

    def to_json(self) -> dict[str, Any]:
        """What its owner is told."""
        return {
            "id": self.id, "name": self.name, "size": self.size, "state": self.state,
            "progress": round(self.progress, 3), "message": self.message, "pages": self.pages,
        }  # fmt: skip


class Shelf:
    """The added documents of one browser. Thread-safe.

    Args:
        folder: a private, empty folder; removed with all in it by `close`.
        answerer: whose encoder, reader and settings are used.
    """

    def __init__(self, folder: Path, answerer: Answerer) -> None:
        self.folder = folder
        self.used = time.monotonic()
        self.tabs: set[str] = set()
        self._shared = answerer
        self._uploads: dict[str, Upload] = {}
        self._own: Answerer | None = None
        self._lock = threading.RLock()
        self._asking = 0
        self._closed = False

    def uploads(self) -> list[Upload]:
        """All files, in the order they came."""
        with self._lock:
            return list(self._uploads.values())

    def add(self, name: str, size: int) -> Upload:
        """List a file that has been received at `path_of` it. One of the same name is replaced."""
        upload = Upload(secrets.token_urlsafe(9), name, size)
        for other in self.uploads():
            if other.name == name:
                self.remove(other.id)
        with self._lock:
            self._uploads[upload.id] = upload
        return upload

    def change(self, identifier: str, **changes: Any) -> bool:
        """Change what is known of a file; False when it has been removed."""
        with self._lock:
            if self._closed or identifier not in self._uploads:
                return False
            self._uploads[identifier] = replace(self._uploads[identifier], **changes)
            return True

    def remove(self, identifier: str) -> bool:
        """Forget a file and all that was made of it; False when there is none of that id."""
        with self._lock:
            upload = self._uploads.pop(identifier, None)
            own = self._own
        if upload is None:
            return False
        self.path_of(identifier).unlink(missing_ok=True)
        if own is not None and upload.state == READY:  # not with the lock: another file may just be written
            _store_of(own).remove(stored_name(upload.name))
        return True

    def path_of(self, identifier: str) -> Path:
        """Where a received file lies until it has been read."""
        return self.folder / f"{identifier}.upload"

    def index(self, identifier: str, document: Document, encoder: Encoder) -> bool:
        """Make a document of this shelf answer questions; False when it has been removed meanwhile."""
        own = self._answerer()
        config, store = own.config, _store_of(own)
        add_document(store, encoder, document, words=config.passage_words, overlap=config.passage_overlap)
        if self.change(identifier, state=READY, progress=1.0):
            return True
        if not self._closed:
            store.remove(document.name)
        return False

    def _answerer(self) -> Answerer:
        with self._lock:
            if self._own is None:
                encoder = self._shared.encoder
                store = SqliteStore(
                    self.folder / "index", encoder_name=encoder.name, dimension=encoder.dimension, create=True
                )
                shared = self._shared
                config = replace(shared.config, threshold=shared.threshold)
                self._own = Answerer(store, encoder, shared.reader, shared.calibration, config, shared.reading.second)
            return self._own

    def ask(self, work: Callable[[Answerer | None], T]) -> T:
        """The result of `work`, given the Answerer of what is ready (None: nothing is). Kept open meanwhile."""
        with self._lock:
            self.used = time.monotonic()
            ready = not self._closed and any(upload.state == READY for upload in self._uploads.values())
            own = self._own if ready else None
            self._asking += 1
        try:
            return work(own)
        finally:
            with self._lock:
                self._asking -= 1
                if self._closed and self._asking == 0:
                    self._clean()

    def close(self) -> None:
        """Remove everything, once the questions being answered are."""
        with self._lock:
            self._closed = True
            self._uploads.clear()
            if self._asking == 0:
                self._clean()

    def _clean(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None
        shutil.rmtree(self.folder, ignore_errors=True)


def _store_of(answerer: Answerer) -> SqliteStore:
    store: SqliteStore = answerer.store  # type: ignore[assignment]
    return store


def stored_name(name: str) -> str:
    """The name of an added file's document: one that no document of a collection has."""
    return OWN + name
