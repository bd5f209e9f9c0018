"""Kinds of question on training articles: what is taken for each kind, and answers right before and after its route.

    python -m benchmarks.kinds [--most 90]

Each article is indexed alone and asked through the retriever. The reader was trained on these articles, so the figures
compare the two ways with one another and say nothing of new articles.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from index.build import add_document
from index.encoder import OnnxEncoder
from index.store import SqliteStore
from index.types import Document
from qa.confidence import load_calibration
from qa.config import Config
from qa.evaluation import f1
from qa.kinds import kind_of
from qa.kinds.routes import routed
from qa.pipeline import Answerer
from qa.reader import OnnxReader

DATA = Path(__file__).parent.parent / "training" / "data"
SOUGHT = {"list": "list", "definition": "define"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=90, help="questions of each kind")
    most = parser.parse_args().most
    articles: list[dict[str, Any]] = []
    for name in ("news_train", "more_train"):
        with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            articles += [json.loads(line) for line in file]
    asked = [(article, qa) for article in articles for qa in article["qas"]]
    taken = Counter((kind_of(qa["question"]).name, qa["kind"]) for _, qa in asked)
    for (kind, gold), count in sorted(taken.items()):
        print(f"taken for {kind:10} marked {gold:8} {count:5}")
    config = Config()
    encoder, reader = OnnxEncoder(threads=1), OnnxReader(config.model, threads=config.threads)
    calibration = load_calibration(config.model)
    for kind, marked in SOUGHT.items():
        some = [pair for pair in asked if kind_of(pair[1]["question"]).name == kind]
        random.Random(1).shuffle(some)
        result: Counter[str] = Counter()
        for article, qa in some[:most]:
            with tempfile.TemporaryDirectory() as folder:
                store = SqliteStore(Path(folder), encoder_name=encoder.name, dimension=encoder.dimension, create=True)
                add_document(store, encoder, Document(article["title"], article["title"], article["text"]))
                answerer = Answerer(store, encoder, reader, calibration, config)
                found = answerer.find(qa["question"])
                plain = answerer.decide(qa["question"], found.read_as, found.hits, found.spans)
                after = routed(answerer, kind_of(qa["question"]), found, plain)
                store.close()
            accepted = [answer["text"] for answer in qa["answers"]]
            group = marked if qa["kind"] == marked else "none" if not accepted else "others"
            scores = {"before": f1(plain.text, accepted), "after": f1(after.text, accepted)}
            result[f"{group} total"] += 1
            for when, score in scores.items():
                result[f"{group} right {when}"] += score >= 0.5
                result[f"{group} exact {when}"] += score == 1.0
        print(kind, dict(sorted(result.items())))


if __name__ == "__main__":
    main()
