"""What was answered, and how fast -> figures. The rules of EM, F1, right, refused and wrong are those of `qa eval`."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.rounds import Record, Unit
from benchmarks.peers.works import Work
from qa.evaluation import Gold, Outcome, exact_match, f1, normalize, summary
from qa.types import Answer

# name: whether more is better
BETTER = {
    "exact_match": True, "f1": True, "answerable_f1": True, "refused": True, "wrong": False, "right_document": True,
    "build_words_per_s": True, "cold_s": False, "p50_ms": False, "p95_ms": False, "peak_mb": False,
}  # fmt: skip


def quality(work: Work, record: Record) -> dict[str, Any]:
    """How good the answers of a turn are, in percent."""
    replies = {answer["id"]: answer for answer in record["answers"]}
    asked = [question for question in work.questions if question.gold.id in replies]
    golds = [question.gold for question in asked]
    figures = measured(golds, [replies[gold.id]["text"] for gold in golds])
    placed = [
        replies[q.gold.id]["document"] == q.document
        for q in asked
        if q.document is not None and q.gold.answers and replies[q.gold.id]["text"] is not None
    ]
    shown = [_holds(replies[gold.id]["text"], gold.answers) for gold in golds if gold.answers]
    failures = [replies[gold.id]["failure"] for gold in golds if replies[gold.id].get("failure")]
    return figures | {
        "right_document": percent(placed),
        "shown_holds_answer": percent(shown),
        "failures": len(failures),
        "failure": failures[0] if failures else None,
        "threshold": tuned(golds, [replies[gold.id] for gold in golds]),
    }


def measured(golds: Sequence[Gold], texts: Sequence[str | None]) -> dict[str, Any]:
    """The main figures of `qa.evaluation.summary` for answers given as texts."""
    figures = summary(
        [
            Outcome(
                gold,
                Answer(gold.question, gold.question, text, 0.0, None, (), ()),
                exact_match(text, gold.answers),
                f1(text, gold.answers),
                None,
                0.0,
            )
            for gold, text in zip(golds, texts, strict=True)
        ]
    )
    return {
        "questions": figures["questions"],
        "exact_match": figures["exact_match"],
        "f1": figures["f1"],
        "answerable": figures["has_answer"]["questions"],
        "answerable_f1": figures["has_answer"]["f1"],
        "right": figures["has_answer"]["right"],
        "refused": figures["no_answer"]["refused"],
        "answered": figures["answered"],
        "wrong": figures["wrong"],
    }


def tuned(golds: Sequence[Gold], replies: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The best threshold on the peer's own score, chosen on one half of the questions, and what it gives on the other.

    Which half a question is in depends on its id alone. Best is the highest F1 under SQuAD 2.0's rules, where a refusal
    is right when there is no answer. None when one of the halves is empty.
    """
    halves: tuple[list[int], list[int]] = ([], [])
    for place, gold in enumerate(golds):
        halves[hashlib.sha256(gold.id.encode()).digest()[0] % 2].append(place)
    choosing, reporting = halves
    if not choosing or not reporting:
        return None
    # from "never refuse" on, one candidate more is refused at each step; equal scores are refused together
    gains = sorted(
        (
            _score(replies[place]),
            f1(None, golds[place].answers) - f1(replies[place]["candidate"], golds[place].answers),
        )
        for place in choosing
    )
    best, best_gain, gain = float("-inf"), 0.0, 0.0
    for number, (score, change) in enumerate(gains):
        gain += change
        upper = gains[number + 1][0] if number + 1 < len(gains) else float("inf")
        if upper > score and gain > best_gain:
            best, best_gain = (score + upper) / 2, gain
    texts = [replies[p]["candidate"] if _score(replies[p]) >= best else None for p in reporting]
    there = [golds[place] for place in reporting]
    return {
        "threshold": None if best in (float("-inf"), float("inf")) else round(best, 4),
        "always_refuses": best == float("inf"),
        "chosen_on": len(choosing),
        "reported_on": len(reporting),
        "at_threshold": measured(there, texts),
        "by_default": measured(there, [replies[place]["text"] for place in reporting]),
    }


def _score(reply: Mapping[str, Any]) -> float:
    return float(reply["score"])


def _holds(text: str | None, accepted: Sequence[str]) -> bool:
    shown = f" {normalize(text or '')} "
    return any(f" {normalize(answer)} " in shown for answer in accepted if normalize(answer))


def percent(values: Sequence[bool]) -> float | None:
    """Share of true values in percent with one decimal; None of none."""
    return round(100 * sum(values) / len(values), 1) if values else None


def speed(work: Work, record: Record) -> dict[str, float]:
    """How fast one turn went."""
    times = sorted(1000 * answer["seconds"] for answer in record["answers"] if answer["timed"])
    return {
        "build_words_per_s": work.words / record["build_s"],
        "build_from_start_s": record["build_from_start_s"],
        "cold_s": record["cold_s"],
        "p50_ms": times[len(times) // 2],
        "p95_ms": times[min(len(times) - 1, int(0.95 * len(times)))],
        "peak_mb": record["peak_bytes"] / 1e6,
        "build_peak_mb": record["build_peak_bytes"] / 1e6,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest, rounded to three digits that count."""
    return {"median": short(statistics.median(values)), "least": short(min(values)), "most": short(max(values))}


def short(value: float) -> float:
    """A number with three digits that count."""
    return float(f"{value:.3g}")


def collect(works: Sequence[Work], peers: Sequence[str], records: Mapping[Unit, Record], ours: str) -> dict[str, Any]:
    """All figures by work and peer: quality of the first round, speeds over the rounds, ratios to this product.

    A ratio is taken inside one round: how many times as much (time, memory) the peer needs, or, of the build rate, how
    many times as fast this product is. So more than 1 is always in this product's favour.
    """
    found: dict[str, Any] = {}
    for work in works:
        by_peer: dict[str, Any] = {}
        rounds = {peer: {n: r for (p, w, n), r in records.items() if p == peer and w == work.name} for peer in peers}
        speeds = {peer: {n: speed(work, r) for n, r in of.items() if "error" not in r} for peer, of in rounds.items()}
        for peer in peers:
            errors = [record["error"] for record in rounds[peer].values() if "error" in record]
            entry: dict[str, Any] = {"error": errors[0]} if errors else {}
            whole = rounds[peer].get(0)
            if whole is not None and "error" not in whole:
                entry["quality"] = quality(work, whole)
                entry["passages"] = whole["passages"]
            if speeds[peer]:
                names = next(iter(speeds[peer].values()))
                entry["speed"] = {name: spread([s[name] for s in speeds[peer].values()]) for name in names}
                entry["rounds"] = len(speeds[peer])
            both = sorted(speeds[peer].keys() & speeds[ours].keys()) if peer != ours and ours in speeds else []
            if both:
                entry["ratio"] = {
                    name: spread([_ratio(name, speeds[peer][n][name], speeds[ours][n][name]) for n in both])
                    for name in ("build_words_per_s", "cold_s", "p50_ms", "p95_ms", "peak_mb")
                }
            by_peer[peer] = entry
        found[work.name] = {
            "title": work.title, "documents": len(work.documents), "words": work.words,
            "questions": len(work.questions), "peers": by_peer,
        }  # fmt: skip
    return found


def _ratio(name: str, theirs: float, own: float) -> float:
    return own / theirs if BETTER[name] else theirs / own


def losses(found: Mapping[str, Any], ours: str) -> list[str]:
    """Every figure in which a peer is better than this product, in words."""
    said = []
    for work in found.values():
        own = work["peers"].get(ours, {})
        for peer, entry in work["peers"].items():
            if peer == ours:
                continue
            for name, more in BETTER.items():
                mine, theirs = _value(own, name), _value(entry, name)
                if mine is not None and theirs is not None and ((theirs > mine) if more else (theirs < mine)):
                    said.append(f"{work['title']}, {peer}: {LABELS[name]} {theirs:g}, this product {mine:g}")
            mine, theirs = _tuned(own, "f1"), _tuned(entry, "f1")
            if mine is not None and theirs is not None and theirs > mine:
                said.append(f"{work['title']}, {peer}: F1 with tuned threshold {theirs:g}, this product {mine:g}")
    return said


def _value(entry: Mapping[str, Any], name: str) -> float | None:
    if name in entry.get("speed", {}):
        median: float = entry["speed"][name]["median"]
        return median
    value: float | None = entry.get("quality", {}).get(name)
    return value


def _tuned(entry: Mapping[str, Any], name: str) -> float | None:
    threshold = entry.get("quality", {}).get("threshold")
    value: float | None = None if threshold is None else threshold["at_threshold"][name]
    return value


LABELS = {
    "exact_match": "exact match", "f1": "F1", "answerable_f1": "F1 of the answerable", "refused": "right refusals %",
    "wrong": "wrong of the answers given %", "right_document": "evidence in the right document %",
    "build_words_per_s": "words indexed a second", "cold_s": "cold start s", "p50_ms": "warm p50 ms",
    "p95_ms": "warm p95 ms", "peak_mb": "peak memory MB",
}  # fmt: skip
