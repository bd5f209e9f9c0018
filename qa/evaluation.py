"""Measure answers against gold: SQuAD 2.0's exact match and F1, refusals, wrong answers, retrieval, latency.

Normalisation and rules are those of the official SQuAD 2.0 script (Rajpurkar, Jia & Liang 2018): lower case, no
punctuation, no articles, white space squeezed; a question without an answer counts 1 when nothing is answered, else 0.
"""

from __future__ import annotations

import gzip
import json
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.build import add_document
from index.documents import title_of
from index.encoder import OnnxEncoder
from index.store import SqliteStore
from index.types import Document
from qa.config import Config
from qa.pipeline import Answerer
from qa.types import Answer, Turn

__all__ = [
    "Gold",
    "GoldError",
    "Outcome",
    "evaluate",
    "exact_match",
    "f1",
    "index_contexts",
    "normalize",
    "read_gold",
    "summary",
]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class GoldError(ValueError):
    """A gold file is missing, or a row of it is not as described; names the file and line."""


@dataclass(frozen=True, slots=True)
class Gold:
    """One question with every accepted answer (none: it has no answer), and its own context if it came with one.

    `history` are the turns before it, oldest first; `resolved` is the question made to stand alone, where that is told.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    context: str | None
    kind: str
    history: tuple[Turn, ...] = ()
    resolved: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was answered to one gold question. `em` and `f1` are in [0, 1]; `retrieved` is None without retrieval."""

    gold: Gold
    answer: Answer
    em: float
    f1: float
    retrieved: bool | None
    seconds: float


def read_gold(path: Path) -> list[Gold]:
    """Read `{question, answers, context?, id?, type?, history?, resolved?}` rows from JSON lines, gzip'd or not.

    `answers` is a list of strings or of `{text, start}`; empty means the question has no answer. `history` is a list of
    `{q, a}` turns before the question, `a` null where there was no answer; `resolved` the question made to stand alone.
    Articles with `qas` (`{title, text, qas: [...]}`) are taken too.

    Raises:
        GoldError: the file cannot be read, or a row lacks a field or has one of the wrong kind.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise GoldError(f"{path} cannot be read ({error})") from error
    found: list[Gold] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            rows = [{**qa, "context": record["text"]} for qa in record["qas"]] if "qas" in record else [record]
            found.extend(
                _gold(row, f"{number}" if len(rows) == 1 else f"{number}.{part}") for part, row in enumerate(rows)
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GoldError(
                f"{path}:{number}: expected {{question, answers, context?, id?}}, got {line[:80]!r} ({error!r})"
            ) from error
    if not found:
        raise GoldError(f"{path} holds no questions")
    return found


def _gold(row: dict[str, Any], number: str) -> Gold:
    question, context = row["question"], row.get("context")
    answers = [answer["text"] if isinstance(answer, dict) else answer for answer in row["answers"]]
    if not isinstance(question, str) or not all(isinstance(answer, str) for answer in answers):
        raise TypeError("question and answers must be text")
    if context is not None and not isinstance(context, str):
        raise TypeError("context must be text")
    kind = str(row.get("type", row.get("kind", "")))
    history = tuple(Turn(str(turn["q"]), turn["a"]) for turn in row.get("history", []))
    return Gold(str(row.get("id", number)), question, tuple(answers), context, kind, history, row.get("resolved"))


def normalize(text: str) -> str:
    """SQuAD's normalisation of an answer."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str | None, accepted: Sequence[str]) -> float:
    """1.0 when `predicted` equals an accepted answer after normalisation (None for no answer), else 0.0."""
    wanted = [normalize(answer) for answer in accepted if normalize(answer)] or [""]
    return float(normalize(predicted or "") in wanted)


def f1(predicted: str | None, accepted: Sequence[str]) -> float:
    """Best token F1 of `predicted` with an accepted answer, in [0, 1]."""
    wanted = [answer for answer in accepted if normalize(answer)] or [""]
    return max(_f1(normalize(predicted or "").split(), normalize(answer).split()) for answer in wanted)


def _f1(predicted: list[str], gold: list[str]) -> float:
    if not predicted or not gold:
        return float(predicted == gold)
    same = sum((Counter(predicted) & Counter(gold)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(predicted), same / len(gold)
    return 2 * precision * recall / (precision + recall)


def evaluate(
    answerer: Answerer, golds: Sequence[Gold], *, given: bool = False, progress: Callable[[int], None] | None = None
) -> list[Outcome]:
    """Ask every gold question: of the index, or with `given` of its own context only, in batches.

    Args:
        progress: called with the number of questions done.

    Raises:
        GoldError: with `given`, a question has no context.
    """
    if given:
        return list(_given(answerer, golds, progress))
    outcomes = []
    for done, gold in enumerate(golds, start=1):
        begin = time.perf_counter()
        answer = answerer.ask(gold.question, gold.history)
        seconds = time.perf_counter() - begin
        outcomes.append(_outcome(gold, answer, _retrieved(gold, answer), seconds))
        if progress is not None:
            progress(done)
    return outcomes


def _given(answerer: Answerer, golds: Sequence[Gold], progress: Callable[[int], None] | None) -> Iterable[Outcome]:
    for begin in range(0, len(golds), 128):
        part = golds[begin : begin + 128]
        pairs = []
        for gold in part:
            if gold.context is None:
                raise GoldError(f"question {gold.id!r} has no context; --given and --open need one in every row")
            pairs.append((gold.question, Document(name=gold.id, title="", text=gold.context)))
        started = time.perf_counter()
        scored = answerer.reading.read_whole(pairs, unsure=answerer.is_unsure)
        seconds = (time.perf_counter() - started) / len(part)
        for gold, found in zip(part, scored, strict=True):
            answer = answerer.decide(gold.question, found.read_as, [], found.judged)
            yield _outcome(gold, answer, None, seconds)
        if progress is not None:
            progress(begin + len(part))


def _outcome(gold: Gold, answer: Answer, retrieved: bool | None, seconds: float) -> Outcome:
    return Outcome(
        gold, answer, exact_match(answer.text, gold.answers), f1(answer.text, gold.answers), retrieved, seconds
    )


def _retrieved(gold: Gold, answer: Answer) -> bool | None:
    """Whether a retrieved passage holds an accepted answer; with a context of its own, a passage of that context."""
    if not gold.answers:
        return None
    passages = [h.passage.text for h in answer.passages if gold.context is None or h.document.text == gold.context]
    return any(accepted.casefold() in text.casefold() for accepted in gold.answers for text in passages)


def index_contexts(
    config: Config, golds: Sequence[Gold], progress: Callable[[int, int], None] | None = None
) -> Answerer:
    """An Answerer over a new index in `config.index` that holds every different context of a gold file as a document.

    Raises:
        GoldError: a question has no context.
    """
    without = next((gold.id for gold in golds if gold.context is None), None)
    if without is not None:
        raise GoldError(f"question {without!r} has no context; --given and --open need one in every row")
    contexts = dict.fromkeys(gold.context for gold in golds if gold.context is not None)
    encoder = OnnxEncoder(config.threads)
    with closing(
        SqliteStore(config.index, encoder_name=encoder.name, dimension=encoder.dimension, create=True)
    ) as store:
        for number, context in enumerate(contexts):
            document = Document(name=f"context-{number:06d}", title=title_of(context, "context"), text=context)
            add_document(store, encoder, document, words=config.passage_words, overlap=config.passage_overlap)
            if progress is not None:
                progress(number + 1, len(contexts))
    return Answerer.open(config)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of an evaluation: percentages with one decimal, latency in milliseconds.

    `left_alone` is there for dialogues: of the questions that stand alone after a history, the share read as typed.
    `right` is the share of answerable questions answered with F1 >= 0.5; `refused` the share of unanswerable ones not
    answered; `wrong` the share of given answers that are wrong (F1 < 0.5, or given where there is none).
    """
    has = [o for o in outcomes if o.gold.answers]
    no = [o for o in outcomes if not o.gold.answers]
    answered = [o for o in outcomes if o.answer.text is not None]
    wrong = [o for o in answered if not o.gold.answers or o.f1 < 0.5]
    retrieved = [o.retrieved for o in outcomes if o.retrieved is not None]
    latency = sorted(o.seconds for o in outcomes)
    figures: dict[str, Any] = {
        "questions": len(outcomes),
        "exact_match": _percent([o.em for o in outcomes]),
        "f1": _percent([o.f1 for o in outcomes]),
        "has_answer": {
            "questions": len(has),
            "exact_match": _percent([o.em for o in has]),
            "f1": _percent([o.f1 for o in has]),
            "right": _percent([o.f1 >= 0.5 for o in has]),
        },
        "no_answer": {"questions": len(no), "refused": _percent([o.answer.text is None for o in no])},
        "answered": _percent([o.answer.text is not None for o in outcomes]),
        "wrong": _percent([True] * len(wrong) + [False] * (len(answered) - len(wrong))),
        "hit_at_k": _percent(retrieved),
        "latency_ms": {"p50": _at(latency, 0.5), "p95": _at(latency, 0.95)},
    }
    alone = [o for o in outcomes if o.gold.history and o.gold.resolved == o.gold.question]
    if alone:  # questions after a history that must be read as typed
        figures["left_alone"] = {
            "questions": len(alone),
            "untouched": _percent([o.answer.read_as == o.gold.question for o in alone]),
        }
    kinds = sorted({o.gold.kind for o in outcomes if o.gold.kind})
    if kinds:
        by_kind = {kind: [o for o in outcomes if o.gold.kind == kind] for kind in kinds}
        figures["by_type"] = {
            kind: {"questions": len(part), "right": _percent([right(o) for o in part])}
            for kind, part in by_kind.items()
        }
    return figures


def right(outcome: Outcome) -> bool:
    """An answerable question answered with F1 >= 0.5, or an unanswerable one refused."""
    return outcome.f1 >= 0.5


def _percent(values: Sequence[float | bool]) -> float | None:
    return round(100 * sum(values) / len(values), 1) if values else None


def _at(ordered: Sequence[float], share: float) -> float:
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
