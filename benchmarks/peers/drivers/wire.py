"""What every driver speaks: one JSON object a line on standard input, one for each on standard output.

    {"do": "build", "documents": [{"name", "text"}], "folder"} -> {"seconds", "passages"}
    {"do": "open", "folder"}                                   -> {"seconds"}
    {"do": "ask", "question"}                   -> {"seconds", "text", "document", "score", "candidate", "failure"}
    {"do": "quit"}                                             -> the program ends

The program first writes {"ready": seconds}: how long it took to import and load its models. It runs in a peer's own
environment, so nothing but the standard library is imported here. Connections to anywhere but this process are refused.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

# Peers without a splitter of their own, and those with one, cut documents alike: what a reader's window of 384 tokens
# holds whole, and what the encoder (256 tokens) sees nearly whole. 8 passages are read, as many as this product reads.
PASSAGE_WORDS, PASSAGE_OVERLAP, PASSAGES_READ = 150, 30, 8


@dataclass(frozen=True)
class Settings:
    """Where the models are, how many threads to use, and a short text on which the loaded models are tried once."""

    encoder: str
    reader: str
    threads: int


@dataclass(frozen=True)
class Reply:
    """What a peer says to a question.

    `text` is None where it refuses by its default settings. `candidate` is the best text that it has, refused or not,
    and `score` how sure it is of that one by its own measure, higher being surer: what a threshold can be set on.
    `document` is the one that the candidate stands in. `failure` names an error of the peer's own on the way.
    """

    text: str | None
    document: str | None = None
    score: float = 0.0
    candidate: str | None = None
    failure: str | None = None


class Peer(Protocol):
    """A way to answer questions from documents. Making one loads its models."""

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        """Index documents, save the index in `folder` and open it. Returns the number of passages."""

    def open(self, folder: Path) -> None:
        """Open the index saved in `folder`."""

    def ask(self, question: str) -> Reply:
        """Answer one question from the index that is open."""


def windows(text: str) -> list[str]:
    """A text in windows of `PASSAGE_WORDS` words, `PASSAGE_OVERLAP` of them shared with the one before, cut as is."""
    words = text.split(" ")
    step = PASSAGE_WORDS - PASSAGE_OVERLAP
    starts = range(0, max(1, len(words) - PASSAGE_OVERLAP), step)
    return [" ".join(words[start : start + PASSAGE_WORDS]) for start in starts]


class NetworkUse(OSError):
    """A peer tried to reach the network."""


def refuse_network() -> None:
    """Make every connection but those to local sockets fail."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise NetworkUse(f"a connection to {address!r} was attempted; everything must run offline")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded  # type: ignore[method-assign,assignment]


def serve(make: Callable[[Settings], Peer]) -> None:
    """Make the peer and answer the lines that come until the end or "quit"."""
    begin = time.perf_counter()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not stand between the lines
    refuse_network()

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        peer = make(Settings(**json.loads(sys.argv[1])))
        say({"ready": time.perf_counter() - begin})
        for line in sys.stdin:
            message = json.loads(line)
            if message["do"] == "quit":
                break
            begin = time.perf_counter()
            reply = _done(peer, message)
            say({"seconds": time.perf_counter() - begin, **reply})
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
        raise


def _done(peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
    if message["do"] == "build":
        return {"passages": peer.build(message["documents"], Path(message["folder"]))}
    if message["do"] == "open":
        peer.open(Path(message["folder"]))
        return {}
    return asdict(peer.ask(message["question"]))
