"""Take written articles into training/data: checked, answers located, near-duplicates left out, a fifth held out.

python -m training.adopt --adopted DIR WRITTEN.jsonl [...]

`--adopted` holds news_train.jsonl.gz and news_val.jsonl.gz of earlier; they are kept as they are, each on its side.
New articles are split by a hash of their title, so adding more later moves none from one side to
the other.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from training.check_articles import article_problems

HELD_OUT = 0.2
# Subjects of the SQuAD articles that readers are measured on (squad_val and those held back from training altogether).
# An article about one of them would not be a copy, but the figures would no longer be about unseen subjects.
MEASURED = re.compile(
    r"warsaw|complexity|p versus np|amazon|rainforest|gini|inequality|prime number|geolog|pharmac|harvard|\brhine\b|"
    r"islamis|law of the european|european union|\bforces?, |\bvictoria\b|sky uk|bskyb",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def located(article: dict[str, Any]) -> dict[str, Any]:
    """An article as written (`q`, `a`, `near`) in the shape of the data files (`question`, `answers` with places)."""
    text = article["text"]
    questions = []
    for qa in article["qas"]:
        answers = []
        if qa["a"] is not None:
            several = text.count(qa["a"]) > 1  # else what "near" says is not needed, and was not checked
            start = text.index(qa["near"]) + qa["near"].index(qa["a"]) if several else text.index(qa["a"])
            answers = [{"text": qa["a"], "start": start}]
        questions.append({"question": qa["q"], "answers": answers, "kind": qa["kind"], "style": qa["style"]})
    return {"title": article["title"], "text": text, "qas": questions, "dialogues": article.get("dialogues", [])}


def held_out(title: str) -> bool:
    """Whether an article of this title is for measuring, not for training."""
    return int.from_bytes(hashlib.sha256(title.encode()).digest()[:4], "big") / 2**32 < HELD_OUT


def shingles(text: str) -> set[tuple[str, ...]]:
    """All runs of five words, to find near-duplicates with."""
    words = _WORD.findall(text.lower())
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


def without_duplicates(
    articles: Iterable[dict[str, Any]], known: list[set[tuple[str, ...]]]
) -> Iterator[dict[str, Any]]:
    """Leave out articles that share a tenth of their five-word runs with an earlier one. Adds to `known`."""
    for article in articles:
        mine = shingles(article["text"])
        if any(len(mine & other) > 0.1 * len(mine) for other in known):
            print(f"left out, near-duplicate: {article['title']}")
            continue
        known.append(mine)
        yield article


def read(path: Path) -> list[dict[str, Any]]:
    """All articles of one file, gzip'd or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path: Path, articles: list[dict[str, Any]]) -> None:
    """Write a gzip'd file that is the same bytes for the same articles."""
    lines = "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles)
    path.write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))
    print(f"{path}: {len(articles)} articles, {sum(len(article['qas']) for article in articles)} questions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adopted", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=Path("training/data"))
    parser.add_argument("written", nargs="+", type=Path)
    options = parser.parse_args()
    sides = {side: read(options.adopted / f"news_{side}.jsonl.gz") for side in ("train", "val")}
    known = [shingles(article["text"]) for side in sides.values() for article in side]
    new: list[dict[str, Any]] = []
    for path in options.written:
        for number, article in enumerate(read(path), start=1):
            problems = list(article_problems(article))
            if problems:
                print(f"left out, {path.name}:{number}: {problems[0]}")
            elif MEASURED.search(article["title"]):
                print(f"left out, of a subject that is measured on: {article['title']}")
            else:
                new.append(located(article))
    for article in without_duplicates(new, known):
        sides["val" if held_out(article["title"]) else "train"].append(article)
    options.to.mkdir(parents=True, exist_ok=True)
    for side, articles in sides.items():
        write(options.to / f"news_{side}.jsonl.gz", articles)


if __name__ == "__main__":
    main()
