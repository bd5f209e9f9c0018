"""Step 6, evaluate: a reader alone, each question over its own context, before any calibration.

python -m training.evaluate READER [READER ...] --public DIR [--data training/data]

Prints a row per reader and data set: exact match and F1 of the best span where there is an answer (no threshold), and
SQuAD 2.0's F1 with the no-answer margin chosen (a) on one half of the contexts and reported on the other, (b) on the
same questions, as the official script's "best F1" does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.types import Document
from qa.candidates import distinct
from qa.confidence import Calibration
from qa.config import Config
from qa.evaluation import Gold, exact_match, f1, read_gold
from qa.nothing import NoEncoder, NoStore
from qa.pipeline import Answerer
from qa.reader import OnnxReader
from training.calibrate import half_of


@dataclass(frozen=True, slots=True)
class Read:
    """The best span of one question: its margin over "no answer", its scores, and the F1 of answering nothing."""

    half: int
    margin: float
    em: float
    f1: float
    empty_f1: float
    answerable: bool


def read_all(reader: OnnxReader, golds: Sequence[Gold]) -> list[Read]:
    """Read every question over its own context."""
    calibration = Calibration(0.0, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), 0.0)
    answerer = Answerer(NoStore(), NoEncoder(), reader, calibration, Config(threshold=0.0))
    found: list[Read] = []
    for begin in range(0, len(golds), 256):
        part = golds[begin : begin + 256]
        pairs = [(gold.question, Document(gold.id, "", gold.context or "")) for gold in part]
        for gold, one in zip(part, answerer.reading.read_whole(pairs), strict=True):
            best = distinct(one.spans, calibration)[0]
            text = best.document.text[best.start : best.end]
            scores = exact_match(text, gold.answers), f1(text, gold.answers), f1(None, gold.answers)
            found.append(Read(half_of(gold.context or ""), best.margin, *scores, bool(gold.answers)))
    return found


def best_margin(rows: Sequence[Read]) -> float:
    """The margin above which answering gives the highest mean F1."""
    ordered = sorted(rows, key=lambda row: -row.margin)
    total = best = sum(row.empty_f1 for row in rows)
    chosen = float("inf")
    for row in ordered:
        total += row.f1 - row.empty_f1
        if total > best:
            best, chosen = total, row.margin
    return chosen


def mean_f1(rows: Sequence[Read], margin: float) -> float:
    """Mean F1 in percent when spans of at least `margin` are given and nothing else is answered."""
    return 100 * sum(row.f1 if row.margin >= margin else row.empty_f1 for row in rows) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="+", type=Path)
    parser.add_argument("--public", type=Path, required=True, help="folder with squad_val.jsonl.gz")
    parser.add_argument("--data", type=Path, default=Path("training/data"))
    parser.add_argument("--every", type=int, default=1, help="take every n-th question only")
    options = parser.parse_args()
    print("| reader | set | questions | HasAns EM | HasAns F1 | F1, margin from the other half | F1, best margin |")
    print("|---|---|---|---|---|---|---|")
    for folder in options.readers:
        reader = OnnxReader(folder)
        for path in (options.public / "squad_val.jsonl.gz", options.data / "news_val.jsonl.gz"):
            rows = read_all(reader, read_gold(path)[:: options.every])
            has = [row for row in rows if row.answerable]
            halves = [[row for row in rows if row.half == half] for half in (0, 1)]
            em, f1_has = (100 * sum(getattr(row, name) for row in has) / len(has) for name in ("em", "f1"))
            crossed = sum(mean_f1(halves[1 - h], best_margin(halves[h])) * len(halves[1 - h]) for h in (0, 1)) / len(
                rows
            )
            print(
                f"| {reader.name} | {path.name.split('.')[0]} | {len(rows)} | {em:.1f} | {f1_has:.1f} "
                f"| {crossed:.1f} | {mean_f1(rows, best_margin(rows)):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
