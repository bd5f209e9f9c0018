"""How the index fares from 10^3 to 10^6 passages: building, opening, searching, memory, disk.

python -m benchmarks.scale [--sizes 1000,10000,100000,1000000] [--sentences FILE.jsonl.gz] [--out FILE.json]

Prints JSON. The documents are made up (benchmarks/corpus.py says how); a line of the file of sentences is
{"text": ...}. Each size is built by one process, which writes 100 documents in a transaction and then settles, and
asked by another, whose memory is measured. Embedding is not part of it. What the file at --out
says of other sizes is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.corpus import DIMENSION, Corpus, Question
from benchmarks.machine import machine
from index.lexical import topic_words
from index.rows import VectorRows
from index.saved import SAVED_NAME
from index.search import in_one_state, rank
from index.store import SqliteStore

SIZES = "1000,10000,100000,1000000"
PER_TRANSACTION = 100
POOL, K, DEPTH = 32, 8, 10
ASKED = 200
COMPARED = 50


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder, encoder_name="synthetic", dimension=DIMENSION, create=True)


def build(folder: Path, size: int, sentences: Path | None) -> dict[str, Any]:
    """Passages a second into the database, and how long the approximate index takes."""
    store = opened(folder)
    writing, batch = 0.0, []
    corpus = Corpus(size, sentences)

    def write() -> float:
        begin = time.perf_counter()
        with store.batch():
            for made in batch:
                store.put(made.document, "made up", made.passages, made.vectors)
        return time.perf_counter() - begin

    for made in corpus.made():
        batch.append(made)
        if len(batch) == PER_TRANSACTION:
            writing += write()
            batch.clear()
    writing += write()
    begin = time.perf_counter()
    store.settle()
    settling = time.perf_counter() - begin
    passages = store.counts()[1]
    base = store._dense._views[-1].base
    store.close()
    return {
        "passages": passages,
        "written_per_s": round(passages / writing),
        "settle_s": round(settling, 1),
        "lists": None if base is None else base.faiss.nlist,
        "lists_visited": None if base is None else base.visited,
        "database_mb": round((folder / "index.db").stat().st_size / 2**20, 1),
        "dense_file_mb": round((folder / SAVED_NAME).stat().st_size / 2**20, 1) if base is not None else 0.0,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
    }


def timed(ask: Callable[[Question], Any], questions: list[Question]) -> dict[str, float]:
    """Milliseconds of one call each, by the clock and of processor time, which other processes hardly change."""
    times, worked = [], []
    for question in questions:
        begin, begun = time.perf_counter(), time.process_time()
        ask(question)
        times.append(1000 * (time.perf_counter() - begin))
        worked.append(1000 * (time.process_time() - begun))
    times.sort()
    return {
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[int(0.95 * len(times))], 2),
        "processor_p50_ms": round(statistics.median(worked), 2),
    }


def ask(folder: Path, size: int, sentences: Path | None) -> dict[str, Any]:
    """Opening, searching and memory in a process that only asks."""
    questions = Corpus(size, sentences).questions(ASKED + 1)
    before = psutil.Process().memory_info().rss
    begin = time.perf_counter()
    store = opened(folder)
    store.dense(questions[0].vector, POOL)
    opening = time.perf_counter() - begin

    def ranked(question: Question) -> Any:
        return in_one_state(store, lambda: rank(store, question.text, question.vector, k=K, pool=POOL))

    found: dict[str, Any] = {
        "others_running": round(os.getloadavg()[0], 1),
        "open_s": round(opening, 2),
        "rank": timed(ranked, questions[1:]),  # no word of them has been asked before
        "rank_again": timed(ranked, questions[1:]),
        "lexical": timed(lambda question: store.lexical(question.text, POOL), questions[1:]),
        "dense": timed(lambda question: store.dense(question.vector, POOL), questions[1:]),
    }
    resident = psutil.Process().memory_info().rss
    found["memory_mb"] = round(resident / 2**20)
    found["memory_of_index_mb"] = round((resident - before) / 2**20)
    found["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
    found["dense_recall_at_10"] = dense_recall(store, questions[1 : 1 + COMPARED])
    found |= lexical_quality(store, questions[1 : 1 + COMPARED])
    store.close()
    return found


def dense_recall(store: SqliteStore, questions: list[Question]) -> float:
    """Share of the ten exactly nearest that a search finds."""
    import faiss

    vectors = np.array([question.vector for question in questions])
    scores = np.full((len(questions), DEPTH), -np.inf, np.float32)
    nearest = np.zeros((len(questions), DEPTH), np.int64)
    for ids, rows in VectorRows(store._database, DIMENSION).chunks(0, 2**62):
        more, places = faiss.knn(vectors, rows, DEPTH, metric=faiss.METRIC_INNER_PRODUCT)
        all_scores, all_ids = np.hstack([scores, more]), np.hstack([nearest, ids[places]])
        best = np.argsort(-all_scores, axis=1)[:, :DEPTH]
        scores, nearest = np.take_along_axis(all_scores, best, 1), np.take_along_axis(all_ids, best, 1)
    hits = 0
    for question, exact in zip(questions, nearest, strict=True):
        hits += len(set(exact.tolist()) & {identifier for identifier, _ in store.dense(question.vector, DEPTH)})
    return round(hits / (DEPTH * len(questions)), 4)


def lexical_quality(store: SqliteStore, questions: list[Question]) -> dict[str, Any]:
    """Bounded BM25 beside BM25 over every match: the passage asked about found in the pool, and the BM25
    scores of the ten best added up, as a share of the most there is."""
    statement = "SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY bm25(lexicon), rowid LIMIT ?"
    of_these = "SELECT rowid, -bm25(lexicon) FROM lexicon WHERE lexicon MATCH ?"
    ours = theirs = 0
    reached = most = 0.0
    times = []
    for question in questions:
        words = topic_words(question.text)
        match = " OR ".join(f'"{word}"' for word in words)
        begin = time.perf_counter()
        rows = store._database.rows(statement, (match, POOL))
        times.append(1000 * (time.perf_counter() - begin))
        full, bounded = [row[0] for row in rows], store.lexical(question.text, POOL)
        wanted = question.document * 20 + question.passage + 1
        ours, theirs = ours + (wanted in bounded), theirs + (wanted in full)
        scores = dict(store._database.rows(of_these, (match,)))
        reached += sum(scores[identifier] for identifier in bounded[:DEPTH])
        most += sum(scores[identifier] for identifier in full[:DEPTH])
    return {
        "lexical_found": round(ours / len(questions), 3),
        "lexical_found_by_full_bm25": round(theirs / len(questions), 3),
        "lexical_top_10_score_share": round(reached / most, 3),
        "full_bm25_p50_ms": round(statistics.median(times), 1),
    }


def child(part: str, folder: Path, size: int, sentences: Path | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", "--part", part, "--folder", str(folder), "--sizes", str(size)]
    if sentences is not None:
        command += ["--sentences", str(sentences)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--part", choices=["build", "ask"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    if options.part is not None:
        print(json.dumps((build if options.part == "build" else ask)(options.folder, sizes[0], options.sentences)))
        return
    figures: dict[str, Any] = {"machine": machine(), "sizes": {}}
    if options.out is not None and options.out.exists():
        figures["sizes"] = json.loads(options.out.read_text(encoding="utf-8"))["sizes"]
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            parts = [child(part, Path(name), size, options.sentences) for part in ("build", "ask")]
        figures["sizes"][str(size)] = {"build": parts[0], "ask": parts[1]}
        print(json.dumps({str(size): figures["sizes"][str(size)]}, indent=2), flush=True)
        if options.out is not None:
            options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
