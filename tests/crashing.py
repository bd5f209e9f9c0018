"""A process that writes to an index, kills the children that do so for it, and checks what they leave.

It imports everything once and forks, so that two hundred kills take a minute. No models: vectors come of names.
Run by test_crash.py: `python crashing.py kill FOLDER KILLS SEED` or `python crashing.py crowd FOLDER SECONDS`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import faiss  # noqa: F401 (once, before the forks)
import numpy as np
from numpy.typing import NDArray

import index.dense
import index.upkeep
from index.search import in_one_state, rank
from index.store import SqliteStore
from index.types import Document, Passage

DIMENSION = 16
NAMES = [f"document {number}.txt" for number in range(14)]
State = dict[str, int]

# with these, a small index goes through all that a large one does
SMALL = [(index.dense, "FLAT_UP_TO", 60), (index.upkeep, "PATIENCE_S", 0.0), (index.upkeep, "_PAUSE_S", 0.2)]


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder, encoder_name="names", dimension=DIMENSION, create=True)


def content(name: str, version: int) -> tuple[Document, list[Passage], NDArray[np.float32]]:
    """The document of a name and version: always the same."""
    random_ = random.Random(f"{name}/{version}")
    count = random_.randint(0, 30)
    texts = [f"passage {number} of {name} in version {version}." for number in range(count)]
    passages, start = [], 0
    for text in texts:
        passages.append(Passage(start, start + len(text), text))
        start += len(text) + 1
    seed = int.from_bytes(hashlib.sha256(f"{name}/{version}".encode()).digest()[:8], "little")
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return Document(name, name, " ".join(texts)), passages, vectors


def step(number: int, seed: int, names: list[str]) -> list[tuple[str, str, int]]:
    """What the n-th step does: (kind, name, version) each, in one transaction."""
    chosen = random.Random(f"{seed}/{number}")
    kind = chosen.choices(["put", "remove", "batch", "settle", "ask"], [5, 2, 2, 3, 2])[0]
    if kind == "batch":
        some = chosen.sample(names, 5)
        return [("put", name, number) for name in some[:4]] + [("remove", some[4], number)]
    return [(kind, chosen.choice(names), number)]


def do(store: SqliteStore, actions: list[tuple[str, str, int]]) -> None:
    def one(kind: str, name: str, version: int) -> None:
        if kind == "put":
            document, passages, vectors = content(name, version)
            store.put(document, str(version), passages, vectors)
        elif kind == "remove":
            store.remove(name)
        elif kind == "settle":
            store.settle()
        else:
            in_one_state(store, lambda: store.dense(np.eye(DIMENSION, dtype=np.float32)[0], 3))

    if len(actions) == 1:
        one(*actions[0])
        return
    with store.batch():
        for action in actions:
            one(*action)


def after(state: State, actions: list[tuple[str, str, int]]) -> State:
    changed = dict(state)
    for kind, name, version in actions:
        if kind == "put":
            changed[name] = version
        elif kind == "remove":
            changed.pop(name, None)
    return changed


def check(store: SqliteStore, expected: list[State]) -> State:
    """The one of the expected states that the index is in, whole. Raises AssertionError when it is in none."""
    problems = store.problems()
    assert problems == [], problems
    there = {name: int(digest) for name, digest in store.digests().items()}
    assert there in expected, f"{there} is none of {expected}"
    for identifier, document in store.documents().items():
        wanted, passages, vectors = content(document.name, there[document.name])
        assert document.text == wanted.text
        stored = store.passages_of(identifier)
        assert [p.text for p in stored] == [p.text for p in passages]
        for passage, vector in list(zip(stored, vectors, strict=True))[:3]:
            best, cosine = in_one_state(store, lambda vector=vector: store.dense(vector, 1)[0])  # type: ignore[misc]
            assert best == passage.id and cosine > 0.999, (best, passage.id, cosine)
        if passages:
            version = f"{there[document.name]}"
            assert store.lexical(f"{document.name} version {version}", 50)
    return there


def fork(work: Callable[[], None]) -> int:
    """A child that does `work` and ends without cleaning up."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def kill_again_and_again(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Returns how often each kind of step was cut short."""
    state: State = {}
    number, cut = 0, Counter[str]()
    moments = random.Random(seed)
    opened(folder).close()
    for _ in range(kills):
        read, write = os.pipe()

        def work(first: int = number, pipe: int = write) -> None:
            store = opened(folder)
            for n in range(first, first + 10_000):
                os.write(pipe, b"b")
                do(store, step(n, seed, NAMES))
                os.write(pipe, b"d")

        child = fork(work)
        os.close(write)
        os.read(read, 1)
        time.sleep(moments.choice([0.003, 0.03, 0.1]) * moments.random())
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the child failed before it was killed"
        said = b"b"
        while more := os.read(read, 65536):
            said += more
        os.close(read)
        done = said.count(b"d")
        for n in range(number, number + done):
            state = after(state, step(n, seed, NAMES))
        unfinished = step(number + done, seed, NAMES)
        if not said.endswith(b"d"):
            cut["batch" if len(unfinished) > 1 else unfinished[0][0]] += 1
        store = opened(folder)
        state = check(store, [state, after(state, unfinished)])
        store.close()
        number += done + 1
    return cut


def crowd(folder: Path, seconds: float) -> dict[str, float]:
    """Two processes write and ten ask at once. Returns what they did, and the longest that one question took."""
    opened(folder).close()
    until = time.monotonic() + seconds
    results, children = [], []

    def writer(seed: int, pipe: int) -> None:
        names = [f"{seed} {name}" for name in NAMES]
        store = opened(folder)
        state: State = {}
        number = 0
        while time.monotonic() < until:
            actions = step(number, seed, names)
            do(store, actions)
            state = after(state, actions)
            number += 1
        os.write(pipe, json.dumps({"state": state, "steps": number}).encode())

    def asker(seed: int, pipe: int) -> None:
        asked, longest = 0, 0.0
        chosen = random.Random(seed)
        store = opened(folder)
        while time.monotonic() < until:
            name = chosen.choice(NAMES)
            begin = time.monotonic()
            vector = content(name, chosen.randrange(50))[2]
            query = vector[0] if len(vector) else np.eye(DIMENSION, dtype=np.float32)[0]
            hits = in_one_state(store, lambda name=name, query=query: rank(store, name, query, k=5, pool=20))  # type: ignore[misc]
            longest = max(longest, time.monotonic() - begin)
            asked += 1
            for hit in hits:
                assert hit.document.text[hit.passage.start : hit.passage.end] == hit.passage.text
        os.write(pipe, json.dumps({"asked": asked, "longest": longest}).encode())

    for seed in range(12):
        read, write = os.pipe()
        work = writer if seed < 2 else asker
        children.append(fork(lambda seed=seed, write=write, work=work: work(seed, write)))  # type: ignore[misc]
        os.close(write)
        results.append(read)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "a process failed"
    said = [json.loads(os.read(read, 65536)) for read in results]
    store = opened(folder)
    check(store, [{**said[0]["state"], **said[1]["state"]}])
    store.close()
    return {
        "written": sum(one["steps"] for one in said[:2]),
        "asked": sum(one["asked"] for one in said[2:]),
        "fewest_asked": min(one["asked"] for one in said[2:]),
        "longest_s": max(one["longest"] for one in said[2:]),
    }


if __name__ == "__main__":
    for module, constant, value in SMALL:
        setattr(module, constant, value)
    if sys.argv[1] == "kill":
        figures: object = kill_again_and_again(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        figures = crowd(Path(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.write(json.dumps(figures) + "\n")
