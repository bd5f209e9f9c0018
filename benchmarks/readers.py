"""How fast the readers read: five passages of 200 tokens, int8 here beside float32 in PyTorch, in alternating turns.

python -m benchmarks.readers [--rounds 9] [--out benchmarks/results/readers.json]

Needs the training extra (torch, transformers). The PyTorch models have the shapes of ours and random weights, which
cost the same time. Then the gold questions are asked with the small reader alone and with both. Prints JSON, in ms.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForQuestionAnswering, MPNetConfig, MPNetForQuestionAnswering

from benchmarks.asking import GOLD
from benchmarks.machine import machine
from benchmarks.output import publish
from qa import Answerer, Config, build
from qa.config import LARGE_FOLDER, MODEL_FOLDER
from qa.evaluation import read_gold
from qa.reader import OnnxReader
from qa.types import Tokens

PASSAGES, TOKENS, QUESTION = 5, 200, 12
THREADS = 2


def ours(folder: Path) -> Callable[[], object]:
    """A call that reads the passages with a reader of ours."""
    reader = OnnxReader(folder, threads=THREADS)
    chance = np.random.default_rng(1)

    def tokens(count: int) -> Tokens:
        return Tokens(chance.integers(2000, 28_000, count), np.zeros((count, 2), np.int64))

    window = TOKENS - QUESTION - reader.special_tokens
    pairs = [(tokens(QUESTION), tokens(window)) for _ in range(PASSAGES)]
    return lambda: reader.read(pairs)


def theirs(model: torch.nn.Module) -> Callable[[], object]:
    """A call that reads as many tokens with a PyTorch model."""
    model.eval()
    ids = torch.randint(2000, 28_000, (PASSAGES, TOKENS))

    def read() -> object:
        with torch.inference_mode():
            return model(input_ids=ids, attention_mask=torch.ones_like(ids))

    return read


def asking(rounds: int) -> dict[str, dict[str, float]]:
    """Latency of a gold question with the small reader alone and with the cascade, in alternating rounds."""
    times: dict[str, list[float]] = {"small": [], "cascade": []}
    with tempfile.TemporaryDirectory() as folder:
        config = Config(index=Path(folder), second=None)
        build(config)
        answerers = {
            "small": Answerer.open(config),
            "cascade": Answerer.open(Config(index=Path(folder), second=LARGE_FOLDER)),
        }
        questions = [gold.question for gold in read_gold(GOLD)]
        for answerer in answerers.values():
            for question in questions[:10]:
                answerer.ask(question)
        for _ in range(rounds):
            for name, answerer in answerers.items():
                for question in questions:
                    begin = time.perf_counter()
                    answerer.ask(question)
                    times[name].append(1000 * (time.perf_counter() - begin))
        for answerer in answerers.values():
            answerer.close()
    return {
        name: {"mean": round(statistics.mean(one), 1), "median": round(statistics.median(one), 1)}
        for name, one in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    wide = {"hidden_size": 768, "num_hidden_layers": 8, "num_attention_heads": 12, "intermediate_size": 3072}
    narrow = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    calls = {
        "small, int8": ours(MODEL_FOLDER),
        "small, float32 PyTorch": theirs(BertForQuestionAnswering(BertConfig(**narrow))),
        "large, int8": ours(LARGE_FOLDER),
        "large, float32 PyTorch": theirs(MPNetForQuestionAnswering(MPNetConfig(**wide, vocab_size=30_527))),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(options.rounds + 1):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            if turn:  # the first one warms up
                times[name].append(1000 * (time.perf_counter() - begin))
    figures: dict[str, Any] = {
        "machine": machine(),
        "five passages of 200 tokens": {
            name: {"median": round(statistics.median(one), 1), "least": round(min(one), 1)}
            for name, one in times.items()
        },
        "asking": asking(2),
    }
    publish(figures, options.out)


if __name__ == "__main__":
    main()
