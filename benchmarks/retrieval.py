"""What is retrieved, by size of passage, ranking and fusion: hit@k and MRR, as a table of runs.

python -m benchmarks.retrieval FILE... [--limit 500] [--out benchmarks/results/retrieval.json]

FILEs are as of `benchmarks.context`. A hit is a passage of the question's own document that holds an accepted answer;
all documents of a file make one index. Rankings are BM25 alone, cosine alone, and both fused by reciprocal rank with a
constant ("rrf 60"), then with the first one, two or three of both among the first eight in any case ("+ 2").
Passages that repeat each other are not left out here. Prints JSON.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.context import Question, figures_of, read
from benchmarks.machine import machine
from benchmarks.output import publish
from index.encoder import OnnxEncoder
from index.passages import embedded_texts, split_passages
from index.search import reciprocal_rank_fusion, with_the_first
from index.store import SqliteStore
from index.types import Document

WORDS = (50, 80, 120)
DEPTH = 8
POOL = 32


def orders(lexical: list[int], dense: list[int]) -> Iterator[tuple[str, list[int]]]:
    """(name, ids best first) of every way to rank."""
    yield "bm25", lexical
    yield "cosine", dense
    for constant in (10, 60):
        fused = [identifier for identifier, _ in reciprocal_rank_fusion([lexical, dense], constant)]
        yield f"rrf {constant}", fused
    for first in (1, 2, 3):
        yield f"rrf 60 + {first}", with_the_first(fused, [lexical, dense], DEPTH, first)


def measure(documents: Sequence[Document], questions: Sequence[Question], words: int) -> dict[str, Any]:
    """Figures of every way to rank passages of `words` words."""
    bulk, asking = OnnxEncoder(fast=True), OnnxEncoder()
    vectors = asking.encode([question for question, _, _ in questions])
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder), encoder_name=bulk.name, dimension=bulk.dimension, create=True)
        for document in documents:
            passages = split_passages(document.text, words=words, sections=document.sections)
            store.put(document, "", passages, bulk.encode(embedded_texts(document, passages)))
        named = {identifier: document.name for identifier, document in store.documents().items()}
        ranks: dict[str, list[int]] = {}
        for (question, name, answers), vector in zip(questions, vectors, strict=True):
            dense = [identifier for identifier, _ in store.dense(vector, POOL)]
            for way, order in orders(store.lexical(question, POOL), dense):
                good = [
                    named[p.document_id] == name and any(a.casefold() in p.text.casefold() for a in answers)
                    for p in store.passages(order[:DEPTH])
                ]
                ranks.setdefault(way, []).append(good.index(True) + 1 if any(good) else DEPTH + 1)
        passages_in_all = store.counts()[1]
        store.close()
    return {"passages": passages_in_all, **{way: figures_of(found, DEPTH) for way, found in ranks.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    for path in options.files:
        documents, questions = read(path, options.limit)
        sizes = {f"{words} words": measure(documents, questions, words) for words in tqdm(WORDS, desc=path.name)}
        figures[path.name] = {"documents": len(documents), "questions": len(questions), **sizes}
    publish(figures, options.out)


if __name__ == "__main__":
    main()
