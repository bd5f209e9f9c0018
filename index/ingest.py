"""Documents into the store: read ahead by one thread, embedded in bulk, written behind by another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.passages import embedded_texts
from index.store import SqliteStore
from index.types import Document, Encoder, Passage

__all__ = ["Prepared", "ingest"]

_CHUNK = 256  # passages embedded at a time: enough to sort by length, little enough to stop at once
_AHEAD = 64  # documents read ahead, and documents embedded that wait to be written


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is cut and ready to be embedded; `source` is the file it was read from, if from one."""

    document: Document
    digest: str
    passages: tuple[Passage, ...]
    source: str | None


@dataclass(frozen=True, slots=True)
class _Embedded:
    prepared: Prepared
    vectors: NDArray[np.float32]


class _End:
    """Marks the end of a queue."""


class _Stopped(Exception):
    """The other threads have been told to stop."""


def ingest(
    store: SqliteStore,
    documents: Iterable[Prepared],
    encoder: Callable[[], Encoder],
    *,
    embedded: Callable[[int], None] | None = None,
    written: Callable[[Prepared], None] | None = None,
) -> None:
    """Embed and store `documents`, each in one transaction, in their order.

    `documents` is iterated over in a thread of its own, ahead of the embedding, and the store written in another,
    behind it; `encoder` is called once there is something to embed. On any exception, Ctrl-C included, what is fully
    embedded is still written and the rest left; the exception is raised in the calling thread.

    Args:
        embedded: called with the number of passages just embedded, in the calling thread.
        written: called with each document once it is stored, in the writing thread.
    """
    work = _Work(store, written)
    reader = threading.Thread(target=work.read, args=(iter(documents),), name="reading", daemon=True)
    writer = threading.Thread(target=work.write, name="writing", daemon=True)
    reader.start()
    writer.start()
    try:
        _embed(work, encoder, embedded)
    except _Stopped:
        pass
    finally:
        work.stop.set()
        work.ready.put(_End())
        # not the reader: it may be in the middle of a large file, and what it reads is not wanted any more
        writer.join()
    if work.error is not None:
        raise work.error
    reader.join()


class _Work:
    """What the threads share: two queues, the sign to stop, and the first error of a thread."""

    def __init__(self, store: SqliteStore, written: Callable[[Prepared], None] | None) -> None:
        self.store = store
        self.written = written
        self.read_ahead: queue.Queue[Prepared | _End] = queue.Queue(_AHEAD)
        self.ready: queue.Queue[_Embedded | _End] = queue.Queue()
        self.room = threading.Semaphore(_AHEAD)
        self.stop = threading.Event()
        self.error: BaseException | None = None

    def read(self, documents: Iterator[Prepared]) -> None:
        try:
            for prepared in documents:
                if not self._offer(prepared):
                    return
        except BaseException as error:
            self._fail(error)
        finally:
            self._offer(_End())

    def _offer(self, item: Prepared | _End) -> bool:
        while not self.stop.is_set():
            try:
                self.read_ahead.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def take(self, *, wait: bool) -> Prepared | _End | None:
        """The next document; None when none is there yet and `wait` is not set. Raises _Stopped."""
        while not self.stop.is_set():
            try:
                return self.read_ahead.get(timeout=0.1) if wait else self.read_ahead.get_nowait()
            except queue.Empty:
                if not wait:
                    return None
        raise _Stopped

    def hand_over(self, item: _Embedded) -> None:
        while not self.room.acquire(timeout=0.1):
            if self.stop.is_set():
                raise _Stopped
        self.ready.put(item)

    def write(self) -> None:
        try:
            while not isinstance(item := self.ready.get(), _End):
                prepared = item.prepared
                self.store.put(
                    prepared.document, prepared.digest, prepared.passages, item.vectors, source=prepared.source
                )
                if self.written is not None:
                    self.written(prepared)
                self.room.release()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
        self.stop.set()


def _embed(work: _Work, encoder: Callable[[], Encoder], embedded: Callable[[int], None] | None) -> None:
    """Embed what is read ahead in chunks that may hold several documents, or a part of one."""
    model: Encoder | None = None
    waiting: list[Prepared] = []  # not fully embedded yet, in order
    parts: list[NDArray[np.float32]] = []  # vectors of the first of them so far
    texts: list[str] = []  # still to be embedded, of all of them in order
    ended = False
    while not ended or waiting:
        while not ended and len(texts) < _CHUNK:
            item = work.take(wait=not waiting)
            if item is None:
                break
            if isinstance(item, _End):
                ended = True
                break
            waiting.append(item)
            texts += embedded_texts(item.document, item.passages)
        if not waiting:
            continue
        if work.stop.is_set():
            raise _Stopped
        model = model if model is not None else encoder()
        part, texts = texts[:_CHUNK], texts[_CHUNK:]
        parts.append(model.encode(part))
        if embedded is not None:
            embedded(len(part))
        parts = _hand_over_finished(work, waiting, parts)


def _hand_over_finished(
    work: _Work, waiting: list[Prepared], parts: list[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Pass on the documents whose vectors are all there; returns the vectors of the one that is not."""
    have = sum(len(part) for part in parts)
    if not waiting or have < len(waiting[0].passages):
        return parts
    vectors = np.concatenate(parts)
    while waiting and len(waiting[0].passages) <= len(vectors):
        prepared = waiting.pop(0)
        size = len(prepared.passages)
        work.hand_over(_Embedded(prepared, vectors[:size]))
        vectors = vectors[size:]
    return [vectors] if len(vectors) else []
