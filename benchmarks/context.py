"""Whether telling the encoder a passage's title and heading finds more: hit@k and MRR with and without.

python -m benchmarks.context FILE... [--limit 500] [--out benchmarks/results/context.json]

Each FILE is JSON lines, gzip'd or not: of articles {title, text, qas: [{question, answers}]}, or of questions {title,
context, question, answers}, where every different context is a document with that title. Prints JSON. A hit is a
passage of the question's own document that holds an accepted answer; "dense" ranks by cosine alone, "fused" as asking
does. The first `--limit` answerable questions of each file are asked; all of its documents are searched.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.output import publish
from index.encoder import OnnxEncoder
from index.passages import embedded_texts, split_passages
from index.search import rank
from index.store import SqliteStore
from index.types import Document

Question = tuple[str, str, list[str]]  # question, name of its document, accepted answers
DEPTH = 10


def read(path: Path, limit: int) -> tuple[list[Document], list[Question]]:
    """Documents and answerable questions of a file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    documents: dict[str, Document] = {}
    questions: list[Question] = []
    for row in rows:
        text = row["text"] if "qas" in row else row["context"]
        document = documents.setdefault(text, Document(f"{len(documents):05}", row.get("title", ""), text))
        for qa in row.get("qas", [row]):
            answers = [answer["text"] if isinstance(answer, dict) else answer for answer in qa["answers"]]
            if answers:
                questions.append((qa["question"], document.name, answers))
    return list(documents.values()), questions[:limit]


def measure(documents: Sequence[Document], questions: Sequence[Question], context: bool) -> dict[str, Any]:
    """Percentages of questions hit in the first k, and mean reciprocal rank over the first ten."""
    bulk, asking = OnnxEncoder(fast=True), OnnxEncoder()
    vectors = asking.encode([question for question, _, _ in questions])
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder), encoder_name=bulk.name, dimension=bulk.dimension, create=True)
        for document in documents:
            passages = split_passages(document.text, sections=document.sections)
            texts = embedded_texts(document, passages) if context else [passage.text for passage in passages]
            store.put(document, "", passages, bulk.encode(texts))
        ranks: dict[str, list[int]] = {"dense": [], "fused": []}
        named = {identifier: document.name for identifier, document in store.documents().items()}
        for (question, name, answers), vector in zip(questions, vectors, strict=True):
            dense = store.passages([identifier for identifier, _ in store.dense(vector, DEPTH)])
            fused = [hit.passage for hit in rank(store, question, vector, k=DEPTH, pool=32)]
            for way, passages in (("dense", dense), ("fused", fused)):
                good = [
                    named[p.document_id] == name and any(a.casefold() in p.text.casefold() for a in answers)
                    for p in passages
                ]
                ranks[way].append(good.index(True) + 1 if any(good) else DEPTH + 1)
        store.close()
    return {way: figures_of(found, DEPTH) for way, found in ranks.items()}


def figures_of(ranks: Sequence[int], depth: int) -> dict[str, float]:
    """hit@1, 5 and 8 in percent, and MRR, of the ranks (from 1) of first hits; beyond `depth` there was none."""
    hits = {f"hit@{k}": round(100 * float((np.array(ranks) <= k).mean()), 1) for k in (1, 5, 8)}
    return {**hits, "mrr": round(float(np.mean([1 / r if r <= depth else 0.0 for r in ranks])), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    for path in options.files:
        documents, questions = read(path, options.limit)
        figures[path.name] = {
            "documents": len(documents),
            "questions": len(questions),
            "passage alone": measure(documents, questions, context=False),
            "with title and heading": measure(documents, questions, context=True),
        }
    publish(figures, options.out)


if __name__ == "__main__":
    main()
