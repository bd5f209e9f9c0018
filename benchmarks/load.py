"""Many people at once: the page's server under load, while one of them adds a long document.

python -m benchmarks.load [--people 20] [--seconds 300] [--pages 200] [--think 4] [--out benchmarks/results/load.json]

Starts `qa serve` on a built index. `people` clients of their own sessions each ask through the API, wait for the
answer, think for `think` seconds on average, and ask again. After a third of the time one browser adds a document of
`pages` pages. Prints JSON: questions, errors, latency (before and during the upload), how long the upload took, and the
resident memory of the server at the start, in the middle and at the end.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.asking import GOLD, percentile
from benchmarks.machine import machine
from benchmarks.output import publish
from qa import Config, build
from qa.evaluation import read_gold

_SENTENCES = (
    "The {a} of {b} was finished in {year} after a long dispute about its cost.",
    "Nobody in {b} remembered who had ordered the {a}, and the ledgers said nothing of it.",
    "In {year} a storm damaged the {a}, and the people of {b} paid for the repairs themselves.",
    "Visitors who came to {b} in the summer of {year} praised the {a} in their letters.",
)
_THINGS = "bridge mill harbour library observatory theatre market aqueduct lighthouse garden".split()
_PLACES = "Kelso Strathpine Islay Maribor Ghent Tartu Coimbra Bergamo Lund Kotor".split()


@dataclass
class Asked:
    """What the clients saw: (moment, seconds) of each answer, and what went wrong."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def book(pages: int) -> bytes:
    """A text of so many pages, 3,000 characters each, no two sentences alike."""
    chance = random.Random(7)
    text: list[str] = []
    size = 0
    while size < 3000 * pages:
        sentence = chance.choice(_SENTENCES).format(
            a=chance.choice(_THINGS), b=chance.choice(_PLACES), year=chance.randint(1500, 1990)
        )
        text.append(sentence + (" " if len(text) % 9 else "\n\n"))
        size += len(text[-1])
    return "".join(text).encode()


def person(address: str, questions: list[str], end: float, think: float, asked: Asked, number: int) -> None:
    """One client: its own session, a question, an answer, a pause."""
    from gradio_client import Client

    chance = random.Random(number)
    try:
        client = Client(address, verbose=False)
    except Exception as error:
        with asked.lock:
            asked.errors.append(f"{type(error).__name__}: {error}"[:200])
        return
    time.sleep(chance.random() * think)
    while time.monotonic() < end:
        begin = time.monotonic()
        try:
            client.predict(chance.choice(questions), api_name="/answer")
            with asked.lock:
                asked.answers.append((begin, time.monotonic() - begin))
        except Exception as error:
            with asked.lock:
                asked.errors.append(f"{type(error).__name__}: {error}"[:200])
        time.sleep(chance.expovariate(1 / think) if think else 0)


def add_document(address: str, pages: int) -> tuple[float, float, str]:
    """(begin, end, state) of adding a long document as a browser does."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    browser.open(address).read()
    begin = time.monotonic()
    name = urllib.parse.quote("long.txt")
    sent = urllib.request.Request(f"{address}/documents?name={name}", book(pages), {"x-qa": "1"}, method="POST")
    identifier = json.load(browser.open(sent))["id"]
    while True:
        listed = json.load(browser.open(f"{address}/documents"))["documents"]
        state = next(one["state"] for one in listed if one["id"] == identifier)
        if state in ("ready", "failed"):
            return begin, time.monotonic(), state
        time.sleep(0.5)


def figures(times: list[float]) -> dict[str, Any]:
    """Latency in milliseconds."""
    if not times:
        return {"asked": 0}
    return {
        "asked": len(times),
        "p50_ms": round(1000 * percentile(times, 0.5)),
        "p95_ms": round(1000 * percentile(times, 0.95)),
        "slowest_ms": round(1000 * max(times)),
    }


def load(address: str, server: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run the clients and the upload against a server process."""
    process = psutil.Process(server)
    questions = [gold.question for gold in read_gold(GOLD)]
    asked = Asked()
    begin = time.monotonic()
    end = begin + options.seconds
    people = [
        threading.Thread(target=person, args=(address, questions, end, options.think, asked, n), daemon=True)
        for n in range(options.people)
    ]
    for one in people:
        one.start()
    memory = []
    upload: list[tuple[float, float, str]] = []
    uploading = threading.Thread(target=lambda: upload.append(add_document(address, options.pages)), daemon=True)
    for part in range(1, 7):
        time.sleep(max(0.0, begin + part * options.seconds / 6 - time.monotonic()))
        memory.append(round(process.memory_info().rss / 2**20))
        if part == 2 and options.pages:
            uploading.start()
    for one in people:
        one.join(timeout=60)
    if options.pages:
        uploading.join(timeout=600)
    first, last, state = upload[0] if upload else (end, end, "none" if not options.pages else "unfinished")
    during = [took for at, took in asked.answers if first <= at <= last]
    before = [took for at, took in asked.answers if at < first]
    return {
        "people": options.people,
        "seconds": options.seconds,
        "think_s": options.think,
        "errors": len(asked.errors),
        "error_examples": sorted(set(asked.errors))[:3],
        "all": figures([took for _, took in asked.answers]),
        "before_upload": figures(before),
        "during_upload": figures(during),
        "upload": {"pages": options.pages, "state": state, "seconds": round(last - first, 1)},
        "resident_mb": memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--think", type=float, default=4, help="mean seconds between an answer and the next question")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(index=Path(folder))
        build(config)
        command = [sys.executable, "-m", "ui.cli", "serve", "--index", folder, "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                assert server.stdout is not None
                line = ""
                while "http://" not in line:
                    line = server.stdout.readline()
                address = "http://" + line.partition("http://")[2].split()[0]
                result = {"machine": machine(), **load(address, server.pid, options)}
            finally:
                server.terminate()
    publish(result, options.out)


if __name__ == "__main__":
    main()
