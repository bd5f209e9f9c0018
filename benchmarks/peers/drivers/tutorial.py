"""The usual tutorial chatbot: the nearest passage is shown as the answer. It reads nothing and never refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.peers.drivers.dense import Dense
from benchmarks.peers.drivers.wire import Reply, Settings, serve


class Tutorial:
    def __init__(self, settings: Settings) -> None:
        torch.set_num_threads(settings.threads)
        self._dense = Dense(settings)

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        return self._dense.build(documents, folder)

    def open(self, folder: Path) -> None:
        self._dense.open(folder)

    def ask(self, question: str) -> Reply:
        document, text, score = self._dense.nearest(question, 1)[0]
        return Reply(text, document, score, text)


if __name__ == "__main__":
    serve(Tutorial)
