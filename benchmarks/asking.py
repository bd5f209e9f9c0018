"""How fast asking is: warm answers on the article, a cold `qa ask`, and the memory of the serving process.

python -m benchmarks.asking [--rounds 3] [--out benchmarks/results/asking.json]

Prints JSON, with the small reader alone and with the cascade. Warm: every gold question asked `rounds` times in one
process, after a warm-up. Cold: from process start to the printed answer, the index being built. Memory: resident set of
`qa serve` after it has answered 30 questions.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import machine
from benchmarks.output import publish
from qa import Answerer, Config, build
from qa.config import LARGE_FOLDER
from qa.evaluation import read_gold

GOLD = Path("tests/gold/all_the_light.jsonl")
QUESTION = "who plays Werner?"


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def environment(config: Config) -> dict[str, str]:
    """The environment in which a process reads as `config` says."""
    return {**os.environ, "QA_READERS": "small" if config.second is None else "cascade"}


def warm(config: Config, rounds: int) -> dict[str, float]:
    """Latency of `Answerer.ask` in milliseconds."""
    answerer = Answerer.open(config)
    questions = [gold.question for gold in read_gold(GOLD)]
    for question in questions[:10]:
        answerer.ask(question)
    times = []
    for _ in range(rounds):
        for question in questions:
            begin = time.perf_counter()
            answerer.ask(question)
            times.append(1000 * (time.perf_counter() - begin))
    answerer.close()
    return {
        "p50_ms": round(percentile(times, 0.5), 1),
        "p95_ms": round(percentile(times, 0.95), 1),
        "mean_ms": round(statistics.mean(times), 1),
        "asked": len(times),
    }


def cold(config: Config, runs: int) -> dict[str, Any]:
    """Seconds from starting `qa ask` to its end."""
    command = [sys.executable, "-m", "ui.cli", "ask", "--index", str(config.index), QUESTION]
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment(config))
        times.append(time.perf_counter() - begin)
    answer = done.stdout.splitlines()[0]
    return {"median_s": round(statistics.median(times), 2), "slowest_s": round(max(times), 2), "answer": answer}


def memory(config: Config) -> dict[str, float]:
    """Resident memory of `qa serve` in megabytes, with its children, after 30 questions through its API."""
    from gradio_client import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "serve", "--index", str(config.index), "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(config)
    ) as server:
        try:
            assert server.stdout is not None
            begin = time.perf_counter()
            while "http://" not in server.stdout.readline():
                pass
            started = time.perf_counter() - begin
            client = Client(f"http://127.0.0.1:{port}", verbose=False)
            for gold in read_gold(GOLD)[:30]:
                client.predict(gold.question, api_name="/answer")
            process = psutil.Process(server.pid)
            resident = sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
        finally:
            server.terminate()
    return {"resident_mb": round(resident / 2**20), "start_s": round(started, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cascade = Config(index=Path(folder), second=LARGE_FOLDER)
        build(cascade)
        figures: dict[str, Any] = {"machine": machine()}
        for name, config in (("small", dataclasses.replace(cascade, second=None)), ("cascade", cascade)):
            figures[name] = {
                "warm": warm(config, options.rounds),
                "cold": cold(config, 5),
                "serving": memory(config),
            }
    publish(figures, options.out)


if __name__ == "__main__":
    main()
