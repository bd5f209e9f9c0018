"""How often sentences about the article are judged rightly: `python -m benchmarks.fluent_support [--all]`.

Each sentence of tests/gold/fluent_sentences.jsonl is checked as if a model had written it and cited the passages that
are retrieved for it. They were written by hand: some say what the article says, others swap, invent or deny something.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from qa.config import Config
from qa.default import open_or_build
from qa.fluent.support import Checker
from qa.fluent.types import Source

GOLD = Path(__file__).parent.parent / "tests" / "gold" / "fluent_sentences.jsonl"
CITED = 2


def main() -> None:
    answerer = open_or_build(Config())
    checker = Checker(answerer.encoder, answerer)
    right: Counter[tuple[bool, str]] = Counter()
    total: Counter[tuple[bool, str]] = Counter()
    for line in GOLD.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        hits = answerer.retrieve(row["sentence"])[0][:CITED]
        sources = [Source(n, h.document, h.passage.start, h.passage.end) for n, h in enumerate(hits, start=1)]
        judged = checker.check(row["sentence"], [source.number for source in sources], sources)
        total[row["supported"], row["kind"]] += 1
        right[row["supported"], row["kind"]] += judged.supported == row["supported"]
        if judged.supported != row["supported"] or "--all" in sys.argv:
            print(f"{row['kind']:9} {'passed' if judged.supported else 'marked'}: {row['sentence']}  [{judged.why}]")
    for supported in (True, False):
        kinds = [kind for kind in total if kind[0] is supported]
        said = ", ".join(f"{kind} {right[supported, kind]}/{total[supported, kind]}" for _, kind in kinds)
        share = f"{sum(right[kind] for kind in kinds)}/{sum(total[kind] for kind in kinds)}"
        print(f"{'supported, passed' if supported else 'unsupported, marked'}: {share} ({said})")


if __name__ == "__main__":
    main()
