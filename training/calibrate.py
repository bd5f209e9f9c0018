"""Step 5, calibrate: fit `calibration.json` of a reader on held-out questions, and say how well it holds on others.

python -m training.calibrate --model qa/model --data training/data --public DIR [--second DIR] [--most-wrong 0.1]

Questions come from articles that the reader was not trained on: the held-out news articles, asked of their article
alone, of two articles in one document and of many in one index, and squad_val given its passage. Half of the articles
(by a hash of their text) fit the ranking, the probabilities and the threshold; the other half is only reported on.
With `--second` questions are asked as by default, and from those that were read again by that reader, squad_val among
them, its `calibration.json` is fitted; the reports are on all questions.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pickle
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
    RANKING,
    Calibration,
    balanced_threshold,
    choose_threshold,
    expected_calibration_error,
    fit,
    fit_ranking,
    load_calibration,
)
from qa.config import Config
from qa.evaluation import Gold, f1, index_contexts, read_gold
from qa.pipeline import Answerer

SETTINGS = ("news alone", "news paired", "news open", "squad given")


@dataclass(frozen=True, slots=True)
class Sample:
    """One question with every span that the reader proposed for it."""

    setting: str
    half: int
    answers: tuple[str, ...]
    spans: tuple[Scored, ...]

    @property
    def again(self) -> bool:
        """Whether a second reader was heard."""
        return self.spans[0].again


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer the pipeline would give to a sample, its raw numbers, and whether it is right."""

    features: tuple[float, ...]
    right: bool
    answerable: bool
    probability: float = 0.0
    given: bool = False


def half_of(text: str) -> int:
    """0: to fit on, 1: to report on."""
    return hashlib.sha256(text.encode()).digest()[0] % 2


def is_right(span: Scored, answers: Sequence[str]) -> bool:
    """Whether a span is an accepted answer."""
    return bool(answers) and f1(span.document.text[span.start : span.end], answers) >= 0.5


def given(answerer: Answerer, golds: Sequence[Gold]) -> Iterator[Sample]:
    """Samples from reading each question's own context."""
    for begin in tqdm(range(0, len(golds), 64), desc="squad given", unit="part"):
        part = golds[begin : begin + 64]
        pairs = [(gold.question, Document(gold.id, "", gold.context or "")) for gold in part]
        for gold, found in zip(part, answerer.reading.read_whole(pairs, unsure=answerer.unsure), strict=True):
            yield Sample("squad given", half_of(gold.context or ""), tuple(gold.answers), tuple(found.judged))


def collect(config: Config, news: Sequence[Gold], squad: Sequence[Gold], every: int) -> Iterator[Sample]:
    """All samples: squad read as given; news asked of its article alone, of two as one document, and of many."""
    yield from given(Answerer.without_index(config), squad[::every])
    work: list[tuple[str, int, list[Gold], list[Gold]]] = []
    for half in (0, 1):
        articles: dict[str, list[Gold]] = {}
        for gold in news:
            if half_of(gold.context or "") == half:
                articles.setdefault(gold.context or "", []).append(gold)
        groups = list(articles.values())
        some = groups[::every]
        work += [("news alone", half, group[::2], group[::2]) for group in some]
        pairs = [paired_up(a, b) for a, b in zip(some[::2], some[1::2], strict=False)]
        work += [("news paired", half, pair, pair) for pair in pairs]
        everything = [gold for group in groups for gold in group]
        work.append(("news open", half, everything, everything[:: 3 * every]))
    for setting, half, indexed, golds in tqdm(work, unit="index"):
        with tempfile.TemporaryDirectory() as folder:
            answerer = index_contexts(dataclasses.replace(config, index=Path(folder)), indexed)
            for gold in golds:
                spans = answerer.find(gold.question).judged
                if spans:
                    yield Sample(setting, half, tuple(gold.answers), tuple(spans))
            answerer.close()


def paired_up(one: Sequence[Gold], other: Sequence[Gold]) -> list[Gold]:
    """Every other question of two articles, asked of one document that holds both: too long to be read whole."""
    context = f"{one[0].context}\n\n{other[0].context}"
    return [dataclasses.replace(gold, context=context) for gold in [*one[1::2], *other[1::2]]]


def ranked(samples: Sequence[Sample]) -> tuple[float, ...]:
    """Weights by which a right span comes first, from the questions that have both right and wrong ones."""
    candidates = []
    for one in samples:
        right = [number for number, span in enumerate(one.spans) if is_right(span, one.answers)]
        if right and len(right) < len(one.spans):
            values = np.array([[getattr(span, name) for name in RANKING] for span in one.spans], float)
            candidates.append((values, max(right, key=lambda number: one.spans[number].score)))
    return fit_ranking(candidates)


def without_similarity(one: Sample) -> Sample:
    """The sample with no retrieval similarity: a passage that is given has none, and both kinds are fitted as one."""
    spans = tuple(dataclasses.replace(span, similarity=0.0) for span in one.spans)
    return dataclasses.replace(one, spans=spans)


def judged(one: Sample, calibration: Calibration) -> Judged:
    """What the best span of a question looks like to its calibration."""
    kept = distinct(one.spans, calibration)
    features = features_of(kept[0], lead_of(kept, calibration))
    probability = calibration.probability(features)
    return Judged(
        dataclasses.astuple(features),
        is_right(kept[0], one.answers),
        bool(one.answers),
        probability,
        probability >= calibration.threshold,
    )


def fitted(samples: Sequence[Sample], others: int, others_answerable: int, most_wrong: float | None) -> Calibration:
    """Ranking, probabilities and threshold, all from these samples.

    Args:
        others, others_answerable: questions that this calibration does not decide on, which count as refused when the
            shares of right answers and of refusals are balanced.
    """
    draft = Calibration(0.0, (0.0,) * len(FEATURES), 0.0, ranked(samples))
    rows = [judged(one, draft) for one in samples]
    right = [row.right for row in rows]
    bias, weights = fit(np.array([row.features for row in rows]), np.array(right))
    draft = dataclasses.replace(draft, bias=bias, weights=weights)
    probabilities = [judged(one, draft).probability for one in samples]
    if most_wrong is None:
        answerable = [row.answerable for row in rows]
        answerable += [True] * others_answerable + [False] * (others - others_answerable)
        threshold = balanced_threshold(probabilities + [0.0] * others, right + [False] * others, answerable)
    else:
        threshold = choose_threshold(probabilities, right, most_wrong=most_wrong)
    return dataclasses.replace(draft, threshold=threshold)


def report(name: str, rows: Sequence[Judged]) -> dict[str, object]:
    """Calibration error, what the threshold gives, and the reliability diagram, on one set of answers."""
    probabilities = [row.probability for row in rows]
    answered = [row.given for row in rows]
    has = [i for i, row in enumerate(rows) if row.answerable]
    no = [i for i, row in enumerate(rows) if not row.answerable]
    bins = [[i for i, p in enumerate(probabilities) if min(int(10 * p), 9) == b] for b in range(10)]
    return {
        "set": name,
        "questions": len(rows),
        "calibration_error": round(expected_calibration_error(probabilities, [row.right for row in rows]), 3),
        "right": round(sum(answered[i] and rows[i].right for i in has) / max(1, len(has)), 3),
        "right_without_threshold": round(sum(rows[i].right for i in has) / max(1, len(has)), 3),
        "refused": round(sum(not answered[i] for i in no) / max(1, len(no)), 3),
        "wrong_of_answered": round(
            sum(a and not row.right for a, row in zip(answered, rows, strict=True)) / max(1, sum(answered)), 3
        ),
        "reliability": [
            {
                "answers": len(one),
                "confidence": round(float(np.mean([probabilities[i] for i in one])), 3),
                "right": round(float(np.mean([rows[i].right for i in one])), 3),
            }
            for one in bins
            if one
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("qa/model"))
    parser.add_argument("--second", type=Path, help="folder of a second reader, whose calibration is then fitted")
    parser.add_argument("--data", type=Path, default=Path("training/data"))
    parser.add_argument("--public", type=Path, required=True, help="folder with squad_val.jsonl.gz")
    parser.add_argument(
        "--most-wrong",
        type=float,
        help="share of the answers given that may be wrong; without it, right answers and refusals are balanced",
    )
    parser.add_argument("--every", type=int, default=1, help="take every so manieth article and squad question")
    parser.add_argument("--samples", type=Path, help="keep the samples here (pickled), or use those that are there")
    options = parser.parse_args()
    if options.samples is not None and options.samples.exists():
        samples: list[Sample] = pickle.loads(options.samples.read_bytes())
    else:
        news = read_gold(options.data / "news_val.jsonl.gz")
        squad = read_gold(options.public / "squad_val.jsonl.gz")
        # the small reader alone is fitted with every window read, both together as they are asked by default
        config = Config(model=options.model, second=options.second)
        if options.second is None:
            config = dataclasses.replace(config, sure=1.0)
        samples = list(collect(config, news, squad, options.every))
        if options.samples is not None:
            options.samples.write_bytes(pickle.dumps(samples))
    second = options.second is not None
    if second:
        samples = [without_similarity(one) if one.again else one for one in samples]
    fit_half = [one for one in samples if one.half == 0 and (second or one.setting != "squad given")]
    to_fit = [one for one in fit_half if one.again == second]
    others = [one for one in fit_half if one.again != second]
    calibration = fitted(to_fit, len(others), sum(bool(one.answers) for one in others), options.most_wrong)
    first = load_calibration(options.model) if second else calibration
    reports = [
        report(
            f"{setting}, {('fit', 'reported')[half]}",
            [
                judged(one, calibration if one.again == second else first)
                for one in samples
                if one.setting == setting and one.half == half
            ],
        )
        for setting in SETTINGS
        for half in (0, 1)
    ]
    table = {
        "bias": calibration.bias,
        "weights": dict(zip(FEATURES, calibration.weights, strict=True)),
        "ranking": dict(zip(RANKING, calibration.ranking, strict=True)),
        "threshold": calibration.threshold,
        "most_wrong": options.most_wrong,
        "read_again": round(sum(one.again for one in samples) / len(samples), 3) if second else None,
        "reports": reports,
    }
    folder: Path = options.model if options.second is None else options.second
    (folder / "calibration.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    assert load_calibration(folder) == calibration
    for row in reports:
        print(json.dumps({name: value for name, value in row.items() if name != "reliability"}))
    for name, weights in (("weights", calibration.weights), ("ranking", calibration.ranking)):
        print(name, [round(weight, 3) for weight in weights])
    print(f"threshold {calibration.threshold:.3f}")


if __name__ == "__main__":
    main()
