"""txtai: a hybrid `Embeddings` index with content, and its extractive `Questions` pipeline over the best matches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from txtai import Embeddings
from txtai.pipeline import Questions

from benchmarks.peers.drivers.wire import Reply, Settings, serve, windows

MATCHES = 3  # txtai's default: the best matches are joined into one context, which 512 tokens hold
LEAST_SCORE = 0.0  # its default `minscore`, of the similarity of a match


class Txtai:
    def __init__(self, settings: Settings) -> None:
        torch.set_num_threads(settings.threads)
        self._encoder = settings.encoder
        self._questions = Questions(settings.reader, gpu=False)
        self._embeddings: Embeddings | None = None

    def _new(self) -> Embeddings:
        return Embeddings(path=self._encoder, content=True, hybrid=True, gpu=False)

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        embeddings = self._embeddings if self._embeddings is not None else self._new()
        rows = [
            (f"{number}/{document['name']}", passage)
            for document in documents
            for number, passage in enumerate(windows(document["text"]))
        ]
        embeddings.index(rows)
        embeddings.save(str(folder))
        self._embeddings = embeddings
        return len(rows)

    def open(self, folder: Path) -> None:
        embeddings = self._new()
        embeddings.load(str(folder))
        self._embeddings = embeddings

    def ask(self, question: str) -> Reply:
        if self._embeddings is None:
            raise RuntimeError("nothing is open")
        matches = [match for match in self._embeddings.search(question, MATCHES) if match["score"] >= LEAST_SCORE]
        if not matches:
            return Reply(None)
        score = float(matches[0]["score"])
        try:
            text = self._questions([question], [" ".join(match["text"] for match in matches)])[0]
        except TypeError as error:
            # a model that says "no answer" (its best place is [CLS]) makes the pipeline fail: taken for that refusal
            return Reply(None, None, score, None, f"{type(error).__name__}: {error}")
        if not text:
            return Reply(None, None, score)
        source = next((match["id"] for match in matches if text in match["text"]), None)
        return Reply(text, None if source is None else source.split("/", 1)[1], score, text)


if __name__ == "__main__":
    serve(Txtai)
