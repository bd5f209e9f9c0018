"""Take minimal pairs into training/data: questions on known articles, each answerable one beside a twin that is not.

python -m training.adopt_pairs [--articles NEWS.jsonl.gz] [--to PAIRS.jsonl.gz] WRITTEN.jsonl [...]

Each written line is {"title", "qas": [{"q", "a" or null, "near"?}]}; the text is that of the article of this title.
Questions that the article has already, and answers that are not an unambiguous span of it, are left out and named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from training.adopt import read, write


def adopted(article: dict[str, Any], written: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The questions of `written` on `article` in the shape of the data files."""
    text = article["text"]
    asked = {qa["question"].strip().lower() for qa in article["qas"]}
    for qa in written["qas"]:
        question, answer = qa["q"].strip(), qa["a"]
        if question.lower() in asked:
            print(f"left out, asked already: {question}")
            continue
        asked.add(question.lower())
        if answer is None:
            yield {"question": question, "answers": [], "kind": "none"}
            continue
        near = qa.get("near") if text.count(answer) > 1 else answer
        if not near or text.count(near) != 1 or near.count(answer) != 1:
            print(f"left out, no unambiguous span: {question} -> {answer}")
            continue
        yield {
            "question": question,
            "answers": [{"text": answer, "start": text.index(near) + near.index(answer)}],
            "kind": "pair",
        }


def pairs(articles: Iterable[dict[str, Any]], written: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Articles with their pairs, in the order they were written; unknown titles are left out and named."""
    known = {article["title"]: article for article in articles}
    for line in written:
        article = known.get(line["title"])
        if article is None:
            print(f"left out, no such article: {line['title']}")
            continue
        yield {"title": article["title"], "text": article["text"], "qas": list(adopted(article, line))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=Path("training/data/news_train.jsonl.gz"))
    parser.add_argument("--to", type=Path, default=Path("training/data/pairs_train.jsonl.gz"))
    parser.add_argument("written", nargs="+", type=Path)
    options = parser.parse_args()
    written = [line for path in options.written for line in read(path)]
    write(options.to, list(pairs(read(options.articles), written)))


if __name__ == "__main__":
    main()
