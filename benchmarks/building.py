"""How fast passages are embedded, beside sentence-transformers' own `encode`, and whether they are found as well.

python -m benchmarks.building FILE [--passages 256] [--questions 0] [--out benchmarks/results/building.json]

FILE is gold in JSON lines {question, answers, context}, gzip'd or not. Prints JSON. The same passages go through
`SentenceTransformer.encode(texts)` as it is by default and through the encoder that building uses, in turns, in one
process; the rates are those of the faster of two rounds. Where other programs run at the same time the processor time,
which is told too, is the steadier measure. With `--questions`, both kinds of vectors are searched with
so many questions: recall@5 is the share whose answer stands in one of the five nearest passages of its own text.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine
from benchmarks.output import publish
from index.encoder import OnnxEncoder, cores
from index.passages import split_passages
from index.types import Encoder
from index.weights import weights_folder
from qa.evaluation import Gold, read_gold

Vectors = NDArray[np.float32]


class Theirs:
    """sentence-transformers with its defaults."""

    name = "sentence-transformers"
    dimension = 384

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(weights_folder()), local_files_only=True)

    def encode(self, texts: Any) -> Vectors:
        vectors: Vectors = self._model.encode(texts)
        return vectors


def measure(encoders: dict[str, Encoder], texts: list[str], rounds: int = 2) -> dict[str, dict[str, float]]:
    """Passages a second, and processor seconds for a thousand passages, of the fastest round of each encoder."""
    best: dict[str, dict[str, float]] = {}
    for encoder in encoders.values():
        encoder.encode(texts[:32])
    for _ in range(rounds):
        for name, encoder in encoders.items():
            begin, worked = time.perf_counter(), time.process_time()
            encoder.encode(texts)
            rate = len(texts) / (time.perf_counter() - begin)
            work = 1000 * (time.process_time() - worked) / len(texts)
            if name not in best or rate > best[name]["passages_per_second"]:
                best[name] = {"passages_per_second": round(rate, 1), "processor_s_per_1000": round(work, 1)}
    return best


def recall(golds: list[Gold], sources: list[str], texts: list[str], vectors: Vectors, asked: Vectors) -> float:
    """Percentage of questions whose answer stands in one of the five nearest passages of its own text."""
    nearest = np.argsort(-(asked @ vectors.T), axis=1)[:, :5]
    found = [
        any(
            sources[number] == gold.context and any(a.casefold() in texts[number].casefold() for a in gold.answers)
            for number in row
        )
        for gold, row in zip(golds, nearest, strict=True)
    ]
    return round(100 * sum(found) / len(found), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--passages", type=int, default=256, help="passages to time")
    parser.add_argument("--questions", type=int, default=0, help="questions to compare retrieval with")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    golds = [gold for gold in read_gold(options.file) if gold.context is not None]
    contexts = list(dict.fromkeys(gold.context for gold in golds if gold.context is not None))
    pairs = [(context, passage.text) for context in contexts for passage in split_passages(context)]
    sources, texts = [source for source, _ in pairs], [text for _, text in pairs]
    encoders: dict[str, Encoder] = {"sentence_transformers": Theirs(), "building": OnnxEncoder(fast=True)}
    rates = measure(encoders, texts[: options.passages])
    part = texts[:64]
    exact = encoders["sentence_transformers"].encode(part)
    cosines = (exact * encoders["building"].encode(part)).sum(1) / np.linalg.norm(exact, axis=1)
    figures: dict[str, Any] = {
        "machine": {**machine(), "cores": cores()},
        "file": options.file.name,
        "passages": len(texts[: options.passages]),
        "words_per_passage": round(float(np.mean([len(text.split()) for text in texts[: options.passages]])), 1),
        **rates,
        "times_as_fast": round(
            rates["building"]["passages_per_second"] / rates["sentence_transformers"]["passages_per_second"], 2
        ),
        "times_less_processor_time": round(
            rates["sentence_transformers"]["processor_s_per_1000"] / rates["building"]["processor_s_per_1000"], 2
        ),
        "cosine": {"mean": round(float(cosines.mean()), 5), "least": round(float(cosines.min()), 5)},
    }
    if options.questions:
        answerable = [gold for gold in golds if gold.answers][: options.questions]
        asked = OnnxEncoder().encode([gold.question for gold in answerable])
        figures["questions"] = len(answerable)
        figures["recall_at_5"] = {
            name: recall(answerable, sources, texts, encoder.encode(texts), asked) for name, encoder in encoders.items()
        }
    publish(figures, options.out)


if __name__ == "__main__":
    main()
