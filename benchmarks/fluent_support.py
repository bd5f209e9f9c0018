"""How often sentences about the article are judged rightly: `python -m benchmarks.fluent_support [--all]`.

Each sentence of tests/gold/fluent_sentences.jsonl is checked as if a model had written it and cited the passages that
are retrieved for it. They were written by hand: some say what the article says, others swap, invent or deny something.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.config import Config
from qa.default import open_or_build
from qa.fluent.support import Checker
from qa.fluent.types import Sentence, Source
from qa.pipeline import Answerer

GOLD = Path(__file__).parent.parent / "tests" / "gold" / "fluent_sentences.jsonl"
CITED = 2


def judged(answerer: Answerer) -> Iterator[tuple[dict[str, Any], Sentence]]:
    """Every sentence of the set with the verdict on it."""
    checker = Checker(answerer.encoder, answerer)
    for line in GOLD.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        hits = answerer.retrieve(row["sentence"])[0][:CITED]
        sources = [Source(n, h.document, h.passage.start, h.passage.end) for n, h in enumerate(hits, start=1)]
        yield row, checker.check(row["sentence"], [source.number for source in sources], sources)


def main() -> None:
    right: Counter[tuple[bool, str]] = Counter()
    total: Counter[tuple[bool, str]] = Counter()
    for row, sentence in judged(open_or_build(Config())):
        total[row["supported"], row["kind"]] += 1
        right[row["supported"], row["kind"]] += sentence.supported == row["supported"]
        if sentence.supported != row["supported"] or "--all" in sys.argv:
            print(
                f"{row['kind']:9} {'passed' if sentence.supported else 'marked'}: {row['sentence']}  [{sentence.why}]"
            )
    for supported in (True, False):
        kinds = [kind for kind in total if kind[0] is supported]
        said = ", ".join(f"{kind} {right[supported, kind]}/{total[supported, kind]}" for _, kind in kinds)
        share = f"{sum(right[kind] for kind in kinds)}/{sum(total[kind] for kind in kinds)}"
        print(f"{'supported, passed' if supported else 'unsupported, marked'}: {share} ({said})")


if __name__ == "__main__":
    main()
