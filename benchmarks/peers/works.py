"""The work that everybody does: documents, and questions asked of them all together."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.peers.environments import ROOT
from qa.evaluation import Gold, GoldError, read_gold

T = TypeVar("T")
GOLD = ROOT / "tests" / "gold" / "all_the_light.jsonl"
SEEDS = ROOT / "seeds"


@dataclass(frozen=True, slots=True)
class Question:
    """A gold question, with the name of the document that its answer stands in; None where that tells nothing."""

    gold: Gold
    document: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """One corpus of (name, text) and its questions."""

    name: str
    title: str
    documents: tuple[tuple[str, str], ...]
    questions: tuple[Question, ...]

    @property
    def words(self) -> int:
        """Words of all documents."""
        return sum(len(text.split()) for _, text in self.documents)


def article(most: int | None = None) -> Work:
    """The article of `seeds/` with its gold questions."""
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in sorted(SEEDS.glob("*.txt"))]
    golds = _spread([gold for gold in read_gold(GOLD) if not gold.history], most)
    return Work("article", "the article", tuple(texts), tuple(Question(gold, None) for gold in golds))


def squad(path: Path, most: int | None = None) -> Work:
    """A file of questions with passages: all different passages are documents, searched together.

    Raises:
        GoldError: a question has no context, or as `read_gold` raises.
    """
    golds = read_gold(path)
    names: dict[str, str] = {}
    for gold in golds:
        if gold.context is None:
            raise GoldError(f"{path}: question {gold.id!r} has no context")
        names.setdefault(gold.context, f"passage-{len(names):05}")
    questions = [Question(gold, names[gold.context or ""]) for gold in _spread(golds, most)]
    documents = tuple((name, text) for text, name in names.items())
    return Work("squad", "passages of an encyclopaedia", documents, tuple(questions))


def fairytales(path: Path, split: str = "test", most: int | None = None) -> Work:
    """The stories of one split, whole: a story is its sections, in order, as far as there is a question on them.

    Raises:
        GoldError: the file cannot be read, or holds no rows of that split.
    """
    rows = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            rows = [row for line in file if line.strip() and (row := json.loads(line))["split"] == split]
    except (OSError, ValueError, KeyError) as error:
        raise GoldError(f"{path}: expected lines of {{id, split, context, question, answers}} ({error!r})") from error
    if not rows:
        raise GoldError(f"{path} holds no rows with split {split!r}")
    stories: dict[str, dict[str, None]] = {}
    questions = []
    for row in rows:
        story = row["id"].rsplit("#", 1)[0]
        stories.setdefault(story, {})[row["context"]] = None
        accepted = tuple(answer["text"] for answer in row["answers"])
        questions.append(Question(Gold(row["id"], row["question"], accepted, row["context"], ""), story))
    documents = tuple((name, "\n\n".join(sections)) for name, sections in stories.items())
    return Work("fairytales", "fairy tales", documents, tuple(_spread(questions, most)))


def _spread(items: list[T], most: int | None) -> list[T]:
    """At most `most` items, evenly from the whole list: a file's beginning may be on one subject."""
    if most is None or len(items) <= most:
        return items
    return [items[number * len(items) // most] for number in range(most)]
