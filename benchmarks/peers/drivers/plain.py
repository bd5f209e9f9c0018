"""The code one writes without a framework: nearest passages from FAISS, each read by transformers' own pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import pipeline

from benchmarks.peers.drivers.dense import Dense
from benchmarks.peers.drivers.wire import PASSAGES_READ, Reply, Settings, serve


class Plain:
    def __init__(self, settings: Settings) -> None:
        torch.set_num_threads(settings.threads)
        self._dense = Dense(settings)
        self._read = pipeline("question-answering", model=settings.reader, device="cpu")

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        return self._dense.build(documents, folder)

    def open(self, folder: Path) -> None:
        self._dense.open(folder)

    def ask(self, question: str) -> Reply:
        found = self._dense.nearest(question, PASSAGES_READ)
        best, given = Reply(None, score=-1.0), False
        for document, text, _ in found:
            # the two best of a passage, so that there is a text also where "no answer" is the surer one
            answers = self._read(question=question, context=text, handle_impossible_answer=True, top_k=2)
            answers = answers if isinstance(answers, list) else [answers]
            said = bool(answers) and bool(answers[0]["answer"].strip())
            span = next((answer for answer in answers if answer["answer"].strip()), None)
            # a passage that is said to hold the answer goes before any that is not, then the surest span
            if span is not None and (said, span["score"]) > (given, best.score):
                given = said
                best = Reply(span["answer"] if said else None, document, float(span["score"]), span["answer"])
        return best


if __name__ == "__main__":
    serve(Plain)
