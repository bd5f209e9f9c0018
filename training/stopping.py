"""When to stop reading: what a question costs and how often it is answered right, by the confidence that ends reading.

python -m training.stopping --model qa/model --data training/data [--every 2] [--window-tokens 320]

Asked are the held-out questions that `training.calibrate` fits on (never those it reports on), of their article alone,
of two articles in one document and of many in one index. Every window is read once; stopping at each confidence is
then played through. `tokens` is the mean number of window tokens read for a question, `median` the median.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from qa.candidates import Scored
from qa.config import Config
from qa.evaluation import Gold, f1, index_contexts, read_gold
from qa.pipeline import Answerer
from training.calibrate import half_of, paired_up

SURE = (0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Read:
    """One question with the spans of each of its windows, in the order they are read, and the windows' tokens."""

    gold: Gold
    spans: tuple[tuple[Scored, ...], ...]
    tokens: tuple[int, ...]


def read_all(answerer: Answerer, golds: Sequence[Gold]) -> Iterator[Read]:
    """Every question with all its windows read."""
    for gold in golds:
        found = answerer.find(gold.question)
        _, windows, asked = answerer.retrieve(found.read_as)
        spans = tuple(tuple(answerer.reading.read(asked, window)) for window in windows)
        yield Read(gold, spans, tuple(len(window.tokens) for window in windows))


def played(answerer: Answerer, one: Read, sure: float) -> tuple[bool, int]:
    """Whether a question is answered (or refused) rightly when reading stops at `sure`, and the tokens read."""
    spans: list[Scored] = []
    tokens = 0
    for window, length in zip(one.spans, one.tokens, strict=True):
        spans.extend(window)
        tokens += length
        if answerer.is_sure(spans, sure):
            break
    answer = answerer.decide(one.gold.question, one.gold.question, [], spans)
    right = f1(answer.text, one.gold.answers) >= 0.5 if one.gold.answers else answer.text is None
    return right, tokens


def settings(news: Sequence[Gold], every: int) -> Iterator[tuple[str, list[Gold]]]:
    """(name, questions) of every index to ask."""
    articles: dict[str, list[Gold]] = {}
    for gold in news:
        if half_of(gold.context or "") == 0:
            articles.setdefault(gold.context or "", []).append(gold)
    groups = list(articles.values())[::every]
    yield from (("alone", group[::2]) for group in groups)
    yield from (("paired", paired_up(a, b)) for a, b in zip(groups[::2], groups[1::2], strict=False))
    yield "open", [gold for group in groups for gold in group][::3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("qa/model"))
    parser.add_argument("--data", type=Path, default=Path("training/data"))
    parser.add_argument("--every", type=int, default=2, help="take every so manieth article")
    parser.add_argument("--window-tokens", type=int, default=Config().window_tokens, help="longest input of the reader")
    options = parser.parse_args()
    config = Config(model=options.model, window_tokens=options.window_tokens)
    results: dict[str, dict[float, list[tuple[bool, bool, int]]]] = {}
    work = list(settings(read_gold(options.data / "news_val.jsonl.gz"), options.every))
    for setting, golds in tqdm(work, unit="index"):
        with tempfile.TemporaryDirectory() as folder:
            answerer = index_contexts(dataclasses.replace(config, index=Path(folder)), golds)
            for one in read_all(answerer, golds):
                for sure in SURE:
                    row = (bool(one.gold.answers), *played(answerer, one, sure))
                    results.setdefault(setting, {}).setdefault(sure, []).append(row)
            answerer.close()
    for setting, by_sure in results.items():
        for sure, rows in by_sure.items():
            has, no = [row for row in rows if row[0]], [row for row in rows if not row[0]]
            figures = {
                "set": setting,
                "sure": sure,
                "right": round(statistics.mean(row[1] for row in has), 3),
                "refused": round(statistics.mean(row[1] for row in no), 3),
                "tokens": round(statistics.mean(row[2] for row in rows)),
                "median": round(statistics.median(row[2] for row in rows)),
            }
            print(json.dumps(figures))


if __name__ == "__main__":
    main()
