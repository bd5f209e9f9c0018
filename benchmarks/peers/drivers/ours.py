"""This product, as `Index` and `Answerer` give it to anyone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.drivers.wire import Reply, Settings, serve
from index.documents import title_of
from index.encoder import ENCODER_NAME, OnnxEncoder
from index.handle import Index
from index.store import SqliteStore
from index.types import Document
from qa.confidence import Calibration, load_calibration
from qa.config import Config
from qa.pipeline import Answerer
from qa.reader import OnnxReader


class Ours:
    def __init__(self, settings: Settings) -> None:
        # the reader and the encoder are the product's own: the peers are given the same weights as folders
        self._threads = settings.threads
        self._bulk: OnnxEncoder | None = None
        self._parts: tuple[OnnxEncoder, OnnxReader, Calibration] | None = None
        self._answerer: Answerer | None = None

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        if self._bulk is None:
            self._bulk = OnnxEncoder(self._threads, fast=True)
        bulk = self._bulk
        store = SqliteStore(folder, encoder_name=ENCODER_NAME, dimension=OnnxEncoder.dimension, create=True)
        with Index(store, bulk_encoder=lambda: bulk) as index:
            index.add(*(Document(d["name"], title_of(d["text"], d["name"]), d["text"]) for d in documents))
            passages = store.counts()[1]
        self.open(folder)
        return passages

    def open(self, folder: Path) -> None:
        config = Config(index=folder, threads=self._threads, second=None, log_questions=False)
        if self._parts is None:  # once, as the peers load theirs; the same as `Answerer.open` makes
            reader = OnnxReader(config.model, threads=config.threads)
            self._parts = OnnxEncoder(threads=1), reader, load_calibration(config.model)
        store = SqliteStore(folder, encoder_name=ENCODER_NAME, dimension=OnnxEncoder.dimension)
        self._answerer = Answerer(store, *self._parts, config)

    def ask(self, question: str) -> Reply:
        if self._answerer is None:
            raise RuntimeError("nothing is open")
        answer = self._answerer.ask(question)
        if answer.evidence is not None:
            return Reply(answer.text, answer.evidence.document.name, answer.confidence, answer.text)
        if answer.alternatives:
            withheld = answer.alternatives[0]
            return Reply(None, withheld.evidence.document.name, answer.confidence, withheld.text)
        return Reply(answer.text, None, answer.confidence, answer.text)


if __name__ == "__main__":
    serve(Ours)
