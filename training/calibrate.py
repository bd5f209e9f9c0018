"""Step 5, calibrate: fit `calibration.json` of a reader on held-out questions, and say how well it holds on others.

python -m training.calibrate --model qa/model --data training/data --public DIR [--most-wrong 0.1]

Questions come from articles that the reader was not trained on: the held-out news articles, asked of their article
alone, of two articles in one document and of many in one index, and squad_val given its passage. Half of the articles
(by a hash of their text) fit the model and choose the threshold; the other half is only reported on.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from index.types import Document
from qa.candidates import Scored, distinct, features_of, lead_of
from qa.confidence import (
    FEATURES,
    Calibration,
    Features,
    balanced_threshold,
    choose_threshold,
    expected_calibration_error,
    fit,
)
from qa.config import Config
from qa.evaluation import Gold, f1, index_contexts, read_gold
from qa.pipeline import Answerer


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer the pipeline would give, its raw numbers, and whether it is right."""

    setting: str
    half: int
    features: tuple[float, ...]
    right: bool
    answerable: bool


def half_of(text: str) -> int:
    """0: to fit on, 1: to report on."""
    return hashlib.sha256(text.encode()).digest()[0] % 2


def sample(setting: str, half: int, gold: Gold, scored: Sequence[Scored]) -> Sample:
    """What the best span of a question looks like to the calibration."""
    kept = distinct(scored)
    best = kept[0]
    text = best.document.text[best.start : best.end]
    features = dataclasses.astuple(features_of(best, lead_of(kept)))
    right = bool(gold.answers) and f1(text, gold.answers) >= 0.5
    return Sample(setting, half, features, right, bool(gold.answers))


def given(answerer: Answerer, golds: Sequence[Gold]) -> Iterator[Sample]:
    """Samples from reading each question's own context."""
    for begin in range(0, len(golds), 128):
        part = golds[begin : begin + 128]
        pairs = [(gold.question, Document(gold.id, "", gold.context or "")) for gold in part]
        for gold, found in zip(part, answerer.reading.read_whole(pairs), strict=True):
            yield sample("squad given", half_of(gold.context or ""), gold, found.spans)


def collect(config: Config, news: Sequence[Gold], squad: Sequence[Gold]) -> Iterator[Sample]:
    """All samples: squad read as given; news asked of its article alone, of two as one document, and of many."""
    yield from given(Answerer.without_index(config), squad)
    work: list[tuple[str, int, list[Gold]]] = []
    for half in (0, 1):
        articles: dict[str, list[Gold]] = {}
        for gold in news:
            if half_of(gold.context or "") == half:
                articles.setdefault(gold.context or "", []).append(gold)
        groups = list(articles.values())
        work += [("news alone", half, group[::2]) for group in groups]
        work += [("news paired", half, paired_up(a, b)) for a, b in zip(groups[::2], groups[1::2], strict=False)]
        work.append(("news open", half, [gold for group in groups for gold in group][::3]))
    for setting, half, golds in tqdm(work, unit="index"):
        with tempfile.TemporaryDirectory() as folder:
            answerer = index_contexts(dataclasses.replace(config, index=Path(folder)), golds)
            for gold in golds:
                spans = answerer.find(gold.question).spans
                if spans:
                    yield sample(setting, half, gold, spans)
            answerer.close()


def paired_up(one: Sequence[Gold], other: Sequence[Gold]) -> list[Gold]:
    """Every other question of two articles, asked of one document that holds both: too long to be read whole."""
    context = f"{one[0].context}\n\n{other[0].context}"
    return [dataclasses.replace(gold, context=context) for gold in [*one[1::2], *other[1::2]]]


def report(name: str, samples: Sequence[Sample], calibration: Calibration) -> dict[str, object]:
    """Calibration error, and what the threshold gives, on one set of samples."""
    probabilities = [probability(calibration, one) for one in samples]
    answered = [p >= calibration.threshold for p in probabilities]
    has = [i for i, one in enumerate(samples) if one.answerable]
    no = [i for i, one in enumerate(samples) if not one.answerable]
    given_answers = max(1, sum(answered))
    return {
        "set": name,
        "questions": len(samples),
        "calibration_error": round(expected_calibration_error(probabilities, [one.right for one in samples]), 3),
        "right": round(sum(answered[i] and samples[i].right for i in has) / max(1, len(has)), 3),
        "right_without_threshold": round(sum(samples[i].right for i in has) / max(1, len(has)), 3),
        "refused": round(sum(not answered[i] for i in no) / max(1, len(no)), 3),
        "wrong_of_answered": round(
            sum(a and not s.right for a, s in zip(answered, samples, strict=True)) / given_answers, 3
        ),
    }


def probability(calibration: Calibration, one: Sample) -> float:
    """The calibrated probability of one sample."""
    return calibration.probability(Features(*one.features))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("qa/model"))
    parser.add_argument("--data", type=Path, default=Path("training/data"))
    parser.add_argument("--public", type=Path, required=True, help="folder with squad_val.jsonl.gz")
    parser.add_argument(
        "--most-wrong",
        type=float,
        help="share of the answers given that may be wrong; without it, right answers and refusals are balanced",
    )
    parser.add_argument("--samples", type=Path, help="keep the samples here, or use those that are there")
    options = parser.parse_args()
    if options.samples is not None and options.samples.exists():
        samples = [Sample(**row) for row in json.loads(options.samples.read_text())]
    else:
        news = read_gold(options.data / "news_val.jsonl.gz")
        squad = read_gold(options.public / "squad_val.jsonl.gz")
        samples = list(collect(Config(model=options.model, sure=1.0), news, squad))  # every window is read
        if options.samples is not None:
            options.samples.write_text(json.dumps([dataclasses.asdict(one) for one in samples]))
    news_to_fit = [one for one in samples if one.half == 0 and one.setting != "squad given"]
    features = np.array([one.features for one in news_to_fit])
    bias, weights = fit(features, np.array([one.right for one in news_to_fit]))
    draft = Calibration(bias, weights, 0.0)
    probabilities = [probability(draft, one) for one in news_to_fit]
    right = [one.right for one in news_to_fit]
    if options.most_wrong is None:
        threshold = balanced_threshold(probabilities, right, [one.answerable for one in news_to_fit])
    else:
        threshold = choose_threshold(probabilities, right, most_wrong=options.most_wrong)
    calibration = Calibration(bias, weights, threshold)
    reports = [
        report(
            f"{setting}, {('fit', 'reported')[half]}",
            [s for s in samples if s.setting == setting and s.half == half],
            calibration,
        )
        for setting in ("news alone", "news paired", "news open", "squad given")
        for half in (0, 1)
    ]
    table = {
        "bias": bias,
        "weights": dict(zip(FEATURES, weights, strict=True)),
        "threshold": threshold,
        "most_wrong": options.most_wrong,
        "reports": reports,
    }
    (options.model / "calibration.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    for row in reports:
        print(json.dumps(row))
    print(f"threshold {threshold:.3f}, weights {dict(zip(FEATURES, (round(w, 3) for w in weights), strict=True))}")


if __name__ == "__main__":
    main()
